//! The log on both databases: order, atomicity, claims, sealing, reading, and what is left after trouble.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod atomicity;
mod backup;
mod claims;
mod concurrency;
mod cqrs;
mod durability;
mod order;
mod outbox;
mod pressure;
mod privacy;
mod reading;
mod restore;
mod sealing;
mod support;
mod tlog;
mod trouble;
mod vault;
