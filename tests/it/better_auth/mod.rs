//! The Better Auth surface, as its clients see it.

mod admin;
mod admin_sessions;
mod codes_by_mail;
mod names;
mod origins;
mod phone_numbers;
mod service;
mod sessions;
mod sign_in;
mod sign_up;
mod two_factor;
