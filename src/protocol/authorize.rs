//! An authorization request, parsed: what comes out can be acted on without looking again.
//!
//! Two steps, because they fail differently (RFC 6749 §4.1.2.1): where the client or its redirect URI is wrong, nothing may be
//! sent to that URI; every other fault is told to the app.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::authorization_details::AssetAccess;
use super::claims_request::ClaimsRequest;
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use super::pkce::CodeChallenge;
use super::resource::Known;
use crate::domain::{ClientId, Pkce, RedirectUri, Scope};

/// The scopes that this server knows besides those of resources; others are ignored (OpenID Connect Core §3.1.2.1).
pub const SCOPES: &[&str] = &[
    Scope::OPENID,
    Scope::EMAIL,
    Scope::PROFILE,
    Scope::ADDRESS,
    Scope::PHONE,
    Scope::ASSETS_READ,
    Scope::ASSETS_WRITE,
    Scope::GRANTS_READ,
    Scope::GRANTS_WRITE,
    Scope::OFFLINE_ACCESS,
];

/// What a client may ask for, and what it means when it does not say.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub pkce: Pkce,
    /// The scopes that it may ask for; `None`: any.
    pub scope: Option<&'a Scope>,
    /// Seconds (OpenID Connect Registration §2).
    pub default_max_age: Option<u64>,
    pub default_acr_values: &'a [String],
    /// The resources that anybody may name.
    pub known: Known<'a>,
}

impl Terms<'static> {
    /// Those of a client that registered nothing of the kind, at a server without resources.
    #[must_use]
    pub fn plain(pkce: Pkce) -> Self {
        Self { pkce, scope: None, default_max_age: None, default_acr_values: &[], known: Known { resources: &[], userinfo: "" } }
    }
}

/// How the authorization response travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    FormPost,
}

/// Where the response to a request goes: known before anything else about it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPath {
    pub redirect_uri: RedirectUri,
    pub response_mode: ResponseMode,
    /// Given back byte for byte.
    pub state: Option<String>,
}

/// What a page may ask of the person (OpenID Connect Core §3.1.2.1; `create` of Initiating User Registration §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
    Create,
}

/// A request for a code that its client may make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    pub client_id: ClientId,
    pub return_path: ReturnPath,
    pub scope: Scope,
    pub nonce: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    pub prompt: BTreeSet<Prompt>,
    /// Seconds since the sign-in that are still recent enough.
    pub max_age: Option<u64>,
    pub login_hint: Option<String>,
    /// The way of signing in that the app would have, by its provider's id; not of the standards.
    #[serde(default)]
    pub connector_id: Option<String>,
    /// What is asked for by name.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// The levels of sign-in that are preferred, the first most of all; none of them is ever a reason to fail.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// The resources that the access token is to be for (RFC 8707).
    #[serde(default)]
    pub resource: Option<Vec<String>>,
    /// What the person has to agree to besides `scope`: the scopes of the claims, and the resources by their URI.
    #[serde(default)]
    pub agree_to: Scope,
    /// What it would do with assets of the person's (RFC 9396).
    #[serde(default)]
    pub details: Vec<AssetAccess>,
    /// The `sub` that `id_token_hint` named, once its signature was checked: nobody else may be let in.
    #[serde(default)]
    pub expected_subject: Option<String>,
}

/// Why a request cannot even be answered at the app; the person sees a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReturnPath {
    Client(OAuthError),
    RedirectUri(OAuthError),
}

/// The client that a request names.
///
/// # Errors
/// When `client_id` is missing, doubled, or no client id at all.
pub fn client_id(params: &Params) -> Result<ClientId, NoReturnPath> {
    let text = params.need("client_id").map_err(NoReturnPath::Client)?;
    text.parse().map_err(|reason| NoReturnPath::Client(OAuthError::new(ErrorCode::InvalidRequest, format!("{reason}"))))
}

