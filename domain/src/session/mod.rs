//! A signed-in device: start, refresh with rotation and reuse detection, step-up, revocation.

mod command;
mod error;
mod event;

pub use command::{ReusePolicy, SessionCommand, SlidingEnd, Start};
pub use error::SessionError;
pub use event::SessionEvent;

use std::collections::VecDeque;

use chrono::TimeDelta;
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{
    ClientId, Event, FactorId, Metadata, OrganizationId, Scopes, StreamKind, Subject, TeamId, Time, UserId,
};

/// How many past rotations a session remembers for the reuse interval.
const REMEMBERED_ROTATIONS: usize = 16;
/// How much the application may keep with a session, in bytes of JSON: it is read with every request.
pub const MAX_FIELDS_BYTES: usize = 8 * 1024;

described! {
    /// How sure it is who sits at the device.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum AssuranceLevel {
        /// One factor.
        Aal1,
        /// Two factors.
        Aal2,
    }
}

impl AssuranceLevel {
    /// The name in tokens and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }
}

/// A proof that the user gave, and when (an `amr` entry of the access token).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationMethod {
    /// `password`, `otp`, `oauth`, `totp` …
    pub method: String,
    /// When it was last given.
    pub at: Time,
}

described! {
    /// Why a session ended.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum RevocationReason {
        /// The user signed out on this device.
        SignedOut,
        /// The user signed out everywhere, or everywhere else, from another device.
        SignedOutElsewhere,
        /// A refresh token that had been used was presented again.
        RefreshTokenReused,
        /// The password changed.
        PasswordChanged,
        /// An administrator ended it.
        RevokedByAdmin,
        /// The user was banned.
        UserBanned,
        /// The account was closed or erased.
        UserDeleted,
        /// Another session of the user showed a second factor, and this one had not.
        NoSecondFactor,
        /// A hook of the owner's rejected an attempt to sign in, and wanted everybody out.
        RejectedByHook,
        /// The user took back what they had granted to the client.
        ConsentRevoked,
        /// The authorization code that opened the session came a second time.
        AuthorizationCodeReused,
    }
}

/// A session's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Session {
    /// No event yet.
    #[default]
    Absent,
    /// Alive.
    Live(Box<LiveSession>),
    /// Over.
    Revoked {
        /// Whose it was.
        user: UserId,
        /// Why it ended.
        reason: RevocationReason,
    },
}

/// A session that is alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSession {
    /// Whose it is.
    pub user: UserId,
    /// When it started.
    pub started_at: Time,
    /// When it was last refreshed.
    pub refreshed_at: Option<Time>,
    /// How sure it is who sits there.
    pub aal: AssuranceLevel,
    /// What was proven, newest first.
    pub amr: Vec<AuthenticationMethod>,
    /// The second factors that have shown themselves, each with the proof it gave: while one is there, the
    /// session is as sure as that makes it.
    pub second_factors: Vec<(FactorId, String)>,
    /// The number of the refresh token that is good now; the first is 0.
    pub generation: u64,
    /// The number of the oldest refresh token that is not void: a step-up voids all before it.
    pub oldest_valid: u64,
    /// When the latest tokens were first used: (their number, when).
    pub rotations: VecDeque<(u64, Time)>,
    /// From when on it counts for nothing, where that is fixed.
    pub not_after: Option<Time>,
    /// Whether that moves on while it is used.
    pub slides: bool,
    /// The OAuth client that has it, and what that one may; none: the user has it.
    pub client: Option<Box<ClientBinding>>,
    /// The administrator who acts in the user's name.
    pub impersonator: Option<UserId>,
    /// The organization that the user acts in.
    pub organization: Option<OrganizationId>,
    /// The team that the user acts in.
    pub team: Option<TeamId>,
    /// What the application keeps with it.
    pub fields: Metadata,
}

/// An OAuth client that has a session of a user, and what it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientBinding {
    /// Which.
    pub client: ClientId,
    /// What it may.
    pub scopes: Scopes,
}

/// What comes of presenting a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The next token is good now.
    Rotated,
    /// The client missed the answer: it gets the token that is good now once more.
    Repeated,
    /// A used token came back: the session is over.
    Reused,
}

impl Session {
    /// The session, where it is alive.
    pub fn live(&self) -> Option<&LiveSession> {
        match self {
            Self::Live(session) => Some(session),
            Self::Absent | Self::Revoked { .. } => None,
        }
    }

