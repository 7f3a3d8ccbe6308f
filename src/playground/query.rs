//! A page on which to try queries of the identity API: what is typed goes to `/query` as any app's would, and the answer is shown.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Playground, reply};
use crate::web::assets;
use crate::web::pages::Frame;

/// Queries to begin with, over the demo's assets: a title, and the text.
const SAMPLES: &[(&str, &str)] = &[
    (
        "With whom a vehicle is shared",
        "{\n  vehicle(tokenId: 7) {\n    tokenDID\n    owner\n    definition { make model year }\n    sacds(first: 10) {\n      totalCount\n      nodes { grantee permissions expiresAt }\n    }\n  }\n}",
    ),
    (
        "Vehicles of one make, page by page",
        "{\n  vehicles(first: 2, filterBy: {make: \"Tesla\"}) {\n    totalCount\n    nodes { tokenDID definition { model year } }\n    pageInfo { hasNextPage endCursor }\n  }\n}",
    ),
    (
        "Developer licenses",
        "{\n  developerLicenses {\n    nodes { clientId alias signers { nodes { address } } redirectURIs { nodes { uri } } }\n  }\n}",
    ),
    ("What can be asked for", "{\n  __schema {\n    queryType { fields { name description args { name type { name } } } }\n  }\n}"),
];

/// `/playground/query`.
#[derive(Template, Debug)]
#[template(path = "playground_query.html")]
struct QueryPage {
    frame: Frame,
    samples: &'static [(&'static str, &'static str)],
}

pub(super) async fn page(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    reply::html(&request, &playground, StatusCode::OK, "Playground: queries", |frame| QueryPage { frame, samples: SAMPLES })
}
