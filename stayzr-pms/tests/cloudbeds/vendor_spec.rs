//! Cloudbeds' own specification, and what is known to be wrong with it.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use crate::{
    form,
    spec::{Checker, Format, coerced, resolve, shared},
};

/// Where answers are known to differ from the specification, as operation and a part of the complaint:
/// PHP writes an empty map as an empty list, the text of the housekeeping status lists `inspected`, and
/// the examples count room types.
const KNOWN: [(&str, &str); 5] = [
    ("getGuestList", "/data: []"),
    ("getReservation", "/data/guestList: []"),
    ("getHousekeepingStatus", "/roomCondition: \"inspected\""),
    ("getRoomTypes", "/count: is not known"),
    ("getRoomTypes", "/total: is not known"),
];

/// Times are local, without an offset, and blank where there is none.
const FORMATS: [Format; 3] = [
    ("date-time", |text| {
        text.is_empty() || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok()
    }),
    ("time", |text| {
        let read = |format| NaiveTime::parse_from_str(text, format).is_ok();
        text.is_empty() || read("%H:%M") || read("%H:%M:%S")
    }),
    ("date", |text| text.parse::<NaiveDate>().is_ok()),
];

/// The specification; none where it is not at hand.
static SPEC: LazyLock<Option<Value>> =
    LazyLock::new(|| shared("cloudbeds/pms-v1.3.trimmed.openapi.json"));

type Checkers = Mutex<BTreeMap<String, Arc<Checker>>>;

static CHECKERS: LazyLock<Checkers> = LazyLock::new(Checkers::default);

fn checker(name: &str, schema: &Value) -> Arc<Checker> {
    if let Some(known) = CHECKERS.lock().unwrap().get(name) {
        return Arc::clone(known);
    }
    let root = SPEC.as_ref().unwrap();
    let made = Arc::new(Checker::new(root, schema, &FORMATS));
    CHECKERS
        .lock()
        .unwrap()
        .insert(name.to_owned(), Arc::clone(&made));
    made
}

/// An operation of the specification.
pub struct Operation {
    name: String,
    whole: &'static Value,
}

/// The operation of a path after `/api/v1.3/`; none where the specification is not at hand.
pub fn operation(http_method: &str, name: &str) -> Option<Operation> {
    let spec = SPEC.as_ref()?;
    let path = &spec["paths"][format!("/{name}")];
    let whole = &path[http_method.to_ascii_lowercase()];
    assert!(whole.is_object(), "the vendor has no {http_method} {name}");
    Some(Operation {
        name: name.to_owned(),
        whole,
    })
}

/// The only operation of this name, whatever the method of HTTP.
pub fn named(name: &str) -> Option<Operation> {
    let methods = SPEC.as_ref()?["paths"][format!("/{name}")].as_object()?;
    let http_method = methods.keys().next()?;
    operation(http_method, name)
}

impl Operation {
    /// What is wrong with a query.
    pub fn query(&self, query: &str) -> Vec<String> {
        let parameters = self.whole["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut wrong = Vec::new();
        let given = form::pairs(query);
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true && !given.iter().any(|(key, _)| key == name) {
                wrong.push(format!("{}: {name} is required", self.name));
            }
        }
        for (key, value) in given {
            match parameters
                .iter()
                .find(|parameter| parameter["name"] == key.as_str())
            {
                None => wrong.push(format!("{}: there is no parameter {key}", self.name)),
                Some(parameter) => {
                    let schema = &parameter["schema"];
                    let value = coerced(SPEC.as_ref().unwrap(), schema, &json!(value));
                    let checker = checker(&format!("{}?{key}", self.name), schema);
                    let errors = checker.errors(&value).into_iter();
                    wrong.extend(errors.map(|error| format!("{}?{key}{error}", self.name)));
                }
            }
        }
        wrong
    }

    /// What is wrong with a form.
    pub fn form(&self, body: &str) -> Vec<String> {
        self.request(&form::read(body))
    }

    /// What is wrong with a form that was read.
    pub fn request(&self, body: &Value) -> Vec<String> {
        let root = SPEC.as_ref().unwrap();
        let content = &self.whole["requestBody"]["content"]["application/x-www-form-urlencoded"];
        let schema = resolve(root, &content["schema"]);
        assert!(schema.is_object(), "{} takes no form", self.name);
        let body = coerced(root, schema, body);
        let checker = checker(&format!("{} form", self.name), schema);
        let mut wrong = checker.errors(&body);
        let strangers = checker.strangers(&body).into_iter();
        wrong.extend(strangers.map(|key| format!("{key}: is not known")));
        wrong
            .iter()
            .map(|error| format!("{} form{error}", self.name))
            .collect()
    }

    /// What is wrong with an answer. Keys that start with `x_` are a test's own.
    pub fn answer(&self, body: &Value) -> Vec<String> {
        // The envelope of a complaint is documented for all, and in few schemas.
        if body["success"] == false {
            let is_said = body["message"].is_string() && body.as_object().unwrap().len() == 2;
            let wrong = format!("{}: a complaint is a flag and a sentence", self.name);
            return if is_said { Vec::new() } else { vec![wrong] };
        }
        let schema = &self.whole["responses"]["200"]["content"]["application/json"]["schema"];
        let checker = checker(&format!("{} answer", self.name), schema);
        let mut wrong = checker.errors(body);
        let strangers = checker.strangers(body).into_iter();
        wrong.extend(
            strangers
                .filter(|path| !path.rsplit('/').next().unwrap().starts_with("x_"))
                .map(|key| format!("{key}: is not known")),
        );
        wrong.retain(|error| {
            let known = KNOWN
                .iter()
                .any(|(operation, part)| *operation == self.name && error.contains(part));
            !known
        });
        wrong
            .iter()
            .map(|error| format!("{}{error}", self.name))
            .collect()
    }
}
