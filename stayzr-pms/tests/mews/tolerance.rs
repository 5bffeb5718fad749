//! Records that are odd are kept, records that cannot be are put aside, and the rest goes on.

use serde_json::json;
use stayzr_core::{model::ExternalRef, transform::EntityKind};
use stayzr_pms::PmsProvider;

use crate::common::{Desk, all, id, one, provider, sandbox};

#[tokio::test]
async fn invariant_u_unknown_values_and_fields_survive() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    desk.patch(
        &format!("reservations/{}", id(&booked)),
        json!({"State": "Teleported", "Origin": "Hologram", "Purpose": "Quest",
               "BrandNew": {"Deep": [1, 2]}, "AccountType": "Robot"}),
    )
    .await;
    let read = one(&provider, EntityKind::Reservation, &id(&booked))
        .await
        .unwrap();
    assert_eq!(read.fields.text("status"), Some("unknown"));
    assert_eq!(read.fields.text("status_vendor"), Some("Teleported"));
    assert_eq!(read.fields.text("origin"), Some("Hologram"));
    assert_eq!(read.extra["BrandNew"], json!({"Deep": [1, 2]}));
    assert_eq!(read.extra["AccountType"], "Robot");
    assert_eq!(read.links["guest_id"], None);

    let room = desk.get("rooms").await[0].clone();
    desk.patch(&format!("rooms/{}", id(&room)), json!({"State": "Haunted"}))
        .await;
    let read = one(&provider, EntityKind::Room, &id(&room)).await.unwrap();
    assert_eq!(read.fields.text("condition"), Some("unknown"));
    assert_eq!(read.fields.text("condition_vendor"), Some("Haunted"));
}

fn unknown(record: &stayzr_pms::RemoteRecord) -> Vec<(&str, &str)> {
    let named = record.unknown.iter();
    named
        .map(|unknown| (unknown.field.as_str(), unknown.value.as_str()))
        .collect()
}

#[tokio::test]
async fn invariant_u_every_word_mews_did_not_document_is_reported_and_nothing_is_put_aside() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    for kind in provider.capabilities().read.clone() {
        let page = all(&provider, kind, None).await;
        for record in &page.records {
            assert_eq!(record.unknown, [], "what is documented is known");
        }
    }
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    let room = desk.get("rooms").await[0].clone();
    let guest = desk.get("guests").await[0].clone();
    let note = json!({"OrderId": id(&booked), "Text": "x", "Type": "Omen"});
    let (_, note) = desk.post("notes", note).await;
    desk.patch(
        &format!("reservations/{}", id(&booked)),
        json!({"State": "Teleported", "AccountType": "Robot", "Origin": "Hologram",
               "CommanderOrigin": 7, "CancellationReason": {"Why": 1}, "Purpose": "Quest"}),
    )
    .await;
    desk.patch(
        &format!("rooms/{}", id(&room)),
        json!({"State": 3, "Data": {"Discriminator": "Cloud", "Value": null}}),
    )
    .await;
    desk.patch(
        &format!("guests/{}", id(&guest)),
        json!({"Title": ["Dr", "Prof"], "Sex": "Other", "Classifications": ["Media", "Sings", 5],
               "Options": ["None", "SendPigeons"], "ActivityState": "Dormant"}),
    )
    .await;

    let read = async |kind, id: &str| one(&provider, kind, id).await.unwrap();
    let reservation = read(EntityKind::Reservation, &id(&booked)).await;
    assert_eq!(
        unknown(&reservation),
        [
            ("State", "Teleported"),
            ("AccountType", "Robot"),
            ("Origin", "Hologram"),
            ("CommanderOrigin", "7"),
            ("CancellationReason", r#"{"Why":1}"#),
            ("Purpose", "Quest"),
        ]
    );
    let room = read(EntityKind::Room, &id(&room)).await;
    assert_eq!(
        unknown(&room),
        [("State", "3"), ("Data.Discriminator", "Cloud")]
    );
    assert_eq!(room.fields.text("condition"), Some("unknown"));
    let guest = read(EntityKind::Guest, &id(&guest)).await;
    assert_eq!(
        unknown(&guest),
        [
            ("Title", "Dr"),
            ("Title", "Prof"),
            ("Sex", "Other"),
            ("Classifications", "Sings"),
            ("Classifications", "5"),
            ("Options", "SendPigeons"),
            ("ActivityState", "Dormant"),
        ]
    );
    // Mews gives only the types of notes that are asked for: another one comes with a write.
    let asked = all(&provider, EntityKind::Note, None).await;
    assert!(
        asked
            .records
            .iter()
            .all(|one| !one.external_id.ends_with(&id(&note)))
    );
    let body = json!({"ServiceOrderNotes": [note]});
    let reading = stayzr_pms::providers::mews::read_body("serviceOrderNotes.add", &body).unwrap();
    assert_eq!(unknown(&reading.page.records[0]), [("Type", "Omen")]);
    assert_eq!(
        reading.page.records[0].fields.text("kind_vendor"),
        Some("Omen")
    );
}

