//! What the `jti` of a token names: where its record is, so that one look tells whether it still holds.

use uuid::Uuid;

use crate::domain::{ChallengeId, ClientId, CodeId, FamilyId, Timestamp};
use crate::state::State;
use crate::store::Bearer;

/// What the `jti` of an access token names: where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The code that it came from.
    Code(CodeId),
    /// The challenge that a wallet has signed for it.
    Wallet(ChallengeId),
    /// A license's own token.
    Developer(Uuid),
    /// The family of the refresh token that it came from, and an id of its own.
    Refresh(FamilyId, Uuid),
    /// A client's own token (RFC 6749 §4.4): there is no record, only a note once it is revoked.
    Client(Uuid),
}

impl Record {
    #[must_use]
    pub fn jti(self) -> String {
        match self {
            Self::Code(id) => format!("c_{id}"),
            Self::Wallet(id) => format!("w_{id}"),
            Self::Developer(id) => format!("d_{id}"),
            Self::Refresh(family, id) => format!("r_{family}_{id}"),
            Self::Client(id) => format!("k_{id}"),
        }
    }

    /// Reads a `jti` of ours.
    #[must_use]
    pub fn parse(jti: &str) -> Option<Self> {
        let id = |text: &str| text.parse::<Uuid>().ok();
        match jti.split_at_checked(2)? {
            ("c_", text) => id(text).map(|id| Self::Code(CodeId(id))),
            ("w_", text) => id(text).map(|id| Self::Wallet(ChallengeId(id))),
            ("d_", text) => id(text).map(Self::Developer),
            ("r_", text) => {
                let (family, token) = text.split_once('_')?;
                Some(Self::Refresh(FamilyId(id(family)?), id(token)?))
            }
            ("k_", text) => id(text).map(Self::Client),
            _ => None,
        }
    }

    /// The same for the store's read of what a client was granted. `client` and `issued_at` are those of the token.
    #[must_use]
    pub fn bearer(self, state: &State, client: &ClientId, issued_at: Timestamp, now: Timestamp) -> Bearer {
        match self {
            Self::Code(id) => Bearer::Code(id),
            Self::Wallet(id) => Bearer::Wallet(id),
            Self::Developer(id) => Bearer::Developer(id),
            Self::Refresh(family, token) => Bearer::Refresh { family, token, seen_since: super::sessions_seen_since(state, now) },
            Self::Client(token) => Bearer::Client { client: client.clone(), token, issued_at },
        }
    }
}

/// The `jti` of an asset token: an id of its own, and the records of the tokens that it was got with. Nothing is stored of it: whoever asks
/// later is told by those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetTokenId {
    pub id: Uuid,
    /// Of the token whose client it was given to.
    pub by: Record,
    /// Of the token of whom that client acts for.
    pub on_behalf: Option<Record>,
}

impl AssetTokenId {
    #[must_use]
    pub fn jti(self) -> String {
        let on_behalf = self.on_behalf.map(|record| format!(".{}", record.jti())).unwrap_or_default();
        format!("e_{}.{}{on_behalf}", self.id, self.by.jti())
    }

    /// Reads a `jti` of ours.
    #[must_use]
    pub fn parse(jti: &str) -> Option<Self> {
        let mut parts = jti.strip_prefix("e_")?.split('.');
        let (id, by) = (parts.next()?.parse().ok()?, Record::parse(parts.next()?)?);
        let on_behalf = match parts.next() {
            Some(record) => Some(Record::parse(record)?),
            None => None,
        };
        parts.next().is_none().then_some(Self { id, by, on_behalf })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jti_names_its_record() {
        let id = Uuid::from_u128(5);
        let family = FamilyId(Uuid::from_u128(6));
        let of_people = [Record::Code(CodeId(id)), Record::Wallet(ChallengeId(id)), Record::Refresh(family, id)];
        for record in of_people.into_iter().chain([Record::Developer(id), Record::Client(id)]) {
            assert_eq!(Record::parse(&record.jti()), Some(record));
        }
        for text in ["", "c", "c_", "x_00000000-0000-0000-0000-000000000005", "é", "c_é", "r_00000000-0000-0000-0000-000000000005", "r_x_y"]
        {
            assert_eq!(Record::parse(text), None);
        }
    }

    #[test]
    fn a_jti_of_an_asset_token_names_what_it_came_of() {
        let id = Uuid::from_u128(5);
        let (one, other) = (Record::Refresh(FamilyId(id), id), Record::Developer(id));
        for token in [AssetTokenId { id, by: one, on_behalf: None }, AssetTokenId { id, by: other, on_behalf: Some(one) }] {
            assert_eq!(AssetTokenId::parse(&token.jti()), Some(token));
            assert_eq!(Record::parse(&token.jti()), None);
        }
        for text in [String::new(), "e_1".into(), one.jti(), format!("e_{id}"), format!("e_{id}."), format!("e_{id}.{}.", one.jti())] {
            assert_eq!(AssetTokenId::parse(&text), None, "{text}");
        }
    }
}
