//! The offline concierge over the documents of the demo: what share of plain questions it answers.
// The figures are what one runs this for.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod hotel;

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct DemoFact {
    question: String,
    answer_contains: Vec<String>,
    file_name: String,
}

#[tokio::test]
async fn plain_questions_are_answered_from_the_documents() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stayzr-server/demo");
    let facts: BTreeMap<String, Vec<DemoFact>> =
        serde_json::from_str(&fs::read_to_string(demo.join("facts.json")).unwrap()).unwrap();
    let (mut total, mut right, mut cited, mut longest) = (0, 0, 0, 0);
    for (property, facts) in &facts {
        let hotel = hotel::Hotel::demo(&demo, property).await;
        for fact in facts {
            let turn = hotel.ask(&fact.question).await;
            let reply = turn.reply.clone().unwrap_or_default();
            let holds = fact.answer_contains.iter().all(|part| reply.contains(part));
            total += 1;
            right += usize::from(holds);
            cited += usize::from(
                turn.citations
                    .iter()
                    .any(|citation| citation.file_name == fact.file_name),
            );
            longest = longest.max(reply.chars().count());
            if !holds {
                println!(
                    "{property}: {} [{}; {:?}; {} {}]\n   {}",
                    fact.question,
                    turn.specialist,
                    turn.status,
                    fact.file_name,
                    fact.answer_contains.join(" + "),
                    reply.replace('\n', "\n   ")
                );
            }
        }
    }
    println!("{right} of {total} answered, {cited} cite the document, longest reply {longest}");
    assert!(right * 100 >= total * 85, "{right} of {total}");
    assert!(cited * 100 >= total * 85, "{cited} of {total}");
    assert!(longest <= 1_500, "{longest}");
}
