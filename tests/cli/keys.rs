//! `latchkey keys …` and the sealing key

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::operator::{Operator, text};

fn states(keys: &Value, state: &str) -> Vec<String> {
    let mut lines: Vec<String> = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["state"] == state)
        .map(|key| format!("{} {}", text(key, "purpose"), text(key, "alg")))
        .collect();
    lines.sort();
    lines
}

#[test]
fn keys_are_made_listed_and_rotated() {
    let operator = Operator::new().with("LATCHKEY_KEYS_PUBLISH_AHEAD", "0s");
    let first = operator.json(&["keys", "list"]);
    assert_eq!(
        (states(&first, "active"), states(&first, "next")),
        (
            ["assets RS256", "signin ES256", "signin EdDSA", "signin PS256", "signin RS256"].map(str::to_owned).to_vec(),
            states(&first, "active")
        )
    );
    assert_eq!(operator.json(&["keys", "list"]), first);
    let rotated = operator.json(&["keys", "rotate"]);
    assert_eq!(rotated.as_array().unwrap().len(), 5);
    let second = operator.json(&["keys", "list"]);
    for state in ["active", "next", "retired"] {
        assert_eq!(states(&second, state).len(), 5, "{state}: {second}");
    }
    let folder = operator.folder.join("data");
    for (path, mode) in [(folder.clone(), 0o700), (folder.join("sealing.key"), 0o600), (folder.join("latchkey.db"), 0o600)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn a_sealing_key_that_others_can_read_is_refused() {
    let operator = Operator::new();
    operator.json(&["keys", "list"]);
    fs::set_permissions(operator.folder.join("data/sealing.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let told = operator.refused(&["keys", "list"]);
    assert!(told.contains("data/sealing.key can be used by others than its owner (mode 0644): run `chmod 600"), "{told}");
}

#[test]
fn another_sealing_key_is_refused_and_a_lost_one_is_not_made_anew() {
    let operator = Operator::new();
    operator.json(&["keys", "list"]);
    let sealing = operator.folder.join("data/sealing.key");
    let kept = operator.folder.join("kept.key");
    fs::rename(&sealing, &kept).unwrap();
    let lost = operator.refused(&["keys", "list"]);
    assert!(lost.contains("data/sealing.key is missing: restore it; this database was sealed with it"), "{lost}");
    assert!(!sealing.exists());
    let other = "ab".repeat(32);
    let wrong = Ended(&operator, &other).reason();
    assert!(wrong.contains("it was sealed with another key") && !wrong.contains(&other), "{wrong}");
    let text = fs::read_to_string(&kept).unwrap();
    let right = operator.command(&["keys", "list"]).env("LATCHKEY_KEYS_SEALING_KEY", text.trim()).output().unwrap();
    assert!(right.status.success());
}

// `keys list` with a sealing key in the environment, which must fail.
struct Ended<'a>(&'a Operator, &'a str);

impl Ended<'_> {
    fn reason(&self) -> String {
        let ended = self.0.command(&["keys", "list"]).env("LATCHKEY_KEYS_SEALING_KEY", self.1).output().unwrap();
        super::operator::Ended::from(ended).reason(1)
    }
}
