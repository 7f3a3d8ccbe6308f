//! What happens next with an authorization request: a pure function of facts, asked again after every step.
//!
//! No state of progress is kept: whether a person has signed in, and has agreed, is read from their session and their consent.
//! `AuthorizeRequest → Authenticated → Approved`: the fields are private, and at `/auth` only `Approved` gives a code.

use std::time::Duration;

use super::acr;
use super::asset_access::{self, Held};
use crate::domain::{CodeId, GrantId, InteractionId, Scope, SessionId, Timestamp};
use crate::protocol::authorize::{AuthorizeRequest, Prompt};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{Agreement, NewCode, Session};

/// What is known when the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The browser's live session, if it has one.
    pub session: Option<&'a Session>,
    /// The `sub` of that session at this client.
    pub subject: Option<&'a str>,
    /// The levels (`acr`) that a sign-in here can have.
    pub levels: &'a [&'static str],
    /// What the session's account has already let this client have.
    pub consent: Option<&'a Agreement>,
    /// What the session's account has granted to this client on its assets; looked up where the request asks for such a thing.
    pub held: Held<'a>,
    /// The visit that this request began, once it has one: its id and its beginning.
    pub interaction: Option<(InteractionId, Timestamp)>,
    pub now: Timestamp,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Show the sign-in page.
    SignIn,
    /// Show the consent page; `already` is what this person has let the app have before.
    Consent { already: Option<Scope> },
    /// Give the app its code.
    Approve(Box<Approved>),
    /// Tell the app no.
    Refuse(OAuthError),
}

/// Decides the next step of `request`.
#[must_use]
pub fn next_step(request: AuthorizeRequest, facts: Facts<'_>) -> Step {
    // OpenID Connect Core §3.1.2.1: "The Authorization Server MUST NOT display any authentication or consent user interface pages."
    let silent = request.prompts(Prompt::None);
    // OpenID Connect Core §5.5.1.1: "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST
    // treat that outcome as a failed authentication attempt." No sign-in here has such a word, so nobody is asked for one.
    if request.claims.required_acr().is_some_and(|words| !words.iter().any(|word| facts.levels.contains(word))) {
        return unmet();
    }
    match Authenticated::establish(request, facts) {
        Err(NotEstablished::AnotherPerson) => {
            refuse(ErrorCode::LoginRequired, "the person who signed in is not the one of id_token_hint or of claims")
        }
        Err(NotEstablished::Unmet) => unmet(),
        Err(NotEstablished::AnotherWayNeeded) if silent => refuse(
            ErrorCode::InteractionRequired,
            "the person is signed in, but not in the way that claims demands as acr, and prompt=none forbids asking",
        ),
        Err(NotEstablished::SignInNeeded) if silent => {
            refuse(ErrorCode::LoginRequired, "the person is not signed in here, or not recently enough, and prompt=none forbids asking")
        }
        Err(NotEstablished::SignInNeeded | NotEstablished::AnotherWayNeeded) => Step::SignIn,
        Ok(person) => match person.approve(facts) {
            Err(ConsentNeeded { .. }) if silent => {
                refuse(ErrorCode::ConsentRequired, "the person has not agreed to this yet, and prompt=none forbids asking")
            }
            Err(ConsentNeeded { already }) => Step::Consent { already },
            Ok(approved) => Step::Approve(Box::new(approved)),
        },
    }
}

fn refuse(code: ErrorCode, description: &'static str) -> Step {
    Step::Refuse(OAuthError::new(code, description))
}

fn unmet() -> Step {
    refuse(ErrorCode::UnmetAuthenticationRequirements, "claims demands an acr that this sign-in cannot have; see acr_values_supported")
}

/// A request whose person is known, recently enough for what was asked.
#[derive(Debug)]
pub struct Authenticated {
    request: AuthorizeRequest,
    session: Session,
}

#[derive(Debug)]
enum NotEstablished {
    SignInNeeded,
    /// Somebody is signed in, in a way that does not do; another one might.
    AnotherWayNeeded,
    /// Somebody signed in for this very request, and not even that will do.
    Unmet,
    /// Somebody signed in for this very request, and is not the one whom it names.
    AnotherPerson,
}

#[derive(Debug)]
struct ConsentNeeded {
    already: Option<Scope>,
}

