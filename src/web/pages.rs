//! The pages as types: facts in plain strings come in, HTML goes out. Each struct is one template of `templates/`.
//!
//! Every value is escaped where it is written; an address is a link only if its scheme cannot run script. Times are
//! strings for people, made by whoever fills the page. Nothing here loads, decides or knows of HTTP.

use askama::Template;
use serde::Serialize;

use crate::web::assets;

mod of_accounts;
mod of_assets;
mod of_email;
mod of_passwords;
mod of_upstreams;
mod text;

pub use of_accounts::{IdentityLine, RemovableWay, RemoveWayPage, SessionLine, WayName};
pub use of_assets::{AccountAssetsPage, AssetBlock, AssetLine, AssetSubject, GrantLine, PermissionLine, SpanLine};
pub use of_email::{EmailPage, EmailProblem, EmailStage};
pub use of_passwords::AccountPasswordPage;
pub use of_upstreams::LeavePage;

#[cfg(test)]
mod tests;

/// What every page has around it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The nonce of this reply's `Content-Security-Policy`.
    pub nonce: String,
    /// The window's title, without the product's name.
    pub title: String,
    /// Whether this is `latchkey dev`.
    pub dev: bool,
    pub request_id: String,
}

/// `/`: what this server is, and where to go.
#[derive(Template, Debug)]
#[template(path = "home.html")]
pub struct HomePage {
    pub frame: Frame,
    pub issuer: String,
}

/// A network that a wallet may be on when it signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    pub id: u64,
    pub name: String,
}

/// The ways of signing in that the page offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    pub upstreams: Vec<UpstreamButton>,
    /// What came of the one that was tried last.
    pub problem: Option<Problem>,
    /// The providers' ids of all of these, the first one first.
    pub order: Vec<String>,
    /// The one that was used last in this browser, where there is a choice.
    pub last: Option<String>,
    /// There are others, which the app did not ask for.
    pub more: bool,
}

impl Ways {
    fn has(&self, way: &str) -> bool {
        self.order.iter().any(|one| one == way)
    }

    fn was_last(&self, way: &str) -> bool {
        self.last.as_deref() == Some(way)
    }
}

/// Why somebody is not signed in, and what they can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub title: String,
    pub message: String,
}

/// A provider of ours, elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamButton {
    /// Its id in the configuration.
    pub id: String,
    pub name: String,
}

/// What the sign-in page is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    SignIn,
    /// To show once more that it is the same person.
    Confirm,
    /// To add a way to sign in to an account.
    Link,
}

/// The sign-in page; `static/signin.js` does its work. Without a client the person signs in to `/account`.
#[derive(Template, Debug)]
#[template(path = "signin.html")]
pub struct SignInPage {
    pub frame: Frame,
    pub aim: Aim,
    pub ways: Ways,
    pub client_name: Option<String>,
    /// As `RedirectUri::host` gives it: a host, or an app's own scheme with its colon.
    pub client_host: Option<String>,
    /// The path of its picture on this server.
    pub client_logo: Option<String>,
    /// The code of the device that the app is on, where it is on one.
    pub user_code: Option<String>,
    pub interaction: String,
    pub csrf: String,
    pub chains: Vec<Chain>,
    pub login_hint: Option<String>,
}

impl SignInPage {
    // The script reads the networks from an attribute; a list of numbers and strings always has a JSON form.
    fn chains_json(&self) -> String {
        serde_json::to_string(&self.chains).unwrap_or_else(|_| "[]".to_owned())
    }
}

/// A scope in words.
#[derive(Clone, Debug)]
pub struct ScopeLine {
    pub token: String,
    pub title: String,
    pub detail: String,
}

/// The consent page: may this app know these things?
#[derive(Template, Debug)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    pub frame: Frame,
    pub client_name: String,
    pub destination: Destination,
    pub client_id: String,
    /// The path of its picture on this server.
    pub client_logo: Option<String>,
    pub vouching: Vouching,
    /// Pages of the app's own: its site, what it does with data, its terms.
    pub client_pages: Vec<Link>,
    pub license: bool,
    pub scopes: Vec<ScopeLine>,
    /// What it would do with assets of the person's.
    pub assets: Vec<AssetBlock>,
    /// Why what was chosen could not be granted.
    pub problem: Option<String>,
    /// Who is signed in: a checksummed address, or a label.
    pub identity: String,
    /// The id of their account: who agrees is the one whom the page named.
    pub account: String,
    /// Whether the person allowed less to this app before.
    pub already: bool,
    pub interaction: String,
    pub csrf: String,
}

impl ConsentPage {
    // Whether there is nothing to agree to.
    fn lacks(&self) -> bool {
        self.assets.iter().any(|block| block.lack.is_some())
    }

    // The site that it leads to; an app's own scheme is no site.
    fn web_host(&self) -> Option<&str> {
        match &self.destination {
            Destination::Host(host) if !text::is_app_scheme(host) => Some(host),
            Destination::Host(_) | Destination::Device(_) => None,
        }
    }
}

