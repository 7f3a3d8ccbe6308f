//! An authenticator in software (Web Authentication): it makes passkeys and signs with them, well or as an attacker would.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::domain::Entropy;
use serde_json::{Value, json};

use crate::actors::{Answer, Browser};
use crate::world::ISSUER;

// Web Authentication §6.1, the flags: user present, user verified, backup eligible, backed up, attested credential data included.
pub(crate) const UP: u8 = 0x01;
pub(crate) const UV: u8 = 0x04;
pub(crate) const BE: u8 = 0x08;
pub(crate) const BS: u8 = 0x10;
const AT: u8 = 0x40;

/// A passkey in its authenticator.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    handle: Vec<u8>,
}

/// What an answer says besides the signature; by default what it should.
#[derive(Clone)]
pub(crate) struct How {
    pub(crate) origin: &'static str,
    pub(crate) rp_id: &'static str,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) cross_origin: bool,
    /// The type of the client data, where it is another one.
    pub(crate) kind: Option<&'static str>,
    /// The user handle, where it is another one; empty: none.
    pub(crate) handle: Option<Vec<u8>>,
    pub(crate) spoilt: bool,
}

impl Default for How {
    fn default() -> Self {
        let (origin, rp_id) = (ISSUER, "localhost");
        Self { origin, rp_id, flags: UP | UV, counter: 0, cross_origin: false, kind: None, handle: None, spoilt: false }
    }
}

/// What the server asks on the page of a visit.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) challenge: String,
    pub(crate) public_key: Value,
    pub(crate) csrf: String,
}

impl Key {
    /// A passkey as the server asks for it, in an authenticator.
    pub(crate) fn new(question: &Question) -> Self {
        Self::with_id(question, Entropy::System.bytes::<16>().to_vec())
    }

    /// The same with a credential id that its maker has chosen.
    pub(crate) fn with_id(question: &Question, id: Vec<u8>) -> Self {
        let handle = URL_SAFE_NO_PAD.decode(question.public_key["user"]["id"].as_str().unwrap()).unwrap();
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(), id, handle }
    }

    /// The same passkey with another key in it.
    pub(crate) fn forged(&self) -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(), id: self.id.clone(), handle: self.handle.clone() }
    }

    pub(crate) fn raw_id(&self) -> Vec<u8> {
        self.id.clone()
    }

    pub(crate) fn handle(&self) -> Vec<u8> {
        self.handle.clone()
    }

    /// The credential id as base64url.
    pub(crate) fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.id)
    }

    /// What `navigator.credentials.create()` gives, with attestation "none".
    pub(crate) fn registration(&self, question: &Question, how: &How) -> Value {
        let client_data = client_data("webauthn.create", question, how);
        let mut data = authenticator_data(how, AT);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose_key());
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": h'…'}.
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
            "transports": ["internal", "a new one"],
        });
        json!({ "id": self.id(), "rawId": self.id(), "type": "public-key", "clientExtensionResults": {}, "response": response })
    }

    /// What `navigator.credentials.get()` gives.
    pub(crate) fn assertion(&self, question: &Question, how: &How) -> Value {
        let client_data = client_data("webauthn.get", question, how);
        let data = authenticator_data(how, 0);
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let mut signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        if how.spoilt {
            let last = signature.len() - 1;
            signature[last] ^= 1;
        }
        let handle = how.handle.clone().unwrap_or_else(|| self.handle());
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature),
            "userHandle": (!handle.is_empty()).then(|| URL_SAFE_NO_PAD.encode(handle)),
        });
        json!({ "id": self.id(), "rawId": self.id(), "type": "public-key", "clientExtensionResults": {}, "response": response })
    }

    // RFC 9053 §7.1.1: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.pair.public_key().as_ref();
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", &point[1..33], b"\x22\x58\x20", &point[33..]].concat()
    }
}

fn client_data(kind: &str, question: &Question, how: &How) -> Vec<u8> {
    let kind = how.kind.unwrap_or(kind);
    json!({ "type": kind, "challenge": question.public_key["challenge"], "origin": how.origin, "crossOrigin": how.cross_origin })
        .to_string()
        .into_bytes()
}

fn authenticator_data(how: &How, more: u8) -> Vec<u8> {
    let mut data = digest(&SHA256, how.rp_id.as_bytes()).as_ref().to_vec();
    data.push(how.flags | more);
    data.extend(how.counter.to_be_bytes());
    data
}

/// Asks on the page of a visit: `options` or `register-options`.
pub(crate) async fn ask(browser: &Browser<'_>, interaction: &str, step: &str) -> Question {
    let page = browser.get(interaction).await;
    assert!(page.is_sign_in(), "{} {}", page.status, page.body);
    let csrf = page.csrf();
    let asked = browser.post_json(&format!("{interaction}/passkey/{step}"), &csrf, &json!({})).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let answer = asked.json();
    Question { challenge: answer["challenge"].as_str().unwrap().to_owned(), public_key: answer["publicKey"].clone(), csrf }
}

/// Sends an answer: to `assertion` or `registration`.
pub(crate) async fn answer(browser: &Browser<'_>, interaction: &str, step: &str, question: &Question, credential: &Value) -> Answer {
    let body = json!({ "challenge": question.challenge, "credential": credential });
    browser.post_json(&format!("{interaction}/passkey/{step}"), &question.csrf, &body).await
}

/// Makes a passkey on the page of a visit, as it should be; gives it and the server's answer.
pub(crate) async fn register(browser: &Browser<'_>, interaction: &str, how: &How) -> (Key, Answer) {
    let question = ask(browser, interaction, "register-options").await;
    let key = Key::new(&question);
    let told = answer(browser, interaction, "registration", &question, &key.registration(&question, how)).await;
    (key, told)
}

/// Signs with a passkey on the page of a visit.
pub(crate) async fn sign(browser: &Browser<'_>, interaction: &str, key: &Key, how: &How) -> Answer {
    let question = ask(browser, interaction, "options").await;
    answer(browser, interaction, "assertion", &question, &key.assertion(&question, how)).await
}
