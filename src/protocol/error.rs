//! The error codes of OAuth and OpenID Connect, each with the status it has at a JSON endpoint.

use std::borrow::Cow;

/// An error in the standards' words. `description` is for the developer who reads it: which parameter, what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    pub code: ErrorCode,
    pub description: Cow<'static, str>,
}

impl OAuthError {
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: printable(description.into()) }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal $status:literal,)*) => {
        /// The `error` values that this server sends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The HTTP status at an endpoint that answers with JSON.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// RFC 6749 §4.1.2.1, §5.2.
    InvalidRequest = "invalid_request" 400,
    /// RFC 6749 §5.2; 401 at the token endpoint.
    InvalidClient = "invalid_client" 401,
    /// RFC 6749 §5.2.
    InvalidGrant = "invalid_grant" 400,
    /// RFC 6749 §5.2.
    UnauthorizedClient = "unauthorized_client" 400,
    /// RFC 6749 §5.2.
    UnsupportedGrantType = "unsupported_grant_type" 400,
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType = "unsupported_token_type" 400,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType = "unsupported_response_type" 400,
    /// RFC 6749 §4.1.2.1.
    InvalidScope = "invalid_scope" 400,
    /// RFC 6749 §4.1.2.1, RFC 8628 §3.5.
    AccessDenied = "access_denied" 400,
    /// RFC 6749 §4.1.2.1.
    ServerError = "server_error" 500,
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable = "temporarily_unavailable" 503,
    /// RFC 6750 §3.1.
    InvalidToken = "invalid_token" 401,
    /// RFC 6750 §3.1.
    InsufficientScope = "insufficient_scope" 403,
    /// OpenID Connect Core §3.1.2.6.
    LoginRequired = "login_required" 400,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired = "consent_required" 400,
    /// OpenID Connect Core §3.1.2.6.
    InteractionRequired = "interaction_required" 400,
    /// OpenID Connect Core Error Code `unmet_authentication_requirements` §2.
    UnmetAuthenticationRequirements = "unmet_authentication_requirements" 400,
    /// RFC 8628 §3.5.
    AuthorizationPending = "authorization_pending" 400,
    /// RFC 8628 §3.5.
    SlowDown = "slow_down" 400,
    /// RFC 8628 §3.5.
    ExpiredToken = "expired_token" 400,
    /// RFC 8707 §2.
    InvalidTarget = "invalid_target" 400,
    /// RFC 9396 §5.
    InvalidAuthorizationDetails = "invalid_authorization_details" 400,
    /// RFC 9470 §3.
    InsufficientUserAuthentication = "insufficient_user_authentication" 401,
    /// OpenID Connect Core §3.1.2.6.
    RequestNotSupported = "request_not_supported" 400,
    /// OpenID Connect Core §3.1.2.6.
    RequestUriNotSupported = "request_uri_not_supported" 400,
    /// RFC 9101 §7.
    InvalidRequestUri = "invalid_request_uri" 400,
    /// OpenID Connect Core §3.1.2.6.
    RegistrationNotSupported = "registration_not_supported" 400,
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri = "invalid_redirect_uri" 400,
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata = "invalid_client_metadata" 400,
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement = "unapproved_software_statement" 400,
    /// RFC 6585 §4; OAuth has no word for it.
    TooManyRequests = "too_many_requests" 429,
    /// Not of OAuth: a thing at one of our own APIs that is not there.
    NotFound = "not_found" 404,
    /// Not of OAuth: a thing is not any more as whoever asks took it to be.
    Conflict = "conflict" 409,
    /// Not of OAuth: what `If-Match` names is not how it is (RFC 9110 §13.1.1).
    PreconditionFailed = "precondition_failed" 412,
}

// RFC 6749 §5.2: error_description has only %x20-21 / %x23-5B / %x5D-7E.
fn printable(text: Cow<'static, str>) -> Cow<'static, str> {
    let fits = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    if text.chars().all(fits) {
        return text;
    }
    text.chars()
        .map(|c| {
            if fits(c) {
                c
            } else if c == '"' {
                '\''
            } else {
                '?'
            }
        })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_keep_to_the_characters_of_the_rfc() {
        assert_eq!(OAuthError::new(ErrorCode::InvalidRequest, "a \"b\" \\ é\n").description, "a 'b' ? ??");
    }
}
