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
use uuid::Uuid;

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
    vec![id_text(event.stream.id)]
}

/// An id as it stands in tables. (Without the detour that `to_string` takes: this is done for every event.)
pub(crate) fn id_text(id: Uuid) -> String {
    let mut buffer = Uuid::encode_buffer();
    let text: &str = id.hyphenated().encode_lower(&mut buffer);
    text.to_owned()
}

/// A number in 16 digits: such texts have the order of the numbers. (`{:016}`, without its detour.)
fn padded(number: u64) -> String {
    let (mut digits, mut rest) = ([b'0'; 16], number);
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    if rest > 0 {
        return number.to_string();
    }
    String::from_utf8(digits.to_vec()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_formats_say() {
        for number in [0, 7, 1 << 40, 9_999_999_999_999_999, u64::MAX] {
            assert_eq!(padded(number), format!("{number:016}"));
        }
        let id = Uuid::from_u128(0xab);
        assert_eq!(id_text(id), id.to_string());
    }
}
