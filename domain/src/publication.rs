//! What the log shows of itself to those who check it: from which entry on it is handed out, and under which
//! name and keys it is signed. One stream tells it, so that it is covered by what it is about.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::{Event, HoldId, Root, StreamKind, Subject, Time};

/// The id of the one stream.
pub const PUBLICATION: Uuid = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0002);

/// Entries are handed out in bundles of so many (C2SP tlog-tiles), and a bundle is pruned whole.
pub const BUNDLE: u64 = 256;

described! {
    /// An event of the one stream that tells what the log shows of itself.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum LogEvent {
        /// The log's oldest entries are no longer handed out.
        #[serde(rename = "log.pruned")]
        Pruned {
            /// The first entry, counted from 0, that is (the minimum index of C2SP tlog-tiles).
            minimum: u64,
            /// Where everybody can read how long entries are kept.
            policy: String,
        },
        /// Another key signs the log's checkpoints.
        #[serde(rename = "log.key_rotated")]
        KeyRotated {
            /// The new verifier key (C2SP signed-note).
            key: String,
            /// The one before it.
            former: String,
            /// Until then the former signs as well.
            both_until: Time,
        },
        /// The log goes on under another name and key: it was restored, and the one that it came from goes on,
        /// too.
        #[serde(rename = "log.renamed")]
        Renamed {
            /// The new verifier key, which begins with the new name.
            key: String,
            /// The one before it.
            former: String,
        },
    }
}

impl LogEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Pruned { .. } => ("log.pruned", "1.0"),
            Self::KeyRotated { .. } => ("log.key_rotated", "1.0"),
            Self::Renamed { .. } => ("log.renamed", "1.0"),
        }
    }
}

impl DomainEvent for LogEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

/// What may be asked of it.
#[derive(Debug, Clone)]
pub enum LogCommand {
    /// Hand out no entry before this one.
    Prune {
        /// How many entries are old enough; whole bundles of them go.
        entries: u64,
        /// Where everybody can read how long entries are kept.
        policy: String,
        /// A legal hold that stands.
        held: Option<HoldId>,
    },
    /// Sign with another key.
    Rotate {
        /// The new verifier key.
        key: String,
        /// The one that signs now.
        former: String,
        /// Until then both sign.
        both_until: Time,
        /// The time of the decision.
        now: Time,
    },
    /// Go on under another name.
    Rename {
        /// The new verifier key.
        key: String,
        /// The one that signs now.
        former: String,
    },
}

/// A rule of the publication said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A hold keeps the log as it is.
    #[error("the legal hold {0} keeps the log's oldest part")]
    Held(HoldId),
    /// Nobody could know what to expect.
    #[error("say where the policy is published by which entries go (C2SP tlog-tiles asks for one)")]
    NoPolicy,
    /// It would end before it begins.
    #[error("the time in which both keys sign has passed")]
    EndPassed,
    /// The rotation before this one is not over.
    #[error("two keys sign already: wait until that is over")]
    Rotating,
    /// It is the key that signs now.
    #[error("the log signs with this key already")]
    SameKey,
}

/// The log's publication.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    minimum: u64,
    both_until: Option<Time>,
}

impl Publication {
    /// The first entry, counted from 0, that is handed out.
    pub const fn minimum(&self) -> u64 {
        self.minimum
    }
}

impl Root for Publication {
    const KIND: StreamKind = StreamKind::Log;

    fn decide(&self, command: LogCommand) -> Result<Vec<LogEvent>, LogError> {
        match command {
            LogCommand::Prune { entries, policy, held } => {
                if policy.trim().is_empty() || policy.chars().any(char::is_control) {
                    return Err(LogError::NoPolicy);
                }
                if let Some(hold) = held {
                    return Err(LogError::Held(hold));
                }
                let minimum = entries - entries % BUNDLE;
                let goes_on = minimum > self.minimum;
                Ok(goes_on.then_some(LogEvent::Pruned { minimum, policy }).into_iter().collect())
            }
            LogCommand::Rotate { key, former, both_until, now } => {
                if both_until < now {
                    return Err(LogError::EndPassed);
                }
                if self.both_until.is_some_and(|end| end > now) {
                    return Err(LogError::Rotating);
                }
                if key == former {
                    return Err(LogError::SameKey);
                }
                Ok(vec![LogEvent::KeyRotated { key, former, both_until }])
            }
            LogCommand::Rename { key, former } => {
                if key == former {
                    return Err(LogError::SameKey);
                }
                Ok(vec![LogEvent::Renamed { key, former }])
            }
        }
    }

