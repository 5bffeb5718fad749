//! What two sides say of one record, as the people who run the product meet it: the plan, the
//! conflict, the decision, the journal, and what is done when the vendor loses records. The built
//! command and its server against a vendor's sandbox, on SQLite and on PostgreSQL.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stayzr_pms::sandbox::{MewsSandbox, SandboxOptions};
use stayzr_tests::{
    client::{Api, eventually, http},
    command::{json, printed, refused, text},
    process::Server,
    servers::TestDatabase,
};

/// A hotel and its vendor, with an organization beside it that is none of its business.
struct Walk<'e> {
    environment: &'e [(&'e str, &'e str)],
    vendor: MewsSandbox,
    api: Api,
    other: Api,
    integration: String,
}

impl Walk<'_> {
    fn cli(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--organization", "Aurelia Collection", "--json"]);
        json(&all, self.environment)
    }

    fn run(&self, words: &[&str]) -> Value {
        let mut args = vec!["sync"];
        args.extend(words);
        args.extend(["--integration", self.integration.as_str()]);
        self.cli(&args)
    }

    async fn sandbox(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{path}", self.vendor.base_url());
        let mut request = self.api.http.request(method, &url);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.expect("the sandbox answers");
        let status = response.status();
        let body = response.text().await.expect("the body arrives");
        assert!(status.is_success(), "{url}: {status} {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    async fn at_the_vendor(&self, guest: &Guest, change: Value) {
        let path = format!("guests/{}", guest.there);
        self.sandbox(Method::PATCH, &path, Some(change)).await;
    }

    /// A guest with a reservation.
    async fn guest(&self, nth: usize) -> Guest {
        let reservations = self.api.all("/api/v1/reservations").await;
        let mut ids: Vec<String> = reservations
            .iter()
            .filter_map(|stay| stay["guest_id"].as_str().map(str::to_owned))
            .collect();
        ids.sort();
        ids.dedup();
        let id = ids[nth].clone();
        let path = format!("/api/v1/guests/{id}");
        let row = self.api.get(&path).await;
        let there = text(&row["external_refs"][0]["id"]);
        Guest { id, path, there }
    }

    async fn refusal(&self, api: &Api, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, said) = api.call(method, path, Some(body)).await;
        (status.as_u16(), said)
    }

    async fn conflicts(&self) -> Vec<Value> {
        self.api.all("/api/v1/conflicts").await
    }
}

struct Guest {
    id: String,
    path: String,
    there: String,
}

fn property(name: &str, environment: &[(&str, &str)]) {
    let mut args = vec!["property", "add", name, "--json"];
    args.extend(["--time-zone", "Europe/Lisbon", "--currency", "EUR"]);
    args.extend(["--organization", "Aurelia Collection"]);
    json(&args, environment);
}

async fn the_walk(store: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data").display().to_string();
    let vendor = MewsSandbox::start(SandboxOptions::default())
        .await
        .expect("the sandbox starts");
    let mut environment = vec![
        ("STAYZR__SERVER__DATA_DIR", data.as_str()),
        ("STAYZR_MEWS_CLIENT_TOKEN", "sandbox-client-token"),
        ("STAYZR_MEWS_ACCESS_TOKEN", "sandbox-access-token"),
    ];
    environment.extend(store);
    let first = json(&["init", "Aurelia Collection", "--json"], &environment);
    let second = ["init", "Northwind Stays", "--another", "--json"];
    let second = json(&second, &environment);
    property("Aurelia Porto", &environment);
    let base = vendor.base_url().to_owned();
    let mut add = vec!["integration", "add", "mews", "--property", "Aurelia Porto"];
    add.extend(["--base-url", &base, "--webhook", "poll", "--json"]);
    add.extend(["--organization", "Aurelia Collection"]);
    let integration = json(&add, &environment);

    // This server answers and does nothing by itself, so that each step is taken here.
    let mut idle = environment.clone();
    idle.push(("STAYZR__WORKERS__ENABLED", "false"));
    let server = Server::start(&idle);
    let api = |token: &Value| Api {
        http: http(),
        base: server.base.clone(),
        token: text(token),
    };
    let walk = Walk {
        environment: &environment,
        vendor,
        api: api(&first["api_token"]),
        other: api(&second["api_token"]),
        integration: text(&integration["id"]),
    };

    people_decide_about_guests(&walk).await;
    let made = walk.run(&["run", "--mode", "backfill"]);
    assert!(made["created"].as_i64() > Some(100), "{made}");
    let guest = walk.guest(0).await;
    a_plan_writes_nothing(&walk, &guest).await;
    invariant_b_a_stale_read_takes_nothing_back(&walk).await;
    let conflict = both_sides_stand_side_by_side(&walk, &guest).await;
    invariant_t_a_conflict_is_its_organizations(&walk, &guest, &conflict).await;
    a_decision_must_fit(&walk, &conflict).await;
    let working = Server::start(&environment);
    a_decision_reaches_the_vendor_and_the_journal(&walk, &guest, &conflict).await;
    the_losing_value_comes_back(&walk, &guest).await;
    the_front_desk_writes_notes_and_guests(&walk).await;
    too_many_missing_records_wait_for_a_person(&walk).await;
    runs_and_conflicts_are_counted(&working).await;
}

