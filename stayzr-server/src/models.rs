//! The chat model, the embedder and the knowledge index that the configuration selects.

use std::sync::Arc;

use stayzr_agents::{
    knowledge::{EmbeddedIndex, KnowledgeIndex, OfflineEmbedder},
    model::{ChatModel, OfflineModel, embedder::Embedder},
    router::Router,
};
use stayzr_core::port::Store;

use crate::{config::Config, failure::Failure, probe::Probe};

/// The chat model, and the router that goes with it.
pub(crate) fn chat(config: &Config) -> Result<(Arc<dyn ChatModel>, Router), Failure> {
    match config.model.provider.as_str() {
        "offline" => Ok((Arc::new(OfflineModel), Router::offline())),
        _ => hosted::chat(config),
    }
}

/// The embedder.
pub(crate) fn embedder(config: &Config) -> Result<Arc<dyn Embedder>, Failure> {
    match config.embedder.provider.as_str() {
        "offline" => Ok(Arc::new(OfflineEmbedder)),
        _ => hosted::embedder(config),
    }
}

/// Where passages are searched.
pub(crate) struct Index {
    pub(crate) passages: Arc<dyn KnowledgeIndex>,
    /// Asks it whether it answers, where it is not in this process.
    pub(crate) probe: Option<Arc<dyn Probe>>,
}

/// The knowledge index.
pub(crate) fn index(
    config: &Config,
    store: &Arc<dyn Store>,
    embedder: &dyn Embedder,
) -> Result<Index, Failure> {
    match config.knowledge.index.as_str() {
        "embedded" => Ok(Index {
            passages: Arc::new(EmbeddedIndex::new(store.clone())),
            probe: None,
        }),
        _ => qdrant::index(config, embedder),
    }
}

#[cfg(feature = "genai")]
mod hosted {
    use secrecy::{ExposeSecret, SecretString};
    use stayzr_agents::model::genai::{
        DEFAULT_GEMINI_MODEL, GenaiConfig, GenaiEmbedder, GenaiModel, Provider, retired,
    };

    use super::*;

    fn provider(name: &str) -> Provider {
        match name {
            "openai" => Provider::Openai,
            "deepseek" => Provider::Deepseek,
            "openai_compatible" => Provider::OpenaiCompatible,
            _ => Provider::Gemini,
        }
    }

    fn genai(
        provider: Provider,
        model: String,
        base_url: &str,
        api_key: &SecretString,
    ) -> GenaiConfig {
        if let Some(retirement) = retired(&model) {
            tracing::warn!(
                model,
                ends = retirement.ends,
                instead = retirement.instead,
                "the provider ends this model"
            );
        }
        GenaiConfig {
            provider,
            model,
            base_url: (!base_url.is_empty()).then(|| base_url.to_owned()),
            api_key: (!api_key.expose_secret().is_empty()).then(|| api_key.clone()),
        }
    }

    pub(super) fn chat(config: &Config) -> Result<(Arc<dyn ChatModel>, Router), Failure> {
        let chosen = &config.model;
        let name = match chosen.name.as_str() {
            "" => DEFAULT_GEMINI_MODEL.to_owned(),
            name => name.to_owned(),
        };
        let genai = genai(
            provider(&chosen.provider),
            name,
            &chosen.base_url,
            &chosen.api_key,
        );
        let model: Arc<dyn ChatModel> = Arc::new(GenaiModel::new(&genai)?);
        Ok((model.clone(), Router::with_model(model)))
    }

    pub(super) fn embedder(config: &Config) -> Result<Arc<dyn Embedder>, Failure> {
        let chosen = &config.embedder;
        let provider = provider(&chosen.provider);
        let name = match (chosen.name.as_str(), provider) {
            ("", Provider::Gemini) => "gemini-embedding-001".to_owned(),
            ("", _) => "text-embedding-3-small".to_owned(),
            (name, _) => name.to_owned(),
        };
        // One key will do where both are of the same provider.
        let shared =
            chosen.api_key.expose_secret().is_empty() && chosen.provider == config.model.provider;
        let key = match shared {
            true => &config.model.api_key,
            false => &chosen.api_key,
        };
        let genai = genai(provider, name, &chosen.base_url, key);
        Ok(Arc::new(GenaiEmbedder::new(&genai, chosen.dimension)?))
    }
}

/// The configuration is validated, so this build never comes here.
#[cfg(not(feature = "genai"))]
mod hosted {
    use super::*;

    fn missing() -> Failure {
        Failure::new("not_built_in", "this build has no hosted models")
    }

    pub(super) fn chat(_: &Config) -> Result<(Arc<dyn ChatModel>, Router), Failure> {
        Err(missing())
    }

    pub(super) fn embedder(_: &Config) -> Result<Arc<dyn Embedder>, Failure> {
        Err(missing())
    }
}

#[cfg(feature = "qdrant")]
mod qdrant {
    use async_trait::async_trait;
    use secrecy::ExposeSecret;
    use stayzr_agents::knowledge::qdrant::QdrantIndex;

    use super::*;

    #[async_trait]
    impl Probe for QdrantIndex {
        fn name(&self) -> &'static str {
            "qdrant"
        }

        async fn check(&self) -> stayzr_core::Result<()> {
            QdrantIndex::check(self).await
        }
    }

    pub(super) fn index(config: &Config, embedder: &dyn Embedder) -> Result<Index, Failure> {
        let chosen = &config.knowledge;
        let key = &chosen.qdrant_api_key;
        let key = (!key.expose_secret().is_empty()).then_some(key);
        let mark = embedder.mark();
        let index = Arc::new(QdrantIndex::connect(&chosen.qdrant_url, key, mark)?);
        Ok(Index {
            passages: index.clone(),
            probe: Some(index),
        })
    }
}

/// The configuration is validated, so this build never comes here.
#[cfg(not(feature = "qdrant"))]
mod qdrant {
    use super::*;

    pub(super) fn index(_: &Config, _: &dyn Embedder) -> Result<Index, Failure> {
        Err(Failure::new("not_built_in", "this build has no Qdrant"))
    }
}
