//! From the code to the person: redemption, the ID token's verification, userinfo.

use std::time::{Duration, SystemTime};

use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreUserInfoClaims};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClaimsVerificationError, Nonce, OAuth2TokenResponse, PkceCodeVerifier,
    RequestTokenError, SubjectIdentifier, TokenResponse, UserInfoError,
};

use super::super::Playground;
use super::super::report::{Check, Problem, Report, Step, Token, TokenName};
use super::{Client, Failure, chain};
use crate::domain::Timestamp;

/// How far the server's clock may be from ours.
const SKEW: Duration = Duration::from_secs(5);

/// The checks inside an ID token, in the order in which the library makes them.
const ID_TOKEN_CHECKS: [Check; 6] = [Check::Issuer, Check::Audience, Check::Signature, Check::Expiry, Check::Nonce, Check::AuthTime];

/// What the last part of a sign-in needs.
pub(super) struct Redemption<'a> {
    pub playground: &'a Playground,
    pub client: &'a Client,
    pub nonce: &'a Nonce,
}

impl Redemption<'_> {
    pub(super) async fn run(&self, report: &mut Report, code: AuthorizationCode, verifier: PkceCodeVerifier) -> Result<(), Failure> {
        let recorder = self.playground.transport.recorder();
        let response = self.client.exchange_code(code).set_pkce_verifier(verifier).request_async(&recorder).await;
        report.steps.push(Step {
            title: "Token request",
            words: "The app redeems the code for tokens, from server to server, and shows the code_verifier that only it knows. \
                    (Run this curl and see: a second redemption is refused, and it ends the tokens that the first one gave.)",
            facts: Vec::new(),
            exchanges: recorder.take(),
        });
        let response = response.map_err(|error| match error {
            RequestTokenError::ServerResponse(refusal) => Failure::Problem(Problem {
                title: "The server did not take the code",
                words: refusal.error_description().cloned().unwrap_or_else(|| "It gave no reason in words.".to_owned()),
                code: Some(refusal.error().to_string()),
            }),
            other => Failure::Problem(Problem { title: "The token request failed", words: chain(&other), code: None }),
        })?;
        report.checks.pass(Check::Pkce);

        let access_token = response.access_token();
        let id_token = response.id_token();
        if let Some(id_token) = id_token {
            report.tokens.push(Token { kind: TokenName::Id, text: id_token.to_string() });
        }
        report.tokens.push(Token { kind: TokenName::Access, text: access_token.secret().clone() });
        let id_token = id_token.ok_or_else(|| {
            Failure::Problem(Problem { title: "No ID token", words: "The server gave an access token only.".to_owned(), code: None })
        })?;
        let subject = self.verify(report, id_token, access_token)?;
        self.ask_userinfo(report, access_token.clone(), subject).await
    }

    fn verify(&self, report: &mut Report, id_token: &CoreIdToken, access_token: &AccessToken) -> Result<SubjectIdentifier, Failure> {
        report.steps.push(Step {
            title: "ID token",
            words: "The app verifies the ID token with the server’s public keys; nothing goes over the wire for it.",
            facts: vec![
                ("iss".to_owned(), self.playground.issuer.clone(), "What it must be: the server that the app asked."),
                ("aud".to_owned(), self.playground.client_id.clone(), "What it must be: the app itself."),
                ("nonce".to_owned(), self.nonce.secret().clone(), "What it must be: the value that the app sent along."),
            ],
            exchanges: Vec::new(),
        });
        let now = self.playground.clock.now();
        let max_age = report.choices.max_age;
        // The sign-in may be as old as was asked for when the request was made.
        let earliest = max_age.map(|max_age| report.started_at.minus(max_age).minus(SKEW).seconds());
        let verifier: CoreIdTokenVerifier<'_> = self.client.id_token_verifier();
        let verifier = verifier.set_time_fn(move || system_time(now).into()).set_auth_time_verifier_fn(move |auth_time| {
            match (earliest, auth_time.map(|moment| moment.timestamp())) {
                (Some(_), None) => Err("max_age was asked for, and the token has no auth_time".to_owned()),
                (Some(earliest), Some(moment)) if moment < earliest => Err(format!("the sign-in is {} seconds too old", earliest - moment)),
                _ => Ok(()),
            }
        });

        let claims = id_token.claims(&verifier, self.nonce).map_err(|error| {
            let failed = check_of(&error);
            let passed = ID_TOKEN_CHECKS.into_iter().take_while(|check| *check != failed);
            passed.for_each(|check| report.checks.pass(check));
            Failure::Check(failed, chain(&error))
        })?;
        for check in ID_TOKEN_CHECKS {
            if check != Check::AuthTime || max_age.is_some() {
                report.checks.pass(check);
            }
        }

        // OpenID Connect Core §3.1.3.8: where at_hash is there, it must fit.
        if let Some(expected) = claims.access_token_hash() {
            let actual = id_token
                .signing_alg()
                .and_then(|alg| Ok((alg, id_token.signing_key(&verifier)?)))
                .map_err(|error| Failure::Check(Check::AccessTokenHash, chain(&error)))
                .and_then(|(alg, key)| {
                    AccessTokenHash::from_token(access_token, alg, key)
                        .map_err(|error| Failure::Check(Check::AccessTokenHash, chain(&error)))
                })?;
            if actual != *expected {
                return Err(Failure::Check(Check::AccessTokenHash, "at_hash is that of another access token.".to_owned()));
            }
            report.checks.pass(Check::AccessTokenHash);
        }
        Ok(claims.subject().clone())
    }

    async fn ask_userinfo(&self, report: &mut Report, access_token: AccessToken, subject: SubjectIdentifier) -> Result<(), Failure> {
        let recorder = self.playground.transport.recorder();
        let answer: Result<CoreUserInfoClaims, _> = self.client.user_info(access_token, Some(subject)).request_async(&recorder).await;
        report.steps.push(Step {
            title: "Userinfo",
            words: "With the access token the app asks who the person is, as far as the scopes allow.",
            facts: Vec::new(),
            exchanges: recorder.take(),
        });
        match answer {
            Ok(_) => {
                report.checks.pass(Check::Subject);
                Ok(())
            }
            Err(error @ UserInfoError::ClaimsVerification(_)) => Err(Failure::Check(Check::Subject, chain(&error))),
            Err(error) => Err(Failure::Problem(Problem { title: "The userinfo request failed", words: chain(&error), code: None })),
        }
    }
}

fn check_of(error: &ClaimsVerificationError) -> Check {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => Check::Issuer,
        ClaimsVerificationError::InvalidAudience(_) => Check::Audience,
        ClaimsVerificationError::Expired(_) => Check::Expiry,
        ClaimsVerificationError::InvalidNonce(_) => Check::Nonce,
        ClaimsVerificationError::InvalidAuthTime(_) => Check::AuthTime,
        _ => Check::Signature,
    }
}

fn system_time(moment: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(moment.micros()).unwrap_or(0))
}
