//! OPERA's own specifications, and what is known to be wrong with them.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use serde_json::{Value, json};
use stayzr_pms::providers::opera::wire::parse_moment;

use crate::spec::{Checker, Format, coerced, resolve, shared};

/// Times have no zone in the vendor's examples, whatever the format says.
const FORMATS: [Format; 1] = [("date-time", |text| parse_moment(text).is_some())];

const MODULES: [&str; 10] = [
    "crm", "csh", "entcfg", "fof", "hsk", "int", "oauth", "par", "rmcfg", "rsv",
];

/// The specifications; none where they are not at hand.
static SPECS: LazyLock<Option<Vec<Value>>> = LazyLock::new(|| {
    let read = |module: &&str| {
        let mut spec = shared(&format!("ohip/{module}.openapi2.json"))?;
        corrected(&mut spec);
        Some(spec)
    };
    MODULES.iter().map(read).collect()
});

/// The vendor's known mistake: days are at most eight letters long, and have ten.
fn corrected(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("format") == Some(&json!("date")) {
                fields.remove("maxLength");
            }
            fields.values_mut().for_each(corrected);
        }
        Value::Array(items) => items.iter_mut().for_each(corrected),
        _ => {}
    }
}

type Checkers = Mutex<BTreeMap<String, Arc<Checker>>>;

static CHECKERS: LazyLock<Checkers> = LazyLock::new(Checkers::default);

/// An operation of the specifications.
pub struct Operation {
    pub name: String,
    whole: &'static Value,
    root: &'static Value,
}

/// The operation that a call is; none where the specifications are not at hand.
pub fn operation(http_method: &str, path: &str) -> Option<Operation> {
    let specs = SPECS.as_ref()?;
    let found = specs.iter().find_map(|root| {
        let rest = path.strip_prefix(root["basePath"].as_str().unwrap())?;
        let paths = root["paths"].as_object().unwrap();
        let (_, methods) = paths
            .iter()
            // What is named goes before what is open.
            .filter(|(pattern, _)| fits(pattern, rest))
            .min_by_key(|(pattern, _)| pattern.matches('{').count())?;
        let whole = methods.get(http_method.to_ascii_lowercase())?;
        Some((root, whole))
    });
    let (root, whole) = found.unwrap_or_else(|| panic!("the vendor has no {http_method} {path}"));
    Some(made(root, whole))
}

/// The operation of this name.
pub fn named(name: &str) -> Option<Operation> {
    let specs = SPECS.as_ref()?;
    let all = specs.iter().flat_map(|root| {
        let paths = root["paths"].as_object().unwrap().values();
        paths
            .flat_map(|methods| methods.as_object().unwrap().values())
            .map(move |whole| (root, whole))
    });
    let mut all = all.filter(|(_, whole)| whole["operationId"] == name);
    let (root, whole) = all
        .next()
        .unwrap_or_else(|| panic!("the vendor has no {name}"));
    Some(made(root, whole))
}

fn made(root: &'static Value, whole: &'static Value) -> Operation {
    Operation {
        name: whole["operationId"].as_str().unwrap().to_owned(),
        whole,
        root,
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(want, part)| want.starts_with('{') || want == part)
}

