//! Passwords, as people choose them.

use super::Secret;

/// The fewest characters (NIST SP 800-63B-4 §3.1.1.2: "at least 15 characters" where the password is all that is asked for).
const SHORTEST: usize = 15;
/// The most bytes: longer ones only cost time.
const LONGEST: usize = 1_024;

/// A password that may be set. What is typed to sign in is only compared, and need not be one.
#[derive(Clone, Debug)]
pub struct NewPassword(Secret);

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least 15 characters; a few words in a row are easy to remember")]
    Short,
    #[error("a password has at most 1,024 bytes")]
    Long,
    #[error("a password that is, or repeats, your email address is the first that others try")]
    Email,
    #[error("a password of one letter or sign, again and again, is quickly guessed")]
    Same,
}

impl NewPassword {
    /// Reads a password for the account of that address. NIST SP 800-63B-4 §3.1.1.2: no rules on kinds of characters.
    pub fn parse(text: &str, email: &str) -> Result<Self, PasswordError> {
        let name = email.split('@').next().unwrap_or_default();
        let plain = text.to_lowercase();
        let rest = |word: &str| if word.is_empty() { plain.clone() } else { plain.replace(word, "") };
        if text.len() > LONGEST {
            Err(PasswordError::Long)
        } else if text.chars().count() < SHORTEST {
            Err(PasswordError::Short)
        } else if text.chars().all(|c| text.starts_with(c)) {
            Err(PasswordError::Same)
        } else if rest(email).chars().count() < 4 || rest(name).chars().count() < 4 {
            Err(PasswordError::Email)
        } else {
            Ok(Self(Secret::new(text)))
        }
    }

    /// The text, to be hashed.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// What somebody typed as a password; `None` where it is too long to be one.
#[must_use]
pub fn typed(text: &str) -> Option<Secret> {
    (text.len() <= LONGEST).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quickly_guessed_is_no_password() {
        let parse = |text: &str| NewPassword::parse(text, "ada@example.com").map(|_| ());
        assert_eq!(parse("correct horse battery"), Ok(()));
        assert_eq!(parse("fünfzehn Zeichen"), Ok(()));
        assert_eq!(parse("only fourteen."), Err(PasswordError::Short));
        assert_eq!(parse(&"long ".repeat(300)), Err(PasswordError::Long));
        assert_eq!(parse("aaaaaaaaaaaaaaaaaaaa"), Err(PasswordError::Same));
        assert_eq!(parse("Ada@Example.com1"), Err(PasswordError::Email));
        assert_eq!(parse("adaadaadaadaadaada"), Err(PasswordError::Email));
        assert!(typed(&"x".repeat(1_025)).is_none() && typed("").is_some());
        assert!(!format!("{:?}", NewPassword::parse("correct horse battery", "a@b.example").unwrap()).contains("horse"));
    }
}
