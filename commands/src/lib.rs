//! The use cases of Evident, one a module: checks, hashing, tokens, the unit of work, messages.
//!
//! A use case decides the order of things; the rules are the aggregates' (`evident_domain`), and what
//! protocol called is unknown here. Every change goes through [`Commands::execute`]: read, decide,
//! commit, and on a conflict decide again.

mod access;
mod administer_user;
mod aggregates;
mod ban_user;
mod contact;
mod create_user;
mod delete_user;
mod deny;
mod execute;
mod flow;
mod grant;
mod hashing;
pub mod messages;
mod nearby;
mod one_time;
pub mod outbound;
mod outbox;
pub mod password;
mod refresh_session;
pub mod settings;
mod sign_in;
mod sign_out;
mod sign_up;
mod throttle;
pub mod tokens;
mod unit;
mod update_user;
mod verify;
mod views;

pub use access::{AccessError, Caller};
pub use administer_user::{AdministerUser, AdministerUserError};
pub use ban_user::BanChange;
pub use contact::{Contact, GivenContact};
pub use create_user::{CreateUser, CreateUserError};
pub use delete_user::{DeleteUserError, Deletion};
pub use deny::NoteError;
pub use execute::{Failure, UseCase};
pub use flow::{RedeemFlowError, RedeemedFlow};
pub use grant::Grant;
pub use nearby::{Nearby, ProjectionsNearby};
pub use outbox::OutboxWorker;
pub use refresh_session::{Expiry, RefreshError, Refreshed, SessionOwner};
pub use sign_in::{SignIn, SignInError, SignedIn};
pub use sign_out::{SignOut, SignOutError, SignOutScope};
pub use sign_up::{Pretended, SignUp, SignUpError, SignedUp};
pub use throttle::Throttled;
pub use unit::{Context, Unit};
pub use update_user::{UpdateUser, UpdateUserError};
pub use verify::{Verified, Verify, VerifyError, VerifyKind, VerifyProof};
pub use views::{IdentityRow, SessionRow, UserRow, UserView};

use std::sync::Arc;

use evident_domain::ports::Clock;
use evident_eventstore::EventStore;

use aggregates::AggregateCache;
use messages::{Links, RedirectPolicy, Templates};
use outbound::Outbound;
use password::{Hasher, PasswordPolicy};
use settings::Settings;
use tokens::{FlowCodec, Pepper, RefreshTokenCodec, SigningKeys};

/// What the use cases work with.
#[derive(Debug)]
pub struct Parts {
    /// The log and its projections.
    pub store: EventStore,
    /// What this node keeps at hand; the store was opened with it, so it hears of every commit.
    pub nearby: Nearby,
    /// What the owner chose.
    pub settings: Settings,
    /// The threads that hash.
    pub hasher: Hasher,
    /// Which passwords are good enough.
    pub passwords: PasswordPolicy,
    /// The keys of access tokens.
    pub signing_keys: SigningKeys,
    /// The key of refresh tokens.
    pub refresh_tokens: RefreshTokenCodec,
    /// The key of hashes of short things.
    pub codes: Pepper,
    /// The key of codes and secrets of flows.
    pub flows: FlowCodec,
    /// Calls other servers.
    pub outbound: Outbound,
    /// Texts of mails and messages.
    pub templates: Arc<Templates>,
    /// Links in mails.
    pub links: Links,
    /// Where links may lead in the end.
    pub redirects: RedirectPolicy,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Commands(Arc<Parts>);

impl Commands {
    /// The use cases over their parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The log.
    pub fn store(&self) -> &EventStore {
        &self.0.store
    }

    /// What the owner chose.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The keys of access tokens.
    pub fn signing_keys(&self) -> &SigningKeys {
        &self.0.signing_keys
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        &**self.0.store.clock()
    }

    pub(crate) fn nearby(&self) -> &Nearby {
        &self.0.nearby
    }

    pub(crate) fn aggregates(&self) -> &AggregateCache {
        self.0.nearby.aggregates()
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    pub(crate) fn passwords(&self) -> &PasswordPolicy {
        &self.0.passwords
    }

    pub(crate) fn refresh_tokens(&self) -> &RefreshTokenCodec {
        &self.0.refresh_tokens
    }

    pub(crate) fn codes(&self) -> &Pepper {
        &self.0.codes
    }

    /// Codes and secrets of flows.
    pub fn flows(&self) -> &FlowCodec {
        &self.0.flows
    }

    /// Calls other servers.
    pub fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    /// Texts of mails and messages.
    pub fn templates(&self) -> &Arc<Templates> {
        &self.0.templates
    }

    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    /// Where links may lead in the end.
    pub fn redirects(&self) -> &RedirectPolicy {
        &self.0.redirects
    }
}
