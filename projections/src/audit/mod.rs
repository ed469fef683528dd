//! The audit log as Supabase Auth's users know it: what an event of ours is called there.
//!
//! Everything about the translation stands in this module: the names of actions ([`AuditAction`]), which
//! event is which action ([`action`]), who did it ([`actor`]) and what else is told ([`traits`]). A new
//! event gets its line in [`action`]; nothing else has to change.
//!
//! For auditors, [`words`] tells every event in a sentence, and [`changes`] says which fields it sets.

mod actions;
pub mod changes;
mod traits;
pub mod words;

pub use actions::{AuditAction, LogType};
pub use traits::{AuditTrait, traits};

use evident_domain::attempt::AttemptEvent;
use evident_domain::client::ClientEvent;
use evident_domain::consent::ConsentEvent;
use evident_domain::provider::ProviderEvent;
use evident_domain::session::{RevocationReason, SessionEvent};
use evident_domain::sso_provider::SsoProviderEvent;
use evident_domain::user::{SignUpMethod, TokenPurpose, UserEvent};
use evident_domain::{Actor, Event, Recorded, Subject, UserId};

/// Who stands in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditActor {
    /// A user: who acted, or who came (or tried to come) in.
    User(UserId),
    /// A holder of an administrator's token, by its role.
    Admin(String),
    /// Somebody at the server's command line.
    Operator,
    /// The server.
    System,
    /// Nobody known.
    Visitor,
}

impl AuditActor {
    /// The form in the table: `user:<id>`, `admin:<role>`, `operator` …
    pub fn label(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Admin(role) => format!("admin:{role}"),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
            Self::Visitor => "visitor".to_owned(),
        }
    }
}

/// Who did it. What a visitor does with an account is that account's doing, as Supabase Auth has it; what an
/// administrator does in somebody's name is the administrator's.
pub fn actor(event: &Recorded) -> AuditActor {
    match (&event.provenance.actor, &event.subject) {
        (Actor::User { id }, _) | (Actor::Visitor, Some(Subject::User(id))) => AuditActor::User(*id),
        (Actor::Impersonator { admin, .. }, _) => AuditActor::User(*admin),
        (Actor::Admin { role, .. }, _) => AuditActor::Admin(role.clone()),
        (Actor::Operator, _) => AuditActor::Operator,
        (Actor::System, _) => AuditActor::System,
        (Actor::Visitor, _) => AuditActor::Visitor,
    }
}

/// What the event is called in the audit log; nothing where it is only a step of another or the
/// server's own bookkeeping.
pub fn action(event: &Recorded) -> Option<AuditAction> {
    match &event.event {
        Event::User(user_event) => of_user(user_event, &event.provenance.actor),
        Event::Session(session_event) => of_session(session_event),
        Event::SsoProvider(provider_event) => Some(match provider_event {
            SsoProviderEvent::Registered { .. } => AuditAction::SsoProviderCreated,
            SsoProviderEvent::Removed {} => AuditAction::SsoProviderDeleted,
            SsoProviderEvent::MetadataReplaced { .. }
            | SsoProviderEvent::AttributesMapped { .. }
            | SsoProviderEvent::NameIdFormatChosen { .. }
            | SsoProviderEvent::DomainsChanged { .. }
            | SsoProviderEvent::Renamed { .. }
            | SsoProviderEvent::Disabled {}
            | SsoProviderEvent::Enabled {} => AuditAction::SsoProviderUpdated,
        }),
        Event::Provider(provider_event) => Some(match provider_event {
            ProviderEvent::Registered { .. } => AuditAction::CustomProviderCreated,
            ProviderEvent::Changed { .. } => AuditAction::CustomProviderUpdated,
            ProviderEvent::Removed {} => AuditAction::CustomProviderDeleted,
        }),
        Event::Client(client_event) => Some(match client_event {
            ClientEvent::Registered { .. } => AuditAction::OauthClientCreated,
            ClientEvent::Updated { .. } | ClientEvent::SecretRegenerated { .. } => {
                AuditAction::OauthClientUpdated
            }
            ClientEvent::Deleted {} => AuditAction::OauthClientDeleted,
        }),
        Event::Consent(ConsentEvent::Revoked { .. }) => Some(AuditAction::TokenRevoked),
        Event::Dropped(dropped) => of_type(dropped.kind().0),
        // Supabase Auth knows neither organizations nor legal holds.
        Event::Flow(_)
        | Event::Recipient(_)
        | Event::Organization(_)
        | Event::Authorization(_)
        | Event::Hold(_)
        | Event::Audit(_)
        | Event::Log(_)
        | Event::Consent(ConsentEvent::Given { .. }) => None,
        Event::Attempt(attempt) => Some(match attempt {
            AttemptEvent::SignInFailed { .. } => AuditAction::LoginFailed,
            AttemptEvent::SignUpRepeated { .. } => AuditAction::UserRepeatedSignup,
            AttemptEvent::AdminDenied { .. } => AuditAction::AdminDenied,
            AttemptEvent::RefreshTokenReused { .. } => AuditAction::TokenReuseDetected,
            AttemptEvent::AuthenticatorSuspected { .. } => AuditAction::AuthenticatorSuspected,
        }),
    }
}

