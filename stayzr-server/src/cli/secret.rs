//! Credentials from a file, the environment or a prompt: never from the command line, which other
//! users of a machine can read.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use secrecy::SecretString;

use crate::failure::Failure;

/// Asks for a credential: in the environment under `variable`, else at the terminal.
pub(crate) fn ask(variable: &str, prompt: &str) -> Result<SecretString, Failure> {
    if let Ok(value) = std::env::var(variable)
        && !value.is_empty()
    {
        return Ok(value.into());
    }
    let missing = || {
        Failure::new(
            "credentials_missing",
            format!("{prompt} is needed: set {variable}, name a file, or run this in a terminal"),
        )
    };
    if !io::stdin().is_terminal() {
        return Err(missing());
    }
    let _ = write!(io::stderr(), "{prompt} (shown as you type): ");
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|_| missing())?;
    match line.trim() {
        "" => Err(missing()),
        value => Ok(value.to_owned().into()),
    }
}

/// The content of a file with a credential.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            "file_not_readable",
            format!("{} cannot be read: {error}", path.display()),
        )
    })
}
