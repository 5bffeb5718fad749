//! The command line as its users meet it: one document out, or a code that says why not.

use std::process::Output;

use serde_json::Value;

use crate::process::run;

/// Runs the command and reads its one JSON document.
///
/// # Panics
///
/// If it fails or prints something else.
pub fn json(args: &[&str], environment: &[(&str, &str)]) -> Value {
    let output = run(args, environment);
    let said = String::from_utf8_lossy(&output.stdout);
    let success = output.status.success();
    assert!(success, "{args:?}: {said} {}", errors(&output));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{args:?} printed no JSON document: {error}"))
}

/// Runs the command for people, which must succeed, and returns what it printed.
///
/// # Panics
///
/// If it fails.
pub fn printed(args: &[&str], environment: &[(&str, &str)]) -> String {
    let output = run(args, environment);
    assert!(output.status.success(), "{args:?}: {}", errors(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command printed on standard error.
pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the command, which must fail with exit code 1 and name this code; returns what it said.
///
/// # Panics
///
/// If it does not.
pub fn refused(args: &[&str], environment: &[(&str, &str)], code: &str) -> String {
    let output = run(args, environment);
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    if args.contains(&"--json") {
        let problem: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        assert_eq!(problem["error"]["code"], code, "{args:?}: {problem}");
        return problem.to_string();
    }
    assert!(said.contains(&format!("[{code}]")), "{args:?}: {said}");
    said
}

/// A string of a document.
///
/// # Panics
///
/// If it is none.
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}
