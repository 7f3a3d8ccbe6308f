//! Reading Markdown: the documents, what stands between two marks, code blocks, code spans and links.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the tree.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|reason| panic!("{path}: {reason}"))
}

/// Every document of the tree; what tools brought is left out.
pub(crate) fn documents() -> Vec<PathBuf> {
    files(root(), "md")
}

/// Every source of the program.
pub(crate) fn sources() -> Vec<PathBuf> {
    files(&root().join("src"), "rs")
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    fn gather(folder: &Path, kind: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let brought = name.starts_with('.') || ["target", "node_modules", "data"].contains(&name);
            if path.is_dir() && !brought {
                gather(&path, kind, found);
            } else if path.extension().is_some_and(|extension| extension == kind) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    gather(folder, kind, &mut found);
    found.sort();
    found
}

/// What stands between two marks, each of them there once.
pub(crate) fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    assert_eq!((text.matches(begin).count(), text.matches(end).count()), (1, 1), "{begin} and {end} stand there once each");
    text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(inside, _)| inside).unwrap()
}

/// The cells of a table's rows, without its head.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().map(str::trim).filter(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The text without its code blocks, and the code blocks: language and lines.
pub(crate) fn split_code(text: &str) -> (String, Vec<(String, Vec<String>)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut block: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, block.take()) {
            (Some(language), None) => block = Some((language.trim().to_owned(), Vec::new())),
            (Some(_), Some(done)) => blocks.push(done),
            (None, Some((language, mut lines))) => {
                lines.push(line.to_owned());
                block = Some((language, lines));
            }
            (None, None) => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    assert!(block.is_none(), "a code block is not closed");
    (prose, blocks)
}

/// The code spans of a text without code blocks.
pub(crate) fn code_spans(prose: &str) -> Vec<&str> {
    prose.split('`').skip(1).step_by(2).collect()
}

/// The targets of links and pictures: `[words](target)` and `src="target"`.
pub(crate) fn targets(prose: &str) -> Vec<&str> {
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let pictures = prose.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(target, _)| target);
    links.chain(pictures).collect()
}
