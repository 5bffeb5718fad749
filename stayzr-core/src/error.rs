//! The one error type: what happened, in which operation, and what the caller can do about it.

use std::{borrow::Cow, fmt, time::Duration};

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing does not exist, or belongs to another tenant.
    NotFound,
    /// The credentials are missing, wrong or expired.
    Unauthorized,
    /// The credentials are good, the permission is missing.
    Forbidden,
    /// The input is wrong; sending it again does not help.
    Invalid,
    /// Somebody else changed it first; read again and decide.
    Conflict,
    /// A limit was reached; wait and try again.
    RateLimited,
    /// The other side is down or unreachable; try again later.
    Unavailable,
    /// No answer in time, and the operation certainly had no effect.
    Timeout,
    /// It may have happened: look before doing it again.
    Ambiguous,
    /// The other side cannot do this at all.
    Unsupported,
    /// Stored or received data contradicts its own format.
    Corrupt,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// A stable name in snake case, for APIs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Ambiguous => "ambiguous",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    /// [`ErrorKind::Ambiguous`] is not retryable: it wants a look first.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong: a kind, the operation, a sentence for people, and context.
///
/// Messages and context never hold secrets or message bodies.
///
/// ```
/// use stayzr_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NotFound, "guest.get", "no guest with this id")
///     .with("guest_id", "0190b7c2-0000-7000-8000-000000000000");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert!(!error.is_retryable());
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    operation: Cow<'static, str>,
    message: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` in `operation` (dotted, such as `mews.customers.getAll`).
    pub fn new(
        kind: ErrorKind,
        operation: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                operation: operation.into(),
                message: message.into(),
                context: Vec::new(),
                retry_after: None,
                source: None,
            }),
        }
    }

    /// Adds one fact, shown behind the message.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.inner.context.push((key, value.to_string()));
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Sets how long the other side asked us to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.inner.retry_after = Some(wait);
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The operation that failed.
    pub fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The facts behind the message.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.inner.context
    }

    /// How long the other side asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.inner.kind.is_retryable()
    }
}

macro_rules! shorthands {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(
                operation: impl Into<Cow<'static, str>>,
                message: impl Into<Cow<'static, str>>,
            ) -> Self {
                Self::new(ErrorKind::$kind, operation, message)
            })*
        }
    };
}

shorthands! {
    /// An [`ErrorKind::NotFound`].
    not_found => NotFound;
    /// An [`ErrorKind::Invalid`].
    invalid => Invalid;
    /// An [`ErrorKind::Conflict`].
    conflict => Conflict;
    /// An [`ErrorKind::Unavailable`].
    unavailable => Unavailable;
    /// An [`ErrorKind::Unsupported`].
    unsupported => Unsupported;
    /// An [`ErrorKind::Corrupt`].
    corrupt => Corrupt;
    /// An [`ErrorKind::Internal`].
    internal => Internal;
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({})",
            self.inner.operation, self.inner.message, self.inner.kind
        )?;
        for (key, value) in &self.inner.context {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(source) = &self.inner.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
