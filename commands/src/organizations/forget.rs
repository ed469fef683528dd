//! Somebody's account goes: no organization keeps them, nor their address in an invitation.

use std::collections::BTreeMap;

use evident_domain::organization::{Action, By, Organization, OrganizationError};
use evident_domain::{InvitationId, OrganizationId, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::unit::Unit;

impl Commands {
    /// Takes a user out of all organizations, and their invitations back, open or not.
    ///
    /// # Errors
    /// When an organization with other members would be left without an owner.
    pub(crate) async fn forget_in_organizations<E>(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), E>
    where
        E: From<OrganizationError> + From<Failure>,
    {
        // An address that nobody has shown to be theirs may be another's: that one's invitations stay.
        let email = unit.user(user).await?.account().and_then(|account| account.email.as_ref());
        let email = email.filter(|email| email.confirmed).map(|email| email.value.to_string());
        let mut invitations: BTreeMap<OrganizationId, Vec<InvitationId>> = BTreeMap::new();
        for (organization, id) in unit.invitations_of(user, email.as_deref()).await? {
            invitations.entry(organization).or_default().push(id);
        }
        for (organization, invitations) in invitations {
            if unit.read::<Organization>(organization.0).await?.active().is_none() {
                continue;
            }
            let forget = Action::ForgetRecipient { invitations };
            self.tell_organization::<E>(unit, By::Server, organization, forget).await?;
        }
        for organization in unit.memberships(user).await? {
            if unit.read::<Organization>(organization.0).await?.active().is_none() {
                continue;
            }
            let forget = Action::ForgetUser { user };
            self.tell_organization::<E>(unit, By::Server, organization, forget).await?;
        }
        Ok(())
    }
}
