//! What all aggregates have in common, so that a unit of work handles any of them.

use std::fmt::Debug;

use cqrs_es::Aggregate;
use uuid::Uuid;

use crate::{Event, StreamKind, Subject, Time};

/// An aggregate: the root of what its stream tells.
pub trait Root:
    Aggregate<Event: Into<Event> + Clone + Sync, Command: Send> + Clone + Debug + 'static
{
    /// The kind of its streams.
    const KIND: StreamKind;

    /// What happens when a command is given; an empty list when there is nothing to do.
    ///
    /// # Errors
    /// The rule that says no.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Takes in what happened.
    fn fold(&mut self, event: &Self::Event);

    /// Its own event, if it is one.
    fn own(event: &Event) -> Option<&Self::Event>;

    /// Whose personal data the events hold that lead to this state: the key under which they are sealed.
    /// `now` names the period of what belongs to nobody known.
    fn subject(&self, id: Uuid, now: Time) -> Subject;
}
