//! The log's own checkpoints: signed once, kept for good.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evident_domain::Time;
use tlog_tiles::{HASH_SIZE, Hash};

use super::checkpoint::{CheckpointError, LogKey, OriginMalformed, TreeHead};
use super::identity::{self, Identity};
use super::tree::{Tree, TreeError};
use crate::codec::signed;
use crate::database::{Dialect, Row, Tables, Value};
use crate::{DatabaseError, EventStore, StoreError, VaultError};

const HOUR_MICROS: i64 = 3_600_000_000;

/// A signed checkpoint of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// How many events the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The note with the log's signature.
    pub note: String,
    /// When it was signed.
    pub signed_at: Time,
    /// Signature lines of witnesses.
    pub cosignatures: Vec<String>,
}

impl Checkpoint {
    /// The note with all signatures.
    pub fn text(&self) -> String {
        format!("{}{}", self.note, self.cosignatures.concat())
    }
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The log's name cannot stand in a checkpoint.
    #[error(transparent)]
    Origin(#[from] OriginMalformed),
    /// A checkpoint cannot be written, or the last one is not the log's.
    #[error("the last checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The log's head and its tiles tell different roots: somebody has changed one of them.
    #[error("the log's head and its events tell different roots for {0} events; nothing is signed")]
    Disagreement(u64),
    /// The log does not begin with what was signed: it was restored, or rewritten.
    #[error(
        "a checkpoint over {0} events was signed, and the log does not begin with them; nothing is signed"
    )]
    Rewritten(u64),
    /// The log goes on with a key that is not in the vault.
    #[error("the log is signed by {0}, and that key is not in the vault; nothing is signed")]
    KeyMissing(String),
    /// The seed in the vault is no key.
    #[error("the key of the log's checkpoints is damaged")]
    Key,
}

impl From<DatabaseError> for SignError {
    fn from(error: DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

/// The log's checkpoints, and what signs them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    store: EventStore,
    tree: Tree,
    /// As it was when it was last asked for; another node may have given the log another key.
    identity: Arc<RwLock<Identity>>,
}

impl Checkpoints {
    /// The checkpoints of a log. At the first call of all, name and key are made and kept: later the name
    /// that is proposed does not matter.
    ///
    /// # Errors
    /// When the database or the vault fails, or the name cannot be one.
    pub async fn open(
        store: &EventStore,
        propose: impl FnOnce() -> String + Send,
    ) -> Result<Self, SignError> {
        let identity = Identity::load(store, propose).await?;
        let identity = Arc::new(RwLock::new(identity));
        Ok(Self { store: store.clone(), tree: Tree::new(store), identity })
    }

    fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks who the log is by now.
    ///
    /// # Errors
    /// When the database or the vault fails.
    pub async fn refresh(&self) -> Result<(), SignError> {
        let name = self.identity().key.origin().to_owned();
        let identity = Identity::load(&self.store, || name).await?;
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    /// The key that signs, with the log's name.
    pub fn key(&self) -> LogKey {
        self.identity().key
    }

    /// The verifier keys of the log, the one that signs first, and then those before it.
    pub fn vkeys(&self) -> Vec<String> {
        self.identity().vkeys()
    }

    /// Whether the log, or one that it came from, has or had a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn had_name(&self, name: &str) -> Result<bool, SignError> {
        let identity = self.identity();
        let own = identity.key.origin() == name || identity.names.iter().any(|known| known == name);
        Ok(own || identity::is_former(&self.store, name).await?)
    }