    fn fold(&mut self, event: &LogEvent) {
        match event {
            LogEvent::Pruned { minimum, .. } => self.minimum = *minimum,
            LogEvent::KeyRotated { both_until, .. } => self.both_until = Some(*both_until),
            LogEvent::Renamed { .. } => self.both_until = None,
        }
    }

    fn own(event: &Event) -> Option<&LogEvent> {
        if let Event::Log(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, _: Time) -> Subject {
        Subject::Server
    }
}

impl Aggregate for Publication {
    const TYPE: &'static str = "log";
    type Command = LogCommand;
    type Event = LogEvent;
    type Error = LogError;
    type Services = ();

    async fn handle(
        &mut self,
        command: LogCommand,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), LogError> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: LogEvent) {
        self.fold(&event);
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    const POLICY: &str = "https://example.com/retention";

    fn prune(entries: u64) -> LogCommand {
        LogCommand::Prune { entries, policy: POLICY.to_owned(), held: None }
    }

    fn pruned(minimum: u64) -> LogEvent {
        LogEvent::Pruned { minimum, policy: POLICY.to_owned() }
    }

    fn at(second: i64) -> Time {
        Time::from_timestamp(second, 0).unwrap()
    }

    fn rotate(key: &str, former: &str, both_until: Time, now: Time) -> LogCommand {
        LogCommand::Rotate { key: key.to_owned(), former: former.to_owned(), both_until, now }
    }

    fn given(events: Vec<LogEvent>) -> cqrs_es::test::AggregateTestExecutor<Publication> {
        TestFramework::<Publication>::with(()).given(events)
    }

    #[test]
    fn whole_bundles_are_pruned_and_none_comes_back() {
        given(vec![]).when(prune(255)).then_expect_events(vec![]);
        given(vec![]).when(prune(700)).then_expect_events(vec![pruned(512)]);
        given(vec![pruned(512)]).when(prune(767)).then_expect_events(vec![]);
        given(vec![pruned(512)]).when(prune(3)).then_expect_events(vec![]);
        given(vec![pruned(512)]).when(prune(768)).then_expect_events(vec![pruned(768)]);
    }

    #[test]
    fn nothing_is_pruned_under_a_hold_or_without_a_policy() {
        let hold = HoldId(Uuid::from_u128(7));
        let held = LogCommand::Prune { entries: 700, policy: POLICY.to_owned(), held: Some(hold) };
        given(vec![]).when(held).then_expect_error(LogError::Held(hold));
        for policy in ["", " ", "a\u{0}b"] {
            let silent = LogCommand::Prune { entries: 700, policy: policy.to_owned(), held: None };
            given(vec![]).when(silent).then_expect_error(LogError::NoPolicy);
        }
    }

    #[test]
    fn a_key_is_followed_by_another_one_after_the_other() {
        let rotated =
            || LogEvent::KeyRotated { key: "b".to_owned(), former: "a".to_owned(), both_until: at(100) };
        given(vec![]).when(rotate("b", "a", at(100), at(50))).then_expect_events(vec![rotated()]);
        given(vec![]).when(rotate("b", "a", at(40), at(50))).then_expect_error(LogError::EndPassed);
        given(vec![]).when(rotate("a", "a", at(100), at(50))).then_expect_error(LogError::SameKey);
        given(vec![rotated()]).when(rotate("c", "b", at(200), at(99))).then_expect_error(LogError::Rotating);
        let next = LogEvent::KeyRotated { key: "c".to_owned(), former: "b".to_owned(), both_until: at(200) };
        given(vec![rotated()]).when(rotate("c", "b", at(200), at(100))).then_expect_events(vec![next]);
        let rename = LogCommand::Rename { key: "x".to_owned(), former: "b".to_owned() };
        let renamed = LogEvent::Renamed { key: "x".to_owned(), former: "b".to_owned() };
        given(vec![rotated()]).when(rename).then_expect_events(vec![renamed]);
    }
}
