//! Which class and activity an event is: one total match, so that a new event finds its place before it is
//! ever exported.

use std::collections::HashMap;
use std::sync::OnceLock;

use evident_domain::attempt::AttemptEvent;
use evident_domain::authorization::AuthorizationEvent;
use evident_domain::client::ClientEvent;
use evident_domain::consent::ConsentEvent;
use evident_domain::flow::FlowEvent;
use evident_domain::hold::HoldEvent;
use evident_domain::organization::OrganizationEvent;
use evident_domain::provider::ProviderEvent;
use evident_domain::publication::LogEvent;
use evident_domain::reading::AuditEvent;
use evident_domain::recipient::RecipientEvent;
use evident_domain::session::SessionEvent;
use evident_domain::sso_provider::SsoProviderEvent;
use evident_domain::user::UserEvent;
use evident_domain::{Event, catalogue};

/// A class of OCSF's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    AccountChange,
    Authentication,
    EntityManagement,
    UserAccess,
    GroupManagement,
}

impl Class {
    pub(super) const fn uid(self) -> u32 {
        match self {
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
            Self::GroupManagement => "Group Management",
        }
    }
}

/// OCSF's number for an activity that the class has no name for.
const OTHER: u32 = 99;

/// Where an event belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classified {
    pub(super) class: Class,
    /// The activity's number in the class.
    pub(super) activity: u32,
    /// The class's name for it; what it has none for is called after the event.
    caption: Option<&'static str>,
    /// Whether something was tried and refused.
    pub(super) failed: bool,
}

impl Classified {
    /// What the activity is called.
    pub(super) fn name(&self, kind: &str) -> String {
        if let Some(caption) = self.caption {
            return caption.to_owned();
        }
        let words = kind.split_once('.').map_or(kind, |(_, rest)| rest).split('_').map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
            first + letters.as_str()
        });
        words.collect::<Vec<_>>().join(" ")
    }

    const fn failed(self) -> Self {
        Self { failed: true, ..self }
    }
}

const fn named(class: Class, activity: u32, caption: &'static str) -> Classified {
    Classified { class, activity, caption: Some(caption), failed: false }
}

const fn other(class: Class) -> Classified {
    Classified { class, activity: OTHER, caption: None, failed: false }
}

const ACCOUNT: Classified = other(Class::AccountChange);
const CREATED: Classified = named(Class::AccountChange, 1, "Create");
const ENABLED: Classified = named(Class::AccountChange, 2, "Enable");
const PASSWORD: Classified = named(Class::AccountChange, 3, "Password Change");
const DISABLED: Classified = named(Class::AccountChange, 5, "Disable");
const DELETED: Classified = named(Class::AccountChange, 6, "Delete");
const FACTOR: Classified = named(Class::AccountChange, 10, "MFA Factor Enable");
const NO_FACTOR: Classified = named(Class::AccountChange, 11, "MFA Factor Disable");

const SIGN_IN: Classified = other(Class::Authentication);
const LOGON: Classified = named(Class::Authentication, 1, "Logon");
const LOGOFF: Classified = named(Class::Authentication, 2, "Logoff");

const MADE: Classified = named(Class::EntityManagement, 1, "Create");
const READ: Classified = named(Class::EntityManagement, 2, "Read");
const CHANGED: Classified = named(Class::EntityManagement, 3, "Update");
const REMOVED: Classified = named(Class::EntityManagement, 4, "Delete");

const GRANTED: Classified = named(Class::UserAccess, 1, "Assign Privileges");

const GROUP_GRANTED: Classified = named(Class::GroupManagement, 1, "Assign Privileges");
const GROUP_REVOKED: Classified = named(Class::GroupManagement, 2, "Revoke Privileges");
const JOINED: Classified = named(Class::GroupManagement, 3, "Add User");
const LEFT: Classified = named(Class::GroupManagement, 4, "Remove User");

