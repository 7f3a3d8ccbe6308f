//! Filters of events: which of an asset's documents and messages are meant, by type, source, ids and tags.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Some events of an asset: those of a type and a source, with one of the ids and one of the tags. `*` means any.
///
/// As part of a grant it is an agreement: a trailing `*` there stands for any ending (`dimo.document.vehicle.*`). As part of a
/// request it is taken literally. Ids and tags are kept sorted, and as `*` alone where `*` is among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct EventFilter {
    event_type: String,
    source: String,
    ids: Vec<String>,
    tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventFilterError {
    #[error("`{0}` of an event filter has 1 to 200 characters, none of them a control character")]
    Text(&'static str),
    #[error("`{0}` of an event filter is empty: leave it out, or write \"*\", for all")]
    Empty(&'static str),
    #[error("`{0}` of an event filter has more than {most} members", most = EventFilter::MOST_MEMBERS)]
    TooMany(&'static str),
}

impl EventFilter {
    /// What stands for all.
    pub const ANY: &'static str = "*";
    /// The most ids, and the most tags, of one filter.
    pub const MOST_MEMBERS: usize = 32;
    /// The most filters of one request or one grant.
    pub const MOST: usize = 32;
    const LONGEST: usize = 200;

    /// # Errors
    /// When a text is empty, too long or has control characters, or when there are no or too many ids or tags.
    pub fn new(event_type: String, source: String, ids: Vec<String>, tags: Vec<String>) -> Result<Self, EventFilterError> {
        Ok(Self {
            event_type: text("event_type", event_type)?,
            source: text("source", source)?,
            ids: members("ids", ids)?,
            tags: members("tags", tags)?,
        })
    }

    /// Every event.
    #[must_use]
    pub fn any() -> Self {
        let any = || Self::ANY.to_owned();
        Self { event_type: any(), source: any(), ids: vec![any()], tags: vec![any()] }
    }

    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Whether this agreement is about events of the type and the source that are asked for.
    #[must_use]
    pub fn concerns(&self, asked: &Self) -> bool {
        admits(&self.event_type, &asked.event_type) && admits(&self.source, &asked.source)
    }

    /// Whether this agreement holds the id and the tag that are asked for.
    #[must_use]
    pub fn admits(&self, id: &str, tag: &str) -> bool {
        self.ids.iter().any(|agreed| admits(agreed, id)) && self.tags.iter().any(|agreed| admits(agreed, tag))
    }

    /// Whether this agreement alone covers all that is asked for: type, source, every id and every tag.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        self.concerns(asked) && asked.ids.iter().all(|id| asked.tags.iter().all(|tag| self.admits(id, tag)))
    }
}

// Whoever reads `a.*` of a token may take it for a pattern. So what is asked with a trailing `*` is covered by nothing narrower:
// its part before the `*` has to begin as the agreement does. Asking for `*` is covered by `*` alone.
fn admits(agreed: &str, asked: &str) -> bool {
    let begins = |head: &str| asked.strip_suffix('*').unwrap_or(asked).starts_with(head);
    agreed == asked || agreed.strip_suffix('*').is_some_and(begins)
}

fn text(name: &'static str, text: String) -> Result<String, EventFilterError> {
    let fits = (1..=EventFilter::LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(EventFilterError::Text(name)) }
}

fn members(name: &'static str, given: Vec<String>) -> Result<Vec<String>, EventFilterError> {
    if given.is_empty() {
        return Err(EventFilterError::Empty(name));
    }
    if given.len() > EventFilter::MOST_MEMBERS {
        return Err(EventFilterError::TooMany(name));
    }
    let members = given.into_iter().map(|member| text(name, member)).collect::<Result<BTreeSet<_>, _>>()?;
    if members.contains(EventFilter::ANY) { Ok(vec![EventFilter::ANY.to_owned()]) } else { Ok(members.into_iter().collect()) }
}

// As it is written in JSON: a member that is missing means all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default = "all")]
    event_type: String,
    #[serde(default = "all")]
    source: String,
    #[serde(default = "only_all")]
    ids: Vec<String>,
    #[serde(default = "only_all")]
    tags: Vec<String>,
}

fn all() -> String {
    EventFilter::ANY.to_owned()
}

fn only_all() -> Vec<String> {
    vec![all()]
}

impl TryFrom<Parts> for EventFilter {
    type Error = EventFilterError;

    fn try_from(parts: Parts) -> Result<Self, EventFilterError> {
        Self::new(parts.event_type, parts.source, parts.ids, parts.tags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn filter(event_type: &str, source: &str, ids: &[&str], tags: &[&str]) -> EventFilter {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        EventFilter::new(event_type.to_owned(), source.to_owned(), owned(ids), owned(tags)).unwrap()
    }

    fn read(value: Value) -> Result<EventFilter, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_member_that_is_missing_means_all() {
        assert_eq!(read(json!({})), Ok(EventFilter::any()));
        assert_eq!(read(json!({"ids": ["b", "a", "b"], "tags": ["x", "*"]})), Ok(filter("*", "*", &["a", "b"], &["*"])));
        let written = json!({"event_type": "dimo.attestation", "source": "0xAddr", "ids": ["*"], "tags": ["insurance, registration"]});
        assert_eq!(serde_json::to_value(read(written.clone()).unwrap()).unwrap(), written);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let (long, many) = ("x".repeat(201), (0..33).map(|n| n.to_string()).collect::<Vec<_>>());
        for (value, why) in [
            (json!({"event_type": ""}), "`event_type` of an event filter has 1 to 200 characters"),
            (json!({"source": long}), "`source` of an event filter has 1 to 200 characters"),
            (json!({"source": "a\nb"}), "`source` of an event filter has 1 to 200 characters"),
            (json!({"ids": []}), "`ids` of an event filter is empty"),
            (json!({"ids": [""]}), "`ids` of an event filter has 1 to 200 characters"),
            (json!({"tags": many}), "`tags` of an event filter has more than 32 members"),
            (json!({"eventtype": "a"}), "unknown field"),
            (json!({"ids": "a"}), "invalid type"),
            (json!({"ids": [1]}), "invalid type"),
            (json!({"source": null}), "invalid type"),
        ] {
            assert!(read(value.clone()).is_err_and(|error| error.starts_with(why)), "{value}: {:?}", read(value.clone()));
        }
    }

    #[test]
    fn an_agreement_covers_what_it_says() {
        for (agreed, asked, covered) in [
            ("*", "*", true),
            ("*", "a", true),
            ("*", "a.*", true),
            ("a", "a", true),
            ("a", "b", false),
            ("a", "A", false),
            ("a", "a.b", false),
            ("a", "*", false),
            ("a", "a*", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("a.*", "a.", true),
            ("a.*", "a", false),
            ("a.*", "ab", false),
            ("a.*", "a.*", true),
            ("a.*", "a.b*", true),
            ("a.b.*", "a.*", false),
            ("a.*", "a*", false),
            ("a.*", "*", false),
            // Only a trailing star is one.
            ("*.a", "b.a", false),
            ("a*b", "axb", false),
            ("**", "*", false),
            ("**", "a", false),
        ] {
            let any = ["*"];
            for (agreement, request) in [
                (filter(agreed, "*", &any, &any), filter(asked, "s", &["i"], &["t"])),
                (filter("*", agreed, &any, &any), filter("e", asked, &["i"], &["t"])),
                (filter("*", "*", &[agreed], &any), filter("e", "s", &[asked], &["t"])),
                (filter("*", "*", &any, &[agreed]), filter("e", "s", &["i"], &[asked])),
            ] {
                assert_eq!(agreement.covers(&request), covered, "{agreed} for {asked}");
            }
        }
    }

    #[test]
    fn every_id_and_every_tag_has_to_be_covered() {
        let agreement = filter("e", "s", &["a", "b"], &["t", "u"]);
        assert!(agreement.covers(&filter("e", "s", &["b", "a"], &["u"])));
        assert!(!agreement.covers(&filter("e", "s", &["a", "c"], &["t"])));
        assert!(!agreement.covers(&filter("e", "s", &["a"], &["t", "v"])));
        assert!(!agreement.covers(&filter("e", "s", &["*"], &["t"])));
    }

    fn any_text() -> impl Strategy<Value = String> {
        "[ab.]{0,3}[ab*]"
    }

    prop_compose! {
        fn any_filter()(
            event_type in any_text(),
            source in any_text(),
            ids in proptest::collection::vec(any_text(), 1..4),
            tags in proptest::collection::vec(any_text(), 1..4),
        ) -> EventFilter {
            EventFilter::new(event_type, source, ids, tags).unwrap()
        }
    }

    proptest! {
        #[test]
        fn json_and_back(filter in any_filter()) {
            prop_assert_eq!(read(serde_json::to_value(&filter).unwrap()), Ok(filter));
        }

        #[test]
        fn each_covers_itself_and_all_covers_each(filter in any_filter()) {
            prop_assert!(filter.covers(&filter));
            prop_assert!(EventFilter::any().covers(&filter));
            prop_assert!(!filter.covers(&EventFilter::any()) || filter == EventFilter::any());
        }

        #[test]
        fn what_covers_the_wider_covers_the_narrower(a in any_filter(), b in any_filter(), c in any_filter()) {
            if a.covers(&b) && b.covers(&c) {
                prop_assert!(a.covers(&c));
            }
        }

        #[test]
        fn no_json_panics(event_type in "\\PC{0,210}", ids in proptest::collection::vec("\\PC{0,20}", 0..40)) {
            let _ = read(json!({"event_type": event_type, "ids": ids}));
        }
    }
}
