//! Somebody's account goes: no organization keeps them, nor their address in an invitation.

use std::collections::{BTreeMap, BTreeSet};

use evident_domain::organization::{Action, By, Organization, OrganizationError};
use evident_domain::user::User;
use evident_domain::{Email, Event, InvitationId, OrganizationId, Root, StreamId, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::unit::Unit;

/// Where somebody was known, and is known no more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forgotten {
    /// By these invitations.
    pub invitations: BTreeSet<InvitationId>,
    /// To these organizations.
    pub organizations: BTreeSet<OrganizationId>,
}

impl Commands {
    /// Takes a user out of all organizations, and their invitations back, open or not.
    ///
    /// # Errors
    /// When an organization with other members would be left without an owner.
    pub(crate) async fn forget_in_organizations<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
    ) -> Result<Forgotten, E>
    where
        E: From<OrganizationError> + From<Failure>,
    {
        let mut forgotten = Forgotten::default();
        let emails = own_addresses(unit, user).await?;
        let mut invitations: BTreeMap<OrganizationId, Vec<InvitationId>> = BTreeMap::new();
        for (organization, id) in unit.invitations_of(user, &emails).await? {
            invitations.entry(organization).or_default().push(id);
            forgotten.invitations.insert(id);
            forgotten.organizations.insert(organization);
        }
        for (organization, invitations) in invitations {
            let forget = Action::ForgetRecipient { invitations };
            self.tell_organization::<E>(unit, By::Server, organization, forget).await?;
        }
        for organization in unit.memberships(user).await? {
            if unit.read::<Organization>(organization.0).await?.active().is_none() {
                continue;
            }
            forgotten.organizations.insert(organization);
            let forget = Action::ForgetUser { user };
            self.tell_organization::<E>(unit, By::Server, organization, forget).await?;
        }
        Ok(forgotten)
    }
}

/// The addresses that a user has or had, and had shown to be theirs. One that nobody has shown to be theirs
/// may be another's: that one's invitations stay.
async fn own_addresses(unit: &mut Unit<'_>, user: UserId) -> Result<BTreeSet<Email>, Failure> {
    let mut emails = BTreeSet::new();
    let mut state = User::default();
    for recorded in unit.store().load(StreamId::user(user)).await? {
        if let Event::User(event) = &recorded.event {
            Root::fold(&mut state, event);
        }
        let email = state.account().and_then(|account| account.email.as_ref());
        emails.extend(email.filter(|email| email.confirmed).map(|email| email.value.clone()));
    }
    // What was decided in this unit is part of it; the stream itself is read for its version.
    unit.user(user).await?;
    Ok(emails)
}
