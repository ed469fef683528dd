//! A bar for long work, when somebody is watching.

use std::io::IsTerminal;

use evident_projections::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal; silence elsewhere.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar; none when a machine reads, or nobody does.
    pub(super) fn new(json: bool) -> Self {
        let watched = !json && std::io::stderr().is_terminal();
        let bar = if watched { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = "{msg:<12} {wide_bar} {pos}/{len} {per_sec} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Clears the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, stage: &str, steps: u64) {
        self.0.set_message(stage.to_owned());
        self.0.set_length(steps);
        self.0.set_position(0);
    }

    fn at(&self, done: u64) {
        self.0.set_position(done);
    }
}
