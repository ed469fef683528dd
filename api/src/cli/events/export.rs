//! `evident events export`: the log for other programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use evident_domain::{EventId, Position};
use evident_eventstore::archive::{ArchiveHead, ArchiveLine, LogRow, PrunedPart, SealedEvent};
use evident_eventstore::export::{Form, Opening, Style};
use evident_eventstore::tlog::{Checkpoint, Tree};
use evident_eventstore::{EventStore, Filter, StoreError};
use evident_projections::Progress;
use serde_json::json;
use tokio::task::JoinHandle;

use super::sink::{Layout, Sink};
use super::{CliError, Selection, output};
use crate::bootstrap;
use crate::cli::progress::Bar;
use crate::config::Settings;

/// Events read at a time.
const PAGE: usize = 1_000;

/// Write events for other programs. Exit code 0 means that everything up to the head is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    selection: Selection,
    /// In which form
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The file, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    into: PathBuf,
    /// Continue FILE behind its last whole line
    #[arg(long)]
    resume: bool,
    /// Write personal fields readable (not in archives)
    #[arg(long)]
    open_personal: bool,
    /// An archive of what the log hands out: without pruned entries, to be checked and not restored
    #[arg(long)]
    without_pruned: bool,
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The archive, sealed: for proofs, replays and `evident import events`
    Jsonl,
    /// `CloudEvents` 1.0, one a line
    #[value(name = "cloudevents")]
    CloudEvents,
    /// OCSF 1.3.0, one a line
    Ocsf,
    /// CSV (RFC 4180)
    Csv,
}

/// Turns events into text.
enum Writer {
    /// Sealed; with checkpoints where the log is whole.
    Archive {
        head: ArchiveHead,
        with_checkpoints: bool,
    },
    Styled(Style),
}

