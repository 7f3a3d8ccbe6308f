//! The request of `POST /v1/tokens/exchange`: which asset, what of it, for whom. Read into types that cannot be wrong.
//!
//! It has two forms: `asset` and `permissions`, and an older one with a contract, a token id and numbers. Members of the first win.

use serde::Deserialize;
use serde_json::Value;

use super::error::{ErrorCode, OAuthError};
use crate::domain::{Address, AssetDid, Contract, EventFilter, Permission, PermissionSet, TokenId, TokenIdError, Vocabulary};

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRequest {
    pub asset: AssetDid,
    /// All of them are in the vocabulary, for assets of this kind. There is at least one permission or event.
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    /// Empty: it names none.
    pub audience: Vec<String>,
    /// Whether a part of it is wanted too.
    pub partial: bool,
}

/// What a request is read by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub vocabulary: &'a Vocabulary,
    /// The contracts that the older form may mean.
    pub contracts: &'a [Contract],
}

/// The most audiences of one token.
pub const MOST_AUDIENCES: usize = 20;

impl ExchangeRequest {
    /// # Errors
    /// `invalid_request`, with what is wrong.
    pub fn parse(body: &[u8], terms: Terms<'_>) -> Result<Self, OAuthError> {
        let body: Body =
            serde_json::from_slice(body).map_err(|reason| wrong(format!("the body is not the JSON object it should be: {reason}")))?;
        let asset = asset(&body, terms.contracts)?;
        let permissions = match body.permissions.filter(|names| !names.is_empty()) {
            Some(names) => {
                PermissionSet::parse(names.iter().map(String::as_str)).map_err(|reason| wrong(format!("permissions: {reason}")))?
            }
            None => of_ids(&asset, &body.privileges.unwrap_or_default(), terms.vocabulary)?,
        };
        check_known(&asset, &permissions, terms.vocabulary)?;
        let events = body.cloud_events.and_then(|filters| filters.events).unwrap_or_default();
        if events.len() > EventFilter::MOST {
            return Err(wrong(format!("cloudEvents: there are more than {} events", EventFilter::MOST)));
        }
        let events = events.into_iter().map(Event::filter).collect::<Result<Vec<_>, _>>()?;
        if permissions.is_empty() && events.is_empty() {
            return Err(wrong("nothing is asked for: name at least one of permissions, or one event of cloudEvents"));
        }
        let audience = body.audience.unwrap_or_default();
        if audience.len() > MOST_AUDIENCES {
            return Err(wrong(format!("audience: there are more than {MOST_AUDIENCES}")));
        }
        Ok(Self { asset, permissions, events, audience, partial: body.partial.unwrap_or(false) })
    }
}

/// Whether the vocabulary has these permissions, for assets of this kind.
///
/// # Errors
/// `invalid_request`, with those that it has not.
pub fn check_known(asset: &AssetDid, permissions: &PermissionSet, vocabulary: &Vocabulary) -> Result<(), OAuthError> {
    let unknown = permissions.difference(vocabulary.known(asset.method()));
    if unknown.is_empty() {
        return Ok(());
    }
    Err(wrong(format!("there are no such permissions for assets of did:{}: {}", asset.method(), unknown.names().join(", "))))
}

// What is not named here is not looked at; a member that is named twice is an error, as serde has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    asset: Option<String>,
    permissions: Option<Vec<String>>,
    cloud_events: Option<CloudEvents>,
    audience: Option<Vec<String>>,
    nft_contract_address: Option<String>,
    token_id: Option<Value>,
    privileges: Option<Vec<u64>>,
    partial: Option<bool>,
}

#[derive(Deserialize)]
struct CloudEvents {
    events: Option<Vec<Event>>,
}

// A misspelt member would mean more than what was meant: it is refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    #[serde(rename = "eventType")]
    kind: Option<String>,
    source: Option<String>,
    ids: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

impl Event {
    // A member that is missing, or has nothing in it, means all: more is asked for then, and so no more is had than was granted.
    fn filter(self) -> Result<EventFilter, OAuthError> {
        let all = || EventFilter::ANY.to_owned();
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(all);
        let texts = |texts: Option<Vec<String>>| texts.filter(|texts| !texts.is_empty()).unwrap_or_else(|| vec![all()]);
        EventFilter::new(text(self.kind), text(self.source), texts(self.ids), texts(self.tags))
            .map_err(|reason| wrong(format!("cloudEvents: {reason}")))
    }
}

