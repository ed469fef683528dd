//! Organizations.

mod invitations;
mod members;
mod properties;
mod support;
