//! The log: lines on standard error, for people or for machines.
//!
//! Secrets stay out of it because their types show nothing. Libraries that know what goes over the wire or
//! into the database are kept at `info` by a plain level, also by `trace`; whoever wants more names them.

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{LogFormat, LogSettings};

/// Libraries that see contents of connections and statements.
const TALKATIVE: [&str; 8] =
    ["h2", "hyper", "hyper_util", "lettre", "reqwest", "rustls", "sqlx", "tokio_util"];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("the log filter cannot be read")]
    Filter(#[from] ParseError),
    /// This process logs already.
    #[error("the log was started twice")]
    Twice(#[from] TryInitError),
}

/// Starts the log of this process on standard error.
///
/// # Errors
/// When the filter cannot be read, or the log was started before.
pub fn start(settings: &LogSettings) -> Result<(), TelemetryError> {
    subscriber(settings, io::stderr, io::stderr().is_terminal())?.try_init()?;
    Ok(())
}

/// The log over any writer.
fn subscriber<W>(
    settings: &LogSettings,
    writer: W,
    colors: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.level)?)
        .with_writer(writer)
        .with_ansi(colors);
    Ok(match settings.format {
        LogFormat::Compact => Box::new(lines.compact().finish()),
        LogFormat::Pretty => Box::new(lines.pretty().finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish()),
    })
}

fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let plain_and_chatty = matches!(level, "debug" | "trace");
    if level == "info" {
        // PostgreSQL's notices about tables that are there already are nobody's news.
        return EnvFilter::try_new("info,sqlx=warn");
    }
    if !plain_and_chatty {
        return EnvFilter::try_new(level);
    }
    let quieter: Vec<_> = TALKATIVE.iter().map(|library| format!("{library}=info")).collect();
    EnvFilter::try_new(format!("{level},{}", quieter.join(",")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, format: LogFormat, act: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let settings = LogSettings { level: level.to_owned(), format };
        let subscriber = subscriber(&settings, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, act);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn machines_get_an_object_a_line() {
        let page = logged("info", LogFormat::Json, || tracing::info!(request_id = "r1", "signed up"));
        let line: serde_json::Value = serde_json::from_str(page.trim()).unwrap();
        assert_eq!(line["message"], "signed up");
        assert_eq!(line["request_id"], "r1");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn the_level_is_kept() {
        let act = || {
            tracing::debug!("quiet");
            tracing::warn!("loud");
        };
        let page = logged("info", LogFormat::Compact, act);
        assert!(page.contains("loud") && !page.contains("quiet"), "{page}");
    }

    #[test]
    fn a_plain_level_keeps_libraries_quiet_that_see_contents() {
        let act = || {
            tracing::debug!(target: "hyper::proto", "bytes");
            tracing::debug!(target: "evident_api", "own");
        };
        let page = logged("trace", LogFormat::Compact, act);
        assert!(page.contains("own") && !page.contains("bytes"), "{page}");
        let page = logged("info,hyper=debug", LogFormat::Compact, act);
        assert!(page.contains("bytes"), "{page}");
    }
}
