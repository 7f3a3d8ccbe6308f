//! The playground's pages: a report comes in, strings for the templates go out.

use askama::Template;

use super::choices::{Choices, Prompt};
use super::exchange::{Exchange, Sender};
use super::report::{Check, Outcome, Problem, Report, Token, TokenName, Verdict};
use super::token::{self, Decoded};
use super::{Playground, curl, post_logout_redirect_uri};
use crate::domain::Timestamp;
use crate::web::assets;
use crate::web::pages::Frame;

/// An exchange whose response has more lines is folded at first.
const LONG: usize = 40;

/// `/playground`: what it is, and the form.
#[derive(Template, Debug)]
#[template(path = "playground.html")]
pub(super) struct IndexPage {
    pub frame: Frame,
    pub issuer: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub choices: Choices,
    pub problem: Option<&'static str>,
}

impl IndexPage {
    fn prompts(&self) -> [(&'static str, &'static str, bool); 4] {
        let line = |prompt: Option<Prompt>, words| (prompt.map_or("", Prompt::as_str), words, self.choices.prompt == prompt);
        [
            line(None, "only what is needed"),
            line(Some(Prompt::Login), "login: sign in anew"),
            line(Some(Prompt::Consent), "consent: ask for permission anew"),
            line(Some(Prompt::None), "none: show no page at all"),
        ]
    }

    fn max_age(&self) -> String {
        self.choices.max_age.map(|age| age.as_secs().to_string()).unwrap_or_default()
    }
}

/// `/playground/run`: one sign-in, step by step.
#[derive(Template, Debug)]
#[template(path = "playground_run.html")]
pub(super) struct RunPage {
    frame: Frame,
    signed_in: bool,
    /// Where the browser was sent, while no answer has come.
    at_server: Option<String>,
    problem: Option<Problem>,
    person: Option<String>,
    steps: Vec<StepView>,
    tokens: Vec<TokenView>,
    checks: Vec<CheckView>,
    again: String,
    settings: String,
    sign_out: Option<SignOut>,
}

#[derive(Debug)]
pub(super) struct StepView {
    pub(super) title: &'static str,
    pub(super) words: &'static str,
    pub(super) facts: Vec<(String, String, &'static str)>,
    pub(super) exchanges: Vec<ExchangeView>,
}

#[derive(Debug)]
pub(super) struct ExchangeView {
    /// Unlike any other's on the page.
    pub(super) id: String,
    pub(super) by: &'static str,
    pub(super) line: String,
    pub(super) open: bool,
    pub(super) request: String,
    pub(super) response: Option<ResponseView>,
    pub(super) unseen: &'static str,
    pub(super) curl: String,
}

#[derive(Debug)]
pub(super) struct ResponseView {
    pub(super) line: String,
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) struct TokenView {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) words: &'static str,
    pub(super) text: String,
    pub(super) decoded: Option<Decoded>,
}

#[derive(Debug)]
struct CheckView {
    title: &'static str,
    proves: &'static str,
    word: &'static str,
    class: &'static str,
}

/// RP-Initiated Logout §2, as a form.
#[derive(Debug)]
struct SignOut {
    action: String,
    fields: Vec<(&'static str, String)>,
}

impl RunPage {
    pub(super) fn new(frame: Frame, playground: &Playground, report: &Report) -> Self {
        let now = playground.clock.now();
        let (at_server, problem) = match &report.outcome {
            Outcome::AtServer(url) => (Some(url.clone()), None),
            Outcome::SignedIn => (None, None),
            Outcome::Failed(problem) => (None, Some(problem.clone())),
        };
        let tokens: Vec<_> = report.tokens.iter().map(|token| token_view(token, now)).collect();
        let signed_in = matches!(report.outcome, Outcome::SignedIn);
        Self {
            frame,
            signed_in,
            at_server,
            problem,
            person: tokens.iter().find_map(person).filter(|_| signed_in),
            steps: steps(report),
            tokens,
            checks: Check::ALL.into_iter().map(|check| check_view(report, check)).collect(),
            again: format!("/playground/start?{}", report.choices.with_pages().query()),
            settings: format!("/playground?{}", report.choices.query()),
            sign_out: sign_out(playground, report).filter(|_| signed_in),
        }
    }
}

pub(super) fn steps(report: &Report) -> Vec<StepView> {
    let mut number = 0;
    let mut numbered = |exchange: &Exchange| {
        number += 1;
        exchange_view(format!("exchange-{number}"), exchange)
    };
    report
        .steps
        .iter()
        .map(|step| StepView {
            title: step.title,
            words: step.words,
            facts: step.facts.clone(),
            exchanges: step.exchanges.iter().map(&mut numbered).collect(),
        })
        .collect()
}

fn exchange_view(id: String, exchange: &Exchange) -> ExchangeView {
    let path = exchange.request.url.split('?').next().unwrap_or_default();
    let response = exchange.response.as_ref().map(|response| ResponseView {
        line: format!("{} {}, {} ms", response.status, response.reason, response.took.as_millis()),
        text: response.text(),
    });
    let (by, unseen) = match exchange.sender {
        Sender::App => ("The app sends", "No answer came."),
        Sender::Browser => ("The browser sends", "The answer is a page or a redirect for the browser. The app does not see it."),
    };
    ExchangeView {
        id,
        by,
        line: format!("{} {path}", exchange.request.method),
        open: response.as_ref().is_some_and(|response| response.text.lines().count() <= LONG),
        request: exchange.request.text(),
        response,
        unseen,
        curl: curl::command(&exchange.request),
    }
}

pub(super) fn token_view(token: &Token, now: Timestamp) -> TokenView {
    let (id, title, words) = match token.kind {
        TokenName::Id => ("id_token", "ID token", "For the app itself: who signed in, when and how. It is not for any API."),
        TokenName::Access => {
            ("access_token", "Access token", "For APIs: the app shows it, and they give what its scope allows. The app need not read it.")
        }
    };
    TokenView { id, title, words, text: token.text.clone(), decoded: token::decode(&token.text, now) }
}

/// The name by which the person is greeted: a wallet's address, or whatever the subject is.
pub(super) fn person(token: &TokenView) -> Option<String> {
    let claims = &token.decoded.as_ref()?.claims;
    let find = |name: &str| claims.iter().find(|claim| claim.name == name).map(|claim| claim.value.clone());
    find("ethereum_address").or_else(|| find("sub"))
}

fn check_view(report: &Report, check: Check) -> CheckView {
    let (title, proves) = check.words();
    let (word, class) = match report.checks.verdict(check) {
        Verdict::Passed => ("proved", "passed"),
        Verdict::Failed => ("failed", "failed"),
        Verdict::NotMade => ("not made", "not-made"),
    };
    CheckView { title, proves, word, class }
}

fn sign_out(playground: &Playground, report: &Report) -> Option<SignOut> {
    let action = report.end_session.clone()?;
    let hint = report.tokens.iter().find(|token| token.kind == TokenName::Id)?.text.clone();
    let fields = vec![
        ("id_token_hint", hint),
        ("client_id", playground.client_id.clone()),
        ("post_logout_redirect_uri", post_logout_redirect_uri(&playground.issuer)),
    ];
    Some(SignOut { action, fields })
}
