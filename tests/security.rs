//! `tests/security.md` names a test for every line of what must always hold; this checks that none is missing and that each test is there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};

/// The lines of the two lists.
const LINES: std::ops::RangeInclusive<u32> = 1..=40;
const BUGS: std::ops::RangeInclusive<u32> = 1..=20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The rows of the tables: number, statement, proof.
fn rows() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(root().join("tests/security.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| # "));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, statement, proof] = cells[..] else { panic!("not three cells: {line}") };
        (number.to_owned(), statement.to_owned(), proof.to_owned())
    })
    .collect()
}

/// What stands in backticks and is the name of a test.
fn names(proof: &str) -> Vec<&str> {
    proof.split('`').skip(1).step_by(2).filter(|name| name.contains("::") || name.contains(".mjs: ")).collect()
}

/// Whether a file has the test, made by hand or by a macro that makes one for each database.
fn has_test(text: &str, name: &str) -> bool {
    let dense: String = text.split_whitespace().collect();
    [format!("#[test]fn{name}("), format!("asyncfn{name}("), format!("on_both!({name},"), format!("on_one!({name},")]
        .iter()
        .any(|form| dense.contains(form))
}

#[test]
fn every_line_has_its_row_and_every_row_its_reason() {
    let rows = rows();
    let wanted: Vec<String> = LINES.map(|line| line.to_string()).chain(BUGS.map(|bug| format!("b{bug}"))).collect();
    assert_eq!(rows.iter().map(|(number, ..)| number.clone()).collect::<Vec<_>>(), wanted);
    for (number, statement, proof) in &rows {
        assert!(!statement.is_empty(), "{number}");
        assert!(!names(proof).is_empty() || proof.contains("not built yet"), "{number} has neither a test nor a reason: {proof}");
    }
}

#[test]
fn every_test_that_is_named_is_there() {
    let files: Vec<(PathBuf, String)> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    let mut missing = Vec::new();
    let mut seen = 0;
    for (number, _, proof) in rows() {
        for name in names(&proof) {
            seen += 1;
            let there = if let Some((file, words)) = name.split_once(": ") {
                fs::read_to_string(root().join(file)).is_ok_and(|text| text.contains(words))
            } else {
                let (module, test) = name.rsplit_once("::").unwrap();
                let ending = format!("/{}.rs", module.replace("::", "/"));
                files.iter().any(|(path, text)| path.to_str().unwrap().ends_with(&ending) && has_test(text, test))
            };
            if !there {
                missing.push(format!("{number}: {name}"));
            }
        }
    }
    assert!(seen > 80, "the check sees only {seen} names: it does not read what it should");
    assert!(missing.is_empty(), "no such test:\n{}", missing.join("\n"));
}

/// RUSTSEC-2023-0071: the `rsa` crate leaks private keys by its timing. It comes with `openidconnect`, which the playground uses to check
/// signatures with public keys; nothing of ours may name it.
#[test]
fn no_private_key_comes_near_the_rsa_crate() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.lines().any(|line| line.starts_with("rsa ") || line.starts_with("rsa=")), "rsa is a dependency of ours");
    let mut uses = 0;
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        uses += text.matches("aws_lc_rs::").count();
        let named = ["use rsa::", "use rsa;", " rsa::", "(rsa::", "<rsa::", "&rsa::", "::rsa::RsaPrivateKey"]
            .iter()
            .any(|form| text.replace("aws_lc_rs::rsa::", "").contains(form));
        assert!(!named, "{} names the rsa crate", path.display());
        let signs = ["CoreRsaPrivateSigningKey", "PrivateSigningKey"].iter().any(|form| text.contains(form));
        assert!(!signs, "{} signs with openidconnect's keys", path.display());
    }
    assert!(uses > 10, "the search sees only {uses} uses of what does sign");
}
