use std::{sync::Arc, time::Duration};

use genai::{
    Client, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    resolver::{AuthData, Endpoint},
};
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::ExposeSecret;
use stayzr_core::{Error, Result};

use super::config::{GenaiConfig, Provider, retired};

/// A client and where it goes.
pub(super) struct Connection {
    pub(super) client: Client,
    target: ServiceTarget,
}

impl Connection {
    /// Checks the configuration; nothing is sent.
    pub(super) fn new(config: &GenaiConfig, http: reqwest::Client) -> Result<Self> {
        if config.model.trim().is_empty() {
            return Err(Error::invalid("model.connect", "the model has no name"));
        }
        if let Some(retirement) = retired(&config.model) {
            tracing::warn!(
                model = config.model,
                ends = retirement.ends,
                instead = retirement.instead,
                "the provider retires this model"
            );
        }
        let kind = adapter(config.provider);
        let endpoint = match (&config.base_url, config.provider) {
            (Some(url), _) => url.trim_end_matches('/').to_owned() + "/",
            (None, Provider::Gemini) => {
                "https://generativelanguage.googleapis.com/v1beta/".to_owned()
            }
            (None, Provider::Openai) => "https://api.openai.com/v1/".to_owned(),
            (None, Provider::Deepseek) => "https://api.deepseek.com/v1/".to_owned(),
            (None, Provider::OpenaiCompatible) => {
                return Err(Error::invalid(
                    "model.connect",
                    "an OpenAI-compatible server needs a `base_url`",
                ));
            }
        };
        let key = match (&config.api_key, config.provider) {
            (Some(key), _) => key.expose_secret().to_owned(),
            // Local servers ignore the key but want a header with one.
            (None, Provider::OpenaiCompatible) => "none".to_owned(),
            (None, _) => {
                return Err(Error::invalid(
                    "model.connect",
                    "the provider needs an `api_key`",
                ));
            }
        };
        let client = Client::builder()
            .with_reqwest(http)
            .build()
            .map_err(|_| Error::internal("model.connect", "the model's client cannot be built"))?;
        Ok(Self {
            client,
            target: ServiceTarget {
                endpoint: Endpoint::from_owned(endpoint),
                auth: AuthData::from_single(key),
                model: ModelIden::new(kind, config.model.clone()),
            },
        })
    }

    /// Where a call goes.
    pub(super) fn target(&self) -> ServiceTarget {
        self.target.clone()
    }
}

fn adapter(provider: Provider) -> AdapterKind {
    match provider {
        Provider::Gemini => AdapterKind::Gemini,
        Provider::Openai => AdapterKind::OpenAIResp,
        Provider::Deepseek => AdapterKind::DeepSeek,
        Provider::OpenaiCompatible => AdapterKind::OpenAI,
    }
}

/// A client with rustls, ring and the machine's root certificates, that needs nothing installed in
/// the process. The time of a whole call is limited by the caller.
pub(super) fn http_client() -> Result<reqwest::Client> {
    let fault = |_| {
        Error::internal(
            "model.connect",
            "no HTTP client can be built; are root certificates installed?",
        )
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(fault)?
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("stayzr/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Error::internal("model.connect", "no HTTP client can be built").with_source(error)
        })
}
