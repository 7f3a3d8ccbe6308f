//! A door: an address, the methods that it takes, and what whoever knocks in another way is told.

use actix_cors::Cors;
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{StatusCode, header};
use actix_web::web;
use actix_web::{FromRequest, Handler, HttpResponse, Responder, Route, guard};

use crate::protocol::error::ErrorCode;
use crate::web::fault::Fault;

/// One address.
pub(super) struct Door {
    path: String,
    ways: Vec<Way>,
    // The methods that scripts of other origins may use; none: it is a page of ours.
    readable: &'static [&'static str],
}

/// A method that a door takes, and who answers it.
pub(super) struct Way {
    methods: &'static [&'static str],
    route: Route,
}

/// An address without any way in yet.
pub(super) fn resource(path: &str) -> Door {
    Door { path: path.to_owned(), ways: Vec::new(), readable: &[] }
}

// RFC 9110 §9.1: "All general-purpose servers MUST support the methods GET and HEAD."
pub(super) fn get() -> Way {
    Way { methods: &["GET", "HEAD"], route: web::route().guard(guard::Any(guard::Get()).or(guard::Head())) }
}

pub(super) fn post() -> Way {
    Way { methods: &["POST"], route: web::post() }
}

pub(super) fn put() -> Way {
    Way { methods: &["PUT"], route: web::put() }
}

pub(super) fn patch() -> Way {
    Way { methods: &["PATCH"], route: web::patch() }
}

pub(super) fn delete() -> Way {
    Way { methods: &["DELETE"], route: web::delete() }
}

impl Way {
    pub(super) fn to<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self { route: self.route.to(handler), ..self }
    }
}

impl Door {
    pub(super) fn route(mut self, way: Way) -> Self {
        self.ways.push(way);
        self
    }

    /// Lets scripts of other origins in, by these methods, without cookies.
    pub(super) fn readable(self, methods: &'static [&'static str]) -> Self {
        Self { readable: methods, ..self }
    }
}

impl HttpServiceFactory for Door {
    fn register(self, config: &mut AppService) {
        let Self { path, ways, readable } = self;
        let is_page = readable.is_empty();
        // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response containing a list of the target
        // resource's currently supported methods."
        let allow = ways.iter().flat_map(|way| way.methods).copied().collect::<Vec<_>>().join(", ");
        let resource = web::resource(path).default_service(web::route().to(move || {
            let response = wrong_method(is_page, &allow);
            async { response }
        }));
        let resource = ways.into_iter().fold(resource, |resource, way| resource.route(way.route));
        if is_page {
            resource.register(config);
        } else {
            resource.wrap(cors(readable)).register(config);
        }
    }
}

fn cors(methods: &[&'static str]) -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods(methods.iter().copied())
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT, header::IF_MATCH])
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ETAG, header::LOCATION])
        .max_age(3_600)
}

// A door that is there, knocked on in the wrong way.
fn wrong_method(is_page: bool, allow: &str) -> HttpResponse {
    let mut response = if is_page {
        HttpResponse::MethodNotAllowed().finish()
    } else {
        Fault::new(ErrorCode::InvalidRequest, "this address does not take that HTTP method").as_json()
    };
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    if let Ok(allow) = header::HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
