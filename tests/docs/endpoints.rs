//! Every URL of the server is in the README's table, and nothing else is.

use std::collections::BTreeSet;
use std::fs;

use crate::read::{between, root, rows, sources, text};

/// Where URLs are given to handlers.
const SOURCES: &[&str] = &["src/routes.rs", "src/playground/handlers.rs", "src/operations.rs"];

type Endpoint = (String, String);

// `resource("/auth").route(get()…).route(post()…)` and `.route("/healthz", web::get()…)`: a path in quotes, then its methods,
// up to the next path.
fn endpoints_of(source: &str) -> BTreeSet<Endpoint> {
    let mut code: String = source.split("#[cfg(test)]").next().unwrap().replace("(RUN,", "(\"/playground/run\",");
    // The addresses of the protocol stand in a table of their own.
    for endpoint in latchkey::endpoints::Endpoint::ALL {
        code = code.replace(&format!("(Endpoint::{endpoint:?}.path())"), &format!("({:?})", endpoint.path()));
    }
    let mut found = BTreeSet::new();
    for mark in ["resource(\"/", "api(\"/", "managed(\"/", ".route(\"/"] {
        for after in code.split(mark).skip(1) {
            let (path, rest) = after.split_once('"').unwrap();
            let own = [".service(", ".route(\"/", ";"].iter().fold(rest, |own, end| own.split(end).next().unwrap());
            for (call, method) in [("get()", "GET"), ("post()", "POST"), ("put()", "PUT"), ("patch()", "PATCH"), ("delete()", "DELETE")] {
                if own.contains(&format!("{call}.to(")) {
                    // `{path:.*}` is `{path}` to a reader.
                    found.insert((method.to_owned(), format!("/{}", path.replace(":.*}", "}"))));
                }
            }
        }
    }
    found
}

fn documented() -> BTreeSet<Endpoint> {
    let readme = text("README.md");
    let mut found = BTreeSet::new();
    for row in rows(between(&readme, "<!-- endpoints -->", "<!-- /endpoints -->")) {
        let [methods, paths, _] = row[..] else { panic!("three cells: {row:?}") };
        for path in paths.split(',') {
            for method in methods.split_whitespace() {
                assert!(found.insert((method.to_owned(), path.trim().trim_matches('`').to_owned())), "{row:?} is there twice");
            }
        }
    }
    found
}

#[test]
fn the_table_of_endpoints_is_that_of_the_program() {
    let in_code: BTreeSet<Endpoint> = SOURCES.iter().flat_map(|source| endpoints_of(&text(source))).collect();
    assert!(in_code.len() > 35, "the test sees only {} endpoints: it does not read what it should", in_code.len());
    let in_table = documented();
    let missing: Vec<_> = in_code.difference(&in_table).collect();
    let invented: Vec<_> = in_table.difference(&in_code).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not in README.md: {missing:?}; only in README.md: {invented:?}");
}

// Every JSON interface of the routes is in the OpenAPI document, and nothing else is.
#[test]
fn the_openapi_document_has_the_routes_of_the_interfaces() {
    let is_interface = |path: &str| ["/v1/", "/access/v1/", "/register", "/auth/web3/"].iter().any(|begin| path.starts_with(begin));
    let in_code: BTreeSet<Endpoint> = endpoints_of(&text("src/routes.rs")).into_iter().filter(|(_, path)| is_interface(path)).collect();
    assert!(in_code.len() > 15, "{in_code:?}");
    let document = latchkey::permissions::openapi::document("https://id.example");
    let paths = document["paths"].as_object().unwrap();
    let operations = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone())));
    let in_document: BTreeSet<Endpoint> = operations.collect();
    let missing: Vec<_> = in_code.difference(&in_document).collect();
    let invented: Vec<_> = in_document.difference(&in_code).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not in the document: {missing:?}; only in the document: {invented:?}");
}

// What the tests above read is all there is.
#[test]
fn urls_are_given_to_handlers_in_these_files_only() {
    let mut found = BTreeSet::new();
    // A module's own `tests.rs` may have a server of its own.
    for path in sources().into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        if [".route(", ".service(", "resource(\""].iter().any(|mark| code.contains(mark)) {
            found.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
    // It makes the doors that the table of routes names; no address stands in it.
    assert!(found.remove("src/routes/door.rs"));
    assert!(!text("src/routes/door.rs").contains("(\"/"));
    assert_eq!(found, SOURCES.iter().map(|source| (*source).to_owned()).collect());
}
