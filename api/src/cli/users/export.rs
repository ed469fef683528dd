//! `evident users export`: all that is held on a person. It is written as it is read, whatever its length.

use std::io::{self, BufWriter, Write};
use std::pin::pin;

use clap::Args;
use evident_domain::{Event, Position, Recorded, StreamId, Subject, UserId};
use evident_eventstore::export::as_json;
use evident_eventstore::{EventStore, Filter, StoreError};
use evident_projections::views;
use evident_projections::views::log::{self, LogCursor, LogFilter, Order};
use futures::TryStreamExt;
use futures::stream::{self, Stream};
use serde_json::{Value as Json, json};

use super::super::{CliError, output};
use super::named;
use crate::bootstrap;
use crate::config::Settings;

/// Events that are read at a time.
const PAGE: usize = 500;

/// Whose data to write.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The account's id, or its address
    user: String,
}

impl Export {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let user = named(&store, &self.user).await?;
        let stream = StreamId::user(user);
        if store.load_after(stream, 0).await?.is_empty() {
            return Err(CliError::Failed(format!("there is no user {user}")));
        }
        let mut out = BufWriter::new(io::stdout().lock());
        match write(&mut out, &store, user).await {
            Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }
}

async fn write(out: &mut impl Write, store: &EventStore, user: UserId) -> Result<(), CliError> {
    let subject = Subject::User(user);
    let head = store.head().await?.position;
    writeln!(out, "{{\"subject\": {},", Json::from(subject.to_string()))?;
    writeln!(out, "\"position\": {head},")?;
    let tables = views::rows_of_person(store.database(), user).await;
    for found in tables.map_err(StoreError::from)? {
        writeln!(out, "{}: {},", Json::from(found.table), Json::from_iter(found.rows))?;
    }
    let messages: Json = store
        .messages_of(&subject)
        .await?
        .into_iter()
        .map(
            |due| json!({ "id": due.id, "created_at": output::time(due.created_at), "message": due.payload }),
        )
        .collect();
    writeln!(out, "\"outbox\": {messages},")?;
    let about = Filter { subject: Some(subject.clone()), last: Some(head), ..Filter::default() };
    list(out, "events_about", store.read(Position(0), about), |event| Some(as_json(event))).await?;
    writeln!(out, ",")?;
    // Of what they did to others, also as administrators and in others' names: that they did it, and from
    // where. The rest is the others'.
    list(out, "events_by", naming(store, user, head), |event| {
        let theirs = event.provenance.person() == Some(user);
        let others = theirs && event.subject.as_ref() != Some(&subject);
        let mut shown = as_json(event);
        let own = matches!(event.event, Event::Organization(_) | Event::Session(_));
        if let (false, Some(fields)) = (own, shown.as_object_mut()) {
            fields.remove("data");
        }
        others.then_some(shown)
    })
    .await?;
    writeln!(out, "}}")?;
    out.flush()?;
    Ok(())
}

/// Whatever a person is named by, up to a position.
fn naming(
    store: &EventStore,
    user: UserId,
    last: Position,
) -> impl Stream<Item = Result<Recorded, StoreError>> {
    let filter = LogFilter { user: Some(user), ..LogFilter::default() };
    let pages = stream::try_unfold(Position(0), move |after| {
        let (store, filter) = (store.clone(), filter.clone());
        async move {
            let before = Position(last.0 + 1);
            let cursor = LogCursor { after, before, order: Order::OldestFirst, limit: PAGE };
            let positions = log::positions(&store, &filter, &cursor).await?;
            let Some(next) = positions.last().copied() else { return Ok(None) };
            Ok::<_, StoreError>(Some((store.at(&positions).await?, next)))
        }
    });
    pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten()
}

async fn list(
    out: &mut impl Write,
    name: &str,
    events: impl Stream<Item = Result<Recorded, StoreError>>,
    show: impl Fn(&Recorded) -> Option<Json>,
) -> Result<(), CliError> {
    write!(out, "\"{name}\": [")?;
    let mut events = pin!(events);
    let mut separator = "\n";
    while let Some(event) = events.try_next().await? {
        if let Some(shown) = show(&event) {
            write!(out, "{separator}{shown}")?;
            separator = ",\n";
        }
    }
    write!(out, "]")?;
    Ok(())
}