#[tokio::test]
async fn records_without_an_id_are_put_aside_each_and_the_page_goes_on() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let before = all(&provider, EntityKind::Guest, None).await.records.len();
    let guests = desk.get("guests").await;
    for (guest, id_now) in [(&guests[0], json!(null)), (&guests[1], json!(" "))] {
        desk.patch(&format!("guests/{}", id(guest)), json!({"Id": id_now}))
            .await;
    }
    let room = desk.get("rooms").await[0].clone();
    desk.patch(&format!("rooms/{}", id(&room)), json!({"Id": null}))
        .await;

    let page = all(&provider, EntityKind::Guest, None).await;
    assert_eq!(page.records.len(), before - 2);
    let mut reasons: Vec<&str> = page
        .parked
        .iter()
        .map(|parked| {
            assert_eq!(parked.external_id, None);
            parked.reason.as_str()
        })
        .collect();
    reasons.sort_unstable();
    let number = &guests[0]["Number"];
    let missing = format!("Id: is missing, of the record with Number {number}");
    assert_eq!(reasons, ["Id: is empty", &missing]);
    let rooms = all(&provider, EntityKind::Room, None).await;
    assert_eq!((rooms.records.len(), rooms.parked.len()), (39, 1));
}

#[tokio::test]
async fn a_record_that_cannot_be_is_parked_with_its_field_and_the_rest_goes_on() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let before = all(&provider, EntityKind::Reservation, None).await;
    assert_eq!(before.parked, []);
    let bad = [
        (
            json!({"ScheduledEndUtc": "2001-01-01T00:00:00Z"}),
            "ScheduledEndUtc: is before",
        ),
        (
            json!({"ScheduledStartUtc": null, "StartUtc": null}),
            "ScheduledStartUtc: is missing",
        ),
        (json!({"Number": {"a": 1}}), "Number: "),
        (
            json!({"PersonCounts": [{"AgeCategoryId": "x", "Count": -3}]}),
            "PersonCounts: ",
        ),
        (
            json!({"ScheduledStartUtc": "tomorrow"}),
            "ScheduledStartUtc: ",
        ),
    ];
    for ((fields, _), record) in bad.iter().zip(&before.records) {
        desk.patch(
            &format!("reservations/{}", record.external_id),
            fields.clone(),
        )
        .await;
    }
    let after = all(&provider, EntityKind::Reservation, None).await;
    assert_eq!(after.records.len(), before.records.len() - bad.len());
    assert_eq!(after.parked.len(), bad.len());
    for ((_, reason), record) in bad.iter().zip(&before.records) {
        let parked = after
            .parked
            .iter()
            .find(|parked| parked.external_id.as_ref() == Some(&record.external_id))
            .unwrap();
        assert!(parked.reason.starts_with(reason), "{}", parked.reason);
    }
}

#[tokio::test]
async fn a_company_owns_a_reservation_and_a_no_show_is_a_reason() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    let path = format!("reservations/{}", id(&booked));
    desk.patch(
        &path,
        json!({"AccountType": "Company", "State": "Canceled", "CancellationReason": "NoShow"}),
    )
    .await;
    let read = one(&provider, EntityKind::Reservation, &id(&booked))
        .await
        .unwrap();
    assert_eq!(read.links["guest_id"], None);
    assert_eq!(read.extra["AccountId"], booked["AccountId"]);
    assert_eq!(read.fields.text("status"), Some("no_show"));
    assert_eq!(read.fields.text("status_vendor"), Some("Canceled"));
}

#[tokio::test]
async fn a_merged_guest_names_where_it_went_and_an_odd_language_is_kept_aside() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guests = desk.get("guests").await;
    let (gone, stays) = (id(&guests[0]), id(&guests[1]));
    desk.patch(
        &format!("guests/{gone}"),
        json!({"MergeTargetId": stays, "IsActive": false, "PreferredLanguageCode": "Klingon!",
               "LanguageCode": null, "Notes": "  "}),
    )
    .await;
    let read = one(&provider, EntityKind::Guest, &gone).await.unwrap();
    assert_eq!(read.merged_into.as_deref(), Some(stays.as_str()));
    assert_eq!(read.fields.get("active"), Some(&json!(false)));
    assert_eq!(read.fields.get("language"), Some(&json!(null)));
    assert_eq!(read.fields.get("notes"), Some(&json!(null)));
    assert_eq!(read.extra["PreferredLanguageCode"], "Klingon!");
    assert!(!read.fields.contains("origin"), "the engine sets it");
}

#[tokio::test]
async fn rooms_link_to_their_type_and_reservations_to_guest_type_and_room() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let types = all(&provider, EntityKind::RoomType, None).await;
    assert_eq!(types.records.len(), 5);
    let rooms = all(&provider, EntityKind::Room, None).await;
    assert_eq!(rooms.records.len(), 40);
    for room in &rooms.records {
        let link = room.links["room_type_id"].as_ref().unwrap();
        assert!(types.records.iter().any(|kind| kind.external_id == link.id));
    }
    let stay = desk.reservation(|one| one["State"] == "Started").await;
    let read = one(&provider, EntityKind::Reservation, &id(&stay))
        .await
        .unwrap();
    for (field, kind, key) in [
        ("guest_id", EntityKind::Guest, "AccountId"),
        (
            "room_type_id",
            EntityKind::RoomType,
            "RequestedResourceCategoryId",
        ),
        ("room_id", EntityKind::Room, "AssignedResourceId"),
    ] {
        let link = ExternalRef {
            kind,
            id: stay[key].as_str().unwrap().to_owned(),
        };
        assert_eq!(read.links[field], Some(link), "{field}");
    }
    assert_eq!(read.fields.text("status"), Some("in_house"));
    let property = all(&provider, EntityKind::Property, None).await;
    let fields = &property.records[0].fields;
    assert_eq!(fields.text("check_in"), Some("15:00"));
    assert_eq!(fields.text("check_out"), Some("11:00"));
    assert_eq!(fields.text("currency"), Some("EUR"));
    assert!(!fields.contains("languages"), "languages are ours");
}
