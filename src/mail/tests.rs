//! Letters, and the mail server: what is said to it in the clear and what is not, whom it may be.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::smtp::Smtp;
use super::{CodeFacts, Letter, MailError, NoticeFacts};
use crate::config::Mail;
use crate::domain::{EmailCode, EmailCodeId, Timestamp};

const AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

fn letter() -> Letter {
    let code = EmailCode::of(EmailCodeId(Uuid::from_u128(1)), &[7; 32]);
    Letter::code(Uuid::from_u128(1), AT, &CodeFacts { site: "id.example", code: &code, lifetime: "10 minutes".to_owned() }).unwrap()
}

#[test]
fn a_letter_says_it_in_text_and_in_html() {
    let letter = letter();
    let code = EmailCode::of(EmailCodeId(Uuid::from_u128(1)), &[7; 32]);
    assert_eq!(letter.subject, "Your code for id.example");
    for text in [&letter.text, &letter.html] {
        assert!(text.contains(code.expose()) && text.contains("id.example") && text.contains("10 minutes"), "{text}");
    }
    assert!(!format!("{letter:?}").contains(code.expose()));
    let facts = NoticeFacts {
        site: "id.example",
        title: "A way to sign in was added",
        what: "This: <script>alert(1)</script> & more.".to_owned(),
        when: "1 January 2026, 00:00 UTC".to_owned(),
        account: "https://id.example/account".to_owned(),
    };
    let notice = Letter::notice(Uuid::from_u128(2), AT, &facts).unwrap();
    assert!(notice.text.contains("<script>") && notice.text.contains("https://id.example/account"), "{}", notice.text);
    assert!(!notice.html.contains("<script>") && notice.html.contains("href=\"https://id.example/account\""), "{}", notice.html);
}

/// How a server of the tests keeps what is said to it from others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tls {
    Never,
    AtOnce,
    Offered,
}

struct Server {
    port: u16,
    /// What was said to it, by line, `TLS` where that began.
    heard: Arc<Mutex<Vec<String>>>,
    authority: String,
}

async fn server(tls: Tls, name: &str) -> Server {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (kept, acceptor) = (Arc::clone(&kept), acceptor.clone());
            tokio::spawn(async move {
                let stream = match tls {
                    Tls::AtOnce => {
                        let stream = acceptor.accept(stream).await.ok()?;
                        kept.lock().unwrap().push("TLS".to_owned());
                        return talk(stream, true, &kept).await;
                    }
                    Tls::Never | Tls::Offered => talk_first(stream, tls == Tls::Offered, &kept).await?,
                };
                let stream = acceptor.accept(stream).await.ok()?;
                kept.lock().unwrap().push("TLS".to_owned());
                talk(stream, false, &kept).await
            });
        }
    });
    Server { port, heard, authority: made.cert.pem() }
}

// In the clear, until STARTTLS.
async fn talk_first(mut stream: tokio::net::TcpStream, offers: bool, heard: &Mutex<Vec<String>>) -> Option<tokio::net::TcpStream> {
    stream.write_all(b"220 mail.test\r\n").await.ok()?;
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(tokio::io::AsyncReadExt::read_u8(&mut stream).await.ok()?);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        heard.lock().unwrap().push(line.clone());
        let reply: &[u8] = match line.split(' ').next() {
            Some("EHLO") if offers => b"250-mail.test\r\n250 STARTTLS\r\n",
            Some("EHLO") => b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n",
            Some("STARTTLS") => b"220 go on\r\n",
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).await.ok()?;
        if line == "STARTTLS" {
            return Some(stream);
        }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite, greets: bool, heard: &Mutex<Vec<String>>) -> Option<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(Box::pin(read)).lines();
    let mut data = false;
    if greets {
        write.write_all(b"220 mail.test\r\n").await.ok()?;
    }
    write.flush().await.ok()?;
    loop {
        let line = lines.next_line().await.ok()??;
        if data {
            data = line != ".";
            if data {
                continue;
            }
        }
        heard.lock().unwrap().push(line.clone());
        let reply: &[u8] = match line.split(' ').next() {
            Some("EHLO") => b"250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n",
            Some("AUTH") => b"235 welcome\r\n",
            Some("RCPT") if line.contains("<nobody@example.com>") => {
                b"550-5.1.1 <Nobody@Example.com>: there is no such person here, and it would not help to write again, whatever it is about, \
                  since nobody of that name ever was here; whom you look for may be somewhere else, or may never have been anywhere at all, \
                  who knows, we do not, and nobody else does either;\r\n550 not nobody@example.com, that is sure, not nobody@example.com\r\n"
            }
            Some("DATA") => {
                data = true;
                b"354 go on\r\n"
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(reply).await.ok()?;
        write.flush().await.ok()?;
    }
}

fn smtp(url: &str, authority: Option<&str>) -> Smtp {
    let file = authority.map(|pem| {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("latchkey-mail-ca-{}-{number}", std::process::id()));
        std::fs::write(&file, pem).unwrap();
        file
    });
    let settings = Mail {
        smtp_url: Some(url.parse().unwrap()),
        smtp_password: None,
        from: Some("The Garage <id@garage.example>".parse().unwrap()),
        extra_ca_file: file.clone(),
        timeout: Duration::from_secs(5),
    };
    let smtp = Smtp::new(&settings, "id.example").unwrap().unwrap();
    if let Some(file) = file {
        let _ = std::fs::remove_file(file);
    }
    smtp
}

