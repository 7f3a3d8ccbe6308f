//! Relative links lead somewhere: to a file that is there, and to a heading that it has.

use std::fs;
use std::path::Path;

use crate::read::{documents, root, split_code, targets};

/// Folders whose files are made by programs, not written: links into them may stand before the first run.
const MADE: &[&str] = &["docs/images", "bench"];

// How headings become anchors: lower case, spaces to hyphens, no other signs.
fn anchors(text: &str) -> Vec<String> {
    let (prose, _) = split_code(text);
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim().to_lowercase());
    headings
        .map(|heading| heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-"))
        .collect()
}

fn is_made_later(file: &Path) -> bool {
    MADE.iter().map(|folder| root().join(folder)).any(|folder| file.starts_with(&folder) && !folder.exists())
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let (prose, _) = split_code(&text);
        for target in targets(&prose).into_iter().filter(|target| !target.contains("://") && !target.starts_with("mailto:")) {
            seen += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let there = path.exists() || is_made_later(&path);
            if !there || (!anchor.is_empty() && !anchors(&fs::read_to_string(&path).unwrap()).iter().any(|known| known == anchor)) {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(seen > 12, "the test sees only {seen} links: it does not read what it should");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn headings_become_the_anchors_that_forges_make() {
    assert_eq!(anchors("# A b-c: `d` (e)\ntext\n```\n# no heading\n```\n## 2. Two"), ["a-b-c-d-e", "2-two"]);
}
