//! What there is to tell about one sign-in: the steps so far, the tokens, what each check proved, and what went wrong.

use super::choices::Choices;
use super::exchange::Exchange;
use crate::domain::Timestamp;

/// The account of one sign-in, as far as it has come.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub choices: Choices,
    pub started_at: Timestamp,
    pub steps: Vec<Step>,
    pub tokens: Vec<Token>,
    pub checks: Checks,
    pub outcome: Outcome,
    /// Where the server signs people out, from its metadata.
    pub end_session: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The browser is at the server's pages; the address leads there again.
    AtServer(String),
    SignedIn,
    Failed(Problem),
}

/// A failure in words; `code` is the protocol's own word where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub title: &'static str,
    pub words: String,
    pub code: Option<String>,
}

/// One step of the code flow, in plain words, and what went over the wire in it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub title: &'static str,
    pub words: &'static str,
    /// Parameters worth explaining: name, value, what it is for.
    pub facts: Vec<(String, String, &'static str)>,
    pub exchanges: Vec<Exchange>,
}

/// A token as it was given.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: TokenName,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenName {
    Id,
    Access,
}

/// What a relying party must check, in the order in which this one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Discovery,
    State,
    ResponseIssuer,
    Pkce,
    Issuer,
    Audience,
    Signature,
    Expiry,
    Nonce,
    AuthTime,
    AccessTokenHash,
    Subject,
}

impl Check {
    pub(super) const ALL: [Self; 12] = [
        Self::Discovery,
        Self::State,
        Self::ResponseIssuer,
        Self::Pkce,
        Self::Issuer,
        Self::Audience,
        Self::Signature,
        Self::Expiry,
        Self::Nonce,
        Self::AuthTime,
        Self::AccessTokenHash,
        Self::Subject,
    ];

    /// What was compared with what, and what it proves when it fits.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Discovery => {
                ("The metadata names the issuer it was fetched from", "These addresses and keys belong to this server and no other.")
            }
            Self::State => (
                "state is the one this browser was sent with",
                "The answer belongs to a sign-in that this browser began; nobody slipped it in.",
            ),
            Self::ResponseIssuer => (
                "iss of the answer is the issuer (RFC 9207)",
                "The answer comes from this server, not from another one that mixed itself in.",
            ),
            Self::Pkce => (
                "The server took the code with our verifier (PKCE)",
                "The code was made for this app’s own request; a stolen code is of no use.",
            ),
            Self::Issuer => ("iss of the ID token is the issuer", "This server says so, and no other."),
            Self::Audience => ("aud of the ID token is this app", "The token was made for this app; one made for another is refused."),
            Self::Signature => {
                ("The signature fits a key of the server", "Not a letter of the ID token was changed since the server signed it.")
            }
            Self::Expiry => ("exp of the ID token is still to come", "The token is fresh."),
            Self::Nonce => {
                ("nonce is the one of this sign-in", "The ID token was made for this very sign-in; an older one cannot be played again.")
            }
            Self::AuthTime => ("auth_time fits max_age", "The person signed in recently enough."),
            Self::AccessTokenHash => ("at_hash fits the access token", "Both tokens belong together; neither was swapped."),
            Self::Subject => ("sub of userinfo is that of the ID token", "The userinfo is about the person who signed in."),
        }
    }
}

/// Which checks were made, and the one that failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    passed: Vec<Check>,
    failed: Option<Check>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    NotMade,
}

impl Checks {
    pub(super) fn pass(&mut self, check: Check) {
        self.passed.push(check);
    }

    pub(super) const fn fail(&mut self, check: Check) {
        self.failed = Some(check);
    }

    pub(super) fn verdict(&self, check: Check) -> Verdict {
        if self.failed == Some(check) {
            Verdict::Failed
        } else if self.passed.contains(&check) {
            Verdict::Passed
        } else {
            Verdict::NotMade
        }
    }
}

impl Report {
    pub(super) const fn new(choices: Choices, now: Timestamp) -> Self {
        Self {
            choices,
            started_at: now,
            steps: Vec::new(),
            tokens: Vec::new(),
            checks: Checks { passed: Vec::new(), failed: None },
            outcome: Outcome::AtServer(String::new()),
            end_session: None,
        }
    }

    pub(super) fn fail(&mut self, problem: Problem) {
        self.outcome = Outcome::Failed(problem);
    }

    /// Fails because of one check.
    pub(super) fn fail_check(&mut self, check: Check, words: String) {
        self.checks.fail(check);
        self.fail(Problem { title: "A check failed", words, code: None });
    }
}
