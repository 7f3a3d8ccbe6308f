//! What is told of a person: the value of each claim, which of them an app gets at userinfo, and which it gets in the ID token because it
//! asked for them by name.

use serde_json::{Map, Value};

use super::claims::Reach;
use crate::domain::{Provider, Scope, Timestamp};
use crate::protocol::claims_request::{Ask, ClaimsRequest};
use crate::protocol::standard_claims::StandardClaim;
use crate::store::{PostalAddress, Profile};

/// What is known of a person.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub profile: &'a Profile,
    pub updated_at: Timestamp,
    /// What of it they have proved.
    pub reach: Reach<'a>,
}

/// The userinfo response (OpenID Connect Core §5.3.2): what the scopes cover and what was asked for by name, and nothing that is empty.
/// `compat` is the way of the sign-in, for clients of that claims profile.
#[must_use]
pub fn userinfo(sub: &str, scope: &Scope, asked: &ClaimsRequest, known: Known<'_>, compat: Option<&Provider>) -> Map<String, Value> {
    let by_scope = StandardClaim::ALL.iter().copied().filter(|claim| scope.contains(claim.scope()));
    let mut told: Map<String, Value> = by_scope
        .filter_map(|claim| Some((claim.as_str().to_owned(), value(claim, known)?)))
        .chain(by_name(&asked.userinfo, known))
        .collect();
    // Core §5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
    told.insert("sub".to_owned(), sub.into());
    if let Some(provider) = compat {
        told.insert("provider_id".to_owned(), provider.as_str().into());
        // Always there for these consumers, also without an address.
        let verified = told.contains_key("email") && known.reach.email.is_some();
        told.insert("email_verified".to_owned(), verified.into());
    }
    told
}

/// The claims about the person that the ID token was asked for by name (Core §5.5). Scope claims come from userinfo (Core §5.4).
#[must_use]
pub fn in_id_token(asked: &ClaimsRequest, known: Known<'_>) -> Map<String, Value> {
    by_name(&asked.id_token, known).collect()
}

/// Whether the ID token was asked for anything about the person: what is known of them must be loaded only then.
#[must_use]
pub fn asks_of_person(asked: &ClaimsRequest) -> bool {
    asked.id_token.keys().any(|name| StandardClaim::named(name).is_some())
}

fn by_name<'a>(asked: &'a std::collections::BTreeMap<String, Ask>, known: Known<'a>) -> impl Iterator<Item = (String, Value)> + 'a {
    asked.iter().filter_map(move |(name, ask)| {
        let value = value(StandardClaim::named(name)?, known)?;
        // Core §5.5.1: "Requests that the Claim be returned with a particular value"; with another one it is not what was asked for.
        ask.admits(&value).then(|| (name.clone(), value))
    })
}

fn value(claim: StandardClaim, known: Known<'_>) -> Option<Value> {
    use StandardClaim as C;
    let of = known.profile;
    match claim {
        C::Name => text(of.name.as_ref()),
        C::GivenName => text(of.given_name.as_ref()),
        C::FamilyName => text(of.family_name.as_ref()),
        C::MiddleName => text(of.middle_name.as_ref()),
        C::Nickname => text(of.nickname.as_ref()),
        C::PreferredUsername => text(of.preferred_username.as_ref()),
        C::Profile => text(of.profile.as_ref()),
        C::Picture => text(of.picture.as_ref()),
        C::Website => text(of.website.as_ref()),
        C::Gender => text(of.gender.as_ref()),
        C::Birthdate => text(of.birthdate.as_ref()),
        C::Zoneinfo => text(of.zoneinfo.as_ref()),
        C::Locale => text(of.locale.as_ref()),
        // Core §5.1: "a JSON number representing the number of seconds from 1970-01-01T00:00:00Z".
        C::UpdatedAt => Some(known.updated_at.seconds().into()),
        // What was proved goes before what the person has only said.
        C::Email => known.reach.email.map(|email| email.as_str().into()).or_else(|| text(of.email.as_ref())),
        // Core §5.1: "True if the End-User's e-mail address has been verified; otherwise false."
        C::EmailVerified => match known.reach.email {
            Some(_) => Some(true.into()),
            None => text(of.email.as_ref()).map(|_| false.into()),
        },
        C::EthereumAddress => known.reach.wallet.map(|wallet| wallet.to_string().into()),
        C::Address => address(of.address.as_ref()?),
        C::PhoneNumber => text(of.phone_number.as_ref()),
        C::PhoneNumberVerified => text(of.phone_number.as_ref()).map(|_| false.into()),
    }
}

// Core §5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted …; it SHOULD NOT be present with a null or empty string value."
fn text(value: Option<&String>) -> Option<Value> {
    value.filter(|text| !text.trim().is_empty()).map(|text| text.as_str().into())
}

