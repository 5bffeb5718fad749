//! Holds bodies against a vendor's own specification, OpenAPI 3.0 or Swagger 2.0.
//!
//! A specification is given whole; a schema of it may refer to any other part (`#/components/…`,
//! `#/definitions/…`). What is not JSON Schema in it is translated: `nullable` and `x-nullable` allow
//! `null`, and `oneOf` is read as `anyOf`, since vendors write it for alternatives that overlap, such as
//! a date or any text.

#![allow(dead_code, reason = "not every vendor's tests use all of it")]

use std::{collections::BTreeSet, path::PathBuf};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// A vendor's file of the shared examples by its path under `vendor/`; none, with a line about it,
/// where they are not at hand.
pub fn shared(path: &str) -> Option<Value> {
    let Some(shared) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped {path}: STAYZR_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("vendor").join(path);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

/// What a vendor's folder of the shared examples holds, but for its specifications: file names
/// without `.json`, which begin with the operation, and bodies; none, with a line about it, where
/// they are not at hand.
pub fn bodies(folder: &str) -> Option<Vec<(String, Value)>> {
    let Some(shared) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped every body of {folder}: STAYZR_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(shared).join("vendor").join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&path).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !name.contains(".openapi") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
    assert!(
        found.len() > 20,
        "{}: {} bodies",
        path.display(),
        found.len()
    );
    Some(found)
}

/// A format as the vendor writes it, where that is not what JSON Schema means by the name.
pub type Format = (&'static str, fn(&str) -> bool);

/// A schema of a specification, ready to be held against values.
pub struct Checker {
    validator: Validator,
    root: Value,
    schema: Value,
}

impl Checker {
    /// The schema, with `root` as the document that its references point into.
    pub fn new(root: &Value, schema: &Value, formats: &[Format]) -> Self {
        let mut document = translated(schema);
        for (pointer, part) in referenced(root, schema) {
            insert(&mut document, &pointer, translated(&part));
        }
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true);
        for (name, check) in formats {
            options = options.with_format(*name, *check);
        }
        Self {
            validator: options.build(&document).expect("a schema of the vendor"),
            root: root.clone(),
            schema: schema.clone(),
        }
    }

    /// What is wrong with a value, as `/path: why`.
    pub fn errors(&self, value: &Value) -> Vec<String> {
        self.validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    /// Keys of a value that the schema does not name, as paths.
    pub fn strangers(&self, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        strangers(&self.root, &[&self.schema], value, "", &mut found);
        found
    }
}

/// The part of a document a reference points to.
pub fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema.get("$ref").and_then(Value::as_str);
    match pointer.and_then(|pointer| pointer.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).expect("a reference leads somewhere"),
        None => schema,
    }
}

/// Every part that a schema refers to, directly or not.
fn referenced(root: &Value, schema: &Value) -> Vec<(String, Value)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut waiting = vec![schema.clone()];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref")
                    && seen.insert(target.clone())
                    && let Some(part) = target.strip_prefix('#').and_then(|at| root.pointer(at))
                {
                    found.push((target.clone(), part.clone()));
                    waiting.push(part.clone());
                }
                waiting.extend(fields.into_iter().map(|(_, value)| value));
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    found
}

fn insert(document: &mut Value, pointer: &str, part: Value) {
    let mut at = document;
    for key in pointer.trim_start_matches("#/").split('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        at = at
            .as_object_mut()
            .expect("a document of objects")
            .entry(key)
            .or_insert_with(|| json!({}));
    }
    *at = part;
}

/// A schema of OpenAPI as JSON Schema.
fn translated(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut out: Map<String, Value> = fields
                .iter()
                .filter(|(key, _)| !["nullable", "x-nullable", "example"].contains(&key.as_str()))
                .map(|(key, value)| {
                    let key = if key == "oneOf" { "anyOf" } else { key };
                    (key.to_owned(), translated(value))
                })
                .collect();
            let nullable = ["nullable", "x-nullable"]
                .iter()
                .any(|key| fields.get(*key) == Some(&json!(true)));
            if !nullable {
                return Value::Object(out);
            }
            if let Some(kind @ Value::String(_)) = out.get("type").cloned() {
                out.insert("type".to_owned(), json!([kind, "null"]));
            }
            if let Some(Value::Array(words)) = out.get_mut("enum") {
                words.push(Value::Null);
            }
            if let Some(Value::Array(choices)) = out.get_mut("anyOf") {
                choices.push(json!({"type": "null"}));
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(translated).collect(),
        other => other.clone(),
    }
}

fn strangers(root: &Value, schemas: &[&Value], value: &Value, path: &str, found: &mut Vec<String>) {
    let mut known: Vec<&Value> = Vec::new();
    let mut waiting: Vec<&Value> = schemas.to_vec();
    while let Some(schema) = waiting.pop() {
        let schema = resolve(root, schema);
        known.push(schema);
        for key in ["oneOf", "anyOf", "allOf"] {
            waiting.extend(
                schema
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
    }
    match value {
        Value::Object(fields) => {
            let described = known
                .iter()
                .any(|schema| schema.get("properties").is_some());
            let rest: Vec<&Value> = known
                .iter()
                .filter_map(|schema| schema.get("additionalProperties"))
                .filter(|rest| rest.is_object())
                .collect();
            for (key, value) in fields {
                let path = format!("{path}/{key}");
                let named: Vec<&Value> = known
                    .iter()
                    .filter_map(|schema| schema.get("properties")?.get(key))
                    .collect();
                if !named.is_empty() {
                    strangers(root, &named, value, &path, found);
                } else if !rest.is_empty() {
                    strangers(root, &rest, value, &path, found);
                } else if described {
                    found.push(path);
                }
            }
        }
        Value::Array(items) => {
            let of: Vec<&Value> = known
                .iter()
                .filter_map(|schema| schema.get("items"))
                .collect();
            for item in items.iter().filter(|_| !of.is_empty()) {
                strangers(root, &of, item, path, found);
            }
        }
        _ => {}
    }
}

/// A text of a query or a form as the value that a schema asks for: `"2"` as a number where it says
/// integer. What does not fit stays a text, and is found out by the schema.
pub fn coerced(root: &Value, schema: &Value, value: &Value) -> Value {
    let schema = resolve(root, schema);
    match (schema.get("type").and_then(Value::as_str), value) {
        (Some("integer"), Value::String(text)) => text
            .parse::<i64>()
            .map_or_else(|_| value.clone(), Value::from),
        (Some("number"), Value::String(text)) => text
            .parse::<f64>()
            .map_or_else(|_| value.clone(), Value::from),
        (Some("boolean"), Value::String(text)) => text
            .parse::<bool>()
            .map_or_else(|_| value.clone(), Value::from),
        (_, Value::Object(fields)) => fields
            .iter()
            .map(|(key, value)| {
                let of = schema.get("properties").and_then(|named| named.get(key));
                let value = of.map_or_else(|| value.clone(), |of| coerced(root, of, value));
                (key.clone(), value)
            })
            .collect(),
        (_, Value::Array(items)) => match schema.get("items") {
            Some(of) => items.iter().map(|item| coerced(root, of, item)).collect(),
            None => value.clone(),
        },
        _ => value.clone(),
    }
}
