//! Cloudbeds: thin webhooks without a signature, posted to a URL that holds a secret.

mod verify;

pub use verify::SecretPath;
