use std::{sync::Arc, time::Duration};

use reqwest::redirect::Policy;
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use stayzr_core::{Error, Result};

const OPERATION: &str = "http.client";

/// A client for senders that are given none: TLS by rustls with ring and the machine's root
/// certificates, 10 s to connect, redirects not followed (a message posted once more elsewhere
/// would be sent twice).
///
/// It installs nothing in the process and works in one without a TLS provider.
/// [`stayzr_core::ErrorKind::Internal`] if the machine has no root certificates.
pub fn default_client() -> Result<reqwest::Client> {
    let failed = |source: rustls::Error| {
        Error::internal(
            OPERATION,
            "TLS cannot be set up; are root certificates installed?",
        )
        .with_source(source)
    };
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(failed)?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(10))
        // A connection that the other side closed in the meantime would leave a message ambiguous.
        .pool_idle_timeout(Duration::from_secs(20))
        .redirect(Policy::none())
        .build()
        .map_err(|error| Error::internal(OPERATION, "no HTTP client").with_source(error))
}
