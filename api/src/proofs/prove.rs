//! Tiles and proofs of what was signed, as text and bytes: the same for requests and for the command line.

use evident_eventstore::StoreError;
use evident_eventstore::tlog::{
    Checkpoint, Checkpoints, InclusionProof, SignError, TileKind, TilePath, TreeError, hash_lines,
};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// There is no checkpoint of that size.
    #[error("no checkpoint over {0} events was signed")]
    NoCheckpoint(u64),
    /// The event is not there, or not signed yet: that takes less than a second.
    #[error("no checkpoint signs position {0}")]
    NotSigned(u64),
    /// There is no such tile, or not yet.
    #[error("the log has no such tile")]
    NoTile,
    /// The entries were pruned.
    #[error("the log hands out no entries before number {0}")]
    Pruned(u64),
    /// Positions and sizes that are no such.
    #[error("the sizes must be at least 1, the first not larger than the second")]
    Range,
    /// Nothing can be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(TreeError),
}

impl From<StoreError> for ProveError {
    fn from(error: StoreError) -> Self {
        Self::Tree(error.into())
    }
}

impl From<TreeError> for ProveError {
    fn from(error: TreeError) -> Self {
        Self::Tree(error)
    }
}

/// The newest checkpoint; signed now where there is none yet.
///
/// # Errors
/// When nothing can be signed.
pub async fn newest(checkpoints: &Checkpoints) -> Result<Checkpoint, ProveError> {
    match checkpoints.latest().await? {
        Some(checkpoint) => Ok(checkpoint),
        None => Ok(checkpoints.sign().await?),
    }
}

async fn of_size(checkpoints: &Checkpoints, size: Option<u64>) -> Result<Checkpoint, ProveError> {
    match size {
        None => newest(checkpoints).await,
        Some(size) => checkpoints.of_size(size).await?.ok_or(ProveError::NoCheckpoint(size)),
    }
}

/// The bytes of a tile or bundle of what was signed.
///
/// # Errors
/// [`ProveError::NoTile`], [`ProveError::Pruned`], or the database's.
pub async fn tile(checkpoints: &Checkpoints, path: TilePath) -> Result<Vec<u8>, ProveError> {
    let size = newest(checkpoints).await?.size;
    if path.needs().is_none_or(|needs| needs > size) {
        return Err(ProveError::NoTile);
    }
    if path.kind == TileKind::Entries {
        let pruning = checkpoints.store().pruning().await?;
        if pruning.hides(path) {
            return Err(ProveError::Pruned(pruning.minimum));
        }
    }
    Ok(checkpoints.tree().read(path).await?)
}

/// The proof (C2SP tlog-proof) that the event at a position is in the tree of a checkpoint, the newest
/// unless a size is given.
///
/// # Errors
/// When there is no such event or checkpoint.
pub async fn inclusion(
    checkpoints: &Checkpoints,
    position: u64,
    size: Option<u64>,
) -> Result<String, ProveError> {
    let checkpoint = of_size(checkpoints, size).await?;
    let index = position.checked_sub(1).filter(|_| position <= checkpoint.size);
    let index = index.ok_or(ProveError::NotSigned(position))?;
    let hashes = checkpoints.tree().inclusion(index, checkpoint.size).await?;
    Ok(InclusionProof::new(index, hashes, &checkpoint).to_text())
}

/// The proof that the tree of a size begins with that of a smaller one: hashes as lines of base64.
///
/// # Errors
/// When the tree is not so large, or the sizes are no such.
pub async fn growth(checkpoints: &Checkpoints, from: u64, to: u64) -> Result<String, ProveError> {
    if from == 0 || from > to {
        return Err(ProveError::Range);
    }
    if to > newest(checkpoints).await?.size {
        return Err(ProveError::NotSigned(to));
    }
    Ok(hash_lines(&checkpoints.tree().consistency(from, to).await?))
}
