//! The log's name, and the keys under it: the one that signs, the one before it while both do, and those that
//! signed once.

use evident_domain::publication::PUBLICATION;
use evident_domain::{StreamKind, Time};
use zeroize::Zeroizing;

use super::checkpoint::LogKey;
use super::checkpoints::SignError;
use crate::database::{Row, Tables, Value};
use crate::{EventStore, StoreError};

/// The seed of a log's first key, in the vault. Later ones stand there under this and their id.
const FIRST_KEY: &str = "log-checkpoints";

/// Who the log is, as of now.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// The key that signs.
    pub(super) key: LogKey,
    /// The one before it, as long as it signs, too.
    pub(super) also: Option<LogKey>,
    /// The verifier keys of this name that signed once, newest first.
    pub(super) former: Vec<String>,
    /// Other names that the log had.
    pub(super) names: Vec<String>,
}

impl Identity {
    /// The verifier keys, the one that signs first.
    pub(super) fn vkeys(&self) -> Vec<String> {
        std::iter::once(self.key.vkey()).chain(self.former.iter().cloned()).collect()
    }

    /// Who the log is. At the first call of all, name and key are made and kept: later the name that is
    /// proposed does not matter. A name that the log had elsewhere is not taken: that log may go on.
    pub(super) async fn load(
        store: &EventStore,
        propose: impl FnOnce() -> String + Send,
    ) -> Result<Self, SignError> {
        let changes = changes(store).await?;
        let renamed = match changes.iter().rev().find(|change| !change.keeps_name()) {
            // Where its key did not travel along, this is another log again.
            Some(change) => seed_of(store, &change.key).await?.map(|_| change.name().to_owned()),
            None => None,
        };
        let origin = match renamed {
            Some(origin) => origin,
            None => match origin(store).await? {
                Some(origin) => origin,
                None => choose(store, &changes, propose()).await?,
            },
        };
        let own: Vec<_> = changes.iter().filter(|change| change.name() == origin).collect();
        let mut former: Vec<String> = own
            .iter()
            .rev()
            .filter(|change| change.keeps_name())
            .map(|change| change.former.clone())
            .collect();
        let key = match own.last() {
            Some(change) => {
                let missing = || SignError::KeyMissing(change.key.clone());
                seed_of(store, &change.key).await?.ok_or_else(missing)?
            }
            None => first_key(store, &origin).await?,
        };
        former.retain(|vkey| *vkey != key.vkey());
        let now = store.clock().now();
        let also = match own.last() {
            Some(change) if change.both_until.is_some_and(|end| now < end) => {
                seed_of(store, &change.former).await?
            }
            _ => None,
        };
        let mut names: Vec<String> =
            changes.iter().map(|change| name_of(&change.former).to_owned()).collect();
        names.retain(|name| *name != origin);
        Ok(Self { key, also, former, names })
    }
}

/// An event by which the log got another key.
#[derive(Debug)]
struct Change {
    key: String,
    former: String,
    both_until: Option<Time>,
}

impl Change {
    fn name(&self) -> &str {
        name_of(&self.key)
    }

    fn keeps_name(&self) -> bool {
        self.name() == name_of(&self.former)
    }
}

fn name_of(vkey: &str) -> &str {
    vkey.split('+').next().unwrap_or_default()
}

/// What the log tells of its keys, oldest first.
async fn changes(store: &EventStore) -> Result<Vec<Change>, StoreError> {
    let sql = "select payload ->> 'key', payload ->> 'former', payload ->> 'both_until' from events \
               where aggregate_type = $1 and aggregate_id = $2 \
               and event_type in ('log.key_rotated', 'log.renamed') order by sequence";
    let stream = [StreamKind::Log.as_str().into(), PUBLICATION.to_string().into()];
    let rows = store.database().query(sql, &stream).await?;
    let read = |row: &Row| {
        let text = |at: usize| row.get(at).and_then(Value::as_text).map(str::to_owned);
        let both_until = text(2).and_then(|time| time.parse().ok());
        Some(Change { key: text(0)?, former: text(1)?, both_until })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// The log's name, as it was kept at the first start.
pub(super) async fn origin(store: &EventStore) -> Result<Option<String>, StoreError> {
    let rows = store.database().query("select origin from tree_identity where only_row = 1", &[]).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_text).map(str::to_owned))
}

/// Keeps a name: the one that is proposed, unless the log had it elsewhere.
async fn choose(store: &EventStore, changes: &[Change], proposed: String) -> Result<String, SignError> {
    let told = changes.iter().any(|change| change.name() == proposed || name_of(&change.former) == proposed);
    let name = if told || is_former(store, &proposed).await? {
        format!("{proposed}/{}", store.entropy().uuid().simple())
    } else {
        proposed
    };
    LogKey::new(&name, &Zeroizing::new([0; 32]))?;
    let mut transaction = store.database().transaction().await?;
    // Of two nodes that propose one at once the first wins.
    let sql = "insert into tree_identity (only_row, origin) values (1, $1) on conflict do nothing";
    transaction.execute(sql, &[name.as_str().into()]).await?;
    transaction.commit().await?;
    Ok(origin(store).await?.unwrap_or(name))
}

/// Whether a log that this one was restored from has the name.
pub(super) async fn is_former(store: &EventStore, name: &str) -> Result<bool, StoreError> {
    let sql = "select origin from tree_former where origin = $1";
    Ok(!store.database().query(sql, &[name.into()]).await?.is_empty())
}

/// The key of a name that no event tells of: made now where there is none.
async fn first_key(store: &EventStore, origin: &str) -> Result<LogKey, SignError> {
    // A log that came from another has a key of its own, also where the other's travelled along.
    let rows = store.database().query("select origin from tree_former limit 1", &[]).await?;
    let name = if rows.is_empty() { FIRST_KEY.to_owned() } else { format!("{FIRST_KEY}/{origin}") };
    let seed = store.vault().server_key(&name, || new_seed(store)).await?;
    let seed = <[u8; 32]>::try_from(seed.as_slice()).map_err(|_| SignError::Key)?;
    Ok(LogKey::new(origin, &Zeroizing::new(seed))?)
}

fn new_seed(store: &EventStore) -> Vec<u8> {
    let mut seed = vec![0; 32];
    store.entropy().fill(&mut seed);
    seed
}

/// The key that a verifier key belongs to, where it is in the vault.
pub(super) async fn seed_of(store: &EventStore, vkey: &str) -> Result<Option<LogKey>, StoreError> {
    let mut parts = vkey.splitn(3, '+');
    let (Some(origin), Some(id)) = (parts.next(), parts.next()) else { return Ok(None) };
    for name in [format!("{FIRST_KEY}:{id}"), format!("{FIRST_KEY}/{origin}"), FIRST_KEY.to_owned()] {
        let seed = store.vault().find_server_key(&name).await.map_err(StoreError::vault)?;
        let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok()).map(Zeroizing::new);
        let key = seed.and_then(|seed| LogKey::new(origin, &seed).ok());
        if let Some(key) = key.filter(|key| key.vkey() == vkey) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Makes a key for a name, and keeps it where an event will find it. Until an event names it, it signs nothing.
pub(super) async fn prepare(store: &EventStore, origin: &str) -> Result<LogKey, SignError> {
    let seed = new_seed(store);
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(seed.as_slice()).map_err(|_| SignError::Key)?);
    let key = LogKey::new(origin, &bytes)?;
    let id = key.vkey().split('+').nth(1).unwrap_or_default().to_owned();
    store.vault().server_key(&format!("{FIRST_KEY}:{id}"), || seed).await?;
    Ok(key)
}
