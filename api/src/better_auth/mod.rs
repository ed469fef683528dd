//! The Better Auth protocol: what its clients send, and what they expect back.
//!
//! As everywhere, only translation lives here; what the parts mean stands in the use cases. An endpoint is a
//! function of a [`Call`] that comes to a [`Reply`]; [`call`] takes it there and back, [`session`] knows who
//! is signed in, [`body`] reads fields, [`document`] has the objects, [`error`] the refusals.

mod accounts;
mod admin;
mod anonymous;
mod app;
pub mod body;
pub mod call;
pub mod cookie_cache;
mod cookie_jwt;
mod cookies;
mod csrf;
pub mod document;
mod email_otp;
pub mod error;
mod limits;
pub mod links;
mod openapi;
mod organization;
pub mod origins;
mod own_fields;
mod password;
mod phone_number;
mod routes;
mod service;
pub mod session;
mod session_endpoints;
mod sign_in;
mod sign_up;
mod social;
mod two_factor;
mod user;
mod username;
mod verification;

pub use app::App;
pub use call::{Answer, Call, Reply};
pub use cookies::{CookieJar, CookieSettings, CookieSigner};
pub use error::BetterAuthError;
pub(crate) use limits::own_rule_reads;
pub use origins::{ForeignUrl, TrustedOrigins, UrlParameter};
pub use routes::router;
pub use session::SessionCaller;
