//! Who may exchange which token, and what for: pure decisions, the same at every door.

use super::grants::{Acting, Ask, Facts, Granted, Refused, evaluate};
use crate::domain::{AssetDid, ClientId, Resource, Timestamp, Vocabulary};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::ExchangeFacts;

/// A token as it is shown to an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The client that it was given to.
    pub client: &'a ClientId,
    pub audience: &'a [&'a str],
}

impl Shown<'_> {
    /// Whether it may be shown here: it is for its own client, or for the exchange by name.
    // RFC 9068 §4: "the resource server … MUST validate that the aud claim contains a resource indicator value corresponding to an identifier
    // the resource server expects for itself". A token that its client sends to some API alone is of no use to whoever runs that API.
    #[must_use]
    pub fn is_for(&self, exchange: &str) -> bool {
        self.audience.iter().any(|audience| *audience == self.client.as_str() || *audience == exchange)
    }

    // Whether it was made for that client to receive: as such, or as a server of the API that it is for.
    fn names(&self, caller: &ClientId, resources: &[Resource]) -> bool {
        let as_server = |audience: &str| resources.iter().any(|one| one.uri.as_str() == audience && one.clients.contains(caller));
        self.audience.iter().any(|audience| *audience == caller.as_str() || as_server(audience))
    }
}

/// Whether `caller` may exchange `subject` at `/token`; with an `actor`, on behalf of its subject. What comes of it is in any case what was
/// granted to the caller.
///
/// # Errors
/// `invalid_request`, as RFC 8693 §2.2.2 has it where either token is "invalid for any reason", or "unacceptable based on policy".
pub fn check_parties(
    caller: &ClientId,
    subject: Shown<'_>,
    actor: Option<Shown<'_>>,
    exchange: &str,
    resources: &[Resource],
) -> Result<(), OAuthError> {
    let refuse = |words: &'static str| Err(OAuthError::new(ErrorCode::InvalidRequest, words));
    match actor {
        None if subject.client != caller => {
            refuse("subject_token was given to another client; to act for its subject, show a token of your own too, as actor_token")
        }
        None if !subject.is_for(exchange) => refuse("subject_token is for another resource alone"),
        Some(actor) if actor.client != caller => refuse("actor_token must be a token of the client that asks"),
        Some(actor) if !actor.is_for(exchange) => refuse("actor_token is for another resource alone"),
        Some(_) if !subject.names(caller, resources) => refuse("subject_token was not made for this client: its audience does not name it"),
        None | Some(_) => Ok(()),
    }
}

/// What the client of a token gets of an asset, from what one read has found.
///
/// # Errors
/// Why it gets nothing, or not all.
pub fn decide(
    found: &ExchangeFacts,
    asset: &AssetDid,
    ask: &Ask<'_>,
    vocabulary: &Vocabulary,
    now: Timestamp,
) -> Result<Granted, Box<Refused>> {
    let facts = Facts {
        client: &found.client,
        acting: found.account.map_or(Acting::Itself, Acting::For),
        first_party: found.metadata.first_party,
        limit: found.metadata.permissions.as_ref(),
        asset: found.asset.as_ref(),
        grants: &found.grants,
        known: vocabulary.known(asset.method()),
    };
    evaluate(&facts, ask, now).map_err(Box::new)
}

/// Whether `caller` may learn what a client has: of itself, or as a server of one of the operator's resources.
#[must_use]
pub fn may_ask_about(caller: &ClientId, subject: &ClientId, resources: &[Resource]) -> bool {
    caller == subject || resources.iter().any(|resource| resource.clients.contains(caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCHANGE: &str = "https://id.example/v1/tokens/exchange";
    const API: &str = "https://api.example";

    fn id(text: &str) -> ClientId {
        text.parse().unwrap()
    }

    fn resources() -> Vec<Resource> {
        let resource = |uri: &str, server: &str| Resource {
            uri: uri.parse().unwrap(),
            name: String::new(),
            scopes: std::collections::BTreeMap::new(),
            clients: vec![id(server)],
            asset_audiences: Vec::new(),
        };
        vec![resource(API, "api"), resource("https://other.example", "other")]
    }

    #[test]
    fn whose_tokens_may_be_exchanged() {
        type Token = (&'static str, &'static [&'static str]);
        let check = |caller: &str, subject: Token, actor: Option<Token>| {
            let (subject_client, actor_client) = (id(subject.0), actor.map(|actor| id(actor.0)));
            let subject = Shown { client: &subject_client, audience: subject.1 };
            let actor = actor_client.as_ref().zip(actor).map(|(client, actor)| Shown { client, audience: actor.1 });
            check_parties(&id(caller), subject, actor, EXCHANGE, &resources()).is_ok()
        };
        let cases: &[(&str, Token, Option<Token>, bool)] = &[
            ("app", ("app", &["app"]), None, true),
            ("app", ("app", &[EXCHANGE]), None, true),
            ("app", ("app", &[API, "app"]), None, true),
            ("app", ("app", &[API]), None, false),
            ("app", ("app", &["other"]), None, false),
            // Another's token, however it names the caller.
            ("api", ("app", &["app"]), None, false),
            ("api", ("app", &["api"]), None, false),
            ("api", ("app", &[API]), None, false),
            // With a token of the caller's own.
            ("api", ("app", &[API]), Some(("api", &["api"])), true),
            ("api", ("app", &["api"]), Some(("api", &["api"])), true),
            ("api", ("app", &["app"]), Some(("api", &["api"])), false),
            ("api", ("app", &["https://other.example"]), Some(("api", &["api"])), false),
            ("api", ("app", &[API]), Some(("app", &["app"])), false),
            ("api", ("app", &[API]), Some(("other", &["api"])), false),
            ("api", ("app", &[API]), Some(("api", &[API])), false),
            ("other", ("app", &[API]), Some(("other", &["other"])), false),
        ];
        for (caller, subject, actor, allowed) in cases {
            assert_eq!(check(caller, *subject, *actor), *allowed, "{caller} {subject:?} {actor:?}");
        }
    }
}
