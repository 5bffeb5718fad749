use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretString};

/// Secrets are shown with and without the padding at their end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why secrets cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none, so nothing could ever be verified.
    #[error("no secret is configured")]
    None,
    /// One is empty: it would make every signature forgeable.
    #[error("secret {index} is empty")]
    Empty {
        /// Which one.
        index: usize,
    },
    /// One is not the base64 that its scheme wants.
    #[error("secret {index} is not a prefix and base64, as the sender shows it")]
    Undecodable {
        /// Which one.
        index: usize,
    },
}

/// Secrets of which any may match: the current one first, then previous ones until every sender
/// has moved on.
///
/// There is at least one and none is empty, so verification can never be switched off by a
/// forgotten setting.
///
/// ```
/// use secrecy::SecretString;
/// use stayzr_webhooks::{SecretError, Secrets};
///
/// let rotated = [SecretString::from("current"), SecretString::from("previous")];
/// assert!(Secrets::new(&rotated).is_ok());
/// let forgotten = [SecretString::from("")];
/// assert_eq!(Secrets::new(&forgotten).err(), Some(SecretError::Empty { index: 0 }));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Secrets<'a>(&'a [SecretString]);

impl<'a> Secrets<'a> {
    /// Takes secrets as they are; blank ones and an empty list are refused.
    pub fn new(secrets: &'a [SecretString]) -> Result<Self, SecretError> {
        if secrets.is_empty() {
            return Err(SecretError::None);
        }
        match secrets
            .iter()
            .position(|secret| secret.expose_secret().trim().is_empty())
        {
            Some(index) => Err(SecretError::Empty { index }),
            None => Ok(Self(secrets)),
        }
    }

    /// The first secret for which `matches` holds. All are tried, so that the time taken does not
    /// tell which one matched.
    pub(crate) fn matching(self, mut matches: impl FnMut(&str) -> bool) -> Option<usize> {
        let mut found = None;
        for (index, secret) in self.0.iter().enumerate() {
            if matches(secret.expose_secret()) && found.is_none() {
                found = Some(index);
            }
        }
        found
    }

    /// The keys that the secrets encode: base64 behind a prefix, which may be missing.
    pub(crate) fn keys(self, prefix: &str) -> Result<Vec<Vec<u8>>, SecretError> {
        self.0
            .iter()
            .enumerate()
            .map(|(index, secret)| {
                key(secret.expose_secret(), prefix).ok_or(SecretError::Undecodable { index })
            })
            .collect()
    }
}

/// The key that a secret encodes.
pub(crate) fn key(secret: &str, prefix: &str) -> Option<Vec<u8>> {
    let secret = secret.trim();
    let encoded = secret.strip_prefix(prefix).unwrap_or(secret);
    LENIENT.decode(encoded).ok().filter(|key| !key.is_empty())
}

/// The first of the keys for which `matches` holds. All are tried, as of secrets.
pub(crate) fn matching_key(
    keys: &[Vec<u8>],
    mut matches: impl FnMut(&[u8]) -> bool,
) -> Option<usize> {
    let mut found = None;
    for (index, key) in keys.iter().enumerate() {
        if matches(key) && found.is_none() {
            found = Some(index);
        }
    }
    found
}
