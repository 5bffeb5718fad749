//! The Gemini adapter against a provider on this machine that speaks `generateContent`.
#![cfg(feature = "genai")]
#![allow(clippy::unwrap_used)]

mod provider;

use std::time::Duration;

use provider::{Answer, FakeProvider};
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_agents::model::{
    ChatLimits, ChatMessage, ChatModel, ChatRequest, Stop, ToolReply, ToolSpec, TurnBrief,
    embedder::Embedder,
    genai::{GenaiConfig, GenaiEmbedder, GenaiModel, Provider},
};
use stayzr_core::{ErrorKind, model::LanguageTag};

fn config(provider: &FakeProvider) -> GenaiConfig {
    GenaiConfig {
        base_url: Some(provider.url.clone()),
        ..GenaiConfig::gemini(SecretString::from("test-key"))
    }
}

fn request(messages: Vec<ChatMessage>) -> ChatRequest {
    ChatRequest {
        system: "You are the concierge.".to_owned(),
        messages,
        tools: vec![ToolSpec {
            name: "search_knowledge".to_owned(),
            description: "Searches.".to_owned(),
            parameters: json!({"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}),
        }],
        limits: ChatLimits {
            max_output_tokens: 2_048,
            timeout: Duration::from_secs(5),
        },
        brief: TurnBrief {
            language: LanguageTag::english(),
            today: "2026-11-22".parse().unwrap(),
            property: "Casa do Rio".to_owned(),
            intent: "breakfast".to_owned(),
            guest: None,
        },
    }
}

fn guest(text: &str) -> ChatMessage {
    ChatMessage::Guest {
        text: text.to_owned(),
    }
}

fn answer(parts: &Value, finish: &str) -> Answer {
    Answer::json(&json!({
        "candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": finish}],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 34, "thoughtsTokenCount": 100, "totalTokenCount": 146},
        "modelVersion": "gemini-3.8-flash-002"
    }))
}

async fn ask(
    answers: Vec<Answer>,
) -> (
    FakeProvider,
    stayzr_core::Result<stayzr_agents::model::ChatResponse>,
) {
    let provider = FakeProvider::start(answers).await;
    let model = GenaiModel::new(&config(&provider)).unwrap();
    let response = model
        .chat(&request(vec![guest("When is breakfast?")]))
        .await;
    (provider, response)
}

#[tokio::test]
async fn a_request_has_the_shape_that_gemini_documents() {
    let (provider, response) = ask(vec![answer(&json!([{"text": "At seven."}]), "STOP")]).await;
    let response = response.unwrap();
    assert_eq!(response.text.as_deref(), Some("At seven."));
    assert_eq!(response.stop, Stop::End);
    assert_eq!(
        (response.usage.input_tokens, response.usage.output_tokens),
        (12, 134)
    );
    assert_eq!(response.model, "gemini-3.8-flash-002");

    let received = &provider.received()[0];
    assert_eq!(
        received.path,
        "/v1beta/models/gemini-3.8-flash:generateContent"
    );
    assert_eq!(received.key.as_deref(), Some("test-key"));
    let body = &received.body;
    assert_eq!(
        body["systemInstruction"]["parts"][0]["text"],
        "You are the concierge."
    );
    assert_eq!(
        body["contents"],
        json!([{"role": "user", "parts": [{"text": "When is breakfast?"}]}])
    );
    let generation = &body["generationConfig"];
    assert_eq!(generation["thinkingConfig"]["thinkingLevel"], "LOW");
    assert_eq!(generation["maxOutputTokens"], 2_048);
    for sampling in ["temperature", "topP", "topK", "candidateCount"] {
        assert!(
            generation.get(sampling).is_none(),
            "{sampling} is deprecated"
        );
    }
    let declaration = &body["tools"][0]["functionDeclarations"][0];
    assert_eq!(declaration["name"], "search_knowledge");
    assert_eq!(
        declaration["parametersJsonSchema"]["required"],
        json!(["query"])
    );
}

