//! The claims of asset tokens and of the receipts of grants, and for whom an asset token may be: pure functions of what was decided.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::grants::Granted;
use crate::domain::{
    AssetDid, ClientId, ClientMetadata, EventFilter, Grant, GrantId, GrantSource, PermissionId, PermissionSet, Timestamp, TokenId,
    Vocabulary,
};

/// What an asset token says: this client may do this with this asset. Resource servers read it without asking anybody.
#[derive(Clone, Debug, Serialize)]
pub struct AssetClaims<'a> {
    pub iss: &'a str,
    /// The client: of a license its address.
    pub sub: &'a str,
    /// Always an array, as consumers expect it.
    pub aud: &'a [String],
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: String,
    /// RFC 9068 §2.2.
    pub client_id: &'a str,
    pub asset: AssetDid,
    pub permissions: &'a PermissionSet,
    pub cloud_events: CloudEvents<'a>,
    /// Lower case, as consumers compare it.
    pub contract_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<TokenId>,
    pub privilege_ids: Vec<u8>,
    /// RFC 8693 §4.1: who acts, where that is somebody else than the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor<'a>>,
}

/// RFC 8693 §4.1: "A chain of delegation can be expressed by nesting one "act" claim within another. The outermost "act" claim represents the
/// current actor while nested "act" claims represent prior actors."
#[derive(Clone, Debug, Serialize)]
pub struct Actor<'a> {
    pub sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<&'a Value>,
}

/// The filters of events; an empty list where there are none.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CloudEvents<'a> {
    pub events: &'a [EventFilter],
}

/// What every asset token is made with.
#[derive(Clone, Copy, Debug)]
pub struct Minting<'a> {
    pub issuer: &'a str,
    /// The longest life of a token.
    pub lifetime: Duration,
    pub vocabulary: &'a Vocabulary,
    pub now: Timestamp,
}

impl<'a> AssetClaims<'a> {
    /// The claims of a token for what was granted. It ends no later than the first of the grants that it rests on.
    #[must_use]
    pub fn of(minting: Minting<'a>, client: &'a ClientId, asset: AssetDid, granted: &'a Granted, aud: &'a [String], jti: String) -> Self {
        let Minting { issuer, lifetime, vocabulary, now } = minting;
        let longest = now.plus(lifetime);
        Self {
            iss: issuer,
            sub: client.as_str(),
            aud,
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: granted.until.map_or(longest, |until| until.min(longest)).seconds(),
            jti,
            client_id: client.as_str(),
            asset,
            permissions: &granted.permissions,
            cloud_events: CloudEvents { events: &granted.events },
            contract_address: asset.contract().to_string().to_lowercase(),
            token_id: asset.token_id(),
            privilege_ids: vocabulary.ids(asset.method(), &granted.permissions).into_iter().map(PermissionId::get).collect(),
            act: None,
        }
    }

    /// The same, had by `actor` on behalf of `subject`. What was granted to the client stays what it is: the subject adds nothing to it.
    #[must_use]
    pub fn on_behalf(self, subject: &'a str, actor: Actor<'a>) -> Self {
        Self { sub: subject, act: Some(actor), ..self }
    }
}

/// What a grant's receipt says: who let whom do what, from when until when. It is a proof for people and courts, and gives access to nothing.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptClaims<'a> {
    pub iss: &'a str,
    pub jti: GrantId,
    /// The grantor: its wallet, or else its account.
    pub sub: String,
    /// The grantee.
    pub aud: &'a str,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    /// The asset, or `all`: every one of the grantor's account.
    pub asset: String,
    pub permissions: &'a PermissionSet,
    pub cloud_events: CloudEvents<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<&'a str>,
    pub source: GrantSource,
}

/// Stands in a receipt for all assets of an account.
pub const ALL_ASSETS: &str = "all";

impl<'a> ReceiptClaims<'a> {
    /// The receipt of a grant as it was given. Made again from the same grant, it says the same.
    #[must_use]
    pub fn of(issuer: &'a str, grant: &'a Grant) -> Self {
        let wallet = grant.grantor_address.map(|address| address.to_string());
        let account = || grant.grantor_account.map(|account| account.to_string());
        Self {
            iss: issuer,
            jti: grant.id,
            // The operator grants in nobody's name.
            sub: wallet.or_else(account).unwrap_or_else(|| GrantSource::Operator.to_string()),
            aud: grant.grantee.as_str(),
            iat: grant.created_at.seconds(),
            nbf: grant.effective_at.seconds(),
            exp: grant.expires_at.seconds(),
            asset: grant.asset.map_or_else(|| ALL_ASSETS.to_owned(), |did| did.to_string()),
            permissions: &grant.permissions,
            cloud_events: CloudEvents { events: &grant.events },
            purpose: grant.purpose.as_deref(),
            source: grant.source,
        }
    }
}

