use std::collections::BTreeSet;

use stayzr_core::{ErrorKind, model::PmsEvent, port::sync::ParkedRecord};

use crate::{
    http::{Dialect, redact},
    provider::{RecordPage, RemoteRecord},
};

/// What a body of a vendor is read as, without asking the vendor anything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Records and what was put aside.
    pub page: RecordPage,
    /// Events of a webhook or a queue.
    pub events: Vec<PmsEvent>,
    /// Keys of records that no field of ours holds; they are kept beside the record.
    pub kept: BTreeSet<String>,
    /// Values that are not known, as `field: value` by the vendor's names; they are kept as they came.
    pub unknown: BTreeSet<String>,
    /// What departs from what the vendor documents, or had to be taken for something, as a
    /// sentence each.
    pub tolerated: BTreeSet<String>,
    /// How many elements are of a list that is no record of ours, such as tasks.
    pub others: usize,
    /// How many elements are something else than a record of ours, such as a bicycle among rooms.
    pub foreign: usize,
    /// What the vendor complains about, where the body is an error that was asked for as one.
    pub complaint: Option<VendorComplaint>,
}

/// What a vendor says is wrong, and what that means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorComplaint {
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What a person should do.
    pub advice: &'static str,
    /// The vendor's sentence, redacted.
    pub says: String,
}

impl Reading {
    /// Takes a record, or what was put aside in its place.
    pub(crate) fn take(&mut self, read: Result<RemoteRecord, ParkedRecord>) {
        match read {
            Ok(record) => {
                self.kept.extend(record.extra.keys().cloned());
                let named = record.unknown.iter();
                self.unknown
                    .extend(named.map(|unknown| format!("{}: {}", unknown.field, unknown.value)));
                self.page.records.push(record);
            }
            Err(parked) => self.page.parked.push(parked),
        }
    }

    /// An error of a vendor as what it was asked for.
    pub(crate) fn of_complaint(complaint: VendorComplaint) -> Self {
        Self {
            complaint: Some(complaint),
            ..Self::default()
        }
    }
}

impl VendorComplaint {
    /// The complaint that an answer with this status holds, if it is one.
    pub(crate) fn of(
        dialect: &Dialect,
        status: http::StatusCode,
        body: &serde_json::Value,
    ) -> Option<Self> {
        let complaint = (dialect.complaint)(status, body)?;
        let (kind, advice) = dialect.classify(status, complaint.code.as_deref());
        Some(Self {
            kind,
            advice,
            says: redact(&complaint.message.unwrap_or_default(), []),
        })
    }

    /// The same as an error of an operation that had no answer but this.
    pub(crate) fn error(self, operation: &'static str) -> stayzr_core::Error {
        stayzr_core::Error::new(self.kind, operation, self.advice).with("vendor_says", self.says)
    }
}

/// The status that the name of an operation holds, such as `error.403`; 400 where it holds none.
pub(crate) fn status_in(operation: &str) -> http::StatusCode {
    operation
        .split('.')
        .find_map(|part| part.parse::<http::StatusCode>().ok())
        .filter(|status| !status.is_success())
        .unwrap_or(http::StatusCode::BAD_REQUEST)
}
