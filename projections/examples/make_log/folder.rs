//! A data folder as the server has it.

use std::error::Error;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use evident_domain::ports::{Clock, Entropy};
use evident_eventstore::{Contents, Database, EventStore, Inline, MasterKey, PostgresOptions, Vault};

/// Opens the log of a folder, or of a PostgreSQL database whose master key is in the folder.
pub(crate) async fn open(
    folder: &Path,
    url: Option<&str>,
    inline: Arc<dyn Inline>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<EventStore, Box<dyn Error + Send + Sync>> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (log, keys) = match url {
        None => (
            Database::open_sqlite(&folder.join("evident.db"), Contents::Log).await?,
            Database::open_sqlite(&folder.join("keys.db"), Contents::Keys).await?,
        ),
        Some(url) => {
            let postgres = PostgresOptions {
                url: url.to_owned(),
                schema: "evident".to_owned(),
                max_connections: 8,
                acquire_timeout: Duration::from_secs(10),
            };
            (
                Database::open_postgres(&postgres, Contents::Log).await?,
                Database::open_postgres(&postgres, Contents::Keys).await?,
            )
        }
    };
    let path = folder.join("master.key");
    let master = if path.exists() {
        MasterKey::from_base64(&std::fs::read_to_string(path)?)?
    } else {
        let key = MasterKey::generate(&*entropy);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(key.to_base64().as_bytes())?;
        key
    };
    let vault = Vault::open(keys, &master, clock.clone(), entropy.clone()).await?;
    Ok(EventStore::open(log, vault, inline, clock, entropy).await?)
}
