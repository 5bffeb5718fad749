use crate::{Error, ErrorKind};

/// What the caller can do about a failure of PostgreSQL.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| {
        let (kind, message) = match &error {
            sqlx::Error::Database(database) => {
                classify(&database.code().unwrap_or_default(), database.message())
            }
            sqlx::Error::PoolTimedOut => (
                ErrorKind::Unavailable,
                "no connection to the database was free in time",
            ),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                (ErrorKind::Unavailable, "the database is closed")
            }
            sqlx::Error::Io(_) => (
                ErrorKind::Unavailable,
                "the connection to the database was cut",
            ),
            sqlx::Error::Tls(_) => (
                ErrorKind::Unavailable,
                "no encrypted connection to the database: check sslmode and sslrootcert",
            ),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                (ErrorKind::Corrupt, "a stored value cannot be read")
            }
            _ => (ErrorKind::Internal, "the database refused"),
        };
        Error::new(kind, operation, message).with_source(error)
    }
}

/// Why a connection could not be opened.
pub(super) fn refused(error: sqlx::Error) -> Error {
    let message = match &error {
        sqlx::Error::Io(_) => {
            "no PostgreSQL server answers there: start it, or correct host and port in the URL"
        }
        _ => return failed("postgres.connect")(error),
    };
    Error::new(ErrorKind::Unavailable, "postgres.connect", message).with_source(error)
}

/// From the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn classify(code: &str, message: &str) -> (ErrorKind, &'static str) {
    match code {
        "23505" => (ErrorKind::Conflict, "it is there already"),
        "23503" => (
            ErrorKind::Invalid,
            "it names something that does not exist here",
        ),
        // Nothing was written, and nothing that was read need be wrong: not a conflict, by which a
        // worker would take its lease for lost.
        "40001" | "40P01" => (
            ErrorKind::Unavailable,
            "another transaction came between: repeat the call",
        ),
        "55P03" => (
            ErrorKind::Unavailable,
            "another transaction holds what this one needs",
        ),
        "57014" => (
            ErrorKind::Timeout,
            "the database took too long and did nothing",
        ),
        "28P01" | "28000" => (
            ErrorKind::Unauthorized,
            "the database refuses this user or password: check both in the URL",
        ),
        "3D000" => (
            ErrorKind::NotFound,
            "the database does not exist: run `create database NAME`",
        ),
        "42P01" | "3F000" | "42883" => (
            ErrorKind::Unavailable,
            "the database has no schema yet: run the migrations",
        ),
        "42501" if message.contains("row-level security") => {
            (ErrorKind::NotFound, "it belongs to another tenant")
        }
        "42501" => (
            ErrorKind::Forbidden,
            "the user may not do this: grant it, or migrate as another user (migrate_url)",
        ),
        "53100" => (ErrorKind::Unavailable, "the disk is full: free some space"),
        "53300" => (
            ErrorKind::Unavailable,
            "the server has no connection left: lower max_connections here or raise it there",
        ),
        "25006" => (
            ErrorKind::Unavailable,
            "the server is read-only: connect to the primary",
        ),
        "XX001" | "XX002" => (
            ErrorKind::Corrupt,
            "the database is damaged: restore it from a backup",
        ),
        _ => match code.get(..2) {
            Some("22" | "23") => (ErrorKind::Invalid, "a value is not allowed"),
            Some("08" | "53" | "57" | "58" | "25") => {
                (ErrorKind::Unavailable, "the database is not available")
            }
            _ => (ErrorKind::Internal, "the database refused"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::classify;
    use crate::ErrorKind::{
        Conflict, Forbidden, Internal, Invalid, NotFound, Timeout, Unauthorized, Unavailable,
    };

    #[test]
    fn a_code_says_what_the_caller_can_do() {
        let table = [
            ("23505", Conflict),
            ("23503", Invalid),
            ("23514", Invalid),
            ("22P05", Invalid),
            ("40P01", Unavailable),
            ("40001", Unavailable),
            ("55P03", Unavailable),
            ("57014", Timeout),
            ("57P01", Unavailable),
            ("28P01", Unauthorized),
            ("3D000", NotFound),
            ("42P01", Unavailable),
            ("42501", Forbidden),
            ("53300", Unavailable),
            ("42601", Internal),
            ("", Internal),
        ];
        for (code, kind) in table {
            assert_eq!(classify(code, "text").0, kind, "code {code}");
        }
        let refused = "new row violates row-level security policy for table \"guests\"";
        assert_eq!(classify("42501", refused).0, NotFound);
    }
}
