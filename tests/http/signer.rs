//! A client with a key pair of its own: what it publishes and what it signs, well or badly; and the server where it keeps its keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::domain::{AuthMethod, Entropy, GrantType};
use latchkey::store::ClientRecord;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::actors::Form;
use crate::forge::part;
use crate::world::{BEGINNING, ISSUER};

pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// One key pair, and the algorithm that it signs with.
pub(crate) struct Signer {
    pub(crate) alg: &'static str,
    pub(crate) kid: String,
    pair: Pair,
}

impl Signer {
    pub(crate) fn new(alg: &'static str, kid: &str) -> Self {
        let pair = match alg {
            "ES256" => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "EdDSA" => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => {
                let der = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
                Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(der.as_ref()).unwrap()))
            }
        };
        Self { alg, kid: kid.to_owned(), pair }
    }

    /// The public half, as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus().big_endian_without_leading_zero(), key.exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": text(n), "e": text(e) })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Pair::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// The set with this key alone.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    /// A JWT of these parts, signed with this key whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let bytes = message.as_bytes();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                if self.alg == "PS256" {
                    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), bytes, &mut signature).unwrap();
                } else {
                    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature).unwrap();
                }
                signature
            }
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid })
    }

    /// A good assertion, with a `jti` of its own.
    pub(crate) fn assertion(&self, client: &str) -> String {
        self.sign(&self.header(), &claims(client))
    }

    /// Lets `client` prove itself with this key, and have tokens of its own.
    pub(crate) fn register(&self, client: &mut ClientRecord) {
        by_assertion(client);
        client.metadata.jwks = Some(self.jwks());
    }
}

/// Makes a client one that proves itself by assertions and may have tokens of its own.
pub(crate) fn by_assertion(client: &mut ClientRecord) {
    client.auth_method = AuthMethod::PrivateKeyJwt;
    client.secret_hash = None;
    client.metadata.grant_types.insert(GrantType::ClientCredentials);
    client.metadata.scope = Some("openid read write".parse().unwrap());
}

/// What a good assertion claims at the beginning of every test.
pub(crate) fn claims(client: &str) -> Value {
    let jti = URL_SAFE_NO_PAD.encode(Entropy::System.bytes::<16>());
    json!({ "iss": client, "sub": client, "aud": ISSUER, "iat": BEGINNING, "exp": BEGINNING + 60, "jti": jti })
}

/// A request for a client's own token that is proved by this assertion.
pub(crate) fn own_token(assertion: &str) -> Form {
    proved(Form::of(&[("grant_type", "client_credentials")]), assertion)
}

pub(crate) fn proved(form: Form, assertion: &str) -> Form {
    form.with("client_assertion_type", ASSERTION_TYPE).with("client_assertion", assertion)
}

/// A real HTTP server on loopback where a client keeps its keys.
pub(crate) struct KeyServer {
    pub(crate) uri: String,
    hits: Arc<AtomicUsize>,
    answer: Arc<Mutex<String>>,
}

impl KeyServer {
    pub(crate) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/jwks", listener.local_addr().unwrap());
        let (hits, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
        let (counted, said) = (Arc::clone(&hits), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                let mut buffer = [0; 1_024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&buffer[..read]),
                    }
                }
                let text = said.lock().unwrap().clone();
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        Self { uri, hits, answer }
    }

    /// What is answered from now on.
    pub(crate) fn says(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        );
    }

    pub(crate) fn publishes(&self, keys: &[&Signer]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.says("200 OK", "", &json!({ "keys": keys }).to_string());
    }

    /// How often it was asked.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}
