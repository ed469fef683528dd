//! The use cases of Evident, one a module: checks, hashing, tokens, the unit of work, messages.
//!
//! A use case decides the order of things; the rules are the aggregates' (`evident_domain`), and what
//! protocol called is unknown here. Every change goes through [`Commands::execute`]: read, decide,
//! commit, and on a conflict decide again.

mod access;
mod address_codes;
mod administer_user;
mod administration;
mod aggregates;
mod ban_user;
pub mod captcha;
mod certificate;
mod change_email;
mod change_password;
mod contact;
mod create_user;
mod delete_user;
mod deny;
mod execute;
pub mod external;
mod factors;
mod flow;
mod generate_link;
mod grant;
mod hashing;
mod holds;
pub mod hooks;
mod invite_user;
mod mailable;
pub mod messages;
mod names;
mod nearby;
mod new_account;
mod note_reading;
mod notify;
pub mod oauth_server;
mod one_time;
mod open_link;
pub mod organizations;
pub mod outbound;
mod outbox;
mod passkeys;
pub mod password;
mod prove_password;
mod publication;
mod quota;
mod reauthenticate;
mod recipient;
mod refresh_session;
mod request_access;
mod request_deletion;
mod resend;
mod reset_password;
mod second_step;
mod session_policy;
mod sessions;
pub mod settings;
mod sign_in;
mod sign_out;
mod sign_up;
mod sign_up_anonymously;
pub mod sso;
mod text_codes;
mod throttle;
pub mod tokens;
mod unit;
mod update_user;
mod verify;
mod views;
pub mod web3;
pub mod webauthn;

pub use access::{AccessError, Caller};
pub use address_codes::{CodeEntry, CodeError, CodeSignIn, ConfirmedByCode, SendCode};
pub use administer_user::{AdministerUser, AdministerUserError};
pub use administration::{ImpersonateError, ListUsers};
pub use ban_user::BanChange;
pub use certificate::{
    BadCertificate, CertificateError, ErasureCertificate, erasure_certificate, open_certificate,
};
pub use change_email::{ChangeEmail, ChangeEmailError, EmailChangeWay};
pub use change_password::{ChangePassword, ChangePasswordError, ChangedPassword};
pub use contact::{Contact, GivenContact, UnknownChannel};
pub use create_user::{CreateUser, CreateUserError};
pub use delete_user::{DeleteUserError, Deletion};
pub use deny::NoteError;
pub use evident_projections::views::{Comparison, Condition, Direction, UserField, UserPage};
pub use execute::{Failure, UseCase};
pub use factors::{
    ChallengeFactor, ChallengedFactor, ChangeFactor, CredentialKind, EnrollFactor, EnrolledFactor,
    FactorQuestion, FactorUse, FactorsError, GivenAnswer, TotpEnrolment, VerifyFactor,
};
pub use flow::{RedeemFlowError, RedeemedFlow};
pub use generate_link::{GenerateLink, GenerateLinkError, GeneratedLink, LinkKind};
pub use grant::{Grant, SessionTerms};
pub use holds::{HoldsError, LiftHold, PlaceHold, standing_holds};
pub use invite_user::{InviteUser, InviteUserError};
pub use mailable::RecipientError;
pub use names::{NameChange, NameError};
pub use nearby::{Nearby, ProjectionsNearby};
pub use notify::Notification;
pub use open_link::{LinkStanding, OpenLink, OpenLinkError, OpenedLink};
pub use outbox::OutboxWorker;
pub use passkeys::{AuthenticationQuestion, PasskeysError, RegistrationQuestion};
pub use prove_password::PasswordProofError;
pub use publication::{PruneLog, PublicationError, RenameLog, RotateLogKey};
pub use quota::OverQuota;
pub use reauthenticate::ReauthenticateError;
pub use refresh_session::{RefreshError, Refreshed, SessionOwner};
pub use request_access::{AccessIntent, RequestAccess, RequestError, Requested};
pub use request_deletion::RequestDeletionError;
pub use resend::{Resend, Resent};
pub use reset_password::{ResetPassword, ResetPasswordError};
pub use second_step::{
    GivenSecondAnswer, SecondStepError, SecuredAccount, TakeSecondStep, TakenSecondStep, WaitingSignIn,
};
pub use session_policy::Expiry;
pub use sessions::{EndSession, SessionFieldsError, SessionsError};
pub use sign_in::{Entered, SignIn, SignInError, SignedIn, Unconfirmed};
pub use sign_out::{SignOut, SignOutError, SignOutScope};
pub use sign_up::{Entry, Pretended, SignUp, SignUpError, SignedUp};
pub use sign_up_anonymously::AnonymousError;
pub use text_codes::CodeCheck;
pub use throttle::Throttled;
pub use unit::{Context, Unit};
pub use update_user::{UpdateUser, UpdateUserError};
pub use verify::{Verified, Verify, VerifyEnd, VerifyError, VerifyKind, VerifyProof};
pub use views::{FactorRow, IdentityRow, PasskeyRow, SessionRow, UserRow, UserView};

use std::sync::Arc;

use evident_domain::ports::{Clock, Entropy};
use evident_eventstore::EventStore;
use evident_projections::Roster;