// Core §5.1.1: "formatted: Full mailing address, formatted for display or use on a mailing label."
fn address(address: &PostalAddress) -> Option<Value> {
    let town = [&address.postal_code, &address.locality].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let lines = [address.street_address.as_deref().unwrap_or_default(), &town]
        .into_iter()
        .chain([&address.region, &address.country].into_iter().flatten().map(String::as_str))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let members: Map<String, Value> = [
        ("formatted", text(Some(&lines))),
        ("street_address", text(address.street_address.as_ref())),
        ("locality", text(address.locality.as_ref())),
        ("region", text(address.region.as_ref())),
        ("postal_code", text(address.postal_code.as_ref())),
        ("country", text(address.country.as_ref())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    (!members.is_empty()).then(|| members.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile() -> Profile {
        Profile {
            name: Some("Ada".into()),
            nickname: Some(" ".into()),
            email: Some("ada@example.org".into()),
            phone_number: Some("+351912345678".into()),
            address: Some(PostalAddress {
                street_address: Some("Rua Augusta 1".into()),
                locality: Some("Lisboa".into()),
                region: Some(String::new()),
                postal_code: Some("1100-053".into()),
                country: Some("Portugal".into()),
            }),
            ..Profile::default()
        }
    }

    fn known(profile: &Profile) -> Known<'_> {
        Known { profile, updated_at: Timestamp::from_seconds(7), reach: Reach::default() }
    }

    fn told(profile: &Profile, scope: &str, claims: &Value) -> Value {
        let asked = ClaimsRequest::parse(&claims.to_string()).unwrap();
        userinfo("s", &scope.parse().unwrap(), &asked, known(profile), None).into()
    }

    #[test]
    fn each_scope_tells_its_claims_and_nothing_empty() {
        let (whole, nothing) = (profile(), Profile::default());
        let none = json!({});
        assert_eq!(told(&whole, "openid", &none), json!({"sub": "s"}));
        assert_eq!(told(&whole, "profile", &none), json!({"sub": "s", "name": "Ada", "updated_at": 7}));
        assert_eq!(told(&whole, "email", &none), json!({"sub": "s", "email": "ada@example.org", "email_verified": false}));
        assert_eq!(told(&whole, "phone", &none), json!({"sub": "s", "phone_number": "+351912345678", "phone_number_verified": false}));
        let address = json!({
            "formatted": "Rua Augusta 1\n1100-053 Lisboa\nPortugal", "street_address": "Rua Augusta 1", "locality": "Lisboa",
            "postal_code": "1100-053", "country": "Portugal"
        });
        assert_eq!(told(&whole, "address", &none), json!({"sub": "s", "address": address}));
        assert_eq!(told(&nothing, "openid email phone address", &none), json!({"sub": "s"}));
        let empty = Profile { address: Some(PostalAddress::default()), ..Profile::default() };
        assert_eq!(told(&empty, "address", &none), json!({"sub": "s"}));
    }

    #[test]
    fn an_address_that_was_proved_goes_before_one_that_was_only_said() {
        let (said, nothing, proved) = (profile(), Profile::default(), "lovelace@example.com".parse().unwrap());
        let scope = "email".parse().unwrap();
        let told = |profile, email, compat: Option<&Provider>, asked: &str| {
            let known = Known { reach: Reach { wallet: None, email }, ..known(profile) };
            Value::from(userinfo("s", &scope, &ClaimsRequest::parse(asked).unwrap(), known, compat))
        };
        let verified = json!({"sub": "s", "email": "lovelace@example.com", "email_verified": true});
        assert_eq!(told(&said, Some(&proved), None, "{}"), verified);
        assert_eq!(told(&nothing, Some(&proved), None, "{}"), verified);
        let google = Provider::new("google");
        let mut of_google = verified.clone();
        of_google["provider_id"] = json!("google");
        assert_eq!(told(&said, Some(&proved), Some(&google), "{}"), of_google);
        assert_eq!(
            told(&said, None, Some(&google), "{}"),
            json!({"sub": "s", "email": "ada@example.org", "email_verified": false, "provider_id": "google"})
        );
        // It is the one that an app asks for by its value.
        let by_value = ClaimsRequest::parse(r#"{"id_token":{"email":{"value":"ada@example.org"},"email_verified":null}}"#).unwrap();
        let known = Known { reach: Reach { wallet: None, email: Some(&proved) }, ..known(&said) };
        assert_eq!(Value::from(in_id_token(&by_value, known)), json!({"email_verified": true}));
    }

    #[test]
    fn a_claim_by_name_is_told_where_it_was_asked_for_and_with_the_value_that_was_wanted() {
        let whole = profile();
        let claims = json!({"userinfo": {"email": null, "name": {"value": "Bob"}}, "id_token": {"phone_number": {"essential": true}, "name": {"values": ["Bob", "Ada"]}}});
        assert_eq!(told(&whole, "openid", &claims), json!({"sub": "s", "email": "ada@example.org"}));
        let asked = ClaimsRequest::parse(&claims.to_string()).unwrap();
        assert_eq!(Value::from(in_id_token(&asked, known(&whole))), json!({"phone_number": "+351912345678", "name": "Ada"}));
        assert!(asks_of_person(&asked));
        let sign_in = ClaimsRequest::parse(r#"{"id_token":{"acr":null,"auth_time":null,"sub":null},"userinfo":{"name":null}}"#).unwrap();
        assert!(!asks_of_person(&sign_in));
        // Nobody renames themselves.
        assert_eq!(told(&whole, "openid", &json!({"userinfo": {"sub": {"value": "x"}}})), json!({"sub": "s"}));
    }
}
