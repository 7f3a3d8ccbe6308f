//! One HTTP request and its response, as they went over the wire, and their text for people.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use url::Url;

/// A request, and the response where the one who shows it could see it.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub sender: Sender,
    pub request: Request,
    pub response: Option<Response>,
}

/// Who sent a request: requests of the browser do not pass through the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    App,
    Browser,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Debug)]
pub(super) struct Response {
    pub status: u16,
    pub reason: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub took: Duration,
}

impl Exchange {
    /// What the browser asks for by going to `url`; what comes back is a page, which the app never sees.
    pub(super) fn of_browser(method: &str, url: &str, form: &str) -> Self {
        let headers = match form {
            "" => Vec::new(),
            _ => vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        };
        let request = Request { method: method.to_owned(), url: url.to_owned(), headers, body: form.to_owned() };
        Self { sender: Sender::Browser, request, response: None }
    }
}

impl Request {
    /// Whether the body is a form, of which each parameter is shown on its own line.
    pub(super) fn is_form(&self) -> bool {
        header(&self.headers, "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    /// The request in the manner of HTTP/1.1.
    pub(super) fn text(&self) -> String {
        let target = Url::parse(&self.url).map_or_else(
            |_| self.url.clone(),
            |url| match url.query() {
                Some(query) => format!("{}?{}", url.path(), query.replace('&', "\n    &")),
                None => url.path().to_owned(),
            },
        );
        let mut text = format!("{} {target}", self.method);
        if let Some(host) = Url::parse(&self.url).ok().as_ref().and_then(host_and_port) {
            let _ = write!(text, "\nhost: {host}");
        }
        write_headers(&mut text, &self.headers);
        if !self.body.is_empty() {
            let body = if self.is_form() { self.body.replace('&', "\n&") } else { self.body.clone() };
            let _ = write!(text, "\n\n{body}");
        }
        text
    }
}

impl Response {
    /// The response in the manner of HTTP/1.1; a JSON body is indented.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {}", self.status, self.reason);
        write_headers(&mut text, &self.headers);
        if !self.body.is_empty() {
            let _ = write!(text, "\n\n{}", pretty(&self.body));
        }
        text
    }
}

/// JSON indented; any other text as it is.
pub(super) fn pretty(body: &str) -> String {
    serde_json::from_str::<Value>(body).ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| body.to_owned())
}

fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
}

fn write_headers(text: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        let _ = write!(text, "\n{name}: {value}");
    }
}

fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_shown_one_parameter_a_line() {
        let exchange = Exchange::of_browser("POST", "http://localhost:8080/playground/callback?a=1&b=2", "code=x&state=y%20z");
        assert_eq!(
            exchange.request.text(),
            "POST /playground/callback?a=1\n    &b=2\nhost: localhost:8080\ncontent-type: application/x-www-form-urlencoded\n\ncode=x\n&state=y%20z"
        );
    }

    #[test]
    fn json_is_indented_and_other_text_left_alone() {
        let response = |body: &str| Response {
            status: 200,
            reason: "OK",
            headers: vec![("etag".to_owned(), "\"1\"".to_owned())],
            body: body.to_owned(),
            took: Duration::ZERO,
        };
        assert_eq!(response("{\"a\":[1]}").text(), "200 OK\netag: \"1\"\n\n{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(response("<p>").text(), "200 OK\netag: \"1\"\n\n<p>");
        assert_eq!(response("").text(), "200 OK\netag: \"1\"");
    }
}
