use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The model of Gemini that is used where none is named.
pub const DEFAULT_GEMINI_MODEL: &str = "gemini-3.8-flash";

/// Whose interface is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google Gemini, `generateContent`.
    #[default]
    Gemini,
    /// OpenAI, Responses.
    Openai,
    /// DeepSeek.
    Deepseek,
    /// Any server that speaks OpenAI's Chat Completions; `base_url` is required.
    OpenaiCompatible,
}

/// How a provider is reached.
#[derive(Debug, Clone)]
pub struct GenaiConfig {
    /// The provider.
    pub provider: Provider,
    /// The model, as the provider names it.
    pub model: String,
    /// Another address than the provider's own, such as `http://localhost:11434/v1/`.
    pub base_url: Option<String>,
    /// The key; local servers may do without.
    pub api_key: Option<SecretString>,
}

impl GenaiConfig {
    /// Gemini with the default model.
    pub fn gemini(api_key: SecretString) -> Self {
        Self {
            provider: Provider::Gemini,
            model: DEFAULT_GEMINI_MODEL.to_owned(),
            base_url: None,
            api_key: Some(api_key),
        }
    }
}

/// A model that a provider has ended, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retirement {
    /// The beginning of its name.
    pub name: &'static str,
    /// When it ends or ended.
    pub ends: &'static str,
    /// What to use instead.
    pub instead: &'static str,
}

/// Names that answer 404, or will soon. The longest matching beginning wins.
const RETIRED: &[Retirement] = &[
    Retirement {
        name: "gemini-1.",
        ends: "2025-09-24",
        instead: DEFAULT_GEMINI_MODEL,
    },
    Retirement {
        name: "gemini-2.0-",
        ends: "2026-06-01",
        instead: DEFAULT_GEMINI_MODEL,
    },
    Retirement {
        name: "gemini-2.5-pro",
        ends: "2026-12-01",
        instead: DEFAULT_GEMINI_MODEL,
    },
    Retirement {
        name: "gemini-2.5-flash",
        ends: "2026-12-01",
        instead: DEFAULT_GEMINI_MODEL,
    },
    Retirement {
        name: "text-embedding-004",
        ends: "2026-01-14",
        instead: "gemini-embedding-001",
    },
    Retirement {
        name: "gpt-3.5",
        ends: "2026-10-23",
        instead: "gpt-6-luna",
    },
    Retirement {
        name: "gpt-4-turbo",
        ends: "2026-10-23",
        instead: "gpt-6-luna",
    },
    Retirement {
        name: "gpt-4o",
        ends: "2027-01-14",
        instead: "gpt-6-luna",
    },
    Retirement {
        name: "gpt-4.1",
        ends: "2027-01-14",
        instead: "gpt-6-luna",
    },
    Retirement {
        name: "gpt-5.1",
        ends: "2027-04-01",
        instead: "gpt-6-luna",
    },
    Retirement {
        name: "deepseek-chat",
        ends: "2026-07-24",
        instead: "deepseek-flash",
    },
    Retirement {
        name: "deepseek-reasoner",
        ends: "2026-07-24",
        instead: "deepseek-flash",
    },
];

/// Whether a provider has ended this model, or has said when. The name stays usable: the provider
/// has the last word.
///
/// ```
/// use stayzr_agents::model::genai::retired;
///
/// assert_eq!(retired("gemini-2.0-flash-exp").unwrap().instead, "gemini-3.8-flash");
/// assert!(retired("gemini-3.8-flash").is_none());
/// assert!(retired("gemini-2.5-flash-lite").is_none());
/// ```
pub fn retired(model: &str) -> Option<Retirement> {
    // The small one outlives its family.
    if model.starts_with("gemini-2.5-flash-lite") {
        return None;
    }
    RETIRED
        .iter()
        .filter(|retirement| model.starts_with(retirement.name))
        .max_by_key(|retirement| retirement.name.len())
        .copied()
}
