//! The profile form: which fields there are, and what each may hold (OpenID Connect Core §5.1).

use url::Url;

use crate::protocol::params::Params;
use crate::store::{PostalAddress, Profile};
use crate::web::pages::ProfileField;

/// What a field accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// An https address.
    Url,
    Date,
    Zone,
    Locale,
    Email,
    Phone,
}

type Slot = fn(&mut Profile) -> &mut Option<String>;

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: Kind,
    slot: Slot,
}

// The form's order; the page, the parser and the error messages all follow it.
const FIELDS: &[Field] = &[
    Field { name: "name", label: "Full name", hint: "", kind: Kind::Text, slot: |p| &mut p.name },
    Field { name: "given_name", label: "Given name", hint: "", kind: Kind::Text, slot: |p| &mut p.given_name },
    Field { name: "middle_name", label: "Middle name", hint: "", kind: Kind::Text, slot: |p| &mut p.middle_name },
    Field { name: "family_name", label: "Family name", hint: "", kind: Kind::Text, slot: |p| &mut p.family_name },
    Field { name: "nickname", label: "Nickname", hint: "", kind: Kind::Text, slot: |p| &mut p.nickname },
    Field {
        name: "preferred_username",
        label: "User name",
        hint: "What you like to be called in apps.",
        kind: Kind::Text,
        slot: |p| &mut p.preferred_username,
    },
    Field { name: "picture", label: "Picture", hint: "The https address of an image.", kind: Kind::Url, slot: |p| &mut p.picture },
    Field { name: "profile", label: "Profile page", hint: "An https address.", kind: Kind::Url, slot: |p| &mut p.profile },
    Field { name: "website", label: "Website", hint: "An https address.", kind: Kind::Url, slot: |p| &mut p.website },
    Field { name: "gender", label: "Gender", hint: "", kind: Kind::Text, slot: |p| &mut p.gender },
    Field { name: "birthdate", label: "Date of birth", hint: "", kind: Kind::Date, slot: |p| &mut p.birthdate },
    Field { name: "zoneinfo", label: "Time zone", hint: "Like Europe/Lisbon.", kind: Kind::Zone, slot: |p| &mut p.zoneinfo },
    Field { name: "locale", label: "Language", hint: "Like en or pt-BR.", kind: Kind::Locale, slot: |p| &mut p.locale },
    Field { name: "email", label: "Email address", hint: "", kind: Kind::Email, slot: |p| &mut p.email },
    Field {
        name: "phone_number",
        label: "Phone number",
        hint: "With the code of its country, like +351 912 345 678.",
        kind: Kind::Phone,
        slot: |p| &mut p.phone_number,
    },
    Field { name: "street_address", label: "Street and number", hint: "", kind: Kind::Text, slot: |p| &mut address(p).street_address },
    Field { name: "postal_code", label: "Postal code", hint: "", kind: Kind::Text, slot: |p| &mut address(p).postal_code },
    Field { name: "locality", label: "Town or city", hint: "", kind: Kind::Text, slot: |p| &mut address(p).locality },
    Field { name: "region", label: "State or region", hint: "", kind: Kind::Text, slot: |p| &mut address(p).region },
    Field { name: "country", label: "Country", hint: "", kind: Kind::Text, slot: |p| &mut address(p).country },
];

fn address(profile: &mut Profile) -> &mut PostalAddress {
    profile.address.get_or_insert_default()
}

const LONGEST: usize = 300;

/// The form's fields with the values of `profile`.
pub(super) fn fields(profile: &Profile) -> Vec<ProfileField> {
    let mut profile = profile.clone();
    FIELDS
        .iter()
        .map(|field| ProfileField {
            name: field.name.into(),
            label: field.label.into(),
            value: (field.slot)(&mut profile).clone().unwrap_or_default(),
            kind: match field.kind {
                Kind::Url => "url",
                Kind::Date => "date",
                Kind::Email => "email",
                Kind::Phone => "tel",
                Kind::Text | Kind::Zone | Kind::Locale => "text",
            }
            .into(),
            hint: field.hint.into(),
        })
        .collect()
}

/// Reads the form.
///
/// # Errors
/// What was typed, kept for the page, and a sentence about the first field that does not fit.
pub(super) fn parse(form: &Params) -> Result<Profile, Box<(Profile, String)>> {
    let mut profile = Profile::default();
    let mut problem = None;
    for field in FIELDS {
        let read = form.get(field.name);
        if read.is_err() && problem.is_none() {
            problem = Some(format!("{}: one line of letters and signs that can be seen.", field.label));
        }
        let value = read.ok().flatten().map(str::trim).filter(|value| !value.is_empty());
        if let (None, Some(value)) = (&problem, value) {
            problem = trouble(field.kind, value).map(|words| format!("{}: {words}", field.label));
        }
        *(field.slot)(&mut profile) = value.map(|value| if field.kind == Kind::Phone { dialled(value) } else { value.to_owned() });
    }
    profile.address = profile.address.filter(|address| *address != PostalAddress::default());
    match problem {
        None => Ok(profile),
        Some(problem) => Err(Box::new((profile, problem))),
    }
}

