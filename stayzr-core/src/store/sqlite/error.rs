use crate::{Error, ErrorKind};

/// What the caller can do about a failure of SQLite.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| {
        let (kind, message) = match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<i32>().ok());
                classify(code.unwrap_or_default(), database.message())
            }
            sqlx::Error::PoolTimedOut => (
                ErrorKind::Unavailable,
                "no connection to the database was free in time",
            ),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                (ErrorKind::Unavailable, "the database is closed")
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                (ErrorKind::Corrupt, "a stored value cannot be read")
            }
            _ => (ErrorKind::Internal, "the database refused"),
        };
        Error::new(kind, operation, message).with_source(error)
    }
}

/// From SQLite's result codes, <https://www.sqlite.org/rescode.html>: the low byte is the primary
/// code.
fn classify(code: i32, message: &str) -> (ErrorKind, &'static str) {
    match (code & 0xff, code) {
        (5 | 6, _) => (
            ErrorKind::Unavailable,
            "the database is locked by another process",
        ),
        (8, _) => (
            ErrorKind::Forbidden,
            "the database is read-only: make the file and its folder writable for this user",
        ),
        (14, _) => (
            ErrorKind::Forbidden,
            "the database file cannot be opened: check its path and permissions",
        ),
        (13, _) => (ErrorKind::Unavailable, "the disk is full: free some space"),
        (10, _) => (ErrorKind::Unavailable, "the disk cannot be read or written"),
        (11, _) => (
            ErrorKind::Corrupt,
            "the database file is damaged: restore it from a backup",
        ),
        (26, _) => (
            ErrorKind::Corrupt,
            "the file is not a SQLite database: choose another path",
        ),
        (_, 1555 | 2067 | 2579) => (ErrorKind::Conflict, "it is there already"),
        (_, 787) => (
            ErrorKind::Invalid,
            "it names something that does not exist here",
        ),
        (19, _) => (ErrorKind::Invalid, "a value is not allowed"),
        (1, _) if message.starts_with("no such table") => (
            ErrorKind::Unavailable,
            "the database has no schema yet: run the migrations",
        ),
        _ => (ErrorKind::Internal, "the database refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::classify;
    use crate::ErrorKind::{Conflict, Corrupt, Forbidden, Internal, Invalid, Unavailable};

    #[test]
    fn a_code_says_what_the_caller_can_do() {
        let table = [
            (5, Unavailable),
            (517, Unavailable),
            (8, Forbidden),
            (1032, Forbidden),
            (14, Forbidden),
            (13, Unavailable),
            (778, Unavailable),
            (11, Corrupt),
            (26, Corrupt),
            (1555, Conflict),
            (2067, Conflict),
            (787, Invalid),
            (275, Invalid),
            (1, Internal),
        ];
        for (code, kind) in table {
            assert_eq!(classify(code, "text").0, kind, "code {code}");
        }
        assert_eq!(classify(1, "no such table: jobs").0, Unavailable);
    }
}