/// The types of events that are an action by themselves, whatever their content says. All types whose content may be
/// dropped and that are an action at all are among them, so a dropped one stays the action that it was.
const TELLING_TYPES: [(&str, AuditAction); 9] = [
    ("session.refreshed", AuditAction::TokenRefreshed),
    ("session.refresh_repeated", AuditAction::TokenRefreshed),
    ("session.extended", AuditAction::TokenRefreshed),
    ("session.stepped_up", AuditAction::VerificationAttempted),
    ("attempt.sign_in_failed", AuditAction::LoginFailed),
    ("attempt.sign_up_repeated", AuditAction::UserRepeatedSignup),
    ("attempt.admin_denied", AuditAction::AdminDenied),
    ("attempt.refresh_token_reused", AuditAction::TokenReuseDetected),
    ("attempt.authenticator_suspected", AuditAction::AuthenticatorSuspected),
];

fn of_type(name: &str) -> Option<AuditAction> {
    TELLING_TYPES.iter().find(|(telling, _)| *telling == name).map(|(_, action)| *action)
}

/// Who did it, where that is somebody else than the event's subject. Nobody is no author.
pub(crate) fn other_author(event: &Recorded) -> Option<AuditActor> {
    match actor(event) {
        AuditActor::User(id) if event.subject == Some(Subject::User(id)) => None,
        AuditActor::Visitor => None,
        other => Some(other),
    }
}

