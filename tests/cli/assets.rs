//! `latchkey asset …` and `latchkey grant …`

use latchkey::domain::{AccountId, Provider, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operator::{Operator, text};

const CONTRACT: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
const OWNER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const OTHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
const LICENSE: &str = "0x27b1fdb04752bbc536007a920d24acb045561c26";
const LIVE: &str = "privilege:GetLiveData";

fn did(number: u8) -> String {
    format!("{CONTRACT}:{number}")
}

fn line(number: u8, more: &Value) -> String {
    let mut line = json!({"did": did(number), "make": "Ford", "model": "Bronco", "year": 2022, "powertrain": "ICE"});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line.to_string()
}

fn import(operator: &Operator, lines: &[String]) -> Value {
    let file = operator.file("assets.ndjson", &lines.join("\n"));
    operator.json(&["asset", "import", file.to_str().unwrap()])
}

#[test]
fn assets_are_imported_shown_and_brought_up_to_date() {
    let operator = Operator::new();
    let lines = [line(2, &json!({"owner": OWNER.to_lowercase(), "attributes": {"color": "red"}})), line(1, &json!({"name": "Mine"}))];
    let file = operator.file("assets.ndjson", &lines.join("\n"));
    let ended = operator.run(&["asset", "import", file.to_str().unwrap()]);
    let outcome = ended.json();
    assert_eq!(outcome[0], json!({"did": did(2), "outcome": "created"}));
    assert_eq!((text(&outcome[1], "did"), text(&outcome[1], "outcome")), (did(1).as_str(), "created"));
    let code = text(&outcome[1], "claim_code");
    assert!(code.len() == 43 && !ended.err.contains(code) && ended.err.contains("shown this once"), "{}", ended.err);
    assert!(text(&outcome[1], "claim_expires_at").ends_with('Z'));

    let again = operator.tell(&lines.join("\r\n"), &["asset", "import", "-"]);
    assert_eq!(again.json(), json!([{"did": did(2), "outcome": "updated"}, {"did": did(1), "outcome": "updated"}]), "no second code");
    let listed = operator.json(&["asset", "list"]);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|asset| text(asset, "did")).collect();
    assert_eq!(names, [did(1), did(2)]);
    assert_eq!(operator.json(&["asset", "list", "--owner", OWNER]).as_array().unwrap().len(), 1);
    assert!(operator.json(&["asset", "list", "--make", "Tesla", "Kia"]).as_array().unwrap().is_empty());

    let shown = operator.json(&[
        "asset",
        "show",
        &did(2).replace("0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF", "0xba5738a18d83d41847dffbdc6101d37c69c9b0cf"),
    ]);
    assert_eq!(
        (text(&shown, "did"), text(&shown, "owner"), &shown["epoch"], &shown["year"]),
        (did(2).as_str(), OWNER, &json!(0), &json!(2022))
    );
    assert_eq!((&shown["attributes"], &shown["owner_account"], &shown["grants"]), (&json!({"color": "red"}), &json!(null), &json!([])));
    assert_eq!(operator.refused(&["asset", "show", &did(9)]), format!("error: there is no asset {}\n", did(9)));
    assert!(operator.misunderstood(&["asset", "show", "did:erc721:137:0x1:1"]).contains("40 hexadecimal digits"));
}

#[test]
fn nothing_is_imported_unless_every_line_is_good() {
    let operator = Operator::new();
    let bad =
        [line(1, &json!({})), "{".to_owned(), line(2, &json!({"owner": "me"})), line(1, &json!({})), line(3, &json!({"color": "red"}))];
    let file = operator.file("bad.ndjson", &bad.join("\n"));
    let told = operator.refused(&["asset", "import", file.to_str().unwrap()]);
    for words in
        ["nothing is imported", "line 2: ", "line 3: `owner`: ", "line 4: the same asset as in line 1", "line 5: unknown field `color`"]
    {
        assert!(told.contains(words), "{told}");
    }
    let nobody = operator.tell(&line(1, &json!({"owner": "01900000-0000-7000-8000-000000000001"})), &["asset", "import", "-"]).reason(1);
    assert!(nobody.contains("line 1: there is no account 01900000"), "{nobody}");
    assert!(operator.json(&["asset", "list"]).as_array().unwrap().is_empty());
    assert!(operator.refused(&["asset", "import", "no-such-file"]).contains("no-such-file cannot be read"));
    assert!(operator.misunderstood(&["asset", "import", "-", "--claim-lifetime", "1s"]).contains("a claim code works for"));
}

#[test]
fn an_owner_is_changed_only_when_that_is_asked_for() {
    let operator = Operator::new();
    operator.json(&[
        "license",
        "create",
        "--alias",
        "a",
        "--owner",
        OTHER,
        "--redirect-uri",
        "https://app.example/cb",
        "--client-id",
        LICENSE,
    ]);
    import(&operator, &[line(1, &json!({"owner": OWNER}))]);
    let grant = operator.json(&["grant", "create", "--asset", &did(1), "--grantee", LICENSE, "--permission", LIVE]);
    let changed = line(1, &json!({"owner": OTHER}));
    let told = operator.tell(&changed, &["asset", "import", "-"]).reason(1);
    assert!(told.contains(&format!("line 1: {} has another owner; --transfer lets it change hands", did(1))), "{told}");
    assert_eq!(text(&operator.json(&["asset", "show", &did(1)]), "owner"), OWNER);

    let outcome = operator.tell(&changed, &["asset", "import", "-", "--transfer"]).json();
    assert_eq!(outcome, json!([{"did": did(1), "outcome": "transferred"}]));
    let shown = operator.json(&["asset", "show", &did(1)]);
    assert_eq!((text(&shown, "owner"), &shown["epoch"], &shown["grants"]), (OTHER, &json!(1), &json!([])));
    let ended = operator.json(&["grant", "show", text(&grant, "id")]);
    assert_eq!(
        (text(&ended, "ended"), &ended["history"][1]["actor"], &ended["history"][1]["why"]),
        ("transfer", &json!("operator"), &json!("transfer"))
    );
}

