//! What a row of the settings table is, and the macro that makes structs and readers of the rows.

use std::collections::BTreeMap;

use super::errors::{ConfigError, Source};
use super::value::{Raw, Value};

/// One setting as the table has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) doc: &'static str,
    /// The default as text, read by the setting's own parser.
    pub(super) default: Option<&'static str>,
    /// What the reference says in place of a default that depends on other settings.
    pub(super) shown: Option<&'static str>,
    pub(super) range: Option<(&'static str, &'static str)>,
    pub(super) expected: fn() -> String,
    pub(super) optional: bool,
    pub(super) list: bool,
    pub(super) bare: bool,
}

impl Setting {
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// `server.operations_listen` is `LATCHKEY_SERVER_OPERATIONS_LISTEN`.
    pub(super) fn env(&self) -> String {
        format!("LATCHKEY_{}_{}", self.section, self.key).to_ascii_uppercase()
    }

    /// What a value should be, its range included.
    pub(super) fn wanted(&self) -> String {
        let expected = (self.expected)();
        self.range.map_or_else(|| expected.clone(), |(low, high)| format!("{expected}, from {low} to {high}"))
    }
}

/// A section of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct SectionTable {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) settings: &'static [Setting],
}

/// A value as somebody gave it.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) raw: Raw,
    pub(super) source: Source,
}

/// What a setting is in this process, and why: for `latchkey config --effective`.
#[derive(Clone, Debug)]
pub struct Effective {
    pub path: String,
    /// The value as text; `None` where there is none. A secret is shown as `…`.
    pub value: Option<String>,
    pub source: Source,
}

/// The values given for one section, being read.
pub(super) struct Section<'a> {
    /// `server`, or `clients[0]`.
    pub(super) path: String,
    /// Where the section itself was written, for what is missing in it.
    pub(super) source: Source,
    pub(super) given: BTreeMap<String, Given>,
    pub(super) problems: &'a mut Vec<ConfigError>,
    pub(super) effective: &'a mut Vec<Effective>,
}

impl Section<'_> {
    /// Reads one setting; `None` when it is wrong or missing, which is then told in `problems`.
    pub(super) fn take<T: Value>(&mut self, setting: &Setting) -> Option<T> {
        let path = format!("{}.{}", self.path, setting.key);
        let (raw, source) = match (self.given.remove(setting.key), setting.default) {
            (Some(given), _) => (given.raw, given.source),
            (None, Some(default)) => (Raw::Text(default.to_owned()), Source::Default),
            (None, None) => {
                let absent = T::absent();
                if absent.is_none() {
                    self.tell(path, self.source.clone(), "is missing".to_owned(), setting);
                } else {
                    self.effective.push(Effective { path, value: setting.shown.map(str::to_owned), source: Source::Default });
                }
                return absent;
            }
        };
        let shown = if T::SECRET { "…".to_owned() } else { raw.text() };
        match T::from_raw(&raw) {
            Ok(value) if setting.admits(&value) => {
                self.effective.push(Effective { path, value: Some(shown), source });
                Some(value)
            }
            Ok(_) => {
                self.tell(path, source, format!("`{shown}` is out of range"), setting);
                None
            }
            Err(problem) => {
                self.tell(path, source, problem, setting);
                None
            }
        }
    }

    fn tell(&mut self, path: String, source: Source, problem: String, setting: &Setting) {
        self.problems.push(ConfigError { path, source, problem, expected: Some(setting.wanted()) });
    }
}

impl Setting {
    fn admits<T: Value>(&self, value: &T) -> bool {
        let Some((low, high)) = self.range else { return true };
        match (T::from_text(low), T::from_text(high)) {
            (Ok(low), Ok(high)) => value.within(&low, &high),
            _ => false,
        }
    }
}

/// Makes of a section's rows its struct, its table and its reader.
macro_rules! section {
    ($(#[doc = $about:literal])+ $vis:vis $section:ident: $Section:ident {
        $($(#[doc = $doc:literal])+ $key:ident: $type:ty $(= $default:literal)? $(, shown $shown:literal)? $(, from $low:literal to $high:literal)?;)*
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        $vis struct $Section {
            $($(#[doc = $doc])+ $vis $key: $type,)*
        }

        impl $Section {
            pub(super) const TABLE: $crate::config::table::SectionTable = $crate::config::table::SectionTable {
                name: stringify!($section),
                about: concat!($($about),+).trim_ascii_start(),
                settings: &[$($crate::config::table::Setting {
                    section: stringify!($section),
                    key: stringify!($key),
                    doc: concat!($($doc),+).trim_ascii_start(),
                    default: $crate::config::table::first!($($default)?),
                    shown: $crate::config::table::first!($($shown)?),
                    range: $crate::config::table::first!($(($low, $high))?),
                    expected: <$type as $crate::config::value::Value>::expected,
                    optional: <$type as $crate::config::value::Value>::OPTIONAL,
                    list: <$type as $crate::config::value::Value>::LIST,
                    bare: <$type as $crate::config::value::Value>::BARE,
                }),*],
            };

            // Every setting is read before any is asked for, so that all problems are told.
            pub(super) fn read(section: &mut $crate::config::table::Section<'_>) -> Option<Self> {
                let mut rows = Self::TABLE.settings.iter();
                $(let $key = rows.next().and_then(|setting| section.take::<$type>(setting));)*
                Some(Self { $($key: $key?),* })
            }
        }
    };
}

/// Makes of the whole table the structs, [`Config`](super::Config) and the list of sections.
macro_rules! settings {
    ($($(#[doc = $about:literal])+ $section:ident: $Section:ident { $($rows:tt)* })*) => {
        $($crate::config::table::section! { $(#[doc = $about])+ pub $section: $Section { $($rows)* } })*

        /// Everything that can be set, read and checked.
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[doc = $about])+ pub $section: $Section,)*
            /// The clients that the file declares.
            pub clients: Vec<ClientEntry>,
            /// The resources that the file declares.
            pub resources: Vec<$crate::domain::Resource>,
            /// The providers that the file declares.
            pub upstreams: Vec<$crate::config::Upstream>,
            /// The permissions that owners can grant.
            pub vocabulary: $crate::domain::Vocabulary,
            pub(super) effective: Vec<Effective>,
        }

        /// The sections that could be read; what could not has been told.
        pub(super) struct Parts {
            $(pub(super) $section: Option<$Section>,)*
        }

        impl Parts {
            pub(super) fn read(mut section: impl FnMut(&'static str, &mut dyn FnMut(&mut $crate::config::table::Section<'_>))) -> Self {
                Self { $($section: {
                    let mut read = None;
                    section(stringify!($section), &mut |values| read = $Section::read(values));
                    read
                }),* }
            }

            pub(super) fn whole(
                self,
                clients: Vec<ClientEntry>,
                resources: Vec<$crate::domain::Resource>,
                upstreams: Vec<$crate::config::Upstream>,
                vocabulary: $crate::domain::Vocabulary,
                effective: Vec<Effective>,
            ) -> Option<Config> {
                Some(Config { $($section: self.$section?,)* clients, resources, upstreams, vocabulary, effective })
            }
        }

        pub(super) const SECTIONS: &[$crate::config::table::SectionTable] = &[$($Section::TABLE),*];
    };
}

macro_rules! first {
    () => {
        None
    };
    ($first:expr) => {
        Some($first)
    };
}

pub(super) use {first, section, settings};