use aggregates::AggregateCache;
use external::OidcCache;
use hooks::Hooks;
use messages::sms::SmsService;
use messages::{Links, RedirectPolicy, Templates};
use outbound::Outbound;
use password::{Hasher, LeakedPasswords, PasswordPolicy};
use quota::MessageQuota;
use settings::Settings;
use tokens::{
    AuthorizationCodec, FactorKeys, FlowCodec, Pepper, RefreshTokenCodec, SecretBox, SessionTokenCodec,
    SigningKeys,
};
use webauthn::RelyingParty;

/// What the use cases work with.
#[derive(Debug)]
pub struct Parts {
    /// The log and its projections.
    pub store: EventStore,
    /// What this node keeps at hand; the store was opened with it, so it hears of every commit.
    pub nearby: Nearby,
    /// What lists of users look at, where it is kept in memory.
    pub roster: Roster,
    /// What the owner chose.
    pub settings: Settings,
    /// The threads that hash.
    pub hasher: Hasher,
    /// Which passwords are good enough.
    pub passwords: PasswordPolicy,
    /// The list of leaked passwords, where it is looked at.
    pub leaks: Option<LeakedPasswords>,
    /// The keys of access tokens.
    pub signing_keys: SigningKeys,
    /// The key of refresh tokens.
    pub refresh_tokens: RefreshTokenCodec,
    /// The key of tokens of sessions.
    pub session_tokens: SessionTokenCodec,
    /// The key of hashes of short things.
    pub codes: Pepper,
    /// The key of codes and secrets of flows.
    pub flows: FlowCodec,
    /// The keys of second factors and passkeys.
    pub factor_keys: FactorKeys,
    /// Whom keys of authenticators belong to; none where the settings make no relying party.
    pub relying_party: Option<RelyingParty>,
    /// The key of secrets of others.
    pub secrets: SecretBox,
    /// The key of authorization codes.
    pub authorizations: AuthorizationCodec,
    /// Calls other servers.
    pub outbound: Outbound,
    /// Programs of the owner's that are asked or told.
    pub hooks: Hooks,
    /// The service that carries text messages, where one does.
    pub sms_service: Option<SmsService>,
    /// Texts of mails and messages.
    pub templates: Arc<Templates>,
    /// Links in mails.
    pub links: Links,
    /// Where links may lead in the end.
    pub redirects: RedirectPolicy,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Commands {
    parts: Arc<Parts>,
    quota: Arc<MessageQuota>,
    oidc: OidcCache,
}

impl Commands {
    /// The use cases over their parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), quota: Arc::default(), oidc: OidcCache::default() }
    }

    /// The log.
    pub fn store(&self) -> &EventStore {
        &self.parts.store
    }

    /// What the owner chose.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// The keys of access tokens.
    pub fn signing_keys(&self) -> &SigningKeys {
        &self.parts.signing_keys
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        &**self.parts.store.clock()
    }

    /// Where chance comes from.
    pub fn entropy(&self) -> &dyn Entropy {
        self.parts.store.entropy()
    }

    pub(crate) fn quota(&self) -> &MessageQuota {
        &self.quota
    }

    pub(crate) fn nearby(&self) -> &Nearby {
        &self.parts.nearby
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.parts.roster
    }

    pub(crate) fn aggregates(&self) -> &AggregateCache {
        self.parts.nearby.aggregates()
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.parts.hasher
    }

    pub(crate) fn passwords(&self) -> &PasswordPolicy {
        &self.parts.passwords
    }

    pub(crate) fn leaks(&self) -> Option<&LeakedPasswords> {
        self.parts.leaks.as_ref()
    }

    pub(crate) fn refresh_tokens(&self) -> &RefreshTokenCodec {
        &self.parts.refresh_tokens
    }

    /// Tokens of sessions.
    pub fn session_tokens(&self) -> &SessionTokenCodec {
        &self.parts.session_tokens
    }

    pub(crate) fn codes(&self) -> &Pepper {
        &self.parts.codes
    }

    /// Whom keys of authenticators belong to; none where the settings make no relying party.
    pub(crate) fn relying_party(&self) -> Option<&RelyingParty> {
        self.parts.relying_party.as_ref()
    }

    pub(crate) fn factor_keys(&self) -> &FactorKeys {
        &self.parts.factor_keys
    }

    /// Codes and secrets of flows.
    pub fn flows(&self) -> &FlowCodec {
        &self.parts.flows
    }

    pub(crate) fn secrets(&self) -> &SecretBox {
        &self.parts.secrets
    }

    /// What is known of OpenID providers.
    pub(crate) fn oidc(&self) -> &OidcCache {
        &self.oidc
    }

    pub(crate) fn authorizations(&self) -> &AuthorizationCodec {
        &self.parts.authorizations
    }

    /// Calls other servers.
    pub fn outbound(&self) -> &Outbound {
        &self.parts.outbound
    }

    /// Programs of the owner's that are asked or told.
    pub fn hooks(&self) -> &Hooks {
        &self.parts.hooks
    }

    /// The service that carries text messages, where one does.
    pub fn sms_service(&self) -> Option<&SmsService> {
        self.parts.sms_service.as_ref()
    }

    /// Texts of mails and messages.
    pub fn templates(&self) -> &Arc<Templates> {
        &self.parts.templates
    }

    pub(crate) fn links(&self) -> &Links {
        &self.parts.links
    }

    /// Where links may lead in the end.
    pub fn redirects(&self) -> &RedirectPolicy {
        &self.parts.redirects
    }
}
