use secrecy::{ExposeSecret, SecretString};

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
}
