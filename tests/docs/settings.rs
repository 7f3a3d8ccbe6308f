//! The reference of settings is the one that the program prints.

use latchkey::config::{README_BEGIN, README_END, markdown};

use crate::read::{between, root, text};

const FILE: &str = "docs/configuration.md";

#[test]
fn the_reference_is_that_of_the_program() {
    let document = text(FILE);
    let (written, printed) = (between(&document, README_BEGIN, README_END), format!("\n{}", markdown()));
    if written == printed {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(FILE), document.replace(written, &printed)).unwrap();
        return;
    }
    panic!("{FILE} is not what `latchkey config --markdown` prints: run `UPDATE_DOCS=1 cargo test --test docs settings`");
}

// Every setting that a document names in prose exists.
#[test]
fn settings_that_documents_name_exist() {
    use crate::read::{code_spans, documents, split_code};
    let reference = markdown();
    let names = || reference.lines().filter_map(|row| row.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name);
    let sections: Vec<&str> = names().filter_map(|name| name.split_once('.')).map(|(section, _)| section).collect();
    let mut seen = 0;
    for path in documents() {
        let (prose, _) = split_code(&std::fs::read_to_string(&path).unwrap());
        for span in code_spans(&prose) {
            let is_setting = |text: &str| {
                text.split_once('.')
                    .is_some_and(|(section, key)| sections.contains(&section) && !["rs", "db", "key", "toml"].contains(&key))
            };
            let name = span.split([' ', '=']).next().unwrap();
            if is_setting(name) && name.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)) {
                seen += 1;
                assert!(names().any(|known| known == name), "{}: {name} is no setting", path.display());
            }
            if let Some(variable) = span.strip_prefix("LATCHKEY_") {
                let variable = variable.split(['=', ' ']).next().unwrap().to_ascii_lowercase();
                let known = names().any(|name| name.replacen('.', "_", 1) == variable);
                // What names the file, what tests read, and what Kubernetes sets unasked.
                let other = ["config", "port"].contains(&variable.as_str()) || variable.starts_with("test_") || variable.contains('…');
                assert!(known || other, "{}: LATCHKEY_{variable} is no setting", path.display());
            }
        }
    }
    assert!(seen > 10, "the test sees only {seen} settings: it does not read what it should");
}
