use serde::{Deserialize, Serialize};

/// A text message as the Cloud API takes it.
#[derive(Debug, Serialize)]
pub(super) struct TextMessage<'a> {
    pub(super) messaging_product: &'static str,
    pub(super) recipient_type: &'static str,
    /// A telephone number or `wa_id`; wins over `recipient`, so only one of them is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<&'a str>,
    /// A business-scoped user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient: Option<&'a str>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Context<'a>>,
    /// Comes back with every status, also with one that overtakes our answer.
    pub(super) biz_opaque_callback_data: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Text<'a> {
    pub(super) preview_url: bool,
    pub(super) body: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Context<'a> {
    pub(super) message_id: &'a str,
}

/// What the Cloud API answers; 200 means taken, not sent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) messages: Vec<Taken>,
    #[serde(default)]
    pub(super) error: Option<ApiError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ApiError {
    /// An integer; some relays give a string.
    #[serde(default)]
    pub(super) code: serde_json::Value,
    #[serde(default)]
    pub(super) is_transient: Option<bool>,
    #[serde(default)]
    pub(super) fbtrace_id: Option<String>,
}

impl ApiError {
    pub(super) fn code(&self) -> Option<i64> {
        match &self.code {
            serde_json::Value::Number(code) => code.as_i64(),
            serde_json::Value::String(code) => code.trim().parse().ok(),
            _ => None,
        }
    }
}
