//! Checkpoints in archives: they stand behind the event whose tree they sign, and go along with the log's
//! own key.

use super::checkpoint::{CheckpointError, TreeHead};
use super::checkpoints::{Checkpoint, Checkpoints, SignError, read};
use super::identity::{origin, seed_of};
use crate::archive::ArchiveHead;
use crate::codec::signed;
use crate::database::{Tables, Value};
use crate::{DatabaseError, EventStore, StoreError};

impl EventStore {
    /// The log's name and its verifier keys, the one that signs first, where it has ever been signed.
    ///
    /// # Errors
    /// When the database or the vault fails.
    pub async fn log_identity(&self) -> Result<Option<(String, Vec<String>)>, SignError> {
        if origin(self).await?.is_none() {
            return Ok(None);
        }
        let checkpoints = Checkpoints::open(self, String::new).await?;
        Ok(Some((checkpoints.key().origin().to_owned(), checkpoints.vkeys())))
    }

    /// The checkpoints over more events than `after` and at most `until`, with their cosignatures.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoints_within(&self, after: u64, until: u64) -> Result<Vec<Checkpoint>, StoreError> {
        let bounds = [signed(after).into(), signed(until).into()];
        let sql = "select size, root, note, signed_at from tree_checkpoints where size > $1 and size <= $2 \
                   order by size";
        let rows = self.database().query(sql, &bounds).await?;
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            return Ok(found);
        }
        let sql = "select size, line from tree_cosignatures where size > $1 and size <= $2 \
                   order by size, witness";
        for row in self.database().query(sql, &bounds).await? {
            let [Value::Int(size), Value::Text(line)] = row.as_slice() else { continue };
            let of = |checkpoint: &&mut Checkpoint| signed(checkpoint.size) == *size;
            if let Some(checkpoint) = found.iter_mut().find(of) {
                checkpoint.cosignatures.push(line.clone());
            }
        }
        Ok(found)
    }
}

/// Whether the log's own key is in the vault of a store that takes an archive: only then its checkpoints go
/// on there.
pub(crate) async fn has_key_of(store: &EventStore, head: &ArchiveHead) -> Result<bool, StoreError> {
    match &head.key {
        Some(key) => {
            Ok(seed_of(store, key).await?.is_some_and(|own| Some(own.origin()) == head.origin.as_deref()))
        }
        None => Ok(false),
    }
}

/// What a checkpoint of an archive says; where the archive names keys, signed by one of them.
pub(crate) fn head_of(note: &str, keys: &[String]) -> Result<TreeHead, CheckpointError> {
    if keys.is_empty() { TreeHead::unverified(note) } else { TreeHead::open_any(note, keys) }
}

/// A checkpoint on its way into a restored log.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) head: TreeHead,
    pub(crate) text: String,
    /// When the last event before it happened: it was signed just then.
    pub(crate) at: i64,
}

/// Gives a restored log its name, and takes away what an empty one may have signed.
pub(crate) async fn begin(tables: &mut dyn Tables, origin: &str) -> Result<(), DatabaseError> {
    clear(tables).await?;
    let sql = "insert into tree_identity (only_row, origin) values (1, $1)";
    tables.execute(sql, &[origin.into()]).await.map(drop)
}

/// A restored log that goes on by itself is another log: it never takes the name of the one that it came from,
/// nor one that it got while it was empty, where that is the same.
pub(crate) async fn depart(tables: &mut dyn Tables, origin: &str) -> Result<(), DatabaseError> {
    let sql = "insert into tree_former (origin) values ($1) on conflict do nothing";
    tables.execute(sql, &[origin.into()]).await?;
    clear(tables).await
}

async fn clear(tables: &mut dyn Tables) -> Result<(), DatabaseError> {
    for table in ["tree_cosignatures", "tree_checkpoints", "tree_tiles", "tree_identity"] {
        tables.execute(&format!("delete from {table}"), &[]).await?;
    }
    Ok(())
}

/// Keeps a checkpoint as it was signed, and the lines of its witnesses.
pub(crate) async fn keep(tables: &mut dyn Tables, kept: &Kept) -> Result<(), DatabaseError> {
    let (text, lines) = kept.text.split_once("\n\n").unwrap_or((&kept.text, ""));
    let own = format!("\u{2014} {} ", kept.head.origin);
    let (own, witnesses): (Vec<&str>, Vec<&str>) =
        lines.split_inclusive('\n').partition(|line| line.starts_with(&own));
    let size: Value = signed(kept.head.size).into();
    let note = format!("{text}\n\n{}", own.concat());
    let row = [size.clone(), kept.head.root.0.to_vec().into(), note.into(), kept.at.into()];
    let sql = "insert into tree_checkpoints (size, root, note, signed_at) values ($1, $2, $3, $4)";
    tables.execute(sql, &row).await?;
    for line in witnesses {
        let sql = "insert into tree_cosignatures (size, witness, line) values ($1, $2, $3)";
        tables.execute(sql, &[size.clone(), witness(line).into(), line.into()]).await?;
    }
    Ok(())
}

/// What a signature line tells of who signed: the name and the key's id, with which its verifier key begins.
fn witness(line: &str) -> String {
    use base64::Engine;
    let mut words = line.split_whitespace().skip(1);
    let (name, signature) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap_or_default();
    format!("{name}+{}", hex::encode(signature.get(..4).unwrap_or_default()))
}