/// Where an event belongs.
pub(super) fn classify(event: &Event) -> Classified {
    match event {
        Event::User(event) => user(event),
        Event::Session(event) => session(event),
        Event::Organization(event) => organization(event),
        Event::SsoProvider(event) => sso_provider(event),
        Event::Provider(event) => match event {
            ProviderEvent::Registered { .. } => MADE,
            ProviderEvent::Changed { .. } => CHANGED,
            ProviderEvent::Removed { .. } => REMOVED,
        },
        Event::Client(event) => match event {
            ClientEvent::Registered { .. } => MADE,
            ClientEvent::Updated { .. } | ClientEvent::SecretRegenerated { .. } => CHANGED,
            ClientEvent::Deleted {} => REMOVED,
        },
        Event::Consent(event) => match event {
            ConsentEvent::Given { .. } => MADE,
            ConsentEvent::Revoked { .. } => REMOVED,
        },
        Event::Flow(
            FlowEvent::Started { .. }
            | FlowEvent::Returned { .. }
            | FlowEvent::Authenticated { .. }
            | FlowEvent::Redeemed { .. }
            | FlowEvent::Answered { .. },
        )
        | Event::Recipient(
            RecipientEvent::MessageAskedFor { .. }
            | RecipientEvent::Answered {}
            | RecipientEvent::CodeIssued { .. }
            | RecipientEvent::CodeRedeemed { .. },
        )
        | Event::Authorization(
            AuthorizationEvent::Requested { .. }
            | AuthorizationEvent::Seen { .. }
            | AuthorizationEvent::Approved { .. }
            | AuthorizationEvent::CodeRedeemed { .. },
        ) => SIGN_IN,
        Event::Recipient(RecipientEvent::CodeMissed { .. } | RecipientEvent::CodeExhausted { .. })
        | Event::Authorization(AuthorizationEvent::Denied { .. }) => SIGN_IN.failed(),
        Event::Hold(HoldEvent::Placed { .. }) => MADE,
        Event::Hold(HoldEvent::Lifted { .. }) => REMOVED,
        Event::Audit(AuditEvent::Read { .. }) => READ,
        Event::Log(LogEvent::Pruned { .. } | LogEvent::KeyRotated { .. } | LogEvent::Renamed { .. }) => {
            CHANGED
        }
        Event::Dropped(_) => classify_kind(event.kind().0),
        Event::Attempt(event) => match event {
            AttemptEvent::SignInFailed { .. } => LOGON.failed(),
            AttemptEvent::SignUpRepeated { .. } => CREATED.failed(),
            AttemptEvent::AdminDenied { .. }
            | AttemptEvent::RefreshTokenReused { .. }
            | AttemptEvent::AuthenticatorSuspected { .. } => SIGN_IN.failed(),
        },
    }
}

