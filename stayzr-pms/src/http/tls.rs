use std::{sync::Arc, time::Duration};

use rustls_platform_verifier::BuilderVerifierExt;
use stayzr_core::{Error, Result};

/// A client for vendors: TLS by rustls with ring and the machine's root certificates,
/// no redirects (a redirected POST would arrive as a GET), and at most this long to connect.
///
/// It installs nothing in the process and needs nothing installed. Hand a client of your own to
/// [`super::VendorHttp::new`] where a proxy or other roots are needed.
pub fn default_client(connect_timeout: Duration) -> Result<reqwest::Client> {
    client_builder(connect_timeout)?
        .build()
        .map_err(|error| fault(error.into()))
}

fn fault(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::internal(
        "http.client",
        "no HTTP client can be built; are root certificates installed?",
    )
    .with_source(error)
}

/// A client like [`default_client`] whose connections can become something else than HTTP: it speaks
/// HTTP/1.1 alone.
#[cfg(feature = "opera")]
pub(crate) fn upgrade_client(connect_timeout: Duration) -> Result<reqwest::Client> {
    builder(connect_timeout, &[b"http/1.1"])?
        .http1_only()
        .build()
        .map_err(|error| fault(error.into()))
}

/// What [`default_client`] is built from.
pub(crate) fn client_builder(connect_timeout: Duration) -> Result<reqwest::ClientBuilder> {
    builder(connect_timeout, &[b"h2", b"http/1.1"])
}

fn builder(connect_timeout: Duration, versions: &[&[u8]]) -> Result<reqwest::ClientBuilder> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| fault(error.into()))?
        .with_no_client_auth();
    tls.alpn_protocols = versions.iter().map(|version| version.to_vec()).collect();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect_timeout)
        // A connection that the vendor closed meanwhile would leave a write ambiguous.
        .pool_idle_timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("stayzr/", env!("CARGO_PKG_VERSION"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_client_needs_no_tls_provider_of_the_process() {
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
        default_client(Duration::from_secs(5)).unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}