impl ReturnPath {
    /// Where to answer, if the client registered the redirect URI (`domain` is the name that older apps use).
    pub fn find(params: &Params, registered: &[RedirectUri]) -> Result<Self, NoReturnPath> {
        let refuse = |description: &'static str| NoReturnPath::RedirectUri(OAuthError::new(ErrorCode::InvalidRequest, description));
        let requested = params
            .get_any(&["redirect_uri", "domain"])
            .map_err(NoReturnPath::RedirectUri)?
            .ok_or_else(|| refuse("redirect_uri (or domain) is missing"))?;
        // RFC 6749 §3.1.2.3: "the authorization server MUST compare and match the value received against at least one of the
        // registered redirection URIs"; RFC 9700 §2.1: exactly.
        let Some(admitting) = registered.iter().find(|uri| uri.admits(requested)) else {
            return Err(refuse(
                "redirect_uri is not one of those registered for this client; it must be the same text, character for character",
            ));
        };
        let redirect_uri = if admitting.as_str() == requested {
            admitting.clone()
        } else {
            requested.parse().map_err(|_| refuse("redirect_uri is not a URI"))?
        };
        // A doubled or unknown mode is told by `AuthorizeRequest::parse`, in the way that always works.
        let response_mode =
            if params.get("response_mode").ok().flatten() == Some("form_post") { ResponseMode::FormPost } else { ResponseMode::Query };
        Ok(Self { redirect_uri, response_mode, state: params.get("state").ok().flatten().map(str::to_owned) })
    }
}

impl AuthorizeRequest {
    /// Reads what is asked, and refuses what this server or this client does not do.
    pub fn parse(params: &Params, client_id: ClientId, return_path: ReturnPath, terms: Terms<'_>) -> Result<Self, OAuthError> {
        use ErrorCode as E;
        let fail = |code, description: &'static str| Err(OAuthError::new(code, description));
        if let Some(name) = params.doubled() {
            return Err(OAuthError::new(E::InvalidRequest, format!("{name} was sent more than once; send it once")));
        }
        if params.get("state")?.is_some_and(|state| state.len() > 4_096) {
            return fail(E::InvalidRequest, "state is longer than 4096 characters");
        }
        // OpenID Connect Core §6.1, §6.2, §7.2.1: the codes for what is not supported.
        if params.has("request") {
            return fail(E::RequestNotSupported, "request objects are not supported; send the parameters themselves");
        }
        if params.has("request_uri") {
            return fail(E::RequestUriNotSupported, "request_uri is not supported; send the parameters themselves");
        }
        if params.has("registration") {
            return fail(E::RegistrationNotSupported, "registration in a request is not supported; register the client first");
        }
        match params.need("response_type")? {
            "code" => {}
            _ => return fail(E::UnsupportedResponseType, "response_type must be code"),
        }
        match params.get("response_mode")? {
            None | Some("query" | "form_post") => {}
            Some(_) => return fail(E::InvalidRequest, "response_mode must be query or form_post"),
        }
        let resource = terms.known.named(&params.all("resource")?)?;
        let scope = scope(params, terms, resource.as_deref())?;
        let claims = match params.get("claims")? {
            // What may not be asked for by scope may not be asked for by name.
            Some(text) => terms.scope.into_iter().fold(ClaimsRequest::parse(text)?, ClaimsRequest::within),
            None => ClaimsRequest::default(),
        };
        // Core §5.5: the parameter is one of OpenID Connect; without `openid` there is neither ID token nor userinfo.
        let claims = if scope.contains(Scope::OPENID) { claims } else { ClaimsRequest::default() };
        let agree_to = claims.scope().union(&terms.known.to_agree_to(resource.as_deref()));
        Ok(Self {
            client_id,
            return_path,
            scope,
            claims,
            acr_values: acr_values(params, terms)?,
            resource,
            agree_to,
            details: AssetAccess::parse(params.get("authorization_details")?)?,
            nonce: nonce(params)?,
            code_challenge: code_challenge(params, terms.pkce)?,
            prompt: prompt(params)?,
            max_age: match params.get("max_age")? {
                Some(text) => {
                    Some(text.parse().map_err(|_| OAuthError::new(E::InvalidRequest, "max_age must be a whole number of seconds"))?)
                }
                None => terms.default_max_age,
            },
            // A hint that cannot be read is no reason to fail.
            login_hint: params.get("login_hint")?.filter(|hint| hint.len() <= 320).map(str::to_owned),
            connector_id: params.get("connector_id")?.filter(|id| id.len() <= 64).map(str::to_owned),
            expected_subject: None,
        })
    }

    #[must_use]
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    /// What the person has to agree to.
    #[must_use]
    pub fn consent_scope(&self) -> Scope {
        self.scope.union(&self.agree_to)
    }
}

