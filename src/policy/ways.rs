//! Which ways of signing in a page offers, and what becomes of taking one from an account: pure decisions over providers' ids.

use super::acr;
use crate::domain::Provider;
use crate::store::Identity;

/// What there is to say about which ways to offer.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// The one that the app asks for (`connector_id`).
    pub connector: Option<&'a str>,
    /// Levels (`acr`) of which the app demands one.
    pub required: Option<Vec<&'a str>>,
    /// Levels that the app prefers.
    pub preferred: Vec<&'a str>,
    /// The only ones by which this person can show what they are to show.
    pub able: Option<Vec<&'a str>>,
    /// How somebody last signed in in this browser.
    pub last: Option<&'a str>,
    /// The person has asked to see them all.
    pub all: bool,
}

/// What a page offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The first one first.
    pub ways: Vec<&'a str>,
    /// There are others, which the app did not ask for.
    pub more: bool,
}

/// Decides which of the ways that are on are offered. Only what cannot do is left out for good: what an app would rather have is shown
/// alone, with a way to the rest.
#[must_use]
pub fn offer<'a>(on: &[&'a str], wanted: &Wanted<'_>) -> Offer<'a> {
    let gives = |way: &str, levels: &[&str]| acr::given_by(way).is_some_and(|level| levels.contains(&level));
    let mut able: Vec<&str> = on
        .iter()
        .copied()
        .filter(|way| wanted.required.as_ref().is_none_or(|levels| gives(way, levels)))
        .filter(|way| wanted.able.as_ref().is_none_or(|able| able.contains(way)))
        .collect();
    // What was used last comes first; the others keep their order.
    able.sort_by_key(|way| wanted.last != Some(*way));
    let named = || able.iter().copied().filter(|way| wanted.connector == Some(*way)).collect::<Vec<_>>();
    let preferred = || able.iter().copied().filter(|way| gives(way, &wanted.preferred)).collect::<Vec<_>>();
    let rather = [named(), preferred()].into_iter().find(|some| !some.is_empty()).filter(|_| !wanted.all);
    match rather {
        Some(ways) => Offer { more: ways.len() < able.len(), ways },
        None => Offer { ways: able, more: false },
    }
}

/// What becomes of taking a way of signing in from an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal<'a> {
    /// The account has no such way.
    Unknown,
    /// Nobody could come in any more.
    Last,
    /// First somebody is to show that they are who they are, in a way that stays: so it is sure that it works.
    Prove {
        left: Vec<&'a Identity>,
    },
    Now {
        left: Vec<&'a Identity>,
    },
}

/// How somebody is signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignedInBy<'a> {
    pub provider: &'a Provider,
    pub subject: &'a str,
    /// A moment ago.
    pub fresh: bool,
}

