//! The Better Auth surface, as its clients see it.

mod origins;
mod service;
mod sessions;
mod sign_in;
mod sign_up;
