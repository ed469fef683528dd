//! Keys on their way to another store: wrapped under a passphrase, never plain.
//!
//! A file of keys is JSON Lines: a head that says how the passphrase becomes a key, then a line a key, then
//! a line that counts them, so that a file with lines missing is seen. Each key is sealed with its name, so
//! that none can be put in the place of another.

use std::collections::HashSet;
use std::io::{BufRead, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DESTROYED, MASTER_CHECK, SERVER_KEYS, SUBJECT_KEYS, Vault, VaultError};
use crate::database::{DatabaseError, Row, Table, Tables, Transaction, Value};
use crate::seal::SealingKey;

const FORMAT: u32 = 1;
/// Characters that a passphrase has at least.
pub const SHORTEST_PASSPHRASE: usize = 12;
/// How a passphrase is stretched (argon2id): KiB, passes, lanes.
const STRETCH: Stretch = Stretch { memory: 65_536, passes: 3, lanes: 1 };
/// What a file may ask for at most, so that a hostile one cannot take all memory.
const MOST: Stretch = Stretch { memory: 1 << 20, passes: 16, lanes: 8 };
/// Keys read at a time.
const PAGE: i64 = 1_000;

/// The file of keys cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The passphrase is too short.
    #[error("a passphrase has {SHORTEST_PASSPHRASE} characters at least")]
    ShortPassphrase,
    /// The passphrase is another, or the line was changed.
    #[error("line {0} does not open: another passphrase, or the file was changed")]
    DoesNotOpen(u64),
    /// A line is none of a file of keys.
    #[error("line {0} is none of a file of keys")]
    Malformed(u64),
    /// Lines are missing.
    #[error("the file is not whole: lines are missing")]
    NotWhole,
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The file cannot be read or written.
    #[error("the file of keys cannot be read or written")]
    File(#[from] std::io::Error),
}

/// How many keys went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeysMoved {
    /// Of persons, organizations and periods.
    pub subjects: u64,
    /// Of these, how many were destroyed: they stay so.
    pub destroyed: u64,
    /// Of the server.
    pub server: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stretch {
    memory: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Keys {
        format: u32,
        argon2id: Stretch,
        #[serde(with = "hex")]
        salt: Vec<u8>,
    },
    Subject {
        name: String,
        /// None: it was destroyed.
        wrapped: Option<String>,
    },
    Server {
        name: String,
        wrapped: String,
    },
    End {
        sealed: String,
    },
}

/// A key made of a passphrase.
fn stretched(passphrase: &str, salt: &[u8], how: Stretch) -> Option<SealingKey> {
    if how.memory > MOST.memory || how.passes > MOST.passes || how.lanes > MOST.lanes {
        return None;
    }
    let params = Params::new(how.memory, how.passes, how.lanes, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice()).ok()?;
    Some(SealingKey::new(&key))
}

fn context(kind: &str, name: &str) -> String {
    format!("evident keys {FORMAT}\n{kind}\n{name}")
}

impl Vault {
    /// Writes the keys of all subjects, and on request those of the server, under a passphrase. A key that
    /// was destroyed is written as such.
    ///
    /// # Errors
    /// When the passphrase is too short, or something cannot be read or written.
    pub async fn export_keys(
        &self,
        out: &mut (dyn Write + Send),
        passphrase: &str,
        with_server: bool,
    ) -> Result<KeysMoved, KeyFileError> {
        if passphrase.chars().count() < SHORTEST_PASSPHRASE {
            return Err(KeyFileError::ShortPassphrase);
        }
        let entropy = &*self.0.entropy;
        let mut salt = vec![0; 16];
        entropy.fill(&mut salt);
        let under = stretched(passphrase, &salt, STRETCH).ok_or(KeyFileError::Malformed(1))?;
        let mut moved = KeysMoved::default();
        write(out, &Line::Keys { format: FORMAT, argon2id: STRETCH, salt })?;
        for table in [SUBJECT_KEYS, SERVER_KEYS] {
            let is_server = table.name == SERVER_KEYS.name;
            if is_server && !with_server {
                continue;
            }
            let (key, mut after) = (table.key(), String::new());
            loop {
                let sql = format!(
                    "select {key}, wrapped from {} where {key} > $1 order by {key} limit $2",
                    table.name
                );
                let rows = self.0.database.query(&sql, &[after.as_str().into(), PAGE.into()]).await?;
                for row in &rows {
                    let [Value::Text(name), Value::Bytes(wrapped)] = row.as_slice() else { continue };
                    after.clone_from(name);
                    if is_server && name == MASTER_CHECK {
                        continue;
                    }
                    let kind = if is_server { "server" } else { "subject" };
                    let sealed = if wrapped == DESTROYED {
                        None
                    } else {
                        let plain = self.unwrap_key(name, wrapped)?;
                        let sealed = under.seal_text(&plain, &context(kind, name), entropy);
                        Some(sealed.map_err(|_| VaultError::Damaged(name.clone()))?)
                    };
                    let name = name.clone();
                    match sealed {
                        Some(wrapped) if is_server => {
                            moved.server += 1;
                            write(out, &Line::Server { name, wrapped })?;
                        }
                        wrapped => {
                            moved.subjects += 1;
                            moved.destroyed += u64::from(wrapped.is_none());
                            write(out, &Line::Subject { name, wrapped })?;
                        }
                    }
                }
                if i64::try_from(rows.len()) != Ok(PAGE) {
                    break;
                }
            }
        }
        let count = (moved.subjects + moved.server).to_string();
        let sealed = under.seal_text(count.as_bytes(), &context("end", ""), entropy);
        write(out, &Line::End { sealed: sealed.map_err(|_| KeyFileError::NotWhole)? })?;
        out.flush()?;
        Ok(moved)
    }