/// Decides about taking a way of signing in from an account with these identities. What is switched off here lets nobody in.
#[must_use]
pub fn removal<'a>(identities: &'a [Identity], (provider, subject): (&str, &str), on: &[&str], by: SignedInBy<'_>) -> Removal<'a> {
    let (taken, left): (Vec<&Identity>, Vec<&Identity>) =
        identities.iter().partition(|identity| identity.provider.as_str() == provider && identity.subject == subject);
    if taken.is_empty() {
        return Removal::Unknown;
    }
    // A password stays only with its address.
    let has = |address: &str| left.iter().any(|identity| identity.email.as_ref().is_some_and(|email| email.as_str() == address));
    let stays = |identity: &&Identity| identity.provider.as_str() != Provider::PASSWORD || has(&identity.subject);
    let left: Vec<&Identity> = left.iter().copied().filter(|identity| on.contains(&identity.provider.as_str())).filter(stays).collect();
    if left.is_empty() {
        return Removal::Last;
    }
    let by_one_that_stays = left.iter().any(|identity| identity.provider == *by.provider && identity.subject == by.subject);
    if by.fresh && by_one_that_stays { Removal::Now { left } } else { Removal::Prove { left } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const ON: [&str; 4] = ["passkey", "web3", "email", "acme"];

    fn offered(wanted: &Wanted<'_>) -> String {
        let offer = offer(&ON, wanted);
        format!("{}{}", offer.ways.join(" "), if offer.more { " …" } else { "" })
    }

    #[test]
    fn what_an_app_wants_is_offered_and_nobody_is_shut_out_by_a_wish() {
        let wanted = Wanted::default;
        assert_eq!(offered(&wanted()), "passkey web3 email acme");
        assert_eq!(offered(&Wanted { last: Some("email"), ..wanted() }), "email passkey web3 acme");
        assert_eq!(offered(&Wanted { last: Some("gone"), ..wanted() }), "passkey web3 email acme");
        assert_eq!(offered(&Wanted { connector: Some("acme"), ..wanted() }), "acme …");
        assert_eq!(offered(&Wanted { connector: Some("acme"), all: true, last: Some("web3"), ..wanted() }), "web3 passkey email acme");
        assert_eq!(offered(&Wanted { connector: Some("unknown"), ..wanted() }), "passkey web3 email acme");
        assert_eq!(offered(&Wanted { preferred: vec!["x", acr::WALLET], ..wanted() }), "web3 …");
        assert_eq!(offered(&Wanted { preferred: vec![acr::WALLET, acr::PASSKEY], last: Some("web3"), ..wanted() }), "web3 passkey …");
        assert_eq!(offered(&Wanted { preferred: vec!["x"], ..wanted() }), "passkey web3 email acme");
    }

    #[test]
    fn what_cannot_do_is_left_out_for_good() {
        let demanded = Wanted { required: Some(vec![acr::PASSKEY]), all: true, ..Wanted::default() };
        assert_eq!(offered(&demanded), "passkey");
        assert_eq!(offered(&Wanted { connector: Some("email"), ..demanded.clone() }), "passkey");
        assert_eq!(offered(&Wanted { required: Some(vec!["x"]), ..demanded }), "");
        let able = Wanted { able: Some(vec!["email", "web3", "gone"]), all: true, ..Wanted::default() };
        assert_eq!(offered(&able), "web3 email");
    }

    fn identity(provider: &str, subject: &str) -> Identity {
        let at = Timestamp::from_seconds(0);
        let provider = Provider::new(provider);
        Identity { provider, subject: subject.to_owned(), label: String::new(), email: None, created_at: at, last_used_at: at }
    }

    #[test]
    fn the_whole_table_of_removals() {
        let (a, b, google) = (identity("web3", "a"), identity("web3", "b"), identity("google", "a"));
        let two = [a.clone(), b.clone()];
        let told = |identities: &[Identity], which: (&str, &str), by: &Identity, fresh| {
            let by = SignedInBy { provider: &by.provider, subject: &by.subject, fresh };
            match removal(identities, which, &ON, by) {
                Removal::Unknown => "unknown".to_owned(),
                Removal::Last => "last".to_owned(),
                Removal::Prove { left } => format!("prove, {} left", left.len()),
                Removal::Now { left } => format!("now, {} left", left.len()),
            }
        };
        assert_eq!(told(&two, ("web3", "a"), &b, true), "now, 1 left");
        assert_eq!(told(&two, ("web3", "a"), &b, false), "prove, 1 left");
        // The proof is to show that one can come in without it.
        assert_eq!(told(&two, ("web3", "a"), &a, true), "prove, 1 left");
        // Nor by one that was taken away already, in this same session.
        assert_eq!(told(&two, ("web3", "a"), &identity("web3", "c"), true), "prove, 1 left");
        assert_eq!(told(&two, ("web3", "c"), &a, true), "unknown");
        assert_eq!(told(&two, ("google", "a"), &a, true), "unknown");
        assert_eq!(told(std::slice::from_ref(&a), ("web3", "a"), &a, true), "last");
        // Google is not on: who has only that left is shut out.
        let with_google = [a.clone(), google.clone()];
        assert_eq!(told(&with_google, ("web3", "a"), &google, true), "last");
        assert_eq!(told(&with_google, ("google", "a"), &a, true), "now, 1 left");
    }
}