    /// Makes another key for the log under a name, its own or another. It signs once an event says so.
    ///
    /// # Errors
    /// When the vault fails, or no key can have the name.
    pub async fn prepare_key(&self, origin: &str) -> Result<LogKey, SignError> {
        identity::prepare(&self.store, origin).await
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The log.
    pub fn store(&self) -> &EventStore {
        &self.store
    }

    /// The checkpoint over the whole log as it is now: the one that is there, or a new one.
    ///
    /// # Errors
    /// When the log is not what was signed before, or the database fails: then nothing is signed.
    pub async fn sign(&self) -> Result<Checkpoint, SignError> {
        let last = self.latest().await?;
        let head = self.store.head().await?;
        let (size, root) = (head.position.0, Hash(head.frontier.root()));
        // After the head: what the events up to there tell of name and keys is known by then.
        self.refresh().await?;
        let identity = self.identity();
        let last = match last {
            Some(last) => self.continued(last, &identity).await?,
            None => None,
        };
        if let Some(last) = last {
            let signed = TreeHead::open_any(&last.note, &identity.vkeys())?;
            if signed.size != last.size || signed.root != last.root || last.size > size {
                return Err(SignError::Rewritten(signed.size));
            }
            if last.size == size {
                return if last.root == root { Ok(last) } else { Err(SignError::Rewritten(size)) };
            }
            self.tree.complete(size).await?;
            if self.tree.root(last.size).await? != last.root {
                return Err(SignError::Rewritten(last.size));
            }
        } else {
            self.tree.complete(size).await?;
        }
        if self.tree.root(size).await? != root {
            return Err(SignError::Disagreement(size));
        }
        self.keep(&identity, size, root).await
    }

    /// The last checkpoint, if it is under the log's own name. What it signed under another one, before it got
    /// this, is put away: those who hold it go by the log that has that name.
    async fn continued(
        &self,
        last: Checkpoint,
        identity: &Identity,
    ) -> Result<Option<Checkpoint>, SignError> {
        let signed = TreeHead::unverified(&last.note)?;
        if !identity.names.contains(&signed.origin) {
            return Ok(Some(last));
        }
        let sizes = "select size from tree_checkpoints where substr(note, 1, length($1)) = $1";
        let name = format!("{}\n", signed.origin);
        let mut transaction = self.store.database().transaction().await?;
        for sql in [
            format!("delete from tree_cosignatures where size in ({sizes})"),
            "delete from tree_checkpoints where substr(note, 1, length($1)) = $1".to_owned(),
        ] {
            transaction.execute(&sql, &[name.as_str().into()]).await?;
        }
        transaction.commit().await?;
        Ok(None)
    }

    async fn keep(&self, identity: &Identity, size: u64, root: Hash) -> Result<Checkpoint, SignError> {
        let note = identity.key.sign_with(identity.also.as_ref(), size, root.0)?;
        let now = self.store.clock().now().timestamp_micros();
        let mut transaction = self.store.database().transaction().await?;
        if transaction.dialect() == Dialect::Postgres {
            // Another node signs before this, or after it; on SQLite it is so anyway.
            transaction.execute("lock table tree_checkpoints in share row exclusive mode", &[]).await?;
        }
        let sql = "insert into tree_checkpoints (size, root, note, signed_at) select $1, $2, $3, $4 \
                   where not exists (select 1 from tree_checkpoints where size >= $1)";
        let row = [signed(size).into(), root.0.to_vec().into(), note.into(), now.into()];
        transaction.execute(sql, &row).await?;
        transaction.commit().await?;
        // Where another node was faster its checkpoint is the one: of this size, or of a larger.
        let last = self.latest().await?.ok_or(SignError::Rewritten(size))?;
        if last.size == size && last.root != root { Err(SignError::Rewritten(size)) } else { Ok(last) }
    }

    /// How long ago the newest checkpoint was signed, where the log has gone on since; none where it has
    /// not, and no time at all where there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn behind(&self) -> Result<Option<Duration>, StoreError> {
        let sql = "select position, (select max(size) from tree_checkpoints), \
                   (select max(signed_at) from tree_checkpoints) from log_head where only_row = 1";
        let rows = self.store.database().query(sql, &[]).await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Int(position), Value::Int(size), _]) if position == size => Ok(None),
            Some([_, _, Value::Int(at)]) => {
                let age = self.store.clock().now().timestamp_micros().saturating_sub(*at);
                // A node whose clock is ahead must not keep the others from signing.
                Ok(Some(u64::try_from(age).map_or(Duration::MAX, Duration::from_micros)))
            }
            _ => Ok(Some(Duration::MAX)),
        }
    }

    /// Of the checkpoints that were signed before a time keeps one an hour, and those that a witness has
    /// signed. The trees of the others can still be proven.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn thin(&self, before: Time) -> Result<u64, StoreError> {
        let mut transaction = self.store.database().transaction().await?;
        let sql = "delete from tree_checkpoints where signed_at < $1 \
                   and size not in (select max(size) from tree_checkpoints group by signed_at / $2) \
                   and size not in (select size from tree_cosignatures)";
        let params = [before.timestamp_micros().into(), HOUR_MICROS.into()];
        let thinned = transaction.execute(sql, &params).await?;
        transaction.commit().await?;
        Ok(thinned)
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest(&self) -> Result<Option<Checkpoint>, StoreError> {
        latest(&self.store).await
    }

    /// The checkpoint of a size, where one was signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_size(&self, size: u64) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "select size, root, note, signed_at from tree_checkpoints where size = $1";
        one(&self.store, sql, &[signed(size).into()]).await
    }

    /// Keeps the signature line of a witness; a newer one of the same witness takes its place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_cosignature(&self, size: u64, vkey: &str, line: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.database().transaction().await?;
        let sql = "insert into tree_cosignatures (size, witness, line) values ($1, $2, $3) \
                   on conflict (size, witness) do update set line = excluded.line";
        transaction.execute(sql, &[signed(size).into(), vkey.into(), line.into()]).await?;
        Ok(transaction.commit().await?)
    }

    /// The size of the newest checkpoint that a witness has signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosigned_size(&self, vkey: &str) -> Result<Option<u64>, StoreError> {
        let sql = "select max(size) from tree_cosignatures where witness = $1";
        let rows = self.store.database().query(sql, &[vkey.into()]).await?;
        let size = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
        Ok(size.and_then(|size| u64::try_from(size).ok()))
    }
}

