//! `GET /audit/stream`: the log as it grows, as server-sent events.
//!
//! Each event's id is its position, and positions have no gaps and become visible in their order: whoever
//! goes on behind the last id has missed nothing and gets nothing twice, whichever node answers. A task reads
//! ahead by one page and no further. It ends when its reader does not take what it has, when the token counts
//! no more, and when the server stops; readers come again with `Last-Event-ID`.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use evident_domain::Position;
use evident_projections::views::log::{self, LogCursor, LogFilter, Order};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;

use super::access::LogReader;
use super::app::App;
use super::entry::EntryDocument;
use super::error::AuditError;
use super::query;
use super::routes::{for_auditors, get};
use crate::gotrue::params::Params;
use crate::http::bearer::role_holder;
use crate::http::routes::Router;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Entries that are read at once.
const PAGE: usize = 100;

/// Pages that wait for their reader.
const AHEAD: usize = 1;

/// So long a reader may take for a page.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line of comment at least this often: proxies and readers see that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// So often the head is asked for what other nodes and commands have written.
const LOOK: Duration = Duration::from_millis(500);

/// What browsers wait before they come again, in milliseconds.
const RETRY: &str = "retry: 1000\n\n";

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/stream", for_auditors(get(follow)))
}

async fn follow(
    State(app): State<App>,
    _: LogReader,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, AuditError> {
    let params = Params::parse(query.as_deref().unwrap_or_default());
    let filter = query::stream(&params, &["after"])?;
    let asked = match headers.get(LAST_EVENT_ID) {
        // The last that the reader has; what the address says is where it once began.
        Some(id) => Some(query::position("Last-Event-ID", id.to_str().unwrap_or_default())?),
        None => match params.all("after").collect::<Vec<_>>().as_slice() {
            [] => None,
            [one] => Some(query::position("after", one)?),
            _ => return Err(AuditError::parameter("after", "may stand once")),
        },
    };
    let head = app.commands().catch_up().await?;
    let place = app.streams().clone().try_acquire_owned().map_err(|_| AuditError::overloaded())?;
    let (send, mut pages) = mpsc::channel::<Bytes>(AHEAD);
    let follower = Follower {
        filter,
        headers,
        after: asked.map_or(head, Position),
        moved: app.store().watch_head(),
        closing: app.closing(),
        mouth: Mouth { pages: send, spoke: Instant::now(), patience: PATIENCE },
        _place: place,
        app,
    };
    tokio::spawn(follower.run());
    let pages = futures::stream::poll_fn(move |context| pages.poll_recv(context));
    let body = futures::StreamExt::map(pages, Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Somebody who follows the log.
struct Follower {
    app: App,
    filter: LogFilter,
    /// For looking again whether the token counts.
    headers: HeaderMap,
    /// Up to here everything was told or does not pass the filter.
    after: Position,
    moved: watch::Receiver<Position>,
    closing: watch::Receiver<bool>,
    mouth: Mouth,
    _place: OwnedSemaphorePermit,
}

/// The reader is gone, or may read no more.
#[derive(Debug)]
struct Ended;

impl Follower {
    async fn run(mut self) {
        let (mut closing, gone) = (self.closing.clone(), self.mouth.pages.clone());
        let told = async {
            self.mouth.say(RETRY.to_owned()).await?;
            loop {
                self.tell().await?;
                self.wait().await?;
            }
        };
        // Whatever ends it: the reader comes again and goes on behind the last id.
        let _: Result<Infallible, Ended> = tokio::select! {
            ended = told => ended,
            () = gone.closed() => Err(Ended),
            _ = closing.wait_for(|closing| *closing) => Err(Ended),
        };
    }

    /// Tells what there is.
    async fn tell(&mut self) -> Result<(), Ended> {
        loop {
            let head = self.app.commands().catch_up().await.map_err(failed)?;
            if head <= self.after {
                return Ok(());
            }
            let before = Position(head.0 + 1);
            let cursor = LogCursor { after: self.after, before, order: Order::OldestFirst, limit: PAGE };
            let page = log::page(self.app.store(), &self.filter, &cursor).await.map_err(failed)?;
            let entries = log::entries(self.app.store(), page.items).await.map_err(failed)?;
            let mut text = String::new();
            for entry in entries {
                let document = EntryDocument::of(entry);
                let json = serde_json::to_string(&document).map_err(failed)?;
                // Writing to a string cannot fail, and JSON has no line breaks.
                let _ = write!(text, "id: {}\ndata: {json}\n\n", document.position());
            }
            self.after = page.next.unwrap_or(head);
            if !text.is_empty() {
                self.mouth.say(text).await?;
            }
            // Far back, or behind a filter that little passes, this goes on for long.
            self.beat().await?;
        }
    }

    /// Waits until there may be more.
    async fn wait(&mut self) -> Result<(), Ended> {
        loop {
            let moved = tokio::time::timeout(LOOK, self.moved.changed()).await;
            self.beat().await?;
            match moved {
                Ok(Ok(())) if *self.moved.borrow_and_update() > self.after => return Ok(()),
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Ended),
                Err(_) => return Ok(()),
            }
        }
    }

    /// Shows now and then that the stream is alive, and looks whether the token still counts.
    async fn beat(&mut self) -> Result<(), Ended> {
        if self.mouth.spoke.elapsed() < HEARTBEAT {
            return Ok(());
        }
        let commands = self.app.commands();
        if role_holder(&self.headers, commands, self.app.roles()).await.is_err() {
            return Err(Ended);
        }
        // The id moves without an event, so that who comes again need not search again.
        self.mouth.say(format!(": alive\nid: {}\n\n", self.after)).await
    }
}

/// What says something to the reader.
struct Mouth {
    pages: mpsc::Sender<Bytes>,
    spoke: Instant,
    /// So long the reader may take.
    patience: Duration,
}

impl Mouth {
    async fn say(&mut self, text: String) -> Result<(), Ended> {
        self.spoke = Instant::now();
        self.pages.send_timeout(text.into(), self.patience).await.map_err(|_| Ended)
    }
}

/// What went wrong is for the server's log.
fn failed(error: impl std::error::Error + 'static) -> Ended {
    tracing::error!(error = &error as &dyn std::error::Error, "a reader of the log was cut off");
    Ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_take_what_is_sent_is_cut_off() {
        let (pages, mut reader) = mpsc::channel(AHEAD);
        let mut mouth = Mouth { pages, spoke: Instant::now(), patience: Duration::from_millis(20) };
        // One page waits for its reader, and no more is made ready.
        mouth.say("one".to_owned()).await.unwrap();
        mouth.say("two".to_owned()).await.unwrap_err();
        // Who reads on, however late, is told more.
        assert_eq!(reader.recv().await.unwrap(), "one");
        mouth.say("three".to_owned()).await.unwrap();
        drop(reader);
        mouth.say("four".to_owned()).await.unwrap_err();
    }
}
