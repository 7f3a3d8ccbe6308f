//! An operator at a terminal, in a folder of their own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The folder goes when the operator does.
pub(crate) struct Operator {
    pub(crate) folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Operator {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("latchkey-cli-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, variables: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command with `--data data`, nothing in its environment, the folder as its place.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(args).args(["--data", "data"]).current_dir(&self.folder).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().unwrap())
    }

    /// Runs a command that reads `input`.
    pub(crate) fn tell(&self, input: &str, args: &[&str]) -> Ended {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ended::from(child.wait_with_output().unwrap())
    }

    /// Runs a command that must succeed, for its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.run(args).json()
    }

    /// Runs a command that must be refused with exit code 1 and nothing on standard output, for its reason.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        self.run(args).reason(1)
    }

    /// Runs a command line that must not be understood, for the complaint.
    pub(crate) fn misunderstood(&self, args: &[&str]) -> String {
        self.run(args).reason(2)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ended = Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) };
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        ended
    }
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }

    pub(crate) fn reason(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        self.err
    }
}

/// The text at a JSON object's key.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text at {key}: {value}"))
}

/// The operator's database, opened beside the command line.
pub(crate) struct Opened {
    pub(crate) store: latchkey::store::Store,
    pub(crate) runtime: tokio::runtime::Runtime,
}

impl Operator {
    pub(crate) fn store(&self) -> Opened {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("sqlite://{}", self.folder.join("data/latchkey.db").display());
        let settings = latchkey::store::DatabaseSettings { url, max_connections: 2 };
        let store = runtime.block_on(latchkey::store::Store::open(&settings)).unwrap();
        Opened { store, runtime }
    }
}
