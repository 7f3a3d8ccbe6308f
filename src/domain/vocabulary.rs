//! The vocabulary of permissions: which there are, what each is called and how grave it is, and the numbers by which chains know them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::words::words;
use super::{AssetMethod, Permission, PermissionSet};

words! {
    /// How grave it is to give a permission away.
    Risk {
        Low = "low",
        Medium = "medium",
        High = "high",
    }

    /// What is drawn beside a permission.
    PermissionIcon {
        History = "history",
        Command = "command",
        Place = "place",
        Route = "route",
        Document = "document",
        Live = "live",
        Raw = "raw",
        Area = "area",
        Device = "device",
    }
}

/// The number of a permission among those of its method: 1 to 127, so that its two bits have room in 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionId(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a permission is a whole number from 1 to 127")]
pub struct PermissionIdError;

/// A permission that owners can grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionTerm {
    pub name: Permission,
    pub id: PermissionId,
    /// The kind of asset that it is for.
    pub method: AssetMethod,
    pub title: String,
    /// What owners read before they agree.
    pub sentence: String,
    pub risk: Risk,
    pub icon: PermissionIcon,
}

/// Permissions that are often granted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionTemplate {
    pub id: String,
    pub title: String,
    pub permissions: PermissionSet,
}

/// All permissions and templates there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    terms: Vec<PermissionTerm>,
    templates: Vec<PermissionTemplate>,
    all: PermissionSet,
    of_method: BTreeMap<AssetMethod, PermissionSet>,
}

/// Why something cannot come into the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    #[error("{0} is declared twice")]
    Name(Permission),
    #[error("{0} is the id of {1} already")]
    Id(PermissionId, Permission),
    #[error("`{0}` is the id of another template already")]
    Template(String),
    #[error("there are no such permissions: {0}")]
    Unknown(PermissionSet),
    #[error("a template has at least one permission")]
    Empty,
}

impl Vocabulary {
    /// Takes in one more permission. A name is one permission whatever the method, an id within its method.
    ///
    /// # Errors
    /// When its name or its id is taken.
    pub fn add(&mut self, term: PermissionTerm) -> Result<(), VocabularyError> {
        if self.term(&term.name).is_some() {
            return Err(VocabularyError::Name(term.name));
        }
        if let Some(taken) = self.by_id(term.method, term.id) {
            return Err(VocabularyError::Id(term.id, taken.name.clone()));
        }
        let one = PermissionSet::from_iter([term.name.clone()]);
        self.all = self.all.union(&one);
        let of_method = self.of_method.entry(term.method).or_default();
        *of_method = of_method.union(&one);
        self.terms.push(term);
        Ok(())
    }

    /// Takes in one more template, of permissions that are there already.
    ///
    /// # Errors
    /// When its id is taken, or a permission is not there.
    pub fn add_template(&mut self, template: PermissionTemplate) -> Result<(), VocabularyError> {
        let unknown = template.permissions.difference(&self.all);
        if self.template(&template.id).is_some() {
            return Err(VocabularyError::Template(template.id));
        }
        if !unknown.is_empty() {
            return Err(VocabularyError::Unknown(unknown));
        }
        if template.permissions.is_empty() {
            return Err(VocabularyError::Empty);
        }
        self.templates.push(template);
        Ok(())
    }

    /// Every permission, in the order in which they were declared.
    #[must_use]
    pub fn terms(&self) -> &[PermissionTerm] {
        &self.terms
    }

    #[must_use]
    pub fn templates(&self) -> &[PermissionTemplate] {
        &self.templates
    }

    #[must_use]
    pub fn term(&self, name: &Permission) -> Option<&PermissionTerm> {
        self.terms.iter().find(|term| term.name == *name)
    }

    #[must_use]
    pub fn by_id(&self, method: AssetMethod, id: PermissionId) -> Option<&PermissionTerm> {
        self.terms.iter().find(|term| term.method == method && term.id == id)
    }

    #[must_use]
    pub fn template(&self, id: &str) -> Option<&PermissionTemplate> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// The names of all permissions.
    #[must_use]
    pub const fn all(&self) -> &PermissionSet {
        &self.all
    }

    /// The names of those for assets of a method.
    #[must_use]
    pub fn known(&self, method: AssetMethod) -> &PermissionSet {
        const NONE: &PermissionSet = &PermissionSet::EMPTY;
        self.of_method.get(&method).unwrap_or(NONE)
    }

