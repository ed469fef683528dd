//! Use cases against a real store: what is committed, what is refused, what the log says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access;
mod accounts;
mod any_order;
mod concurrency;
mod enumeration;
mod organization_steps;
mod organizations;
mod sessions;
mod support;
