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

    let start = Instant::now();
    bare(&store).await?;
    let bare = report("bare read", head, start, None);
    let start = Instant::now();
    let mut at = Position(0);
    while at < head {
        at = store.page(at, 2_000, &Filter::default()).await?.last().ok_or("a gap")?.position;
    }
    report("read and opened", head, start, Some(bare));
    let start = Instant::now();
    rebuild(&store, &names, PATIENCE, &Silent).await?;
    report("rebuild", head, start, Some(bare));
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("memory at its peak: {}", peak.trim_start_matches("VmHWM:").trim());
    }
    store.database().close().await;
    Ok(())
}

/// Reads what a rebuild must read, and does nothing with it.
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

fn report(what: &str, head: Position, start: Instant, bare: Option<u128>) -> u128 {
    let elapsed = start.elapsed();
    let rate = u128::from(head.0) * 1_000 / elapsed.as_millis().max(1);
    let ratio = bare.map(|bare| format!(", {} % of the bare read", rate * 100 / bare.max(1)));
    let seconds = elapsed.as_secs_f64();
    println!("{what:<16} {rate:>8} events/s ({seconds:.1} s{})", ratio.unwrap_or_default());
    rate
}