impl Export {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let form = self.form()?;
        if self.without_pruned && (form.is_some() || !self.selection.is_whole()) {
            return Err(CliError::Usage(
                "--without-pruned is for whole archives, without filters".to_owned(),
            ));
        }
        if self.resume && self.into.as_os_str() == "-" {
            return Err(CliError::Usage("--resume continues a file: name it with --into".to_owned()));
        }
        let store = bootstrap::open_store(settings).await?;
        let writer = self.writer(form, settings, &store).await?;
        let head = store.head().await?.position;
        let (mut sink, done) = self.sink(&writer, &store).await?;
        if done.is_none() && !sink.write(&writer.head())? {
            return Ok(());
        }
        // Those of the last event's tree were cut, if they were whole.
        if let (Some(Position(size @ 1..)), Writer::Archive { with_checkpoints: true, .. }) = (done, &writer)
        {
            for checkpoint in store.checkpoints_within(size - 1, size).await? {
                sink.write(&checkpoint_line(&checkpoint))?;
            }
        }
        if matches!(writer, Writer::Archive { .. }) && !self.selection.is_whole() {
            eprintln!(
                "evident: a part of the log: each event can be checked, but nothing can be restored from it"
            );
        }
        let bar = Bar::new(json);
        let last = self.selection.until().map_or(head, |until| until.min(head));
        let pages = Pages { store: store.clone(), selection: self.selection.clone(), last };
        bar.begin("export", last.0);
        let mut count = 0_u64;
        let mut after = done.unwrap_or_default().max(writer.begins_after()).max(self.selection.after());
        let mut next = writer.fetch(&pages, after);
        loop {
            let page = next.await??;
            let full = page.len() == PAGE;
            after = page.last().map_or(after, |written| written.position);
            // The next page is read while this one is written.
            let more = full.then(|| writer.fetch(&pages, after));
            for written in &page {
                if !sink.write(&written.text)? {
                    return Ok(());
                }
            }
            count += page.len() as u64;
            bar.at(after.0);
            match more {
                Some(more) => next = more,
                None => break,
            }
        }
        sink.finish()?;
        bar.finish();
        if self.into.as_os_str() != "-" {
            let file = self.into.display().to_string();
            let text = if json {
                json!({"file": file, "events": count, "position": last}).to_string()
            } else {
                format!("{count} events written to {file}, which goes up to position {last}")
            };
            output::line(&mut std::io::stdout(), &text)?;
        }
        Ok(())
    }

    /// The form; none for an archive.
    fn form(&self) -> Result<Option<Form>, CliError> {
        Ok(match self.format {
            Format::Jsonl if self.open_personal => {
                return Err(CliError::Usage(
                    "an archive is sealed: keys travel apart from it (`evident export keys`)".to_owned(),
                ));
            }
            Format::Jsonl => None,
            Format::CloudEvents => Some(Form::CloudEvents),
            Format::Ocsf => Some(Form::Ocsf),
            Format::Csv => Some(Form::Csv),
        })
    }

    async fn writer(
        &self,
        form: Option<Form>,
        settings: &Settings,
        store: &EventStore,
    ) -> Result<Writer, CliError> {
        let Some(form) = form else {
            let identity = store.log_identity().await;
            let identity = identity.map_err(|error| CliError::Failed(crate::cli::chain(&error)))?;
            let head = ArchiveHead { pruned: self.pruned_part(store).await?, ..ArchiveHead::new(identity) };
            return Ok(Writer::Archive { head, with_checkpoints: self.selection.is_whole() });
        };
        let opening = if self.open_personal { Opening::Opened } else { Opening::Sealed };
        let source = settings.commands.site.external_url.clone();
        Ok(Writer::Styled(Style { form, source, opening }))
    }

    /// What stands for the pruned events, where they are left out.
    async fn pruned_part(&self, store: &EventStore) -> Result<Option<PrunedPart>, CliError> {
        let events = store.pruning().await?.minimum;
        if !self.without_pruned {
            if events > 0 && self.selection.is_whole() {
                eprintln!(
                    "evident: a whole archive, with the {events} oldest events, which the log no longer hands \
                     out: --without-pruned leaves them out"
                );
            }
            return Ok(None);
        }
        if events == 0 {
            return Ok(None);
        }
        let frontier = Tree::new(store).frontier(events).await;
        let frontier = frontier.map_err(|error| CliError::Failed(crate::cli::chain(&error)))?.to_bytes();
        Ok(Some(PrunedPart { events, frontier }))
    }

    /// Where the export goes, and the last event that stands there already.
    async fn sink(&self, writer: &Writer, store: &EventStore) -> Result<(Sink, Option<Position>), CliError> {
        if !self.resume {
            return Ok((Sink::create(&self.into)?, None));
        }
        let (mut sink, mut last) = Sink::resume(&self.into, writer.layout())?;
        // A checkpoint says nothing of what stands before it that the next one does not say.
        while last.as_deref().is_some_and(|line| writer.is_checkpoint(line)) {
            (sink, last) = sink.step_back()?;
        }
        let Some(line) = last else { return Ok((sink, None)) };
        if line.trim_end() == writer.head().trim_end() {
            return Ok((sink, Some(writer.begins_after().max(self.selection.after()))));
        }
        let other = || {
            let file = self.into.display();
            CliError::Usage(format!("{file} is no export of this log in this form: it cannot be continued"))
        };
        let (position, id) = writer.place(&line).ok_or_else(other)?;
        let before = Position(position.0.saturating_sub(1));
        let here = store.sealed_page(before, 1, &Filter::default()).await?;
        if here.first().is_none_or(|row| row.event.leaf.id != id || row.event.position() != position) {
            return Err(other());
        }
        Ok((sink, Some(position)))
    }
}

/// An event as it is written.
struct Written {
    position: Position,
    text: String,
}

impl Writer {
    fn layout(&self) -> Layout {
        match self {
            Self::Styled(Style { form: Form::Csv, .. }) => Layout::Quoted,
            Self::Styled(_) | Self::Archive { .. } => Layout::Lines,
        }
    }

