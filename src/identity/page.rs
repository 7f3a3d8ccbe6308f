//! Pages as Relay's connections have them: `first` after a cursor, or `last` before one.

use std::str::FromStr;

use async_graphql::connection::{Connection, CursorType, Edge};
use async_graphql::{ObjectType, OutputType, Result, SimpleObject};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::scene::bad_input;
use crate::store::LONGEST_PAGE;

/// How many there are on a page where the query does not say.
const USUAL: u32 = 20;

/// Where a page ends: what it names is nobody's business but ours.
#[derive(Clone, Debug)]
pub(super) struct Cursor(String);

impl CursorType for Cursor {
    type Error = std::convert::Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        Ok(Self(text.to_owned()))
    }

    fn encode_cursor(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.0)
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    after: Option<String>,
    before: Option<String>,
    pub(super) last: bool,
    size: u32,
}

impl Slice {
    pub(super) fn first(first: Option<i32>, after: Option<String>) -> Result<Self> {
        Self::of(first, after, None, None)
    }

    pub(super) fn of(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Result<Self> {
        if first.is_some() && last.is_some() {
            return Err(bad_input("a page is the first ones or the last ones, not both"));
        }
        let size = match first.or(last).map(u32::try_from) {
            None => USUAL,
            Some(Ok(size)) if size <= LONGEST_PAGE => size,
            Some(_) => return Err(bad_input("a page has at most 100 entries, and not less than none")),
        };
        Ok(Self { after, before, last: last.is_some(), size })
    }

    /// How many to read: one more than the page has, by which one knows whether there is another.
    pub(super) const fn limit(&self) -> u32 {
        self.size + 1
    }

    pub(super) fn after<T: FromStr>(&self) -> Result<Option<T>> {
        self.after.as_deref().map(read).transpose()
    }

    pub(super) fn before<T: FromStr>(&self) -> Result<Option<T>> {
        self.before.as_deref().map(read).transpose()
    }

    /// The page, of what was read. `text` is what a node's cursor names.
    pub(super) fn connection<Node, Fields>(
        &self,
        mut nodes: Vec<Node>,
        fields: Fields,
        text: impl Fn(&Node) -> String,
    ) -> Connection<Cursor, Node, Fields>
    where
        Node: OutputType,
        Fields: ObjectType,
    {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = nodes.len() > size;
        if self.last {
            nodes.drain(..nodes.len().saturating_sub(size));
        } else {
            nodes.truncate(size);
        }
        let (previous, next) = if self.last { (more, self.before.is_some()) } else { (self.after.is_some(), more) };
        let mut connection = Connection::with_additional_fields(previous, next, fields);
        connection.edges.extend(nodes.into_iter().map(|node| Edge::new(Cursor(text(&node)), node)));
        connection
    }

    /// The page, of a list that is there whole.
    pub(super) fn of_whole<Node: OutputType>(
        &self,
        nodes: Vec<Node>,
        text: impl Fn(&Node) -> String,
    ) -> Result<Connection<Cursor, Node, Total>> {
        let total = Total { total_count: nodes.len() };
        let after: Option<String> = self.after()?;
        let begin = match after {
            None => 0,
            Some(after) => 1 + nodes.iter().position(|node| text(node) == after).ok_or_else(strange)?,
        };
        Ok(self.connection(nodes.into_iter().skip(begin).collect(), total, text))
    }
}

/// How many there are on all pages together.
#[derive(Debug, SimpleObject)]
#[graphql(fake)]
pub(super) struct Total {
    total_count: usize,
}

/// What a page costs, beside what stands on it: no query has so many that it weighs nothing.
pub(super) fn cost(size: Option<i32>, of_each: usize) -> usize {
    let size = size.map_or(USUAL, |size| u32::try_from(size).unwrap_or_default().min(LONGEST_PAGE));
    usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(of_each).saturating_add(10)
}

fn read<T: FromStr>(cursor: &str) -> Result<T> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(strange)
}

fn strange() -> async_graphql::Error {
    bad_input("this is no cursor of this list")
}
