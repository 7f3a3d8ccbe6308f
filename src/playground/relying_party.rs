//! The sign-in itself, as any app would do it with the client library: discovery, the request, the answer, the code's
//! redemption, the ID token's verification, userinfo. Each move adds a step to the report, whether it works or not.

mod answer;
mod redeem;
#[cfg(test)]
mod tests;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, ClientId, CsrfToken, DiscoveryError, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Playground;
use super::choices::Choices;
use super::exchange::Exchange;
use super::recorder::Recorder;
use super::report::{Check, Outcome, Problem, Report, Step};
use crate::domain::TokenHash;

pub(super) use answer::Answer;

/// What the app keeps while the browser is at the server.
#[derive(Debug)]
pub(super) struct Pending {
    state: TokenHash,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    client: Client,
    /// RFC 9207 §3: then an answer without `iss` is refused.
    answers_carry_issuer: bool,
    report: Report,
}

/// A client whose server has all the endpoints that the walk needs.
type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointSet>;

type Metadata = ProviderMetadata<
    Extensions,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Metadata beyond OpenID Connect Discovery: RFC 9207 §3 and RP-Initiated Logout §2.1.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extensions {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    end_session_endpoint: Option<Url>,
}

impl AdditionalProviderMetadata for Extensions {}

/// How a sign-in begins.
#[derive(Debug)]
pub(super) enum Begun {
    /// Send the browser to the address.
    Away {
        url: Url,
        pending: Box<Pending>,
        report: Report,
    },
    Failed(Report),
}

impl Pending {
    /// Whether an answer with `state` is the one that is waited for.
    pub(super) fn is_for(&self, state: &str) -> bool {
        self.state.matches(state)
    }
}

/// Learns the server's addresses and keys, then writes the authorization request.
pub(super) async fn begin(playground: &Playground, choices: Choices) -> Begun {
    let mut report = Report::new(choices, playground.clock.now());
    let recorder = playground.transport.recorder();
    let metadata = discover(playground, &recorder).await;
    report.steps.push(Step {
        title: "Discovery",
        words: "The app fetches the server’s metadata, which names every address it needs, and then the public keys that verify tokens.",
        facts: Vec::new(),
        exchanges: recorder.take(),
    });
    let found = metadata.and_then(|metadata| client(playground, &metadata).map(|client| (metadata, client)));
    let (metadata, client) = match found {
        Ok(found) => found,
        Err(failure) => {
            failure.tell(&mut report);
            return Begun::Failed(report);
        }
    };
    report.checks.pass(Check::Discovery);
    report.end_session = metadata.additional_metadata().end_session_endpoint.as_ref().map(Url::to_string);

    let state = playground.entropy.secret();
    let nonce = Nonce::new(playground.entropy.secret().expose().to_owned());
    let verifier = PkceCodeVerifier::new(playground.entropy.secret().expose().to_owned());
    let url = request(&client, &report.choices, state.expose(), &nonce, &verifier);
    report.steps.push(request_step(&url, &verifier));
    report.outcome = Outcome::AtServer(url.to_string());
    let answers_carry_issuer = metadata.additional_metadata().authorization_response_iss_parameter_supported;
    let pending = Pending { state: state.hash(), nonce, verifier, client, answers_carry_issuer, report: report.clone() };
    Begun::Away { url, pending: Box::new(pending), report }
}

/// Goes on with the server's answer, to the end.
pub(super) async fn finish(playground: &Playground, pending: Pending, answer: &Answer) -> Report {
    let Pending { nonce, verifier, client, answers_carry_issuer, mut report, .. } = pending;
    match answer::read(playground, &mut report, answer, answers_carry_issuer) {
        Ok(code) => {
            let redemption = redeem::Redemption { playground, client: &client, nonce: &nonce };
            match redemption.run(&mut report, code, verifier).await {
                Ok(()) => report.outcome = Outcome::SignedIn,
                Err(failure) => failure.tell(&mut report),
            }
        }
        Err(failure) => failure.tell(&mut report),
    }
    report
}

/// Why a sign-in went no further.
#[derive(Debug)]
enum Failure {
    Check(Check, String),
    Problem(Problem),
}

impl Failure {
    fn tell(self, report: &mut Report) {
        match self {
            Self::Check(check, words) => report.fail_check(check, words),
            Self::Problem(problem) => report.fail(problem),
        }
    }
}

