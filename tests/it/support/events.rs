//! The log, as `evident events list --json` shows it.

use serde::Deserialize;

use super::TestServer;

/// A line of the listing.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    /// Its place in the log: 1, 2, 3 …
    pub(crate) position: u64,
    /// `user.signed_up` …
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Who did it: `user:<id>`, `admin:<role>`, `visitor` …
    pub(crate) actor: String,
    /// Whom it is about: `user:<id>` …
    pub(crate) subject: Option<String>,
    /// When, RFC 3339.
    pub(crate) occurred_at: String,
    /// The request.
    pub(crate) request_id: String,
    /// From where.
    pub(crate) ip: Option<String>,
    /// The stream it stands on.
    pub(crate) stream: String,
}

impl TestServer {
    /// The whole log.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Event> {
        let lines = self.evident(&["events", "list", "--json"]).ok();
        let parse = |line: &str| match serde_json::from_str(line) {
            Ok(event) => event,
            Err(error) => panic!("{error}: {line}"),
        };
        lines.lines().map(parse).collect()
    }

    /// The position of the last event; 0 for an empty log.
    #[track_caller]
    pub(crate) fn head(&self) -> u64 {
        self.events().last().map_or(0, |event| event.position)
    }

    /// The events after a position.
    #[track_caller]
    pub(crate) fn events_since(&self, position: u64) -> Vec<Event> {
        self.events().into_iter().filter(|event| event.position > position).collect()
    }

    /// Checks that exactly these happened after a position, in this order, and gives them.
    #[track_caller]
    pub(crate) fn assert_log(&self, since: u64, types: &[&str]) -> Vec<Event> {
        let events = self.events_since(since);
        let found: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(found, types);
        events
    }

    /// Checks that the positions run 1, 2, 3 … and that the tables are the log's.
    #[track_caller]
    pub(crate) fn assert_log_is_whole(&self) {
        for (event, expected) in self.events().iter().zip(1..) {
            assert_eq!(event.position, expected, "a gap in the positions");
        }
        self.evident(&["projections", "verify"]).ok();
    }
}
