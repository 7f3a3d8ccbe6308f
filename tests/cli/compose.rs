//! The compose file and the image: what they set must be settings, checked without Docker.

use std::collections::BTreeMap;

use super::operator::{Operator, text};

fn read(name: &str) -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/").to_owned() + name).unwrap()
}

// `LATCHKEY_X: value` of the compose file, `LATCHKEY_X=value` of the Dockerfile.
fn variables(text: &str, separator: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("ENV ").trim_end_matches('\\').trim().split_once(separator))
        .filter(|(name, _)| name.starts_with("LATCHKEY_"))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect()
}

#[test]
fn the_image_and_the_compose_file_set_what_there_is() {
    let mut variables_of_both = variables(&read("Dockerfile"), "=");
    assert!(!variables_of_both.is_empty());
    variables_of_both.extend(variables(&read("docker-compose.yml"), ": "));
    assert!(variables_of_both["LATCHKEY_DATABASE_URL"].starts_with("postgres://"));
    let operator = variables_of_both.iter().fold(Operator::new(), |operator, (name, value)| operator.with(name, value));
    let effective = operator.json(&["config", "--effective"]);
    // Within the container every address is answered; browsers see the published port.
    assert_eq!(text(&effective["server.listen"], "value"), "0.0.0.0:8080");
    assert_eq!(text(&effective["server.issuer"], "value"), "http://localhost:8080");
    assert!(text(&effective["database.url"], "source").contains("LATCHKEY_DATABASE_URL"));
}
