//! What a person is told of a fault: what happened, whose fault it was, and what to do.

use actix_web::http::StatusCode;

use super::Fault;
use crate::limits::TooMany;
use crate::protocol::error::OAuthError;
use crate::web::pages::{Fault as Whose, Link};
use crate::web::visit::VisitFault;
use crate::web::words;

/// An error page's words.
pub(super) struct Words {
    pub title: &'static str,
    pub what: String,
    pub whose: Whose,
    pub todo: String,
    /// For the developer of the app.
    pub detail: Option<String>,
    pub back: Option<Link>,
}

pub(super) fn for_person(fault: &Fault, status: StatusCode, error: &OAuthError) -> Words {
    let detail = || Some(format!("{}: {}", error.code.as_str(), error.description));
    let plain = |title, what: &str, whose, todo: &str| Words {
        title,
        what: what.to_owned(),
        whose,
        todo: todo.to_owned(),
        detail: None,
        back: None,
    };
    match fault {
        Fault::OAuth(_) if status == StatusCode::NOT_FOUND => plain(
            "There is nothing here",
            "This address leads nowhere on this site.",
            Whose::You,
            "Check the address, or go back to where you came from.",
        ),
        Fault::OAuth(_) | Fault::NotGranted(_) => Words {
            detail: detail(),
            ..plain(
                "This link does not work",
                "The app sent you here with a request that we cannot follow.",
                Whose::App,
                "Go back to the app and begin again. If it happens again, tell the people who make the app.",
            )
        },
        Fault::TooMany(TooMany { retry_after }) => plain(
            "Too many tries",
            &format!("There were too many tries in a short time. You can try again in {}.", words::wait(*retry_after)),
            Whose::You,
            "Wait a moment, then load this page again.",
        ),
        Fault::Unavailable | Fault::ClientKeys { .. } | Fault::Broken(_) => Words {
            detail: detail(),
            ..plain(
                "Something is wrong on our side",
                "We could not do this just now. Nothing of yours is lost.",
                Whose::Us,
                "Wait a moment, then load this page again.",
            )
        },
        Fault::Visit(VisitFault::Over) => Words {
            back: Some(Link { href: "/account".into(), label: "Your account".into() }),
            ..plain(
                "This sign-in is over",
                "It was finished already, it took too long, or it was begun in another browser.",
                Whose::You,
                "Go back to the app and begin again. If you have signed in already, see your account.",
            )
        },
        Fault::Visit(VisitFault::NoCookie) => plain(
            "This browser did not begin this sign-in",
            "The sign-in was begun in another browser, or your browser does not keep cookies for this site.",
            Whose::You,
            "Allow cookies for this site, then go back to the app and begin again in this browser.",
        ),
        Fault::Visit(VisitFault::Forged) => plain(
            "This form did not come from our page",
            "For your safety we only accept a form that was sent from our own page in this browser.",
            Whose::You,
            "Go back, load the page again, and send the form once more.",
        ),
    }
}
