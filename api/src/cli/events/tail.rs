//! `evident events tail`: the newest events, and those that come.

use std::time::Duration;

use clap::Args;
use evident_domain::Position;
use evident_eventstore::EventStore;

use super::{CliError, PAGE, Selection, flush, line, output};

/// How often the log is asked whether it has gone on. Nothing is missed in between: positions have no gaps.
const LOOK: Duration = Duration::from_millis(250);
/// Show the newest events, and those that come, until interrupted.
#[derive(Debug, Args)]
pub(in crate::cli) struct Tail {
    #[command(flatten)]
    selection: Selection,
    /// Begin with the last so many; with --after those behind that position
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: usize,
}

impl Tail {
    pub(super) async fn run(self, store: &EventStore, json: bool) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        let end = self.selection.until();
        let mut after = match self.selection.after() {
            Position(0) => {
                let head = store.head().await?.position;
                let last = end.map_or(head, |end| end.min(head));
                self.selection.before_the_last(store, last, self.lines).await?
            }
            after => after,
        };
        loop {
            // Up to the head that was seen: so a filter that nothing passes does not read the log again.
            let head = store.head().await?.position;
            let last = end.map_or(head, |end| end.min(head));
            while after < last {
                let positions = self.selection.next(store, after, last, PAGE).await?;
                for (_, event) in store.each_at(&positions).await? {
                    if !output::line(&mut out, &line(&event?, json))? {
                        return Ok(());
                    }
                }
                flush(&mut out)?;
                after = positions.last().filter(|_| positions.len() == PAGE).copied().unwrap_or(last);
            }
            if end.is_some_and(|end| end <= head) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
