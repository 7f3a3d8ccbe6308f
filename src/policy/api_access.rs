//! Who may do what by the interfaces over assets and grants: the scope that a deed needs, and in whose name a token can do it.

use crate::domain::Scope;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    ReadGrants,
    /// Share something, in the owner's name.
    Grant,
    /// Change what was shared; without being a part of the house, only to less.
    ChangeGrant,
    EndGrant,
    ReadAssets,
    /// Pass an asset on to somebody else.
    Transfer,
    /// Take an asset over by its claim code.
    Claim,
    /// Bring assets into the registry.
    Import,
}

impl Deed {
    pub const ALL: [Self; 8] =
        [Self::ReadGrants, Self::Grant, Self::ChangeGrant, Self::EndGrant, Self::ReadAssets, Self::Transfer, Self::Claim, Self::Import];

    /// The scope that it needs.
    #[must_use]
    pub const fn scope(self) -> &'static str {
        match self {
            Self::ReadGrants => Scope::GRANTS_READ,
            Self::Grant | Self::ChangeGrant | Self::EndGrant => Scope::GRANTS_WRITE,
            Self::ReadAssets => Scope::ASSETS_READ,
            Self::Transfer | Self::Claim | Self::Import => Scope::ASSETS_WRITE,
        }
    }
}

/// A token that holds.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub scope: &'a Scope,
    /// Whether it is a person's, at its client; otherwise it is the client's own.
    pub of_person: bool,
    /// Whether the operator calls its client a part of the house.
    pub first_party: bool,
}

/// What a token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lacks {
    #[error("the access token has not the scope {0}")]
    Scope(&'static str),
    #[error("this needs an access token of a person, the owner")]
    Person,
    #[error("this needs an access token of the client itself, by client_credentials")]
    OwnToken,
    #[error("only clients that the operator calls first-party may do this")]
    House,
}

/// Whether the holder of a token may do this, with what is its own.
///
/// # Errors
/// What it lacks.
// An app has leave, by the scope that the owner agreed to, to see what the owner has and shares, and to make it less. To share anything, or to
// give an asset away, is the owner's own doing, on a page of ours or by an app that is a part of the house. Otherwise an app could grant to
// itself, or to an accomplice, what its user never read on a consent page.
pub fn check(holder: &Holder<'_>, deed: Deed) -> Result<(), Lacks> {
    if !holder.scope.contains(deed.scope()) {
        return Err(Lacks::Scope(deed.scope()));
    }
    match deed {
        Deed::ReadGrants | Deed::EndGrant | Deed::ReadAssets => Ok(()),
        Deed::ChangeGrant | Deed::Claim if holder.of_person => Ok(()),
        Deed::Grant | Deed::Transfer if holder.of_person => {
            if holder.first_party {
                Ok(())
            } else {
                Err(Lacks::House)
            }
        }
        Deed::Grant | Deed::ChangeGrant | Deed::Transfer | Deed::Claim => Err(Lacks::Person),
        Deed::Import if holder.of_person => Err(Lacks::OwnToken),
        Deed::Import => {
            if holder.first_party {
                Ok(())
            } else {
                Err(Lacks::House)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn the_whole_matrix() {
        let mut table = String::new();
        for (of_person, first_party) in [(true, false), (true, true), (false, false), (false, true)] {
            for deed in Deed::ALL {
                let scope = Scope::of([deed.scope()]);
                let told = check(&Holder { scope: &scope, of_person, first_party }, deed)
                    .map_or_else(|lacks| lacks.to_string(), |()| "may".to_owned());
                let whose = if of_person { "a person's" } else { "its own  " };
                let house = if first_party { "of the house" } else { "             " };
                writeln!(table, "{whose} {house} {deed:?}: {told}").unwrap();
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn each_deed_needs_its_own_scope() {
        for deed in Deed::ALL {
            let others = Scope::of(Scope::OF_APIS.iter().copied().filter(|scope| *scope != deed.scope()));
            for (of_person, first_party) in [(true, true), (false, true)] {
                let holder = Holder { scope: &others, of_person, first_party };
                assert_eq!(check(&holder, deed), Err(Lacks::Scope(deed.scope())), "{deed:?}");
            }
        }
    }
}
