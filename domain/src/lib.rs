//! The rules of Evident, and nothing else: aggregates, their commands, events and errors.
//!
//! Everything here is pure: no clock, no randomness, no I/O, no HTTP and no SQL. Whatever a rule
//! needs from outside (the time, a fresh id, a hash) stands in the command.
//!
//! Whoever knows one aggregate knows them all: `command.rs` says what may be asked, `event.rs` what can
//! have happened, `error.rs` why not; the state with its fold, and `decide` with the rules, stand in
//! `mod.rs`, or in `state.rs` and `decide.rs` where they are long. An [`attempt`] has no rules to
//! speak of and is one file.
//!
//! The [`catalogue`] lists every event there is; `docs/events.md` is printed from it. What of an event a
//! reader of the log sees is decided in [`disclosure`].

pub mod access;
pub mod attempt;
pub mod authorization;
pub mod catalogue;
pub mod claim;
pub mod client;
pub mod consent;
pub mod contact;
pub mod disclosure;
pub mod event;
pub mod flow;
pub mod hold;
pub mod ids;
pub mod metadata;
pub mod organization;
pub mod personal;
pub mod ports;
pub mod provenance;
pub mod provider;
pub mod publication;
pub mod reading;
pub mod recipient;
pub mod retention;
pub mod root;
pub mod scopes;
pub mod secret;
pub mod session;
pub mod sso_provider;
pub mod upcast;
pub mod user;

pub use claim::{Claim, ClaimChange, ClaimKind};
pub use contact::{Email, Phone};
pub use event::{Event, Position, Recorded, StreamId, StreamKind, Subject};
pub use ids::{
    AuthorizationId, ChallengeId, ClientId, ConsentId, EventId, FactorId, FlowId, HoldId, IdentityId,
    InvitationId, MemberId, OrganizationId, OrganizationRoleId, PasskeyId, SessionId, SsoProviderId, TeamId,
    UserId,
};
pub use metadata::Metadata;
pub use personal::Personal;
pub use provenance::{Actor, Provenance, Surface};
pub use root::Root;
pub use scopes::{Scope, Scopes};
pub use secret::{PasswordHash, SealedTokens, TokenHash, TotpSecret};

/// A moment in UTC. The store keeps microseconds, so the [`ports::Clock`] gives no finer time, and no
/// command carries one.
pub type Time = chrono::DateTime<chrono::Utc>;
