use std::{fs, io::Write, path::Path};

use secrecy::{ExposeSecret, SecretString};
use stayzr_core::crypto::MasterKey;

use super::Config;
use crate::failure::Failure;

/// The master key: from the configuration, else from `DATA_DIR/master.key`, which is made with
/// mode 0600 where it is missing. Says so in the log when it makes one.
pub fn load_master_key(config: &Config) -> Result<MasterKey, Failure> {
    let configured = &config.secrets.master_key;
    if !configured.expose_secret().is_empty() {
        return parse(configured, "secrets.master_key");
    }
    let path = config.server.data_dir.join("master.key");
    match fs::read_to_string(&path) {
        Ok(text) => parse(&SecretString::from(text), &path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::generate();
            write_private(&path, key.to_text().expose_secret().as_bytes())?;
            tracing::warn!(
                path = %path.display(),
                "made a new master key; without it, stored credentials cannot be read: back it up"
            );
            Ok(key)
        }
        Err(error) => Err(Failure::new(
            "master_key_not_readable",
            format!("the master key {} cannot be read: {error}", path.display()),
        )),
    }
}

fn parse(text: &SecretString, place: &str) -> Result<MasterKey, Failure> {
    MasterKey::parse(text).map_err(|error| {
        Failure::new(
            "invalid_master_key",
            format!(
                "{place}: {}; `openssl rand -base64 32` makes one",
                error.message()
            ),
        )
    })
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Failure::new(
            "data_dir_not_writable",
            format!("{} cannot be written: {error}", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn config(folder: &Path) -> Config {
        load(&Sources::default().flag("server.data_dir", folder.display().to_string()))
            .expect("valid")
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let config = config(folder.path());
        let first = load_master_key(&config).expect("made");
        let second = load_master_key(&config).expect("read");
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            let path = folder.path().join("master.key");
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(path).expect("metadata").permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("master.key"), "c2hvcnQ=").expect("write");
        let failure = load_master_key(&config(folder.path())).expect_err("too short");
        assert_eq!(failure.code, "invalid_master_key");
    }
}
