//! The log as a transparency log (C2SP tlog-tiles, tlog-checkpoint, signed-note): its tree in tiles, signed
//! checkpoints, proofs, and the check that everything holds.
//!
//! Entry `n`, counted from 0 as the formats do, is the event at position `n + 1`; the entry's bytes are the
//! event's [`crate::merkle::Leaf`].

mod bundle;
mod check;
mod check_archive;
mod check_store;
mod checkpoint;
mod checkpoints;
mod cosignature;
mod identity;
mod path;
mod proof;
mod pruning;
mod travel;
mod tree;

pub use bundle::{BundleMalformed, EntryTooLong, entries, push_entry};
pub use check::{Checked, Finding, Problem, Trust};
pub use check_archive::check_archive;
pub use check_store::check_store;
pub use checkpoint::{CheckpointError, LogKey, OriginMalformed, TreeHead, open_statement};
pub use checkpoints::{Checkpoint, Checkpoints, SignError, hash_lines};
pub use cosignature::{Witness, WitnessKey};
pub use path::{FULL_WIDTH, TileKind, TilePath};
pub use proof::{InclusionProof, ProofError, check_growth};
pub use pruning::Pruning;
pub use tlog_tiles::Hash;
pub(crate) use travel::{Kept, begin, depart, has_key_of, head_of, keep};
pub use tree::{Tree, TreeError};
