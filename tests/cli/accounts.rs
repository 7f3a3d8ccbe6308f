//! `latchkey account …` and `latchkey sweep`

use latchkey::domain::{AccountId, Clock, Entropy, Provider};
use serde_json::json;

use super::operator::{Operator, text};

#[test]
fn accounts_are_listed_disabled_and_enabled() {
    let operator = Operator::new();
    assert_eq!(operator.json(&["account", "list"]), json!([]));
    let opened = operator.store();
    let now = Clock::System.now();
    let id = AccountId(Entropy::System.uuid(now));
    let wallet = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    opened.runtime.block_on(opened.store.sign_in(&Provider::web3(), wallet, id, now)).unwrap();
    // The database stays open here, as by a running server.
    let accounts = operator.json(&["account", "list"]);
    assert_eq!(accounts[0]["id"], id.to_string());
    assert_eq!((&accounts[0]["identities"][0]["provider"], &accounts[0]["identities"][0]["subject"]), (&json!("web3"), &json!(wallet)));
    let id = id.to_string();
    assert!(operator.json(&["account", "disable", &id])["disabled_at"].is_string());
    assert!(operator.json(&["account", "list"])[0]["disabled_at"].is_string());
    assert!(operator.json(&["account", "enable", &id])["disabled_at"].is_null());
    assert!(operator.misunderstood(&["account", "disable", "me"]).contains("invalid value"));
    let nobody = "019a0000-0000-7000-8000-000000000000";
    assert_eq!(operator.refused(&["account", "disable", nobody]), format!("error: there is no account {nobody}\n"));
}

#[test]
fn a_sweep_counts_what_it_takes() {
    let operator = Operator::new();
    operator.json(&["migrate"]);
    let opened = operator.store();
    let now = Clock::System.now();
    let past = now.minus(std::time::Duration::from_mins(1));
    let id = Entropy::System.secret().hash();
    opened.runtime.block_on(opened.store.put_form(&id, "/auth", "a=b", past)).unwrap();
    assert_eq!(operator.json(&["sweep"])["posted_forms"], 1);
    let ended = operator.run(&["sweep"]);
    assert!(ended.json().as_object().unwrap().values().all(|count| count == 0));
    assert_eq!(ended.err, "0 rows swept away\n");
    assert_eq!(text(&operator.json(&["migrate"]), "schema"), "current");
}
