//! The log of the real program, at its most talkative, after a whole sign-in with its mistakes: it holds no secret.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::actors::{App, Browser, CHALLENGE, Form, Tokens, VERIFIER, Wallet};
use crate::api_challenge::{SUBMIT, answer, ask, generated};
use crate::world::{ISSUER, REDIRECT_URI, SECRET};

/// The program with its log, stopped when it is dropped.
struct Program {
    child: Child,
    base: String,
    log: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

fn command(data: &std::path::Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.args(args).arg("--data").arg(data).current_dir(data).env_clear().stdin(Stdio::null());
    command
}

impl Program {
    fn start(data: &std::path::Path, filter: &str) -> Self {
        let mut command = command(data, &["serve", "--listen", "127.0.0.1:0", "--issuer", ISSUER]);
        command.env("LATCHKEY_LOG_FILTER", filter).env("LATCHKEY_LOG_FORMAT", "json").env("LATCHKEY_SERVER_OPERATIONS_LISTEN", "off");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let base = loop {
            let begun = log.len();
            assert!(lines.read_line(&mut log).unwrap() > 0, "it did not start: {log}");
            let line: serde_json::Value = serde_json::from_str(&log[begun..]).unwrap();
            if line["message"] == "ready" {
                break format!("http://{}", line["address"].as_str().unwrap());
            }
        };
        let log = Arc::new(Mutex::new(log));
        let shared = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).unwrap();
            shared.lock().unwrap().push_str(&rest);
        });
        Self { child, base, log, reader: Some(reader) }
    }

    /// Stops it as an operator does, for its whole log.
    fn stop(mut self) -> String {
        let stopped = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// One flow with all that can be wrong in it; every secret that was said is returned.
async fn talk(base: &str) -> Vec<(&'static str, String)> {
    let (app, web, browser, wallet) = (App::at(base, "app"), App::at(base, "web").with_secret(), Browser::at(base), Wallet::new(1));
    let request = app
        .request()
        .with("state", "the-state-of-the-app")
        .with("nonce", "the-nonce-of-the-app")
        .with("login_hint", "somebody@private.example");
    let interaction = browser.begin(&request).await;
    let asked = browser.ask(&interaction, &wallet).await;
    let wrong = wallet.sign("another message");
    assert_eq!(browser.answer(&interaction, &asked, &wrong).await.status, 400);
    let asked = browser.ask(&interaction, &wallet).await;
    let signature = wallet.sign(&asked.message);
    browser.answer(&interaction, &asked, &signature).await;
    let code = browser.go_on(&interaction, &wallet).await.query("code").unwrap();
    let tokens = Tokens::read(&app.redeem(&code).await);
    assert_eq!(app.redeem(&code).await.status, 400, "a second use, which is worth a line in the log");
    app.assert_refused(&tokens.access, "revoked").await;
    app.userinfo(&format!("{}x", tokens.access)).await;
    browser.get(&format!("/userinfo?access_token={}", tokens.access)).await;
    browser.auth(&request.clone().with("redirect_uri", "https://evil.example/?secret-in-a-redirect-uri")).await;
    let kept = browser.post_cross_site("/auth", &request).await.query("form").unwrap();
    browser.get(&format!("/auth?form={kept}")).await;
    browser.get(&format!("/logout?id_token_hint={}", tokens.id)).await;
    let other = web.code(&browser, &wallet).await;
    let theirs = Tokens::read(&web.redeem(&other).await);
    web.token(&web.redemption(&other).with("client_secret", "a-wrong-secret-of-many-characters!")).await;
    let (state, message) = generated(&browser, &ask("app", &wallet.address.to_string())).await;
    let by_api = wallet.sign(&message);
    let here = Tokens::read(&browser.post_form(SUBMIT, &answer("app", &state, &by_api)).await);
    let page = browser.get("/account").await;
    browser
        .post_form("/account/profile", &Form::of(&[("csrf", &page.csrf()), ("name", "A Private Name"), ("birthdate", "1815-12-10")]))
        .await;
    browser.post("/account/profile", &[("csrf", "a-forged-token-of-somebody")]).await;
    let cookies = ["latchkey_browser", "latchkey_session"].map(|name| browser.cookie(name).unwrap());
    let [browser_cookie, session] = cookies;
    vec![
        ("code", code),
        ("code", other),
        ("access token", tokens.access),
        ("ID token", tokens.id),
        ("access token", theirs.access),
        ("ID token", here.id),
        ("signature", signature),
        ("signature", by_api),
        ("wrong signature", wrong),
        ("state of a challenge", state),
        ("kept form", kept),
        ("browser cookie", browser_cookie),
        ("session cookie", session),
        ("CSRF token", page.csrf()),
        ("client secret", SECRET.into()),
        ("wrong secret", "a-wrong-secret-of-many-characters!".into()),
        ("verifier", VERIFIER.into()),
        ("state", "the-state-of-the-app".into()),
        ("nonce", "the-nonce-of-the-app".into()),
        ("login hint", "somebody@private.example".into()),
        ("challenge", CHALLENGE.into()),
        ("profile", "A Private Name".into()),
        ("message", message.lines().nth(8).unwrap().trim_start_matches("Nonce: ").to_owned()),
        ("forged token", "a-forged-token-of-somebody".into()),
        ("query", "secret-in-a-redirect-uri".into()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_holds_no_secret_however_much_it_tells() {
    let name = uuid::Builder::from_random_bytes(latchkey::domain::Entropy::System.bytes()).into_uuid();
    let data = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("logs-{name}"));
    std::fs::create_dir_all(&data).unwrap();
    for kind in [&["--public", "--id", "app"][..], &["--secret", SECRET, "--id", "web"]] {
        let created =
            command(&data, &[&["client", "create", "--name", "An app", "--redirect-uri", REDIRECT_URI], kind].concat()).output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    }
    for filter in ["debug", "trace"] {
        let program = Program::start(&data, filter);
        let secrets = talk(&program.base).await;
        let log = program.stop();
        for (what, secret) in &secrets {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{what}, at {filter}");
        }
        // The search looks at the right text: each request is there with its id, route and status.
        let requests = log.lines().filter(|line| line.contains("\"message\":\"answered\"")).count();
        assert!(requests >= 25, "{requests} at {filter}");
        assert!(log.contains("/interaction/{id}/wallet/signature") && log.contains("a code was presented again"), "at {filter}");
    }
    std::fs::remove_dir_all(&data).unwrap();
}
