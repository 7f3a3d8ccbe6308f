//! A JWT taken apart for people to read. Nothing is verified here: that is the client library's work, and the browser's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims;
use crate::domain::Timestamp;

/// A token's two readable parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The header as indented JSON.
    pub header: String,
    /// The payload as indented JSON.
    pub payload: String,
    pub claims: Vec<Claim>,
}

/// One claim with what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub name: String,
    pub value: String,
    /// A time as people write it.
    pub moment: Option<String>,
    pub meaning: &'static str,
}

/// Takes a compact JWS (RFC 7515 §3.1) apart; `None` when it is none, as an opaque token is.
pub(super) fn decode(token: &str, now: Timestamp) -> Option<Decoded> {
    let mut parts = token.split('.');
    let (header, payload, _signature) = (object(parts.next()?)?, object(parts.next()?)?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = payload.iter().map(|(name, value)| claim(name, value, now)).collect();
    Some(Decoded { header: indented(header), payload: indented(payload), claims })
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn indented(object: Map<String, Value>) -> String {
    format!("{:#}", Value::Object(object))
}

fn claim(name: &str, value: &Value, now: Timestamp) -> Claim {
    let moment = value.as_i64().filter(|_| claims::is_moment(name)).map(|seconds| told(Timestamp::from_seconds(seconds), now));
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Claim { name: name.to_owned(), value, moment, meaning: claims::meaning(name) }
}

/// A moment in UTC and how far it is from now: `2026-01-31 12:00:00 UTC (in 59 minutes)`.
fn told(moment: Timestamp, now: Timestamp) -> String {
    let date = moment.rfc3339().replace('T', " ").replace('Z', " UTC");
    let distance = if moment > now { moment.since(now) } else { now.since(moment) }.as_secs();
    let (count, unit) = match distance {
        0..60 => (distance, "second"),
        60..3_600 => (distance / 60, "minute"),
        3_600..172_800 => (distance / 3_600, "hour"),
        _ => (distance / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    match () {
        () if distance == 0 => format!("{date} (now)"),
        () if moment > now => format!("{date} (in {count} {unit}{plural})"),
        () => format!("{date} ({count} {unit}{plural} ago)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_is_taken_apart_with_the_meaning_of_each_claim() {
        let now = Timestamp::from_seconds(1_767_225_600);
        let decoded =
            decode(&token(r#"{"alg":"RS256"}"#, r#"{"sub":"a","exp":1767229200,"auth_time":1767225540,"amr":["swk"],"own":1}"#), now);
        let decoded = decoded.expect("it is a token");
        assert_eq!(decoded.header, "{\n  \"alg\": \"RS256\"\n}");
        let find = |name: &str| decoded.claims.iter().find(|claim| claim.name == name).expect("the claim is there");
        assert_eq!(find("sub").value, "a");
        assert_eq!(find("amr").value, r#"["swk"]"#);
        assert_eq!(find("exp").moment.as_deref(), Some("2026-01-01 01:00:00 UTC (in 1 hour)"));
        assert_eq!(find("auth_time").moment.as_deref(), Some("2025-12-31 23:59:00 UTC (1 minute ago)"));
        assert_eq!((find("own").moment.as_deref(), find("own").meaning), (None, claims::OWN));
        assert_ne!(find("sub").meaning, claims::OWN);
    }

    #[test]
    fn what_is_no_token_is_not_taken_apart() {
        let now = Timestamp::from_seconds(0);
        for text in ["", "opaque", "a.b.c", "..", &token("[]", "{}"), &format!("{}.more", token("{}", "{}"))] {
            assert_eq!(decode(text, now), None);
        }
        assert!(decode(&token("{}", "{}"), now).is_some());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", payload in "\\PC{0,60}", exp in any::<i64>()) {
            let now = Timestamp::from_seconds(0);
            let _ = decode(&text, now);
            let _ = decode(&token("{}", &payload), now);
            let expiring = token("{}", &json!({ "exp": exp }).to_string());
            prop_assert!(decode(&expiring, now).is_some());
        }
    }
}
