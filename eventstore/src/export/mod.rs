//! The log in the forms that other programs read: `CloudEvents`, OCSF and CSV, a line or record an event.
//!
//! The archive's own form, which proofs and restores need, is [`crate::archive`]. What is made here is for
//! reading: personal fields stay sealed unless they are asked for, and what is secret (hashes of passwords,
//! tokens and codes, keys) is never shown.

mod cloud_events;
mod csv;
mod ocsf;
mod plain;
#[cfg(test)]
mod tests;

use evident_domain::{EventId, Position, Recorded};

pub use csv::{CSV_HEAD, record_end};
pub use ocsf::OCSF_VERSION;
pub use plain::{as_json, data, moment};

use crate::archive::SealedEvent;
use crate::codec::READ;
use crate::database::cells_of;
use crate::stored::decode_each;
use crate::{EventStore, StoreError};

/// Whether personal fields are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// They stay sealed: what is handed over names nobody.
    Sealed,
    /// They are opened, where the key is there.
    Opened,
}

impl Opening {
    /// The word for it in what is exported.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Opened => "opened",
        }
    }
}

/// An event that is handed over.
#[derive(Debug, Clone)]
pub struct Entry {
    /// As it lies in the log.
    pub sealed: SealedEvent,
    /// As it reads; none once retention has dropped its content.
    pub event: Option<Recorded>,
}

/// A form for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `CloudEvents` 1.0 in JSON, one a line.
    CloudEvents,
    /// OCSF in JSON, one a line; see [`OCSF_VERSION`].
    Ocsf,
    /// CSV (RFC 4180), with a head; no cell begins as a formula does.
    Csv,
}

/// How events are written.
#[derive(Debug, Clone)]
pub struct Style {
    /// The form.
    pub form: Form,
    /// The server that the log belongs to: its public address.
    pub source: String,
    /// Whether personal fields are shown.
    pub opening: Opening,
}

impl Style {
    /// What stands before the first event, with its line's end.
    pub fn head(&self) -> Option<String> {
        match self.form {
            Form::CloudEvents | Form::Ocsf => None,
            Form::Csv => Some(csv::head()),
        }
    }

    /// An event with its line's end.
    pub fn write(&self, entry: &Entry) -> String {
        match self.form {
            Form::CloudEvents => format!("{}\n", cloud_events::document(entry, self)),
            Form::Ocsf => format!("{}\n", ocsf::document(entry, self)),
            Form::Csv => csv::record(entry),
        }
    }

    /// Which event a whole line or record tells of, where it is one of this form.
    pub fn place(&self, written: &str) -> Option<(Position, EventId)> {
        let json = || serde_json::from_str::<serde_json::Value>(written).ok();
        match self.form {
            Form::CloudEvents => cloud_events::place(&json()?),
            Form::Ocsf => ocsf::place(&json()?),
            Form::Csv => csv::place(written),
        }
    }
}

impl EventStore {
    /// The events at some positions, as they lie in the log and as they read. Given are positions in the
    /// order of the log.
    ///
    /// # Errors
    /// When the database fails, or an event does not read.
    pub async fn entries(&self, positions: &[Position], opening: Opening) -> Result<Vec<Entry>, StoreError> {
        let page = self.sealed_at(positions).await?;
        let (mut rows, mut whole) = (Vec::with_capacity(page.len()), Vec::with_capacity(page.len()));
        for row in &page {
            let has_content = row.event.content.is_some();
            whole.push(has_content);
            if has_content {
                rows.push(row.event.to_row()?);
            }
        }
        let mut events = match opening {
            Opening::Opened => {
                let items = self.open_rows(rows).await?;
                items.into_iter().map(|item| item.event).collect::<Result<Vec<_>, _>>()?
            }
            Opening::Sealed => {
                let cells = cells_of(&rows, &READ);
                let read = decode_each(&cells);
                let read = read.map(|(_, stored)| stored.and_then(|stored| stored.sealed(self.upcasters())));
                read.collect::<Result<Vec<_>, _>>()?
            }
        }
        .into_iter();
        let entry = |(row, whole): (crate::archive::LogRow, bool)| Entry {
            sealed: row.event,
            event: if whole { events.next() } else { None },
        };
        Ok(page.into_iter().zip(whole).map(entry).collect())
    }
}
