//! A request's body, read whole up to a limit. A body that is too long is a fault like any other, told in the endpoint's own format.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::{Stream, StreamExt};

use super::ctx::Ctx;
use super::fault::Fault;
use crate::protocol::error::ErrorCode;

/// The longest body that anything here has a use for, in bytes.
const LONGEST: usize = 64 * 1024;

/// How long a body may take to arrive: one that never ends would hold its connection for ever.
const SLOWEST: Duration = Duration::from_secs(10);

/// The body, or that there was too much of it, or that it broke off.
#[derive(Clone, Debug)]
pub struct Body(Option<Bytes>);

impl Body {
    /// The bytes.
    ///
    /// # Errors
    /// `invalid_request` when there were more than 64 KiB, or they did not arrive.
    pub fn bytes(&self) -> Result<&[u8], Fault> {
        self.0.as_deref().ok_or_else(|| {
            Fault::new(ErrorCode::InvalidRequest, "the body is longer than 65536 bytes, broke off, or took longer than 10 seconds")
        })
    }

    /// The bytes of a body that says it is JSON; one without a type is taken for what it must be.
    ///
    /// # Errors
    /// `invalid_request` for another type, or as [`Body::bytes`].
    pub fn json(&self, ctx: &Ctx) -> Result<&[u8], Fault> {
        if is_of(ctx, "application/json") {
            return self.bytes();
        }
        Err(Fault::new(ErrorCode::InvalidRequest, "the content type must be application/json"))
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(Bytes::is_empty)
    }
}

/// Whether the body is of this type, or of none.
#[must_use]
pub fn is_of(ctx: &Ctx, kind: &str) -> bool {
    let given = ctx.header(header::CONTENT_TYPE).unwrap_or(kind);
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

impl FromRequest for Body {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = payload.take();
        Box::pin(async move { Ok(Self(whole(payload, SLOWEST).await)) })
    }
}

// All of it, or nothing where it is too long, breaks off, or takes longer than `slowest` in all.
async fn whole<E>(mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin, slowest: Duration) -> Option<Bytes> {
    let read = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            match chunk {
                Ok(chunk) if body.len() + chunk.len() <= LONGEST => body.extend_from_slice(&chunk),
                Ok(_) | Err(_) => return None,
            }
        }
        Some(body.freeze())
    };
    tokio::time::timeout(slowest, read).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    type Chunk = Result<Bytes, ()>;

    // What must end, long before the test would be given up.
    async fn read(payload: impl Stream<Item = Chunk> + Unpin, slowest: Duration) -> Option<Bytes> {
        tokio::time::timeout(Duration::from_secs(20), whole(payload, slowest)).await.unwrap()
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let soon = Duration::from_millis(20);
        let begun = || stream::iter([Ok::<_, ()>(Bytes::from_static(b"a=b"))]);
        assert_eq!(read(begun(), soon).await, Some(Bytes::from_static(b"a=b")));
        // Far longer than it may take.
        let late = Duration::from_secs(5);
        assert_eq!(tokio::time::timeout(late, read(begun().chain(stream::pending()), soon)).await, Ok(None));
        // Nor does it help to say something now and then: nothing, as often as there is time for it.
        let trickle = Box::pin(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok::<_, ()>(Bytes::new()), ()))
        }));
        assert_eq!(tokio::time::timeout(late, read(trickle, soon)).await, Ok(None));
        assert_eq!(SLOWEST, Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_or_breaks_off_is_none() {
        let long = Duration::from_mins(1);
        let parts = |length: usize| stream::iter(vec![Ok::<_, ()>(Bytes::from(vec![b'x'; length / 2])); 2]);
        assert_eq!(read(parts(LONGEST), long).await.map(|body| body.len()), Some(LONGEST));
        assert_eq!(read(parts(LONGEST + 2), long).await, None);
        assert_eq!(read(stream::iter([Ok(Bytes::from_static(b"a")), Err(())]), long).await, None);
    }
}
