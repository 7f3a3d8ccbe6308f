//! The permissions that owners can grant, and the templates of them: those of the configuration file (`[[permissions]]`,
//! `[[permission_templates]]`), or the usual ones of vehicles and their manufacturers.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::errors::{ConfigError, Source};
use super::table::{Given, Section, SectionTable, section};
use crate::domain::{
    AssetMethod, Permission, PermissionIcon, PermissionId, PermissionTemplate, PermissionTerm, Risk, Vocabulary, VocabularyError,
};

section! {
    /// A permission that owners can grant. Repeat the section for each one; those of the file take the place of all usual ones.
    pub(super) permissions: PermissionRow {
        /// Its name, as apps ask for it: 1 to 100 letters, digits, colons, dots, underscores and hyphens.
        name: Permission;
        /// Its number among those of its method, as contracts and older consumers know it (1 to 127).
        id: PermissionId;
        /// The kind of asset that it is for.
        method: AssetMethod = "erc721";
        /// The few words by which people know it.
        title: String;
        /// What the app may do with it, in one sentence that owners read before they agree.
        sentence: String;
        /// How grave it is to give it away.
        risk: Risk = "medium";
        /// The picture beside it.
        icon: PermissionIcon = "document";
    }
}

section! {
    /// Permissions that are often granted together. Repeat the section for each one; those of the file take the place of all usual ones.
    pub(super) permission_templates: TemplateRow {
        /// The id by which apps name it.
        id: String;
        /// The few words by which people know it.
        title: String;
        /// The names of its permissions.
        permissions: Vec<Permission>;
    }
}

pub(super) const PERMISSIONS: SectionTable = PermissionRow::TABLE;
pub(super) const PERMISSION_TEMPLATES: SectionTable = TemplateRow::TABLE;

const LONGEST_TITLE: usize = 60;
const LONGEST_SENTENCE: usize = 200;
const LONGEST_ID: usize = 100;

