//! Gathers what the file, the environment and the flags say, and reads it into [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use super::clients::{self, CLIENTS};
use super::errors::{ConfigError, ConfigErrors, Source, did_you_mean};
use super::resources::{self, RESOURCES};
use super::settings::{Parts, SECTIONS};
use super::table::{Effective, Given, Section, SectionTable, Setting};
use super::upstreams::{self, UPSTREAMS};
use super::value::Raw;
use super::vocabulary::{self, PERMISSION_TEMPLATES, PERMISSIONS};
use super::{Config, Tls, checks};

/// What the command line says of settings, unread.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub listen: Option<String>,
    pub issuer: Option<String>,
    pub database: Option<String>,
    pub data: Option<String>,
}

impl Flags {
    fn given(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, &String)> {
        [
            ("--listen", "server", "listen", &self.listen),
            ("--issuer", "server", "issuer", &self.issuer),
            ("--database", "database", "url", &self.database),
            ("--data", "data", "dir", &self.data),
        ]
        .into_iter()
        .filter_map(|(flag, section, key, text)| Some((flag, section, key, text.as_ref()?)))
    }
}

impl Config {
    /// Reads the configuration: the table's defaults, then `file`, then the `LATCHKEY_…` variables of `env` (an empty one
    /// counts as not set), then `flags`.
    ///
    /// # Errors
    /// Every problem of all of them.
    pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>, flags: &Flags) -> Result<Self, ConfigErrors> {
        let mut gathered = Gathered::default();
        if let Some(file) = file {
            gathered.file(file);
        }
        env.filter(|(name, _)| name.starts_with("LATCHKEY_")).for_each(|(name, value)| gathered.variable(&name, value));
        for (flag, section, key, text) in flags.given() {
            gathered.put(section, key, Raw::Text(text.clone()), Source::Flag(flag));
        }
        gathered.read()
    }

    /// The configuration that nobody has touched.
    pub fn untouched() -> Result<Self, ConfigErrors> {
        Self::load(None, std::iter::empty(), &Flags::default())
    }

    /// Every setting with its value and where that came from, secrets hidden.
    #[must_use]
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }
}

/// The sections that the file may repeat, and what one entry of each is.
const LISTS: &[(SectionTable, &str)] = &[
    (CLIENTS, "client"),
    (RESOURCES, "resource"),
    (UPSTREAMS, "provider"),
    (PERMISSIONS, "permission"),
    (PERMISSION_TEMPLATES, "permission template"),
];

#[derive(Default)]
struct Gathered {
    sections: BTreeMap<&'static str, BTreeMap<String, Given>>,
    lists: BTreeMap<&'static str, Vec<BTreeMap<String, Given>>>,
    problems: Vec<ConfigError>,
    file: Option<Source>,
}

impl Gathered {
    fn put(&mut self, section: &'static str, key: &str, raw: Raw, source: Source) {
        self.sections.entry(section).or_default().insert(key.to_owned(), Given { raw, source });
    }