// RFC 6749 §3.3: "The authorization server MAY fully or partially ignore the scope requested by the client, based on the authorization
// server policy"; the token response says what was given.
pub(super) fn scope(params: &Params, terms: Terms<'_>, resource: Option<&[String]>) -> Result<Scope, OAuthError> {
    let refuse = |description: String| OAuthError::new(ErrorCode::InvalidScope, description);
    let text = params.get("scope")?.ok_or_else(|| refuse("scope is missing; ask for openid at least".to_owned()))?;
    if text.len() > Scope::LONGEST_ASKED {
        return Err(refuse("scope is longer than 2000 characters".to_owned()));
    }
    let asked: Scope = text.parse().map_err(|reason| refuse(format!("{reason}")))?;
    let admitted = |token: &&str| terms.scope.is_none_or(|most| most.contains(token));
    // OpenID Connect Core §3.1.2.1: "Scope values used that are not understood by an implementation SHOULD be ignored."
    let understood = |token: &&str| SCOPES.contains(token) || terms.known.owner(token).is_some();
    let scope = Scope::of(asked.iter().filter(admitted).filter(understood));
    terms.known.check(&scope, resource)?;
    if scope.is_empty() {
        return Err(refuse("scope names nothing that this server knows and this client may ask for; ask for openid at least".to_owned()));
    }
    Ok(scope)
}

// OpenID Connect Core §3.1.2.1: acr_values are a voluntary claim. What is too much to be meant is left out.
fn acr_values(params: &Params, terms: Terms<'_>) -> Result<Vec<String>, OAuthError> {
    let asked = params.get("acr_values")?.filter(|text| text.len() <= 1_000);
    Ok(match asked {
        Some(text) => text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        None => terms.default_acr_values.to_vec(),
    })
}

/// The nonce of a request, which goes into the ID token (OpenID Connect Core §3.1.2.1).
pub fn nonce(params: &Params) -> Result<Option<String>, OAuthError> {
    match params.get("nonce")? {
        Some(value) if value.len() > 1_000 => Err(OAuthError::new(ErrorCode::InvalidRequest, "nonce is longer than 1000 characters")),
        value => Ok(value.map(str::to_owned)),
    }
}

/// The code challenge of a request, `S256` only (RFC 7636 §4.3).
pub fn code_challenge(params: &Params, pkce: Pkce) -> Result<Option<CodeChallenge>, OAuthError> {
    let fail = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidRequest, description));
    match (params.get("code_challenge")?, params.get("code_challenge_method")?) {
        (Some(text), Some("S256")) => match text.parse() {
            Ok(challenge) => Ok(Some(challenge)),
            Err(_) => fail("code_challenge must be the base64url of a SHA-256: 43 characters without padding"),
        },
        // RFC 7636 §4.3: the method "defaults to 'plain' if not present", and plain protects nothing that S256 does not.
        (Some(_), _) => fail("code_challenge_method must be S256"),
        (None, Some(_)) => fail("code_challenge is missing beside code_challenge_method"),
        (None, None) if pkce == Pkce::Optional => Ok(None),
        // RFC 9700 §2.1.1: "Authorization servers MUST enforce the correct usage of code_verifier at the token endpoint."
        (None, None) => fail("code_challenge is missing: this client must use PKCE with S256 (RFC 7636)"),
    }
}

fn prompt(params: &Params) -> Result<BTreeSet<Prompt>, OAuthError> {
    let fail = |description: &'static str| OAuthError::new(ErrorCode::InvalidRequest, description);
    let prompt = params
        .get("prompt")?
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "none" => Ok(Prompt::None),
            "login" => Ok(Prompt::Login),
            "consent" => Ok(Prompt::Consent),
            "select_account" => Ok(Prompt::SelectAccount),
            "create" => Ok(Prompt::Create),
            _ => Err(fail("prompt must be none, or one or more of login, consent, select_account, create")),
        })
        .collect::<Result<BTreeSet<_>, _>>()?;
    // OpenID Connect Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned."
    if prompt.contains(&Prompt::None) && prompt.len() > 1 {
        return Err(fail("prompt=none stands alone"));
    }
    Ok(prompt)
}

#[cfg(test)]
mod tests;
