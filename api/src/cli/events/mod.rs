//! `evident events`: reading the log.

mod export;
mod selection;
mod sink;
mod tail;

use std::io::{BufWriter, Write};

use clap::{Args, Subcommand};
use evident_domain::{Position, Recorded};
use evident_eventstore::export::as_json;
use evident_eventstore::{EventStore, Filter};
use uuid::Uuid;

use self::selection::Selection;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Events read at a time.
const PAGE: usize = 500;

/// Reading the log.
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// List events, oldest first
    List(List),
    /// Show one event whole
    Show {
        /// Its position, or its id
        #[arg(value_name = "POSITION|ID", value_parser = which)]
        which: Which,
    },
    /// Show the newest events, and those that come, as they come
    Tail(tail::Tail),
    /// Write events for other programs: archives, `CloudEvents`, OCSF, CSV
    Export(export::Export),
}

/// Which events to list.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    selection: Selection,
    /// At most so many
    #[arg(long)]
    limit: Option<usize>,
}

/// An event's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    Position(u64),
    Id(Uuid),
}

fn which(text: &str) -> Result<Which, String> {
    let position = text.parse().map(Which::Position);
    position.or_else(|_| text.parse().map(Which::Id)).map_err(|_| "write a position or an id".to_owned())
}

impl Events {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(&bootstrap::open_store(settings).await?, json).await,
            Self::Show { which } => show(&bootstrap::open_store(settings).await?, which, json).await,
            Self::Tail(tail) => tail.run(&bootstrap::open_store(settings).await?, json).await,
            Self::Export(export) => export.run(settings, json).await,
        }
    }
}

impl List {
    async fn run(self, store: &EventStore, json: bool) -> Result<(), CliError> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let head = store.head().await?.position;
        let last = self.selection.until().map_or(head, |until| until.min(head));
        let (mut after, mut left) = (self.selection.after(), self.limit.unwrap_or(usize::MAX));
        while left > 0 {
            let positions = self.selection.next(store, after, last, PAGE.min(left)).await?;
            let Some(newest) = positions.last() else { break };
            after = *newest;
            left -= positions.len();
            for (_, event) in store.each_at(&positions).await? {
                if !output::line(&mut out, &line(&event?, json))? {
                    return Ok(());
                }
            }
        }
        flush(&mut out)
    }
}

/// An event on one line.
fn line(event: &Recorded, json: bool) -> String {
    if json { as_json(event).to_string() } else { output::event_line(event) }
}

/// A reader that has gone away is no error.
fn flush(out: &mut impl Write) -> Result<(), CliError> {
    match out.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn show(store: &EventStore, which: Which, json: bool) -> Result<(), CliError> {
    let position = match which {
        Which::Position(position) => Some(position),
        Which::Id(id) => store.position_of(id).await?.map(|position| position.0),
    };
    let missing = || {
        CliError::Failed(match which {
            Which::Position(position) => format!("there is no event at position {position}"),
            Which::Id(id) => format!("there is no event {id}"),
        })
    };
    let position = position.ok_or_else(missing)?;
    let before = Position(position.saturating_sub(1));
    let filter = Filter { last: Some(Position(position)), ..Filter::default() };
    let events = store.page(before, 1, &filter).await?;
    let shown = as_json(events.first().ok_or_else(missing)?);
    let text =
        if json { shown.to_string() } else { serde_json::to_string_pretty(&shown).unwrap_or_default() };
    output::line(&mut std::io::stdout(), &text)?;
    Ok(())
}
