use std::fmt;

use serde_json::json;
use stayzr_core::{
    model::{ExternalRef, Note as Local, NoteKind},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::text;
use crate::providers::mews::wire::{NoteType, ServiceOrderNote};

/// Between a note of a service order and a note of a reservation.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteTransformer;

// Which reservation a note stands at is said when it is added, and never again.
const RULES: &[FieldRule] = &[
    FieldRule::remote("reservation_id"),
    FieldRule::remote("kind"),
    FieldRule::remote("kind_vendor"),
    FieldRule::shared("text").not_clearable(),
    FieldRule::remote("active"),
];

/// How a note is known here: by its order and its own id, since Mews gives notes by their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteId {
    /// The order.
    pub order: String,
    /// The note.
    pub note: String,
}

impl NoteId {
    /// Order and note of such an id; none if it is not one.
    ///
    /// ```
    /// use stayzr_pms::providers::mews::transform::NoteId;
    ///
    /// let id = NoteId::parse("1dc0c6bf/a06a225b").unwrap();
    /// assert_eq!((id.order.as_str(), id.note.as_str()), ("1dc0c6bf", "a06a225b"));
    /// assert_eq!(id.to_string(), "1dc0c6bf/a06a225b");
    /// assert_eq!(NoteId::parse("a06a225b"), None);
    /// ```
    pub fn parse(id: &str) -> Option<Self> {
        let (order, note) = id.split_once('/')?;
        (!order.is_empty() && !note.is_empty()).then(|| Self {
            order: order.to_owned(),
            note: note.to_owned(),
        })
    }
}

impl fmt::Display for NoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.order, self.note)
    }
}

impl Transformer<Local, ServiceOrderNote> for NoteTransformer {
    fn to_local(
        &self,
        remote: &ServiceOrderNote,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let order = text(remote.order_id.as_ref())
            .ok_or_else(|| TransformError::new("OrderId", "is missing"))?;
        let mut fields = FieldMap::new();
        fields.insert("kind", json!(kind(remote.r#type.as_ref())));
        fields.insert("kind_vendor", remote.r#type.as_ref().map(NoteType::as_str));
        fields.insert("text", remote.text.clone().unwrap_or_default());
        // Mews forgets a note that is deleted.
        fields.insert("active", true);
        let link = ExternalRef {
            kind: EntityKind::Reservation,
            id: order.to_owned(),
        };
        Ok(Transformed {
            fields,
            links: vec![("reservation_id", Some(link))],
            extra: remote.extra.clone(),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<ServiceOrderNote, TransformError> {
        let known = match local.kind {
            NoteKind::General => Some(NoteType::General),
            NoteKind::Channel => Some(NoteType::ChannelManager),
            NoteKind::SpecialRequest => Some(NoteType::SpecialRequest),
            NoteKind::Unknown => None,
        };
        Ok(ServiceOrderNote {
            text: Some(local.text.clone()),
            r#type: known.or(local.kind_vendor.as_deref().map(NoteType::from)),
            ..ServiceOrderNote::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

fn kind(word: Option<&NoteType>) -> NoteKind {
    match word {
        Some(NoteType::General) | None => NoteKind::General,
        Some(NoteType::ChannelManager) => NoteKind::Channel,
        Some(NoteType::SpecialRequest) => NoteKind::SpecialRequest,
        Some(NoteType::Unknown(_)) => NoteKind::Unknown,
    }
}
