//! Legal holds: what must be kept, whatever retention says and whoever asks to be forgotten.
//!
//! All holds stand in one register, a single stream: whoever erases somebody reads it to decide, so that a
//! hold which is placed at the same moment is not overlooked.

mod command;
mod error;
mod event;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use command::HoldCommand;
pub use error::HoldError;
pub use event::HoldEvent;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::root::Root;
use crate::{Event, HoldId, OrganizationId, StreamKind, Subject, Time, UserId};

/// The id of the register's stream.
pub const REGISTER: Uuid = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0001);

/// Holds that may stand at once: each is looked at before anything is dropped.
const MOST: usize = 10_000;

/// What a hold keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum HoldScope {
    /// All there is.
    Everything,
    /// What is known of a person.
    User(UserId),
    /// What is known of an organization, and of those who belong to it or are invited.
    Organization(OrganizationId),
}

impl fmt::Display for HoldScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Organization(id) => write!(f, "organization:{id}"),
        }
    }
}

/// A text names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write `everything`, `user:<id>` or `organization:<id>`")]
pub struct UnknownScope;

impl FromStr for HoldScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text.split_once(':') {
            None if text == "everything" => Ok(Self::Everything),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| UnknownScope),
            Some(("organization", id)) => id.parse().map(Self::Organization).map_err(|_| UnknownScope),
            _ => Err(UnknownScope),
        }
    }
}

impl From<HoldScope> for String {
    fn from(scope: HoldScope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for HoldScope {
    type Error = UnknownScope;

    fn try_from(text: String) -> Result<Self, UnknownScope> {
        text.parse()
    }
}

impl HoldScope {
    /// Whose key seals what is said of the hold.
    pub fn subject(self) -> Subject {
        match self {
            Self::Everything => Subject::Server,
            Self::User(id) => Subject::User(id),
            Self::Organization(id) => Subject::Organization(id),
        }
    }
}

/// A hold that was placed and not lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What it keeps.
    pub scope: HoldScope,
    /// From when on it counts for nothing.
    pub until: Option<Time>,
}

impl Hold {
    /// Whether it counts at a moment.
    pub fn counts(&self, now: Time) -> bool {
        self.until.is_none_or(|end| end > now)
    }
}

/// The register's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Holds {
    standing: BTreeMap<HoldId, Hold>,
    /// What the last event was about.
    last: Option<HoldScope>,
}

impl Holds {
    /// The holds that count at a moment.
    pub fn at(&self, now: Time) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.standing.iter().filter(move |(_, hold)| hold.counts(now)).map(|(id, hold)| (*id, hold))
    }

    /// A hold that keeps one of these at a moment.
    pub fn keeping(&self, scopes: &[HoldScope], now: Time) -> Option<HoldId> {
        let keeps = |hold: &Hold| hold.scope == HoldScope::Everything || scopes.contains(&hold.scope);
        self.at(now).find(|(_, hold)| keeps(hold)).map(|(id, _)| id)
    }
}

impl Root for Holds {
    const KIND: StreamKind = StreamKind::Hold;

    fn decide(&self, command: HoldCommand) -> Result<Vec<HoldEvent>, HoldError> {
        match command {
            HoldCommand::Place { hold, scope, reason, by, until, now } => {
                if reason.trim().is_empty() || by.trim().is_empty() {
                    return Err(HoldError::Unexplained);
                }
                if self.standing.contains_key(&hold) {
                    return Err(HoldError::AlreadyPlaced);
                }
                if until.is_some_and(|end| end <= now) {
                    return Err(HoldError::EndPassed);
                }
                if self.at(now).count() >= MOST {
                    return Err(HoldError::TooMany);
                }
                let (reason, by) = (reason.into(), by.into());
                Ok(vec![HoldEvent::Placed { hold, scope, reason, by, until }])
            }
            HoldCommand::Lift { hold, by, now } => {
                if by.trim().is_empty() {
                    return Err(HoldError::Unexplained);
                }
                let standing = self.standing.get(&hold).filter(|hold| hold.counts(now));
                let scope = standing.ok_or(HoldError::NotFound)?.scope;
                Ok(vec![HoldEvent::Lifted { hold, scope, by: by.into() }])
            }
        }
    }

    fn fold(&mut self, event: &HoldEvent) {
        match event {
            HoldEvent::Placed { hold, scope, until, .. } => {
                self.standing.insert(*hold, Hold { scope: *scope, until: *until });
            }
            HoldEvent::Lifted { hold, .. } => {
                self.standing.remove(hold);
            }
        }
        self.last = Some(event.scope());
    }

    fn own(event: &Event) -> Option<&HoldEvent> {
        if let Event::Hold(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, _: Time) -> Subject {
        self.last.map_or(Subject::Server, HoldScope::subject)
    }
}

impl Aggregate for Holds {
    const TYPE: &'static str = "hold";
    type Command = HoldCommand;
    type Event = HoldEvent;
    type Error = HoldError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.fold(&event);
    }
}
