//! The Supabase Auth (`GoTrue`) protocol: translation, and nothing else.
//!
//! An endpoint reads the wire form, calls a use case, writes the wire form; each file is one endpoint or a
//! small family. What they share: [`access`] proves who calls, [`body`] reads JSON, [`document`] writes
//! it, [`error`] gives errors their two forms.

pub mod access;
mod admin_factors;
mod admin_users;
mod app;
mod audit;
mod authorize;
pub mod body;
mod callback;
mod captcha;
mod custom_providers;
mod discovery;
pub mod document;
pub mod duration;
pub mod error;
mod factor_document;
mod factors;
mod generate_link;
mod hook_documents;
mod id_token;
mod identities;
mod incoming;
mod invite;
mod link_page;
mod logout;
mod message_refusal;
mod oauth;
mod openapi;
mod otp;
pub mod pagination;
pub mod params;
mod passkeys;
mod path;
mod pkce;
mod reauthenticate;
mod recover;
mod redirect;
mod refresh;
mod reply;
mod resend;
mod routes;
mod scim;
mod settings;
mod sign_in;
mod sign_up;
mod sso_providers;
mod time;
mod token;
mod user;
mod verify;
mod verify_link;
mod web3;

pub use app::{App, Bucket};
pub use error::{ErrorCode, GotrueError};
pub use hook_documents::GotrueDocuments;
pub use incoming::Incoming;
pub use routes::router;
