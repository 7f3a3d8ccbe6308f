//! The profile form: which fields there are, and what each may hold (OpenID Connect Core §5.1).

use url::Url;

use crate::protocol::params::Params;
use crate::store::Profile;
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
];

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
        *(field.slot)(&mut profile) = value.map(str::to_owned);
    }
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
    };
    match kind {
        _ if fits => None,
        Kind::Url => Some("it must be an address that begins with https://."),
        Kind::Date => Some("it must be a date like 1990-05-31."),
        Kind::Zone => Some("it must be a time zone like Europe/Lisbon."),
        Kind::Locale => Some("it must be a language like en or pt-BR."),
        Kind::Text => None,
    }
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
        assert_eq!((profile.name.as_deref(), profile.website), (Some("Ada"), None));
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
        ] {
            let (_, problem) = *parse(&Params::decode(form)).unwrap_err();
            assert!(problem.starts_with(label), "{form}: {problem}");
        }
    }

    #[test]
    fn the_form_shows_every_claim_of_a_profile() {
        assert_eq!(fields(&Profile::default()).len(), 13);
    }
}