const fn user(event: &UserEvent) -> Classified {
    match event {
        UserEvent::SignedUp { .. } => CREATED,
        UserEvent::EmailConfirmed {}
        | UserEvent::PhoneConfirmed {}
        | UserEvent::EmailChangeRequested { .. }
        | UserEvent::EmailChanged { .. }
        | UserEvent::EmailAdopted { .. }
        | UserEvent::PhoneChangeRequested { .. }
        | UserEvent::PhoneChanged { .. }
        | UserEvent::PhoneRemoved {}
        | UserEvent::Reclaimed {}
        | UserEvent::MetadataChanged { .. }
        | UserEvent::AppMetadataChanged { .. }
        | UserEvent::UsernameChanged { .. }
        | UserEvent::IdentityLinked { .. }
        | UserEvent::IdentityUpdated { .. }
        | UserEvent::IdentityUnlinked { .. }
        | UserEvent::ProviderTokensKept { .. }
        | UserEvent::FactorRenamed { .. }
        | UserEvent::FactorPhoneChanged { .. }
        | UserEvent::PasskeyAdded { .. }
        | UserEvent::PasskeyRenamed { .. }
        | UserEvent::PasskeyRemoved { .. }
        | UserEvent::BackupCodesIssued { .. }
        | UserEvent::DeviceTrusted { .. } => ACCOUNT,
        UserEvent::PasswordChanged { .. }
        | UserEvent::PasswordRehashed { .. }
        | UserEvent::PasswordRemoved {}
        | UserEvent::PasswordWithheld {}
        | UserEvent::PasswordProven {} => PASSWORD,
        UserEvent::RoleChanged { .. } | UserEvent::AdminRolesChanged { .. } => GRANTED,
        UserEvent::Banned { .. } => DISABLED,
        UserEvent::Unbanned {} => ENABLED,
        UserEvent::FactorEnrolled { .. } | UserEvent::MailFactorEnabled {} => FACTOR,
        UserEvent::FactorRemoved { .. } | UserEvent::TwoFactorDisabled {} => NO_FACTOR,
        UserEvent::OneTimeTokenIssued { .. }
        | UserEvent::OneTimeTokenRedeemed { .. }
        | UserEvent::FactorChallenged { .. }
        | UserEvent::FactorVerified { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::SecondStepBegun { .. }
        | UserEvent::SecondStepCodeSent { .. }
        | UserEvent::SecondStepTaken { .. } => SIGN_IN,
        UserEvent::OneTimeTokenMissed { .. }
        | UserEvent::FactorChallengeMissed { .. }
        | UserEvent::SecondStepMissed { .. }
        | UserEvent::SecondStepExhausted { .. } => SIGN_IN.failed(),
        UserEvent::Deleted { .. } | UserEvent::Erased {} => DELETED,
    }
}

const fn session(event: &SessionEvent) -> Classified {
    match event {
        SessionEvent::Started { .. } => LOGON,
        SessionEvent::Revoked { .. } => LOGOFF,
        SessionEvent::Refreshed { .. }
        | SessionEvent::RefreshRepeated { .. }
        | SessionEvent::SteppedUp { .. }
        | SessionEvent::SteppedDown { .. }
        | SessionEvent::Extended { .. }
        | SessionEvent::ActiveOrganizationChanged { .. }
        | SessionEvent::ActiveTeamChanged { .. }
        | SessionEvent::FieldsChanged { .. } => SIGN_IN,
    }
}

const fn organization(event: &OrganizationEvent) -> Classified {
    match event {
        OrganizationEvent::Created { .. }
        | OrganizationEvent::MemberInvited { .. }
        | OrganizationEvent::TeamCreated { .. } => MADE,
        OrganizationEvent::Updated { .. }
        | OrganizationEvent::InvitationExtended { .. }
        | OrganizationEvent::InvitationAccepted { .. }
        | OrganizationEvent::InvitationRejected { .. }
        | OrganizationEvent::TeamRenamed { .. } => CHANGED,
        OrganizationEvent::Deleted {}
        | OrganizationEvent::InvitationCanceled { .. }
        | OrganizationEvent::TeamRemoved { .. } => REMOVED,
        OrganizationEvent::MemberAdded { .. } | OrganizationEvent::TeamMemberAdded { .. } => JOINED,
        OrganizationEvent::MemberRemoved { .. } | OrganizationEvent::TeamMemberRemoved { .. } => LEFT,
        OrganizationEvent::MemberRoleChanged { .. } => GRANTED,
        OrganizationEvent::RoleDefined { .. } => GROUP_GRANTED,
        OrganizationEvent::RoleDeleted { .. } => GROUP_REVOKED,
    }
}

const fn sso_provider(event: &SsoProviderEvent) -> Classified {
    match event {
        SsoProviderEvent::Registered { .. } => MADE,
        SsoProviderEvent::MetadataReplaced { .. }
        | SsoProviderEvent::AttributesMapped { .. }
        | SsoProviderEvent::NameIdFormatChosen { .. }
        | SsoProviderEvent::DomainsChanged { .. }
        | SsoProviderEvent::Renamed { .. }
        | SsoProviderEvent::Disabled { .. }
        | SsoProviderEvent::Enabled { .. } => CHANGED,
        SsoProviderEvent::Removed { .. } => REMOVED,
    }
}

/// Where events of a type belong whose content was dropped.
pub(super) fn classify_kind(kind: &str) -> Classified {
    static KINDS: OnceLock<HashMap<&'static str, Classified>> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        catalogue::samples().iter().map(|sample| (sample.kind().0, classify(sample))).collect()
    });
    kinds.get(kind).copied().unwrap_or(other(Class::EntityManagement))
}
