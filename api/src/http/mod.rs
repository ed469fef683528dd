//! What every HTTP surface shares: where a request comes from, limits, CORS, headers, the log line.
//!
//! [`edge`] is the outermost layer and puts the pieces together; the others are pure as far as they can be.

pub mod address;
pub mod bearer;
pub mod cors;
pub mod edge;
pub mod guard;
pub mod headers;
pub mod limits;
pub mod methods;
pub mod openapi;
pub mod origin;
pub mod routes;

pub use address::FORWARDED_FOR;
pub use edge::Edge;
pub use limits::{Limited, RateLimiter};
pub use origin::{Origin, PeerAddress};
