//! What whoever checks the log has to know of it beside its checkpoints.

use evident_eventstore::tlog::{Checkpoints, SignError};
use serde::{Deserialize, Serialize};

/// The log as it describes itself: `GET /audit/log`, `evident audit key --json`, and `log.json` beside the
/// published files. None of it is a secret; whoever checks has the key from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDocument {
    /// The log's name in its checkpoints.
    pub origin: String,
    /// The verifier key (C2SP signed-note).
    pub key: String,
    /// Those that signed under the name before it, newest first; the first of them may sign still.
    pub former_keys: Vec<String>,
    /// The first entry, counted from 0, that is handed out (C2SP tlog-tiles: the minimum index).
    pub minimum_index: u64,
    /// Where it is said how long entries are handed out; `null` where all are.
    pub retention_policy: Option<String>,
}

impl LogDocument {
    /// The log as it is now.
    ///
    /// # Errors
    /// When the database or the vault fails.
    pub async fn of(checkpoints: &Checkpoints) -> Result<Self, SignError> {
        // Another node, or a command, may have given the log another key.
        checkpoints.refresh().await?;
        let pruning = checkpoints.store().pruning().await?;
        let key = checkpoints.key();
        Ok(Self {
            origin: key.origin().to_owned(),
            key: key.vkey(),
            former_keys: checkpoints.vkeys().split_off(1),
            minimum_index: pruning.minimum,
            retention_policy: pruning.policy,
        })
    }
}
