//! What an owner may give of an asset, and who may end what was given.

use std::time::Duration;

use crate::domain::{AccountId, ClientId, EventFilter, Grant, GrantEnd, PermissionSet, Standing, Timestamp};

/// What is to be granted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub permissions: &'a PermissionSet,
    pub events: &'a [EventFilter],
    pub effective_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What holds for every grant here.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The permissions of the vocabulary: for the asset's method, or all of them for all assets of an account.
    pub known: &'a PermissionSet,
    pub longest: Duration,
}

/// Why something cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GivingError {
    /// Somebody else's, or nobody's: the two look alike.
    #[error("there is no such asset of yours")]
    NotYours,
    #[error("there is nothing to grant: name at least one permission or event")]
    Nothing,
    #[error("there are no such permissions for this asset: {0}")]
    Unknown(PermissionSet),
    #[error("a grant has at most {} event filters", EventFilter::MOST)]
    TooManyEvents,
    #[error("expires_at must be later than now, and than effective_at")]
    Ended,
    #[error("a grant may last at most {} days", .0.as_secs() / 86_400)]
    TooLong(Duration),
    #[error("this app may narrow what you share and end it, but not share more in your name")]
    Wider,
}

/// Whether a person may grant this on an asset (`None`: there is no such asset).
///
/// # Errors
/// Why not.
// Only the asset's current owner can grant, whoever owned it before and whoever asked.
pub fn may_give(
    person: AccountId,
    asset: Option<&Standing>,
    wish: &Wish<'_>,
    terms: &Terms<'_>,
    now: Timestamp,
) -> Result<(), GivingError> {
    if asset.is_none_or(|asset| asset.owner_account != Some(person)) {
        return Err(GivingError::NotYours);
    }
    check_wish(wish, terms, now)
}

/// Whether this can be granted at all, on whatever asset: for all assets of somebody's own account, and for the operator.
///
/// # Errors
/// Why not.
pub fn check_wish(wish: &Wish<'_>, terms: &Terms<'_>, now: Timestamp) -> Result<(), GivingError> {
    if wish.permissions.is_empty() && wish.events.is_empty() {
        return Err(GivingError::Nothing);
    }
    let unknown = wish.permissions.difference(terms.known);
    if !unknown.is_empty() {
        return Err(GivingError::Unknown(unknown));
    }
    if wish.events.len() > EventFilter::MOST {
        return Err(GivingError::TooManyEvents);
    }
    if wish.expires_at <= now || wish.expires_at <= wish.effective_at {
        return Err(GivingError::Ended);
    }
    // Counted from now, also where it begins later: nobody gives away what is to be in ten years.
    if wish.expires_at > now.plus(terms.longest) {
        return Err(GivingError::TooLong(terms.longest));
    }
    Ok(())
}

/// What is to be different of a grant; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    pub permissions: Option<&'a PermissionSet>,
    pub events: Option<&'a [EventFilter]>,
    pub expires_at: Option<Timestamp>,
}

/// Whether a grant may be changed so; with `may_widen` it may give more than before.
///
/// # Errors
/// Why not.
// To give less is always allowed, also of what the vocabulary has no more.
pub fn check_change(grant: &Grant, change: &Change<'_>, may_widen: bool, terms: &Terms<'_>, now: Timestamp) -> Result<(), GivingError> {
    let permissions = change.permissions.unwrap_or(&grant.permissions);
    let events = change.events.unwrap_or(&grant.events);
    let expires_at = change.expires_at.unwrap_or(grant.expires_at);
    let covered = |asked: &EventFilter| grant.events.iter().any(|before| before.covers(asked));
    let narrower = permissions.is_subset(&grant.permissions) && events.iter().all(covered) && expires_at <= grant.expires_at;
    if !narrower {
        if !may_widen {
            return Err(GivingError::Wider);
        }
        return check_wish(&Wish { permissions, events, effective_at: grant.effective_at, expires_at }, terms, now);
    }
    if permissions.is_empty() && events.is_empty() {
        return Err(GivingError::Nothing);
    }
    if events.len() > EventFilter::MOST {
        return Err(GivingError::TooManyEvents);
    }
    if expires_at <= now || expires_at <= grant.effective_at { Err(GivingError::Ended) } else { Ok(()) }
}

