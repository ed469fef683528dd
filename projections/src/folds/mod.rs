//! The folds.

mod audit_actions;
mod audit_authors;
mod audit_counts;
mod claims;
mod erased_subjects;
mod identities;
mod oauth_clients;
mod oauth_consents;
mod organizations;
mod providers;
mod sessions;
mod sign_in_failures;
mod sso_providers;
mod users;

use std::marker::PhantomData;

pub use audit_actions::{AuditActionsRow, NO_ENTRY, ROW_BITS, row_key};
pub use audit_authors::AuditAuthorRow;
pub use audit_counts::{AuditCountRow, STRETCH_BITS};
pub use claims::ClaimRows;
pub use erased_subjects::ErasedSubject;
pub use identities::{Identities, IdentityRow};
pub use oauth_clients::ClientRow;
pub use oauth_consents::{ConsentRow, Consents};
pub use organizations::{
    InvitationRow, InvitationStatus, MemberRow, OrganizationRoleRow, OrganizationRow, Part, Parts,
    TeamMemberRow, TeamRow,
};
pub use providers::ProviderRow;
pub use sessions::SessionRow;
pub use sign_in_failures::{IDLE_SECONDS, SignInFailures};
pub use sso_providers::SsoProviderRow;
pub use users::{
    COUNT_LEVELS, COUNTED_COLUMNS, FactorRow, PasskeyRow, SEARCHED_CHARACTERS, UserRow, searchable,
};

use evident_domain::{Event, Recorded};
use evident_eventstore::{Column, ColumnType};

use crate::folding::{Of, Projection};

/// Folded inside the commit by [`crate::Projections`].
pub(crate) static INLINE: [&dyn Projection; 18] = [
    &Of::<ProviderRow>(PhantomData),
    &Of::<UserRow>(PhantomData),
    &Of::<Identities>(PhantomData),
    &Of::<SessionRow>(PhantomData),
    &Of::<SignInFailures>(PhantomData),
    &Of::<ErasedSubject>(PhantomData),
    &Of::<ClientRow>(PhantomData),
    &Of::<Consents>(PhantomData),
    &Of::<AuditActionsRow>(PhantomData),
    &Of::<AuditAuthorRow>(PhantomData),
    &Of::<AuditCountRow>(PhantomData),
    &Of::<SsoProviderRow>(PhantomData),
    &Of::<OrganizationRow>(PhantomData),
    &Of::<Parts<MemberRow>>(PhantomData),
    &Of::<Parts<InvitationRow>>(PhantomData),
    &Of::<Parts<TeamRow>>(PhantomData),
    &Of::<Parts<TeamMemberRow>>(PhantomData),
    &Of::<Parts<OrganizationRoleRow>>(PhantomData),
];

/// Everything that can be rebuilt and verified.
pub(crate) static ALL: [&dyn Projection; 19] = [
    &Of::<ProviderRow>(PhantomData),
    &Of::<UserRow>(PhantomData),
    &Of::<Identities>(PhantomData),
    &Of::<SessionRow>(PhantomData),
    &Of::<SignInFailures>(PhantomData),
    &Of::<ErasedSubject>(PhantomData),
    &Of::<ClientRow>(PhantomData),
    &Of::<Consents>(PhantomData),
    &Of::<AuditActionsRow>(PhantomData),
    &Of::<AuditAuthorRow>(PhantomData),
    &Of::<AuditCountRow>(PhantomData),
    &Of::<SsoProviderRow>(PhantomData),
    &Of::<OrganizationRow>(PhantomData),
    &Of::<Parts<MemberRow>>(PhantomData),
    &Of::<Parts<InvitationRow>>(PhantomData),
    &Of::<Parts<TeamRow>>(PhantomData),
    &Of::<Parts<TeamMemberRow>>(PhantomData),
    &Of::<Parts<OrganizationRoleRow>>(PhantomData),
    &Of::<ClaimRows>(PhantomData),
];

const fn text(name: &'static str) -> Column {
    Column::new(name, ColumnType::Text)
}

const fn int(name: &'static str) -> Column {
    Column::new(name, ColumnType::Int)
}

const fn json(name: &'static str) -> Column {
    Column::new(name, ColumnType::Json)
}

const fn flag(name: &'static str) -> Column {
    Column::new(name, ColumnType::Bool)
}

/// The key of the stream that an event stands in.
fn stream_key(event: &Recorded) -> Vec<String> {
    vec![event.stream.id.to_string()]
}

/// The personal part of an event's provenance, as texts.
fn origin(event: &Recorded) -> (Option<String>, Option<String>) {
    let known = &event.provenance;
    let agent = known.user_agent.as_ref().and_then(|agent| agent.known()).cloned();
    let ip = known.ip.as_ref().and_then(|ip| ip.known()).map(ToString::to_string);
    (agent, ip)
}

/// The user's event, if it is one.
fn user_event(event: &Recorded) -> Option<&evident_domain::user::UserEvent> {
    match &event.event {
        Event::User(event) => Some(event),
        _ => None,
    }
}
