//! The parameters of a request, from a query or a form: decoded once, and never silently doubled.

use url::form_urlencoded;

use super::error::{ErrorCode, OAuthError};

/// Parameters in the order in which they came. A parameter without a value counts as left out (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    too_many: bool,
}

/// More parameters than any honest request has.
const MOST: usize = 200;

/// RFC 8707 §2: "Multiple resource parameters MAY be used"; RFC 8693 §2.1 says the same of `audience`; all others come once.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

impl Params {
    /// Decodes `application/x-www-form-urlencoded` text; anything decodes to something, as browsers have it.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        let mut parsed = form_urlencoded::parse(text.as_bytes());
        let pairs = parsed
            .by_ref()
            .take(MOST)
            // RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted from the request."
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { pairs, too_many: parsed.next().is_some() }
    }

    /// The value of `name`, or nothing when it was left out.
    ///
    /// # Errors
    /// `invalid_request` when there are more than 200 parameters, when it holds a NUL character, or came twice: RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
    pub fn get(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        if self.too_many {
            // One that is doubled might stand behind the last that was read.
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "more than 200 parameters were sent"));
        }
        let mut values = self.pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            // Nothing that is sent here has a use for it, and not every database can hold it.
            (Some(value), None) if value.contains('\0') => {
                Err(OAuthError::new(ErrorCode::InvalidRequest, format!("{name} holds a NUL character")))
            }
            (first, None) => Ok(first),
            _ => Err(OAuthError::new(ErrorCode::InvalidRequest, format!("{name} was sent more than once; send it once"))),
        }
    }

    /// Every value of a parameter that may come several times.
    ///
    /// # Errors
    /// As [`Params::get`], but for what came twice.
    pub fn all(&self, name: &str) -> Result<Vec<&str>, OAuthError> {
        if self.too_many {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "more than 200 parameters were sent"));
        }
        let values: Vec<&str> = self.pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect();
        if values.iter().any(|value| value.contains('\0')) {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, format!("{name} holds a NUL character")));
        }
        Ok(values)
    }

    /// Like [`Params::get`], for a parameter that must be there.
    pub fn need(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)?.ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, format!("{name} is missing")))
    }

    /// The first of several names for one thing that is present: the standard's name first, then its aliases.
    pub fn get_any(&self, names: &[&str]) -> Result<Option<&str>, OAuthError> {
        for name in names {
            if let Some(value) = self.get(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// These parameters and, behind them, those of `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.pairs.extend(other.pairs);
        self.too_many |= other.too_many;
        self
    }

    /// These parameters without those of the names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.pairs.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// These parameters with this one, in place of those of its name.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let mut these = self.without(&[name]);
        these.pairs.push((name.to_owned(), value.to_owned()));
        these
    }

    /// The text that decodes to these parameters.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }

    /// Whether `name` came at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(n, _)| n == name)
    }

    /// The parameters' names that came more than once; none in a good request.
    #[must_use]
    pub fn doubled(&self) -> Option<&str> {
        self.pairs
            .iter()
            .enumerate()
            .find(|(place, (name, _))| !REPEATABLE.contains(&name.as_str()) && self.pairs[..*place].iter().any(|(n, _)| n == name))
            .map(|(_, (name, _))| name.as_str())
    }
}

// Values may be secrets.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_is_refused_and_empty_is_absent() {
        let params = Params::decode("a=1&a=2&b=&c=%20x+y&d");
        assert_eq!(params.get("a").unwrap_err().code, ErrorCode::InvalidRequest);
        assert_eq!(params.doubled(), Some("a"));
        assert_eq!(params.get("b").unwrap(), None);
        assert_eq!(params.get("c").unwrap(), Some(" x y"));
        assert!(!params.has("d"));
        assert!(Params::decode(&"x=1&".repeat(201)).get("state").is_err());
        assert!(Params::decode("state=%00").get("state").is_err());
        assert_eq!(params.get_any(&["e", "c"]).unwrap(), Some(" x y"));
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let params = Params::decode("a=1&secret=x&state=%20%2B%26%3D%C3%BC&a%26b=c").without(&["secret"]).with("a", "2");
        assert_eq!(params.encode(), "state=+%2B%26%3D%C3%BC&a%26b=c&a=2");
        let again = Params::decode(&params.encode());
        assert_eq!((again.get("state"), again.get("a&b"), again.has("secret")), (Ok(Some(" +&=ü")), Ok(Some("c")), false));
    }

    #[test]
    fn only_resources_are_repeated() {
        let params = Params::decode("resource=a&resource=b&resource=");
        assert_eq!((params.doubled(), params.all("resource").unwrap()), (None, vec!["a", "b"]));
        assert_eq!(Params::decode("audience=a&audience=b").doubled(), None);
        assert_eq!(params.all("scope").unwrap(), Vec::<&str>::new());
        assert!(Params::decode("resource=a&resource=%00").all("resource").is_err());
        assert!(Params::decode(&"resource=1&".repeat(201)).all("resource").is_err());
        assert_eq!(Params::decode("resources=a&resources=b").doubled(), Some("resources"));
    }

    #[test]
    fn debug_shows_no_values() {
        assert_eq!(format!("{:?}", Params::decode("code=SECRET")), "[\"code\"]");
    }
}
