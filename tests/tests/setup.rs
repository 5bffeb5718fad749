//! A real hotel set up from nothing with the command line, and what a wrong start says.

use stayzr_pms::sandbox::{MewsSandbox, SandboxOptions};
use stayzr_tests::{
    client::{Api, eventually, http},
    command::{json, refused, text},
    process::{Server, run},
    servers::TestDatabase,
};

async fn a_hotel_from_nothing(store: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data").display().to_string();
    let vendor = MewsSandbox::start(SandboxOptions::default())
        .await
        .expect("the sandbox starts");
    let mut environment = vec![
        ("STAYZR__SERVER__DATA_DIR", data.as_str()),
        ("STAYZR__CHANNELS__WHATSAPP__APP_SECRET", "an app secret"),
        ("STAYZR__CHANNELS__WHATSAPP__VERIFY_TOKEN", "a verify token"),
        ("STAYZR_MEWS_CLIENT_TOKEN", "sandbox-client-token"),
        ("STAYZR_MEWS_ACCESS_TOKEN", "sandbox-access-token"),
        ("STAYZR_WHATSAPP_ACCESS_TOKEN", "an access token"),
    ];
    environment.extend(store);

    let organization = json(&["init", "Aurelia Collection", "--json"], &environment);
    let token = text(&organization["api_token"]);
    let again = run(&["init", "Another", "--json"], &environment);
    assert_eq!(
        again.status.code(),
        Some(1),
        "a second organization needs to be asked for"
    );

    let property = json(
        &[
            "property",
            "add",
            "Aurelia Porto",
            "--time-zone",
            "Europe/Lisbon",
            "--currency",
            "EUR",
            "--country",
            "PT",
            "--json",
        ],
        &environment,
    );

    // The vendor is asked before anything is saved.
    let base = vendor.base_url().to_owned();
    let add = [
        "integration",
        "add",
        "mews",
        "--property",
        "Aurelia Porto",
        "--base-url",
        &base,
        "--json",
    ];
    let mut wrong = environment.clone();
    wrong.retain(|(name, _)| *name != "STAYZR_MEWS_ACCESS_TOKEN");
    wrong.push(("STAYZR_MEWS_ACCESS_TOKEN", "not-the-token"));
    let said = refused(&add, &wrong, "unauthorized");
    assert!(!said.contains("not-the-token"), "{said}");
    let none = json(&["integration", "list", "--json"], &environment);
    assert_eq!(
        none["items"].as_array().or(none.as_array()).map(Vec::len),
        Some(0),
        "{none}"
    );

    let integration = json(&add, &environment);
    assert!(
        !integration.to_string().contains("sandbox-access-token"),
        "{integration}"
    );
    json(
        &[
            "channel",
            "add",
            "whatsapp",
            "--property",
            "Aurelia Porto",
            "--phone-number-id",
            "106540352242922",
            "--json",
        ],
        &environment,
    );
    let check = json(&["check", "--json"], &environment);
    assert_eq!(check["ok"], true, "{check}");

    let server = Server::start(&environment);
    let api = Api {
        http: http(),
        base: server.base.clone(),
        token,
    };
    let id = text(&property["id"]);
    let rooms = eventually("the first synchronisation", async || {
        let integration = text(&api.get("/api/v1/integrations").await["items"][0]["id"]);
        let runs = api
            .get(&format!("/api/v1/integrations/{integration}/runs"))
            .await;
        let done = runs["items"]
            .as_array()?
            .iter()
            .any(|run| run["status"] == "completed");
        if !done {
            return None;
        }
        Some(api.all(&format!("/api/v1/rooms?property_id={id}")).await)
    })
    .await;
    assert_eq!(rooms.len(), 40);
    let ready = api.get("/ready").await;
    assert!(ready.to_string().contains("store"), "{ready}");
    let metrics = api.get("/metrics").await;
    assert!(
        metrics
            .as_str()
            .is_some_and(|text| text.contains("stayzr_")),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_from_nothing_on_sqlite() {
    a_hotel_from_nothing(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_from_nothing_on_postgres() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let url = database.url();
    a_hotel_from_nothing(&[("STAYZR__STORE__URL", &url)]).await;
    database.drop_database().await;
}

#[test]
fn a_wrong_start_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data").display().to_string();
    let data = ("STAYZR__SERVER__DATA_DIR", data.as_str());

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("a bound address").to_string();
    refused(&["serve", "--listen", &address], &[data], "port_in_use");

    // Nobody, not even root, makes folders there.
    let unwritable = ("STAYZR__SERVER__DATA_DIR", "/proc/stayzr");
    refused(
        &["serve", "--listen", "127.0.0.1:0"],
        &[unwritable],
        "data_dir_not_writable",
    );

    let unreachable = ("STAYZR__STORE__URL", "postgres://nobody@127.0.0.1:9/stayzr");
    refused(
        &["serve", "--listen", "127.0.0.1:0"],
        &[data, unreachable],
        "unavailable",
    );

    let said = refused(
        &["serve"],
        &[data, ("STAYZR__SERVER__LISTNE", "127.0.0.1:0")],
        "unknown_key",
    );
    assert!(said.contains("STAYZR__SERVER__LISTEN"), "{said}");

    let wrong_use = run(&["serve", "--port", "1"], &[data]);
    assert_eq!(wrong_use.status.code(), Some(2));
}

#[tokio::test]
async fn a_missing_database_says_how_to_make_it() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let url = database.url();
    database.drop_database().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data").display().to_string();
    let said = refused(
        &["serve", "--listen", "127.0.0.1:0"],
        &[
            ("STAYZR__SERVER__DATA_DIR", &data),
            ("STAYZR__STORE__URL", &url),
        ],
        "not_found",
    );
    assert!(said.contains("create database"), "{said}");
}
