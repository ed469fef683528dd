//! Why projections could not be rebuilt, verified or replayed.

use std::path::PathBuf;

use evident_domain::Position;
use evident_eventstore::{DatabaseError, OpenError, StoreError};

/// Work on projections failed; live tables are as they were.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// There is no projection of this name.
    #[error("there is no projection {0:?}; there are: {1}")]
    Unknown(String, String),
    /// Somebody else is rebuilding.
    #[error("another rebuild is running")]
    Busy,
    /// Somebody else took this rebuild for dead and began another.
    #[error("another rebuild took over from this one")]
    Superseded,
    /// The log has a hole.
    #[error("the log has no event after position {0}, though its head is further")]
    Gap(Position),
    /// The log does not go that far.
    #[error("the log ends at position {head}, before {asked}")]
    NotYet {
        /// The position asked for.
        asked: Position,
        /// The last there is.
        head: Position,
    },
    /// The first of two moments is the later one.
    #[error("position {from} is behind {to}: say the earlier moment first")]
    Backwards {
        /// The first.
        from: Position,
        /// The second.
        to: Position,
    },
    /// A replay never overwrites.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// Tables of the log that should be there are not.
    #[error("the table {0} is missing")]
    NoTable(String),
    /// The process is going down.
    #[error("interrupted")]
    Interrupted,
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table cannot be read or written.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A file for a replay or for scratch tables cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file or folder cannot be made or removed.
    #[error(transparent)]
    File(#[from] std::io::Error),
}
