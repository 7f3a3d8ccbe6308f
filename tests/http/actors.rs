//! What the actors hold and hear: a wallet that signs, a form that is sent, an answer that is read whole.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use k256::ecdsa::{Signature, SigningKey};
use latchkey::domain::Address;
use latchkey::protocol::eip191;
use reqwest::Response;
use reqwest::header::{LOCATION, SET_COOKIE};
use serde_json::Value;

pub(crate) use crate::app::{App, Tokens};
pub(crate) use crate::browser::Browser;

/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A way to sign a message, well or badly.
pub(crate) type Signer = fn(&Wallet, &str) -> String;

/// A wallet with one key.
pub(crate) struct Wallet {
    key: SigningKey,
    pub(crate) address: Address,
}

impl Wallet {
    /// The wallet of that number; the same number is the same key.
    pub(crate) fn new(number: u8) -> Self {
        let mut secret = [7; 32];
        secret[31] = number;
        let key = SigningKey::from_slice(&secret).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let address = Address::of_public_key(point.as_bytes()[1..].try_into().unwrap());
        Self { key, address }
    }

    // r and s, and the parity of y.
    fn parts(&self, message: &str) -> (Signature, bool) {
        let (signature, recovery) = self.key.sign_prehash_recoverable(&eip191::message_hash(message));
        (signature, recovery.is_y_odd())
    }

    /// `personal_sign` (EIP-191), 65 bytes with v of 27 or 28.
    pub(crate) fn sign(&self, message: &str) -> String {
        self.sign_with_v(message, 27)
    }

    /// The same with v of `base` or `base + 1`.
    pub(crate) fn sign_with_v(&self, message: &str, base: u8) -> String {
        let (signature, odd) = self.parts(message);
        format!("{}{:02x}", hex(&signature.to_bytes()), base + u8::from(odd))
    }

    /// A signature with the other key's parity: it recovers to somebody else.
    pub(crate) fn sign_for_another(&self, message: &str) -> String {
        let (signature, odd) = self.parts(message);
        format!("{}{:02x}", hex(&signature.to_bytes()), 27 + u8::from(!odd))
    }

    /// The 64 bytes of EIP-2098.
    pub(crate) fn sign_compact(&self, message: &str) -> String {
        let (signature, odd) = self.parts(message);
        let mut bytes = signature.to_bytes();
        bytes[32] |= u8::from(odd) << 7;
        hex(&bytes)
    }

    /// The same signature with s in the upper half, which anybody can make of the good one.
    pub(crate) fn sign_high_s(&self, message: &str) -> String {
        let (signature, odd) = self.parts(message);
        let (r, s) = signature.split_scalars();
        let high = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        format!("{}{:02x}", hex(&high.to_bytes()), 27 + u8::from(!odd))
    }
}

/// `0x` and two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}

/// A query or a form, to be changed one field at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// With this field, in place of those of its name.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// With one more field of that name.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        Self { status: response.status().as_u16(), headers: response.headers().clone(), body: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    /// What `Set-Cookie` says, each with its attributes.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// The status and the OAuth error of a JSON answer.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    /// The parameters of the redirect's query.
    pub(crate) fn redirect(&self) -> Form {
        let Some((_, query)) = self.location().split_once('?') else { return Form::default() };
        Form(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter of the redirect's query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.redirect().0.into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The token of the page's forms or script.
    pub(crate) fn csrf(&self) -> String {
        let after = self.body.split("data-csrf=\"").nth(1).or_else(|| self.body.split("name=\"csrf\" value=\"").nth(1));
        after.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no csrf token in: {}", self.body)).to_owned()
    }

    /// The hidden fields of the page's form that is sent to an address which ends so, as a browser would send them.
    pub(crate) fn form(&self, action: &str) -> Form {
        let after = self.body.split(&format!("{action}\">")).nth(1).unwrap_or_else(|| panic!("no form for {action}: {}", self.body));
        let inner = after.split("</form>").next().unwrap();
        inner.split("<input type=\"hidden\" name=\"").skip(1).fold(Form::default(), |form, field| {
            let (name, rest) = field.split_once("\" value=\"").unwrap();
            form.and(name, &rest.split('"').next().unwrap().replace("&#38;", "&"))
        })
    }

    pub(crate) fn is_sign_in(&self) -> bool {
        self.status == 200 && self.body.contains("id=\"signin\"")
    }

    pub(crate) fn is_consent(&self) -> bool {
        self.status == 200 && self.body.contains("/consent\"")
    }

    /// Whether it is an error page of ours, of that status, which sends nobody anywhere.
    pub(crate) fn is_error_page(&self, status: u16) -> bool {
        self.status == status
            && self.location().is_empty()
            && self.header("content-type").starts_with("text/html")
            && self.body.contains("If you ask for help, name this")
    }
}

/// HTTP Basic, with both halves form-encoded (RFC 6749 §2.3.1).
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let half = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", half(id), half(secret))))
}

/// A token's header and payload, unverified.
pub(crate) fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap_or(Value::Null);
    (next(), next())
}