    /// The ids of those of a set that are for assets of a method, ascending.
    #[must_use]
    pub fn ids(&self, method: AssetMethod, permissions: &PermissionSet) -> Vec<PermissionId> {
        let mut ids: Vec<PermissionId> =
            self.terms.iter().filter(|term| term.method == method && permissions.contains(&term.name)).map(|term| term.id).collect();
        ids.sort_unstable();
        ids
    }

    /// The form that contracts keep of a set.
    #[must_use]
    pub fn bits(&self, method: AssetMethod, permissions: &PermissionSet) -> PermissionBits {
        self.ids(method, permissions).into_iter().fold(PermissionBits::default(), PermissionBits::with)
    }

    /// The permissions that a contract's form grants; ids that the vocabulary does not have are left out.
    #[must_use]
    pub fn of_bits(&self, method: AssetMethod, bits: &PermissionBits) -> PermissionSet {
        self.terms.iter().filter(|term| term.method == method && bits.has(term.id)).map(|term| term.name.clone()).collect()
    }
}

impl PermissionId {
    const GREATEST: u8 = 127;

    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u64> for PermissionId {
    type Error = PermissionIdError;

    fn try_from(number: u64) -> Result<Self, PermissionIdError> {
        u8::try_from(number).ok().filter(|id| (1..=Self::GREATEST).contains(id)).map(Self).ok_or(PermissionIdError)
    }
}

impl FromStr for PermissionId {
    type Err = PermissionIdError;

    fn from_str(text: &str) -> Result<Self, PermissionIdError> {
        text.parse::<u64>().map_err(|_| PermissionIdError)?.try_into()
    }
}

impl fmt::Display for PermissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Permissions as contracts keep them, a number of 256 bits: the id `p` is granted when the bits `2p` and `2p + 1` are both set. Its text
/// is hexadecimal, `0x3ffc` for 1 to 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PermissionBits([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("permissions in bits are 0x and 1 to 64 hexadecimal digits")]
pub struct PermissionBitsError;

impl PermissionBits {
    /// From the number as contracts give it.
    #[must_use]
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_be_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[must_use]
    pub fn with(mut self, id: PermissionId) -> Self {
        let (place, both) = Self::place(id);
        self.0[place] |= both;
        self
    }

    #[must_use]
    pub fn has(&self, id: PermissionId) -> bool {
        let (place, both) = Self::place(id);
        self.0[place] & both == both
    }

    // The byte in which both bits of an id lie, and the two.
    fn place(id: PermissionId) -> (usize, u8) {
        let lowest = usize::from(id.0) * 2;
        (31 - lowest / 8, 0b11 << (lowest % 8))
    }
}

impl fmt::Display for PermissionBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits: String = nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect();
        match digits.trim_start_matches('0') {
            "" => f.write_str("0x0"),
            digits => write!(f, "0x{digits}"),
        }
    }
}

impl FromStr for PermissionBits {
    type Err = PermissionBitsError;