async fn people_decide_about_guests(walk: &Walk<'_>) {
    let path = "/api/v1/provider-configs/mews";
    let empty = walk.api.get(path).await;
    assert_eq!(
        (&empty["version"], &empty["config"]),
        (&json!(0), &json!({}))
    );
    let wrong = json!({"conflicts": {"guest": {"fields": {"nickname": "LOCAL_WINS"}}}});
    let (status, said) = walk.refusal(&walk.api, Method::PUT, path, wrong).await;
    assert_eq!(status, 400, "{said}");
    assert!(
        said["detail"]
            .to_string()
            .contains("conflicts.guest.fields.nickname"),
        "{said}"
    );
    // Nobody reads or pushes before this test asks for it.
    let config = json!({
        "sync_interval_seconds": 86_400,
        "conflicts": {"guest": {"strategy": "MANUAL_REVIEW", "fields": {"notes": "REMOTE_WINS"}}},
    });
    let (status, stored) = walk.api.call(Method::PUT, path, Some(config.clone())).await;
    assert_eq!(status, StatusCode::OK, "{stored}");
    assert_eq!(
        (&stored["version"], &stored["config"]),
        (&json!(1), &config)
    );
    for (version, expected) in [("0", 409), ("one", 400), ("1", 200), ("1", 409)] {
        let seen = format!("{path}?version={version}");
        let body = config.clone();
        let (status, said) = walk.refusal(&walk.api, Method::PUT, &seen, body).await;
        assert_eq!(status, expected, "over version {version}: {said}");
    }
    let shown = walk.cli(&["provider", "config", "show", "mews"]);
    assert_eq!(shown["config"], config);
    let others = walk.other.get(path).await;
    assert_eq!(
        others["config"],
        json!({}),
        "a document is its organization's"
    );
}

