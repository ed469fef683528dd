//! The vault: keys of subjects and of the server, apart from the log, wrapped by the master key.

mod master;
mod rotation;
mod travel;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use master::{MasterKey, MasterKeyMalformed, MasterKeySource};
pub use rotation::Rewrapped;

use evident_domain::Subject;
use evident_domain::ports::{Clock, Entropy};
use foldhash::fast::RandomState;
use quick_cache::sync::Cache;
use zeroize::Zeroizing;

use self::master::Masters;
pub use self::travel::{KeyFileError, KeysMoved, SHORTEST_PASSPHRASE};
use crate::database::{Column, ColumnType, Database, DatabaseError, Row, Table, Tables, Value};
use crate::seal::SealingKey;

/// Keys by their subjects.
pub(crate) type Keys = HashMap<Subject, Arc<SealingKey>, RandomState>;

/// Opened subject keys that are kept at hand.
const CACHED_KEYS: usize = 8_192;

/// The row that tells a wrong master key.
const MASTER_CHECK: &str = "master-check";

/// What stands in the place of a wrapped key that was destroyed.
const DESTROYED: &[u8] = &[];

const SUBJECT_KEYS: Table = Table::new("subject_keys", &key_columns("subject"));
const SERVER_KEYS: Table = Table::new("server_keys", &key_columns("name"));

const fn key_columns(key: &'static str) -> [Column; 3] {
    [
        Column::new(key, ColumnType::Text),
        Column::new("wrapped", ColumnType::Bytes),
        Column::new("created_at", ColumnType::Int),
    ]
}

