use std::path::PathBuf;

use toml::{Table, Value};

use super::Config;
use crate::failure::Failure;

/// The commented default file.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// The name of the file that is read where none is named, if it is there.
const USUAL_FILE: &str = "stayzr.toml";

const PREFIX: &str = "STAYZR__";

/// Where configuration comes from, besides the defaults; later sources go over earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A file that must exist; none reads `stayzr.toml` of the working folder, if it is there.
    pub file: Option<PathBuf>,
    /// Whether `stayzr.toml` of the working folder is read where no file is named.
    pub usual_file: bool,
    /// The environment: only names that begin with `STAYZR__` are looked at.
    pub environment: Vec<(String, String)>,
    /// Flags as (dotted key, value).
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// The usual file and the environment of this process.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        Self {
            file,
            usual_file: true,
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    let name = name.into_string().ok()?;
                    name.starts_with(PREFIX)
                        .then(|| value.into_string().ok().map(|value| (name, value)))?
                })
                .collect(),
            flags: Vec::new(),
        }
    }

    /// Sets a key as a flag does.
    #[must_use]
    pub fn flag(mut self, key: &str, value: impl Into<String>) -> Self {
        self.flags.push((key.to_owned(), value.into()));
        self
    }
}

/// Reads, layers and validates the configuration.
///
/// An unknown key is an error that names the nearest known one; so is a value of the wrong type.
pub fn load(sources: &Sources) -> Result<Config, Failure> {
    let mut table: Table = DEFAULT_FILE
        .parse()
        .expect("the embedded default file is valid TOML");
    let known = dotted_keys(&table);
    if let Some((path, text)) = read_file(sources)? {
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            Failure::new(
                "malformed_file",
                format!("{} cannot be read as TOML: {error}", path.display()),
            )
        })?;
        let place = |key: &str| format!("{key} in {}", path.display());
        overlay(&mut table, file, "", &known, &place)?;
    }
    for (name, value) in &sources.environment {
        if let Some(rest) = name.strip_prefix(PREFIX) {
            let key = rest.to_lowercase().replace("__", ".");
            let place = |key: &str| {
                format!(
                    "{PREFIX}{} in the environment",
                    key.to_uppercase().replace('.', "__")
                )
            };
            set(&mut table, &key, value, &known, &place)?;
        }
    }
    for (key, value) in &sources.flags {
        set(&mut table, key, value, &known, &|key| key.to_owned())?;
    }
    let config: Config = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| {
            Failure::new(
                "invalid_value",
                format!("configuration: {}", error.message()),
            )
        })?;
    config.validate()?;
    Ok(config)
}

fn read_file(sources: &Sources) -> Result<Option<(PathBuf, String)>, Failure> {
    let path = match &sources.file {
        Some(path) => path.clone(),
        None if sources.usual_file && PathBuf::from(USUAL_FILE).exists() => USUAL_FILE.into(),
        None => return Ok(None),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) => Err(Failure::new(
            "file_not_readable",
            format!("{} cannot be read: {error}", path.display()),
        )),
    }
}

fn dotted_keys(table: &Table) -> Vec<String> {
    fn walk(table: &Table, prefix: &str, keys: &mut Vec<String>) {
        for (name, value) in table {
            let key = join(prefix, name);
            match value {
                Value::Table(inner) => walk(inner, &key, keys),
                _ => keys.push(key),
            }
        }
    }
    let mut keys = Vec::new();
    walk(table, "", &mut keys);
    keys
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// Lays a file over the defaults; each of its keys must be among them, with a value of that type.
fn overlay(
    under: &mut Table,
    over: Table,
    prefix: &str,
    known: &[String],
    place: &dyn Fn(&str) -> String,
) -> Result<(), Failure> {
    for (name, value) in over {
        let key = join(prefix, &name);
        match (under.get_mut(&name), value) {
            (Some(Value::Table(under)), Value::Table(over)) => {
                overlay(under, over, &key, known, place)?;
            }
            (Some(slot), value) if same_type(slot, &value) => *slot = value,
            (Some(slot), value) => return Err(wrong_type(&place(&key), slot, value.type_str())),
            (None, _) => return Err(unknown(&key, known, place)),
        }
    }
    Ok(())
}

/// Sets one key from text, read as the type that the default has.
fn set(
    table: &mut Table,
    key: &str,
    text: &str,
    known: &[String],
    place: &dyn Fn(&str) -> String,
) -> Result<(), Failure> {
    let Some(slot) = slot(table, key) else {
        return Err(unknown(key, known, place));
    };
    let value = match slot {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        // A list of tables is written as in the file.
        Value::Array(_) if text.trim_start().starts_with('[') => format!("list = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("list")),
        Value::Array(_) => Some(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::String(item.to_owned()))
                .collect(),
        )),
        Value::Datetime(_) | Value::Table(_) => None,
    };
    match value {
        Some(value) => {
            *slot = value;
            Ok(())
        }
        None => Err(wrong_type(&place(key), slot, "another text")),
    }
}

