//! The authorization response: what the browser brings back from the server.

use openidconnect::AuthorizationCode;
use url::form_urlencoded;

use super::super::Playground;
use super::super::exchange::Exchange;
use super::super::report::{Check, Problem, Report, Step};
use super::Failure;

/// The answer's parameters, and how they came.
#[derive(Debug)]
pub(in crate::playground) struct Answer {
    parameters: Vec<(String, String)>,
    exchange: Exchange,
}

impl Answer {
    /// In the query of the redirect URI (`response_mode=query`).
    pub(in crate::playground) fn in_query(redirect_uri: &str, query: &str) -> Self {
        Self { parameters: parse(query), exchange: Exchange::of_browser("GET", &format!("{redirect_uri}?{query}"), "") }
    }

    /// In a form posted to the redirect URI (`response_mode=form_post`).
    pub(in crate::playground) fn in_form(redirect_uri: &str, form: &str) -> Self {
        Self { parameters: parse(form), exchange: Exchange::of_browser("POST", redirect_uri, form) }
    }

    /// A parameter's value. One that comes twice is as good as none (RFC 6749 §3.1).
    pub(in crate::playground) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }
}

/// Checks the answer and takes the code out of it. Its `state` has been compared before: by it the sign-in was found.
pub(super) fn read(
    playground: &Playground,
    report: &mut Report,
    answer: &Answer,
    carries_issuer: bool,
) -> Result<AuthorizationCode, Failure> {
    let facts = answer.parameters.iter().map(|(name, value)| (name.clone(), value.clone(), purpose(name))).collect();
    report.steps.push(Step {
        title: "Authorization response",
        words: "The server sends the browser back to the app’s redirect URI with a code that works once and for a minute.",
        facts,
        exchanges: vec![answer.exchange.clone()],
    });
    report.checks.pass(Check::State);

    // RFC 9207 §2.4: compare `iss` before anything else is done with the answer, errors included.
    match answer.get("iss") {
        Some(issuer) if issuer == playground.issuer => report.checks.pass(Check::ResponseIssuer),
        Some(other) => return Err(Failure::Check(Check::ResponseIssuer, format!("The answer says that it comes from {other}."))),
        None if carries_issuer => {
            return Err(Failure::Check(
                Check::ResponseIssuer,
                "The server announces iss in its answers, and this one has none.".to_owned(),
            ));
        }
        None => {}
    }
    if let Some(code) = answer.get("error") {
        return Err(Failure::Problem(problem(code, answer.get("error_description"))));
    }
    answer.get("code").map(|code| AuthorizationCode::new(code.to_owned())).ok_or_else(|| {
        Failure::Problem(Problem {
            title: "An answer without a code",
            words: "The server sent neither a code nor an error.".to_owned(),
            code: None,
        })
    })
}

/// The errors of RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6, in words.
fn problem(code: &str, description: Option<&str>) -> Problem {
    let (title, words) = match code {
        "access_denied" => ("You said no", "The sign-in was cancelled, or the app was not allowed in. Nothing was given to the app."),
        "login_required" => (
            "You are not signed in",
            "The app asked for a sign-in without any page (prompt=none), and nobody is signed in, or not freshly enough.",
        ),
        "consent_required" => (
            "The app is not allowed in yet",
            "The app asked for a sign-in without any page (prompt=none), and you have not agreed to what it asks for.",
        ),
        "interaction_required" => {
            ("A page is needed", "The app asked for a sign-in without any page (prompt=none), and the server has something to ask you.")
        }
        "invalid_scope" => ("The server does not know that scope", "The app asked for something that the server does not give."),
        "temporarily_unavailable" => ("The server is busy", "It asks to try again in a moment."),
        "server_error" => ("The server failed", "Something went wrong there. Its log tells what."),
        _ => ("The server refused the request", "The app’s request did not suit the server."),
    };
    let words = description.map_or_else(|| words.to_owned(), |said| format!("{words} The server said: {said}"));
    Problem { title, words, code: Some(code.to_owned()) }
}

fn parse(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn purpose(parameter: &str) -> &'static str {
    match parameter {
        "code" => "Good for one redemption, by this app, with the code_verifier.",
        "state" => "The value that the app sent: so the answer belongs to this browser.",
        "iss" => "Which server answers (RFC 9207).",
        "error" => "Why there is no code.",
        "error_description" => "The same in words, for developers.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::choices::Choices;
    use super::super::super::report::Verdict;
    use super::*;
    use crate::domain::{Clock, Entropy, Timestamp};

    const ISSUER: &str = "http://localhost:8080";

    fn playground() -> Playground {
        let uri = super::super::super::redirect_uri(ISSUER);
        Playground::new(
            ISSUER.to_owned(),
            "playground".to_owned(),
            uri,
            crate::playground::recorder::no_tls(),
            Clock::default(),
            Entropy::seeded(1),
        )
        .expect("it starts")
    }

    fn outcome(query: &str, carries_issuer: bool) -> (Report, Result<AuthorizationCode, Failure>) {
        let mut report = Report::new(Choices::default(), Timestamp::from_seconds(0));
        let result =
            read(&playground(), &mut report, &Answer::in_query("http://localhost:8080/playground/callback", query), carries_issuer);
        (report, result)
    }

    #[test]
    fn a_code_from_the_right_server_is_taken() {
        let (report, result) = outcome("code=abc&state=s&iss=http%3A%2F%2Flocalhost%3A8080", true);
        assert_eq!(result.expect("a code").secret(), "abc");
        assert_eq!(report.checks.verdict(Check::ResponseIssuer), Verdict::Passed);
    }

    #[test]
    fn an_answer_of_another_server_is_refused_even_when_it_is_an_error() {
        for query in [
            "code=abc&iss=http%3A%2F%2Fevil.example",
            "error=access_denied&iss=http%3A%2F%2Fevil.example",
            "code=abc",
            "code=a&iss=x&iss=y",
        ] {
            assert!(matches!(outcome(query, true).1, Err(Failure::Check(Check::ResponseIssuer, _))), "{query}");
        }
        let (report, result) = outcome("code=abc", false);
        assert!(result.is_ok());
        assert_eq!(report.checks.verdict(Check::ResponseIssuer), Verdict::NotMade);
    }

    #[test]
    fn errors_are_told_in_words() {
        let iss = "iss=http%3A%2F%2Flocalhost%3A8080";
        let (_, result) = outcome(&format!("error=access_denied&error_description=No.&{iss}"), true);
        assert!(
            matches!(result, Err(Failure::Problem(problem)) if problem.title == "You said no" && problem.words.ends_with("The server said: No."))
        );
        for query in [iss.to_owned(), format!("code=a&code=b&{iss}")] {
            assert!(matches!(outcome(&query, true).1, Err(Failure::Problem(problem)) if problem.code.is_none()));
        }
    }
}
