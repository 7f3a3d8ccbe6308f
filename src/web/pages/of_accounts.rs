//! The parts of the account page that are about coming in: the ways of signing in, and the browsers that are signed in.

use askama::Template;

use super::{Frame, text};
use crate::web::assets;

/// A way of signing in, as a person knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayName {
    /// What kind of way it is.
    pub kind: String,
    /// A name, or else what the provider knows the person by.
    pub name: String,
}

impl WayName {
    /// Kind and name, a name that says its kind alone: `Wallet of Ada`, `Passkey of 3 May 2026`.
    #[must_use]
    pub fn whole(&self) -> String {
        self.with(&self.name)
    }

    /// The same with the name as short as it can be told by.
    #[must_use]
    pub fn in_short(&self) -> String {
        self.with(&text::short(&self.name))
    }

    fn with(&self, name: &str) -> String {
        if name.starts_with(&self.kind) { name.to_owned() } else { format!("{} {name}", self.kind) }
    }
}

/// A way of signing in on the account page.
#[derive(Clone, Debug)]
pub struct IdentityLine {
    pub way: WayName,
    /// What its forms say which one it is by; both are checked against the account.
    pub provider: String,
    pub subject: String,
    /// The wallet's address, where the name is another.
    pub address: Option<String>,
    pub since: String,
    pub last_used: String,
    /// This browser is signed in with it.
    pub current: bool,
    /// It is switched off at this server: nobody comes in with it.
    pub off: bool,
    /// Its name is the person's own to choose.
    pub renamable: bool,
    /// The address of the page that takes it away; nothing: it is the last one.
    pub remove: Option<String>,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct SessionLine {
    pub id: String,
    pub device: String,
    /// How it was signed in.
    pub way: WayName,
    pub since: String,
    pub last_seen: String,
    pub current: bool,
}

/// Whether the way can be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovableWay {
    /// It is the last one that works.
    Last,
    /// With these left. `prove`: first the person shows that they can come in by one of them.
    Yes { left: Vec<WayName>, prove: bool },
}

/// `/account/ways/remove`: what goes, and what remains.
#[derive(Template, Debug)]
#[template(path = "remove_way.html")]
pub struct RemoveWayPage {
    pub frame: Frame,
    pub csrf: String,
    pub way: WayName,
    pub provider: String,
    pub subject: String,
    /// What belongs to a wallet's address goes with it.
    pub wallet: bool,
    /// The email address that it proves, if no other way of the account does.
    pub email: Option<String>,
    pub removable: RemovableWay,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_its_kind_says_it_once() {
        let told = |kind: &str, name: &str| WayName { kind: kind.to_owned(), name: name.to_owned() }.in_short();
        assert_eq!(told("Passkey", "Passkey of 3 May 2026"), "Passkey of 3 May 2026");
        assert_eq!(told("Passkey", "my phone"), "Passkey my phone");
        assert_eq!(told("Wallet", "0x52A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A19f3C"), "Wallet 0x52A1…9f3C");
    }
}