    /// What happens when a command is given; an empty list when there is nothing to do.
    ///
    /// # Errors
    /// The rule that says no.
    pub fn decide(&self, command: SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match (self, command) {
            (Self::Absent, SessionCommand::Start(start)) => Ok(vec![SessionEvent::Started {
                user: start.user,
                amr: vec![AuthenticationMethod { method: start.method, at: start.now }],
                aal: AssuranceLevel::Aal1,
                not_after: start.not_after,
                started_at: start.now,
                client: start.client.as_ref().map(|bound| bound.client),
                scopes: start.client.map(|bound| bound.scopes),
                slides: start.slides && start.not_after.is_some(),
                impersonator: start.impersonator,
            }]),
            (_, SessionCommand::Start(_)) => Err(SessionError::AlreadyStarted),
            (
                Self::Live(session),
                SessionCommand::Refresh { now, .. }
                | SessionCommand::StepUp { now, .. }
                | SessionCommand::Extend { now, .. }
                | SessionCommand::ChooseOrganization { now, .. }
                | SessionCommand::ChooseTeam { now, .. }
                | SessionCommand::ChangeFields { now, .. },
            ) if session.is_expired(now) => Err(SessionError::NotFound),
            (Self::Live(session), SessionCommand::Refresh { generation, now, policy }) => {
                session.refresh(generation, now, policy)
            }
            (Self::Live(session), SessionCommand::StepUp { method, aal, factor, now }) => {
                Ok(vec![SessionEvent::SteppedUp { method, at: now, aal: aal.max(session.aal), factor }])
            }
            (Self::Live(session), SessionCommand::StepDown { factor, now }) => {
                Ok(session.step_down(factor, now).into_iter().collect())
            }
            (Self::Live(session), SessionCommand::Extend { now, end }) => {
                Ok(session.extension(now, end).into_iter().collect())
            }
            (Self::Live(session), SessionCommand::ChooseOrganization { organization, .. }) => {
                if session.organization == organization && session.team.is_none() {
                    return Ok(Vec::new());
                }
                Ok(vec![SessionEvent::ActiveOrganizationChanged { organization }])
            }
            (Self::Live(session), SessionCommand::ChooseTeam { team, .. }) => {
                if session.team == team {
                    return Ok(Vec::new());
                }
                Ok(vec![SessionEvent::ActiveTeamChanged { team }])
            }
            (Self::Live(session), SessionCommand::ChangeFields { fields, .. }) => {
                Ok(session.other_fields(fields)?.into_iter().collect())
            }
            (Self::Live(_), SessionCommand::Revoke { reason }) => Ok(vec![SessionEvent::Revoked { reason }]),
            (Self::Revoked { .. }, SessionCommand::Revoke { .. }) => Ok(Vec::new()),
            (Self::Absent | Self::Revoked { .. }, _) => Err(SessionError::NotFound),
        }
    }

    /// Takes in what happened.
    pub fn fold(&mut self, event: &SessionEvent) {
        match (&mut *self, event) {
            (
                _,
                SessionEvent::Started {
                    user,
                    amr,
                    aal,
                    not_after,
                    started_at,
                    client,
                    scopes,
                    slides,
                    impersonator,
                },
            ) => {
                *self = Self::Live(Box::new(LiveSession {
                    user: *user,
                    started_at: *started_at,
                    refreshed_at: None,
                    aal: *aal,
                    amr: amr.clone(),
                    second_factors: Vec::new(),
                    generation: 0,
                    oldest_valid: 0,
                    rotations: VecDeque::new(),
                    not_after: *not_after,
                    slides: *slides,
                    client: client.map(|client| {
                        Box::new(ClientBinding { client, scopes: scopes.clone().unwrap_or_default() })
                    }),
                    impersonator: *impersonator,
                    organization: None,
                    team: None,
                    fields: Metadata::default(),
                }));
            }
            (Self::Live(session), SessionEvent::Refreshed { generation, at }) => {
                session.rotations.push_back((session.generation, *at));
                if session.rotations.len() > REMEMBERED_ROTATIONS {
                    session.rotations.pop_front();
                }
                session.generation = *generation;
                session.refreshed_at = Some(*at);
            }
            (Self::Live(session), SessionEvent::RefreshRepeated { at, .. }) => {
                session.refreshed_at = Some(*at);
            }
            (Self::Live(session), SessionEvent::SteppedUp { method, at, aal, factor }) => {
                session.second_factors.retain(|(_, proof)| proof != method);
                session.second_factors.extend(factor.map(|factor| (factor, method.clone())));
                session.amr.retain(|entry| entry.method != *method);
                session.amr.insert(0, AuthenticationMethod { method: method.clone(), at: *at });
                session.aal = *aal;
                // A token from before the step-up must not fetch one from after it.
                session.generation += 1;
                session.oldest_valid = session.generation;
                session.rotations.clear();
            }
            (Self::Live(session), SessionEvent::SteppedDown { factor, method, aal, .. }) => {
                session.second_factors.retain(|(known, _)| known != factor);
                session.amr.retain(|entry| entry.method != *method);
                session.aal = *aal;
            }
            (Self::Live(session), SessionEvent::Extended { not_after, at }) => {
                session.not_after = Some(*not_after);
                session.refreshed_at = Some(*at);
            }
            (Self::Live(session), SessionEvent::ActiveOrganizationChanged { organization }) => {
                session.organization = *organization;
                session.team = None;
            }
            (Self::Live(session), SessionEvent::ActiveTeamChanged { team }) => session.team = *team,
            (Self::Live(session), SessionEvent::FieldsChanged { fields }) => {
                if let Some(fields) = fields.known() {
                    session.fields = std::mem::take(&mut session.fields).overlaid(fields);
                }
            }
            (Self::Live(session), SessionEvent::Revoked { reason }) => {
                *self = Self::Revoked { user: session.user, reason: *reason };
            }
            (
                Self::Absent | Self::Revoked { .. },
                SessionEvent::Revoked { .. }
                | SessionEvent::Refreshed { .. }
                | SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedUp { .. }
                | SessionEvent::SteppedDown { .. }
                | SessionEvent::Extended { .. }
                | SessionEvent::ActiveOrganizationChanged { .. }
                | SessionEvent::ActiveTeamChanged { .. }
                | SessionEvent::FieldsChanged { .. },
            ) => {}
        }
    }
}

