//! The shape of the tree, held by a test: arrows between modules point down only, and each outside part stays in its own room.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree must stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the ground up. A module may use those of lower rows, never one of its own row or above.
const ROWS: &[&[&str]] = &[
    &["domain", "endpoints"],
    &["protocol", "store"],
    &["policy", "keys"],
    &["config"],
    &["limits", "opening", "egress", "mail", "passwords", "tls"],
    &["state"],
    &["tokens"],
    &["web"],
    &["oidc", "signin", "account", "permissions", "identity", "home", "playground"],
    &["routes", "worker", "operations"],
    &["app"],
    &["cli"],
];

/// What may be used where: a crate's path, and the modules that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx::", &["store", "domain"]),
    ("actix_web::", &["web", "oidc", "signin", "account", "permissions", "identity", "home", "playground", "routes", "operations", "app"]),
    ("aws_lc_rs::signature", &["keys"]),
    ("aws_lc_rs::rsa", &["keys"]),
    ("jsonwebtoken::", &["keys"]),
    ("reqwest::", &["egress", "playground", "cli"]),
    ("rustls::", &["egress", "playground", "tls"]),
    ("openidconnect::", &["playground"]),
    ("argon2::", &["passwords"]),
    ("rustix::", &["passwords"]),
    ("qrcode::", &["playground"]),
    ("async_graphql::", &["identity"]),
    ("async_graphql_value::", &["identity"]),
    ("lettre::", &["mail"]),
    ("clap::", &["cli", "config"]),
    ("webauthn_rs::", &["policy"]),
];

/// The longest file that needs no reason in its first comment, in lines.
const LONGEST: usize = 400;

// A module's own `tests.rs`, and what is in its folder `tests`, may speak to any room.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let tests = |path: &Path| {
        path.ends_with("tests.rs") || path.parent().is_some_and(|folder| folder.ends_with("tests") && folder.starts_with(source()))
    };
    every_rust_file(folder).into_iter().filter(|path| !tests(path)).collect()
}

fn every_rust_file(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(every_rust_file(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(source()).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

// Code only: no comment lines, and nothing from the file's tests on, which may speak to any room.
fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

#[test]
fn arrows_point_down_only() {
    let row: BTreeMap<&str, usize> =
        ROWS.iter().enumerate().flat_map(|(row, modules)| modules.iter().map(move |module| (*module, row))).collect();
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for file in rust_files(&source()) {
        let module = module_of(&file);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let own = *row.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no row: say where it belongs"));
        for line in code(&file) {
            for (place, _) in line.match_indices("crate::") {
                let rest = &line[place + "crate::".len()..];
                let names: Vec<&str> = match rest.strip_prefix('{') {
                    // `use crate::{a, b::c};`
                    Some(list) => list.split([',', '}']).map(|name| name.trim().split("::").next().unwrap_or_default()).collect(),
                    None => vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()],
                };
                for used in names.into_iter().filter(|used| row.contains_key(used) && *used != module) {
                    arrows += 1;
                    if row[used] >= own {
                        wrong.push(format!("{}: {module} uses {used}: {}", file.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(arrows > 100, "the test sees only {arrows} arrows: it does not read what it should");
    assert!(wrong.is_empty(), "arrows that do not point down:\n{}", wrong.join("\n"));
}

#[test]
fn outside_parts_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in rust_files(&source()) {
        let module = module_of(&file);
        for line in code(&file) {
            for (part, modules) in ONLY_IN.iter().filter(|(part, _)| line.contains(part)) {
                seen += 1;
                if !modules.contains(&module.as_str()) {
                    wrong.push(format!("{}: {part} belongs into {modules:?}", file.display()));
                }
            }
        }
    }
    assert!(seen > 50, "the test sees only {seen} uses: it does not read what it should");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_is_no_longer_than_it_must() {
    let mut wrong = Vec::new();
    for file in every_rust_file(&source()) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.display();
        if file.ends_with("mod.rs") {
            wrong.push(format!("{name}: write foo.rs beside foo/, not foo/mod.rs"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{name}: the first line says what the file is for"));
        }
        let first_comment = text.lines().take_while(|line| line.starts_with("//!")).collect::<String>();
        let lines = text.lines().count();
        if lines > LONGEST && !first_comment.contains("One file because") {
            wrong.push(format!("{name}: {lines} lines; it is two things, or says in its first comment why it is `One file because`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_silenced_without_a_reason() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "examples"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for file in if folder.is_dir() { every_rust_file(&folder) } else { vec![] } {
            let text = fs::read_to_string(&file).unwrap();
            for mark in [concat!("#[", "allow("), concat!("#[", "ignore"), concat!("todo", "!("), concat!("unimplemented", "!(")] {
                if text.contains(mark) {
                    wrong.push(format!("{}: {mark}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