impl Operation {
    fn parameters(&self) -> Vec<&'static Value> {
        let all = self.whole["parameters"].as_array();
        all.into_iter()
            .flatten()
            .map(|parameter| resolve(self.root, parameter))
            .collect()
    }

    fn checker(&self, part: &str, schema: &Value) -> Arc<Checker> {
        let name = format!("{} {part}", self.name);
        let mut known = CHECKERS.lock().unwrap();
        let made = || Arc::new(Checker::new(self.root, schema, &FORMATS));
        Arc::clone(known.entry(name).or_insert_with(made))
    }

    /// What is wrong with a query, or with a form where `within` says so.
    pub fn fields(&self, within: &str, given: &[(String, String)]) -> Vec<String> {
        let parameters: Vec<&Value> = self
            .parameters()
            .into_iter()
            .filter(|parameter| parameter["in"] == within)
            .collect();
        let mut wrong = Vec::new();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true && !given.iter().any(|(key, _)| key == name) {
                wrong.push(format!("{}: {name} is required", self.name));
            }
        }
        for (key, value) in given {
            let known = parameters
                .iter()
                .find(|parameter| parameter["name"] == key.as_str());
            let Some(parameter) = known else {
                wrong.push(format!(
                    "{}: there is no {within} parameter {key}",
                    self.name
                ));
                continue;
            };
            let schema = match parameter["type"] == "array" {
                true => parameter["items"].clone(),
                false => plain(parameter),
            };
            let value = coerced(self.root, &schema, &json!(value));
            let errors = self.checker(key, &schema).errors(&value).into_iter();
            wrong.extend(errors.map(|error| format!("{}?{key}{error}", self.name)));
        }
        wrong
    }

    /// What is wrong with the headers of a call.
    pub fn headers(&self, headers: &http::HeaderMap) -> Vec<String> {
        let mut wrong = Vec::new();
        for parameter in self.parameters() {
            if parameter["in"] != "header" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            match headers.get(name).and_then(|value| value.to_str().ok()) {
                None if parameter["required"] == true => {
                    wrong.push(format!("{}: header {name} is required", self.name));
                }
                None => {}
                Some(value) => {
                    let checker = self.checker(&format!("header {name}"), &plain(parameter));
                    let errors = checker.errors(&json!(value)).into_iter();
                    wrong.extend(errors.map(|error| format!("{} {name}{error}", self.name)));
                }
            }
        }
        wrong
    }

    /// What is wrong with a body that is sent.
    pub fn request(&self, body: &Value) -> Vec<String> {
        let parameters = self.parameters();
        let parameter = parameters
            .iter()
            .find(|parameter| parameter["in"] == "body");
        let parameter = parameter.unwrap_or_else(|| panic!("{} takes no body", self.name));
        self.body("request", &parameter["schema"], body)
    }

    /// What is wrong with an answer. Keys that start with `x_` are a test's own.
    pub fn answer(&self, status: u16, body: &Value) -> Vec<String> {
        let response = &self.whole["responses"][status.to_string()];
        if response.is_null() {
            // The gateway's limit is in no specification.
            let known = status == 429 || (self.name == "getToken" && status == 402);
            let wrong = format!("{}: there is no answer {status}", self.name);
            return if known { Vec::new() } else { vec![wrong] };
        }
        let response = resolve(self.root, response);
        let schema = &response["schema"];
        if body.is_null() {
            let is_bodiless = schema.is_null() || status == 204;
            let wrong = format!("{}: {status} without a body", self.name);
            return if is_bodiless { Vec::new() } else { vec![wrong] };
        }
        if schema.is_null() {
            return Vec::new();
        }
        self.body(&format!("answer {status}"), schema, body)
    }

    fn body(&self, part: &str, schema: &Value, body: &Value) -> Vec<String> {
        let checker = self.checker(part, schema);
        let mut wrong = checker.errors(body);
        let strangers = checker.strangers(body).into_iter();
        wrong.extend(
            strangers
                .filter(|path| !path.rsplit('/').next().unwrap().starts_with("x_"))
                .map(|key| format!("{key}: is not known")),
        );
        let name = &self.name;
        wrong
            .iter()
            .map(|error| format!("{name} {part}{error}"))
            .collect()
    }
}

/// A parameter's schema: Swagger 2.0 has it among the rest.
fn plain(parameter: &Value) -> Value {
    let kept = [
        "type",
        "format",
        "enum",
        "pattern",
        "maxLength",
        "maximum",
        "minimum",
    ];
    let fields = parameter.as_object().unwrap().iter();
    fields
        .filter(|(key, _)| kept.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
