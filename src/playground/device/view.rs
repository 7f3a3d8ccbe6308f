//! The device's page: what it shows its person, and what went over the wire.

use askama::Template;
use qrcode::QrCode;
use qrcode::render::svg;

use super::{Device, Waiting};
use crate::domain::Timestamp;
use crate::playground::report::{Outcome, Problem};
use crate::playground::view::{StepView, TokenView, person, steps, token_view};
use crate::web::assets;
use crate::web::pages::Frame;

/// `/playground/device`.
#[derive(Template, Debug)]
#[template(path = "playground_device.html")]
pub(super) struct DevicePage {
    frame: Frame,
    screen: Option<Screen>,
    problem: Option<Problem>,
    person: Option<String>,
    polls: usize,
    steps: Vec<StepView>,
    tokens: Vec<TokenView>,
}

/// What a device shows while it waits (RFC 8628 §3.3).
#[derive(Debug)]
struct Screen {
    user_code: String,
    address: String,
    link: String,
    /// An SVG of our own making: a picture of `link`.
    picture: Option<String>,
    interval: u64,
}

impl DevicePage {
    pub(super) fn new(frame: Frame, now: Timestamp, device: &Device) -> Self {
        let tokens: Vec<_> = device.report.tokens.iter().map(|token| token_view(token, now)).collect();
        Self {
            frame,
            screen: device.waiting.as_ref().map(screen),
            problem: match &device.report.outcome {
                Outcome::Failed(problem) => Some(problem.clone()),
                Outcome::AtServer(_) | Outcome::SignedIn => None,
            },
            person: tokens.iter().find_map(person),
            polls: device.polls,
            steps: steps(&device.report),
            tokens,
        }
    }
}

fn screen(waiting: &Waiting) -> Screen {
    let codes = &waiting.codes;
    Screen {
        user_code: codes.user_code.clone(),
        // RFC 8628 §3.3: the address "should be short and easy to remember": people do not type a scheme.
        address: codes.verification_uri.split_once("://").map_or(codes.verification_uri.as_str(), |(_, rest)| rest).to_owned(),
        link: codes.verification_uri_complete.clone(),
        picture: picture(&codes.verification_uri_complete),
        interval: waiting.interval,
    }
}

// Black on white whatever the page's colours: scanners want that.
fn picture(link: &str) -> Option<String> {
    let code = QrCode::new(link).ok()?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    image.find("<svg").map(|begin| image.get(begin..).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_an_svg_and_nothing_of_the_link_is_in_it() {
        let picture = picture("http://localhost:8080/device?user_code=BCDF-GHJK&<script>").unwrap();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"), "{picture}");
        assert!(!picture.contains("BCDF") && !picture.contains("script") && !picture.contains("style"), "{picture}");
    }
}
