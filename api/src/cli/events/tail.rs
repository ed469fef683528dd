//! `evident events tail`: the newest events, and those that come.

use std::time::Duration;

use clap::Args;
use evident_domain::Position;
use evident_eventstore::EventStore;

use super::{CliError, Selection, flush, line, output};

/// How often the log is asked whether it has gone on. Nothing is missed in between: positions have no gaps.
const LOOK: Duration = Duration::from_millis(250);
/// Events read at a time.
const PAGE: u32 = 500;

/// Show the newest events, and those that come, until interrupted.
#[derive(Debug, Args)]
pub(in crate::cli) struct Tail {
    #[command(flatten)]
    selection: Selection,
    /// Begin with the last so many; with --after those behind that position
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: u32,
}

impl Tail {
    pub(super) async fn run(self, store: &EventStore, json: bool) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        let end = self.selection.until();
        let mut after = match self.selection.after() {
            Position(0) => store.before_the_last(self.lines, &self.selection.filter(None)).await?,
            after => after,
        };
        loop {
            // Up to the head that was seen: so a filter that nothing passes does not read the log again.
            let head = store.head().await?.position;
            while after < head {
                let page = store.page(after, PAGE, &self.selection.filter(Some(head))).await?;
                for event in &page {
                    if !output::line(&mut out, &line(event, json))? {
                        return Ok(());
                    }
                }
                flush(&mut out)?;
                let full = u32::try_from(page.len()) == Ok(PAGE);
                after = page.last().filter(|_| full).map_or(head, |event| event.position);
            }
            if end.is_some_and(|end| end <= head) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
