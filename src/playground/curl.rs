//! A recorded request as a `curl` command that a POSIX shell runs as it is.

use url::form_urlencoded;

use super::exchange::Request;

/// The command; one argument a line, so that people can read it.
pub(super) fn command(request: &Request) -> String {
    let mut words = vec!["curl -sS -i".to_owned()];
    // Without it curl takes brackets and braces in a URL for patterns.
    if request.url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    let implied = if request.body.is_empty() { "GET" } else { "POST" };
    if request.method != implied {
        words.push(format!("-X {}", quote(&request.method)));
    }
    words.push(quote(&request.url));
    let form = request.is_form();
    for (name, value) in &request.headers {
        // curl sends this type by itself with `--data…`.
        if form && name.eq_ignore_ascii_case("content-type") {
            continue;
        }
        words.push(format!("-H {}", quote(&format!("{name}: {value}"))));
    }
    if form {
        for (name, value) in form_urlencoded::parse(request.body.as_bytes()) {
            words.push(format!("--data-urlencode {}", quote(&format!("{name}={value}"))));
        }
    } else if !request.body.is_empty() {
        words.push(format!("--data-raw {}", quote(&request.body)));
    }
    words.join(" \\\n  ")
}

/// `text` as one word of a POSIX shell: in single quotes nothing has a meaning but the quote itself.
pub(super) fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Request {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Request { method: method.to_owned(), url: url.to_owned(), headers, body: body.to_owned() }
    }

    #[test]
    fn a_form_becomes_its_parameters() {
        let form = "application/x-www-form-urlencoded";
        let token = request(
            "POST",
            "http://localhost:8080/token",
            &[("accept", "application/json"), ("Content-Type", form)],
            "code=a%2Bb&x=it%27s",
        );
        assert_eq!(
            command(&token),
            "curl -sS -i \\\n  http://localhost:8080/token \\\n  -H 'accept: application/json' \\\n  --data-urlencode code=a+b \\\n  --data-urlencode 'x=it'\\''s'"
        );
    }

    #[test]
    fn a_query_and_brackets_are_no_patterns() {
        assert_eq!(
            command(&request("GET", "http://localhost/a?b=1&c={2}", &[], "")),
            "curl -sS -i \\\n  --globoff \\\n  'http://localhost/a?b=1&c={2}'"
        );
        assert_eq!(command(&request("DELETE", "http://localhost/", &[], "")), "curl -sS -i \\\n  -X DELETE \\\n  http://localhost/");
        assert_eq!(command(&request("POST", "http://localhost/", &[], "{}")), "curl -sS -i \\\n  http://localhost/ \\\n  --data-raw '{}'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_back_what_was_quoted(text in "[^\\x00]{0,40}") {
            let output = Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(&text))).output();
            prop_assert_eq!(output.map(|output| output.stdout).unwrap_or_default(), text.into_bytes());
        }
    }
}
