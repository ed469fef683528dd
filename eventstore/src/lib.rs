//! The append-only log of Evident, on SQLite and on PostgreSQL.
//!
//! * [`EventStore::append`] commits one command's change: events, claims, projections and messages
//!   in one transaction, in one order without gaps ([`evident_domain::Position`]).
//! * [`EventStore::load`], [`EventStore::page`] and [`EventStore::read`] read streams and the log.
//! * [`Vault`] keeps the keys apart; personal fields are sealed on the way in and opened on the way
//!   out ([`seal`]).
//! * [`merkle`] is the tree over the log; [`Database`] the two databases behind one face.
//! * [`tlog`] signs the tree and proves by it; it checks that a log holds.
//! * [`retention`] drops contents; leaves and proofs stay.
//! * [`archive`] has events as they lie in the log: for proofs, archives and restores ([`restore`]).
//! * [`export`] writes the log in the forms that other programs read.
//! * [`CqrsStore`] shows the log to cqrs-es.

mod append;
pub mod archive;
mod batch;
mod chain;
pub mod claims;
mod codec;
mod cqrs;
mod database;
pub mod export;
mod guard;
mod head;
pub mod merkle;
mod origin;
mod outbox;
mod reader;
pub mod restore;
pub mod retention;
pub mod seal;
mod store;
mod stored;
pub mod tlog;
mod unseal;
mod vault;
mod walk;
mod writer;
mod writing;

pub use append::{Append, AppendError, Committed, Inline, NoProjections, OutboxMessage, StreamAppend};
pub use codec::CodecError;
pub use cqrs::{CqrsStore, Loaded, Logged};
pub use database::{
    Column, ColumnType, Contents, Database, DatabaseError, Dialect, OpenError, PostgresOptions, Row, Table,
    Tables, Transaction, Value,
};
pub use guard::{Concern, Guard};
pub use head::{Head, HeadLock};
pub use origin::{Origin, SealedOrigin};
pub use outbox::DueMessage;
pub use reader::Filter;
pub use store::{EventStore, StoreError};
pub use vault::{
    KeyFileError, KeysMoved, MasterKey, MasterKeyMalformed, MasterKeySource, Rewrapped, SHORTEST_PASSPHRASE,
    Vault, VaultError,
};
pub use walk::{Stretch, Walk};