    /// Takes in the keys of a file: all of them or none. A key that was destroyed here stays destroyed.
    ///
    /// # Errors
    /// When the passphrase is another, the file was changed or is not whole, or something fails.
    pub async fn import_keys(
        &self,
        file: &mut (dyn BufRead + Send),
        passphrase: &str,
    ) -> Result<KeysMoved, KeyFileError> {
        let (mut number, mut text) = (0_u64, String::new());
        let mut next = |text: &mut String| -> Result<Option<(u64, Line)>, KeyFileError> {
            text.clear();
            if file.read_line(text)? == 0 {
                return Ok(None);
            }
            number += 1;
            let line = serde_json::from_str(text).map_err(|_| KeyFileError::Malformed(number))?;
            Ok(Some((number, line)))
        };
        let Some((_, Line::Keys { format: FORMAT, argon2id, salt })) = next(&mut text)? else {
            return Err(KeyFileError::Malformed(1));
        };
        let under = stretched(passphrase, &salt, argon2id).ok_or(KeyFileError::Malformed(1))?;
        let open = |sealed: &str, context: &str, line: u64| {
            under.open_text(sealed, context).map(Zeroizing::new).map_err(|_| KeyFileError::DoesNotOpen(line))
        };
        let mut moved = KeysMoved::default();
        let mut transaction = self.0.database.transaction().await?;
        loop {
            let Some((line, read)) = next(&mut text)? else { return Err(KeyFileError::NotWhole) };
            match read {
                Line::Keys { .. } => return Err(KeyFileError::Malformed(line)),
                Line::Subject { name, wrapped } => {
                    moved.subjects += 1;
                    let wrapped = match wrapped {
                        None => {
                            moved.destroyed += 1;
                            None
                        }
                        Some(sealed) => Some(open(&sealed, &context("subject", &name), line)?),
                    };
                    self.put(&mut transaction, &SUBJECT_KEYS, &name, wrapped.as_deref().map(Vec::as_slice))
                        .await?;
                }
                Line::Server { name, wrapped } => {
                    moved.server += 1;
                    let plain = open(&wrapped, &context("server", &name), line)?;
                    self.put(&mut transaction, &SERVER_KEYS, &name, Some(&plain)).await?;
                }
                Line::End { sealed } => {
                    let count = open(&sealed, &context("end", ""), line)?;
                    if *count != (moved.subjects + moved.server).to_string().into_bytes()
                        || next(&mut text)?.is_some()
                    {
                        return Err(KeyFileError::NotWhole);
                    }
                    break;
                }
            }
        }
        transaction.commit().await?;
        self.evict_all();
        Ok(moved)
    }

    /// A secret of the server by its name, where there is one.
    pub(crate) async fn find_server_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let sql = "select wrapped from server_keys where name = $1";
        match self.0.database.query(sql, &[name.into()]).await?.first().map(Vec::as_slice) {
            Some([Value::Bytes(wrapped)]) => self.unwrap_key(name, wrapped).map(Some),
            _ => Ok(None),
        }
    }

    /// Notes as destroyed the keys of those subjects that have none.
    pub(crate) async fn bury_missing(&self, subjects: &[&str]) -> Result<(), VaultError> {
        let now = self.0.clock.now().timestamp_micros();
        let names: Vec<String> = subjects.iter().map(|name| (*name).to_owned()).collect();
        let mut transaction = self.0.database.transaction().await?;
        let there = transaction.select(&SUBJECT_KEYS, SUBJECT_KEYS.key(), &names).await?;
        let known: HashSet<&str> = there.iter().filter_map(|row| row.first()?.as_text()).collect();
        let missing = names.iter().filter(|name| !known.contains(name.as_str()));
        let rows: Vec<Row> =
            missing.map(|name| vec![name.as_str().into(), DESTROYED.to_vec().into(), now.into()]).collect();
        transaction.upsert(&SUBJECT_KEYS, rows).await?;
        transaction.commit().await?;
        self.evict_all();
        Ok(())
    }

    /// Writes a key, unless the one that is there was destroyed.
    async fn put(
        &self,
        transaction: &mut Transaction,
        table: &Table,
        name: &str,
        key: Option<&[u8]>,
    ) -> Result<(), KeyFileError> {
        let there = transaction.select(table, table.key(), &[name.to_owned()]).await?;
        let is_destroyed = |row: &Row| row.get(1).and_then(Value::as_bytes) == Some(DESTROYED);
        if there.first().is_some_and(is_destroyed) {
            return Ok(());
        }
        let row = match key {
            Some(key) => self.wrap_key(transaction, name, key, true).await?.1,
            None => {
                vec![name.into(), DESTROYED.to_vec().into(), self.0.clock.now().timestamp_micros().into()]
            }
        };
        Ok(transaction.upsert(table, vec![row]).await?)
    }
}

fn write(out: &mut dyn Write, line: &Line) -> Result<(), KeyFileError> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}
