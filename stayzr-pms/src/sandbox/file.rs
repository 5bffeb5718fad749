use std::{
    io::{Error, ErrorKind, Write as _},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use stayzr_core::{Error as Failure, Result};

/// Reads what was kept in a file; none if there is no file, or none was named.
pub(super) fn load<T: DeserializeOwned>(path: Option<&Path>) -> Result<Option<T>> {
    let Some(path) = path else { return Ok(None) };
    let read = match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(Error::from),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    read.map(Some).map_err(|error| {
        Failure::internal("sandbox.start", "the state file cannot be read")
            .with("path", path.display())
            .with_source(error)
    })
}

/// Writes a value to a file, where one was named: it is replaced at once or not at all, and on disk
/// when this returns.
pub(super) fn keep<T: Serialize>(value: &T, path: Option<&Path>) {
    let Some(path) = path else { return };
    if let Err(error) = write(value, path) {
        tracing::warn!(%error, "the sandbox cannot keep its state");
    }
}

fn write<T: Serialize>(value: &T, path: &Path) -> std::io::Result<()> {
    let draft = path.with_extension("tmp");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_data()?;
    std::fs::rename(&draft, path)
}
