//! The body of `add-checkpoint`: `old SIZE`, up to 63 hashes, an empty line, the checkpoint.

use evident_eventstore::tlog::Hash;

/// More hashes than a proof of growth can have.
const MOST_HASHES: usize = 63;

/// What a log asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AddCheckpoint {
    /// The size that it believes the witness to have seen.
    pub(super) old: u64,
    /// That the new tree begins with the old.
    pub(super) proof: Vec<Hash>,
    /// The signed checkpoint.
    pub(super) checkpoint: String,
}

impl AddCheckpoint {
    /// Reads a body; none where it is malformed.
    pub(super) fn parse(body: &str) -> Option<Self> {
        let (head, checkpoint) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = lines.next()?.strip_prefix("old ")?;
        let size: u64 = old.parse().ok()?;
        let proof: Vec<_> = lines.map(Hash::parse_hash).collect::<Result<_, _>>().ok()?;
        // Signs and leading zeros are no sizes.
        let reads = size.to_string() == old && proof.len() <= MOST_HASHES;
        reads.then(|| Self { old: size, proof, checkpoint: checkpoint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_in_one_way() {
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let read =
            AddCheckpoint::parse(&format!("old 7\n{hash}\n{hash}\n\nlog\n8\nroot\n\n— a b\n")).unwrap();
        assert_eq!((read.old, read.proof.len()), (7, 2));
        assert_eq!(read.checkpoint, "log\n8\nroot\n\n— a b\n");
        assert_eq!(AddCheckpoint::parse("old 0\n\nlog\n").unwrap().proof, []);
        let many = format!("{hash}\n").repeat(64);
        for wrong in [
            "",
            "old 7\n",
            "old -1\n\nx",
            "old 07\n\nx",
            "old +7\n\nx",
            "7\n\nx",
            "old 7\nAAAA\n\nx",
            "old 7 \n\nx",
        ] {
            assert_eq!(AddCheckpoint::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(AddCheckpoint::parse(&format!("old 7\n{many}\nx")), None);
    }
}
