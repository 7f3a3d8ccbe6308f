//! Sign-In with Ethereum (EIP-4361): the text that a wallet shows and signs.
//!
//! In comes the challenge as it is stored, out goes the exact text. There is no parser: what was signed is rebuilt from the
//! stored challenge and never taken from the client.

use std::fmt::{self, Write};

use crate::domain::{Address, Timestamp};

/// One message of EIP-4361, version 1. Its `Display` is the text to sign.
///
/// A character that the grammar does not allow (a line break above all, with which a client's name could forge a field) is
/// written as `?`, so that no field can ever reach beyond its line.
#[derive(Clone, Copy, Debug)]
pub struct SiweMessage<'a> {
    /// The host, and the port where it is not the scheme's own, of the issuer: `id.example.org`, `localhost:8080`.
    pub domain: &'a str,
    pub address: Address,
    /// One line of plain ASCII words; left out when empty.
    pub statement: &'a str,
    /// The issuer.
    pub uri: &'a str,
    /// The chain of EIP-155 that the session is bound to.
    pub chain_id: u64,
    /// At least 8 letters and digits; ours have 128 bits.
    pub nonce: &'a str,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub request_id: &'a str,
}

impl SiweMessage<'_> {
    /// The text to sign.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(1024);
        // A text takes all that is written to it.
        let _ = write!(text, "{self}");
        text
    }
}

impl fmt::Display for SiweMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} wants you to sign in with your Ethereum account:", OneLine(self.domain))?;
        // EIP-4361: the address carries its EIP-55 checksum, which is how an `Address` is written.
        writeln!(f, "{}\n", self.address)?;
        // EIP-4361, ABNF: `[ statement LF ] LF`: without a statement its line goes, the empty one after it stays.
        if !self.statement.is_empty() {
            writeln!(f, "{}", OneLine(self.statement))?;
        }
        writeln!(f, "\nURI: {}", OneLine(self.uri))?;
        writeln!(f, "Version: 1")?;
        writeln!(f, "Chain ID: {}", self.chain_id)?;
        writeln!(f, "Nonce: {}", OneLine(self.nonce))?;
        writeln!(f, "Issued At: {}", self.issued_at.rfc3339())?;
        writeln!(f, "Expiration Time: {}", self.expires_at.rfc3339())?;
        // EIP-4361: there is no line break after the last line.
        write!(f, "Request ID: {}", OneLine(self.request_id))
    }
}

/// A text with only the characters of EIP-4361's `statement` (reserved, unreserved and the space of RFC 3986) and the `%` of its URIs.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly always all of it stands as it is.
        if self.0.bytes().all(is_allowed) {
            return f.write_str(self.0);
        }
        self.0.chars().try_for_each(|c| f.write_char(if u8::try_from(c).is_ok_and(is_allowed) { c } else { '?' }))
    }
}

fn is_allowed(byte: u8) -> bool {
    byte == b'%' || is_of_statement(byte)
}

/// Whether a `statement` may have this character (EIP-4361, ABNF: `reserved`, `unreserved` or a space).
#[must_use]
pub fn is_of_statement(byte: u8) -> bool {
    // A sign-in asks for some thousand characters.
    static TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            table[byte as usize] = in_grammar(byte);
            byte += 1;
        }
        table
    };
    TABLE[usize::from(byte)]
}

const fn in_grammar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b' ' | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message<'a>() -> SiweMessage<'a> {
        SiweMessage {
            domain: "id.example.org",
            address: "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266".parse().unwrap(),
            statement: "Sign in to Fleet (fleet.example.com).",
            uri: "https://id.example.org",
            chain_id: 137,
            nonce: "0123456789abcdef0123456789abcdef",
            issued_at: Timestamp::from_seconds(1_767_225_600),
            expires_at: Timestamp::from_seconds(1_767_226_200),
            request_id: "0191f2a0-0000-7000-8000-000000000000",
        }
    }

    #[test]
    fn the_text_is_exactly_that_of_eip_4361() {
        let expected = "id.example.org wants you to sign in with your Ethereum account:\n\
            0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\
            \n\
            Sign in to Fleet (fleet.example.com).\n\
            \n\
            URI: https://id.example.org\n\
            Version: 1\n\
            Chain ID: 137\n\
            Nonce: 0123456789abcdef0123456789abcdef\n\
            Issued At: 2026-01-01T00:00:00Z\n\
            Expiration Time: 2026-01-01T00:10:00Z\n\
            Request ID: 0191f2a0-0000-7000-8000-000000000000";
        assert_eq!(message().to_string(), expected);
    }

    #[test]
    fn without_a_statement_two_empty_lines_are_left() {
        let text = SiweMessage { statement: "", ..message() }.to_string();
        assert!(text.contains("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\n\nURI: https://id.example.org\n"), "{text}");
    }

    #[test]
    fn a_name_cannot_forge_a_field() {
        let text = SiweMessage { statement: "Sign in to Café\n\nURI: https://evil.example\r\u{2028}.", ..message() }.to_string();
        assert!(text.contains("\nSign in to Caf???URI: https://evil.example??.\n"), "{text}");
        assert_eq!(text.matches("\nURI: ").count(), 1);
    }

    proptest! {
        #[test]
        fn no_field_breaks_its_line(domain in "(?s).*", statement in "(?s).+", uri in "(?s).*", nonce in "(?s).*", request_id in "(?s).*", chain_id in any::<u64>()) {
            let text = SiweMessage { domain: &domain, statement: &statement, uri: &uri, nonce: &nonce, request_id: &request_id, chain_id, ..message() };
            prop_assert_eq!(text.to_string().lines().count(), 12);
        }
    }
}