impl Authenticated {
    fn establish(request: AuthorizeRequest, facts: Facts<'_>) -> Result<Self, NotEstablished> {
        let session = facts.session.ok_or(NotEstablished::SignInNeeded)?;
        // A sign-in made during this visit is as fresh as can be; asking again would never end.
        let fresh = facts.interaction.is_some_and(|(id, _)| session.interaction_id == id);
        // OpenID Connect Core §3.1.2.1: prompt=login: "The Authorization Server SHOULD prompt the End-User for reauthentication";
        // select_account and create ask for a choice of account, which here is made by signing in with it.
        let asked_again = [Prompt::Login, Prompt::SelectAccount, Prompt::Create].into_iter().any(|prompt| request.prompts(prompt));
        // OpenID Connect Core §3.1.2.1: "If the elapsed time is greater than this value, the OP MUST attempt to actively
        // re-authenticate the End-User."
        let too_old = request.max_age.is_some_and(|seconds| facts.now.since(session.authenticated_at) > Duration::from_secs(seconds));
        // OpenID Connect Core §3.1.2.1, id_token_hint: "If the End-User identified by the ID Token is already logged in or is logged
        // in as a result of the request, then the Authorization Server returns a positive response; otherwise, it MUST return an
        // error, such as login_required."
        let hinted = request.expected_subject.as_deref().is_some_and(|expected| facts.subject != Some(expected));
        // Core §5.5.1 says the same of a `sub` that the `claims` parameter names.
        let named = request.claims.names_subject() && !facts.subject.is_some_and(|subject| request.claims.admits_subject(subject));
        let another = hinted || named;
        if another && fresh {
            return Err(NotEstablished::AnotherPerson);
        }
        if !fresh && (another || asked_again || too_old) {
            return Err(NotEstablished::SignInNeeded);
        }
        let acr = acr::of(&session.provider, &session.amr);
        if request.claims.required_acr().is_some_and(|words| acr.is_none_or(|acr| !words.contains(&acr))) {
            return Err(if fresh { NotEstablished::Unmet } else { NotEstablished::AnotherWayNeeded });
        }
        // OpenID Connect Core §3.1.2.1: acr_values are asked for "as a Voluntary Claim": a person who may be asked is asked once to sign in
        // in a way that they prefer, if there is one; nothing fails for it.
        let preferred = || request.acr_values.iter().map(String::as_str).chain(request.claims.preferred_acr());
        let could_be_better = preferred().any(|word| facts.levels.contains(&word)) && !preferred().any(|word| acr == Some(word));
        if could_be_better && !fresh && !request.prompts(Prompt::None) {
            return Err(NotEstablished::SignInNeeded);
        }
        Ok(Self { request, session: session.clone() })
    }

    fn approve(self, facts: Facts<'_>) -> Result<Approved, ConsentNeeded> {
        let Some(consent) = facts.consent else { return Err(ConsentNeeded { already: None }) };
        let covered = self.request.consent_scope().is_subset(&consent.scope);
        // OpenID Connect Core §3.1.2.1: prompt=consent: "SHOULD prompt the End-User for consent before returning information"; one
        // given since this visit began is the answer to that.
        let given_now = facts.interaction.is_some_and(|(_, began)| consent.updated_at >= began);
        let asked_again = self.request.prompts(Prompt::Consent);
        // RFC 9396 §5: what is asked of assets is agreed to as scopes are: what was granted in this visit is the answer, and what was
        // granted before is enough where the person need not be asked again.
        let granted = asset_access::settled(&self.request.details, facts.held, asked_again);
        match granted {
            Some(grants) if covered && (!asked_again || given_now) => {
                Ok(Approved { request: self.request, session: self.session, agreed_at: consent.created_at, grants })
            }
            _ => Err(ConsentNeeded { already: Some(consent.scope.clone()) }),
        }
    }
}

/// A request that its person has signed in for and agreed to: the only thing that `/auth` makes a code from.
#[derive(Debug)]
pub struct Approved {
    request: AuthorizeRequest,
    session: Session,
    agreed_at: Timestamp,
    /// What was granted on assets for it.
    grants: Vec<GrantId>,
}

