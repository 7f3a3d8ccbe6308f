//! The table of settings: the one place where a setting has its name, type, default, range and description.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::mail::{Sender, SmtpUrl};
use super::table::settings;
use super::value::{DatabaseUrl, LogFormat, WebPage};
use super::{AssetIssuer, ClientEntry, Effective, Issuer, Network};
use crate::domain::{Contract, Scope, Secret, SubjectType};
use crate::keys::SealingKey;

settings! {
    /// Where the server is reached.
    server: Server {
        /// The address and port on which it answers.
        listen: SocketAddr = "127.0.0.1:8080";
        /// The public URL of this server, the `iss` of its tokens: https (http on loopback only), without path or trailing slash.
        issuer: Issuer = "http://localhost:8080", shown "http://localhost:{port of server.listen}, or https with tls.certificate_file";
        /// Address and port of `/healthz`, `/readyz` and `/metrics`; `off` for none.
        operations_listen: Option<SocketAddr> = "127.0.0.1:9090";
        /// The proxies whose `X-Forwarded-For` is believed: addresses or networks (10.0.0.0/8).
        trusted_proxies: Vec<Network>;
        /// Threads that answer requests; 0 is one for each core.
        workers: usize = "0", from "0" to "1024";
        /// A page with what developers of apps should know of this server; discovery names it.
        service_documentation: Option<WebPage>;
        /// A page that says how apps may use what they learn here; discovery names it.
        policy_uri: Option<WebPage>;
        /// A page with the terms of service for apps; discovery names it.
        tos_uri: Option<WebPage>;
        /// How long requests in flight may take to finish when the server stops.
        shutdown_timeout: Duration = "30s", from "0s" to "10m";
    }
    /// TLS in this process, where no proxy in front of it does that.
    tls: Tls {
        /// A PEM file of the certificate and the intermediate ones; with `tls.key_file`, `server.listen` speaks https. Read again when it changes.
        certificate_file: Option<PathBuf>;
        /// A PEM file of the certificate's private key (PKCS#8, SEC1 or PKCS#1), readable by the server's user alone (mode 0600).
        key_file: Option<PathBuf>;
    }
    /// Where files are kept.
    data: Data {
        /// The folder of the sealing key and of the SQLite file; made when it is missing.
        dir: PathBuf = "./data";
    }
    /// The database.
    database: Database {
        /// `sqlite://PATH` (the embedded database) or `postgres://USER:PASSWORD@HOST:PORT/NAME`.
        url: Option<DatabaseUrl>, shown "sqlite://{data.dir}/latchkey.db";
        /// The most connections that one process opens.
        max_connections: NonZeroU32 = "32", from "1" to "1000";
    }
    /// Signing keys.
    keys: Keys {
        /// The 256-bit key that seals the signing keys in the database: 43 characters of base64url or 64 hexadecimal digits.
        sealing_key: Option<SealingKey>;
        /// A file that holds the sealing key, readable by the server's user alone (mode 0600).
        sealing_key_file: Option<PathBuf>, shown "{data.dir}/sealing.key, made at the first start";
        /// How old a signing key gets before the next one takes its place.
        rotate_every: Duration = "90d", from "1m" to "3650d";
        /// How long a new key is published before it signs, so that apps have fetched it.
        publish_ahead: Duration = "10m", from "0s" to "30d";
    }
    /// Codes and tokens.
    tokens: Tokens {
        /// What `sub` is: `account` (the account's id), `pairwise` (another one for each app) or `connector` (the form of earlier deployments).
        subject: SubjectType = "account";
        /// How long an authorization code can be redeemed.
        code_lifetime: Duration = "60s", from "1s" to "60s";
        /// How long a person's access token lives, unless the client has a setting of its own.
        access_token: Duration = "1h", from "1m" to "1h";
        /// How long an ID token lives.
        id_token: Duration = "1h", from "1m" to "1d";
        /// How long a refresh token lives unused.
        refresh_idle: Duration = "30d", from "1m" to "3650d";
        /// How long a refresh token and all that take its place live at most.
        refresh_lifetime: Duration = "365d", from "1m" to "3650d";
        /// How long a developer token of a license lives, unless the license has a setting of its own.
        developer_token: Duration = "14d", from "1m" to "14d";
    }
    /// Authorization requests that apps push to `/par` (RFC 9126).
    pushed_requests: PushedRequests {
        /// How long a pushed request can be used.
        lifetime: Duration = "90s", from "5s" to "10m";
        /// Whether every app must push its requests.
        required: bool = "false";
    }
    /// Devices without a browser, which people connect by typing a code (RFC 8628).
    devices: Devices {
        /// How long a person has to connect a device.
        lifetime: Duration = "10m", from "1m" to "30m";
        /// How long a device waits between two polls.
        interval: Duration = "5s", from "1s" to "1m";
    }
    /// The ways of signing in.
    signin: Signin {
        /// Whether people may sign in with a wallet. Developer licenses sign in with their API keys all the same.
        wallet: bool = "true";
        /// Whether people may sign in by passkey. The issuer's host is what passkeys are made for: where it is an IP address, there are none.
        passkey: bool = "true";
    }
    /// Signing in by wallet.
    wallet: Wallet {
        /// The chain ids that a wallet may be on; the first is the one that messages name by default.
        chains: Vec<u64> = "137, 80002, 1", from "1" to "9007199254740991";
        /// How long a wallet has to sign a challenge.
        challenge_lifetime: Duration = "10m", from "10s" to "10m";
    }
    /// Signing in by email address and password.
    passwords: Passwords {
        /// Whether people may. A password is set on the account page, or by `latchkey account create`.
        enabled: bool = "false";
        /// The memory that one hash takes (argon2id), in KiB; each thread holds as much. The defaults are those of the OWASP Password Storage Cheat Sheet; when they change, passwords are hashed anew as people sign in.
        memory_kib: NonZeroU32 = "19456", from "8" to "1048576";
        /// How often argon2id goes over that memory.
        iterations: NonZeroU32 = "2", from "1" to "100";
        /// Threads that hash passwords, below all others in priority. A hash takes some 16 ms; where others want the processors too, a thread
        /// makes one or two a second, so that they are not held up: then more threads let more people in.
        threads: NonZeroU32 = "1", from "1" to "64";
        /// How many people may wait for them; more are told to come again.
        queue: NonZeroU32 = "32", from "1" to "10000";
        /// How often a password may be tried for one email address, an hour; all processes count together.
        per_address_per_hour: NonZeroU32 = "20", from "1" to "1000000";
        /// How often one network may try passwords, an hour.
        per_network_per_hour: NonZeroU32 = "120", from "1" to "1000000";
        /// How often everybody together may, an hour.
        in_all_per_hour: NonZeroU32 = "20000", from "1" to "100000000";
    }
    /// A browser's signed-in session.
    session: Session {
        /// How long it lasts at most.
        lifetime: Duration = "30d", from "1m" to "400d";
        /// How long it lasts unused.
        idle: Duration = "7d", from "1m" to "400d";
    }
    /// A visit to the sign-in page.
    interaction: Interaction {
        /// How long it can be finished.
        lifetime: Duration = "1h", from "1m" to "1d";
    }
    /// Apps that register themselves.
    registration: Registration {
        /// Whether apps may register at `/register` (RFC 7591) and manage what they registered (RFC 7592).
        enabled: bool = "false";
        /// The token that an app must present to register, at least 32 characters; without one, anybody's app may.
        initial_access_token: Option<Secret>;
        /// The scopes that an app which registered with the initial access token may have for itself (`client_credentials`), as far as it asked for them.
        client_credentials_scope: Option<Scope>;
        /// How long an app that registered itself, without the initial access token, or by its document, is kept while nobody has ever signed in to it; `0s`: for good.
        unused_lifetime: Duration = "30d", from "0s" to "3650d";
        /// Whether an app may be known by a document on its own site, whose https address is its client id (as the Model Context Protocol asks).
        client_id_documents: bool = "false";
    }
    /// Assets: what their owners grant of them, and the tokens for it.
    assets: Assets {
        /// The `iss` of asset tokens, which has keys of its own: an https URL (http on loopback only) other than `server.issuer`.
        issuer: Option<AssetIssuer>, shown "{server.issuer}/assets";
        /// The audiences that asset tokens may have, and have where an app names none, unless the client has a setting of its own.
        audiences: Vec<String> = "dimo.zone";
        /// The contracts of assets, each with its chain: where a request names an asset by contract and token id alone, they say which chain is meant. Of a contract that is not here it is the chain of the first. Where a token id alone names a vehicle, the first of them that has it is meant.
        contracts: Vec<Contract> = "137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF, 80002:0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8";
        /// How long an asset token lives at most.
        token_lifetime: Duration = "10m", from "1m" to "10m";
        /// How long a grant may last.
        longest_grant: Duration = "365d", from "1h" to "3650d";
    }
    /// The identity API, `/query`: what there is, whose it is, and with whom it is shared.
    identity: Identity {
        /// Whether everybody may read all of it without a token; where not, a token shows what its app owns or was granted.
        registry_public: Option<bool>, shown "true for `latchkey dev`, else false";
    }
    /// How often one address may try; counted by each process, but for what can be guessed.
    limits: Limits {
        /// Challenges asked for, a minute.
        challenges_per_minute: NonZeroU32 = "60", from "1" to "1000000";
        /// Wrong proofs of one client from one network, a minute, at all replicas together.
        failures_per_minute: NonZeroU32 = "20", from "1" to "1000000";
        /// Steps of sign-ins, a minute; one sign-in has two.
        signins_per_minute: NonZeroU32 = "120", from "1" to "1000000";
        /// Visits to the sign-in page that an address may begin, a minute.
        visits_per_minute: NonZeroU32 = "120", from "1" to "1000000";
        /// Registrations of apps, and fetches of their documents, a minute.
        registrations_per_minute: NonZeroU32 = "20", from "1" to "1000000";
        /// Requests and device codes that one app which registered itself may leave here, and assertions that it may spend, a minute.
        self_registered_per_minute: NonZeroU32 = "600", from "1" to "1000000";
        /// Devices of public apps that ask to be connected, a minute.
        devices_per_minute: NonZeroU32 = "60", from "1" to "1000000";
        /// Codes of devices that a network, or a browser, may try, and claim codes of assets that an account may try, a minute, at all replicas together.
        user_codes_per_minute: NonZeroU32 = "20", from "1" to "1000000";
        /// Codes of devices that everybody together may try, a minute, at all replicas.
        user_codes_in_all_per_minute: NonZeroU32 = "1000", from "1" to "1000000";
    }
    /// Fetching from addresses that apps have named: key sets, documents, logout.
    egress: Egress {
        /// A PEM file of certificate authorities that are believed besides the public ones.
        extra_ca_file: Option<PathBuf>;
        /// Whether apps may name addresses of loopback and private networks, and plain http: for development and tests.
        allow_private_networks: bool = "false";
    }
    /// Mail to people: codes to sign in with, and notices of changes to their accounts. Without a mail server there is neither.
    mail: Mail {
        /// The mail server: `smtps://USER:PASSWORD@HOST` speaks TLS from the start, `smtp://` begins with STARTTLS or sends nothing; only on loopback, or with `?tls=off` behind it, is it spoken to in the clear.
        smtp_url: Option<SmtpUrl>;
        /// The password at the mail server, where it is not a part of `mail.smtp_url`.
        smtp_password: Option<Secret>;
        /// Whom mails are from: an address, or a name and an address, as in `Example <id@example.com>`.
        from: Option<Sender>;
        /// A PEM file of certificate authorities that are believed for the mail server besides the public ones.
        extra_ca_file: Option<PathBuf>;
        /// How long the mail server may take for one mail.
        timeout: Duration = "10s", from "1s" to "1m";
    }
    /// Signing in by a code that is mailed.
    email_codes: EmailCodes {
        /// Whether people can sign in so, where there is a mail server.
        enabled: bool = "true";
        /// How long a code can be typed.
        lifetime: Duration = "10m", from "1m" to "10m";
        /// How long an address waits for its next code, at least.
        resend_after: Duration = "60s", from "10s" to "10m";
        /// Codes that are mailed to one address, an hour, at all replicas together; four times as many a day.
        per_address_per_hour: NonZeroU32 = "5", from "1" to "1000";
        /// Codes that callers of one network may ask for, an hour, at all replicas together.
        per_network_per_hour: NonZeroU32 = "60", from "1" to "1000000";
        /// Codes that are mailed to everybody together, an hour, by all replicas.
        in_all_per_hour: NonZeroU32 = "3000", from "1" to "1000000";
    }
    /// The log, on standard error.
    log: Log {
        /// `text` for people, `json` for machines.
        format: LogFormat = "text";
        /// What is logged: a level (error, warn, info, debug, trace), or a list like `info,latchkey=debug`, in which a name is that of a part of the program.
        filter: String = "info,actix_server=warn,sqlx=warn";
    }
}