fn of_user(event: &UserEvent, who: &Actor) -> Option<AuditAction> {
    let by_admin = matches!(who, Actor::Admin { .. } | Actor::Operator);
    let by_user = matches!(who, Actor::User { .. } | Actor::Impersonator { .. });
    match event {
        UserEvent::SignedUp { method, email, phone, .. } => match method {
            SignUpMethod::Admin | SignUpMethod::Imported => Some(AuditAction::UserSignedup),
            // Who has an address or number is signed up once that is confirmed.
            SignUpMethod::External if email.is_none() && phone.is_none() => Some(AuditAction::UserSignedup),
            SignUpMethod::External
            | SignUpMethod::Password
            | SignUpMethod::Invited
            | SignUpMethod::OneTimeToken
            | SignUpMethod::Anonymous => None,
        },
        UserEvent::EmailConfirmed {} | UserEvent::PhoneConfirmed {} if !by_admin => {
            Some(AuditAction::UserSignedup)
        }
        UserEvent::PasswordChanged { .. } if !by_admin => Some(AuditAction::UserUpdatedPassword),
        UserEvent::EmailConfirmed {}
        | UserEvent::PhoneConfirmed {}
        | UserEvent::EmailChangeRequested { .. }
        | UserEvent::EmailChanged { .. }
        | UserEvent::PhoneChangeRequested { .. }
        | UserEvent::PhoneChanged { .. }
        | UserEvent::PasswordChanged { .. }
        | UserEvent::PasswordRemoved {}
        | UserEvent::RoleChanged { .. }
        | UserEvent::Banned { .. }
        | UserEvent::AdminRolesChanged { .. }
        | UserEvent::UsernameChanged { .. }
        | UserEvent::Unbanned {} => Some(AuditAction::UserModified),
        // What the server notes there of a sign-in is part of that.
        UserEvent::MetadataChanged { .. } => {
            (by_admin || by_user).then_some(AuditAction::UserModified)
        }
        // The server keeps the list of providers there; only an administrator changes more.
        UserEvent::AppMetadataChanged { .. } => by_admin.then_some(AuditAction::UserModified),
        UserEvent::OneTimeTokenIssued { purpose, .. } => match purpose {
            TokenPurpose::EmailConfirmation | TokenPurpose::PhoneConfirmation => {
                Some(AuditAction::UserConfirmationRequested)
            }
            TokenPurpose::Invitation => Some(AuditAction::UserInvited),
            TokenPurpose::Recovery => Some(AuditAction::UserRecoveryRequested),
            TokenPurpose::Reauthentication => Some(AuditAction::UserReauthenticateRequested),
            // The request for the change is an entry already.
            TokenPurpose::EmailChangeNew
            | TokenPurpose::EmailChangeCurrent
            | TokenPurpose::PhoneChange
            | TokenPurpose::AccountDeletion => None,
        },
        // An identity that comes with the account, or with a sign-in, is part of that.
        UserEvent::IdentityLinked { .. } => {
            by_user.then_some(AuditAction::IdentityLinked)
        }
        UserEvent::IdentityUnlinked { .. } => {
            (by_admin || by_user).then_some(AuditAction::IdentityUnlinked)
        }
        UserEvent::Deleted { .. } | UserEvent::Erased {} => Some(AuditAction::UserDeleted),
        UserEvent::FactorEnrolled { .. } => Some(AuditAction::FactorInProgress),
        UserEvent::FactorChallenged { .. } | UserEvent::SecondStepBegun { .. } => {
            Some(AuditAction::ChallengeCreated)
        }
        UserEvent::FactorRemoved { .. } if by_admin => Some(AuditAction::FactorDeleted),
        UserEvent::FactorRemoved { .. } => Some(AuditAction::FactorUnenrolled),
        UserEvent::FactorRenamed { .. } | UserEvent::FactorPhoneChanged { .. } => {
            Some(AuditAction::FactorUpdated)
        }
        UserEvent::BackupCodesIssued { .. }
        | UserEvent::MailFactorEnabled {}
        | UserEvent::TwoFactorDisabled {} => Some(AuditAction::FactorUpdated),
        UserEvent::PasskeyAdded { .. } => Some(AuditAction::PasskeyCreated),
        UserEvent::PasskeyRenamed { .. } => Some(AuditAction::PasskeyUpdated),
        UserEvent::PasskeyRemoved { .. } => Some(AuditAction::PasskeyDeleted),
        UserEvent::OneTimeTokenMissed { .. }
        // The session's step up is the entry; a miss is none.
        | UserEvent::FactorChallengeMissed { .. }
        | UserEvent::SecondStepCodeSent { .. }
        | UserEvent::SecondStepMissed { .. }
        | UserEvent::SecondStepExhausted { .. }
        | UserEvent::SecondStepTaken { .. }
        | UserEvent::ProviderTokensKept { .. }
        | UserEvent::DeviceTrusted { .. }
        | UserEvent::FactorVerified { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::OneTimeTokenRedeemed { .. }
        | UserEvent::PasswordRehashed { .. }
        // Part of the confirmation.
        | UserEvent::PasswordWithheld {}
        | UserEvent::PasswordProven {}
        // Part of the arrival, linking or unlinking that brought it.
        | UserEvent::EmailAdopted { .. }
        | UserEvent::PhoneRemoved {}
        | UserEvent::Reclaimed {}
        | UserEvent::IdentityUpdated { .. } => None,
    }
}

fn of_session(event: &SessionEvent) -> Option<AuditAction> {
    Some(match event {
        // An anonymous sign-in is no entry.
        SessionEvent::Started { amr, .. } if amr.iter().any(|proof| proof.method == "anonymous") => {
            return None;
        }
        SessionEvent::Started { .. } => AuditAction::Login,
        SessionEvent::Refreshed { .. }
        | SessionEvent::RefreshRepeated { .. }
        | SessionEvent::Extended { .. } => AuditAction::TokenRefreshed,
        SessionEvent::SteppedUp { .. } => AuditAction::VerificationAttempted,
        // Part of the factor's removal.
        SessionEvent::SteppedDown { .. } => return None,
        SessionEvent::ActiveOrganizationChanged { .. }
        | SessionEvent::ActiveTeamChanged { .. }
        | SessionEvent::FieldsChanged { .. } => {
            return None;
        }
        SessionEvent::Revoked { reason } => match reason {
            RevocationReason::SignedOut | RevocationReason::SignedOutElsewhere => AuditAction::Logout,
            RevocationReason::RefreshTokenReused
            | RevocationReason::PasswordChanged
            | RevocationReason::RevokedByAdmin
            | RevocationReason::UserBanned
            | RevocationReason::UserDeleted
            | RevocationReason::NoSecondFactor
            | RevocationReason::RejectedByHook
            | RevocationReason::AuthorizationCodeReused => AuditAction::TokenRevoked,
            // The end of the consent is the entry.
            RevocationReason::ConsentRevoked => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use evident_domain::catalogue::samples;
    use evident_domain::retention::{Dropped, RetentionClass, retention_class};
    use evident_domain::{EventId, Position, Provenance, SessionId, StreamId, Surface, Time};
    use uuid::Uuid;

    use super::*;

    fn recorded(event: Event, who: Actor, subject: Option<Subject>) -> Recorded {
        Recorded {
            position: Position(1),
            id: EventId(Uuid::nil()),
            stream: StreamId { kind: event.stream_kind(), id: Uuid::nil() },
            sequence: 1,
            occurred_at: Time::default(),
            subject,
            provenance: Provenance::internal(who, Surface::Internal, Uuid::nil()),
            event,
        }
    }

    #[test]
    fn an_event_whose_content_was_dropped_is_the_same_action() {
        for sample in samples() {
            if retention_class(&sample) == RetentionClass::Durable {
                continue;
            }
            let (name, version) = sample.kind();
            let dropped = Dropped::of(sample.stream_kind(), name, version).map(Event::Dropped);
            let action = |event| action(&recorded(event, Actor::Visitor, None));
            assert_eq!(dropped.map(action), Some(action(sample.clone())), "{name}");
        }
    }

    #[test]
    fn a_type_that_tells_the_action_tells_it_whoever_acts() {
        let user = UserId(Uuid::from_u128(7));
        let actors = [
            Actor::Visitor,
            Actor::System,
            Actor::Operator,
            Actor::User { id: user },
            Actor::Admin { role: "service_role".to_owned(), id: None },
        ];
        let mut told = BTreeSet::new();
        for sample in samples() {
            let Some(expected) = of_type(sample.kind().0) else {
                for who in &actors {
                    let action = action(&recorded(sample.clone(), who.clone(), None));
                    assert!(
                        TELLING_TYPES.iter().all(|(_, told)| Some(*told) != action),
                        "{}",
                        sample.kind().0
                    );
                }
                continue;
            };
            told.insert(sample.kind().0);
            for who in &actors {
                let event = recorded(sample.clone(), who.clone(), Some(Subject::User(user)));
                assert_eq!(action(&event), Some(expected), "{} by {who:?}", sample.kind().0);
            }
        }
        assert_eq!(told, TELLING_TYPES.iter().map(|(name, _)| *name).collect());
    }

    #[test]
    fn who_did_it_is_told_where_that_is_not_the_subject() {
        let user = UserId(Uuid::from_u128(7));
        let by = |who: Actor, subject| {
            let event = Event::Attempt(AttemptEvent::RefreshTokenReused {
                user,
                session: SessionId(Uuid::nil()),
                presented: 1,
                generation: 2,
            });
            other_author(&recorded(event, who, subject)).map(|author| author.label())
        };
        let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
        assert_eq!(by(Actor::Visitor, Some(Subject::User(user))), None);
        assert_eq!(by(Actor::User { id: user }, Some(Subject::User(user))), None);
        assert_eq!(by(Actor::Visitor, Some(Subject::Server)), None);
        assert_eq!(by(Actor::User { id: user }, Some(Subject::Server)), Some(format!("user:{user}")));
        assert_eq!(by(admin, Some(Subject::User(user))), Some("admin:service_role".to_owned()));
        assert_eq!(by(Actor::Operator, Some(Subject::User(user))), Some("operator".to_owned()));
    }
}
