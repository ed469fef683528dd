//! The Better Auth surface, as its clients see it.

mod accounts;
mod limits;
mod organization;
mod origins;
mod password;
mod service;
mod sessions;
mod sign_in;
mod sign_up;
mod social;
mod user;
mod verification;