fn slot<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key).filter(|value| !value.is_table()),
        Some((head, rest)) => slot(table.get_mut(head)?.as_table_mut()?, rest),
    }
}

fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn wrong_type(place: &str, expected: &Value, found: &str) -> Failure {
    Failure::new(
        "invalid_value",
        format!(
            "configuration: {place} must be of type {}, it is {found}",
            expected.type_str()
        ),
    )
}

fn unknown(key: &str, known: &[String], place: &dyn Fn(&str) -> String) -> Failure {
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, key), candidate))
        .min();
    let hint = match nearest {
        Some((_, nearest)) => format!("; the nearest known key is {}", place(nearest)),
        None => String::new(),
    };
    Failure::new(
        "unknown_key",
        format!("configuration: there is no key {}{hint}", place(key)),
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Sources {
        Sources {
            environment: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Sources::default()
        }
    }

    fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), text).expect("write");
        let sources = Sources {
            file: Some(file.path().to_owned()),
            ..Sources::default()
        };
        (file, sources)
    }

    #[test]
    fn nothing_set_starts_embedded() {
        let config = load(&Sources::default()).expect("defaults are valid");
        assert_eq!(config.server.listen.port(), 8080);
        let store = config.store_url().expect("embedded store");
        assert_eq!(store.url.expose_secret(), "sqlite://./.stayzr/stayzr.db");
        assert_eq!(config.model.provider, "offline");
    }

    #[test]
    fn environment_goes_over_the_file_and_flags_over_both() {
        let (_keep, mut sources) = file("[server]\nlisten = \"127.0.0.1:1\"\ndrain_seconds = 1\n");
        sources.environment = environment(&[
            ("STAYZR__SERVER__LISTEN", "127.0.0.1:2"),
            ("STAYZR__CHANNELS__WHATSAPP__APP_SECRET", "shh"),
            (
                "STAYZR__SERVER__CORS_ORIGINS",
                "https://a.example, https://b.example",
            ),
            ("STAYZR_TEST_POSTGRES_URL", "not ours"),
        ])
        .environment;
        let config = load(&sources.flag("server.listen", "127.0.0.1:3")).expect("valid");
        assert_eq!(config.server.listen.port(), 3);
        assert_eq!(config.server.drain_seconds, 1);
        assert_eq!(config.channels.whatsapp.app_secret.expose_secret(), "shh");
        assert_eq!(config.server.cors_origins.len(), 2);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let failure = load(&environment(&[("STAYZR__STOR__URL", "sqlite://x")])).expect_err("typo");
        assert_eq!(failure.code, "unknown_key");
        assert!(failure.message.contains("STAYZR__STORE__URL"), "{failure}");

        let (_keep, sources) = file("[server]\nlisten_on = \"127.0.0.1:1\"\n");
        let failure = load(&sources).expect_err("typo");
        assert_eq!(failure.code, "unknown_key");
        assert!(failure.message.contains("server.listen in"), "{failure}");
        for key in ["STAYZR__SERVER", "STAYZR__SERVER__LISTEN__X", "STAYZR__"] {
            let failure = load(&environment(&[(key, "1")])).expect_err("no such key");
            assert_eq!(failure.code, "unknown_key", "{key}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        let failure = load(&environment(&[("STAYZR__STORE__MAX_CONNECTIONS", "many")]));
        assert_eq!(failure.expect_err("not a number").code, "invalid_value");
        let (_keep, sources) = file("[store]\nmax_connections = \"20\"\n");
        let failure = load(&sources).expect_err("a text");
        assert!(
            failure.message.contains("store.max_connections"),
            "{failure}"
        );
        let failure = load(&environment(&[("STAYZR__STORE__URL", "mysql://x")]));
        assert_eq!(failure.expect_err("not a store").code, "invalid_value");
        let failure = load(&environment(&[("STAYZR__SERVER__LISTEN", "nowhere")]));
        assert_eq!(failure.expect_err("not an address").code, "invalid_value");
    }

    #[test]
    fn a_named_file_must_exist() {
        let sources = Sources {
            file: Some("/nowhere/stayzr.toml".into()),
            ..Sources::default()
        };
        assert_eq!(
            load(&sources).expect_err("no file").code,
            "file_not_readable"
        );
    }

    #[cfg(not(feature = "qdrant"))]
    #[test]
    fn a_back_end_that_is_not_built_in_names_its_feature() {
        let failure = load(&environment(&[("STAYZR__KNOWLEDGE__INDEX", "qdrant")]));
        let failure = failure.expect_err("not built in");
        assert_eq!(failure.code, "not_built_in");
        assert!(failure.message.contains("--features qdrant"), "{failure}");
    }

    #[test]
    fn secrets_do_not_print() {
        let config = load(&environment(&[("STAYZR__MODEL__API_KEY", "s3cret")])).expect("valid");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
