//! The kinds of problems, each with its status, its title and what to do.

use actix_web::http::StatusCode;

/// What can be wrong. The name of a kind is part of the interface: programs go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadKey,
    BadHeader,
    BadQuery,
    BadBody,
    NoToken,
    NotOffered,
    ForeignOrigin,
    Absent,
    NoRoute,
    MethodNotAllowed,
    SlowBody,
    NotCas,
    Superseded,
    Driving,
    PreconditionFailed,
    TooLarge,
    KeyTooLong,
    NotJson,
    ForeignHost,
    Impossible,
    KeyReused,
    TooManyWatchers,
    Broken,
    Unavailable,
    OutcomeUnknown,
}

/// What is said of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// The last part of its `type`.
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::BadKey,
        Self::BadHeader,
        Self::BadQuery,
        Self::BadBody,
        Self::NoToken,
        Self::NotOffered,
        Self::ForeignOrigin,
        Self::Absent,
        Self::NoRoute,
        Self::MethodNotAllowed,
        Self::SlowBody,
        Self::NotCas,
        Self::Superseded,
        Self::Driving,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::KeyTooLong,
        Self::NotJson,
        Self::ForeignHost,
        Self::Impossible,
        Self::KeyReused,
        Self::TooManyWatchers,
        Self::Broken,
        Self::Unavailable,
        Self::OutcomeUnknown,
    ];

    pub(crate) fn about(self) -> About {
        let (name, status, title, advice) = match self {
            Self::BadKey => (
                "bad-key",
                StatusCode::BAD_REQUEST,
                "The key cannot be read",
                "Percent-encode every byte of the key that is not a letter, a digit or one of -._~:",
            ),
            Self::BadHeader => (
                "bad-header",
                StatusCode::BAD_REQUEST,
                "A header cannot be read",
                "Send one condition: If-Match with entity tags as they were given, or If-None-Match: *",
            ),
            Self::BadQuery => (
                "bad-query",
                StatusCode::BAD_REQUEST,
                "The query cannot be read",
                "See the parameters in /v1/openapi.json",
            ),
            Self::BadBody => (
                "bad-body",
                StatusCode::BAD_REQUEST,
                "The body cannot be read",
                "See the schema in /v1/openapi.json",
            ),
            Self::NoToken => (
                "no-token",
                StatusCode::UNAUTHORIZED,
                "This needs the token",
                "Send Authorization: Bearer TOKEN",
            ),
            Self::NotOffered => (
                "not-offered",
                StatusCode::FORBIDDEN,
                "This gateway does not do that",
                "Start the gateway with a token, or ask another node",
            ),
            Self::ForeignOrigin => (
                "foreign-origin",
                StatusCode::FORBIDDEN,
                "A page of another origin asks",
                "Ask from a program, or from a page that this address has served",
            ),
            Self::Absent => (
                "absent",
                StatusCode::NOT_FOUND,
                "The register holds nothing",
                "It was never written, or deleted; its entity tag says which",
            ),
            Self::NoRoute => (
                "no-route",
                StatusCode::NOT_FOUND,
                "There is nothing at this path",
                "/v1/openapi.json lists all there is",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "The path does not answer this method",
                "The header Allow lists those it answers",
            ),
            Self::SlowBody => (
                "slow-body",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not come in time",
                "Send it at once; nothing was changed",
            ),
            Self::NotCas => (
                "not-cas",
                StatusCode::CONFLICT,
                "The key is a plain register",
                "Keys that begin with cas: or counter: can be compared and swapped; a plain register is written as it is",
            ),
            Self::Superseded => (
                "superseded",
                StatusCode::CONFLICT,
                "Another configuration is the newest",
                "Look at it, in `newest`, and ask again for a change of that one",
            ),
            Self::Driving => (
                "driving",
                StatusCode::CONFLICT,
                "A reconfiguration is under way here",
                "Wait for it, or ask another node",
            ),
            Self::PreconditionFailed => (
                "precondition-failed",
                StatusCode::PRECONDITION_FAILED,
                "The register is not as the condition says",
                "Nothing was changed; the header ETag says what the register holds now",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "Send at most `limit` bytes",
            ),
            Self::KeyTooLong => (
                "key-too-long",
                StatusCode::URI_TOO_LONG,
                "The key is too long",
                "A key has at most `limit` bytes",
            ),
            Self::NotJson => (
                "not-json",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not said to be JSON",
                "Send Content-Type: application/json",
            ),
            Self::ForeignHost => (
                "foreign-host",
                StatusCode::MISDIRECTED_REQUEST,
                "The host is no name of this gateway",
                "Ask by address, as localhost, or by a name that the gateway was told it has",
            ),
            Self::Impossible => (
                "impossible",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The configuration cannot be",
                "`reasons` says why; nothing was installed for this shard",
            ),
            Self::KeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The idempotency key names another change",
                "Give each change an idempotency key of its own; this one was not applied",
            ),
            Self::TooManyWatchers => (
                "too-many-watchers",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many watch already",
                "Ask again later, or watch at another node",
            ),
            Self::Broken => (
                "broken",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The answer was not one to this question",
                "Report it: this is a mistake in palco",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "No quorum has answered",
                "Nothing was changed; ask again, here or at another node",
            ),
            Self::OutcomeUnknown => (
                "outcome-unknown",
                StatusCode::GATEWAY_TIMEOUT,
                "Nobody knows whether it happened",
                "It may have happened, and may still: read before writing again; a change with an Idempotency-Key can be sent again as it is",
            ),
        };
        About { name, status, title, advice }
    }
}