async fn discover(playground: &Playground, recorder: &Recorder<'_>) -> Result<Metadata, Failure> {
    let issuer = IssuerUrl::new(playground.issuer.clone()).map_err(|error| unusable(chain(&error)))?;
    Metadata::discover_async(issuer, recorder).await.map_err(|error| match error {
        // OpenID Connect Discovery §4.3: the issuer in the metadata is exactly the one that was asked.
        DiscoveryError::Validation(_) => Failure::Check(Check::Discovery, chain(&error)),
        other => unusable(chain(&other)),
    })
}

fn client(playground: &Playground, metadata: &Metadata) -> Result<Client, Failure> {
    let missing = |endpoint: &str| unusable(format!("They name no {endpoint} endpoint."));
    let token_endpoint = metadata.token_endpoint().cloned().ok_or_else(|| missing("token"))?;
    let userinfo_endpoint = metadata.userinfo_endpoint().cloned().ok_or_else(|| missing("userinfo"))?;
    let redirect_uri = RedirectUrl::new(playground.redirect_uri.clone()).map_err(|error| unusable(chain(&error)))?;
    let client = CoreClient::from_provider_metadata(metadata.clone(), ClientId::new(playground.client_id.clone()), None);
    Ok(client.set_token_uri(token_endpoint).set_user_info_url(userinfo_endpoint).set_redirect_uri(redirect_uri))
}

fn unusable(words: String) -> Failure {
    Failure::Problem(Problem { title: "The server’s metadata cannot be used", words, code: None })
}

fn request(client: &Client, choices: &Choices, state: &str, nonce: &Nonce, verifier: &PkceCodeVerifier) -> Url {
    let (state, nonce) = (CsrfToken::new(state.to_owned()), nonce.clone());
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(verifier));
    for (chosen, scope) in [(choices.email, "email"), (choices.profile, "profile")] {
        if chosen {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
    }
    if let Some(prompt) = choices.prompt {
        request = request.add_prompt(prompt.as_core());
    }
    if let Some(max_age) = choices.max_age {
        request = request.set_max_age(max_age);
    }
    if choices.form_post {
        request = request.add_extra_param("response_mode", "form_post");
    }
    let (url, _, _) = request.url();
    url
}

fn request_step(url: &Url, verifier: &PkceCodeVerifier) -> Step {
    let mut facts: Vec<_> = url.query_pairs().map(|(name, value)| (name.to_string(), value.to_string(), purpose(&name))).collect();
    facts.push(("code_verifier".to_owned(), verifier.secret().clone(), "Not sent yet: the app keeps it until it redeems the code."));
    Step {
        title: "Authorization request",
        words: "The app sends the browser to the server, where the person signs in and agrees; the app sees nothing of that.",
        facts,
        exchanges: vec![Exchange::of_browser("GET", url.as_str(), "")],
    }
}

fn purpose(parameter: &str) -> &'static str {
    match parameter {
        "response_type" => "The app wants a code, which it exchanges for tokens itself.",
        "client_id" => "Which app asks.",
        "redirect_uri" => "Where the answer goes: one of the app’s registered addresses, letter by letter.",
        "scope" => "What the app asks for.",
        "state" => "A random value that comes back with the answer: ties it to this browser.",
        "nonce" => "A random value that comes back in the ID token: ties it to this sign-in.",
        "code_challenge" => "The SHA-256 of the code_verifier (PKCE): only its holder can redeem the code.",
        "code_challenge_method" => "How the challenge was made.",
        "prompt" => "Which pages the server must show, or must not.",
        "max_age" => "How many seconds old the sign-in may be.",
        "response_mode" => "How the answer travels: in the address, or in a form that the browser posts.",
        _ => "",
    }
}

/// An error with its causes, as one sentence.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
impl Pending {
    /// A sign-in that waits for `state`, at a server that does not exist.
    pub(super) fn for_tests(state: &str) -> Self {
        use crate::domain::Timestamp;
        use openidconnect::{AuthUrl, JsonWebKeySet, TokenUrl, UserInfoUrl};

        let at = |path: &str| format!("http://localhost:1{path}");
        let client =
            CoreClient::new(ClientId::new("app".to_owned()), IssuerUrl::new(at("")).expect("a URL"), JsonWebKeySet::new(Vec::new()))
                .set_auth_uri(AuthUrl::new(at("/auth")).expect("a URL"))
                .set_token_uri(TokenUrl::new(at("/token")).expect("a URL"))
                .set_user_info_url(UserInfoUrl::new(at("/userinfo")).expect("a URL"));
        Self {
            state: TokenHash::of(state),
            nonce: Nonce::new("nonce".to_owned()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            client,
            answers_carry_issuer: true,
            report: Report::new(Choices::default(), Timestamp::from_seconds(0)),
        }
    }
}
