//! What scopes and ways of signing in are called on pages.

use super::pages::ScopeLine;
use crate::config::Upstream;
use crate::domain::{Asset, AssetDid, Provider, Resource, Scope, Timestamp};
use crate::protocol::authorize::SCOPES;

/// Scopes in the words of a person who has never heard of them, the plainest first. What belongs to a resource is in its operator's words;
/// a resource itself is named by its URI.
#[must_use]
pub fn scope_lines(scope: &Scope, resources: &[Resource]) -> Vec<ScopeLine> {
    let known = SCOPES.iter().copied().filter(|token| scope.contains(token));
    let others = scope.iter().filter(|token| !SCOPES.contains(token));
    known.chain(others).map(|token| of_resource(token, resources).unwrap_or_else(|| scope_line(token))).collect()
}

fn of_resource(token: &str, resources: &[Resource]) -> Option<ScopeLine> {
    let line = |title: String, detail: String| ScopeLine { token: token.to_owned(), title, detail };
    resources.iter().find_map(|resource| match resource.scopes.get(token) {
        Some(sentence) => Some(line(sentence.clone(), format!("At {}.", resource.name))),
        None if resource.uri.as_str() == token => Some(line(
            format!("Use {} in your name", resource.name),
            "The app shows it a pass from this server, which says who you are.".to_owned(),
        )),
        None => None,
    })
}

fn scope_line(token: &str) -> ScopeLine {
    let (title, detail) = match token {
        Scope::OPENID => ("Know that it is you", "The app recognises you when you come back."),
        Scope::EMAIL => (
            "See your wallet address and email",
            "The address of the wallet you signed in with, and your email address if your account has one.",
        ),
        Scope::PROFILE => ("See your profile", "What you have written on your account page: your name, picture and language, for example."),
        Scope::OFFLINE_ACCESS => (
            "Keep this access while you are away",
            "The app can use it after you have left or signed out, until you withdraw it in your account.",
        ),
        Scope::ADDRESS => ("See your postal address", "The one that you have written on your account page, if you have."),
        Scope::PHONE => ("See your phone number", "The one that you have written on your account page, if you have."),
        Scope::ASSETS_READ => ("See what you own", "Your assets here, such as a car, with make, model and year."),
        Scope::ASSETS_WRITE => (
            "Add to what you own",
            "By the codes that come with new assets. Only apps that are a part of this site can pass an asset on to somebody else.",
        ),
        Scope::GRANTS_READ => ("See what you share", "Which apps may do what with your assets, and until when."),
        Scope::GRANTS_WRITE => (
            "Take back what you share",
            "It can end or narrow what you let apps do. Only apps that are a part of this site can share more in your name.",
        ),
        _ => ("Use something this page has no words for", "The app's makers can say what it is."),
    };
    ScopeLine { token: token.to_owned(), title: title.to_owned(), detail: detail.to_owned() }
}

/// A day as people write it: `5 March 2026`.
#[must_use]
pub fn day(moment: Timestamp) -> String {
    let format = time::macros::format_description!("[day padding:none] [month repr:long] [year]");
    time::OffsetDateTime::from_unix_timestamp(moment.seconds()).ok().and_then(|moment| moment.format(format).ok()).unwrap_or_default()
}

/// A moment as people write it: `5 March 2026, 14:07 UTC`.
#[must_use]
pub fn moment(moment: Timestamp) -> String {
    let format = time::macros::format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    time::OffsetDateTime::from_unix_timestamp(moment.seconds()).ok().and_then(|moment| moment.format(format).ok()).unwrap_or_default()
}

/// How long to wait, rounded up: `42 seconds`, `12 minutes`, `3 hours`.
#[must_use]
pub fn wait(seconds: u64) -> String {
    let unit = match seconds {
        0..=90 => 1,
        91..=5_400 => 60,
        _ => 3_600,
    };
    span(seconds.div_ceil(unit) * unit)
}

/// How long so many seconds are: `1 year`, `90 days`, `12 hours`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let units = [("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let (unit, length) =
        units.into_iter().find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length)).unwrap_or(("second", 1));
    match seconds / length {
        1 => format!("1 {unit}"),
        number => format!("{number} {unit}s"),
    }
}

/// What an asset is called: by its owner, or else by what it is.
#[must_use]
pub fn asset_name(asset: &Asset) -> String {
    if let Some(name) = asset.name.as_ref().filter(|name| !name.trim().is_empty()) {
        return name.clone();
    }
    let year = asset.year.map(|year| year.to_string());
    let parts: Vec<&str> = [&asset.make, &asset.model, &year].into_iter().filter_map(Option::as_deref).collect();
    if parts.is_empty() { end_of(&asset.did) } else { parts.join(" ") }
}

/// The end of a DID, enough to tell two assets of one owner apart: `no. 186612`, or the last signs of an address.
#[must_use]
pub fn end_of(did: &AssetDid) -> String {
    did.token_id().map_or_else(
        || {
            let address = did.contract().to_string();
            format!("…{}", address.get(address.len().saturating_sub(6)..).unwrap_or_default())
        },
        |number| format!("no. {number}"),
    )
}

/// What people call a way to sign in. A provider elsewhere is called as on its button, while there is one.
#[must_use]
pub fn provider_name<'a>(provider: &'a Provider, upstreams: &'a [Upstream]) -> &'a str {
    match provider.as_str() {
        Provider::WEB3 => "Wallet",
        Provider::PASSKEY => "Passkey",
        Provider::EMAIL => "Email",
        Provider::PASSWORD => "Password",
        other => upstreams.iter().find(|upstream| upstream.id == *provider).map_or(other, |upstream| upstream.name.as_str()),
    }
}

/// `Chrome on Windows`: the two words of a user agent that a person recognises.
// Order matters: browsers name their ancestors.
#[must_use]
pub fn device(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let browser = find(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrom", "Chrome"),
        ("CriOS", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "A program without a name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_people_name_it() {
        assert_eq!(
            device("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"),
            "Chrome on Windows"
        );
        assert_eq!(
            device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"),
            "Safari on iPhone"
        );
        assert_eq!(device(""), "A program without a name");
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        let at = Timestamp::from_seconds(1_767_225_600);
        assert_eq!(day(at), "1 January 2026");
        assert_eq!(moment(at), "1 January 2026, 00:00 UTC");
        let waits: Vec<String> = [1, 42, 90, 91, 600, 3_600, 5_401, 86_399].into_iter().map(wait).collect();
        assert_eq!(waits, ["1 second", "42 seconds", "90 seconds", "2 minutes", "10 minutes", "1 hour", "2 hours", "1 day"]);
    }
}
