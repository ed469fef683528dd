//! Another master key, while nodes serve.
//!
//! The row that tells a wrong master key is wrapped anew first: what is wrapped after that is wrapped under the
//! new key, for the statement that writes it holds that row against what it knows. Once those transactions are
//! over that began before, nobody writes under the old key any more, and everything else is wrapped anew, batch by batch; who finds a row that its key does not open looks for the new one. A crash
//! leaves rows of both kinds, and the next run goes on with those that are left.

use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::{DESTROYED, MASTER_CHECK, MasterKey, SERVER_KEYS, SUBJECT_KEYS, Vault, VaultError};
use crate::database::{Dialect, Row, Table, Tables, Value};
use crate::seal::{SealBroken, SealingKey};

/// Rows that are wrapped anew in one transaction.
const BATCH: i64 = 500;

/// How often, and at what distance, it is looked whether transactions of before are over.
const PATIENCE: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys that were wrapped anew.
    pub keys: u64,
    /// Keys that a run before had wrapped already, or that were made meanwhile.
    pub others: u64,
}

/// A row that is to be wrapped anew: its key, what it is to hold, what it holds.
type Change = (String, Vec<u8>, Vec<u8>);

impl Vault {
    /// How many keys there are: what [`Vault::rotate_master`] has to look at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self) -> Result<u64, VaultError> {
        let sql = "select (select count(*) from subject_keys) + (select count(*) from server_keys)";
        let rows = self.0.database.query(sql, &[]).await?;
        let count = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }

    /// Wraps everything under another master key. Nodes may serve meanwhile, if they find the new key at
    /// their [`super::MasterKeySource`]. When this returns, the old key opens nothing.
    ///
    /// # Errors
    /// When the database fails, or a row opens under no key that is known: what is done by then stays done.
    pub async fn rotate_master(
        &self,
        new: &MasterKey,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Rewrapped, VaultError> {
        self.0.masters.learn(new);
        let master = SealingKey::new(&new.0);
        self.turn_to(&master).await?;
        self.outlast_others().await?;
        let mut done = Rewrapped::default();
        for table in [&SERVER_KEYS, &SUBJECT_KEYS] {
            self.rewrap_table(table, &master, &mut done, progress).await?;
        }
        // Nobody wraps under the old key since the turn, so one pass is enough: what was wrapped is gone.
        self.0.database.forget_old_pages().await?;
        Ok(done)
    }

    /// From now on the new key is the one to wrap with.
    async fn turn_to(&self, master: &SealingKey) -> Result<(), VaultError> {
        let mut transaction = self.0.database.transaction().await?;
        let lock = match transaction.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update",
        };
        let sql = format!("select wrapped from server_keys where name = $1{lock}");
        let rows = transaction.query(&sql, &[MASTER_CHECK.into()]).await?;
        let wrapped = super::first_bytes(rows).ok_or_else(|| VaultError::Damaged(MASTER_CHECK.to_owned()))?;
        if let Some(change) = self.rewrapped(MASTER_CHECK, wrapped, master)? {
            let sql = "update server_keys set wrapped = $1 where name = $2";
            transaction.execute(sql, &[change.1.into(), MASTER_CHECK.into()]).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Waits until all transactions are over that began before now. (On SQLite there are none.)
    async fn outlast_others(&self) -> Result<(), VaultError> {
        if self.0.database.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let now = self.0.database.query("select clock_timestamp()::text", &[]).await?;
        let now = now.into_iter().next().and_then(|row| row.into_iter().next()).unwrap_or(Value::Null);
        let sql = "select count(*) from pg_stat_activity where datname = current_database() \
                   and pid <> pg_backend_pid() and xact_start < $1::timestamptz";
        for _ in 0..PATIENCE {
            let rows = self.0.database.query(sql, std::slice::from_ref(&now)).await?;
            if rows.first().and_then(|row| row.first()).and_then(Value::as_int) == Some(0) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(VaultError::Waiting)
    }

    async fn rewrap_table(
        &self,
        table: &Table,
        master: &SealingKey,
        done: &mut Rewrapped,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), VaultError> {
        let mut after = String::new();
        let (name, key) = (&table.name, table.key());
        let page = format!("select {key}, wrapped from {name} where {key} > $1 order by {key} limit $2");
        loop {
            let rows = self.0.database.query(&page, &[after.as_str().into(), BATCH.into()]).await?;
            let Some(last) = rows.last().and_then(|row| row.first()).and_then(Value::as_text) else {
                return Ok(());
            };
            after = last.to_owned();
            let (seen, mut changes) = (u64::try_from(rows.len()).unwrap_or_default(), Vec::new());
            for row in rows {
                let [Value::Text(name), Value::Bytes(wrapped)] = &row[..] else { continue };
                if wrapped != DESTROYED {
                    changes.extend(self.rewrapped(name, wrapped.clone(), master)?);
                }
            }
            let changed = u64::try_from(changes.len()).unwrap_or_default();
            self.write(table, changes).await?;
            done.keys += changed;
            done.others += seen - changed;
            progress(done.keys + done.others);
        }
    }

    /// How a row has to be changed; nothing where the new key opens it.
    fn rewrapped(
        &self,
        name: &str,
        wrapped: Vec<u8>,
        master: &SealingKey,
    ) -> Result<Option<Change>, VaultError> {
        if master.open(&wrapped, name.as_bytes()).map(Zeroizing::new).is_ok() {
            return Ok(None);
        }
        let secret = self.unwrap_key(name, &wrapped)?;
        let anew = master.seal(&secret, name.as_bytes(), &*self.0.entropy);
        let anew = anew.map_err(|SealBroken| VaultError::Damaged(name.to_owned()))?;
        Ok(Some((name.to_owned(), anew, wrapped)))
    }

    /// Writes rows that hold still what was read: one that was destroyed meanwhile stays so.
    async fn write(&self, table: &Table, changes: Vec<Change>) -> Result<(), VaultError> {
        if changes.is_empty() {
            return Ok(());
        }
        let rows: Json = changes
            .into_iter()
            .map(|(name, anew, before)| {
                Json::from(vec![name, hex::encode_upper(anew), hex::encode_upper(before)])
            })
            .collect();
        let (name, key) = (&table.name, table.key());
        let mut transaction = self.0.database.transaction().await?;
        let sql = match transaction.dialect() {
            Dialect::Sqlite => format!(
                "update {name} set wrapped = unhex(new.value ->> 1) from json_each($1) as new \
                 where {name}.{key} = new.value ->> 0 and hex({name}.wrapped) = new.value ->> 2"
            ),
            Dialect::Postgres => format!(
                "update {name} set wrapped = decode(new ->> 1, 'hex') from json_array_elements($1::json) as new \
                 where {name}.{key} = new ->> 0 and {name}.wrapped = decode(new ->> 2, 'hex')"
            ),
        };
        transaction.execute(&sql, &[rows.to_string().into()]).await?;
        Ok(transaction.commit().await?)
    }

    /// The row of a secret, wrapped under the key that is the one to wrap with, and the check row that says
    /// which that is; none where there is no check row yet. What is known of that row is believed unless it has
    /// to be `fresh`; then no other key can become the one in this transaction.
    pub(super) async fn wrap_key(
        &self,
        transaction: &mut dyn Tables,
        name: &str,
        secret: &[u8],
        fresh: bool,
    ) -> Result<(Option<Vec<u8>>, Row), VaultError> {
        let known = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (check, master) = match known.filter(|_| !fresh) {
            Some(known) => known,
            None => self.look_at_check(transaction).await?,
        };
        let wrapped = master.seal(secret, name.as_bytes(), &*self.0.entropy);
        let wrapped = wrapped.map_err(|SealBroken| VaultError::Damaged(name.to_owned()))?;
        Ok((check, vec![name.into(), wrapped.into(), self.0.clock.now().timestamp_micros().into()]))
    }

    async fn look_at_check(&self, transaction: &mut dyn Tables) -> Result<Writing, VaultError> {
        let lock = match transaction.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for share",
        };
        let sql = format!("select wrapped from server_keys where name = $1{lock}");
        let check = super::first_bytes(transaction.query(&sql, &[MASTER_CHECK.into()]).await?);
        let master = self.0.masters.first(|master| {
            let is_current =
                check.as_ref().is_none_or(|check| master.open(check, MASTER_CHECK.as_bytes()).is_ok());
            is_current.then(|| master.clone())
        });
        let found = (check, master.ok_or(VaultError::WrongMasterKey)?);
        if found.0.is_some() {
            *self.0.writing.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        }
        Ok(found)
    }
}

/// The check row, and the key that opens it: the one to wrap with.
pub(super) type Writing = (Option<Vec<u8>>, SealingKey);
