//! Resources that the configuration file declares (`[[resources]]`): the APIs that access tokens can be made for.

use std::collections::BTreeMap;

use super::errors::{ConfigError, Source};
use super::table::{Given, Section, SectionTable, section};
use super::value::ScopeWords;
use crate::domain::{ClientId, Resource, ResourceUri, Scope};
use crate::protocol::authorize::SCOPES;

section! {
    /// An API that takes this server's access tokens (RFC 8707). Repeat the section for each one.
    pub(super) resources: ResourceRow {
        /// Its identifier, which apps send as `resource` and find as `aud` in its tokens: an absolute URI without fragment.
        uri: ResourceUri;
        /// The name that people see when an app asks to use it.
        name: String;
        /// The scopes that only it knows, each with a sentence for people, like { "garage:read" = "See the vehicles in your garage" }.
        scopes: ScopeWords = "{}";
        /// The ids of the clients that are its servers: they may introspect tokens that are for it.
        clients: Vec<ClientId>;
        /// The audiences of asset tokens that are for it: its servers may introspect those too.
        asset_audiences: Vec<String>;
    }
}

pub(super) const RESOURCES: SectionTable = ResourceRow::TABLE;

/// The longest sentence for people, in characters.
const LONGEST_SENTENCE: usize = 200;
/// The most bytes that identifiers and scopes have together: a person may agree to all of them, and a consent has a length.
const LONGEST_TOGETHER: usize = 16_000;

/// Reads every entry; what is wrong goes to `problems`.
pub(super) fn read(entries: Vec<BTreeMap<String, Given>>, file: &Source, problems: &mut Vec<ConfigError>) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for (place, given) in entries.into_iter().enumerate() {
        let path = format!("resources[{place}]");
        let mut unseen = Vec::new();
        let row = ResourceRow::read(&mut Section { path: path.clone(), source: file.clone(), given, problems, effective: &mut unseen });
        let Some(ResourceRow { uri, name, scopes: ScopeWords(scopes), clients, asset_audiences }) = row else { continue };
        let mut tell = |key: &str, problem: String| {
            problems.push(ConfigError { path: format!("{path}.{key}"), source: file.clone(), problem, expected: None });
        };
        if resources.iter().any(|known| known.uri == uri) {
            tell("uri", format!("{uri} is declared twice"));
        }
        for (word, sentence) in &scopes {
            if let Some(problem) = trouble(word, sentence, &resources) {
                tell("scopes", format!("`{word}` {problem}"));
            }
        }
        resources.push(Resource { uri, name, scopes, clients, asset_audiences });
    }
    let words = |resource: &Resource| resource.uri.as_str().len() + 1 + resource.scopes.keys().map(|word| word.len() + 1).sum::<usize>();
    if resources.iter().map(words).sum::<usize>() > LONGEST_TOGETHER {
        let problem = format!("have identifiers and scopes of more than {LONGEST_TOGETHER} characters together");
        problems.push(ConfigError { path: "resources".to_owned(), source: file.clone(), problem, expected: None });
    }
    resources
}

fn trouble(word: &str, sentence: &str, others: &[Resource]) -> Option<&'static str> {
    if Scope::of([word]).is_empty() {
        return Some("is no scope: it holds a space, a quote or a backslash (RFC 6749 section 3.3)");
    }
    if SCOPES.contains(&word) || word == Scope::OFFLINE_ACCESS {
        return Some("is a scope of this server itself");
    }
    // Otherwise what was granted at one would hold at the other.
    if others.iter().any(|other| other.scopes.contains_key(word) || other.uri.as_str() == word) {
        return Some("belongs to another resource already; begin it with a name of its own, like garage:read");
    }
    let length = sentence.trim().chars().count();
    ((length == 0) || length > LONGEST_SENTENCE)
        .then_some("needs a sentence of at most 200 characters, which people read before they agree")
}
