//! A request's body, read whole up to a limit. A body that is too long is a fault like any other, told in the endpoint's own format.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;

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

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(Bytes::is_empty)
    }
}

impl FromRequest for Body {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move {
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
            Ok(Self(tokio::time::timeout(SLOWEST, read).await.ok().flatten()))
        })
    }
}
