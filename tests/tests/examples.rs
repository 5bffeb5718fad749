//! The examples run alone and print what their documentation promises.

use std::process::{Command, Stdio};

use stayzr_tests::process::build;

/// What an example prints; it must end by itself and well.
fn run(name: &str) -> String {
    let output = Command::new(build("stayzr-examples", name))
        .stdin(Stdio::null())
        .output()
        .expect("the example starts");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("an example prints text")
}

/// Asserts that the output holds these texts, in this order.
fn assert_told(output: &str, texts: &[&str]) {
    let mut rest = output;
    for text in texts {
        let Some((_, after)) = rest.split_once(text) else {
            panic!("{text:?} is missing, or not in its place:\n{output}");
        };
        rest = after;
    }
}

#[test]
fn merge_three_ways_keeps_both_sides_changes() {
    assert_told(
        &run("merge_three_ways"),
        &[
            "set here:",
            r#"classifications = ["Media","Returning","VeryImportant"]"#,
            r#"email = "ana.silva@example.com""#,
            "set at the PMS:",
            r#"last_name = "Silva""#,
            r#"phone = "+351 91 111 1111""#,
            "not taken",
            r#"phone = "+351 91 222 2222""#,
            "to decide:",
            "notes:",
            "merged again: 0 to set here, 0 to set at the PMS",
        ],
    );
}

#[test]
fn receive_webhooks_stores_what_is_authentic_without_the_card() {
    let output = run("receive_webhooks");
    assert_told(
        &output,
        &[
            "forged:  401",
            "signed:  200",
            "waiting: 1 delivery",
            "Ana Silva to 106540352242922: Late check-out, please.",
        ],
    );
    assert!(!output.contains("4111"), "{output}");
}

#[test]
fn axum_webhooks_takes_the_receiver_as_a_service_and_in_a_handler() {
    assert_told(
        &run("axum_webhooks"),
        &[
            "whatsapp: 200",
            "stripe:   200",
            "stripe:   400",
            "waiting:  2 deliveries",
        ],
    );
}

#[test]
fn ask_the_hotel_quotes_its_documents_and_hands_over() {
    assert_told(
        &run("ask_the_hotel"),
        &[
            "07:00 to 10:30",
            "[breakfast.md]",
            "EUR 0.45 per kWh",
            "[parking.md]",
            "HandedOff",
        ],
    );
}

#[test]
fn sync_a_hotel_pushes_a_correction_that_does_not_echo() {
    assert_told(
        &run("sync_a_hotel"),
        &[
            " new, ",
            ", 0 new, 0 changed",
            r#"at the PMS: "+351 912 345 678""#,
            ", 0 new, 0 changed",
        ],
    );
}
