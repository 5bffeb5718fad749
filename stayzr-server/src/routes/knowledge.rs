//! What the concierge knows: documents in, questions asked.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use stayzr_agents::knowledge::{NewDocument, SearchRequest};
use stayzr_core::{
    Error, ErrorKind,
    ids::{DocumentId, PropertyId},
    model::Document,
};

use crate::http::{Call, Handled, Problem, json as answer, no_content};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDocumentBody {
    property_id: Option<PropertyId>,
    category: String,
    file_name: String,
    #[serde(default)]
    content_type: String,
    content: String,
}

pub(super) async fn put(call: Call) -> Handled {
    let body: NewDocumentBody = call.json()?;
    let scope = match body.property_id {
        Some(property) => call.scope_of(property).await?,
        None => call.scope()?,
    };
    let document = NewDocument {
        property_id: body.property_id,
        category: body.category,
        file_name: body.file_name,
        content_type: body.content_type,
        content: body.content.into_bytes(),
    };
    let stored = call.state.knowledge.put(scope, document).await;
    let stored = stored.map_err(refused_by_vendor)?;
    answer(StatusCode::CREATED, &without_content(&stored))
}

pub(super) async fn list(call: Call) -> Handled {
    let page = call.query.page()?;
    let found = call.state.store.documents(call.scope()?, &page).await?;
    let items: Vec<Value> = found.items.iter().map(without_content).collect();
    answer(
        StatusCode::OK,
        &json!({"items": items, "next_cursor": found.next_cursor}),
    )
}

pub(super) async fn item(call: Call) -> Handled {
    let id: DocumentId = call.id("id", "document")?;
    match call.state.store.document(call.scope()?, id).await? {
        Some(document) => answer(StatusCode::OK, &document),
        None => Err(Problem::not_found("document")),
    }
}

pub(super) async fn delete(call: Call) -> Handled {
    let id: DocumentId = call.id("id", "document")?;
    match call.state.knowledge.delete(call.scope()?, id).await? {
        true => Ok(no_content()),
        false => Err(Problem::not_found("document")),
    }
}

pub(super) async fn search(call: Call) -> Handled {
    let request: SearchRequest = call.json()?;
    let scope = match request.property_id {
        Some(property) => call.scope_of(property).await?,
        None => call.scope()?,
    };
    let results = call.state.knowledge.search(scope, &request).await;
    let results = results.map_err(refused_by_vendor)?;
    answer(StatusCode::OK, &json!({"results": results}))
}

/// What a hosted embedder or index says about our key, our model's name or our call says nothing
/// about the caller's: to the caller, it is down.
fn refused_by_vendor(error: Error) -> Problem {
    use ErrorKind::{Corrupt, Forbidden, Invalid, NotFound, Unauthorized};
    let embedder = error.operation() == "model.embed"
        && matches!(error.kind(), Forbidden | NotFound | Invalid | Corrupt);
    // Nothing behind this API has credentials of its own but those two.
    if embedder || error.kind() == Unauthorized {
        return Error::unavailable(
            "knowledge",
            "the embedder or the index refuses the server's calls; its log says why",
        )
        .with_source(error)
        .into();
    }
    error.into()
}

/// A document as lists show it: a list of whole texts would be megabytes.
fn without_content(document: &Document) -> Value {
    let mut shown = json!(document);
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("content");
    }
    shown
}
