//! The Better Auth surface, as its clients see it.

mod accounts;
mod admin;
mod admin_sessions;
mod client;
mod codes_by_mail;
mod limits;
mod names;
mod organization;
mod origins;
mod password;
mod phone_numbers;
mod service;
mod sessions;
mod settings;
mod sign_in;
mod sign_up;
mod social;
mod two_factor;
mod user;
mod verification;
