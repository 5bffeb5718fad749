//! Both sides changed a field: who decides, and what it comes to.

use serde_json::json;
use stayzr_core::{model::ChangeOutcome, transform::EntityKind::Guest};

use crate::{
    guard::{edit, email, vendors},
    hotel::Hotel,
};

async fn both_changed(strategy: &str) -> Hotel {
    let hotel = Hotel::with_settings(json!({
        "conflicts": {"guest": {"strategy": strategy}}
    }))
    .await;
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    hotel.vendor.take_calls();
    edit(&hotel, json!({"email": "ours@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "theirs@example.com"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;
    hotel
}

#[tokio::test]
async fn invariant_b_both_changed_and_ours_wins() {
    let hotel = both_changed("LOCAL_WINS").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    let journal = hotel.journal(Guest, "ada").await;
    let refused = journal
        .iter()
        .find(|line| line.outcome == ChangeOutcome::Refused)
        .expect("the vendor's value is journalled");
    assert_eq!(refused.new, Some(json!("theirs@example.com")));
    assert_eq!(refused.old, Some(json!("ours@example.com")));
    assert_eq!(refused.base, Some(json!("Ada@Example.com")));
}

#[tokio::test]
async fn invariant_b_both_changed_and_the_vendor_wins() {
    let hotel = both_changed("REMOTE_WINS").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("theirs@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert!(hotel.vendor.pushes().is_empty());
    let journal = hotel.journal(Guest, "ada").await;
    assert!(
        journal
            .iter()
            .any(|line| line.old == Some(json!("ours@example.com"))
                && line.new == Some(json!("theirs@example.com"))),
        "our value can be restored"
    );
}

#[tokio::test]
async fn invariant_b_both_changed_and_a_person_decides() {
    let hotel = both_changed("MANUAL_REVIEW").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert!(
        hotel.vendor.pushes().is_empty(),
        "nothing is sent meanwhile"
    );

    // Other fields go on, and the conflict is not raised again.
    let lines = hotel.journal(Guest, "ada").await.len();
    edit(&hotel, json!({"notes": "Prefers tea"})).await;
    hotel.drain().await;
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Prefers tea")));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert_eq!(hotel.journal(Guest, "ada").await.len(), lines + 1);
}

#[tokio::test]
async fn invariant_b_lists_are_united() {
    let hotel = Hotel::synchronised().await;
    edit(
        &hotel,
        json!({"classifications": ["Returning", "VeryImportant"]}),
    )
    .await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"classifications": ["Media", "Returning"]}),
    );

    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let row = hotel.row(Guest, "ada").await;
    let ours = row.fields.get("classifications").cloned();
    let mut united: Vec<String> = serde_json::from_value(ours.clone().unwrap()).unwrap();
    united.sort_unstable();
    assert_eq!(united, ["Media", "Returning", "VeryImportant"]);
    assert_eq!(vendors(&hotel, "classifications"), ours);
}

#[tokio::test]
async fn invariant_b_both_changed_to_the_same_value_converge() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "same@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "same@example.com"}));

    hotel.drain().await;

    assert!(hotel.vendor.pushes().is_empty());
    let mapping = hotel.mapping(Guest, "ada").await;
    assert_eq!(mapping.base.text("email"), Some("same@example.com"));
}
