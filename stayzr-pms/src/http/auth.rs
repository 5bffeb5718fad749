use std::fmt;

use async_trait::async_trait;
use stayzr_core::Result;

use super::VendorCall;

/// How calls to one account of a vendor are authorised.
///
/// Implementations never print what they hold.
#[async_trait]
pub trait VendorAuth: Send + Sync + fmt::Debug {
    /// What the vendor counts calls by, as a fingerprint: the limit is kept for each key.
    fn limit_key(&self) -> &str;

    /// Adds credentials to a call, right before it is sent.
    async fn authorize(&self, call: &mut VendorCall) -> Result<()>;

    /// After a 401: whether other credentials were obtained, so that trying once more makes sense.
    async fn renew(&self) -> Result<bool> {
        Ok(false)
    }

    /// The text without any credential in it.
    fn redact(&self, text: &str) -> String;
}
