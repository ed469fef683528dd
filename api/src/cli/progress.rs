//! A bar for long work, when somebody is watching.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

use evident_projections::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal; silence elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Whether the stage has begun just now: where it begins is not what was done.
    fresh: AtomicBool,
}

impl Bar {
    /// A bar; none when a machine reads, or nobody does.
    pub(super) fn new(json: bool) -> Self {
        let watched = !json && std::io::stderr().is_terminal();
        let bar = if watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = "{msg:<12} {wide_bar} {pos}/{len} {per_sec} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, fresh: AtomicBool::new(true) }
    }

    /// Clears the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, stage: &str, steps: u64) {
        self.bar.set_message(stage.to_owned());
        self.bar.set_length(steps);
        self.bar.set_position(0);
        self.fresh.store(true, Ordering::Relaxed);
    }

    fn at(&self, done: u64) {
        self.bar.set_position(done);
        if self.fresh.swap(false, Ordering::Relaxed) {
            self.bar.reset_eta();
        }
    }
}
