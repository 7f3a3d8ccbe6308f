//! What can go wrong between a provider and us, and what the person is told of it, on the page where they can go on.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;

use crate::config::Upstream;
use crate::policy::upstream::Refusal;
use crate::signin::dispatch;
use crate::signin::page::Tried;
use crate::state::Unavailable;
use crate::web::ctx::Ctx;
use crate::web::entry::Refused;
use crate::web::fault::Fault;
use crate::web::pages::Problem;
use crate::web::visit::Visit;

/// Why somebody who went to a provider is not signed in.
#[derive(Debug)]
pub(super) enum Trouble {
    Fault(Fault),
    /// The provider does not answer.
    Unavailable(Unavailable),
    /// The person said no there.
    Denied,
    /// The provider said no, for a reason of its own.
    TheirError,
    /// The way there and back took too long.
    Expired,
    /// The same answer came before.
    Used,
    /// The provider did not give anything for its code.
    NotRedeemed,
    /// The answer lacks what it should have.
    Unreadable,
    /// The signature is not the provider's.
    NotTheirs,
    /// The answer is one to something else.
    Answer(Refusal),
    /// It is a proof, and leads nowhere.
    Refused(Refused),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unavailable> for Trouble {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Answer(refusal)
    }
}

impl Trouble {
    /// The sign-in page of the visit, with what happened.
    pub(super) async fn tell(self, ctx: &Ctx, visit: &Visit, upstream: &Upstream) -> Result<HttpResponse, Fault> {
        if let Self::Answer(reason) = &self {
            tracing::warn!(upstream = upstream.id.as_str(), %reason, "a provider's answer is not believed");
        }
        let retry_after = if let Self::Unavailable(unavailable) = &self { Some(unavailable.retry_after) } else { None };
        let (status, title, message) = match self {
            Self::Fault(fault) | Self::Refused(Refused::Fault(fault)) => return Err(fault),
            other => other.words(&upstream.name),
        };
        let mut response = dispatch::sign_in_again(ctx, visit, Tried { status, problem: Problem { title, message } }).await?;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        Ok(response)
    }

    // What happened, whose doing it was, and what to do.
    fn words(&self, name: &str) -> (StatusCode, String, String) {
        let wrong = |what: &str| {
            let title = format!("The answer of {name} could not be used");
            (
                StatusCode::BAD_REQUEST,
                title,
                format!("{what} Nobody was signed in. Try again; if it happens again, tell the people who run this site."),
            )
        };
        match self {
            Self::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{name} does not answer"),
                "Wait a moment and try again, or choose another way.".to_owned(),
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                format!("You did not go on at {name}"),
                format!("Nothing happened. To sign in with {name} after all, press its button again."),
            ),
            Self::TheirError => (
                StatusCode::BAD_REQUEST,
                format!("{name} did not sign you in"),
                "It sent you back without saying who you are. Try again in a moment, or choose another way.".to_owned(),
            ),
            Self::Expired => (
                StatusCode::BAD_REQUEST,
                "That took a little long".to_owned(),
                format!("What you came back from {name} with has expired. Press its button again."),
            ),
            Self::Used => (
                StatusCode::BAD_REQUEST,
                "This was used already".to_owned(),
                format!("What you came back from {name} with works once. To sign in again, press its button again."),
            ),
            Self::NotRedeemed => wrong(&format!("{name} did not say who you are when this site asked for it.")),
            Self::Unreadable => wrong("It lacks what it should hold."),
            Self::NotTheirs => wrong(&format!("It does not have the signature of {name}.")),
            Self::Answer(refusal) => wrong(match refusal {
                Refusal::OtherIssuer => "It comes from somebody else.",
                Refusal::OtherAudience => "It was made for another site.",
                Refusal::OtherTime => "It is not for now: it has expired, or one of the two clocks is wrong.",
                Refusal::OtherNonce | Refusal::OtherAccessToken => "It is not the answer to this sign-in.",
                Refusal::NotAnew => "To go on here you have to sign in there once more, and you did not.",
                Refusal::NoSubject => "It does not say who you are.",
            }),
            Self::Refused(refused) => {
                let (title, message) = refused.words().unwrap_or_default();
                (StatusCode::FORBIDDEN, title.to_owned(), message.to_owned())
            }
            // Told elsewhere.
            Self::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, String::new(), String::new()),
        }
    }
}
