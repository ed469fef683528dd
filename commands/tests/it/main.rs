//! Use cases against a real store: what is committed, what is refused, what the log says.

mod accounts;
mod concurrency;
mod sessions;
mod support;
