//! How strong a sign-in was: one table from what was proved to a word for it (OpenID Connect Core §2, `acr`).

use std::fmt::Write;

use crate::domain::Provider;
use crate::protocol::error::{ErrorCode, OAuthError};

/// A message that names the app was signed with the key of an Ethereum account (EIP-191, EIP-4361). It says that the key was there, not
/// where it is kept, so it claims neither hardware nor a resistance to phishing that a wallet may lack.
pub const WALLET: &str = "urn:latchkey:acr:wallet";

/// A challenge was signed with the key of a passkey, and the authenticator made sure who holds it (Web Authentication, user verification). The key
/// answers this site alone; where it is kept, `amr` says as far as it is known.
pub const PASSKEY: &str = "urn:latchkey:acr:passkey";

/// A provider, the methods (RFC 8176) that its sign-in must have had, and the word for that.
const TABLE: &[(&str, &[&str], &str)] = &[(Provider::WEB3, &["pop"], WALLET), (Provider::PASSKEY, &["pop", "user"], PASSKEY)];

/// The word for a sign-in; `None`: there is none, and nothing is claimed.
#[must_use]
pub fn of(provider: &Provider, amr: &[String]) -> Option<&'static str> {
    let had = |methods: &[&str]| methods.iter().all(|method| amr.iter().any(|one| one == method));
    TABLE.iter().find(|(known, methods, _)| provider.as_str() == *known && had(methods)).map(|(.., word)| *word)
}

/// The word that a sign-in by that provider has, if it has one.
#[must_use]
pub fn given_by(provider: &str) -> Option<&'static str> {
    TABLE.iter().find(|(known, ..)| provider == *known).map(|(.., word)| *word)
}

/// Every word that a sign-in by one of these providers can have, as discovery lists them.
pub fn supported<'a>(providers: impl IntoIterator<Item = &'a str>) -> Vec<&'static str> {
    providers.into_iter().filter_map(given_by).collect()
}

/// What our own APIs may demand of the sign-in behind an access token (RFC 9470). The APIs over grants are to use it where they change
/// something; userinfo only tells, and the pages of `/account` have sessions in place of tokens.
#[derive(Clone, Copy, Debug)]
pub struct StepUp<'a> {
    /// One of these words; empty: any.
    pub acr_values: &'a [&'a str],
    /// Seconds since the sign-in.
    pub max_age: Option<u64>,
}

impl StepUp<'_> {
    /// The refusal of a token whose sign-in was too weak or too long ago; `None`: it will do. `age` is in seconds.
    #[must_use]
    pub fn insufficient_user_authentication(self, acr: Option<&str>, age: u64) -> Option<OAuthError> {
        let weak = !self.acr_values.is_empty() && acr.is_none_or(|acr| !self.acr_values.contains(&acr));
        let old = self.max_age.is_some_and(|most| age > most);
        (weak || old).then(|| {
            OAuthError::new(
                ErrorCode::InsufficientUserAuthentication,
                if weak { "this needs another way of signing in; see acr_values" } else { "this needs a more recent sign-in; see max_age" },
            )
        })
    }

    /// The challenge for the `WWW-Authenticate` header of that refusal.
    // RFC 9470 §3: acr_values: "a space-separated string listing the authentication context class reference values in order of
    // preference"; max_age: "the allowable elapsed time in seconds since the last active authentication event".
    #[must_use]
    pub fn challenge(self, refusal: &OAuthError) -> String {
        let mut text = format!("Bearer error=\"{}\", error_description=\"{}\"", refusal.code.as_str(), refusal.description);
        if !self.acr_values.is_empty() {
            let _ = write!(text, ", acr_values=\"{}\"", self.acr_values.join(" "));
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(text, ", max_age=\"{max_age}\"");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_was_proved_and_nothing_more() {
        let amr = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(of(&Provider::web3(), &amr(&["pop"])), Some(WALLET));
        assert_eq!(of(&Provider::web3(), &amr(&["swk", "pop"])), Some(WALLET));
        assert_eq!(of(&Provider::web3(), &amr(&[])), None);
        assert_eq!(of(&Provider::new("google"), &amr(&["pop"])), None);
        let passkey = Provider::new(Provider::PASSKEY);
        assert_eq!(of(&passkey, &amr(&["user", "swk", "pop"])), Some(PASSKEY));
        // The key alone does not say who held it.
        for less in [&["pop"][..], &["user", "hwk"], &[]] {
            assert_eq!(of(&passkey, &amr(less)), None, "{less:?}");
        }
        assert_eq!(supported(["passkey", "google", "web3"]), [PASSKEY, WALLET]);
        assert!(supported(["email", ""]).is_empty());
    }

    #[test]
    fn a_sign_in_that_is_too_weak_or_too_old_is_challenged() {
        let need = StepUp { acr_values: &[WALLET], max_age: Some(60) };
        assert_eq!(need.insufficient_user_authentication(Some(WALLET), 60), None);
        let old = need.insufficient_user_authentication(Some(WALLET), 61).unwrap();
        assert_eq!((old.code.as_str(), old.code.status()), ("insufficient_user_authentication", 401));
        assert_eq!(
            need.challenge(&old),
            "Bearer error=\"insufficient_user_authentication\", error_description=\"this needs a more recent sign-in; see max_age\", \
             acr_values=\"urn:latchkey:acr:wallet\", max_age=\"60\""
        );
        for acr in [None, Some("other")] {
            assert!(need.insufficient_user_authentication(acr, 0).is_some_and(|error| error.description.contains("acr_values")));
        }
        let any = StepUp { acr_values: &[], max_age: None };
        assert_eq!(any.insufficient_user_authentication(None, u64::MAX), None);
        assert!(!any.challenge(&old).contains("max_age="));
    }
}
