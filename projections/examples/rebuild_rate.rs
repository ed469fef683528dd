//! How many events a second a rebuild folds, beside a bare read of the same log.
//!
//! ```text
//! cargo run --release -p evident-projections --example rebuild_rate -- FOLDER [postgres://…] [NAME…]
//! ```
//!
//! The folder is a server's data folder, or one that the example `make_log` made.

#[path = "make_log/dice.rs"]
#[allow(dead_code, reason = "made for the other example, which uses more of it")]
mod dice;
#[path = "make_log/folder.rs"]
mod folder;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use evident_domain::Position;
use evident_eventstore::{EventStore, Filter, Value};
use evident_projections::{PATIENCE, Projections, Silent, rebuild};

use dice::{Dice, StoryClock};

/// As the server has it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows a page of the bare read.
const PAGE: i64 = 2_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        return Err("say a folder".into());
    }
    let folder = arguments.remove(0);
    let url = arguments.first().filter(|argument| argument.starts_with("postgres")).cloned();
    let names: Vec<&str> = arguments.iter().skip(usize::from(url.is_some())).map(String::as_str).collect();
    let (clock, dice) = (Arc::new(StoryClock::new()), Arc::new(Dice::new(u64::from(std::process::id()))));
    let inline = Arc::new(Projections::default());
    let store = folder::open(Path::new(&folder), url.as_deref(), inline, clock, dice).await?;
    let head = store.head().await?.position;

    let start = Start::now();
    bare(&store).await?;
    let bare = report("bare read", head, &start, None);
    let start = Start::now();
    let mut at = Position(0);
    while at < head {
        at = store.page(at, 1_000, &Filter::default()).await?.last().ok_or("a gap")?.position;
    }
    report("read and opened", head, &start, Some(bare));
    let start = Start::now();
    rebuild(&store, &names, PATIENCE, &Silent).await?;
    report("rebuild", head, &start, Some(bare));
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("memory at its peak: {}", peak.trim_start_matches("VmHWM:").trim());
    }
    store.database().close().await;
    Ok(())
}

/// Reads the log page by page, and does nothing with it.
async fn bare(store: &EventStore) -> Result<(), Box<dyn Error + Send + Sync>> {
    let sql = "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
               metadata, event_id, occurred_at, actor, subject from events where position > $1 \
               order by position limit $2";
    let mut at = Value::Int(0);
    loop {
        let rows = store.database().query(sql, &[at, PAGE.into()]).await?;
        match rows.last().and_then(|row| row.first()) {
            Some(last) => at = last.clone(),
            None => return Ok(()),
        }
    }
}

/// When something began, and what the process had used of the CPU by then.
struct Start {
    at: Instant,
    ticks: u64,
}

impl Start {
    fn now() -> Self {
        Self { at: Instant::now(), ticks: ticks() }
    }
}

/// The process's CPU time, in hundredths of a second (Linux's unit for programs); 0 where it is not told.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in brackets, which may hold anything: the 12th and 13th are the times.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

fn report(what: &str, head: Position, start: &Start, bare: Option<u128>) -> u128 {
    let elapsed = start.at.elapsed();
    let rate = u128::from(head.0) * 1_000 / elapsed.as_millis().max(1);
    let ratio = bare.map(|bare| format!(", {} % of the bare read", rate * 100 / bare.max(1)));
    let cpu = (ticks() - start.ticks) * 10_000 / head.0.max(1);
    let seconds = elapsed.as_secs_f64();
    let ratio = ratio.unwrap_or_default();
    println!("{what:<16} {rate:>8} events/s ({seconds:.1} s{ratio}; {cpu} µs of CPU an event)");
    rate
}