#[tokio::test]
async fn a_turn_with_calls_goes_back_verbatim_with_its_signatures() {
    let parts = json!([
        {"text": "Let me look.", "thoughtSignature": "c2lnLTA="},
        {"functionCall": {"id": "fc_1", "name": "search_knowledge", "args": {"query": "breakfast"}}, "thoughtSignature": "c2lnLTE="},
        {"functionCall": {"id": "fc_2", "name": "search_knowledge", "args": {"query": "wifi"}}},
        {"text": "", "thoughtSignature": "c2lnLTI="}
    ]);
    let provider = FakeProvider::start(vec![
        answer(&parts, "STOP"),
        answer(&json!([{"text": "At seven."}]), "STOP"),
    ])
    .await;
    let model = GenaiModel::new(&config(&provider)).unwrap();
    let first = request(vec![guest("Breakfast and wifi?")]);
    let asked = model.chat(&first).await.unwrap();
    assert_eq!(
        asked.stop,
        Stop::Tool,
        "STOP with calls is a wish for tools"
    );
    assert_eq!(asked.calls.len(), 2);

    let replies = asked
        .calls
        .iter()
        .map(|call| ToolReply {
            id: call.id.clone(),
            name: call.name.clone(),
            content: json!({"passages": []}),
            ok: true,
        })
        .collect();
    // The turn may be stored and read again between the two calls.
    let turn = ChatMessage::Assistant {
        text: asked.text,
        calls: asked.calls,
        native: asked.native,
    };
    let stored = serde_json::to_string(&turn).unwrap();
    let mut messages = first.messages.clone();
    messages.push(serde_json::from_str(&stored).unwrap());
    messages.push(ChatMessage::Tools { replies });
    model.chat(&request(messages)).await.unwrap();

    let contents = &provider.received()[1].body["contents"];
    assert_eq!(contents[1], json!({"role": "model", "parts": parts}));
    let responses = &contents[2];
    assert_eq!(responses["role"], "user");
    assert_eq!(
        responses["parts"].as_array().unwrap().len(),
        2,
        "one turn for all results"
    );
    assert_eq!(responses["parts"][0]["functionResponse"]["id"], "fc_1");
    assert_eq!(responses["parts"][1]["functionResponse"]["id"], "fc_2");
    assert_eq!(
        responses["parts"][0]["functionResponse"]["response"],
        json!({"passages": []})
    );
}

#[tokio::test]
async fn thoughts_are_never_the_answer() {
    let (_, response) = ask(vec![answer(
        &json!([{"text": "They want breakfast.", "thought": true}, {"text": "At seven."}]),
        "STOP",
    )])
    .await;
    assert_eq!(response.unwrap().text.as_deref(), Some("At seven."));
}

#[tokio::test]
async fn a_refusal_is_an_answer() {
    let prompt = Answer::json(&json!({"promptFeedback": {"blockReason": "SAFETY"}}));
    let candidate = Answer::json(&json!({"candidates": [{"index": 0, "finishReason": "SAFETY"}]}));
    for refusal in [prompt, candidate] {
        let (_, response) = ask(vec![refusal]).await;
        assert_eq!(response.unwrap().stop, Stop::Blocked);
    }
}

#[tokio::test]
async fn a_cut_answer_says_so() {
    let (_, response) = ask(vec![answer(&json!([{"text": "At sev"}]), "MAX_TOKENS")]).await;
    assert_eq!(response.unwrap().stop, Stop::Length);
    let (_, response) = ask(vec![answer(&json!([]), "MALFORMED_FUNCTION_CALL")]).await;
    assert_eq!(response.unwrap().stop, Stop::Error);
}

#[tokio::test]
async fn failures_have_their_kind() {
    let error = |status: u16, name: &str| {
        Answer::error(
            status,
            &json!({"error": {"code": status, "message": "for When is breakfast?", "status": name}}),
        )
    };
    let cases = [
        (error(400, "INVALID_ARGUMENT"), ErrorKind::Invalid),
        (error(401, "UNAUTHENTICATED"), ErrorKind::Unauthorized),
        (error(403, "PERMISSION_DENIED"), ErrorKind::Forbidden),
        (error(404, "NOT_FOUND"), ErrorKind::NotFound),
        (error(429, "RESOURCE_EXHAUSTED"), ErrorKind::RateLimited),
        (error(500, "INTERNAL"), ErrorKind::Unavailable),
        (error(503, "UNAVAILABLE"), ErrorKind::Unavailable),
        (
            Answer::json(&json!({"usageMetadata": {}})),
            ErrorKind::Corrupt,
        ),
        (
            Answer {
                status: 200,
                headers: Vec::new(),
                body: "<html>".to_owned(),
            },
            ErrorKind::Corrupt,
        ),
    ];
    for (answer, kind) in cases {
        let status = answer.status;
        let (_, response) = ask(vec![answer]).await;
        let error = response.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("breakfast"),
            "a guest's words in an error: {shown}"
        );
        assert!(!shown.contains("test-key"), "the key in an error: {shown}");
    }
}

