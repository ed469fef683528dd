//! Folds of the log, their tables and their queries.
//!
//! * [`Fold`] is what a projection is; [`folds`] are the projections there are.
//! * [`Projections`] folds them inside the commit of the events.
//! * [`rebuild()`], [`verify()`] and [`replay()`] fold the log afresh: into new tables, to prove the
//!   tables, or as of an earlier day.
//! * [`explain()`] says which event set each field of something; [`diff()`] what changed between two moments.
//! * [`views`] are the queries; a [`Roster`] makes lists of users quick.
//! * [`audit`] says what events are called in the audit log of Supabase Auth.

pub mod audit;
mod cells;
mod changes;
mod diff;
mod digest;
mod error;
mod explain;
mod facts;
mod fold;
mod folding;
pub mod folds;
mod groups;
mod inline;
mod lease;
mod loader;
mod memory;
mod pages;
mod part;
mod progress;
mod rebuild;
mod replay;
pub mod retention;
mod roster;
mod scratch;
mod seen;
mod shadow;
mod shadow_indexes;
mod shadows;
mod status;
mod verify;
pub mod views;

pub use diff::{Change, EntityChange, diff};
pub use digest::RowsDigest;
pub use error::ProjectionError;
pub use explain::{Cause, Entity, ExplainedRow, Explanation, Fact, explain};
pub use fold::{Fold, Tally};
pub use inline::Projections;
pub use loader::Limits;
pub use progress::{Progress, Silent};
pub use rebuild::{PATIENCE, Rebuilt, clear_leftovers, rebuild, rebuild_within};
pub use replay::{Until, replay};
pub use roster::{Keeping, Roster};
pub use status::{Built, Status, outdated, status};
pub use verify::{Difference, DifferenceKind, Outcome, Verification, verify};
