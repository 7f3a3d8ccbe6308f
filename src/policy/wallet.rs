//! Whether a signature proves a wallet, and how its person goes on: pure decisions over the stored challenge and what came back.

use crate::domain::{AccountId, Address};
use crate::protocol::eip191::{self, Signature};
use crate::protocol::siwe::{SiweMessage, is_of_statement};
use crate::store::{TakenChallenge, WalletChallenge};

/// The message of a stored challenge: always built anew from what we kept, never taken from the client (EIP-4361).
#[must_use]
pub fn message(challenge: &WalletChallenge, domain: &str, uri: &str, request_id: &str) -> String {
    SiweMessage {
        domain,
        address: challenge.address,
        statement: &challenge.statement,
        uri,
        chain_id: challenge.chain_id,
        nonce: &challenge.nonce,
        issued_at: challenge.issued_at,
        expires_at: challenge.expires_at,
        request_id,
    }
    .text()
}

/// The app that a statement names.
#[derive(Clone, Copy, Debug)]
pub struct App<'a> {
    pub name: &'a str,
    /// Where the browser, or the token, goes.
    pub host: &'a str,
    /// What the app may have, in plain words, where the signature itself is the consent.
    pub agrees_to: Option<&'a [String]>,
}

/// What a signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// This key signed the message.
    Key(Address),
    /// No key did, or the text is no signature of a key. A contract account may still say that it is its own (EIP-1271): the place
    /// to ask the chain is where this is handled.
    NoKey,
}

/// The key that signed `message`, if the signature is one of a key (EIP-191 `personal_sign`).
#[must_use]
pub fn signer(message: &str, signature: &str) -> Signer {
    signature.parse::<Signature>().ok().and_then(|signature| eip191::recover(message, &signature)).map_or(Signer::NoKey, Signer::Key)
}

/// How a person goes on whose wallet has signed a challenge of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// This person has agreed to as much before: the challenge's row is the record of the tokens.
    Known(AccountId),
    /// Nobody knows the wallet yet, or this person is asked for more than before: the signature, whose message names all of it, is their
    /// consent, and that is stored first.
    Agrees,
    /// The account or the client is disabled.
    Shut,
}

/// Decides over a challenge that was just taken and rightly signed.
#[must_use]
pub fn entrance(taken: &TakenChallenge) -> Entrance {
    match (taken.account_id, &taken.agreed) {
        _ if taken.account_disabled || taken.client_disabled => Entrance::Shut,
        (Some(account), Some(agreed)) if taken.challenge.scope.is_subset(agreed) => Entrance::Known(account),
        _ => Entrance::Agrees,
    }
}

/// 128 bits as a message's nonce: EIP-4361 wants letters and digits only, eight at least.
#[must_use]
pub fn nonce(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// A statement that fits EIP-4361's grammar (one line of unreserved and reserved characters and spaces), whatever an app is called.
#[must_use]
pub fn statement(app: Option<App<'_>>) -> String {
    let text = match app {
        // Where no page of ours asks, the message does: what is signed is what is agreed to.
        Some(App { name, host, agrees_to: Some(scopes) }) => {
            format!("Sign in to {name}. It will be able to: {}. You will go back to {host}.", scopes.join("; "))
        }
        Some(App { name, host, agrees_to: None }) => format!("Sign in to {name}. You will go back to {host}."),
        None => "Sign in to your account here.".to_owned(),
    };
    in_grammar(text)
}

/// The same where a person came with the code of a device. The code is on the page alone: a message is stored as it is.
#[must_use]
pub fn device_statement(name: &str) -> String {
    in_grammar(format!("Sign in to connect a device to {name}."))
}

/// The same where a person adds the wallet to an account: what is signed says so, and a signature that was meant to sign in says something
/// else.
#[must_use]
pub fn link_statement() -> String {
    in_grammar("Add this wallet to your account here. Whoever holds it can then sign in as you.".to_owned())
}

fn in_grammar(text: String) -> String {
    // Nearly always all of it stands as it is.
    if text.bytes().all(is_of_statement) {
        return text;
    }
    text.chars().map(|c| if u8::try_from(c).is_ok_and(is_of_statement) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use uuid::Uuid;

    use super::*;
    use crate::domain::{ChallengeId, Timestamp};
    use crate::store::ApiChallenge;

    fn taken(agreed: Option<&str>) -> TakenChallenge {
        let (address, now) = (Address::from_bytes([1; 20]), Timestamp::from_seconds(0));
        let message =
            WalletChallenge { address, chain_id: 1, nonce: String::new(), statement: String::new(), issued_at: now, expires_at: now };
        let challenge = ApiChallenge {
            id: ChallengeId(Uuid::nil()),
            client_id: "app".parse().unwrap(),
            redirect_uri: "https://app.example/cb".parse().unwrap(),
            scope: "openid email".parse().unwrap(),
            oidc_nonce: None,
            code_challenge: None,
            message,
        };
        let agreed = agreed.map(|scope| scope.parse().unwrap());
        TakenChallenge { challenge, account_id: None, account_disabled: false, client_disabled: false, email: None, agreed }
    }

    #[test]
    fn who_has_agreed_to_as_much_before_goes_straight_in() {
        let mut table = String::new();
        for known in [false, true] {
            for agreed in [None, Some("openid"), Some("profile"), Some("email openid"), Some("email openid profile")] {
                for disabled in ["", "account", "client", "account client"] {
                    let taken = TakenChallenge {
                        account_id: known.then_some(AccountId(Uuid::nil())),
                        account_disabled: disabled.contains("account"),
                        client_disabled: disabled.contains("client"),
                        ..taken(agreed)
                    };
                    let entrance = match entrance(&taken) {
                        Entrance::Known(_) => "known",
                        Entrance::Agrees => "agrees",
                        Entrance::Shut => "shut",
                    };
                    let (who, agreed) = (if known { "known wallet" } else { "new wallet" }, agreed.unwrap_or("nothing"));
                    writeln!(table, "{who:12} agreed to {agreed:20} disabled {disabled:14} => {entrance}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_statement_is_one_line_of_the_grammar() {
        let app = App { name: "Bad\nName <b> é", host: "a.example", agrees_to: None };
        assert_eq!(statement(Some(app)), "Sign in to Bad?Name ?b? ?. You will go back to a.example.");
        let words = ["Know that it is you".to_owned(), "See your profile".to_owned()];
        let app = App { name: "Acme", host: "a.example", agrees_to: Some(&words) };
        assert_eq!(
            statement(Some(app)),
            "Sign in to Acme. It will be able to: Know that it is you; See your profile. You will go back to a.example."
        );
        assert_eq!(device_statement("Bad\nName"), "Sign in to connect a device to Bad?Name.");
        assert!(!link_statement().contains('?'));
    }
}
