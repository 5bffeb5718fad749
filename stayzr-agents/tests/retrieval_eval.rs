//! Retrieval measured on the shared question sets. Skipped, with a note, where they are not there.
#![allow(
    clippy::print_stderr,
    reason = "a skip and the figures are told in one line each"
)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc};

use serde::Deserialize;
use stayzr_agents::{
    eval::retrieval::{EvalDocument, EvalQuery, evaluate},
    knowledge::{
        EmbeddedIndex, InProcessKnowledge, KnowledgeBase, NewDocument, OfflineEmbedder,
        SearchRequest,
    },
};
use stayzr_core::{
    clock::SystemClock,
    ids::{OrganizationId, PropertyId},
    tenant::TenantScope,
};

fn shared(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped: STAYZR_SHARED is not set");
        return None;
    };
    Some(PathBuf::from(root).join(path))
}

fn read<T: for<'de> Deserialize<'de>>(path: PathBuf) -> T {
    let text = fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{path:?}: {cause}"));
    serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{path:?}: {cause}"))
}

#[tokio::test]
async fn invariant_t_the_question_set_is_answered_without_foreign_passages() {
    let Some(root) = shared("eval/retrieval") else {
        return;
    };
    let documents: Vec<EvalDocument> = read(root.join("docs.json"));
    let queries: Vec<EvalQuery> = read(root.join("queries.json"));
    let report = evaluate(&documents, &queries, Arc::new(OfflineEmbedder))
        .await
        .unwrap();
    eprintln!("{}", serde_json::to_string(&report).unwrap());
    assert_eq!(report.n, queries.len());
    assert_eq!(report.foreign_results, 0);
    assert!(report.hit_at_1 >= 0.9, "{report:?}");
    assert!(report.hit_at_5 >= 0.98, "{report:?}");
    assert!(report.mrr_at_5 >= 0.93, "{report:?}");
    assert!(report.recall_at_5 >= 0.88, "{report:?}");
}

#[derive(Deserialize)]
struct Fact {
    question: String,
    answer_contains: Vec<String>,
    file_name: String,
}

/// The demo's hotels: every question of their fact sheets, answered from the right file.
#[tokio::test]
async fn the_demo_hotels_answer_their_own_fact_sheets() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../stayzr-server/demo");
    let sheets: HashMap<String, Vec<Fact>> = read(root.join("facts.json"));
    let store = Arc::new(InProcessKnowledge::default());
    let index = Arc::new(EmbeddedIndex::new(store.clone()));
    let knowledge = KnowledgeBase::new(
        store,
        index,
        Arc::new(OfflineEmbedder),
        Arc::new(SystemClock),
    );
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    let (mut asked, mut first, mut among_five) = (0, 0, 0);
    for (hotel, facts) in &sheets {
        let property_id = Some(PropertyId::generate(&SystemClock));
        for entry in fs::read_dir(root.join("knowledge").join(hotel)).unwrap() {
            let path = entry.unwrap().path();
            let file_name = path.file_name().unwrap().to_string_lossy().into_owned();
            let new = NewDocument {
                property_id,
                category: "general".to_owned(),
                file_name,
                content_type: String::new(),
                content: fs::read(&path).unwrap(),
            };
            knowledge.put(scope, new).await.unwrap();
        }
        for fact in facts {
            let request = SearchRequest::new(property_id, &fact.question);
            let found = knowledge.search(scope, &request).await.unwrap();
            let answers = |text: &str| fact.answer_contains.iter().all(|part| text.contains(part));
            let right: Vec<bool> = found
                .iter()
                .map(|passage| passage.file_name == fact.file_name && answers(&passage.text))
                .collect();
            asked += 1;
            first += usize::from(right.first() == Some(&true));
            among_five += usize::from(right.contains(&true));
        }
    }
    eprintln!("asked {asked}, first {first}, among five {among_five}");
    assert!(asked > 100);
    assert!(first * 100 >= asked * 80, "{first} of {asked} first");
    assert!(
        among_five * 100 >= asked * 96,
        "{among_five} of {asked} among five"
    );
}
