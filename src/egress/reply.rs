//! What came back from a fetch: read up to a length, never further, and what it says of how long it may be kept.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};

use super::EgressError;

/// What is wanted of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// The `Accept` header.
    pub accept: &'static str,
    /// The longest body that is taken, in bytes.
    pub most: usize,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    /// The media type as it was sent, with its parameters.
    pub content_type: Option<String>,
    /// How long it may be kept by its `Cache-Control` (RFC 9111 §5.2.2); `None` where that says nothing of it.
    pub max_age: Option<Duration>,
    pub body: Vec<u8>,
}

impl Fetched {
    /// The answer if it is a 200.
    ///
    /// # Errors
    /// [`EgressError::Status`].
    pub fn ok(self) -> Result<Self, EgressError> {
        if self.status == 200 { Ok(self) } else { Err(EgressError::Status(self.status)) }
    }

    /// Reads all of an answer, if it is no longer than `most` bytes.
    pub(super) async fn read(mut response: Response, most: usize) -> Result<Self, EgressError> {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = read(&mut response, most).await?;
        Ok(Self { status: response.status().as_u16(), content_type, max_age: max_age(response.headers()), body })
    }
}

// What the answer says of its own length is not believed: it is counted.
async fn read(response: &mut Response, most: usize) -> Result<Vec<u8>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > most.saturating_sub(body.len()) {
            return Err(EgressError::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads at most `most` bytes of an answer and throws them away, so that an ordinary server can finish what it says.
pub(super) async fn discard(mut response: Response, most: usize) {
    let _ = read(&mut response, most).await;
}

// RFC 9111 §4.2.1: of conflicting values the most restrictive, and what cannot be read counts as stale.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let ages = lines.flat_map(|line| line.split(',')).filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(Duration::ZERO),
            "max-age" => Some(Duration::from_secs(value.trim().trim_matches('"').parse().unwrap_or(0))),
            _ => None,
        }
    });
    ages.min()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn how_long_an_answer_may_be_kept() {
        for (lines, seconds) in [
            (&[] as &[&str], None),
            (&["public"], None),
            (&["max-age=60"], Some(60)),
            (&["Public, Max-Age=\"60\""], Some(60)),
            (&["max-age=60, no-store"], Some(0)),
            (&["no-cache"], Some(0)),
            (&["max-age=60", "max-age=30"], Some(30)),
            (&["max-age=soon"], Some(0)),
            (&["max-age"], Some(0)),
            (&["max-age=-1"], Some(0)),
            (&["s-maxage=9"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(line));
            }
            assert_eq!(max_age(&headers), seconds.map(Duration::from_secs), "{lines:?}");
        }
    }
}
