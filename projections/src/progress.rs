//! How far long work is.

/// Is told how long work goes on: a progress bar, or nobody.
pub trait Progress: Send + Sync {
    /// A stage begins that has so many steps.
    fn begin(&self, stage: &str, steps: u64);
    /// So many steps of the stage are done.
    fn at(&self, done: u64);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn at(&self, _: u64) {}
}