    fn from_str(text: &str) -> Result<Self, PermissionBitsError> {
        let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len())).ok_or(PermissionBitsError)?;
        let mut bytes = [0; 32];
        for (place, digit) in digits.chars().rev().enumerate() {
            let value = digit.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(PermissionBitsError)?;
            bytes[31 - place / 2] |= value << (4 * (place % 2));
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> PermissionId {
        u64::from(number).try_into().unwrap()
    }

    fn term(name: &str, number: u8, method: AssetMethod) -> PermissionTerm {
        let (title, sentence) = (name.to_owned(), name.to_owned());
        PermissionTerm { name: name.parse().unwrap(), id: id(number), method, title, sentence, risk: Risk::Low, icon: PermissionIcon::Live }
    }

    fn bits(ids: impl IntoIterator<Item = u8>) -> PermissionBits {
        ids.into_iter().map(id).fold(PermissionBits::default(), PermissionBits::with)
    }

    #[test]
    fn names_are_unique_and_ids_are_so_in_their_method() {
        use AssetMethod::{Erc721, Ethr};
        let mut vocabulary = Vocabulary::default();
        assert_eq!(vocabulary.add(term("b", 2, Erc721)), Ok(()));
        assert_eq!(vocabulary.add(term("a", 1, Erc721)), Ok(()));
        assert_eq!(vocabulary.add(term("m", 1, Ethr)), Ok(()));
        assert_eq!(vocabulary.add(term("a", 3, Ethr)), Err(VocabularyError::Name("a".parse().unwrap())));
        assert_eq!(vocabulary.add(term("c", 2, Erc721)), Err(VocabularyError::Id(id(2), "b".parse().unwrap())));
        let set = |text: &str| text.parse::<PermissionSet>().unwrap();
        assert_eq!((vocabulary.all(), vocabulary.known(Erc721), vocabulary.known(Ethr)), (&set("a b m"), &set("a b"), &set("m")));
        assert!(Vocabulary::default().known(Ethr).is_empty());
        assert_eq!(vocabulary.by_id(Erc721, id(1)).map(|term| term.name.as_str()), Some("a"));
        assert_eq!(vocabulary.by_id(Ethr, id(2)), None);
        assert_eq!(vocabulary.ids(Erc721, &set("b a m x")), [id(1), id(2)]);
        assert_eq!(vocabulary.bits(Erc721, &set("a b m")).to_string(), "0x3c");
        assert_eq!(vocabulary.of_bits(Erc721, &bits([1, 2, 9])), set("a b"));
        assert_eq!(vocabulary.of_bits(Ethr, &bits([1, 2, 9])), set("m"));

        let template = |id: &str, text: &str| PermissionTemplate { id: id.to_owned(), title: String::new(), permissions: set(text) };
        assert_eq!(vocabulary.add_template(template("1", "a b")), Ok(()));
        assert_eq!(vocabulary.add_template(template("1", "a")), Err(VocabularyError::Template("1".to_owned())));
        assert_eq!(vocabulary.add_template(template("2", "a x y")), Err(VocabularyError::Unknown(set("x y"))));
        assert_eq!(vocabulary.add_template(template("2", "")), Err(VocabularyError::Empty));
        assert_eq!(vocabulary.template("1").map(|template| &template.permissions), Some(&set("a b")));
    }

    #[test]
    fn an_id_is_granted_by_both_of_its_bits() {
        assert_eq!(bits(1..=6).to_string(), "0x3ffc");
        assert_eq!(bits(1..=8).to_string(), "0x3fffc");
        assert_eq!(bits([]).to_string(), "0x0");
        assert_eq!(bits([127]).to_string(), format!("0xc{}", "0".repeat(63)));
        for (text, granted) in [
            ("0x3ffc", vec![1, 2, 3, 4, 5, 6]),
            ("0x3FFC", vec![1, 2, 3, 4, 5, 6]),
            ("0x0003ffc", vec![1, 2, 3, 4, 5, 6]),
            ("0x0", vec![]),
            // One bit of the two is not enough, and the lowest two bits are nobody's.
            ("0x4", vec![]),
            ("0x8", vec![]),
            ("0x18", vec![]),
            ("0x3", vec![]),
            ("0xf", vec![1]),
        ] {
            let bits: PermissionBits = text.parse().unwrap();
            assert_eq!((1..=127).filter(|number| bits.has(id(*number))).collect::<Vec<_>>(), granted, "{text}");
        }
        for text in ["", "0x", "3ffc", "0x3ffg", "0x-1", "0x 1", "0x\u{0661}", &format!("0x{}", "0".repeat(65))] {
            assert_eq!(text.parse::<PermissionBits>(), Err(PermissionBitsError), "{text}");
        }
    }

    #[test]
    fn ids_are_1_to_127() {
        for (text, fits) in
            [("1", true), ("127", true), ("0", false), ("128", false), ("256", false), ("-1", false), ("", false), ("1.0", false)]
        {
            assert_eq!(text.parse::<PermissionId>().is_ok(), fits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bits_and_back(ids in btree_set(1..=127_u8, 0..40)) {
            let bits = bits(ids.iter().copied());
            prop_assert_eq!((1..=127).filter(|number| bits.has(id(*number))).collect::<std::collections::BTreeSet<_>>(), ids);
            prop_assert_eq!(bits.to_string().parse(), Ok(bits));
            prop_assert_eq!(PermissionBits::from_be_bytes(*bits.as_be_bytes()), bits);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,70}", digits in "0x[0-9a-fA-F]{0,70}") {
            let _ = (text.parse::<PermissionBits>(), text.parse::<PermissionId>(), digits.parse::<PermissionBits>());
        }
    }
}
