//! Permissions: what may be done with an asset, each by its name. Which names there are is the operator's vocabulary.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a permission, like `privilege:GetLocationHistory`: 1 to 100 of the characters `A-Z a-z 0-9 : . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission(String);

/// A set of permissions. Its text is sorted and separated by single spaces; its JSON is a sorted array of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct PermissionSet(BTreeSet<Permission>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    #[error("the name of a permission has 1 to 100 characters, of A-Z, a-z, 0-9, colon, dot, underscore and hyphen")]
    Malformed,
    #[error("more than {} permissions at once", PermissionSet::MOST)]
    TooMany,
}

impl Permission {
    const LONGEST: usize = 100;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'-');
        let fits = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(PermissionError::Malformed) }
    }
}

impl TryFrom<String> for Permission {
    type Error = PermissionError;

    fn try_from(text: String) -> Result<Self, PermissionError> {
        text.parse()
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PermissionSet {
    /// The most permissions that are read at once. A vocabulary has at most 127 for each method.
    pub const MOST: usize = 256;
    pub const EMPTY: Self = Self(BTreeSet::new());

    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of these names.
    ///
    /// # Errors
    /// When one is no name of a permission, or when there are more than [`Self::MOST`].
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, PermissionError> {
        let mut set = BTreeSet::new();
        for (place, name) in names.into_iter().enumerate() {
            // Repeats count too: nobody has a use for them.
            if place >= Self::MOST {
                return Err(PermissionError::TooMany);
            }
            set.insert(name.parse()?);
        }
        Ok(Self(set))
    }

    #[must_use]
    pub fn contains(&self, permission: &Permission) -> bool {
        self.0.contains(permission)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(Permission::as_str).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

impl FromStr for PermissionSet {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        Self::parse(text.split(' ').filter(|name| !name.is_empty()))
    }
}

impl TryFrom<Vec<Permission>> for PermissionSet {
    type Error = PermissionError;

    fn try_from(permissions: Vec<Permission>) -> Result<Self, PermissionError> {
        if permissions.len() > Self::MOST { Err(PermissionError::TooMany) } else { Ok(permissions.into_iter().collect()) }
    }
}

impl From<PermissionSet> for Vec<Permission> {
    fn from(set: PermissionSet) -> Self {
        set.0.into_iter().collect()
    }
}

impl fmt::Display for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> PermissionSet {
        text.parse().unwrap()
    }

    #[test]
    fn names_have_few_characters() {
        for good in ["privilege:GetLocationHistory", "a", "A.b_c-9:", &"x".repeat(100)] {
            assert_eq!(good.parse::<Permission>().unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "a,b", "é", "a/b", "*", "\"", &"x".repeat(101)] {
            assert_eq!(bad.parse::<Permission>(), Err(PermissionError::Malformed), "{bad}");
            assert_eq!(PermissionSet::parse([bad]), Err(PermissionError::Malformed), "{bad}");
            assert!(serde_json::from_value::<PermissionSet>(serde_json::json!([bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn order_and_repeats_do_not_matter() {
        let both = set("b a  b ");
        assert_eq!((both.to_string().as_str(), both.len(), both.names()), ("a b", 2, vec!["a", "b"]));
        assert_eq!(serde_json::to_value(&both).unwrap(), serde_json::json!(["a", "b"]));
        assert_eq!(serde_json::from_value::<PermissionSet>(serde_json::json!(["b", "a", "a"])).unwrap(), both);
        assert!(set("").is_empty());
        assert_eq!((set("a b").union(&set("b c")), set("a b").intersection(&set("b c"))), (set("a b c"), set("b")));
        assert_eq!(set("a b").difference(&set("b c")), set("a"));
        assert!(set("a").is_subset(&both) && !both.is_subset(&set("a")));
    }

    #[test]
    fn ten_thousand_permissions_are_refused() {
        let names = |most: usize| (0..most).map(|n| format!("p{n}")).collect::<Vec<_>>();
        assert_eq!(PermissionSet::parse(names(256).iter().map(String::as_str)).map(|set| set.len()), Ok(256));
        for most in [257, 10_000] {
            assert_eq!(names(most).join(" ").parse::<PermissionSet>(), Err(PermissionError::TooMany));
            assert!(serde_json::from_value::<PermissionSet>(serde_json::json!(names(most))).is_err());
        }
        assert_eq!("a ".repeat(10_000).parse::<PermissionSet>(), Err(PermissionError::TooMany), "the same one ten thousand times");
    }

    proptest! {
        #[test]
        fn text_and_back(names in btree_set("[A-Za-z0-9:._-]{1,100}", 0..20)) {
            let set = PermissionSet::parse(names.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(set.names(), names.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(set.to_string().parse::<PermissionSet>(), Ok(set.clone()));
            prop_assert_eq!(serde_json::from_value::<PermissionSet>(serde_json::to_value(&set).unwrap()).unwrap(), set);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,150}") {
            let _ = (text.parse::<Permission>(), text.parse::<PermissionSet>());
        }
    }
}