async fn a_plan_writes_nothing(walk: &Walk<'_>, guest: &Guest) {
    let (status, edited) = walk
        .api
        .call(
            Method::PATCH,
            &guest.path,
            Some(json!({"phone": "+351 912 000 001"})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let there = json!({"Phone": "+351 912 000 002", "LoyaltyCode": "AURELIA-2"});
    walk.at_the_vendor(guest, there).await;

    let runs = format!("/api/v1/integrations/{}/runs", walk.integration);
    let state = async || {
        (
            walk.api.get(&guest.path).await,
            walk.api.get("/api/v1/changes?limit=1000").await,
            walk.api.all("/api/v1/conflicts?status=all").await,
            walk.api.get(&runs).await,
        )
    };
    let before = state().await;
    let plan = walk.run(&["plan"]);
    assert!(plan.to_string().contains("+351 912 000 002"), "{plan}");
    assert!(plan.to_string().contains("conflict"), "{plan}");
    let path = format!(
        "/api/v1/integrations/{}/plan?mode=incremental",
        walk.integration
    );
    let same = walk.api.get(&path).await;
    assert!(same.to_string().contains("+351 912 000 002"), "{same}");
    let table = printed(
        &[
            "sync",
            "plan",
            "--integration",
            &walk.integration,
            "--organization",
            "Aurelia Collection",
        ],
        walk.environment,
    );
    assert!(table.contains("phone") && table.contains("→"), "{table}");
    assert_eq!(state().await, before, "a plan wrote something");
}

async fn invariant_b_a_stale_read_takes_nothing_back(walk: &Walk<'_>) {
    let guest = walk.guest(1).await;
    walk.at_the_vendor(&guest, json!({"Notes": "Arrives by train."}))
        .await;
    let (status, edited) = walk
        .api
        .call(
            Method::PATCH,
            &guest.path,
            Some(json!({"phone": "+351 912 000 011"})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let stale = json!({"kind": "stale_read", "operation": "customers/getAll", "count": 100});
    walk.sandbox(Method::POST, "faults", Some(stale)).await;
    walk.run(&["run"]);
    walk.sandbox(Method::DELETE, "faults", None).await;
    let row = walk.api.get(&guest.path).await;
    assert_eq!(
        row["phone"], "+351 912 000 011",
        "a stale read took an edit back"
    );
    assert!(walk.conflicts().await.is_empty(), "a stale read is no news");

    walk.run(&["run"]);
    let row = walk.api.get(&guest.path).await;
    assert_eq!(row["notes"], "Arrives by train.");
    assert_eq!(row["phone"], "+351 912 000 011");
}

/// The conflict that the reads before opened; a later change at the vendor and a later edit here
/// are the same conflict.
async fn both_sides_stand_side_by_side(walk: &Walk<'_>, guest: &Guest) -> String {
    let open = walk.conflicts().await;
    assert_eq!(open.len(), 1, "{open:?}");
    let conflict = &open[0];
    let id = text(&conflict["id"]);
    assert_eq!(conflict["entity"], "guest");
    assert_eq!(conflict["entity_id"], json!(guest.id));
    assert_eq!(conflict["external_refs"][0]["id"], json!(guest.there));
    assert_eq!(conflict["local"]["phone"], "+351 912 000 001");
    assert_eq!(conflict["remote"]["phone"], "+351 912 000 002");
    assert_eq!(conflict["waiting"]["loyalty_code"], "AURELIA-2");
    let row = walk.api.get(&guest.path).await;
    let name = format!("{} {}", text(&row["first_name"]), text(&row["last_name"]));
    assert_eq!(conflict["name"], json!(name));
    assert_eq!(row["phone"], "+351 912 000 001", "the row stays as it is");

    walk.at_the_vendor(guest, json!({"Phone": "+351 912 000 003"}))
        .await;
    walk.run(&["run"]);
    let edit = json!({"phone": "+351 912 000 004"});
    let (status, edited) = walk.api.call(Method::PATCH, &guest.path, Some(edit)).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let open = walk.conflicts().await;
    assert_eq!(
        open.len(),
        1,
        "a later change is no second conflict: {open:?}"
    );
    assert_eq!(open[0]["id"], json!(id));
    let shown = walk.cli(&["conflict", "show", &id]);
    let sides = &shown["fields"][0];
    assert_eq!(sides["field"], "phone");
    assert_eq!(sides["local"], "+351 912 000 004", "what stands here now");
    assert_eq!(sides["remote"], "+351 912 000 003", "what stands there now");
    let table = printed(
        &[
            "conflict",
            "show",
            &id,
            "--organization",
            "Aurelia Collection",
        ],
        walk.environment,
    );
    for word in [
        "BASE",
        "LOCAL",
        "REMOTE",
        "+351 912 000 003",
        "loyalty_code",
    ] {
        assert!(table.contains(word), "{table}");
    }
    id
}

async fn invariant_t_a_conflict_is_its_organizations(
    walk: &Walk<'_>,
    guest: &Guest,
    conflict: &str,
) {
    assert!(
        walk.other
            .all("/api/v1/conflicts?status=all")
            .await
            .is_empty()
    );
    assert!(walk.other.all("/api/v1/changes").await.is_empty());
    assert!(walk.other.all("/api/v1/notes").await.is_empty());
    let change = walk.api.get(&format!("{}/changes", guest.path)).await;
    let change = text(&change["items"][0]["id"]);
    let stay = text(&walk.api.all("/api/v1/reservations").await[0]["id"]);
    let integration = &walk.integration;
    for (method, path, body) in [
        (Method::GET, format!("conflicts/{conflict}"), Value::Null),
        (
            Method::POST,
            format!("conflicts/{conflict}/resolve"),
            json!({"choice": "remote"}),
        ),
        (
            Method::GET,
            format!("guests/{}/changes", guest.id),
            Value::Null,
        ),
        (
            Method::POST,
            format!("guests/{}/changes/{change}/restore", guest.id),
            Value::Null,
        ),
        (
            Method::GET,
            format!("reservations/{stay}/notes"),
            Value::Null,
        ),
        (
            Method::POST,
            format!("reservations/{stay}/notes"),
            json!({"text": "mine"}),
        ),
        (
            Method::GET,
            format!("integrations/{integration}/plan"),
            Value::Null,
        ),
        (
            Method::POST,
            format!("integrations/{integration}/sync"),
            json!({"mode": "reconcile", "accept_missing": true}),
        ),
        (
            Method::GET,
            format!("integrations/{integration}/runs"),
            Value::Null,
        ),
    ] {
        let body = (!body.is_null()).then_some(body);
        let path = format!("/api/v1/{path}");
        let (status, said) = walk.other.call(method, &path, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {said}");
        assert_eq!(said["code"], "not_found", "{path}");
    }
}

async fn a_decision_must_fit(walk: &Walk<'_>, conflict: &str) {
    let path = format!("/api/v1/conflicts/{conflict}/resolve");
    for (body, word) in [
        (json!({"choice": "fields", "fields": {}}), "phone"),
        (
            json!({"choice": "fields", "fields": {"email": "local"}}),
            "email",
        ),
        (json!({"choice": "both"}), "choice"),
        (
            json!({"choice": "local", "fields": {"phone": "remote"}}),
            "fields",
        ),
    ] {
        let (status, said) = walk.refusal(&walk.api, Method::POST, &path, body).await;
        assert!(status == 400 || status == 422, "{status} {said}");
        assert!(said["detail"].to_string().contains(word), "{said}");
    }
    let stale = json!({"choice": "local", "revision": 0});
    let (status, said) = walk.refusal(&walk.api, Method::POST, &path, stale).await;
    assert_eq!(status, 409, "{said}");
    assert_eq!(walk.conflicts().await.len(), 1, "nothing of it was done");
}

async fn a_decision_reaches_the_vendor_and_the_journal(
    walk: &Walk<'_>,
    guest: &Guest,
    conflict: &str,
) {
    let path = format!("/api/v1/conflicts/{conflict}/resolve");
    let decision = json!({"choice": "fields", "fields": {"phone": "local"}});
    let (status, resolved) = walk
        .api
        .call(Method::POST, &path, Some(decision.clone()))
        .await;
    assert_eq!(status, StatusCode::OK, "{resolved}");
    assert_eq!(resolved["status"], "resolved");
    assert_eq!(
        resolved["resolution"]["fields"]["phone"],
        "+351 912 000 004"
    );
    let (status, said) = walk.refusal(&walk.api, Method::POST, &path, decision).await;
    assert_eq!(status, 409, "decided twice: {said}");

    eventually("the decision at the vendor", async || {
        let there = format!("guests/{}", guest.there);
        let record = walk.sandbox(Method::GET, &there, None).await;
        (record["Phone"] == "+351 912 000 004").then_some(())
    })
    .await;
    let row = walk.api.get(&guest.path).await;
    assert_eq!(row["loyalty_code"], "AURELIA-2", "what waited came with it");
    assert!(walk.conflicts().await.is_empty());
    let over = walk.api.all("/api/v1/conflicts?status=resolved").await;
    assert_eq!(over[0]["id"], json!(conflict));
    let lines = walk
        .api
        .get(&format!("{}/changes?outcome=refused", guest.path))
        .await;
    let lost = lines["items"].as_array().expect("items");
    assert!(
        lost.iter().any(|line| line["new"] == "+351 912 000 003"),
        "the losing value is in the journal: {lines}"
    );
}

async fn the_losing_value_comes_back(walk: &Walk<'_>, guest: &Guest) {
    let path = format!("{}/changes", guest.path);
    let lines = walk.api.all(&format!("{path}?outcome=refused")).await;
    let lost = lines
        .iter()
        .find(|line| line["new"] == "+351 912 000 003")
        .expect("the losing value");
    let restore = format!("{path}/{}/restore", text(&lost["id"]));
    let (status, row) = walk.api.call(Method::POST, &restore, None).await;
    assert_eq!(status, StatusCode::OK, "{row}");
    assert_eq!(row["phone"], "+351 912 000 003");
    eventually("the restored value at the vendor", async || {
        let there = format!("guests/{}", guest.there);
        let record = walk.sandbox(Method::GET, &there, None).await;
        (record["Phone"] == "+351 912 000 003").then_some(())
    })
    .await;
    let newest = &walk.api.get(&path).await["items"][0];
    assert_eq!(newest["source"]["kind"], "staff", "{newest}");
    let listed = walk.cli(&["change", "list", "--entity", "guest", "--id", &guest.id]);
    assert_eq!(listed["items"][0]["id"], newest["id"]);
}

async fn the_front_desk_writes_notes_and_guests(walk: &Walk<'_>) {
    let stay = text(&walk.api.all("/api/v1/reservations").await[0]["id"]);
    let path = format!("/api/v1/reservations/{stay}/notes");
    let note = json!({"text": "Wants a cot.", "kind": "special_request"});
    let (status, made) = walk.api.call(Method::POST, &path, Some(note)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let item = format!("/api/v1/notes/{}", text(&made["id"]));
    let (status, changed) = walk
        .api
        .call(
            Method::PATCH,
            &item,
            Some(json!({"text": "Wants two cots."})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    let listed = walk.api.get(&path).await;
    assert_eq!(listed["items"][0]["text"], "Wants two cots.", "{listed}");
    let (status, said) = walk
        .refusal(&walk.api, Method::POST, &path, json!({"text": " "}))
        .await;
    assert_eq!(status, 400, "{said}");

    let new = json!({"first_name": "Inês", "last_name": "Duarte", "email": "ines@example.com"});
    let (status, guest) = walk
        .api
        .call(Method::POST, "/api/v1/guests", Some(new))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{guest}");
    let found = walk.api.all("/api/v1/guests?search=Duarte").await;
    assert!(
        found.iter().any(|row| row["id"] == guest["id"]),
        "{found:?}"
    );
    // No property is named: there is one PMS that can make her.
    let path = format!("/api/v1/guests/{}", text(&guest["id"]));
    let there = eventually("the guest at the vendor", async || {
        let row = walk.api.get(&path).await;
        row["external_refs"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let there = format!("guests/{there}");
    let record = walk.sandbox(Method::GET, &there, None).await;
    assert_eq!(record["LastName"], "Duarte");
}

async fn too_many_missing_records_wait_for_a_person(walk: &Walk<'_>) {
    let stays = walk.api.all("/api/v1/reservations").await;
    let lost: Vec<&Value> = stays.iter().take(stays.len() / 3).collect();
    assert!(lost.len() > 10, "{}", lost.len());
    for stay in &lost {
        let there = text(&stay["external_refs"][0]["id"]);
        walk.sandbox(Method::DELETE, &format!("reservations/{there}"), None)
            .await;
    }
    let mut args = vec![
        "sync",
        "reconcile",
        "--integration",
        walk.integration.as_str(),
    ];
    args.extend(["--organization", "Aurelia Collection"]);
    let said = refused(&args, walk.environment, "too_many_missing");
    assert!(said.contains("--accept-missing"), "{said}");
    let runs = format!("/api/v1/integrations/{}/runs", walk.integration);
    let newest = &walk.api.get(&runs).await["items"][0];
    assert_eq!(
        (&newest["status"], &newest["gone"]),
        (&json!("stopped"), &json!(0)),
        "{newest}"
    );
    let still = format!("/api/v1/reservations/{}", text(&lost[0]["id"]));
    assert_eq!(walk.api.get(&still).await["status"], lost[0]["status"]);

    let sync = format!("/api/v1/integrations/{}/sync", walk.integration);
    let (status, said) = walk
        .api
        .call(
            Method::POST,
            &sync,
            Some(json!({"mode": "reconcile", "accept_missing": true})),
        )
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{said}");
    let run = eventually("the accepted reconciliation", async || {
        let items = walk.api.get(&runs).await["items"].clone();
        let items = items.as_array().cloned().unwrap_or_default();
        items
            .into_iter()
            .find(|run| run["mode"] == "reconcile" && run["status"] == "completed")
    })
    .await;
    assert_eq!(run["gone"].as_u64(), Some(lost.len() as u64), "{run}");
}

async fn runs_and_conflicts_are_counted(server: &Server) {
    let metrics = http()
        .get(format!("{}/metrics", server.base))
        .send()
        .await
        .expect("the server answers");
    let metrics = metrics.text().await.expect("the body arrives");
    for name in [
        r#"stayzr_pms_runs_total{provider="mews","#,
        r#"stayzr_pms_records_total{provider="mews","#,
        r#"stayzr_pms_unknown_values_total{provider="mews","#,
        "stayzr_pms_conflicts_open",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sides_of_a_guest_on_sqlite() {
    the_walk(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sides_of_a_guest_on_postgres() {
    let Some(database) = TestDatabase::create().await else {
        return;
    };
    let url = database.url();
    the_walk(&[("STAYZR__STORE__URL", &url)]).await;
    database.drop_database().await;
}
