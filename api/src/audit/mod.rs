//! Reading the log over HTTP, for auditors: `/audit`.
//!
//! Whoever has a token with one of the roles of `audit.roles` gets in ([`access::AuditorCaller`]), and nobody
//! else: an administrator changes things, an auditor sees them. Each family of endpoints is a file with its
//! `routes`; [`routes`] puts them together, and [`openapi`] describes them.

pub mod access;
mod app;
mod entry;
pub mod erasures;
mod error;
mod events;
mod openapi;
mod proofs;
mod query;
mod readings;
mod reply;
mod routes;
mod stream;
mod timelines;
mod users;

pub use app::App;
pub use routes::router;

/// What stands before every path.
pub const BASE_PATH: &str = "/audit";