fn trouble(kind: Kind, value: &str) -> Option<&'static str> {
    if value.chars().count() > LONGEST {
        return Some("at most 300 characters.");
    }
    if value.chars().any(char::is_control) {
        return Some("only letters and signs that can be seen.");
    }
    let fits = match kind {
        Kind::Text => true,
        Kind::Url => Url::parse(value).is_ok_and(|url| url.scheme() == "https" && url.host().is_some()),
        Kind::Date => is_date(value),
        Kind::Zone => value.split('/').count() <= 3 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b)),
        Kind::Locale => {
            value.len() <= 35
                && value.split(['-', '_']).all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        }
        Kind::Email => is_email(value),
        Kind::Phone => is_phone(&dialled(value)),
    };
    match kind {
        _ if fits => None,
        Kind::Email => Some("it must be an address like name@example.org."),
        Kind::Phone => Some("it must be a number like +351 912 345 678."),
        Kind::Url => Some("it must be an address that begins with https://."),
        Kind::Date => Some("it must be a date like 1990-05-31."),
        Kind::Zone => Some("it must be a time zone like Europe/Lisbon."),
        Kind::Locale => Some("it must be a language like en or pt-BR."),
        Kind::Text => None,
    }
}

// OpenID Connect Core §5.1: "Its value MUST conform to the RFC 5322 addr-spec syntax"; of that, what people really have.
fn is_email(value: &str) -> bool {
    let fits = |b: u8| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&b);
    let dotted = |part: &str| part.split('.').all(|piece| !piece.is_empty() && piece.bytes().all(fits));
    value.len() <= 254 && value.split_once('@').is_some_and(|(name, host)| dotted(name) && dotted(host) && host.contains('.'))
}

// OpenID Connect Core §5.1: "E.164 is RECOMMENDED as the format of this Claim".
fn is_phone(value: &str) -> bool {
    value.strip_prefix('+').is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

// The number without what people write between its digits.
fn dialled(value: &str) -> String {
    value.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect()
}

// OpenID Connect Core §5.1: "represented as an ISO 8601-1 YYYY-MM-DD format".
fn is_date(value: &str) -> bool {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    value.len() == 10 && time::Date::parse(value, format).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_and_the_rest_is_empty() {
        let profile = parse(&Params::decode(
            "name=+Ada+&birthdate=1815-12-10&locale=en-GB&zoneinfo=Europe/London&picture=https://a.example/x.png&website=",
        ))
        .unwrap();
        assert_eq!((profile.name.as_deref(), profile.website, profile.address), (Some("Ada"), None, None));
        let form = "email=ada@example.org&phone_number=%2B351+(912)+345-678&locality=Lisboa&region=+";
        let profile = parse(&Params::decode(form)).unwrap();
        assert_eq!((profile.email.as_deref(), profile.phone_number.as_deref()), (Some("ada@example.org"), Some("+351912345678")));
        let address = profile.address.unwrap();
        assert_eq!((address.locality.as_deref(), address.region), (Some("Lisboa"), None));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (form, label) in [
            ("picture=javascript:alert(1)", "Picture"),
            ("website=http://a.example", "Website"),
            ("birthdate=1815-13-10", "Date of birth"),
            ("zoneinfo=../x y", "Time zone"),
            ("locale=english%20please", "Language"),
            (&format!("name={}", "x".repeat(301)), "Full name"),
            ("nickname=a%07", "Nickname"),
            ("email=ada", "Email address"),
            ("email=ada@example", "Email address"),
            ("email=a@b@example.org", "Email address"),
            ("email=%22a%22@example.org", "Email address"),
            ("email=.a@example.org", "Email address"),
            ("phone_number=912345678", "Phone number"),
            ("phone_number=%2B351+call+me", "Phone number"),
            ("phone_number=%2B1234567890123456", "Phone number"),
            (&format!("street_address={}", "x".repeat(301)), "Street and number"),
            ("country=a%0Ab", "Country"),
        ] {
            let (_, problem) = *parse(&Params::decode(form)).unwrap_err();
            assert!(problem.starts_with(label), "{form}: {problem}");
        }
    }

    #[test]
    fn the_form_shows_every_claim_of_a_profile() {
        assert_eq!(fields(&Profile::default()).len(), 20);
    }
}
