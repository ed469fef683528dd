//! What the owner decides of the log's proofs.

use std::path::PathBuf;
use std::time::Duration;

use evident_eventstore::tlog::Witness;
use url::Url;

/// The log's checkpoints: their name, who signs them as well, where they go.
#[derive(Debug, Clone)]
pub struct ProofSettings {
    /// The log's name in its checkpoints, until it has one.
    pub origin: Option<String>,
    /// Who is asked to cosign.
    pub witnesses: Vec<WitnessPlace>,
    /// How often the witnesses are asked, at most.
    pub witness_every: Duration,
    /// The file that each checkpoint is written to; `{size}` and `{time}` in it make files of their own.
    pub to_file: Option<PathBuf>,
    /// Where each checkpoint is posted.
    pub to_url: Option<String>,
    /// How often checkpoints are written out, at most.
    pub to_every: Duration,
    /// Entries older than this are no longer handed out.
    pub prune_after: Option<Duration>,
    /// Where everybody can read that.
    pub retention_policy: Option<String>,
}

/// A witness, and where it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPlace {
    /// The prefix of its addresses.
    pub url: Url,
    /// Its key.
    pub witness: Witness,
}

impl Default for ProofSettings {
    fn default() -> Self {
        Self {
            origin: None,
            witnesses: Vec::new(),
            witness_every: Duration::from_secs(10),
            to_file: None,
            to_url: None,
            to_every: Duration::from_secs(60),
            prune_after: None,
            retention_policy: None,
        }
    }
}
