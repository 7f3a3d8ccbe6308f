//! What the file alone can hold: clients, resources, permissions.

use super::*;

#[test]
fn clients_of_the_file() {
    let secret_file = File::new("secret", &format!("{}\n", "s".repeat(32)));
    let file = File::new(
        "clients",
        &format!(
            "[[clients]]\nid = 'web'\nname = 'Web'\nsecret = '{}'\nredirect_uris = ['https://web.example/cb']\npkce = 'optional'\naccess_token = '10m'\n\
             [[clients]]\nid = 'app'\nname = 'App'\npublic = true\nredirect_uris = ['com.example.app:/cb']\nsubject = 'pairwise'\n\
             [[clients]]\nid = 'api'\nname = 'API'\nsecret_file = '{}'\nredirect_uris = ['https://api.example/cb']\npost_logout_redirect_uris = ['https://api.example/']\nbackchannel_logout_uri = 'https://api.example/ended'",
            "x".repeat(32),
            secret_file.0.display()
        ),
    );
    let clients = file.load().unwrap().clients;
    assert_eq!(clients.len(), 3);
    assert_eq!(clients[0].credential, Credential::Secret(TokenHash::of(&"x".repeat(32))));
    assert_eq!(clients[0].access_token, Some(Duration::from_mins(10)));
    assert_eq!(clients[1].credential, Credential::Public);
    assert_eq!(clients[2].credential, Credential::Secret(TokenHash::of(&"s".repeat(32))));
    assert_eq!(clients[2].backchannel_logout_uri.as_deref(), Some("https://api.example/ended"));
    assert_eq!(clients[0].backchannel_logout_uri, None);
}

#[test]
fn clients_of_the_file_with_keys() {
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;
    let (good, bad) = (File::new("keys", keys), File::new("bad-keys", &keys.replace("\"kid\"", "\"d\":\"AA\",\"kid\"")));
    let entry = |rest: &str| format!("[[clients]]\nid = 'job'\nname = 'Job'\n{rest}\n");
    let machine = "grant_types = ['client_credentials']\nscope = 'write read'";
    let file = File::new("key-clients", &entry(&format!("{machine}\njwks_file = '{}'\nauth_signing_alg = 'EdDSA'", good.0.display())));
    let clients = file.load().unwrap().client_records(crate::domain::Timestamp::from_seconds(0));
    let client = &clients[0];
    assert_eq!((client.auth_method, client.secret_hash), (crate::domain::AuthMethod::PrivateKeyJwt, None));
    assert_eq!(client.metadata.jwks, Some(serde_json::from_str(keys).unwrap()));
    assert_eq!(client.metadata.scope.as_ref().unwrap().to_string(), "read write");
    assert_eq!(client.metadata.grant_types, [crate::domain::GrantType::ClientCredentials].into());
    let secret = format!("secret = '{}'", "x".repeat(32));
    let uri = "redirect_uris = ['https://a.example/cb']";
    for (rest, line) in [
        (format!("{uri}\njwks_file = '{}'", bad.0.display()), "jwks_file (file): "),
        (format!("{uri}\njwks_uri = 'https://a.example/jwks'\n{secret}"), "secret (file): only one of"),
        (format!("{uri}\n{secret}\nauth_method = 'private_key_jwt'"), "auth_method (file): private_key_jwt does not fit"),
        (format!("{uri}\npublic = true\ngrant_types = ['client_credentials']"), "grant_types (file): a public client"),
        (format!("{uri}\n{secret}\ngrant_types = []"), "grant_types (file): there is no grant"),
        (format!("{uri}\n{secret}\ngrant_types = ['password']"), "grant_types (file): `password` is no such word"),
        (secret, "redirect_uris (file): there is no redirect URI"),
    ] {
        let told = File::new("wrong-key-client", &entry(&rest)).problems().join("\n");
        assert!(told.contains(line), "{rest}: {told}");
    }
}

