//! Proofs as text: C2SP tlog-proof for an entry, lines of base64 for growth.

use tlog_tiles::{Hash, TreeProof, check_record, check_tree};

use super::checkpoint::{CheckpointError, TreeHead};
use super::checkpoints::{Checkpoint, hash_lines};

/// The first line of a proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// More hashes than a tree of 2^63 entries has levels.
const MOST_HASHES: usize = 64;

/// A proof that an entry is in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct InclusionProof {
    /// The entry, counted from 0: an event's position less one.
    pub index: u64,
    /// The hashes, the leaf's sibling first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint of the tree.
    pub checkpoint: String,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It does not read.
    #[error("the proof does not read")]
    Malformed,
    /// Its checkpoint is wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It does not prove what it should.
    #[error("the proof does not hold")]
    Wrong,
}

impl InclusionProof {
    /// A proof against one of the log's checkpoints.
    pub fn new(index: u64, hashes: Vec<Hash>, checkpoint: &Checkpoint) -> Self {
        Self { index, hashes, checkpoint: checkpoint.text() }
    }

    /// The text.
    pub fn to_text(&self) -> String {
        format!("{HEADER}\nindex {}\n{}\n{}", self.index, hash_lines(&self.hashes), self.checkpoint)
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`ProofError::Malformed`]
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (proof, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Malformed);
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let hashes = lines.map(Hash::parse_hash).collect::<Result<Vec<_>, _>>();
        match (index, hashes) {
            (Some(index), Ok(hashes)) if hashes.len() <= MOST_HASHES => {
                Ok(Self { index, hashes, checkpoint: checkpoint.to_owned() })
            }
            _ => Err(ProofError::Malformed),
        }
    }

    /// Whether the log of a verifier key has an entry of this hash there.
    ///
    /// # Errors
    /// What is wrong.
    pub fn verify(&self, vkey: &str, leaf: Hash) -> Result<TreeHead, ProofError> {
        let head = TreeHead::open(&self.checkpoint, vkey)?;
        check_record(&self.hashes, head.size, head.root, self.index, leaf).map_err(|_| ProofError::Wrong)?;
        Ok(head)
    }
}

/// Whether a tree begins with a smaller one.
///
/// # Errors
/// When the proof does not hold.
pub fn check_growth(proof: &[Hash], from: (u64, Hash), to: (u64, Hash)) -> Result<(), ProofError> {
    if from.0 == 0 {
        let fits = proof.is_empty() && from.1 == tlog_tiles::EMPTY_HASH;
        return if fits { Ok(()) } else { Err(ProofError::Wrong) };
    }
    let proof: TreeProof = proof.to_vec();
    check_tree(&proof, to.0, to.1, from.0, from.1).map_err(|_| ProofError::Wrong)
}

/// A number as the formats write it: digits alone, no zero before them.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
