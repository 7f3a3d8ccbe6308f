//! The identity API: what there is, whose it is and with whom it is shared, to be read by GraphQL at `/query`.

mod company;
mod license;
mod page;
pub mod query;
mod request;
mod sacd;
mod scalars;
mod scene;
mod schema;
mod vehicle;
mod viewer;