/// The newest checkpoint of a log.
pub(super) async fn latest(store: &EventStore) -> Result<Option<Checkpoint>, StoreError> {
    let sql = "select size, root, note, signed_at from tree_checkpoints order by size desc limit 1";
    one(store, sql, &[]).await
}

/// Checkpoints in the order of their sizes, without cosignatures.
pub(super) async fn from_size(
    store: &EventStore,
    size: u64,
    limit: u32,
) -> Result<Vec<Checkpoint>, StoreError> {
    let sql = "select size, root, note, signed_at from tree_checkpoints where size >= $1 \
               order by size limit $2";
    let rows = store.database().query(sql, &[signed(size).into(), i64::from(limit).into()]).await?;
    rows.iter().map(read).collect()
}

async fn one(store: &EventStore, sql: &str, params: &[Value]) -> Result<Option<Checkpoint>, StoreError> {
    let rows = store.database().query(sql, params).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut checkpoint = read(row)?;
    let sql = "select line from tree_cosignatures where size = $1 order by witness";
    let lines = store.database().query(sql, &[signed(checkpoint.size).into()]).await?;
    let lines = lines.iter().filter_map(|row| row.first()?.as_text().map(str::to_owned));
    checkpoint.cosignatures = lines.collect();
    Ok(Some(checkpoint))
}

pub(super) fn read(row: &Row) -> Result<Checkpoint, StoreError> {
    let damaged = |column| DatabaseError::Unexpected { table: "tree_checkpoints".to_owned(), column };
    let [Value::Int(size), Value::Bytes(root), Value::Text(note), Value::Int(at)] = row.as_slice() else {
        return Err(damaged("size").into());
    };
    let root = <[u8; HASH_SIZE]>::try_from(root.as_slice()).map_err(|_| damaged("root"))?;
    Ok(Checkpoint {
        size: u64::try_from(*size).map_err(|_| damaged("size"))?,
        root: Hash(root),
        note: note.clone(),
        signed_at: Time::from_timestamp_micros(*at).ok_or(damaged("signed_at"))?,
        cosignatures: Vec::new(),
    })
}

/// Hashes as lines of base64.
pub fn hash_lines(hashes: &[Hash]) -> String {
    hashes.iter().flat_map(|hash| [STANDARD.encode(hash.0), "\n".to_owned()]).collect()
}
