//! What pages show of assets, and of what was granted on them.

use askama::Template;

use super::{Frame, text};
use crate::web::assets;

/// What an app asks for on assets, on the consent page.
#[derive(Clone, Debug)]
pub struct AssetBlock {
    /// Its place in the request: the names of its fields end with it.
    pub number: usize,
    pub subject: AssetSubject,
    /// What the app cannot do without.
    pub needed: Vec<PermissionLine>,
    pub optional: Vec<PermissionLine>,
    /// Kinds of documents and events, in words.
    pub events: Vec<String>,
    /// What for, in the app's own words.
    pub purpose: Option<String>,
    pub spans: Vec<SpanLine>,
    /// Why there is nothing to agree to.
    pub lack: Option<String>,
}

/// Which assets a block is about.
#[derive(Clone, Debug)]
pub enum AssetSubject {
    /// Each of these.
    These(Vec<AssetLine>),
    /// All that there are, and that come.
    All(Vec<AssetLine>),
    /// Some of these, in so many words.
    Pick { how_many: String, from: Vec<AssetLine> },
}

/// An asset as its owner knows it.
#[derive(Clone, Debug)]
pub struct AssetLine {
    pub name: String,
    /// The end of its DID, to tell two alike apart.
    pub id: String,
    pub did: String,
    /// What its field says: the epoch in which it is shown, and the DID.
    pub value: String,
    pub chosen: bool,
}

/// A permission in words.
#[derive(Clone, Debug)]
pub struct PermissionLine {
    pub name: String,
    pub title: String,
    pub sentence: String,
    /// Whether much could go wrong with it.
    pub grave: bool,
    pub chosen: bool,
}

/// For how long something may be granted.
#[derive(Clone, Debug)]
pub struct SpanLine {
    pub seconds: u64,
    pub label: String,
    pub chosen: bool,
}

/// What an app may do with something of a person's.
#[derive(Clone, Debug)]
pub struct GrantLine {
    pub id: String,
    pub app: String,
    pub asset: String,
    /// The titles of what is granted.
    pub may: Vec<String>,
    /// What for, in the app's own words.
    pub purpose: Option<String>,
    pub since: String,
    /// The day of its end, or how it ended.
    pub until: String,
}

/// `/account/assets`: what is mine, and who may use it?
#[derive(Template, Debug)]
#[template(path = "account_assets.html")]
pub struct AccountAssetsPage {
    pub frame: Frame,
    pub csrf: String,
    pub living: Vec<GrantLine>,
    pub over: Vec<GrantLine>,
    pub mine: Vec<AssetLine>,
    /// The name of what was taken over just now.
    pub claimed: Option<String>,
    /// Why nothing was taken over.
    pub problem: Option<String>,
}