/// The vault failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The master key is not the one that wrapped what is there.
    #[error("the master key is not the one that this store was made with")]
    WrongMasterKey,
    /// Somebody's transaction goes on and on, and may be about to wrap a key under the master key that goes.
    #[error("a transaction in the database has been open for too long; end it, and go on")]
    Waiting,
    /// A wrapped key does not open though the master key is right.
    #[error("the key {0:?} is damaged")]
    Damaged(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The vault. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    database: Database,
    masters: Masters,
    cache: Cache<Subject, Arc<SealingKey>>,
    /// Counts evictions: a key that was read before one may not be cached after it.
    evictions: Mutex<u64>,
    /// The master key to wrap with, as far as is known.
    writing: Mutex<Option<rotation::Writing>>,
    /// How many keys were destroyed, on whichever node, when that was last looked at.
    destroyed: Mutex<Option<i64>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the vault, and makes sure that the master key is the right one.
    ///
    /// # Errors
    /// [`VaultError::WrongMasterKey`], or the database's.
    pub async fn open(
        database: Database,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        Self::open_with(database, master, Arc::new(Vec::new), clock, entropy).await
    }

    /// As [`Vault::open`], with a place where another master key may lie: the one that is about to take this
    /// one's place, or the one before.
    ///
    /// # Errors
    /// As there.
    pub async fn open_with(
        database: Database,
        master: &MasterKey,
        others: MasterKeySource,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, VaultError> {
        let vault = Self(Arc::new(Inner {
            database,
            masters: Masters::new(master, others),
            cache: Cache::new(CACHED_KEYS),
            evictions: Mutex::new(0),
            writing: Mutex::new(None),
            destroyed: Mutex::new(None),
            clock,
            entropy,
        }));
        let check = vault.server_key(MASTER_CHECK, || b"evident".to_vec()).await;
        match check {
            Ok(_) => Ok(vault),
            Err(VaultError::Damaged(_)) => Err(VaultError::WrongMasterKey),
            Err(error) => Err(error),
        }
    }

    /// The key of a subject; made if there is none. Once it is destroyed no other is made: what is sealed
    /// then is sealed under a key that nobody keeps, and reads as erased at once.
    ///
    /// # Errors
    /// When the database fails or the key is damaged.
    pub async fn subject_key(&self, subject: &Subject) -> Result<Arc<SealingKey>, VaultError> {
        if let Some(key) = self.0.cache.get(subject) {
            return Ok(key);
        }
        let name = subject.to_string();
        let make = || {
            let mut bytes = vec![0; 32];
            self.0.entropy.fill(&mut bytes);
            bytes
        };
        let seen = self.evictions();
        match self.get_or_make(&SUBJECT_KEYS, &name, make).await? {
            Some(bytes) => self.keep(subject, &bytes, seen),
            None => Ok(Arc::new(SealingKey::new(&self.fresh_key()))),
        }
    }

    /// The keys of many subjects, made where there are none: in one transaction, whatever their number.
    ///
    /// # Errors
    /// As [`Vault::subject_key`].
    pub async fn subject_keys(&self, subjects: &[Subject]) -> Result<Keys, VaultError> {
        let mut keys = self.find_keys(subjects).await?;
        let missing: Vec<&Subject> = subjects.iter().filter(|subject| !keys.contains_key(*subject)).collect();
        if missing.is_empty() {
            return Ok(keys);
        }
        let insert = "insert into subject_keys (subject, wrapped, created_at) values ($1, $2, $3) \
                      on conflict do nothing";
        let mut transaction = self.0.database.transaction().await?;
        for subject in &missing {
            let (_, row) =
                self.wrap_key(&mut transaction, &subject.to_string(), &*self.fresh_key(), true).await?;
            transaction.execute(insert, &row).await?;
        }
        transaction.commit().await?;
        keys.extend(self.find_keys(missing.iter().copied()).await?);
        for subject in missing {
            // Destroyed: what is sealed now reads as erased at once.
            keys.entry(subject.clone()).or_insert_with(|| Arc::new(SealingKey::new(&self.fresh_key())));
        }
        Ok(keys)
    }

    fn fresh_key(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.0.entropy.fill(bytes.as_mut_slice());
        bytes
    }

    /// The keys of subjects that have one, in one query.
    ///
    /// # Errors
    /// When the database fails or a key is damaged.
    pub async fn find_keys(
        &self,
        subjects: impl IntoIterator<Item = &Subject> + Send,
    ) -> Result<Keys, VaultError> {
        let (mut found, mut missing) = (Keys::default(), HashMap::new());
        for subject in subjects {
            if found.contains_key(subject) {
                continue;
            }
            match self.0.cache.get(subject) {
                Some(key) => {
                    found.insert(subject.clone(), key);
                }
                None => {
                    missing.insert(subject.to_string(), subject.clone());
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let names = missing.keys().map(String::as_str).collect::<serde_json::Value>().to_string();
        let those = self.0.database.dialect().one_of(1);
        let sql = format!("select subject, wrapped from subject_keys where subject {those}");
        let seen = self.evictions();
        for row in self.0.database.query(&sql, &[names.into()]).await? {
            let [Value::Text(name), Value::Bytes(wrapped)] = row.as_slice() else {
                continue;
            };
            if let Some(subject) = missing.get(name).filter(|_| *wrapped != DESTROYED) {
                let bytes = self.unwrap_key(name, wrapped)?;
                found.insert(subject.clone(), self.keep(subject, &bytes, seen)?);
            }
        }
        Ok(found)
    }

    /// Destroys a subject's key: what it sealed reads as erased from now on. An empty row stays in its
    /// place, so that no late change of the subject makes another key, under which the old events would
    /// look tampered with.
    ///
    /// # Errors
    /// When the database fails; the key may then still be there.
    pub async fn destroy(&self, subject: &Subject) -> Result<(), VaultError> {
        let row = vec![
            subject.to_string().into(),
            DESTROYED.to_vec().into(),
            self.0.clock.now().timestamp_micros().into(),
        ];
        let mut transaction = self.0.database.transaction().await?;
        transaction.upsert(&SUBJECT_KEYS, vec![row]).await?;
        transaction.execute("update key_destructions set keys = keys + 1 where only_row = 1", &[]).await?;
        transaction.commit().await?;
        self.evict(subject);
        Ok(self.0.database.forget_old_pages().await?)
    }

    /// Lets go of keys that were destroyed on another node since this was last asked. Who shows what is
    /// sealed asks before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catch_up(&self) -> Result<(), VaultError> {
        let rows = self.0.database.query("select keys from key_destructions where only_row = 1", &[]).await?;
        let now = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
        let mut destroyed = self.0.destroyed.lock().unwrap_or_else(PoisonError::into_inner);
        if *destroyed != now {
            *destroyed = now;
            drop(destroyed);
            self.evict_all();
        }
        Ok(())
    }

    /// The subjects of a kind (`period`) that have a key, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subjects(&self, kind: &str) -> Result<Vec<Subject>, VaultError> {
        let sql = "select subject from subject_keys where subject > $1 and subject < $2 and length(wrapped) > 0 \
                   order by subject";
        let bounds = [format!("{kind}:").into(), format!("{kind};").into()];
        let rows = self.0.database.query(sql, &bounds).await?;
        Ok(rows.iter().filter_map(|row| row.first()?.as_text()?.parse().ok()).collect())
    }

    /// Lets go of a key that another node has destroyed.
    pub fn evict(&self, subject: &Subject) {
        let mut evictions = self.0.evictions.lock().unwrap_or_else(PoisonError::into_inner);
        *evictions += 1;
        self.0.cache.remove(subject);
    }

    /// Lets go of every key: any of them may have been destroyed.
    pub fn evict_all(&self) {
        let mut evictions = self.0.evictions.lock().unwrap_or_else(PoisonError::into_inner);
        *evictions += 1;
        self.0.cache.clear();
    }

    fn evictions(&self) -> u64 {
        *self.0.evictions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A secret of the server by its name; made if there is none.
    ///
    /// # Errors
    /// When the database fails or the secret is damaged.
    pub async fn server_key(
        &self,
        name: &str,
        make: impl FnOnce() -> Vec<u8> + Send,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let secret = self.get_or_make(&SERVER_KEYS, name, make).await?;
        secret.ok_or_else(|| VaultError::Damaged(name.to_owned()))
    }

    /// Puts a secret of the server in the place of the one that is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace_server_key(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        let mut transaction = self.0.database.transaction().await?;
        let (_, row) = self.wrap_key(&mut transaction, name, secret, true).await?;
        transaction.upsert(&SERVER_KEYS, vec![row]).await?;
        Ok(transaction.commit().await?)
    }

    /// The secret of a row, made if there is no row; none if it was destroyed.
    async fn get_or_make(
        &self,
        table: &Table,
        name: &str,
        make: impl FnOnce() -> Vec<u8> + Send,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let open = |wrapped: Vec<u8>| match wrapped.as_slice() {
            DESTROYED => Ok(None),
            wrapped => self.unwrap_key(name, wrapped).map(Some),
        };
        let sql = format!("select wrapped from {} where {} = $1", table.name, table.key());
        if let Some(wrapped) = first_bytes(self.0.database.query(&sql, &[name.into()]).await?) {
            return open(wrapped);
        }
        let secret = Zeroizing::new(make());
        // Another master key may have become the one to wrap with since that was looked at.
        for fresh in [false, true] {
            let mut transaction = self.0.database.transaction().await?;
            let (check, row) = self.wrap_key(&mut transaction, name, &secret, fresh).await?;
            // Of two nodes that make one at once the first wins, and both use its.
            let (table_name, columns) = (&table.name, table.column_list());
            match check {
                None => {
                    let insert = format!(
                        "insert into {table_name} ({columns}) values ($1, $2, $3) on conflict do nothing"
                    );
                    transaction.execute(&insert, &row).await?;
                }
                Some(check) => {
                    let insert = format!(
                        "insert into {table_name} ({columns}) select $1, $2, $3 from server_keys \
                         where name = '{MASTER_CHECK}' and wrapped = $4 on conflict do nothing"
                    );
                    let params = [row, vec![check.into()]].concat();
                    transaction.execute(&insert, &params).await?;
                }
            }
            let winner = first_bytes(transaction.query(&sql, &[name.into()]).await?);
            transaction.commit().await?;
            if let Some(winner) = winner {
                return open(winner);
            }
        }
        Err(VaultError::Damaged(name.to_owned()))
    }

    fn unwrap_key(&self, name: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let opened = self.0.masters.first(|master| master.open(wrapped, name.as_bytes()).ok());
        Ok(Zeroizing::new(opened.ok_or_else(|| VaultError::Damaged(name.to_owned()))?))
    }

    /// Opens a key for use, and keeps it at hand unless something was evicted since it was read.
    fn keep(&self, subject: &Subject, bytes: &[u8], seen: u64) -> Result<Arc<SealingKey>, VaultError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| VaultError::Damaged(subject.to_string()))?;
        let key = Arc::new(SealingKey::new(bytes));
        let evictions = self.0.evictions.lock().unwrap_or_else(PoisonError::into_inner);
        if *evictions == seen {
            self.0.cache.insert(subject.clone(), key.clone());
        }
        Ok(key)
    }
}

fn first_bytes(rows: Vec<Row>) -> Option<Vec<u8>> {
    match rows.into_iter().next()?.into_iter().next()? {
        Value::Bytes(bytes) => Some(bytes),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => None,
    }
}
