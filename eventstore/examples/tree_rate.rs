//! What the log's tree costs: making tiles, signing, proving, checking.
//!
//! `cargo run --release -p evident-eventstore --example tree_rate -- FOLDER 100000`
//! `cargo run --release -p evident-eventstore --example tree_rate -- postgres://user@host/database 100000`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{AssuranceLevel, SessionEvent};
use evident_domain::{Actor, Personal, Provenance, SessionId, StreamId, Subject, Surface, Time, UserId};
use evident_eventstore::tlog::{Checkpoints, Trust, check_store};
use evident_eventstore::{
    Append, Contents, Database, EventStore, MasterKey, NoProjections, PostgresOptions, StreamAppend, Vault,
};
use tokio::task::JoinSet;

/// Who fills the log at once.
const CALLERS: u64 = 128;
/// Commits after each of which a checkpoint is signed.
const SIGNED: u32 = 100;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug)]
struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    fn now(&self) -> Time {
        Utc::now().trunc_subsecs(6)
    }
}

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let target = std::env::args().nth(1).ok_or("say a folder or a PostgreSQL URL")?;
    let events: u64 = std::env::args().nth(2).ok_or("say how many events")?.parse()?;
    let (log, keys) = open(&target).await?;
    let vault = Vault::open(keys, &MasterKey::generate(&System), Arc::new(System), Arc::new(System)).await?;
    let store =
        EventStore::open(log, vault, Arc::new(NoProjections), Arc::new(System), Arc::new(System)).await?;
    let mut running = JoinSet::new();
    for _ in 0..CALLERS {
        let store = store.clone();
        running.spawn(async move { refresh(&store, events / CALLERS).await });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    let checkpoints = Checkpoints::open(&store, || "example.com/log".to_owned()).await?;
    let rate = |count: u64, since: Instant| {
        #[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
        let count = count as f64;
        count / since.elapsed().as_secs_f64()
    };
    let since = Instant::now();
    let size = checkpoints.sign().await?.size;
    println!("first signature over {size} events, all tiles made: {:.0} events/s", rate(size, since));

    let mut slowest = Duration::ZERO;
    let since = Instant::now();
    let mut signing = Duration::ZERO;
    for _ in 0..SIGNED {
        refresh(&store, 1).await?;
        let begun = Instant::now();
        checkpoints.sign().await?;
        slowest = slowest.max(begun.elapsed());
        signing += begun.elapsed();
    }
    println!(
        "a signature after a commit: {:.1} ms, the slowest {:.1} ms; {:.0} commits with one a second",
        (signing / SIGNED).as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3,
        rate(u64::from(SIGNED), since)
    );

    let since = Instant::now();
    for n in 0..u64::from(SIGNED) {
        checkpoints.tree().inclusion(n * (size / u64::from(SIGNED)), size).await?;
    }
    println!("inclusion proofs: {:.0}/s", rate(u64::from(SIGNED), since));

    let trust = Trust { keys: checkpoints.vkeys(), checkpoints: Vec::new() };
    let since = Instant::now();
    let checked = check_store(&store, &trust, |_, _| ()).await?.map_err(|finding| finding.to_string())?;
    println!("check: {:.0} events/s, {} tiles", rate(checked.events, since), checked.tiles);
    Ok(())
}

async fn open(target: &str) -> Outcome<(Database, Database)> {
    let number = System.uuid().simple().to_string();
    let name = format!("tree_rate_{}", &number[..8]);
    if target.starts_with("postgres") {
        let options = PostgresOptions {
            url: target.to_owned(),
            schema: name,
            max_connections: 4,
            acquire_timeout: Duration::from_secs(10),
        };
        let log = Database::open_postgres(&options, Contents::Log).await?;
        return Ok((log, Database::open_postgres(&options, Contents::Keys).await?));
    }
    let folder = Path::new(target).join(name);
    std::fs::create_dir_all(&folder)?;
    let log = Database::open_sqlite(&folder.join("log.db"), Contents::Log).await?;
    Ok((log, Database::open_sqlite(&folder.join("keys.db"), Contents::Keys).await?))
}

/// One session that is started and refreshed.
async fn refresh(store: &EventStore, events: u64) -> Outcome<()> {
    let (user, session) = (UserId(System.uuid()), SessionId(System.uuid()));
    for done in 0..events {
        let now = System.now();
        let event = if done == 0 {
            SessionEvent::Started {
                user,
                amr: Vec::new(),
                aal: AssuranceLevel::Aal1,
                not_after: None,
                started_at: now,
                client: None,
                scopes: None,
                slides: false,
                impersonator: None,
            }
        } else {
            SessionEvent::Refreshed { generation: done, at: now }
        };
        let append = Append {
            streams: vec![StreamAppend {
                stream: StreamId::session(session),
                expected: done,
                subject: Subject::User(user),
                events: vec![event.into()],
            }],
            guards: Vec::new(),
            messages: Vec::new(),
            provenance: Provenance {
                ip: Some(Personal::Known([192, 0, 2, 7].into())),
                user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0".to_owned().into()),
                ..Provenance::internal(Actor::User { id: user }, Surface::Gotrue, System.uuid())
            },
            occurred_at: now,
        };
        store.append(append).await?;
    }
    Ok(())
}