    fn head(&self) -> String {
        match self {
            Self::Archive { head, .. } => line(&ArchiveLine::Archive(head.clone())),
            Self::Styled(style) => style.head().unwrap_or_default(),
        }
    }

    /// The position that it begins behind.
    fn begins_after(&self) -> Position {
        match self {
            Self::Archive { head: ArchiveHead { pruned: Some(part), .. }, .. } => Position(part.events),
            Self::Archive { .. } | Self::Styled(_) => Position::default(),
        }
    }

    fn is_checkpoint(&self, text: &str) -> bool {
        let checkpoint = |line| matches!(line, ArchiveLine::Checkpoint(_));
        matches!(self, Self::Archive { .. }) && serde_json::from_str(text).is_ok_and(checkpoint)
    }

    /// Which event a line tells of.
    fn place(&self, text: &str) -> Option<(Position, EventId)> {
        match self {
            Self::Styled(style) => style.place(text),
            Self::Archive { .. } => match serde_json::from_str(text) {
                Ok(ArchiveLine::Event(event)) => Some((event.position(), event.leaf.id)),
                Ok(ArchiveLine::Archive(_) | ArchiveLine::Checkpoint(_)) | Err(_) => None,
            },
        }
    }

    /// Reads and writes a page, beside whatever else goes on.
    fn fetch(&self, pages: &Pages, after: Position) -> JoinHandle<Result<Vec<Written>, CliError>> {
        let pages = pages.clone();
        match self {
            Self::Archive { with_checkpoints, .. } => {
                let with_checkpoints = *with_checkpoints;
                tokio::spawn(async move { pages.archived(after, with_checkpoints).await })
            }
            Self::Styled(style) => {
                let style = style.clone();
                tokio::spawn(async move {
                    let positions = pages.next(after).await?;
                    let entries = pages.store.entries(&positions, style.opening).await?;
                    let write = |entry: &_| Written { position: at(entry), text: style.write(entry) };
                    Ok(entries.iter().map(write).collect())
                })
            }
        }
    }
}

/// What is exported, page by page.
#[derive(Clone)]
struct Pages {
    store: EventStore,
    selection: Selection,
    last: Position,
}

fn at(entry: &evident_eventstore::export::Entry) -> Position {
    entry.sealed.position()
}

impl Pages {
    async fn next(&self, after: Position) -> Result<Vec<Position>, StoreError> {
        self.selection.next(&self.store, after, self.last, PAGE).await
    }

    async fn archived(&self, after: Position, with_checkpoints: bool) -> Result<Vec<Written>, CliError> {
        let page = self.store.sealed_at(&self.next(after).await?).await?;
        let mut checkpoints = match page.last() {
            Some(last) if with_checkpoints => {
                self.store.checkpoints_within(after.0, last.event.position().0).await?.into_iter().peekable()
            }
            _ => Vec::new().into_iter().peekable(),
        };
        let write = |row: LogRow| {
            let position = row.event.position();
            // What would not restore is not handed over.
            row.check().map_err(|broken| {
                CliError::Failed(format!("the event at position {position} is damaged: {broken}"))
            })?;
            let mut text = event_line(row.event);
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.size <= position.0) {
                text.push_str(&checkpoint_line(&checkpoint));
            }
            Ok(Written { position, text })
        };
        page.into_iter().map(write).collect()
    }
}

fn checkpoint_line(checkpoint: &Checkpoint) -> String {
    line(&ArchiveLine::Checkpoint(checkpoint.text()))
}

fn event_line(event: SealedEvent) -> String {
    line(&ArchiveLine::Event(event))
}

/// A line of an archive. Texts and numbers always write.
fn line(line: &ArchiveLine) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

impl From<tokio::task::JoinError> for CliError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Store(StoreError::Stopped)
    }
}