    fn file(&mut self, path: &Path) {
        let source = Source::File(path.display().to_string());
        self.file = Some(source.clone());
        let mut whole =
            |problem: String| self.problems.push(ConfigError { path: String::new(), source: source.clone(), problem, expected: None });
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(problem) => return whole(format!("cannot be read: {problem}")),
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            // The parser's own text would quote the line, and the line may hold a secret.
            Err(problem) => {
                let line = problem.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
                return whole(format!("is not TOML: line {line}: {}", problem.message()));
            }
        };
        for (name, value) in table {
            if let Some((table, what)) = LISTS.iter().find(|(table, _)| table.name == name) {
                if let toml::Value::Array(entries) = value {
                    let read = self.entries(table, what, entries, &source);
                    self.lists.insert(table.name, read);
                } else {
                    let expected = format!("[[{name}]], once for each {what}");
                    self.problem(name, source.clone(), format!("is not a list of {what}s"), expected);
                }
                continue;
            }
            match (SECTIONS.iter().find(|section| section.name == name), value) {
                (Some(section), toml::Value::Table(keys)) => {
                    for (key, value) in keys {
                        match section.settings.iter().find(|setting| setting.key == key) {
                            Some(setting) => self.put(setting.section, &key, Raw::Toml(value), source.clone()),
                            None => self.unknown_key(&format!("{name}.{key}"), source.clone()),
                        }
                    }
                }
                (Some(_), other) => {
                    let expected = format!("a section, [{name}]");
                    self.problem(name, source.clone(), format!("is of type {}", other.type_str()), expected);
                }
                (None, _) => self.unknown_key(&name, source.clone()),
            }
        }
    }

    // The entries of a section that may be repeated; `what` is what one of them is.
    fn entries(&mut self, table: &SectionTable, what: &str, entries: Vec<toml::Value>, source: &Source) -> Vec<BTreeMap<String, Given>> {
        let mut read = Vec::new();
        for (place, entry) in entries.into_iter().enumerate() {
            let mut given = BTreeMap::new();
            if let toml::Value::Table(keys) = entry {
                for (key, value) in keys {
                    if table.settings.iter().any(|setting| setting.key == key) {
                        given.insert(key, Given { raw: Raw::Toml(value), source: source.clone() });
                    } else {
                        let hint = suggestion(did_you_mean(&key, table.settings.iter().map(|setting| setting.key)));
                        let path = format!("{}[{place}].{key}", table.name);
                        self.problem_only(path, source.clone(), format!("is not a setting of a {what}{hint}"));
                    }
                }
            }
            read.push(given);
        }
        read
    }

    fn variable(&mut self, name: &str, value: String) {
        if name == "LATCHKEY_CONFIG" || name.starts_with("LATCHKEY_TEST_") || value.is_empty() {
            return;
        }
        let source = Source::Environment(name.to_owned());
        if let Some(setting) = all().find(|setting| setting.env() == name) {
            return self.put(setting.section, setting.key, Raw::Text(value), source);
        }
        let names: Vec<String> = all().map(Setting::env).collect();
        let hint = if name.starts_with("LATCHKEY_PORT") || name.starts_with("LATCHKEY_SERVICE_") {
            "; Kubernetes sets it for a service of the name latchkey: set `enableServiceLinks: false` in the pod".to_owned()
        } else {
            suggestion(did_you_mean(name, names.iter().map(String::as_str)))
        };
        self.problem_only(name.to_owned(), source, format!("is not the name of a setting{hint}"));
    }

    fn unknown_key(&mut self, path: &str, source: Source) {
        let paths: Vec<String> = all().map(Setting::path).chain(SECTIONS.iter().map(|section| section.name.to_owned())).collect();
        let key = path.rsplit('.').next().unwrap_or(path);
        let elsewhere = all().find(|setting| setting.key == key && path.contains('.')).map(Setting::path);
        let meant = did_you_mean(path, paths.iter().map(String::as_str)).or(elsewhere.as_deref());
        let what = if path.contains('.') { "setting" } else { "section" };
        self.problem_only(path.to_owned(), source, format!("is not a {what}{}", suggestion(meant)));
    }

    fn problem(&mut self, path: String, source: Source, problem: String, expected: String) {
        self.problems.push(ConfigError { path, source, problem, expected: Some(expected) });
    }

    fn problem_only(&mut self, path: String, source: Source, problem: String) {
        self.problems.push(ConfigError { path, source, problem, expected: None });
    }

    fn read(self) -> Result<Config, ConfigErrors> {
        let Self { mut sections, mut lists, mut problems, file } = self;
        let mut effective = Vec::new();
        let mut parts = Parts::read(|name, read| {
            read(&mut Section {
                path: name.to_owned(),
                source: Source::Default,
                given: sections.remove(name).unwrap_or_default(),
                problems: &mut problems,
                effective: &mut effective,
            });
        });
        let file = file.unwrap_or(Source::Default);
        let mut list = |table: &SectionTable| lists.remove(table.name).unwrap_or_default();
        let clients = clients::read(list(&CLIENTS), &file, &mut problems);
        let resources = resources::read(list(&RESOURCES), &file, &mut problems);
        let upstreams = upstreams::read(list(&UPSTREAMS), &file, &mut problems);
        let words = vocabulary::Entries { permissions: list(&PERMISSIONS), templates: list(&PERMISSION_TEMPLATES) };
        let vocabulary = vocabulary::read(words, &file, &mut problems);
        parts.let_issuer_follow_listen(&mut effective);
        checks::run(&parts, &clients, &effective, &mut problems);
        checks::assets(&parts, &effective, &mut problems);
        checks::limits_of_clients(&clients, &vocabulary, &file, &mut problems);
        match parts.whole(clients, resources, upstreams, vocabulary, effective) {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigErrors(problems)),
        }
    }
}

impl Parts {
    // On loopback the port is all that the issuer needs to be told; whoever moves the port alone means both.
    fn let_issuer_follow_listen(&mut self, effective: &mut [Effective]) {
        let Some(server) = &mut self.server else { return };
        let Some(row) = effective.iter_mut().find(|row| row.path == "server.issuer" && row.source == Source::Default) else { return };
        let (scheme, usual) = if self.tls.as_ref().is_some_and(Tls::is_on) { ("https", ":443") } else { ("http", ":80") };
        if server.listen.port() != 0
            && let Ok(issuer) = format!("{scheme}://localhost:{}", server.listen.port()).trim_end_matches(usual).parse()
        {
            server.issuer = issuer;
            row.value = Some(server.issuer.to_string());
        }
    }
}

fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
