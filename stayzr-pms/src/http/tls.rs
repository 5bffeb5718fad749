use std::{sync::Arc, time::Duration};

use stayzr_core::{Error, Result};

/// A client for vendors: TLS by rustls with ring and the roots of the Mozilla programme, no
/// redirects (a redirected POST would arrive as a GET), and at most this long to connect.
///
/// It installs nothing in the process and needs nothing installed. Hand a client of your own to
/// [`super::VendorHttp::new`] where a proxy or other roots are needed.
pub fn default_client(connect_timeout: Duration) -> Result<reqwest::Client> {
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::internal("http.client", "no HTTP client can be built").with_source(error)
    };
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("stayzr/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| fault(error.into()))
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
