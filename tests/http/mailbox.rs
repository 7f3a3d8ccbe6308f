//! A mail server: it takes mails and keeps them to be read, or refuses, stalls or hangs up, as the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey::domain::Clock;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How it deals with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    /// It will never write to anybody.
    Refuses,
    /// Not now, perhaps later.
    Later,
    /// It takes the connection and says nothing.
    Stalls,
    /// It says nothing once it has been told whom to write to.
    StallsLater,
    HangsUp,
}

/// A mail, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// The header section, unfolded.
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Mail {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
    }

    /// The code that stands alone on a line of it.
    pub(crate) fn code(&self) -> String {
        let digits = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        self.text.lines().map(str::trim).find(digits).unwrap_or_else(|| panic!("no code: {}", self.text)).to_owned()
    }

    fn read(from: String, to: Vec<String>, raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let part = |kind: &str| {
            let start = body.find(&format!("Content-Type: {kind}")).unwrap_or_else(|| panic!("no {kind}: {body}"));
            let (head, rest) = body[start..].split_once("\r\n\r\n").unwrap();
            let text = rest.split("\r\n--latchkey-").next().unwrap();
            if head.contains("quoted-printable") { unquoted(text) } else { text.to_owned() }
        };
        let (text, html) = (part("text/plain"), part("text/html"));
        Self { from, to, head, text, html }
    }
}

// RFC 2045 §6.7.
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || u8::try_from(char::from(rest.next().unwrap()).to_digit(16).unwrap()).unwrap();
        bytes.push(if byte == b'=' { digit() << 4 | digit() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}

pub(crate) struct MailServer {
    port: u16,
    manner: Arc<Mutex<Manner>>,
    mails: Arc<Mutex<Vec<Mail>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl MailServer {
    pub(crate) async fn new() -> Self {
        Self::at(0).await
    }

    pub(crate) async fn at(port: u16) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let (manner, mails) = (Arc::new(Mutex::new(Manner::Takes)), Arc::new(Mutex::new(Vec::new())));
        let (told, count) = watch::channel(0);
        let told = Arc::new(told);
        let (how, kept) = (Arc::clone(&manner), Arc::clone(&mails));
        let task = tokio::spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = socket.accept().await {
                talks.spawn(talk(stream, Arc::clone(&how), Arc::clone(&kept), Arc::clone(&told)));
            }
        });
        Self { port, manner, mails, count, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// From now on it deals with mails so.
    pub(crate) fn is(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// All that it has taken, once that is as much as `count`.
    pub(crate) async fn mails(&self, count: usize) -> Vec<Mail> {
        self.mails_within(count, Duration::from_secs(20)).await.unwrap_or_else(|| panic!("there are no {count} mails"))
    }

    /// The same, where the clock goes on meanwhile: an attempt that was under way is put off from the moment at which it failed.
    pub(crate) async fn mails_later(&self, count: usize, clock: &Clock) -> Vec<Mail> {
        for _ in 0..20 {
            clock.advance(Duration::from_secs(10));
            if let Some(mails) = self.mails_within(count, Duration::from_secs(2)).await {
                return mails;
            }
        }
        panic!("there are no {count} mails");
    }

    async fn mails_within(&self, count: usize, time: Duration) -> Option<Vec<Mail>> {
        let mut counted = self.count.clone();
        let enough = counted.wait_for(|now| *now >= count);
        tokio::time::timeout(time, enough).await.ok()?.unwrap();
        Some(self.mails.lock().unwrap().clone())
    }

    /// The last one, which is the one of that number.
    pub(crate) async fn mail(&self, number: usize) -> Mail {
        let mails = self.mails(number).await;
        assert_eq!(mails.len(), number, "{mails:?}");
        mails.last().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(stream: TcpStream, manner: Arc<Mutex<Manner>>, mails: Arc<Mutex<Vec<Mail>>>, told: Arc<watch::Sender<usize>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let now = || *manner.lock().unwrap();
    if now() == Manner::Stalls {
        std::future::pending::<()>().await;
    }
    if now() == Manner::HangsUp {
        return None;
    }
    write.write_all(b"220 mail.test\r\n").await.ok()?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let line = lines.next_line().await.ok()??;
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let reply = match (word.as_str(), now()) {
            ("EHLO", _) => "250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            ("MAIL", _) => {
                line.clone_into(&mut from);
                to.clear();
                "250 ok\r\n"
            }
            ("RCPT", Manner::Refuses) => "550 5.1.1 nobody of that name\r\n",
            ("RCPT", Manner::Later) => "451 4.7.1 greylisted, come again\r\n",
            ("RCPT", Manner::StallsLater) => std::future::pending().await,
            ("RCPT", Manner::HangsUp) => return None,
            ("RCPT", _) => {
                to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                "250 ok\r\n"
            }
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut raw = String::new();
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push_str("\r\n");
                }
                mails.lock().unwrap().push(Mail::read(from.clone(), to.clone(), &raw));
                told.send_modify(|count| *count += 1);
                "250 taken\r\n"
            }
            ("QUIT", _) => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "250 ok\r\n",
        };
        write.write_all(reply.as_bytes()).await.ok()?;
    }
}
