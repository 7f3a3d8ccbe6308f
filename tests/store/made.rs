//! Records for tests, each with every field filled, and a moment from which all times are counted.

use std::time::Duration;

use latchkey::domain::{
    AccountId, Address, AssetDid, AuthMethod, ChallengeId, ClientId, ClientKind, ClientMetadata, CodeId, InteractionId, KeyPurpose, Owner,
    Provider, Secret, SessionId, SigningAlg, SubjectType, Timestamp, TokenHash,
};
use latchkey::store::{
    ApiChallenge, AssetImport, ClientRecord, Interaction, License, LicenseKey, NewCode, Session, SigninChallenge, SigningKeyRecord, Store,
    WalletChallenge,
};
use uuid::Uuid;

/// The moment of every test, and seconds after it.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(crate) fn hash(word: &str) -> TokenHash {
    Secret::new(word).hash()
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(crate) fn address(byte: u8) -> Address {
    Address::from_bytes([byte; 20])
}

pub(crate) fn client_id(name: &str) -> ClientId {
    name.parse().expect("a client id")
}

pub(crate) fn client(name: &str) -> ClientRecord {
    ClientRecord {
        secret_hash: Some(hash(name)),
        auth_method: AuthMethod::ClientSecret,
        subject_type: Some(SubjectType::Pairwise),
        signing_alg: SigningAlg::Es256,
        redirect_uris: vec!["https://app.example/a".parse().expect("a URI"), "https://app.example/b".parse().expect("a URI")],
        post_logout_redirect_uris: vec!["https://app.example/bye".parse().expect("a URI")],
        sector: Some("app.example".to_owned()),
        backchannel_logout_uri: Some("https://app.example/ended".to_owned()),
        metadata: ClientMetadata { contacts: vec!["a@app.example".to_owned()], ..ClientMetadata::default() },
        ..ClientRecord::new(client_id(name), format!("The app {name}"), Duration::from_hours(1), at(0))
    }
}

pub(crate) fn license(byte: u8, alias: &str) -> ClientRecord {
    ClientRecord {
        id: address(byte).into(),
        kind: ClientKind::License,
        secret_hash: None,
        auth_method: AuthMethod::None,
        subject_type: None,
        license: Some(License { alias: alias.to_owned(), owner: address(0xee), developer_token: Duration::from_hours(336) }),
        ..client(alias)
    }
}

pub(crate) fn key(license: u8, key: u8) -> LicenseKey {
    LicenseKey { license: address(license).into(), address: address(key), created_at: at(0), expires_at: None, disabled_at: None }
}

/// An account with one wallet, made by signing in.
pub(crate) async fn person(store: &Store, number: u8) -> AccountId {
    let id = AccountId(uuid(u128::from(number)));
    let signed = store.sign_in(&Provider::web3(), &address(number).to_string(), id, at(0)).await.expect("a sign-in");
    assert!(signed.created);
    signed.account_id
}

/// Lets the app have the scopes of [`code`], from the moment on.
pub(crate) async fn agree(store: &Store, account: AccountId, client: &str) {
    store.save_consent(account, &client_id(client), &"email openid".parse().expect("a scope"), at(0)).await.expect("a consent");
}

pub(crate) fn session(number: u8, account: AccountId) -> Session {
    Session {
        id: SessionId(uuid(1_000 + u128::from(number))),
        account_id: account,
        provider: Provider::web3(),
        subject: address(number).to_string(),
        label: String::new(),
        proved_at: Some(at(0)),
        amr: vec!["swk".to_owned(), "user".to_owned()],
        authenticated_at: at(0),
        interaction_id: InteractionId(uuid(7)),
        user_agent: "Firefox \"ünïcode\"".to_owned(),
        last_seen_at: at(0),
        expires_at: at(1_000),
    }
}

pub(crate) fn interaction(number: u8) -> Interaction {
    Interaction {
        id: InteractionId(uuid(2_000 + u128::from(number))),
        purpose: serde_json::json!({"authorize": {"scope": "openid", "state": "a \"b\" \\ ü"}}),
        created_at: at(0),
        expires_at: at(600),
    }
}

pub(crate) fn code(number: u8, client: &str, account: AccountId) -> NewCode {
    NewCode {
        id: CodeId(uuid(3_000 + u128::from(number))),
        client_id: client_id(client),
        account_id: account,
        session_id: Some(SessionId(uuid(1_000))),
        redirect_uri: "https://app.example/a".parse().expect("a URI"),
        scope: "email openid".parse().expect("a scope"),
        nonce: Some("nonce".to_owned()),
        code_challenge: Some("challenge".to_owned()),
        provider: Provider::web3(),
        subject: address(1).to_string(),
        amr: vec!["swk".to_owned()],
        authenticated_at: at(0),
        issued_at: at(0),
        expires_at: at(60),
        kept_until: at(3_600),
        resource: None,
        claims: None,
        authorization_details: Some(serde_json::json!([{"type": "asset_access", "grant": "ünïcode"}])),
        told_as: None,
    }
}

pub(crate) fn message(byte: u8) -> WalletChallenge {
    WalletChallenge {
        address: address(byte),
        chain_id: 80_002,
        nonce: "0123456789abcdef".to_owned(),
        statement: "App at app.example asks you to sign in.".to_owned(),
        issued_at: at(0),
        expires_at: at(600),
    }
}

pub(crate) fn signin_challenge(number: u8) -> SigninChallenge {
    SigninChallenge {
        id: uuid(4_000 + u128::from(number)),
        interaction_id: InteractionId(uuid(2_000 + u128::from(number))),
        message: message(number),
    }
}

pub(crate) fn api_challenge(number: u8, client: &str) -> ApiChallenge {
    ApiChallenge {
        id: ChallengeId(uuid(5_000 + u128::from(number))),
        client_id: client_id(client),
        redirect_uri: "https://app.example/a".parse().expect("a URI"),
        scope: "openid email".parse().expect("a scope"),
        oidc_nonce: Some("of the app".to_owned()),
        code_challenge: None,
        message: message(number),
    }
}

pub(crate) fn signing_key(kid: &str, alg: SigningAlg, generation: i64) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: kid.to_owned(),
        purpose: KeyPurpose::Signin,
        alg,
        generation,
        public_jwk: serde_json::json!({"kty": "EC", "kid": kid}),
        sealed: vec![0, 1, 2, 255],
        created_at: at(0),
        active_from: None,
        retire_at: None,
    }
}

pub(crate) fn did(number: u64) -> AssetDid {
    format!("did:erc721:137:{}:{number}", address(0xcc)).parse().expect("a DID")
}

/// A vehicle, as an operator imports it.
pub(crate) fn asset(number: u64, owner: Option<Owner>) -> AssetImport {
    AssetImport {
        did: did(number),
        owner,
        make: Some("Chevrolet".to_owned()),
        model: Some("Bolt".to_owned()),
        year: Some(2022),
        powertrain: Some("BEV".to_owned()),
        name: None,
        attributes: None,
        minted_at: None,
        claim: None,
    }
}
