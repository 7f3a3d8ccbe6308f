//! What the documents say, held to what the program does: endpoints, settings, commands, links.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "docs/read.rs"]
mod read;

#[path = "docs/endpoints.rs"]
mod endpoints;

#[path = "docs/commands.rs"]
mod commands;

#[path = "docs/links.rs"]
mod links;

#[path = "docs/metrics.rs"]
mod metrics;

#[path = "docs/settings.rs"]
mod settings;

#[path = "docs/tour.rs"]
mod tour;