/// Where a consent leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back to the app: as `RedirectUri::host` gives it.
    Host(String),
    /// To the device that shows this code.
    Device(String),
}

/// `/device`: which code does your device show?
#[derive(Template, Debug)]
#[template(path = "device.html")]
pub struct DevicePage {
    pub frame: Frame,
    pub csrf: String,
    /// The code that the browser came with: it is only to be compared.
    pub code: Option<String>,
    /// What was typed and did not work.
    pub problem: Option<String>,
}

/// What became of a device.
#[derive(Template, Debug)]
#[template(path = "device_done.html")]
pub struct DeviceDonePage {
    pub frame: Frame,
    pub client_name: String,
    pub allowed: bool,
}

/// Who says that an app is what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// The operator of this server has registered it.
    Operator,
    /// It registered itself.
    Itself,
    /// A document at this host.
    Site(String),
}

#[derive(Clone, Debug)]
pub struct AppLine {
    pub client_id: String,
    pub name: String,
    /// The titles of what was allowed.
    pub scopes: Vec<String>,
    pub since: String,
    /// Where the app begins a sign-in, if it said so.
    pub start: Option<Link>,
}

/// One field of the profile form; `name` is the claim's name (OpenID Connect Core §5.1).
#[derive(Clone, Debug)]
pub struct ProfileField {
    pub name: String,
    pub label: String,
    pub value: String,
    /// `text`, `url`, `date`, `email` or `tel`; anything else is a text field.
    pub kind: String,
    pub hint: String,
}

impl ProfileField {
    fn input_type(&self) -> &str {
        match self.kind.as_str() {
            kind @ ("url" | "date" | "email" | "tel") => kind,
            _ => "text",
        }
    }

    // WCAG 2.1 §1.3.5: a field about the person says which one it is, by the names of the HTML standard.
    fn autocomplete(&self) -> &'static str {
        match self.name.as_str() {
            "name" => "name",
            "given_name" => "given-name",
            "family_name" => "family-name",
            "middle_name" => "additional-name",
            "nickname" => "nickname",
            "preferred_username" => "username",
            "website" | "profile" => "url",
            "picture" => "photo",
            "gender" => "sex",
            "birthdate" => "bday",
            "locale" => "language",
            "email" => "email",
            "phone_number" => "tel",
            "street_address" => "address-line1",
            "postal_code" => "postal-code",
            "locality" => "address-level2",
            "region" => "address-level1",
            "country" => "country-name",
            _ => "off",
        }
    }
}

/// `/account`: who am I, which apps know me, where am I signed in.
#[derive(Template, Debug)]
#[template(path = "account.html")]
pub struct AccountPage {
    pub frame: Frame,
    pub csrf: String,
    pub identities: Vec<IdentityLine>,
    /// What became of the ways of signing in just now.
    pub notice: Option<String>,
    /// Whether people may sign in by password here.
    pub passwords: bool,
    pub account_id: String,
    pub apps: Vec<AppLine>,
    pub sessions: Vec<SessionLine>,
    pub profile: Vec<ProfileField>,
    /// The profile was saved just now.
    pub saved: bool,
    /// Why the profile was not saved.
    pub problem: Option<String>,
}

/// `/logout`: shall I sign you out?
#[derive(Template, Debug)]
#[template(path = "logout.html")]
pub struct LogoutPage {
    pub frame: Frame,
    pub csrf: String,
    pub client_name: Option<String>,
    /// The address to go to afterwards is not one that the app has registered.
    pub stays: bool,
    /// Fields that the confirmation carries on to `/logout/confirm`.
    pub hidden: Vec<(String, String)>,
}

#[derive(Template, Debug)]
#[template(path = "logged_out.html")]
pub struct LoggedOutPage {
    pub frame: Frame,
}

/// The reply to the app, posted by the browser (OAuth 2.0 Form Post Response Mode §2).
#[derive(Template, Debug)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    pub frame: Frame,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// Whose doing an error was: it decides what the page says to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The person, or their browser.
    You,
    /// The app that sent them.
    App,
    /// This server.
    Us,
}

impl Fault {
    fn words(self) -> &'static str {
        match self {
            Self::You => "Nothing is broken, neither here nor at the app.",
            Self::App => "The app that sent you here made a mistake. You did nothing wrong.",
            Self::Us => "This server has a problem. You did nothing wrong, and neither did the app.",
        }
    }
}

/// A way on.
#[derive(Clone, Debug)]
pub struct Link {
    pub href: String,
    pub label: String,
}

impl Link {
    fn safe_href(&self) -> Option<&str> {
        Some(self.href.as_str()).filter(|href| text::cannot_run_script(href))
    }
}

#[derive(Template, Debug)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    pub status: u16,
    pub title: String,
    /// What happened.
    pub what: String,
    pub whose: Fault,
    /// What the person can do.
    pub todo: String,
    /// The OAuth code and description, for the app's developer.
    pub detail: Option<String>,
    pub back: Option<Link>,
}
