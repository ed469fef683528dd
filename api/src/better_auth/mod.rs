//! The Better Auth protocol: what its clients send, and what they expect back.
//!
//! As everywhere, only translation lives here; what the parts mean stands in the use cases.

pub mod cookies;
pub mod error;
pub mod origins;

pub use cookies::{CookieJar, CookieSettings, CookieSigner};
pub use error::BetterAuthError;
pub use origins::{ForeignUrl, TrustedOrigins, UrlParameter};