/// One of the usual permissions: id, name, title, sentence.
type Usual = (u64, &'static str, &'static str, &'static str, Risk, PermissionIcon);

const VEHICLE: &[Usual] = &[
    (
        1,
        "privilege:GetNonLocationHistory",
        "Vehicle history",
        "See what the car has recorded until now, such as speed and charge, but not where it was",
        Risk::Medium,
        PermissionIcon::History,
    ),
    (
        2,
        "privilege:ExecuteCommands",
        "Commands",
        "Send commands to the car, such as locking and unlocking its doors",
        Risk::High,
        PermissionIcon::Command,
    ),
    (3, "privilege:GetCurrentLocation", "Current location", "See where the car is now", Risk::High, PermissionIcon::Place),
    (
        4,
        "privilege:GetLocationHistory",
        "Location history",
        "See where the car is now and where it has been",
        Risk::High,
        PermissionIcon::Route,
    ),
    (
        5,
        "privilege:GetVINCredential",
        "Vehicle identification number",
        "See the car's identification number (VIN), with a proof that it is the right one",
        Risk::Medium,
        PermissionIcon::Document,
    ),
    (
        6,
        "privilege:GetLiveData",
        "Live data",
        "See what the car reports at the moment at which it does",
        Risk::Medium,
        PermissionIcon::Live,
    ),
    (
        7,
        "privilege:GetRawData",
        "Raw data",
        "See everything that the car sends, just as it comes, also where it is",
        Risk::High,
        PermissionIcon::Raw,
    ),
    (
        8,
        "privilege:GetApproximateLocation",
        "Approximate location",
        "See roughly in which area the car is and has been",
        Risk::Medium,
        PermissionIcon::Area,
    ),
];

const MANUFACTURER: &[Usual] = &[
    (
        1,
        "privilege:ManufacturerMintDevice",
        "Make devices",
        "Make new devices in the manufacturer's name",
        Risk::High,
        PermissionIcon::Device,
    ),
    (
        2,
        "privilege:ManufacturerDistributeDevice",
        "Hand devices over",
        "Hand devices of the manufacturer over to others",
        Risk::High,
        PermissionIcon::Device,
    ),
    (
        3,
        "privilege:ManufacturerFactoryReset",
        "Reset devices",
        "Reset devices of the manufacturer to how they left the factory",
        Risk::High,
        PermissionIcon::Device,
    ),
    (
        4,
        "privilege:ManufacturerDeviceReprovision",
        "Make devices again",
        "Have devices of the manufacturer made anew, whoever has them",
        Risk::High,
        PermissionIcon::Device,
    ),
    (
        5,
        "privilege:ManufacturerDeviceDefinitionInsert",
        "Define devices",
        "Add definitions of devices in the manufacturer's name",
        Risk::Medium,
        PermissionIcon::Document,
    ),
    (
        6,
        "privilege:ManufacturerDeviceLastSeen",
        "See when devices were there",
        "See when each device of the manufacturer was last seen",
        Risk::Low,
        PermissionIcon::History,
    ),
];

/// The usual templates: id, title, and the ids of vehicle permissions.
const TEMPLATES: &[(&str, &str, &[u64])] =
    &[("1", "All data and commands", &[1, 2, 3, 4, 5, 6]), ("2", "All data, no commands", &[1, 3, 4, 5, 6])];

/// What the file says of permissions, unread.
#[derive(Default)]
pub(super) struct Entries {
    pub permissions: Vec<BTreeMap<String, Given>>,
    pub templates: Vec<BTreeMap<String, Given>>,
}

/// Reads every entry, or takes the usual ones where there is none; what is wrong goes to `problems`.
pub(super) fn read(entries: Entries, file: &Source, problems: &mut Vec<ConfigError>) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let own = !entries.permissions.is_empty();
    let own_templates = !entries.templates.is_empty();
    let before = problems.len();
    if own {
        read_each(entries.permissions, &PERMISSIONS, file, problems, |row: PermissionRow, tell| {
            texts(tell, &[("title", &row.title, LONGEST_TITLE), ("sentence", &row.sentence, LONGEST_SENTENCE)]);
            let PermissionRow { name, id, method, title, sentence, risk, icon } = row;
            if let Err(problem) = vocabulary.add(PermissionTerm { name, id, method, title, sentence, risk, icon }) {
                tell(member(&problem), problem.to_string());
            }
        });
    } else {
        usual_permissions(&mut vocabulary);
    }
    // One that could not be read is not missed a second time.
    let complete = problems.len() == before;
    read_each(entries.templates, &PERMISSION_TEMPLATES, file, problems, |row: TemplateRow, tell| {
        texts(tell, &[("id", &row.id, LONGEST_ID), ("title", &row.title, LONGEST_TITLE)]);
        let template = PermissionTemplate { id: row.id, title: row.title, permissions: row.permissions.into_iter().collect() };
        match vocabulary.add_template(template) {
            Err(VocabularyError::Unknown(_)) if !complete => {}
            Err(problem) => tell(member(&problem), problem.to_string()),
            Ok(()) => {}
        }
    });
    // The usual templates are of the usual permissions.
    if !own && !own_templates {
        usual_templates(&mut vocabulary);
    }
    vocabulary
}

/// The usual permissions and templates as two tables, for the reference.
pub(super) fn markdown() -> String {
    let mut text = String::from("| method | id | name | title | what owners read | risk |\n| --- | --- | --- | --- | --- | --- |\n");
    for (method, id, name, title, sentence, risk, _) in usual() {
        let _ = writeln!(text, "| `{method}` | {id} | `{name}` | {title} | {sentence} | {risk} |");
    }
    text.push_str("\n| template | title | ids of permissions |\n| --- | --- | --- |\n");
    for (id, title, ids) in TEMPLATES {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "| `{id}` | {title} | {} |", ids.join(", "));
    }
    text
}

fn usual() -> impl Iterator<Item = (AssetMethod, u64, &'static str, &'static str, &'static str, Risk, PermissionIcon)> {
    let of = |method| move |(id, name, title, sentence, risk, icon): &Usual| (method, *id, *name, *title, *sentence, *risk, *icon);
    VEHICLE.iter().map(of(AssetMethod::Erc721)).chain(MANUFACTURER.iter().map(of(AssetMethod::Ethr)))
}