#[test]
fn every_problem_of_every_client_is_told() {
    let file = File::new(
        "bad-clients",
        "[[clients]]\nid = 'a b'\nsecret = 'hunter2'\n[[clients]]\nid = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'\nname = 'L'\npublic = true\npkce = 'optional'\n\
         [[clients]]\nid = 'c'\nname = 'C'\nredirect_uri = 'x'\nredirect_uris = ['https://c.example/#']\n[[clients]]\nid = 'd'\nname = 'D'\nredirect_uris = ['https://d.example/']\n\
         [[clients]]\nid = 'd'\nname = 'D'\nredirect_uris = ['https://d.example/']\nsecret = 'hunter2'\naccess_token = '2h'\n\
         [[clients]]\nid = 'e'\nname = 'E'\nredirect_uris = ['https://d.example/']\nsecret = 'hunter2'\n\
         [[clients]]\nid = 'f'\nname = 'F'\nredirect_uris = ['https://d.example/']\npublic = true\nsecret_file = '/nowhere'\nbackchannel_logout_uri = 'http://d.example/'",
    );
    let told = file.problems().join("\n");
    assert!(!told.contains("hunter2"));
    insta::assert_snapshot!(told);
    for line in [
        "clients[0].secret (file): the secret has 7",
        "clients[4].id (file): d is the id of clients[3] too",
        "clients[4].secret (file): the secret",
        "clients[6].backchannel_logout_uri (file): it uses https",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let plain = "[[clients]]\nid = 'g'\nname = 'G'\nredirect_uris = ['https://g.example/']\npublic = true\nbackchannel_logout_uri = 'http://localhost:1/'";
    let opened = format!("[egress]\nallow_private_networks = true\n{plain}");
    assert!(File::new("plain", plain).problems().join("\n").contains("clients[0].backchannel_logout_uri"));
    assert!(File::new("opened", &opened).load().is_ok());
    let single = File::new("single", "[clients]\nid = 'a'");
    assert_eq!(single.problems(), ["clients (file): is not a list of clients; expected [[clients]], once for each client"]);
}

#[test]
fn resources_of_the_file() {
    let file = File::new(
        "resources",
        r#"
        [[resources]]
        uri = "https://garage.example/api"
        name = "The Garage"
        scopes = { "garage:read" = "See the vehicles in your garage" }
        clients = ["garage-server"]
        [[resources]]
        uri = "urn:example:bare"
        name = "Bare"
        "#,
    );
    let resources = file.load().unwrap().resources;
    assert_eq!((resources.len(), resources[0].uri.as_str(), resources[0].clients.len()), (2, "https://garage.example/api", 1));
    assert_eq!(resources[0].scopes["garage:read"], "See the vehicles in your garage");
    assert!(resources[1].scopes.is_empty());
}

#[test]
fn every_problem_of_every_resource_is_told() {
    let file = File::new(
        "bad-resources",
        r#"
        [[resources]]
        uri = "https://garage.example/api"
        name = "The Garage"
        scopes = { "garage:read" = "See it", "openid" = "Mine", "a b" = "Two", "empty" = " " }
        [[resources]]
        uri = "https://garage.example/api"
        name = "Again"
        scopes = { "garage:read" = "See it too" }
        [[resources]]
        uri = "garage"
        nam = "x"
        scopes = { "garage:write" = 1 }
        "#,
    );
    let problems = file.problems();
    for part in [
        "resources[0].scopes (file): `openid` is a scope of this server itself",
        "resources[0].scopes (file): `a b` is no scope",
        "resources[0].scopes (file): `empty` needs a sentence",
        "resources[1].uri (file): https://garage.example/api is declared twice",
        "resources[1].scopes (file): `garage:read` belongs to another resource",
        "resources[2].uri (file):",
        "resources[2].nam (file): is not a setting of a resource: did you mean `name`?",
        "resources[2].name (file): is missing",
        "resources[2].scopes (file): holds a scope whose sentence is not text",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 9, "{problems:#?}");
    assert!(File::new("no-list", "resources = 1").problems()[0].contains("[[resources]]"));
}

#[test]
fn permissions_of_the_file_take_the_place_of_the_usual_ones() {
    let file = File::new(
        "permissions",
        r#"
        [[permissions]]
        name = "garage:open"
        id = 9
        title = "Open the garage"
        sentence = "Open the door of the garage"
        risk = "high"
        icon = "command"
        [[permissions]]
        name = "fleet:list"
        id = 9
        method = "ethr"
        title = "List"
        sentence = "See which cars there are"
        [[permission_templates]]
        id = "door"
        title = "The door"
        permissions = ["garage:open"]
        [[clients]]
        id = "app"
        name = "App"
        public = true
        redirect_uris = ["https://app.example/cb"]
        audiences = ["my-app"]
        permissions = ["garage:open"]
        first_party = true
        "#,
    );
    let config = file.load().unwrap();
    let shown: Vec<String> =
        config.vocabulary.terms().iter().map(|term| format!("{} {} {} {}", term.name, term.id, term.method, term.risk)).collect();
    assert_eq!(shown, ["garage:open 9 erc721 high", "fleet:list 9 ethr medium"]);
    assert_eq!(config.vocabulary.templates().len(), 1);
    let metadata = &config.clients[0].metadata;
    assert_eq!(metadata.audiences.as_deref(), Some(&["my-app".to_owned()][..]));
    assert_eq!((metadata.permissions.as_ref().map(ToString::to_string).as_deref(), metadata.first_party), (Some("garage:open"), true));
    assert_eq!(config.client_records(crate::domain::Timestamp::from_seconds(0))[0].metadata, *metadata);
    // Without any, there are the usual ones, and a client has no limits.
    let usual = Config::untouched().unwrap().vocabulary;
    assert_eq!((usual.terms().len(), usual.templates().len()), (14, 2));
}

#[test]
fn what_is_wrong_with_permissions_is_told_at_once() {
    let file = File::new(
        "bad-permissions",
        r#"
        [[permissions]]
        name = "garage open"
        id = 0
        method = "erc20"
        title = " "
        sentence = "x"
        risk = "none"
        icon = "smile"
        [[permissions]]
        name = "a"
        id = 1
        title = "A"
        sentence = "A"
        [[permissions]]
        name = "a"
        id = 2
        title = "A"
        sentence = "A"
        [[permissions]]
        name = "b"
        id = 1
        title = "1234567890123456789012345678901234567890123456789012345678901"
        sentence = "B"
        [[permission_templates]]
        id = "1"
        title = "One"
        permissions = []
        [[permission_templates]]
        id = "2"
        titel = "Two"
        permissions = ["a"]
        [[clients]]
        id = "app"
        name = "App"
        public = true
        redirect_uris = ["https://app.example/cb"]
        audiences = ["my app"]
        permissions = ["a", "c"]
        "#,
    );
    insta::assert_snapshot!(file.problems().join("\n"));
    let one = File::new("one-permission", "[permissions]\nname = 'a'");
    assert_eq!(one.problems(), ["permissions (file): is not a list of permissions; expected [[permissions]], once for each permission"]);
    let template = "[[permission_templates]]\nid = 'x'\ntitle = 'X'\npermissions = ['privilege:GetLiveData', 'privilege:No']";
    let unknown = File::new("unknown-permission", template);
    assert_eq!(unknown.problems(), ["permission_templates[0].permissions (file): there are no such permissions: privilege:No"]);
}