#[tokio::test]
async fn the_wait_that_the_provider_asks_for_is_kept() {
    let details = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]}});
    let (_, response) = ask(vec![Answer::error(429, &details)]).await;
    assert_eq!(
        response.unwrap_err().retry_after(),
        Some(Duration::from_secs(34))
    );
    let header = Answer {
        headers: vec![("retry-after", "7")],
        ..Answer::error(429, &json!({}))
    };
    let (_, response) = ask(vec![header]).await;
    assert_eq!(
        response.unwrap_err().retry_after(),
        Some(Duration::from_secs(7))
    );
}

#[tokio::test]
async fn nobody_at_home_is_unavailable() {
    let config = GenaiConfig {
        base_url: Some("http://127.0.0.1:9/v1beta/".to_owned()),
        ..GenaiConfig::gemini(SecretString::from("test-key"))
    };
    let model = GenaiModel::new(&config).unwrap();
    let error = model.chat(&request(vec![guest("hi")])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn clients_need_no_tls_provider_of_the_process() {
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    GenaiModel::new(&GenaiConfig::gemini(SecretString::from("k"))).unwrap();
    GenaiEmbedder::new(&GenaiConfig::gemini(SecretString::from("k")), 768).unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn a_configuration_without_key_or_address_is_refused() {
    let keyless = GenaiConfig {
        api_key: None,
        ..GenaiConfig::gemini(SecretString::from("k"))
    };
    assert_eq!(
        GenaiModel::new(&keyless).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let homeless = GenaiConfig {
        provider: Provider::OpenaiCompatible,
        model: "llama".to_owned(),
        ..keyless
    };
    assert_eq!(
        GenaiModel::new(&homeless).unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn an_openai_compatible_server_is_asked_in_its_own_way() {
    let provider = FakeProvider::start(vec![Answer::json(&json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": "llama3",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "search_knowledge", "arguments": "{\"query\":\"wifi\"}"}}]}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    }))])
    .await;
    let config = GenaiConfig {
        provider: Provider::OpenaiCompatible,
        model: "llama3".to_owned(),
        base_url: Some(provider.url.clone()),
        api_key: None,
    };
    let model = GenaiModel::new(&config).unwrap();
    let response = model.chat(&request(vec![guest("wifi?")])).await.unwrap();
    assert_eq!(response.stop, Stop::Tool);
    assert_eq!(response.calls[0].arguments, json!({"query": "wifi"}));
    assert_eq!(provider.received()[0].path, "/v1beta/chat/completions");
}

#[tokio::test]
async fn vectors_come_in_order_and_with_length_one() {
    let provider = FakeProvider::start(vec![Answer::json(
        &json!({"embeddings": [{"values": [3.0, 4.0]}, {"values": [0.0, 2.0]}]}),
    )])
    .await;
    let config = GenaiConfig {
        model: "gemini-embedding-001".to_owned(),
        ..config(&provider)
    };
    let embedder = GenaiEmbedder::new(&config, 2).unwrap();
    let vectors = embedder
        .embed_documents(&["pool".to_owned(), "spa".to_owned()])
        .await
        .unwrap();
    assert_eq!(vectors, [[0.6, 0.8], [0.0, 1.0]]);
    assert_eq!(embedder.mark().embedder, "gemini-embedding-001");
    let received = &provider.received()[0];
    assert_eq!(
        received.path,
        "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    );
    let first = &received.body["requests"][0];
    assert_eq!(first["taskType"], "RETRIEVAL_DOCUMENT");
    assert_eq!(first["outputDimensionality"], 2);
    assert_eq!(first["content"]["parts"][0]["text"], "pool");
}

#[tokio::test]
async fn vectors_of_another_shape_are_refused() {
    let shapes = [
        json!({"embeddings": [{"values": [1.0, 0.0, 0.0]}]}),
        json!({"embeddings": []}),
        json!({"embeddings": [{"values": [0.0, 0.0]}]}),
    ];
    for shape in shapes {
        let provider = FakeProvider::start(vec![Answer::json(&shape)]).await;
        let embedder = GenaiEmbedder::new(&config(&provider), 2).unwrap();
        let error = embedder
            .embed_queries(&["pool".to_owned()])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{shape}");
    }
}