// A test reads all of them: none is left out here.
fn usual_permissions(vocabulary: &mut Vocabulary) {
    for (method, id, name, title, sentence, risk, icon) in usual() {
        let (Ok(name), Ok(id)) = (name.parse(), id.try_into()) else { continue };
        let (title, sentence) = (title.to_owned(), sentence.to_owned());
        let _ = vocabulary.add(PermissionTerm { name, id, method, title, sentence, risk, icon });
    }
}

fn usual_templates(vocabulary: &mut Vocabulary) {
    for (id, title, ids) in TEMPLATES {
        let named = |id: &u64| vocabulary.by_id(AssetMethod::Erc721, (*id).try_into().ok()?).map(|term| term.name.clone());
        let permissions = ids.iter().filter_map(named).collect();
        let _ = vocabulary.add_template(PermissionTemplate { id: (*id).to_owned(), title: (*title).to_owned(), permissions });
    }
}

/// Says what is wrong with a member of an entry.
type Tell<'a> = &'a mut dyn FnMut(&str, String);

fn read_each<Row: ReadRow>(
    entries: Vec<BTreeMap<String, Given>>,
    table: &SectionTable,
    file: &Source,
    problems: &mut Vec<ConfigError>,
    mut take: impl FnMut(Row, Tell<'_>),
) {
    for (place, given) in entries.into_iter().enumerate() {
        let path = format!("{}[{place}]", table.name);
        let mut unseen = Vec::new();
        let row = Row::read_row(&mut Section { path: path.clone(), source: file.clone(), given, problems, effective: &mut unseen });
        if let Some(row) = row {
            take(row, &mut |key, problem| {
                problems.push(ConfigError { path: format!("{path}.{key}"), source: file.clone(), problem, expected: None });
            });
        }
    }
}

trait ReadRow: Sized {
    fn read_row(section: &mut Section<'_>) -> Option<Self>;
}

impl ReadRow for PermissionRow {
    fn read_row(section: &mut Section<'_>) -> Option<Self> {
        Self::read(section)
    }
}

impl ReadRow for TemplateRow {
    fn read_row(section: &mut Section<'_>) -> Option<Self> {
        Self::read(section)
    }
}

fn texts(tell: Tell<'_>, members: &[(&str, &String, usize)]) {
    for (key, text, longest) in members {
        if text.chars().count() > *longest {
            tell(key, format!("has more than {longest} characters"));
        }
    }
}

fn member(problem: &VocabularyError) -> &'static str {
    match problem {
        VocabularyError::Name(_) => "name",
        VocabularyError::Id(..) | VocabularyError::Template(_) => "id",
        VocabularyError::Unknown(_) | VocabularyError::Empty => "permissions",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_vocabulary_is_whole() {
        let vocabulary = read(Entries::default(), &Source::Default, &mut Vec::new());
        assert_eq!(vocabulary.terms().len(), VEHICLE.len() + MANUFACTURER.len());
        let ids = |method| vocabulary.ids(method, vocabulary.all()).into_iter().map(PermissionId::get).collect::<Vec<_>>();
        assert_eq!((ids(AssetMethod::Erc721), ids(AssetMethod::Ethr)), ((1..=8).collect(), (1..=6).collect()));
        for term in vocabulary.terms() {
            assert!(term.title.len() <= LONGEST_TITLE && term.sentence.len() <= LONGEST_SENTENCE, "{}", term.name);
        }
        // What contracts know them by.
        for (template, bits) in [("1", "0x3ffc"), ("2", "0x3fcc")] {
            let permissions = &vocabulary.template(template).unwrap().permissions;
            assert_eq!(vocabulary.bits(AssetMethod::Erc721, permissions).to_string(), bits);
        }
        assert_eq!(vocabulary.bits(AssetMethod::Erc721, vocabulary.all()).to_string(), "0x3fffc");
        assert_eq!(vocabulary.templates().len(), TEMPLATES.len());
    }
}