#[test]
fn a_claim_code_is_made_anew() {
    let operator = Operator::new();
    let first = text(&import(&operator, &[line(1, &json!({})), line(2, &json!({"owner": OWNER}))])[0], "claim_code").to_owned();
    let second = operator.json(&["asset", "claim", &did(1), "--claim-lifetime", "1h"]);
    assert_eq!(text(&second, "did"), did(1));
    assert!(operator.refused(&["asset", "claim", &did(2)]).contains("without an owner"));
    let opened = operator.store();
    let claimed = opened.runtime.block_on(async {
        let (store, now) = (&opened.store, Timestamp::from_seconds(0));
        let account = AccountId(Uuid::from_u128(1));
        store.sign_in(&Provider::web3(), OWNER, account, now).await.unwrap();
        let mut claimed = Vec::new();
        for code in [first.as_str(), text(&second, "claim_code")] {
            claimed.push(store.take_asset_claim(&latchkey::domain::TokenHash::of(code), account, now).await.unwrap().is_some());
        }
        claimed
    });
    assert_eq!(claimed, [false, true]);
    assert_eq!(text(&operator.json(&["asset", "show", &did(1)]), "owner_account"), "00000000-0000-0000-0000-000000000001");
    assert_eq!(operator.json(&["asset", "list", "--owner", "00000000-0000-0000-0000-000000000001"]).as_array().unwrap().len(), 2);
}

#[test]
fn the_operator_grants_and_revokes() {
    let operator = Operator::new();
    operator.json(&["client", "create", "--name", "A", "--id", "app", "--redirect-uri", "https://app.example/cb"]);
    import(&operator, &[line(1, &json!({"owner": OWNER}))]);
    let asset = did(1);
    let create = |more: &[&'static str]| {
        let mut args = vec!["grant", "create", "--asset", asset.as_str(), "--grantee", "app"];
        args.extend(more);
        operator.run(&args)
    };
    let filter = "{\"event_type\":\"dimo.attestation\"}";
    let ended = create(&["--permission", LIVE, "privilege:GetVINCredential", "--expires", "2999-01-01T00:00:00Z"]);
    assert!(ended.reason(1).contains("at most 365 days"));
    let made = create(&["--permission", LIVE, "privilege:GetVINCredential", "--events", filter, "--purpose", "Repair"]).json();
    assert_eq!((text(&made, "source"), text(&made, "grantor_address"), text(&made, "grantee")), ("operator", OWNER, "app"));
    assert_eq!(made["permissions"], json!([LIVE, "privilege:GetVINCredential"]));
    assert_eq!(made["events"], json!([{"event_type": "dimo.attestation", "source": "*", "ids": ["*"], "tags": ["*"]}]));
    for (more, words) in [
        (&["--permission", "privilege:Nothing"][..], "there are no such permissions: privilege:Nothing"),
        (&["--permission", "privilege:ManufacturerMintDevice"], "for this asset"),
        (&["--permission", LIVE, "--expires", "2001-01-01T00:00:00Z"], "later than now"),
        (&[], "nothing to grant"),
    ] {
        let told = create(more).reason(1);
        assert!(told.contains(words), "{told}");
    }
    let strange = operator.refused(&["grant", "create", "--asset", &asset, "--grantee", "nobody", "--permission", LIVE]);
    assert!(strange.contains("no client or license nobody"), "{strange}");
    assert!(
        operator.refused(&["grant", "create", "--asset", &did(9), "--grantee", "app", "--permission", LIVE]).contains("there is no asset")
    );

    assert_eq!(operator.json(&["grant", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(operator.json(&["asset", "show", &asset])["grants"][0]["id"], made["id"]);
    let id = text(&made, "id");
    let revoked = operator.json(&["grant", "revoke", id]);
    assert_eq!((text(&revoked, "ended"), revoked["ended_at"].is_string()), ("operator", true));
    assert!(operator.refused(&["grant", "revoke", id]).contains("over already"));
    assert!(operator.refused(&["grant", "revoke", "01900000-0000-7000-8000-000000000001"]).contains("there is no grant"));
    assert!(operator.json(&["grant", "list"]).as_array().unwrap().is_empty());
    assert_eq!(operator.json(&["grant", "list", "--all", "--grantee", "app", "--asset", &asset]).as_array().unwrap().len(), 1);
    let history = operator.json(&["grant", "show", id])["history"].clone();
    let lines: Vec<_> =
        history.as_array().unwrap().iter().map(|line| (text(line, "what"), text(line, "actor"), text(line, "why"))).collect();
    assert_eq!(lines, [("made", "operator", "operator"), ("ended", "operator", "operator")]);
}

#[test]
fn a_limit_is_of_permissions_that_there_are() {
    let operator = Operator::new();
    operator.json(&[
        "client",
        "create",
        "--name",
        "A",
        "--id",
        "app",
        "--redirect-uri",
        "https://app.example/cb",
        "--permission-limit",
        LIVE,
    ]);
    let told = operator.refused(&["client", "update", "app", "--permission-limit", "privilege:Nothing"]);
    assert_eq!(told, "error: there are no such permissions: privilege:Nothing\n");
    assert_eq!(operator.json(&["client", "show", "app"])["permission_limit"], json!([LIVE]));
}
