//! What of the log may go after a time, and what an event is of which nothing but its leaf is left.
//!
//! Position, type, time, actor, subject and the digests of an event stay for ever. Its content, payload and
//! provenance, may be dropped where nothing needs it any more: [`retention_class`] says of which events that
//! can be said at all, [`superseded`] what the rest of a session's stream still needs.

use serde::{Deserialize, Serialize};

use crate::attempt::AttemptEvent;
use crate::recipient::RecipientEvent;
use crate::session::SessionEvent;
use crate::{Event, Recorded, StreamKind, Time};

/// How long the content of an event is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionClass {
    /// A fact on which accounts, organizations, tables or the proof of who could do what rest. It stays.
    Durable,
    /// What a session tells while it is used: refreshes and proofs between its start and its end.
    Session,
    /// What was tried and refused.
    Attempt,
    /// What was under way for some minutes: codes and redirects.
    Flow,
}

impl RetentionClass {
    /// Those that can be dropped.
    pub const DROPPABLE: [Self; 3] = [Self::Session, Self::Attempt, Self::Flow];

    /// The name in settings and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Session => "session",
            Self::Attempt => "attempt",
            Self::Flow => "flow",
        }
    }

    /// The types of its events.
    pub fn types(self) -> impl Iterator<Item = &'static str> {
        DROPPABLE.iter().filter(move |(class, _)| *class == self).map(|(_, name)| *name)
    }
}

/// Every type of event whose content may be dropped.
const DROPPABLE: &[(RetentionClass, &str)] = &[
    (RetentionClass::Session, "session.refreshed"),
    (RetentionClass::Session, "session.refresh_repeated"),
    (RetentionClass::Session, "session.stepped_up"),
    (RetentionClass::Session, "session.stepped_down"),
    (RetentionClass::Session, "session.extended"),
    (RetentionClass::Session, "session.active_organization_changed"),
    (RetentionClass::Session, "session.active_team_changed"),
    (RetentionClass::Session, "session.fields_changed"),
    (RetentionClass::Attempt, "attempt.sign_in_failed"),
    (RetentionClass::Attempt, "attempt.sign_up_repeated"),
    (RetentionClass::Attempt, "attempt.admin_denied"),
    (RetentionClass::Attempt, "attempt.refresh_token_reused"),
    (RetentionClass::Attempt, "attempt.authenticator_suspected"),
    (RetentionClass::Flow, "recipient.message_asked_for"),
    (RetentionClass::Flow, "recipient.answered"),
    (RetentionClass::Flow, "recipient.code_issued"),
    (RetentionClass::Flow, "recipient.code_missed"),
    (RetentionClass::Flow, "recipient.code_exhausted"),
    (RetentionClass::Flow, "recipient.code_redeemed"),
    (RetentionClass::Flow, "flow.started"),
    (RetentionClass::Flow, "flow.returned"),
    (RetentionClass::Flow, "flow.authenticated"),
    (RetentionClass::Flow, "flow.redeemed"),
    (RetentionClass::Flow, "flow.answered"),
];

/// The class of an event. Every variant has its own line, so that a new one is thought about.
pub const fn retention_class(event: &Event) -> RetentionClass {
    match event {
        Event::Session(event) => match event {
            // Who signed in and when it ended is what the log is for.
            SessionEvent::Started { .. } | SessionEvent::Revoked { .. } => RetentionClass::Durable,
            SessionEvent::Refreshed { .. }
            | SessionEvent::RefreshRepeated { .. }
            | SessionEvent::SteppedUp { .. }
            | SessionEvent::SteppedDown { .. }
            | SessionEvent::Extended { .. }
            | SessionEvent::ActiveOrganizationChanged { .. }
            | SessionEvent::ActiveTeamChanged { .. }
            | SessionEvent::FieldsChanged { .. } => RetentionClass::Session,
        },
        Event::Attempt(event) => match event {
            AttemptEvent::SignInFailed { .. }
            | AttemptEvent::SignUpRepeated { .. }
            | AttemptEvent::AdminDenied { .. }
            | AttemptEvent::RefreshTokenReused { .. }
            | AttemptEvent::AuthenticatorSuspected { .. } => RetentionClass::Attempt,
        },
        Event::Recipient(event) => match event {
            RecipientEvent::MessageAskedFor { .. }
            | RecipientEvent::Answered {}
            | RecipientEvent::CodeIssued { .. }
            | RecipientEvent::CodeMissed { .. }
            | RecipientEvent::CodeExhausted { .. }
            | RecipientEvent::CodeRedeemed { .. } => RetentionClass::Flow,
        },
        Event::Flow(_) => RetentionClass::Flow,
        // Accounts, organizations and their tables are folded from these from the first to the last; a code
        // that is presented once more is known by its authorization; holds say why something is here; who
        // looked at it, and by whose key it was signed, is asked long after.
        Event::User(_)
        | Event::Organization(_)
        | Event::SsoProvider(_)
        | Event::Provider(_)
        | Event::Client(_)
        | Event::Authorization(_)
        | Event::Consent(_)
        | Event::Hold(_)
        | Event::Audit(_)
        | Event::Log(_) => RetentionClass::Durable,
        Event::Dropped(dropped) => dropped.class,
    }
}