/// The audience of an asset token: what was asked for, if the client may have it; where nothing was, the server's usual one.
///
/// # Errors
/// The first that the client may not have; nothing is named where it may have none at all.
pub fn audience(asked: &[String], client: &ClientMetadata, usual: &[String]) -> Result<Vec<String>, Option<String>> {
    let allowed = client.audiences.as_deref().unwrap_or(usual);
    if allowed.is_empty() {
        return Err(asked.first().cloned());
    }
    if asked.is_empty() {
        let both: Vec<String> = usual.iter().filter(|audience| allowed.contains(audience)).cloned().collect();
        // A client that may have none of the usual ones is meant for those that it has.
        return Ok(if both.is_empty() { allowed.to_vec() } else { both });
    }
    match asked.iter().find(|audience| !allowed.contains(audience)) {
        Some(other) => Err(Some(other.clone())),
        None => Ok(asked.iter().enumerate().filter(|(place, one)| !asked[..*place].contains(one)).map(|(_, one)| one.clone()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, AssetMethod, PermissionIcon, PermissionTerm, Risk};

    const ISSUER: &str = "https://id.example/assets";
    const CONTRACT: &str = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
    const LICENSE: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    fn vocabulary() -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for (name, id, method) in [("b", 1, AssetMethod::Erc721), ("a", 4, AssetMethod::Erc721), ("m", 6, AssetMethod::Ethr)] {
            let term = PermissionTerm {
                name: name.parse().unwrap(),
                id: PermissionId::try_from(id).unwrap(),
                method,
                title: String::new(),
                sentence: String::new(),
                risk: Risk::High,
                icon: PermissionIcon::Route,
            };
            vocabulary.add(term).unwrap();
        }
        vocabulary
    }

    fn granted(permissions: &str, events: Vec<EventFilter>, until: Option<i64>) -> Granted {
        Granted {
            permissions: permissions.parse().unwrap(),
            events,
            until: until.map(Timestamp::from_seconds),
            grants: BTreeSet::new(),
            missing: PermissionSet::new(),
            missing_events: Vec::new(),
        }
    }

    fn token(did: &str, granted: &Granted) -> serde_json::Value {
        let vocabulary = vocabulary();
        let minting =
            Minting { issuer: ISSUER, lifetime: Duration::from_mins(10), vocabulary: &vocabulary, now: Timestamp::from_seconds(1_000) };
        let (client, aud) = (LICENSE.parse().unwrap(), ["dimo.zone".to_owned()]);
        serde_json::to_value(AssetClaims::of(minting, &client, did.parse().unwrap(), granted, &aud, "e_1".to_owned())).unwrap()
    }

    #[test]
    fn an_asset_token_has_the_claims_that_resource_servers_read() {
        let vehicle = token(&format!("did:erc721:137:{}:7", CONTRACT.to_lowercase()), &granted("a b", vec![EventFilter::any()], None));
        let expected = json!({
            "iss": ISSUER, "sub": LICENSE, "client_id": LICENSE, "aud": ["dimo.zone"], "iat": 1_000, "nbf": 1_000, "exp": 1_600, "jti": "e_1",
            "asset": format!("did:erc721:137:{CONTRACT}:7"), "permissions": ["a", "b"], "privilege_ids": [1, 4],
            "cloud_events": {"events": [{"event_type": "*", "source": "*", "ids": ["*"], "tags": ["*"]}]},
            "contract_address": CONTRACT.to_lowercase(), "token_id": "7",
        });
        assert_eq!(vehicle, expected);
        let manufacturer = token(&format!("did:ethr:137:{CONTRACT}"), &granted("m", Vec::new(), None));
        assert_eq!(manufacturer.get("token_id"), None);
        assert_eq!((&manufacturer["cloud_events"], &manufacturer["privilege_ids"]), (&json!({"events": []}), &json!([6])));
    }

    #[test]
    fn a_token_ends_with_the_grant_that_it_rests_on() {
        let did = format!("did:ethr:137:{CONTRACT}");
        for (until, exp) in [(None, 1_600), (Some(1_599), 1_599), (Some(1_600), 1_600), (Some(9_999), 1_600), (Some(1_001), 1_001)] {
            assert_eq!(token(&did, &granted("m", Vec::new(), until))["exp"], exp, "{until:?}");
        }
    }

    #[test]
    fn a_receipt_says_who_let_whom_do_what() {
        let at = Timestamp::from_seconds;
        let grant = Grant {
            id: GrantId(Uuid::from_u128(5)),
            asset: Some(format!("did:erc721:137:{CONTRACT}:7").parse().unwrap()),
            grantor_account: Some(AccountId(Uuid::from_u128(6))),
            grantor_address: Some(CONTRACT.parse().unwrap()),
            grantee: LICENSE.parse().unwrap(),
            permissions: "b a".parse().unwrap(),
            events: vec![EventFilter::any()],
            effective_at: at(10),
            expires_at: at(20),
            epoch: Some(1),
            source: GrantSource::Consent,
            template: None,
            purpose: Some("Insurance by the mile".to_owned()),
            created_at: at(5),
            updated_at: at(6),
            ended_at: Some(at(7)),
            ended: None,
        };
        let receipt = serde_json::to_value(ReceiptClaims::of(ISSUER, &grant)).unwrap();
        let expected = json!({
            "iss": ISSUER, "jti": "00000000-0000-0000-0000-000000000005", "sub": CONTRACT, "aud": LICENSE, "iat": 5, "nbf": 10, "exp": 20,
            "asset": format!("did:erc721:137:{CONTRACT}:7"), "permissions": ["a", "b"], "source": "consent",
            "cloud_events": {"events": [{"event_type": "*", "source": "*", "ids": ["*"], "tags": ["*"]}]},
            "purpose": "Insurance by the mile",
        });
        assert_eq!(receipt, expected);
        let of_account = Grant { asset: None, grantor_address: None, purpose: None, events: Vec::new(), ..grant.clone() };
        let receipt = serde_json::to_value(ReceiptClaims::of(ISSUER, &of_account)).unwrap();
        assert_eq!((&receipt["asset"], &receipt["sub"]), (&json!("all"), &json!("00000000-0000-0000-0000-000000000006")));
        assert_eq!((receipt.get("purpose"), &receipt["cloud_events"]), (None, &json!({"events": []})));
        let nobodys = Grant { grantor_account: None, grantor_address: None, source: GrantSource::Operator, ..grant };
        assert_eq!(ReceiptClaims::of(ISSUER, &nobodys).sub, "operator");
    }

    #[test]
    fn the_audience_is_one_that_the_client_may_have() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (asked, of_client, usual, outcome) in [
            ("", None, "dimo.zone", Ok("dimo.zone")),
            ("dimo.zone", None, "dimo.zone", Ok("dimo.zone")),
            ("my-app", None, "dimo.zone", Err("my-app")),
            ("dimo.zone my-app", None, "dimo.zone", Err("my-app")),
            ("DIMO.zone", None, "dimo.zone", Err("DIMO.zone")),
            ("", Some("my-app dimo.zone"), "dimo.zone", Ok("dimo.zone")),
            ("my-app", Some("my-app dimo.zone"), "dimo.zone", Ok("my-app")),
            ("my-app my-app", Some("my-app dimo.zone"), "dimo.zone", Ok("my-app")),
            ("other", Some("my-app dimo.zone"), "dimo.zone other", Err("other")),
            ("", Some("my-app"), "dimo.zone", Ok("my-app")),
            ("dimo.zone", Some("my-app"), "dimo.zone", Err("dimo.zone")),
            ("dimo.zone", Some(""), "dimo.zone", Err("dimo.zone")),
            ("", Some(""), "dimo.zone", Err("")),
        ] {
            let client = ClientMetadata { audiences: of_client.map(list), ..ClientMetadata::default() };
            let outcome = outcome.map(list).map_err(|other| (!other.is_empty()).then(|| other.to_owned()));
            assert_eq!(audience(&list(asked), &client, &list(usual)), outcome, "{asked} {of_client:?}");
        }
    }
}
