//! What a row is made of.

use std::pin::Pin;

use super::world::World;
use crate::support::Reply;

/// A way to an answer.
pub(super) type Scenario = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = Reply> + 'a>>;

/// How a row is shown to work.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// By a way to its success.
    Succeeds(Scenario),
    /// By the tests of this file: the way to its success is long.
    Elsewhere(&'static str),
    /// It answers this instead, on purpose.
    Answers(u16, Scenario),
}

/// A row: an endpoint, and how it is shown to work.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Method and path as the reference writes them.
    pub(super) name: &'static str,
    pub(super) how: How,
    /// How it differs on purpose; empty where it does not.
    pub(super) remark: &'static str,
}

impl Row {
    /// A row that succeeds.
    pub(super) const fn of(name: &'static str, scenario: Scenario) -> Self {
        Self { name, how: How::Succeeds(scenario), remark: "" }
    }

    /// A row whose success is tested by other files.
    pub(super) const fn tested_in(name: &'static str, file: &'static str) -> Self {
        Self { name, how: How::Elsewhere(file), remark: "" }
    }

    /// A row that answers something else on purpose.
    pub(super) const fn answering(name: &'static str, status: u16, scenario: Scenario) -> Self {
        Self { name, how: How::Answers(status, scenario), remark: "" }
    }

    /// With what differs on purpose.
    pub(super) const fn but(mut self, remark: &'static str) -> Self {
        self.remark = remark;
        self
    }
}

/// An asynchronous function as a [`Scenario`].
macro_rules! by {
    ($function:ident) => {
        |world| Box::pin($function(world))
    };
}
pub(super) use by;