/// Versions that events have or had; one that is not here is told as a dash.
const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "3.0", "4.0"];

/// An event whose content was dropped. What its leaf says is all that is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    stream: StreamKind,
    class: RetentionClass,
    name: &'static str,
    version: &'static str,
}

impl Dropped {
    /// An event of a type that may be dropped; none of any other, which must not be without content.
    pub fn of(stream: StreamKind, name: &str, version: &str) -> Option<Self> {
        let (class, name) = DROPPABLE.iter().find(|(_, known)| *known == name)?;
        let version = VERSIONS.into_iter().find(|known| *known == version).unwrap_or("-");
        let of_stream = name.split_once('.').is_some_and(|(kind, _)| kind == stream.as_str());
        of_stream.then_some(Self { stream, class: *class, name, version })
    }

    /// The kind of stream it stands in.
    pub const fn stream_kind(&self) -> StreamKind {
        self.stream
    }

    /// Name and version in the log.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        (self.name, self.version)
    }
}

/// Which events of a session's stream have no effect any more that a later one does not have as well. Given
/// is the whole stream; what is younger than `before` stays, and counts for nothing here.
///
/// Of a session that has ended everything between start and end may go: its row is gone, and nothing brings
/// it back. Of one that lives a refresh may go when a later one has told what it told, and no proof came in
/// between: that one counts tokens on from where the refresh left off.
pub fn superseded(stream: &[Recorded], before: Time) -> Vec<&Recorded> {
    let ended =
        stream.iter().any(|event| matches!(event.event, Event::Session(SessionEvent::Revoked { .. })));
    let mut gone = Vec::new();
    // From the end: what came after is known.
    let (mut refreshed, mut extended) = (false, false);
    for event in stream.iter().rev().filter(|event| event.occurred_at < before) {
        let Event::Session(session_event) = &event.event else { continue };
        let goes = match session_event {
            SessionEvent::Started { .. } | SessionEvent::Revoked { .. } => false,
            _ if ended => true,
            SessionEvent::Refreshed { .. } => std::mem::replace(&mut refreshed, true),
            SessionEvent::RefreshRepeated { .. } => refreshed,
            SessionEvent::Extended { .. } => std::mem::replace(&mut extended, true),
            SessionEvent::SteppedUp { .. } | SessionEvent::SteppedDown { .. } => {
                refreshed = false;
                false
            }
            SessionEvent::ActiveOrganizationChanged { .. }
            | SessionEvent::ActiveTeamChanged { .. }
            | SessionEvent::FieldsChanged { .. } => false,
        };
        if goes {
            gone.push(event);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::samples;

    #[test]
    fn what_may_be_dropped_is_listed_by_its_name() {
        for sample in samples() {
            let (name, version) = sample.kind();
            let listed = Dropped::of(sample.stream_kind(), name, version);
            match retention_class(&sample) {
                RetentionClass::Durable => assert_eq!(listed, None, "{name}"),
                class => {
                    let listed = listed.unwrap_or_else(|| panic!("{name} is not in the list"));
                    assert_eq!((listed.class, listed.kind()), (class, (name, version)));
                    assert!(class.types().any(|known| known == name));
                }
            }
        }
    }
}
