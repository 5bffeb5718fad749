use std::time::Duration;

use ::qdrant_client::QdrantError;
use stayzr_core::{Error, ErrorKind};

/// What a failed call means to the caller. The numbers are the status codes of gRPC.
pub(super) fn mapped(operation: &'static str) -> impl FnOnce(QdrantError) -> Error {
    move |cause| {
        let (kind, retry_after) = match &cause {
            QdrantError::ResponseError { status } => (kind_of(i32::from(status.code())), None),
            QdrantError::ResourceExhaustedError {
                retry_after_seconds,
                ..
            } => (
                ErrorKind::RateLimited,
                Some(Duration::from_secs(*retry_after_seconds)),
            ),
            QdrantError::InvalidUri(_) => (ErrorKind::Invalid, None),
            QdrantError::Io(_) => (ErrorKind::Unavailable, None),
            _ => (ErrorKind::Internal, None),
        };
        let error = Error::new(kind, operation, "the call to Qdrant failed").with_source(cause);
        match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

/// Every call may be repeated without harm, so a deadline that passed is a plain timeout. A server
/// that cannot be reached comes as 13, "internal": the client makes it so.
fn kind_of(code: i32) -> ErrorKind {
    match code {
        3 | 9 | 11 => ErrorKind::Invalid,
        4 => ErrorKind::Timeout,
        5 => ErrorKind::NotFound,
        6 => ErrorKind::Conflict,
        7 => ErrorKind::Forbidden,
        8 => ErrorKind::RateLimited,
        12 => ErrorKind::Unsupported,
        16 => ErrorKind::Unauthorized,
        1 | 2 | 10 | 13 | 14 => ErrorKind::Unavailable,
        15 => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_what_to_do() {
        for (code, kind) in [
            (14, ErrorKind::Unavailable),
            (4, ErrorKind::Timeout),
            (8, ErrorKind::RateLimited),
            (16, ErrorKind::Unauthorized),
            (3, ErrorKind::Invalid),
            (13, ErrorKind::Unavailable),
            (99, ErrorKind::Internal),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
