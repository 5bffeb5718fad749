//! The house keeps its shape: who may depend on whom, what a folder holds, and that what the
//! documents name is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names and versions of everything a package builds on, itself included.
fn tree(package: &str, arguments: &[&str]) -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--locked"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect()
}

fn names(tree: &BTreeSet<(String, String)>) -> BTreeSet<&str> {
    tree.iter().map(|(name, _)| name.as_str()).collect()
}

fn folder(path: &str) -> BTreeSet<String> {
    fs::read_dir(root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .map(|entry| {
            entry
                .expect("a readable folder")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn arrows_point_down() {
    let allowed: [(&str, &[&str]); 5] = [
        ("stayzr-core", &[]),
        ("stayzr-pms", &["stayzr-core"]),
        ("stayzr-webhooks", &["stayzr-core"]),
        ("stayzr-agents", &["stayzr-core"]),
        (
            "stayzr-server",
            &[
                "stayzr-core",
                "stayzr-pms",
                "stayzr-webhooks",
                "stayzr-agents",
            ],
        ),
    ];
    for (package, below) in allowed {
        let tree = tree(package, &["--all-features"]);
        let ours: BTreeSet<&str> = names(&tree)
            .into_iter()
            .filter(|name| name.starts_with("stayzr-") && *name != package)
            .collect();
        let below: BTreeSet<&str> = below.iter().copied().collect();
        assert!(ours.is_subset(&below), "{package} depends on {ours:?}");
    }
}

#[test]
fn core_without_features_is_pure() {
    let tree = tree("stayzr-core", &["--no-default-features"]);
    for unwanted in ["tokio", "hyper", "reqwest", "sqlx", "rustls", "tower"] {
        assert!(
            !names(&tree).contains(unwanted),
            "{unwanted} is in the tree of the pure core"
        );
    }
}

#[test]
fn core_with_redis_brings_no_database_and_no_http_client() {
    let tree = tree(
        "stayzr-core",
        &["--no-default-features", "--features", "redis"],
    );
    for unwanted in ["hyper", "reqwest", "sqlx", "governor", "aws-lc-rs"] {
        assert!(
            !names(&tree).contains(unwanted),
            "{unwanted} comes with the feature redis"
        );
    }
}

#[test]
fn one_tls_provider_and_one_http_stack() {
    let tree = tree("stayzr-server", &["--all-features"]);
    for unwanted in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl",
        "openssl-sys",
        "native-tls",
        "cmake",
        "prost-build",
    ] {
        assert!(
            !names(&tree).contains(unwanted),
            "{unwanted} is in the tree"
        );
    }
    for single in [
        "reqwest",
        "hyper",
        "rustls",
        "tokio",
        "sqlx",
        "tower",
        "tower-http",
        "ring",
    ] {
        let versions = tree.iter().filter(|(name, _)| name == single).count();
        assert_eq!(versions, 1, "{single} is there in {versions} versions");
    }
}

#[test]
fn the_server_does_not_build_what_the_demo_does_not_need() {
    let tree = tree("stayzr-server", &[]);
    for unwanted in ["genai", "qdrant-client", "tonic"] {
        assert!(
            !names(&tree).contains(unwanted),
            "{unwanted} is built by default"
        );
    }
}

/// The vendors that there is a provider for.
fn vendors() -> Vec<String> {
    let inside = folder("stayzr-pms/src/providers").into_iter();
    inside.filter(|name| name != "mod.rs").collect()
}

/// Holds a folder to the files it must have and to those it may have beside them.
fn holds(path: &str, must: &[&str], may: &[&str]) {
    let there = folder(path);
    for name in must {
        assert!(there.contains(*name), "{path} has no {name}");
    }
    for name in &there {
        let known = must.contains(&name.as_str()) || may.contains(&name.as_str());
        assert!(known, "{path}/{name} has no place in such a folder");
    }
}

#[test]
fn every_provider_folder_has_the_same_shape() {
    let must = [
        "mod.rs",
        "config.rs",
        "auth.rs",
        "client.rs",
        "error.rs",
        "event.rs",
        "docs.md",
        "provider.rs",
        "fetch.rs",
        "push.rs",
        "record.rs",
        "context.rs",
        "inspect.rs",
        "refusal.rs",
        "transform",
        "wire",
    ];
    // Prices, stays as they go on, what goes beyond records, how a list is paged, and events that come
    // over a line of their own.
    let may = [
        "quote.rs",
        "stay.rs",
        "desk.rs",
        "page.rs",
        "position.rs",
        "stream.rs",
        "line.rs",
        "token.rs",
    ];
    for vendor in vendors() {
        let path = format!("stayzr-pms/src/providers/{vendor}");
        holds(&path, &must, &may);
        // One file for each kind of record, under our name of it, and what several of them need.
        holds(
            &format!("{path}/transform"),
            &[
                "mod.rs",
                "property.rs",
                "room_type.rs",
                "room.rs",
                "guest.rs",
                "reservation.rs",
                "times.rs",
            ],
            &["note.rs", "act.rs", "change.rs", "localized.rs"],
        );
        // Records stand under the vendor's names; what every vendor has stands under ours.
        for name in ["mod.rs", "event.rs", "open.rs", "reservation.rs"] {
            let wire = format!("{path}/wire");
            assert!(folder(&wire).contains(name), "{wire} has no {name}");
        }
    }
}

#[test]
fn every_vendor_has_a_sandbox_and_tests_of_the_same_shape() {
    for vendor in vendors() {
        let path = format!("stayzr-pms/src/sandbox/{vendor}");
        for name in [
            "mod.rs",
            "handle.rs",
            "options.rs",
            "api.rs",
            "control.rs",
            "seed.rs",
            "state.rs",
            "read.rs",
            "write.rs",
        ] {
            assert!(folder(&path).contains(name), "{path} has no {name}");
        }
        let path = format!("stayzr-pms/tests/{vendor}");
        for name in [
            "main.rs",
            "common.rs",
            "against_sandbox.rs",
            "faults.rs",
            "laws.rs",
            "vendor_examples.rs",
        ] {
            assert!(folder(&path).contains(name), "{path} has no {name}");
        }
        let story = format!("tests/tests/vendors/{vendor}.rs");
        assert!(root().join(&story).exists(), "there is no {story}");
    }
}

/// What a vendor's name may stand in beside its own folders: comments and examples.
fn code_without_comments_and_tests(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        // What only one vendor needs is built with its feature.
        .filter(|line| !line.trim_start().starts_with("#[cfg("))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn adding_a_provider_touches_its_folder_a_feature_a_mod_line_and_a_registry_line() {
    let features = read("stayzr-pms/Cargo.toml");
    let modules = read("stayzr-pms/src/providers/mod.rs");
    let registry = read("stayzr-server/src/providers.rs");
    for vendor in vendors() {
        assert!(
            features.contains(&format!("\n{vendor} = [")),
            "stayzr-pms has no feature {vendor}"
        );
        let lines = format!("#[cfg(feature = \"{vendor}\")]\npub mod {vendor};");
        assert!(modules.contains(&lines), "providers/mod.rs: {lines}");
        assert!(
            registry.contains(&format!("\"{vendor}\"")),
            "the server's registry does not name {vendor}"
        );
    }
    // The engine, the HTTP stack and the configuration know no vendor.
    let mut files = Vec::new();
    for shared in ["engine", "http", "config"] {
        sources(&root().join("stayzr-pms/src").join(shared), &mut files);
    }
    for file in ["lib.rs", "provider.rs", "desk.rs"] {
        files.push(root().join("stayzr-pms/src").join(file));
    }
    for file in files {
        let code = code_without_comments_and_tests(&file).to_lowercase();
        for vendor in vendors() {
            let named = code
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == vendor || word.starts_with(&format!("{vendor}_")));
            assert!(!named, "{} names {vendor}", file.display());
        }
    }
}

#[test]
fn both_sql_adapters_have_the_same_files() {
    // What SQLite has no need of: one process, one user, one writer, and JSON that is text.
    let alone: BTreeSet<String> = [
        "document.rs",
        "lanes.rs",
        "lock.rs",
        "migrate.rs",
        "options.rs",
    ]
    .map(str::to_owned)
    .into();
    let (sqlite, postgres) = (
        folder("stayzr-core/src/store/sqlite"),
        folder("stayzr-core/src/store/postgres"),
    );
    let differing: Vec<&String> = sqlite
        .symmetric_difference(&postgres)
        .filter(|name| !alone.contains(*name))
        .collect();
    assert!(
        differing.is_empty(),
        "only one adapter has {differing:?}: the same thing stands in the same file"
    );
}

#[test]
fn folders_declare_and_files_do() {
    let mut found = Vec::new();
    for package in [
        "stayzr-core",
        "stayzr-pms",
        "stayzr-webhooks",
        "stayzr-agents",
        "stayzr-server",
    ] {
        sources(&root().join(package).join("src"), &mut found);
    }
    let mut long = Vec::new();
    for path in &found {
        let lines = fs::read_to_string(path)
            .expect("a readable file")
            .lines()
            .count();
        let name = path.file_name().unwrap_or_default();
        let limit = if name == "mod.rs" || name == "lib.rs" {
            250
        } else {
            500
        };
        if lines > limit {
            long.push(format!("{lines} {}", path.display()));
        }
    }
    assert!(
        long.is_empty(),
        "these want to be split:\n{}",
        long.join("\n")
    );
}

#[test]
fn what_the_documents_name_is_there() {
    let mut missing = Vec::new();
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/dependencies.md",
        "docs/run-the-server.md",
        "docs/use-the-crates.md",
        "docs/write-a-provider.md",
        "examples/README.md",
    ] {
        for word in read(document).split('`').skip(1).step_by(2) {
            let path = word
                .trim_end_matches('/')
                .split(['#', ':'])
                .next()
                .unwrap_or_default();
            let looks_like_a_path = path.contains('/')
                && !path.contains([' ', '{', '<', '*', '$', '|', '…'])
                && !path.starts_with(['/', '~', '.'])
                && ["stayzr-", "docs/", "tests/", "examples/", "benches/"]
                    .iter()
                    .any(|start| path.starts_with(start));
            if looks_like_a_path && !root().join(path).exists() {
                missing.push(format!("{document} names {path}"));
            }
            let words: Vec<&str> = word.split_whitespace().collect();
            if words.first() == Some(&"cargo") {
                for pair in words.windows(2) {
                    if matches!(pair[0], "-p" | "--package")
                        && !root().join(package_folder(pair[1])).exists()
                    {
                        missing.push(format!("{document} names package {}", pair[1]));
                    }
                    if pair[0] == "--test" {
                        let test = format!("{}.rs", pair[1]);
                        let there = ["tests/tests", "stayzr-core/tests", "stayzr-pms/tests"]
                            .iter()
                            .any(|folder| root().join(folder).join(&test).exists());
                        if !there {
                            missing.push(format!("{document} names test {}", pair[1]));
                        }
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn package_folder(package: &str) -> &str {
    match package {
        "stayzr-tests" => "tests",
        "stayzr-examples" => "examples",
        "stayzr-benches" => "benches",
        other => other,
    }
}

#[test]
fn every_invariant_names_its_test() {
    let text = read("ARCHITECTURE.md");
    let mut all = Vec::new();
    sources(&root(), &mut all);
    let code: String = all
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    for letter in ["A", "B", "C", "D", "H", "P", "T", "U"] {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("| {letter} ")))
            .unwrap_or_else(|| panic!("ARCHITECTURE.md has no line for invariant {letter}"));
        let test = line
            .split('`')
            .skip(1)
            .step_by(2)
            .find(|word| word.starts_with(&format!("invariant_{}_", letter.to_lowercase())))
            .unwrap_or_else(|| panic!("invariant {letter} names no test: {line}"));
        assert!(
            code.contains(&format!("fn {test}")),
            "there is no test {test}"
        );
    }
    // And each line names the file that its test is in.
    for line in text.lines().filter(|line| line.contains("| `invariant_")) {
        let words: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let [test, path] = words[..] else {
            panic!("a line of the table names a test and its file: {line}");
        };
        assert!(
            read(path).contains(&format!("fn {test}")),
            "{test} is not in {path}"
        );
    }
}

#[test]
fn the_guide_names_every_key_and_metric() {
    let guide = read("docs/run-the-server.md");
    let mut section = "";
    let defaults = read("stayzr-server/src/config/default.toml");
    let mut missing = Vec::new();
    for line in defaults.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ")
            && !key.starts_with('#')
            && !guide.contains(&format!("`{section}.{key}`"))
        {
            missing.push(format!("{section}.{key}"));
        }
    }
    let mut files = Vec::new();
    sources(&root().join("stayzr-server/src"), &mut files);
    for file in files {
        let code = fs::read_to_string(&file).expect("a readable file");
        for word in code.split('"').skip(1).step_by(2) {
            let metric = word.starts_with("stayzr_")
                && ["_total", "_seconds", "_up"]
                    .iter()
                    .any(|end| word.ends_with(end));
            if metric && !guide.contains(&format!("`{word}`")) {
                missing.push(word.to_owned());
            }
        }
    }
    assert!(
        missing.is_empty(),
        "docs/run-the-server.md does not name {missing:?}"
    );
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read("docs/dependencies.md");
    let manifest = read("Cargo.toml");
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .expect("the workspace names its dependencies");
    let missing: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with("stayzr-"))
        .filter(|name| !reasons.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/dependencies.md gives no reason for {missing:?}"
    );
}