impl LiveSession {
    /// Whether its end has come.
    pub fn is_expired(&self, now: Time) -> bool {
        self.not_after.is_some_and(|end| end <= now)
    }

    /// Its end moves on when it has not for a while.
    fn extension(&self, now: Time, end: SlidingEnd) -> Option<SessionEvent> {
        let due = end.is_due(self.not_after.filter(|_| self.slides)?, now);
        due.then(|| SessionEvent::Extended { not_after: now + end.lifetime(), at: now })
    }

    /// What is new of what the application wants to keep.
    fn other_fields(&self, mut wanted: Metadata) -> Result<Option<SessionEvent>, SessionError> {
        wanted.0.retain(|name, value| self.fields.0.get(name) != Some(value));
        if wanted.is_empty() {
            return Ok(None);
        }
        if json_bytes(&self.fields.clone().overlaid(&wanted)) > MAX_FIELDS_BYTES {
            return Err(SessionError::FieldsTooLarge);
        }
        Ok(Some(SessionEvent::FieldsChanged { fields: wanted.into() }))
    }

    fn step_down(&self, factor: FactorId, now: Time) -> Option<SessionEvent> {
        let (_, method) = self.second_factors.iter().find(|(known, _)| *known == factor)?;
        let others = self.second_factors.len() > 1;
        let aal = if others { self.aal } else { AssuranceLevel::Aal1 };
        Some(SessionEvent::SteppedDown { factor, method: method.clone(), at: now, aal })
    }

    fn refresh(
        &self,
        presented: u64,
        now: Time,
        policy: ReusePolicy,
    ) -> Result<Vec<SessionEvent>, SessionError> {
        Ok(match self.refresh_outcome(presented, now, policy)? {
            RefreshOutcome::Rotated => {
                vec![SessionEvent::Refreshed { generation: self.generation + 1, at: now }]
            }
            RefreshOutcome::Repeated => {
                vec![SessionEvent::RefreshRepeated { presented, generation: self.generation, at: now }]
            }
            RefreshOutcome::Reused => {
                vec![SessionEvent::Revoked { reason: RevocationReason::RefreshTokenReused }]
            }
        })
    }

    /// What presenting the token of a generation means now.
    ///
    /// # Errors
    /// [`SessionError::NotIssued`] for a generation that is yet to come, [`SessionError::AlreadyUsed`]
    /// for one that is refused while the session stays.
    pub fn refresh_outcome(
        &self,
        presented: u64,
        now: Time,
        policy: ReusePolicy,
    ) -> Result<RefreshOutcome, SessionError> {
        if presented > self.generation {
            return Err(SessionError::NotIssued);
        }
        if presented == self.generation {
            return Ok(RefreshOutcome::Rotated);
        }
        if presented < self.oldest_valid {
            // Nobody has to have used it: another tab of the same client may not know of the step-up.
            return Err(SessionError::AlreadyUsed);
        }
        let is_parent = presented + 1 == self.generation;
        if self.was_used_within(presented, now, policy) || (is_parent && policy.parent_always) {
            return Ok(RefreshOutcome::Repeated);
        }
        if policy.revoke_on_reuse { Ok(RefreshOutcome::Reused) } else { Err(SessionError::AlreadyUsed) }
    }

    /// Whether the token of a generation was first used within the reuse interval. Later uses do not
    /// move the interval.
    fn was_used_within(&self, generation: u64, now: Time, policy: ReusePolicy) -> bool {
        let first_use = self.rotations.iter().find(|(used, _)| *used == generation);
        first_use.is_some_and(|(_, at)| now - at < TimeDelta::seconds(policy.interval_seconds.into()))
    }
}

fn json_bytes(fields: &Metadata) -> usize {
    serde_json::to_string(fields).map_or(usize::MAX, |text| text.len())
}

impl Root for Session {
    const KIND: StreamKind = StreamKind::Session;

    fn decide(&self, command: SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        Session::decide(self, command)
    }

    fn fold(&mut self, event: &SessionEvent) {
        Session::fold(self, event);
    }

    fn own(event: &Event) -> Option<&SessionEvent> {
        if let Event::Session(event) = event { Some(event) } else { None }
    }

    fn subject(&self, _: Uuid, now: Time) -> Subject {
        match self {
            Self::Live(session) => Subject::User(session.user),
            Self::Revoked { user, .. } => Subject::User(*user),
            Self::Absent => Subject::period_of(now),
        }
    }
}

impl Aggregate for Session {
    const TYPE: &'static str = "session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Error = SessionError;
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
