//! Makes a log like one that a busy server wrote, of any length: people sign up, sign in, refresh, change
//! things, fail, are banned, found organizations and are forgotten. The same seed makes the same log.
//!
//! ```text
//! cargo run --release -p evident-projections --example make_log -- --events 1000000 --into FOLDER
//! cargo run --release -p evident-projections --example make_log -- --events 1000000 --into FOLDER --url postgres://…
//! ```
//!
//! `FOLDER` becomes a data folder of Evident: `evident.db` and `keys.db`, unless `--url` names a PostgreSQL
//! database, and `master.key`. It must hold no log yet. Every change goes through the log's writer, with all
//! its checks; the tables are folded in the end by a rebuild, unless `--tables no` leaves that to whoever
//! wants to measure it.

mod dice;
mod folder;
mod society;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use evident_domain::Subject;
use evident_eventstore::{Append, EventStore, NoProjections};
use evident_projections::{PATIENCE, Silent, rebuild};

use tokio::task::JoinHandle;

use dice::{Dice, StoryClock};
use society::Society;

/// Changes that are handed over at a time.
const ROUND: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Options {
    events: u64,
    into: PathBuf,
    url: Option<String>,
    seed: u64,
    tables: bool,
}

fn options() -> Outcome<Options> {
    let mut options = Options { events: 100_000, into: PathBuf::new(), url: None, seed: 1, tables: true };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--events" => options.events = value.replace('_', "").parse()?,
            "--into" => options.into = PathBuf::from(value),
            "--url" => options.url = Some(value),
            "--seed" => options.seed = value.parse()?,
            "--tables" => options.tables = value != "no",
            _ => return Err(format!("there is no option {name}").into()),
        }
    }
    if options.into.as_os_str().is_empty() {
        return Err("say --into FOLDER".into());
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let options = options()?;
    let clock = Arc::new(StoryClock::new());
    // Two of them: what happens must not depend on when it is sealed.
    let (dice, sealing) = (Arc::new(Dice::new(options.seed)), Arc::new(Dice::new(options.seed ^ u64::MAX)));
    let url = options.url.as_deref();
    let store = folder::open(&options.into, url, Arc::new(NoProjections), clock.clone(), sealing).await?;
    if store.head().await?.position.0 > 0 {
        return Err("there is a log already".into());
    }

    let start = Instant::now();
    let mut society = Society::new(dice, clock);
    let mut made = 0;
    let mut sending: Option<JoinHandle<Outcome<()>>> = None;
    while made < options.events {
        let (mut appends, mut forgotten) = (Vec::with_capacity(ROUND), Vec::new());
        while appends.len() < ROUND && made < options.events {
            let append = society.next(&mut forgotten);
            made += append.streams.iter().map(|stream| stream.events.len() as u64).sum::<u64>();
            appends.push(append);
        }
        // One round is made while the one before is written; they are written one after the other.
        if let Some(before) = sending.take() {
            before.await??;
        }
        sending = Some(tokio::spawn(send(store.clone(), appends, forgotten)));
    }
    if let Some(last) = sending {
        last.await??;
    }
    report("appended", made, start);
    if options.tables {
        let start = Instant::now();
        let rebuilt = rebuild(&store, &[], PATIENCE, &Silent).await?;
        report("folded", rebuilt.position.0, start);
    }
    store.database().close().await;
    Ok(())
}

async fn send(store: EventStore, appends: Vec<Append>, forgotten: Vec<Subject>) -> Outcome<()> {
    for outcome in store.append_all(appends).await? {
        outcome?;
    }
    for subject in forgotten {
        store.forget(&subject).await?;
    }
    Ok(())
}

fn report(what: &str, events: u64, start: Instant) {
    let elapsed = start.elapsed();
    let rate = u128::from(events) * 1_000 / elapsed.as_millis().max(1);
    println!("{what} {events} events in {:.1} s: {rate} events/s", elapsed.as_secs_f64());
}
