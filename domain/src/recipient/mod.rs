//! An address or number that messages are asked for by people who have not signed in. Whether anybody
//! has an account there plays no part: known and unknown ones are asked for and refused alike.

pub(crate) mod codes;
mod event;

pub use codes::{Code, CodeAnswer, CodePurpose, MAX_CODE_MISSES_A_DAY};
pub use event::RecipientEvent;

use std::collections::{BTreeMap, VecDeque};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{Event, StreamKind, Subject, Time, TokenHash};

described! {
    /// What messages are asked for. Between two of one kind some time passes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum MessageKind {
        /// To confirm a sign-up, and by text to get in.
        Confirmation,
        /// The same once more.
        Resend,
        /// To get in without a password, by mail.
        Access,
        /// To set another password.
        Recovery,
        /// To confirm another address or number.
        Change,
        /// To join an organization.
        Invitation,
    }
}

impl MessageKind {
    /// After which kinds a message of this one waits. What sends nothing to an address that nobody has must
    /// not keep its owner from signing up, so only sending once more waits for more than itself.
    const fn waits_for(self) -> &'static [Self] {
        match self {
            Self::Confirmation => &[Self::Confirmation],
            Self::Resend => &[Self::Confirmation, Self::Resend],
            Self::Access => &[Self::Access],
            Self::Recovery => &[Self::Recovery],
            Self::Change => &[Self::Change],
            Self::Invitation => &[Self::Invitation],
        }
    }
}

/// What is known of it: when a message of a kind was last asked for, and which codes are alive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    last_asked: BTreeMap<MessageKind, Time>,
    codes: codes::Codes,
    /// When the last invitations were asked for, oldest first.
    #[serde(default)]
    invited: VecDeque<Time>,
}

/// So many invitations go to one address in a time, whoever invites.
pub const INVITATIONS_IN_A_TIME: usize = 10;

/// A command on a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientCommand {
    /// Ask for a message.
    Ask {
        /// Which.
        kind: MessageKind,
        /// The time of the decision.
        now: Time,
        /// How long after the last one of this kind the next may be asked for, in milliseconds.
        min_interval_millis: u64,
    },
    /// Invite whoever has the address: members of whatever organization do, and of many.
    Invite {
        /// The time of the decision.
        now: Time,
        /// In so long [`INVITATIONS_IN_A_TIME`] may be asked for, in milliseconds.
        within_millis: u64,
    },
    /// Take it that who has the address answered.
    Answer,
    /// Note a code that is about to be sent, or that nobody gets because nobody has the address.
    IssueCode {
        /// What for.
        purpose: CodePurpose,
        /// Its keyed hash.
        code: TokenHash,
        /// The time of the decision.
        now: Time,
        /// From when on it is refused.
        expires_at: Time,
        /// So many are made within an hour, over all purposes.
        most_per_hour: u32,
    },
    /// Try a code. What [`Recipient::answer`] says to it is kept; no answer is an error.
    TryCode {
        /// What for.
        purpose: CodePurpose,
        /// Its keyed hash.
        code: TokenHash,
        /// Wrong codes that are taken before the code is void.
        attempts: u32,
        /// Whether a right one is used up.
        consume: bool,
        /// The time of the decision.
        now: Time,
    },
}

/// A message of this kind was asked for a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too soon: {seconds} s to wait")]
pub struct AskedTooSoon {
    /// Whole seconds left.
    pub seconds: u64,
}

/// The whole seconds until `interval` milliseconds have passed since `last`; none when they have.
pub(crate) fn seconds_left(last: Time, now: Time, interval_millis: u64) -> Option<u64> {
    let passed = u64::try_from((now - last).num_milliseconds().max(0)).unwrap_or(0);
    let left = interval_millis.checked_sub(passed)?;
    (left > 0).then_some(left / 1000)
}

impl Root for Recipient {
    const KIND: StreamKind = StreamKind::Recipient;

    fn decide(&self, command: RecipientCommand) -> Result<Vec<RecipientEvent>, AskedTooSoon> {
        match command {
            RecipientCommand::Ask { kind, now, min_interval_millis } => {
                let last = kind.waits_for().iter().filter_map(|kind| self.last_asked.get(kind)).max();
                match last.and_then(|last| seconds_left(*last, now, min_interval_millis)) {
                    Some(seconds) => Err(AskedTooSoon { seconds }),
                    None => Ok(vec![RecipientEvent::MessageAskedFor { kind, at: now }]),
                }
            }
            RecipientCommand::IssueCode { purpose, code, now, expires_at, most_per_hour } => {
                if let Some(seconds) = self.codes.seconds_to_wait(now, most_per_hour) {
                    return Err(AskedTooSoon { seconds });
                }
                Ok(vec![RecipientEvent::CodeIssued { purpose, code, at: now, expires_at }])
            }
            RecipientCommand::TryCode { purpose, code, attempts, consume, now } => {
                Ok(match self.answer(purpose, &code, attempts, now) {
                    CodeAnswer::Right if consume => vec![RecipientEvent::CodeRedeemed { purpose }],
                    CodeAnswer::Wrong => vec![RecipientEvent::CodeMissed { purpose }],
                    CodeAnswer::Exhausted => vec![RecipientEvent::CodeExhausted { purpose }],
                    CodeAnswer::Right | CodeAnswer::Absent | CodeAnswer::Expired => Vec::new(),
                })
            }
            RecipientCommand::Invite { now, within_millis } => {
                let first = self.invited.front().filter(|_| self.invited.len() >= INVITATIONS_IN_A_TIME);
                match first.and_then(|first| seconds_left(*first, now, within_millis)) {
                    Some(seconds) => Err(AskedTooSoon { seconds }),
                    None => {
                        let kind = MessageKind::Invitation;
                        Ok(vec![RecipientEvent::MessageAskedFor { kind, at: now }])
                    }
                }
            }
            RecipientCommand::Answer if self.last_asked.is_empty() => Ok(Vec::new()),
            RecipientCommand::Answer => Ok(vec![RecipientEvent::Answered {}]),
        }
    }

    fn fold(&mut self, event: &RecipientEvent) {
        match event {
            RecipientEvent::MessageAskedFor { kind: MessageKind::Invitation, at } => {
                if self.invited.len() >= INVITATIONS_IN_A_TIME {
                    self.invited.pop_front();
                }
                self.invited.push_back(*at);
            }
            RecipientEvent::MessageAskedFor { kind, at } => {
                self.last_asked.insert(*kind, *at);
            }
            RecipientEvent::Answered {} => self.last_asked.clear(),
            RecipientEvent::CodeIssued { .. }
            | RecipientEvent::CodeMissed { .. }
            | RecipientEvent::CodeExhausted { .. }
            | RecipientEvent::CodeRedeemed { .. } => self.codes.fold(event),
        }
    }

    fn own(event: &Event) -> Option<&RecipientEvent> {
        if let Event::Recipient(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        Subject::period_of(now)
    }
}

impl Aggregate for Recipient {
    const TYPE: &'static str = "recipient";
    type Command = RecipientCommand;
    type Event = RecipientEvent;
    type Error = AskedTooSoon;
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
