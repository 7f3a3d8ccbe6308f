//! An authorization request, parsed: what comes out can be acted on without looking again.
//!
//! Two steps, because they fail differently (RFC 6749 §4.1.2.1): where the client or its redirect URI is wrong, nothing may be
//! sent to that URI; every other fault is told to the app.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use super::pkce::CodeChallenge;
use crate::domain::{ClientId, Pkce, RedirectUri, Scope};

/// The scopes that this server knows; others are ignored (OpenID Connect Core §3.1.2.1).
pub const SCOPES: &[&str] = &[Scope::OPENID, Scope::EMAIL, Scope::PROFILE, Scope::OFFLINE_ACCESS];

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
        if !registered.iter().any(|uri| uri.admits(requested)) {
            return Err(refuse(
                "redirect_uri is not one of those registered for this client; it must be the same text, character for character",
            ));
        }
        let redirect_uri = requested.parse().map_err(|_| refuse("redirect_uri is not a URI"))?;
        // A doubled or unknown mode is told by `AuthorizeRequest::parse`, in the way that always works.
        let response_mode =
            if params.get("response_mode").ok().flatten() == Some("form_post") { ResponseMode::FormPost } else { ResponseMode::Query };
        Ok(Self { redirect_uri, response_mode, state: params.get("state").ok().flatten().map(str::to_owned) })
    }
}

impl AuthorizeRequest {
    /// Reads what is asked, and refuses what this server or this client does not do.
    pub fn parse(params: &Params, client_id: ClientId, return_path: ReturnPath, pkce: Pkce) -> Result<Self, OAuthError> {
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
        let scope: Scope = match params.get("scope")? {
            Some(text) => text.parse().map_err(|reason| OAuthError::new(E::InvalidScope, format!("{reason}")))?,
            None => return fail(E::InvalidScope, "scope is missing; ask for openid at least"),
        };
        // OpenID Connect Core §3.1.2.1: "Scope values used that are not understood by an implementation SHOULD be ignored."
        let scope = scope.only(SCOPES);
        if scope.is_empty() {
            return fail(E::InvalidScope, "scope names nothing that this server knows; ask for openid at least");
        }
        Ok(Self {
            client_id,
            return_path,
            scope,
            nonce: nonce(params)?,
            code_challenge: code_challenge(params, pkce)?,
            prompt: prompt(params)?,
            max_age: match params.get("max_age")? {
                Some(text) => {
                    Some(text.parse().map_err(|_| OAuthError::new(E::InvalidRequest, "max_age must be a whole number of seconds"))?)
                }
                None => None,
            },
            // A hint that cannot be read is no reason to fail.
            login_hint: params.get("login_hint")?.filter(|hint| hint.len() <= 320).map(str::to_owned),
            expected_subject: None,
        })
    }

    #[must_use]
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
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
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const REDIRECT: &str = "https://app.example/cb";

    fn parse(query: &str, pkce: Pkce) -> Result<AuthorizeRequest, OAuthError> {
        let params = Params::decode(&format!("client_id=app&redirect_uri={REDIRECT}&{query}"));
        let id = client_id(&params).unwrap();
        let path = ReturnPath::find(&params, &[REDIRECT.parse().unwrap()]).unwrap();
        AuthorizeRequest::parse(&params, id, path, pkce)
    }

    #[test]
    fn a_good_request_is_read_whole() {
        let query = format!(
            "response_type=code&scope=openid+email+unknown&code_challenge={CHALLENGE}&code_challenge_method=S256&state=%20s%26&nonce=n&prompt=login+consent\
             &max_age=60&login_hint=x&ui_locales=de&display=page&acr_values=1&anything=else&response_mode=form_post"
        );
        let request = parse(&query, Pkce::Required).unwrap();
        assert_eq!(request.scope.to_string(), "email openid");
        assert_eq!(request.return_path.state.as_deref(), Some(" s&"));
        assert_eq!(request.return_path.response_mode, ResponseMode::FormPost);
        assert_eq!(request.max_age, Some(60));
        assert!(request.prompts(Prompt::Login) && request.prompts(Prompt::Consent) && !request.prompts(Prompt::None));
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizeRequest>(&json).unwrap(), request);
    }

    #[test]
    fn each_fault_has_its_code() {
        use ErrorCode as E;
        let good = format!("response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256");
        assert!(parse(&good, Pkce::Required).is_ok());
        for (query, code) in [
            ("scope=openid".to_owned(), E::InvalidRequest),
            ("response_type=token&scope=openid".to_owned(), E::UnsupportedResponseType),
            ("response_type=code+id_token&scope=openid".to_owned(), E::UnsupportedResponseType),
            ("response_type=code".to_owned(), E::InvalidScope),
            ("response_type=code&scope=cats".to_owned(), E::InvalidScope),
            ("response_type=code&scope=%22".to_owned(), E::InvalidScope),
            ("response_type=code&scope=openid".to_owned(), E::InvalidRequest),
            (format!("response_type=code&scope=openid&code_challenge={CHALLENGE}"), E::InvalidRequest),
            (format!("response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=plain"), E::InvalidRequest),
            ("response_type=code&scope=openid&code_challenge=short&code_challenge_method=S256".to_owned(), E::InvalidRequest),
            ("response_type=code&scope=openid&code_challenge_method=S256".to_owned(), E::InvalidRequest),
            (format!("{good}&response_mode=fragment"), E::InvalidRequest),
            (format!("{good}&prompt=none+login"), E::InvalidRequest),
            (format!("{good}&prompt=maybe"), E::InvalidRequest),
            (format!("{good}&max_age=-1"), E::InvalidRequest),
            (format!("{good}&scope=email"), E::InvalidRequest),
            (format!("{good}&unheard=1&unheard=2"), E::InvalidRequest),
            (format!("{good}&nonce={}", "n".repeat(1_001)), E::InvalidRequest),
            (format!("{good}&request=x"), E::RequestNotSupported),
            (format!("{good}&request_uri=x"), E::RequestUriNotSupported),
            (format!("{good}&registration=x"), E::RegistrationNotSupported),
        ] {
            assert_eq!(parse(&query, Pkce::Required).map_err(|e| e.code), Err(code), "{query}");
        }
        assert!(parse("response_type=code&scope=openid", Pkce::Optional).is_ok());
    }

    #[test]
    fn without_a_known_redirect_uri_there_is_no_return_path() {
        let registered = ["https://app.example/cb".parse().unwrap()];
        let find = |query: &str| ReturnPath::find(&Params::decode(query), &registered);
        assert!(find("domain=https://app.example/cb").is_ok());
        for query in [
            "",
            "redirect_uri=https://app.example/",
            "redirect_uri=https://app.example/cb&redirect_uri=https://app.example/cb",
            "redirect_uri=javascript:1",
        ] {
            assert!(matches!(find(query), Err(NoReturnPath::RedirectUri(_))), "{query}");
        }
        assert!(client_id(&Params::decode("client_id=a&client_id=b")).is_err());
        assert!(client_id(&Params::decode("")).is_err());
    }
}
