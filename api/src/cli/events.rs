//! `evident events`: reading the log.

use std::io::{BufWriter, Write};
use std::pin::pin;

use clap::{Args, Subcommand};
use evident_domain::{Position, StreamId, StreamKind, Subject, Time};
use evident_eventstore::Filter;
use futures::TryStreamExt;

use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Reading the log.
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// List events, oldest first
    List(List),
    /// Show one event whole
    Show {
        /// Its position
        position: u64,
    },
}

/// Which events to list.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only of these types (`user.banned`); may be given again
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only with data of this subject (`user:<id>`, or just a user's id)
    #[arg(long, value_parser = subject)]
    subject: Option<Subject>,
    /// Only by this actor (`user:<id>`, `admin:service_role`, `visitor` …)
    #[arg(long)]
    actor: Option<String>,
    /// Only of this stream (`user:<id>`, `session:<id>`)
    #[arg(long, value_parser = stream)]
    stream: Option<StreamId>,
    /// Not before this time (2026-11-21T10:00:00Z)
    #[arg(long)]
    from: Option<Time>,
    /// Before this time
    #[arg(long)]
    to: Option<Time>,
    /// After this position
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// At most so many
    #[arg(long)]
    limit: Option<usize>,
}

fn subject(text: &str) -> Result<Subject, String> {
    text.parse().or_else(|_| text.parse().map(Subject::User)).map_err(|_| "write user:<id>".to_owned())
}

fn stream(text: &str) -> Result<StreamId, String> {
    let parse = || {
        let (kind, id) = text.split_once(':')?;
        Some(StreamId { kind: StreamKind::from_name(kind)?, id: id.parse().ok()? })
    };
    parse().ok_or_else(|| "write user:<id> or session:<id>".to_owned())
}

impl Events {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        match self {
            Self::List(list) => {
                let filter = Filter {
                    types: list.types,
                    subject: list.subject,
                    actor: list.actor,
                    stream: list.stream,
                    from: list.from,
                    to: list.to,
                    last: None,
                };
                let mut events = pin!(store.read(Position(list.after), filter));
                let mut left = list.limit.unwrap_or(usize::MAX);
                while left > 0
                    && let Some(event) = events.try_next().await?
                {
                    let text = if json {
                        output::event_json(&event).to_string()
                    } else {
                        output::event_line(&event)
                    };
                    if !output::line(&mut out, &text)? {
                        return Ok(());
                    }
                    left -= 1;
                }
            }
            Self::Show { position } => {
                let before = Position(position.saturating_sub(1));
                let filter = Filter { last: Some(Position(position)), ..Filter::default() };
                let events = store.page(before, 1, &filter).await?;
                let event = events
                    .first()
                    .ok_or_else(|| CliError::Failed(format!("there is no event at position {position}")))?;
                let shown = output::event_json(event);
                let text = if json {
                    shown.to_string()
                } else {
                    serde_json::to_string_pretty(&shown).unwrap_or_default()
                };
                output::line(&mut out, &text)?;
            }
        }
        out.flush().or_else(|error| {
            if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
        })?;
        Ok(())
    }
}
