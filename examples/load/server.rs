//! The server under load, as a process of its own: started with the settings that a run needs, measured by what the system knows of it,
//! stopped at the end of the run whatever happens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::http::Connection;
use crate::machine;

const READY_WITHIN: Duration = Duration::from_secs(30);
// The callers all come from one address; the limits are for people.
const LIMITS: [(&str, &str); 7] = [
    ("LATCHKEY_PASSWORDS_PER_ADDRESS_PER_HOUR", "1000000"),
    ("LATCHKEY_PASSWORDS_PER_NETWORK_PER_HOUR", "1000000"),
    ("LATCHKEY_PASSWORDS_IN_ALL_PER_HOUR", "100000000"),
    ("LATCHKEY_LIMITS_CHALLENGES_PER_MINUTE", "1000000"),
    ("LATCHKEY_LIMITS_FAILURES_PER_MINUTE", "1000000"),
    ("LATCHKEY_LIMITS_SIGNINS_PER_MINUTE", "1000000"),
    ("LATCHKEY_LIMITS_VISITS_PER_MINUTE", "1000000"),
];
// A client of each algorithm that the tables name, with everything that a real one has.
const CLIENTS: &str = r#"
[[clients]]
id = "load-rs256"
name = "Load RS256"
secret = "load-secret-load-secret-load-secret-0"
redirect_uris = ["http://127.0.0.1:1/callback"]
signing_alg = "RS256"

[[clients]]
id = "load-es256"
name = "Load ES256"
secret = "load-secret-load-secret-load-secret-0"
redirect_uris = ["http://127.0.0.1:1/callback"]
signing_alg = "ES256"

[[clients]]
id = "load-eddsa"
name = "Load EdDSA"
secret = "load-secret-load-secret-load-secret-0"
redirect_uris = ["http://127.0.0.1:1/callback"]
signing_alg = "EdDSA"

[[clients]]
id = "load-service"
name = "Load service"
secret = "load-secret-load-secret-load-secret-0"
grant_types = ["client_credentials"]
scope = "load.run"
signing_alg = "ES256"

[[clients]]
id = "load-machine"
name = "Load machine"
jwks_file = "FOLDER/machine.json"
grant_types = ["client_credentials"]
scope = "load.run"
signing_alg = "ES256"

[[clients]]
id = "load-public"
name = "Load public"
public = true
redirect_uris = ["http://127.0.0.1:1/callback"]
signing_alg = "ES256"
"#;

/// Where a server is to run: the program, a data folder, a database.
#[derive(Debug)]
pub(crate) struct Place {
    program: PathBuf,
    folder: PathBuf,
    database: String,
}

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first answer of `/readyz` that says ready.
    pub(crate) ready_after: Duration,
}

impl Place {
    /// A new, empty folder under `root`. `database` is a URL, or none for SQLite in that folder.
    pub(crate) fn new(program: &Path, root: &Path, name: &str, database: Option<&str>) -> Result<Self, Failure> {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder)?;
        machine::write_keys(&folder.join("machine.json"))?;
        std::fs::write(folder.join("latchkey.toml"), CLIENTS.replace("FOLDER", &folder.display().to_string()))?;
        let database = database.map_or_else(|| format!("sqlite://{}", folder.join("data/latchkey.db").display()), str::to_owned);
        Ok(Self { program: program.to_owned(), folder, database })
    }

    /// Starts the server and waits until it is ready. Passwords are off, as they are unless an operator wants them: their pool keeps the
    /// memory of a hash, and makes one at the start.
    pub(crate) async fn start(&self) -> Result<Server, Failure> {
        self.start_with(false).await
    }

    /// The same with passwords.
    pub(crate) async fn start_with_passwords(&self) -> Result<Server, Failure> {
        self.start_with(true).await
    }

    async fn start_with(&self, passwords: bool) -> Result<Server, Failure> {
        let [port, operations] = free_ports()?;
        let log = std::fs::File::create(self.folder.join("server.log"))?;
        let start = Instant::now();
        let mut command = Command::new(&self.program);
        // What is set around this run, for other servers, is nothing to this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LATCHKEY_")) {
            command.env_remove(name);
        }
        let child = command
            .arg("serve")
            .arg("--config")
            .arg(self.folder.join("latchkey.toml"))
            .arg("--data")
            .arg(self.folder.join("data"))
            .args(["--database", &self.database])
            .env("LATCHKEY_SERVER_LISTEN", format!("127.0.0.1:{port}"))
            .env("LATCHKEY_SERVER_ISSUER", format!("http://localhost:{port}"))
            .env("LATCHKEY_SERVER_OPERATIONS_LISTEN", format!("127.0.0.1:{operations}"))
            .env("LATCHKEY_IDENTITY_REGISTRY_PUBLIC", "true")
            .envs(LIMITS)
            .env("LATCHKEY_PASSWORDS_ENABLED", passwords.to_string())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Server { child, address: SocketAddr::from(([127, 0, 0, 1], port)), ready_after: Duration::ZERO };
        let mut operations = Connection::new(SocketAddr::from(([127, 0, 0, 1], operations)));
        loop {
            if operations.get("/readyz", "").await.is_ok_and(|reply| reply.status == 200) {
                server.ready_after = start.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended ({status}):\n{}", self.log()).into());
            }
            if start.elapsed() > READY_WITHIN {
                return Err(format!("the server is not ready after {READY_WITHIN:?}:\n{}", self.log()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The URL of its database.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }
}

impl Server {
    /// CPU time of the process so far, user and system (proc(5): `utime` and `stime`, in hundredths of a second).
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let behind_name = stat.rsplit_once(") ").ok_or("no process name in stat")?.1;
        let mut fields = behind_name.split(' ').skip(11);
        let mut ticks = || -> Result<u64, Failure> { Ok(fields.next().ok_or("stat is too short")?.parse()?) };
        Ok(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1_024.0)
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server did not stop in order: {status}").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after `stop`; then there is nothing to do, and nothing to say.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports() -> Result<[u16; 2], Failure> {
    let (one, two) = (std::net::TcpListener::bind("127.0.0.1:0")?, std::net::TcpListener::bind("127.0.0.1:0")?);
    Ok([one.local_addr()?.port(), two.local_addr()?.port()])
}
