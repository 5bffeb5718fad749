use std::{fmt, sync::Arc};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rand::RngCore;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// 256 random bits that seal secrets, with an id that tells keys apart and reveals nothing.
///
/// ```
/// use stayzr_core::crypto::MasterKey;
///
/// let key = MasterKey::generate();
/// let again = MasterKey::parse(&key.to_text()).unwrap();
/// assert_eq!(key.id(), again.id());
/// ```
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    bytes: Arc<SecretBox<[u8; 32]>>,
}

impl MasterKey {
    /// A new key from the system's randomness.
    pub fn generate() -> Self {
        Self::new(SecretBox::init_with_mut(|bytes: &mut [u8; 32]| {
            rand::rng().fill_bytes(bytes);
        }))
    }

    /// A key from 32 bytes in base64 (plain or URL-safe) or hexadecimal.
    /// [`crate::ErrorKind::Invalid`] if it is something else; the error does not show it.
    pub fn parse(text: &SecretString) -> Result<Self> {
        let text = text.expose_secret().trim();
        let bytes = match text.len() {
            64 => from_hex(text),
            _ => STANDARD
                .decode(text)
                .or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')))
                .ok(),
        };
        let bytes: [u8; 32] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                Error::invalid(
                    "master_key.parse",
                    "a master key is 32 bytes in base64 or hexadecimal",
                )
            })?;
        Ok(Self::new(SecretBox::init_with(|| bytes)))
    }

    fn new(bytes: SecretBox<[u8; 32]>) -> Self {
        let digest = Sha256::new()
            .chain_update(b"stayzr master key id")
            .chain_update(bytes.expose_secret())
            .finalize();
        let id = digest[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            id,
            bytes: Arc::new(bytes),
        }
    }

    /// Eight characters that name the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key in base64, to be kept in a file or a secret store.
    pub fn to_text(&self) -> SecretString {
        SecretString::from(STANDARD.encode(self.bytes.expose_secret()))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