fn asset(body: &Body, contracts: &[Contract]) -> Result<AssetDid, OAuthError> {
    if let Some(text) = body.asset.as_ref().filter(|text| !text.is_empty()) {
        return text.parse().map_err(|reason| wrong(format!("asset: {reason}")));
    }
    let (Some(contract), Some(token_id)) = (&body.nft_contract_address, &body.token_id) else {
        return Err(wrong("asset is missing: the name of the asset, like did:erc721:{chain}:{contract}:{token id}"));
    };
    let contract: Address = contract.parse().map_err(|reason| wrong(format!("nftContractAddress: {reason}")))?;
    let token_id = match token_id {
        Value::Number(number) => number.as_u64().map(TokenId::from),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let token_id = token_id.ok_or_else(|| wrong(format!("tokenId: {TokenIdError}; one of more than 64 bits is a text")))?;
    let chain = contracts.iter().find(|known| known.address == contract).or_else(|| contracts.first()).map(|known| known.chain);
    let chain = chain.ok_or_else(|| wrong("nftContractAddress: this server knows no chain for it; name the asset by its DID, as asset"))?;
    Ok(AssetDid::Erc721 { chain, contract, token_id })
}

fn of_ids(asset: &AssetDid, ids: &[u64], vocabulary: &Vocabulary) -> Result<PermissionSet, OAuthError> {
    if ids.len() > PermissionSet::MOST {
        return Err(wrong(format!("privileges: there are more than {}", PermissionSet::MOST)));
    }
    let named = |id: &u64| -> Result<Permission, OAuthError> {
        let term = (*id).try_into().ok().and_then(|id| vocabulary.by_id(asset.method(), id));
        term.map(|term| term.name.clone()).ok_or_else(|| wrong(format!("privileges: there is no permission {id}")))
    };
    ids.iter().map(named).collect()
}

fn wrong(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::{AssetMethod, PermissionIcon, PermissionTerm, Risk};

    const CONTRACT: &str = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
    const OTHER: &str = "0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8";
    const GREATEST: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    fn vocabulary() -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for (name, id, method) in [("see", 1, AssetMethod::Erc721), ("drive", 2, AssetMethod::Erc721), ("make", 1, AssetMethod::Ethr)] {
            let (title, sentence) = (String::new(), String::new());
            let (name, id) = (name.parse().unwrap(), id.try_into().unwrap());
            vocabulary.add(PermissionTerm { name, id, method, title, sentence, risk: Risk::Low, icon: PermissionIcon::Live }).unwrap();
        }
        vocabulary
    }

    fn read(body: &[u8]) -> Result<ExchangeRequest, String> {
        let contracts = [format!("137:{CONTRACT}"), format!("80002:{OTHER}")].map(|text| text.parse().unwrap());
        let terms = Terms { vocabulary: &vocabulary(), contracts: &contracts };
        ExchangeRequest::parse(body, terms).map_err(|error| {
            assert_eq!(error.code, ErrorCode::InvalidRequest);
            error.description.into_owned()
        })
    }

    fn parse(body: &Value) -> Result<ExchangeRequest, String> {
        read(body.to_string().as_bytes())
    }

    #[test]
    fn both_forms_are_read() {
        let did = format!("did:erc721:137:{CONTRACT}:7");
        let request =
            parse(&json!({ "asset": did, "permissions": ["see", "drive", "see"], "audience": ["a"], "partial": true, "x": [1] })).unwrap();
        assert_eq!((request.asset.to_string(), request.permissions.to_string()), (did.clone(), "drive see".to_owned()));
        assert_eq!((request.audience, request.partial, request.events), (vec!["a".to_owned()], true, Vec::new()));
        for token_id in [json!(7), json!("7")] {
            let older = json!({ "nftContractAddress": CONTRACT.to_lowercase(), "tokenId": token_id, "privileges": [1] });
            let request = parse(&older).unwrap();
            assert_eq!(
                (request.asset.to_string(), request.permissions.to_string(), request.partial),
                (did.clone(), "see".to_owned(), false)
            );
        }
        // Its chain is that of the contract; of one that is not known, that of the first.
        for (contract, chain) in [(OTHER, 80_002), ("0x90C4D6113Ec88dd4BDf12f26DB2b3998fd13A144", 137)] {
            let request = parse(&json!({ "nftContractAddress": contract, "tokenId": GREATEST, "privileges": [2] })).unwrap();
            assert_eq!((request.asset.chain().get(), request.asset.token_id().unwrap().to_string().as_str()), (chain, GREATEST));
        }
        // `asset` and `permissions` win.
        let both = json!({ "asset": did, "permissions": ["see"], "nftContractAddress": "x", "tokenId": "x", "privileges": [99] });
        assert_eq!(parse(&both).unwrap().permissions.to_string(), "see");
        let mixed = parse(&json!({ "asset": format!("did:ethr:137:{CONTRACT}"), "permissions": [], "privileges": [1] })).unwrap();
        assert_eq!(mixed.permissions.to_string(), "make");
    }

    #[test]
    fn what_an_event_does_not_say_means_all() {
        let did = format!("did:erc721:137:{CONTRACT}:0");
        let any = EventFilter::any();
        for event in [json!({}), json!({ "ids": [], "tags": [] }), json!({ "eventType": "*", "source": "*", "ids": ["*"], "tags": ["*"] })]
        {
            assert_eq!(parse(&json!({ "asset": did, "cloudEvents": { "events": [event] } })).unwrap().events, std::slice::from_ref(&any));
        }
        let one = json!({ "eventType": "dimo.attestation", "source": "0xAddr", "ids": ["a"], "tags": ["insurance, registration"] });
        let filter = &parse(&json!({ "asset": did, "cloudEvents": { "events": [one] } })).unwrap().events[0];
        assert_eq!(
            (filter.event_type(), filter.source(), filter.tags()),
            ("dimo.attestation", "0xAddr", &["insurance, registration".to_owned()][..])
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let did = format!("did:erc721:137:{CONTRACT}:7");
        let older = |token_id: Value| json!({ "nftContractAddress": CONTRACT, "tokenId": token_id, "privileges": [1] });
        let asset = |asset: &str| json!({ "asset": asset, "permissions": ["see"] });
        let many = |count: usize| (0..count).map(|number| format!("p{number}")).collect::<Vec<_>>();
        for (body, words) in [
            (json!({}), "asset is missing"),
            (json!({ "tokenId": 7, "privileges": [1] }), "asset is missing"),
            (asset("7"), "asset: the name of an asset"),
            (asset(&format!("did:erc721:0:{CONTRACT}:7")), "asset: a chain is"),
            (asset(&format!("did:erc721:137:{}:7", CONTRACT.replace("bA57", "ba57"))), "asset: the letters"),
            (asset(&format!("did:erc721:137:{CONTRACT}:-1")), "asset: a token id is"),
            (asset(&format!("did:erc721:137:{CONTRACT}:{}6", &GREATEST[..77])), "asset: a token id is"),
            (older(json!(-1)), "tokenId: a token id is"),
            (older(json!(1e3)), "tokenId: a token id is"),
            (older(json!("1e3")), "tokenId: a token id is"),
            (older(json!(format!("{}6", &GREATEST[..77]))), "tokenId: a token id is"),
            (older(json!("seven")), "tokenId: a token id is"),
            (older(json!([7])), "tokenId: a token id is"),
            (json!({ "nftContractAddress": "7", "tokenId": 7, "privileges": [1] }), "nftContractAddress: an address is"),
            (json!({ "asset": did }), "nothing is asked for"),
            (json!({ "asset": did, "permissions": [], "privileges": [], "cloudEvents": { "events": [] } }), "nothing is asked for"),
            (json!({ "asset": did, "permissions": ["fly"] }), "there are no such permissions for assets of did:erc721: fly"),
            (json!({ "asset": did, "permissions": ["make"] }), "there are no such permissions for assets of did:erc721: make"),
            (json!({ "asset": did, "permissions": ["a b"] }), "permissions: the name of a permission"),
            (json!({ "asset": did, "permissions": many(10_000) }), "permissions: more than 256"),
            (json!({ "asset": did, "privileges": [9] }), "privileges: there is no permission 9"),
            (json!({ "asset": did, "privileges": [0] }), "privileges: there is no permission 0"),
            (json!({ "asset": did, "privileges": vec![1; 10_000] }), "privileges: there are more than 256"),
            (json!({ "asset": did, "permissions": "see" }), "the body is not"),
            (json!({ "asset": 7, "permissions": ["see"] }), "the body is not"),
            (json!({ "asset": did, "permissions": ["see"], "partial": "yes" }), "the body is not"),
            (json!({ "asset": did, "cloudEvents": { "events": [{ "tag": ["a"] }] } }), "the body is not"),
            (json!({ "asset": did, "cloudEvents": { "events": vec![json!({}); 33] } }), "cloudEvents: there are more than 32"),
            (json!({ "asset": did, "cloudEvents": { "events": [{ "ids": vec!["a"; 33] }] } }), "cloudEvents: `ids`"),
            (json!({ "asset": did, "permissions": ["see"], "audience": vec!["a"; 21] }), "audience: there are more than 20"),
        ] {
            let told = parse(&body).unwrap_err();
            assert!(told.starts_with(words), "{told}: {body}");
        }
        for body in [
            "",
            "[]",
            "{",
            "null",
            "7",
            r#"{"asset":"a","asset":"b"}"#,
            &format!(r#"{{"tokenId":{}1{}}}"#, "[".repeat(500), "]".repeat(500)),
        ] {
            assert!(read(body.as_bytes()).unwrap_err().starts_with("the body is not"), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            let _ = read(&bytes);
            let _ = parse(&json!({ "asset": text, "permissions": [text] }));
            let _ = parse(&json!({ "nftContractAddress": CONTRACT, "tokenId": text, "privileges": [1] }));
        }
    }
}