impl Approved {
    #[must_use]
    pub fn request(&self) -> &AuthorizeRequest {
        &self.request
    }

    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.session.id
    }

    /// The code's record, to be stored. `of_tokens`: how long the longest of its tokens may live.
    #[must_use]
    pub fn code(&self, id: CodeId, now: Timestamp, lifetime: Duration, of_tokens: Duration) -> NewCode {
        NewCode {
            id,
            client_id: self.request.client_id.clone(),
            account_id: self.session.account_id,
            session_id: Some(self.session.id),
            redirect_uri: self.request.return_path.redirect_uri.clone(),
            scope: self.request.scope.clone(),
            nonce: self.request.nonce.clone(),
            code_challenge: self.request.code_challenge.as_ref().map(ToString::to_string),
            provider: self.session.provider.clone(),
            subject: self.session.subject.clone(),
            amr: self.session.amr.clone(),
            authenticated_at: self.session.authenticated_at,
            // A code lives under the consent that was given before it; the replica that took it may have a clock ahead of this one's.
            issued_at: now.max(self.agreed_at),
            expires_at: now.plus(lifetime),
            kept_until: now.plus(lifetime).plus(of_tokens),
            resource: self.request.resource.clone(),
            claims: self.request.claims.to_stored(),
            authorization_details: asset_access::to_stored(&self.request.details, &self.grants),
            told_as: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, Pkce, Provider};
    use crate::protocol::authorize::{ReturnPath, Terms};
    use crate::protocol::params::Params;

    const NOW: i64 = 1_000_000;
    const LEVELS: &[&str] = &[acr::WALLET];

    fn request(extra: &str) -> AuthorizeRequest {
        let params = Params::decode(&format!("redirect_uri=https://app.example/cb&response_type=code&scope=openid+email{extra}"));
        let path = ReturnPath::find(&params, &["https://app.example/cb".parse().unwrap()]).unwrap();
        AuthorizeRequest::parse(&params, "app".parse().unwrap(), path, Terms::plain(Pkce::Optional)).unwrap()
    }

    fn session(age: i64, interaction: u128) -> Session {
        Session {
            id: SessionId(Uuid::nil()),
            account_id: AccountId(Uuid::nil()),
            provider: Provider::web3(),
            subject: String::new(),
            label: String::new(),
            proved_at: None,
            amr: vec!["pop".to_owned()],
            authenticated_at: Timestamp::from_seconds(NOW - age),
            interaction_id: InteractionId(Uuid::from_u128(interaction)),
            user_agent: String::new(),
            last_seen_at: Timestamp::from_seconds(NOW),
            expires_at: Timestamp::from_seconds(NOW + 1_000),
        }
    }

    fn consent(scope: &str, age: i64) -> Agreement {
        let at = Timestamp::from_seconds(NOW - age);
        Agreement { scope: scope.parse().unwrap(), created_at: at, updated_at: at }
    }

    // Every combination of what is asked and what is known, and what follows; read it as the policy.
    #[test]
    fn the_whole_matrix() {
        let interaction = (InteractionId(Uuid::from_u128(7)), Timestamp::from_seconds(NOW - 60));
        let sessions = [("nobody", None), ("signed in 5 min ago", Some(session(300, 1))), ("signed in this visit", Some(session(30, 7)))];
        let consents = [
            ("no consent", None),
            ("less", Some(consent("openid", 900))),
            ("enough", Some(consent("openid email", 900))),
            ("just given", Some(consent("openid email", 5))),
        ];
        let mut table = String::new();
        for extra in [
            "",
            "&prompt=none",
            "&prompt=login",
            "&prompt=consent",
            "&prompt=select_account",
            "&prompt=create",
            "&max_age=10000",
            "&max_age=1",
            "&prompt=none&max_age=1",
        ] {
            for (who, session) in &sessions {
                for (what, consent) in
                    consents.iter().filter(|_| session.is_some()).chain(consents[..1].iter().filter(|_| session.is_none()))
                {
                    let facts = Facts {
                        session: session.as_ref(),
                        subject: None,
                        levels: LEVELS,
                        consent: consent.as_ref(),
                        held: Held::default(),
                        interaction: Some(interaction),
                        now: Timestamp::from_seconds(NOW),
                    };
                    let step = match next_step(request(extra), facts) {
                        Step::SignIn => "sign in".to_owned(),
                        Step::Consent { already } => format!("consent (already: {})", already.map_or("nothing".into(), |s| s.to_string())),
                        Step::Approve(_) => "approve".to_owned(),
                        Step::Refuse(error) => error.code.as_str().to_owned(),
                    };
                    writeln!(table, "{:24} {who:22} {what:11} => {step}", extra.trim_start_matches('&')).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    // A level of sign-in that is demanded or preferred, and a person who is named, against how and when somebody signed in.
    #[test]
    fn levels_and_named_persons() {
        let weak = |session: Session| Session { provider: Provider::new("other"), ..session };
        let sessions = [
            ("nobody", None),
            ("wallet, before", Some(session(300, 1))),
            ("wallet, this visit", Some(session(30, 7))),
            ("other, before", Some(weak(session(300, 1)))),
            ("other, this visit", Some(weak(session(30, 7)))),
        ];
        let essential = |word: &str| format!(r#"&claims={{"id_token":{{"acr":{{"essential":true,"values":["x","{word}"]}}}}}}"#);
        let voluntary = format!(r#"&claims={{"id_token":{{"acr":{{"value":"{}"}}}}}}"#, acr::WALLET);
        let named = |sub: &str| format!(r#"&claims={{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
        let mut table = String::new();
        for (asked, extra) in [
            ("acr_values=wallet", format!("&acr_values=x+{}", acr::WALLET)),
            ("acr_values=unknown", "&acr_values=x+y".to_owned()),
            ("acr by claims", voluntary),
            ("essential acr", essential(acr::WALLET)),
            ("essential acr unknown", essential("y")),
            ("sub me", named("me")),
            ("sub you", named("you")),
        ] {
            for (silent, prompt) in [("", ""), ("prompt=none ", "&prompt=none")] {
                for (who, session) in &sessions {
                    let consent = consent("openid email", 900);
                    let facts = Facts {
                        session: session.as_ref(),
                        subject: session.is_some().then_some("me"),
                        levels: LEVELS,
                        consent: session.is_some().then_some(&consent),
                        held: Held::default(),
                        interaction: Some((InteractionId(Uuid::from_u128(7)), Timestamp::from_seconds(NOW - 60))),
                        now: Timestamp::from_seconds(NOW),
                    };
                    let step = match next_step(request(&format!("{extra}{prompt}")), facts) {
                        Step::SignIn => "sign in",
                        Step::Consent { .. } => "consent",
                        Step::Approve(_) => "approve",
                        Step::Refuse(error) => error.code.as_str(),
                    };
                    writeln!(table, "{:34} {who:18} => {step}", format!("{silent}{asked}")).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_is_asked_for_by_name_needs_the_consent_of_its_scope() {
        let (session, less) = (session(300, 1), consent("openid email", 900));
        let step = |agreement: &Agreement, extra: &str| {
            let facts = Facts {
                session: Some(&session),
                subject: None,
                levels: LEVELS,
                consent: Some(agreement),
                held: Held::default(),
                interaction: None,
                now: Timestamp::from_seconds(NOW),
            };
            next_step(request(extra), facts)
        };
        let by_name = r#"&claims={"userinfo":{"phone_number":null}}"#;
        assert!(matches!(step(&less, by_name), Step::Consent { .. }));
        let Step::Approve(approved) = step(&consent("openid email phone", 900), by_name) else { panic!("agreed to") };
        let code = approved.code(CodeId(Uuid::nil()), Timestamp::from_seconds(NOW), Duration::from_mins(1), Duration::from_hours(1));
        // The token's scope stays what was asked for as scope.
        assert_eq!(
            (code.scope.to_string(), code.claims),
            ("email openid".to_owned(), Some(serde_json::json!({"userinfo": {"phone_number": {}}})))
        );
        assert!(matches!(step(&less, r#"&claims={"userinfo":{"email":null}}"#), Step::Approve(_)));
    }

    #[test]
    fn a_code_is_never_older_than_the_consent_it_lives_under() {
        let (session, consent) = (session(900, 1), consent("openid email", -2));
        let facts = Facts {
            session: Some(&session),
            subject: None,
            levels: LEVELS,
            consent: Some(&consent),
            held: Held::default(),
            interaction: None,
            now: Timestamp::from_seconds(NOW),
        };
        let Step::Approve(approved) = next_step(request(""), facts) else { panic!("agreed to already") };
        let code = approved.code(CodeId(Uuid::nil()), facts.now, Duration::from_mins(1), Duration::from_hours(1));
        assert_eq!((code.issued_at, code.expires_at), (consent.created_at, facts.now.plus(Duration::from_mins(1))));
        assert_eq!(code.kept_until, facts.now.plus(Duration::from_mins(61)));
    }
}