async fn send(smtp: &Smtp) -> Result<(), MailError> {
    smtp.send(&"ada@example.com".parse().unwrap(), &letter()).await
}

#[tokio::test]
async fn a_letter_goes_by_tls_and_the_next_by_the_same_connection() {
    for (tls, url) in [(Tls::AtOnce, "smtps://id:secret@localhost"), (Tls::Offered, "smtp://id:secret@localhost")] {
        let server = server(tls, "localhost").await;
        let smtp = smtp(&format!("{url}:{}?tls=required", server.port), Some(&server.authority));
        smtp.knock().await.unwrap();
        send(&smtp).await.unwrap();
        send(&smtp).await.unwrap();
        let heard = server.heard.lock().unwrap().clone();
        let since = heard.iter().position(|line| line == "TLS").unwrap();
        assert!(heard[..since].iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{heard:?}");
        let words: Vec<&str> = heard[since..].iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(words, ["TLS", "EHLO", "AUTH", "NOOP", "MAIL", "RCPT", "DATA", ".", "NOOP", "MAIL", "RCPT", "DATA", "."]);
        assert!(!format!("{smtp:?}").contains("secret"));
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_prove_its_name_or_offer_tls() {
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    for (tls, name, scheme, authority) in [
        (Tls::Never, "localhost", "smtp", true),
        (Tls::Offered, "mail.example", "smtp", true),
        (Tls::Offered, "localhost", "smtp", false),
        (Tls::AtOnce, "localhost", "smtps", false),
        (Tls::AtOnce, "mail.example", "smtps", true),
    ] {
        let server = server(tls, name).await;
        let authority = if authority { &server.authority } else { &stranger };
        let smtp = smtp(&format!("{scheme}://id:secret@localhost:{}?tls=required", server.port), Some(authority));
        for outcome in [send(&smtp).await, smtp.knock().await] {
            assert!(matches!(outcome, Err(MailError::NotNow(_))), "{outcome:?}");
        }
        let heard = server.heard.lock().unwrap().clone();
        let harmless = |line: &String| line.starts_with("EHLO") || line == "STARTTLS" || line == "QUIT";
        assert!(heard.iter().all(harmless), "{name}: {heard:?}");
    }
}

// What the log has of it.
#[tokio::test]
async fn a_refusal_is_told_without_whom_it_was_for() {
    let server = server(Tls::AtOnce, "localhost").await;
    let smtp = smtp(&format!("smtps://id:secret@localhost:{}", server.port), Some(&server.authority));
    let Err(MailError::Refused(words)) = smtp.send(&"nobody@example.com".parse().unwrap(), &letter()).await else {
        panic!("it is refused")
    };
    assert!(words.contains("5.1.1 <…>: there is no such person"), "{words}");
    assert!(words.chars().count() == 300 && !words.to_lowercase().contains("nobody@"), "{words}");
}

#[tokio::test]
async fn what_cannot_be_set_up_is_told() {
    let settings = Mail {
        smtp_url: Some("smtps://mail.example".parse().unwrap()),
        smtp_password: None,
        from: Some("id@garage.example".parse().unwrap()),
        extra_ca_file: Some("/nowhere/ca.pem".into()),
        timeout: Duration::from_secs(1),
    };
    let Err(MailError::Setup(words)) = Smtp::new(&settings, "id.example") else { panic!("there is no such file") };
    assert!(words.starts_with("mail.extra_ca_file /nowhere/ca.pem cannot be read"), "{words}");
    assert!(Smtp::new(&Mail { smtp_url: None, ..settings }, "id.example").unwrap().is_none());
}
