//! What the documents say, held to what the program does: endpoints, settings, commands, links.

#[path = "docs/read.rs"]
mod read;

#[path = "docs/endpoints.rs"]
mod endpoints;

#[path = "docs/commands.rs"]
mod commands;

#[path = "docs/links.rs"]
mod links;

#[path = "docs/settings.rs"]
mod settings;

#[path = "docs/tour.rs"]
mod tour;
