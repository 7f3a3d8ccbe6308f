//! The reference of all settings, made from their table: a file to begin with, and the table of the README.

use std::fmt::Write;

use super::clients::CLIENTS;
use super::resources::RESOURCES;
use super::settings::SECTIONS;
use super::table::Setting;
use super::upstreams::UPSTREAMS;
use super::vocabulary::{self, PERMISSION_TEMPLATES, PERMISSIONS};

/// Stands in the README above the table of settings.
pub const README_BEGIN: &str = "<!-- settings: begin; made by `latchkey config --markdown` -->";
/// Stands in the README below the table of settings.
pub const README_END: &str = "<!-- settings: end -->";

/// A configuration file with every setting at its default, commented out.
#[must_use]
pub fn example_file() -> String {
    let mut text = String::from(
        "# Every setting of Latchkey, at its default. Remove the # before what you change.\n\
         # Each is also an environment variable: server.listen is LATCHKEY_SERVER_LISTEN (an empty one counts as not set).\n\
         # A flag wins over the environment, the environment over this file. Spans of time are written 60s, 10m, 1h30m, 14d.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n# {}\n[{}]\n", section.about, section.name);
        section.settings.iter().for_each(|setting| text.push_str(&entry(setting)));
    }
    for section in [CLIENTS, RESOURCES, UPSTREAMS, PERMISSIONS, PERMISSION_TEMPLATES] {
        let _ = write!(text, "\n# {}\n#[[{}]]\n", section.about, section.name);
        section.settings.iter().for_each(|setting| text.push_str(&entry(setting)));
    }
    text
}

/// The same as a table for the README.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| setting | default | what it is |\n| --- | --- | --- |\n");
    for setting in SECTIONS.iter().flat_map(|section| section.settings) {
        text.push_str(&row(&setting.path(), setting));
    }
    for (words, section) in [
        ("A client in the file, `[[clients]]`, in place of `latchkey client create`:", CLIENTS),
        ("An API that takes this server's access tokens, `[[resources]]`, in the file only:", RESOURCES),
        (
            "A provider at which people can prove who they are, `[[upstreams]]`, in the file only ([each in a few lines](upstreams.md)):",
            UPSTREAMS,
        ),
        ("A permission that owners can grant, `[[permissions]]`, in the file only:", PERMISSIONS),
        ("Permissions that are often granted together, `[[permission_templates]]`, in the file only:", PERMISSION_TEMPLATES),
    ] {
        let _ = write!(text, "\n{words}\n\n| setting | default | what it is |\n| --- | --- | --- |\n");
        for setting in section.settings {
            text.push_str(&row(setting.key, setting));
        }
    }
    let _ = write!(text, "\nWhere the file declares no permissions, the usual ones hold:\n\n{}", vocabulary::markdown());
    text
}

fn entry(setting: &Setting) -> String {
    let range = setting.range.map(|(low, high)| format!(" From {low} to {high}.")).unwrap_or_default();
    let shown = setting.shown.map(|shown| format!(" Default: {shown}.")).unwrap_or_default();
    format!("# {}{range}{shown}\n#{} = {}\n", setting.doc, setting.key, toml_default(setting))
}

fn row(name: &str, setting: &Setting) -> String {
    let default = match (setting.shown, setting.default) {
        (Some(shown), _) => format!("`{shown}`"),
        (None, Some(default)) => format!("`{default}`"),
        (None, None) if setting.optional => "none".to_owned(),
        (None, None) => "must be given".to_owned(),
    };
    let range = setting.range.map(|(low, high)| format!(" ({low} to {high})")).unwrap_or_default();
    format!("| `{name}` | {default}{range} | {} |\n", setting.doc)
}

// A setting without a default stands there empty, to be filled in.
fn toml_default(setting: &Setting) -> String {
    let text = setting.default.unwrap_or_default();
    match (setting.list, setting.bare) {
        (true, true) => format!("[{text}]"),
        (true, false) if text.is_empty() => "[]".to_owned(),
        (true, false) => format!("[\"{}\"]", text.replace(", ", "\", \"")),
        (false, true) if !text.is_empty() => text.to_owned(),
        (false, _) => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_every_setting() {
        let (file, table) = (example_file(), markdown());
        let lists = [CLIENTS, RESOURCES, UPSTREAMS, PERMISSIONS, PERMISSION_TEMPLATES].into_iter().flat_map(|section| section.settings);
        for setting in SECTIONS.iter().flat_map(|section| section.settings).chain(lists) {
            assert!(file.contains(&format!("\n#{} = ", setting.key)), "{}", setting.path());
            assert!(table.contains(setting.doc), "{}", setting.path());
            assert!(!setting.doc.contains('|') && setting.doc.ends_with(['.', ')']), "{}", setting.path());
        }
    }

    #[test]
    fn the_commented_file_is_toml_once_uncommented() {
        let uncommented: String = example_file()
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        let table: toml::Table = uncommented.parse().unwrap();
        assert_eq!(table.len(), SECTIONS.len() + 5);
    }
}