/// Who wants a grant to end.
#[derive(Clone, Copy, Debug)]
pub enum Ender<'a> {
    Person(AccountId),
    Client(&'a ClientId),
    Operator,
}

/// As what somebody may end a grant; `None`: not at all. `asset` is the grant's, as it stands now.
#[must_use]
pub fn may_end(grant: &Grant, asset: Option<&Standing>, who: Ender<'_>) -> Option<GrantEnd> {
    match who {
        Ender::Person(person) => {
            let gave = grant.grantor_account == Some(person);
            let owns = asset.is_some_and(|asset| grant.asset == Some(asset.did) && asset.owner_account == Some(person));
            (gave || owns).then_some(GrantEnd::Owner)
        }
        Ender::Client(client) => (grant.grantee == *client).then_some(GrantEnd::Grantee),
        Ender::Operator => Some(GrantEnd::Operator),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{GrantId, GrantSource, Owner};

    const OWNER: AccountId = AccountId(Uuid::from_u128(1));
    const FORMER: AccountId = AccountId(Uuid::from_u128(2));
    const OTHER: AccountId = AccountId(Uuid::from_u128(3));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn set(text: &str) -> PermissionSet {
        text.parse().unwrap()
    }

    fn asset(owner_account: Option<AccountId>) -> Standing {
        let did = "did:ethr:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF".parse().unwrap();
        Standing { did, owner: owner_account.map(Owner::Account), owner_account, epoch: 1 }
    }

    #[test]
    fn only_who_owns_it_now_grants_and_only_what_there_is() {
        let day = Duration::from_hours(24);
        let (known, owned) = (set("a b"), asset(Some(OWNER)));
        let many = vec![EventFilter::any(); EventFilter::MOST + 1];
        let give = |person, asset: Option<&Standing>, permissions: &str, events, (from, until)| {
            let permissions = set(permissions);
            let wish = Wish { permissions: &permissions, events, effective_at: at(from), expires_at: at(until) };
            may_give(person, asset, &wish, &Terms { known: &known, longest: day }, at(100))
        };
        let (none, some, many) = (&many[..0], &many[..1], &many[..]);
        for (permissions, events, time, outcome) in [
            ("a", none, (100, 200), Ok(())),
            ("a b", some, (0, 101), Ok(())),
            ("", some, (100, 200), Ok(())),
            ("a", none, (500, 600), Ok(())),
            ("a", none, (100, 86_500), Ok(())),
            ("a", none, (100, 86_501), Err(GivingError::TooLong(day))),
            ("a", none, (86_400, 86_501), Err(GivingError::TooLong(day))),
            ("a", none, (100, i64::MAX), Err(GivingError::TooLong(day))),
            ("a", none, (0, 100), Err(GivingError::Ended)),
            ("a", none, (200, 200), Err(GivingError::Ended)),
            ("a", none, (201, 200), Err(GivingError::Ended)),
            ("a c d", none, (100, 200), Err(GivingError::Unknown(set("c d")))),
            ("", none, (100, 200), Err(GivingError::Nothing)),
            ("a", many, (100, 200), Err(GivingError::TooManyEvents)),
        ] {
            assert_eq!(give(OWNER, Some(&owned), permissions, events, time), outcome, "{permissions} {time:?}");
            // Nobody else learns what would have been wrong with it.
            for (person, asset) in [(OTHER, Some(owned)), (FORMER, Some(owned)), (OWNER, None), (OWNER, Some(asset(None)))] {
                assert_eq!(give(person, asset.as_ref(), permissions, events, time), Err(GivingError::NotYours));
            }
        }
    }

    #[test]
    fn whoever_may_not_widen_a_grant_may_only_make_it_less() {
        let filter = |text: &str| serde_json::from_str::<EventFilter>(text).unwrap();
        let grant = Grant {
            id: GrantId(Uuid::from_u128(1)),
            asset: Some(asset(None).did),
            grantor_account: Some(OWNER),
            grantor_address: None,
            grantee: "app".parse().unwrap(),
            permissions: set("a b"),
            events: vec![filter(r#"{"event_type":"x.*"}"#)],
            effective_at: at(0),
            expires_at: at(200),
            epoch: Some(1),
            source: GrantSource::Consent,
            template: None,
            purpose: None,
            created_at: at(0),
            updated_at: at(0),
            ended_at: None,
            ended: None,
        };
        // `b` is not in the vocabulary any more.
        let (known, longest) = (set("a c"), Duration::from_secs(1_000));
        let decide = |permissions: Option<&str>, events: Option<&str>, until: Option<i64>| {
            let permissions = permissions.map(set);
            let events: Option<Vec<EventFilter>> = events.map(|text| if text.is_empty() { Vec::new() } else { vec![filter(text)] });
            let change = Change { permissions: permissions.as_ref(), events: events.as_deref(), expires_at: until.map(at) };
            let terms = Terms { known: &known, longest };
            [false, true].map(|may_widen| check_change(&grant, &change, may_widen, &terms, at(100)))
        };
        let (ok, wider) = (Ok::<(), GivingError>(()), Err(GivingError::Wider));
        for (permissions, events, until, outcome) in [
            (Some("a"), None, None, [ok.clone(), ok.clone()]),
            (None, None, Some(150), [ok.clone(), ok.clone()]),
            (None, Some(""), None, [ok.clone(), ok.clone()]),
            (None, Some(r#"{"event_type":"x.y"}"#), None, [ok.clone(), ok.clone()]),
            (Some(""), Some(""), None, [Err(GivingError::Nothing), Err(GivingError::Nothing)]),
            (None, None, Some(100), [Err(GivingError::Ended), Err(GivingError::Ended)]),
            (Some("a c"), None, None, [wider.clone(), ok.clone()]),
            (Some("a"), None, Some(201), [wider.clone(), ok.clone()]),
            (Some("a"), Some(r#"{"event_type":"y"}"#), None, [wider.clone(), ok]),
            (Some("a"), Some("{}"), Some(5_000), [wider.clone(), Err(GivingError::TooLong(longest))]),
            (None, None, Some(201), [wider.clone(), Err(GivingError::Unknown(set("b")))]),
            (Some("a d"), None, None, [wider, Err(GivingError::Unknown(set("d")))]),
        ] {
            assert_eq!(decide(permissions, events, until), outcome, "{permissions:?} {events:?} {until:?}");
        }
    }

    #[test]
    fn who_gave_it_who_owns_it_and_who_has_it_may_end_it() {
        let (app, other_app) = ("app".parse().unwrap(), "other".parse().unwrap());
        let grant = Grant {
            id: GrantId(Uuid::from_u128(1)),
            asset: Some(asset(None).did),
            grantor_account: Some(FORMER),
            grantor_address: None,
            grantee: "app".parse().unwrap(),
            permissions: set("a"),
            events: Vec::new(),
            effective_at: at(0),
            expires_at: at(9),
            epoch: Some(1),
            source: GrantSource::Api,
            template: None,
            purpose: None,
            created_at: at(0),
            updated_at: at(0),
            ended_at: None,
            ended: None,
        };
        let elsewhere = Standing { did: "did:ethr:1:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF".parse().unwrap(), ..asset(Some(OTHER)) };
        for (who, asset, outcome) in [
            (Ender::Person(OWNER), Some(asset(Some(OWNER))), Some(GrantEnd::Owner)),
            (Ender::Person(FORMER), Some(asset(Some(OWNER))), Some(GrantEnd::Owner)),
            (Ender::Person(FORMER), None, Some(GrantEnd::Owner)),
            (Ender::Person(OTHER), Some(asset(Some(OWNER))), None),
            (Ender::Person(OWNER), None, None),
            (Ender::Person(OTHER), Some(elsewhere), None),
            (Ender::Client(&app), Some(asset(Some(OWNER))), Some(GrantEnd::Grantee)),
            (Ender::Client(&app), None, Some(GrantEnd::Grantee)),
            (Ender::Client(&other_app), Some(asset(Some(OWNER))), None),
            (Ender::Operator, None, Some(GrantEnd::Operator)),
        ] {
            assert_eq!(may_end(&grant, asset.as_ref(), who), outcome, "{who:?} {asset:?}");
        }
        // One on all assets of somebody is that person's to end, whatever asset is looked at.
        let on_all = Grant { asset: None, epoch: None, ..grant };
        assert_eq!(may_end(&on_all, Some(&asset(Some(OTHER))), Ender::Person(OTHER)), None);
        assert_eq!(may_end(&on_all, None, Ender::Person(FORMER)), Some(GrantEnd::Owner));
    }
}
