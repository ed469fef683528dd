//! Changing an organization, and its end.

use evident_domain::organization::{Action, By};
use evident_domain::{Metadata, OrganizationId};

use super::create::require_free;
use super::{
    OrganizationCaller, OrganizationChange, OrganizationFailure, OrganizationName, OrganizationRow, active,
    name,
};
use crate::Commands;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// What is to be another about an organization; what is not said stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateOrganization {
    /// What people call it.
    pub name: Option<String>,
    /// What addresses call it.
    pub slug: Option<String>,
    /// Its picture, or none.
    pub logo: Option<Option<String>>,
    /// What the application keeps about it.
    pub metadata: Option<Metadata>,
}

impl Commands {
    /// Changes an organization.
    ///
    /// # Errors
    /// When the caller may not, or the slug is taken.
    pub async fn update_organization(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        id: OrganizationId,
        request: UpdateOrganization,
    ) -> Result<OrganizationRow, OrganizationFailure> {
        let case = UpdateCase { commands: self, caller, id, request: &request };
        self.execute(context, &case).await?;
        Ok(self.organization_of(caller.user, id).await?.0)
    }

    /// Ends an organization, and gives it as it was.
    ///
    /// # Errors
    /// When the caller may not, or nobody may.
    pub async fn delete_organization(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        id: OrganizationId,
    ) -> Result<OrganizationRow, OrganizationFailure> {
        if !self.settings().organizations.deletion {
            return Err(OrganizationFailure::DeletionDisabled);
        }
        self.execute(context, &DeleteOrganization { commands: self, caller, id }).await
    }
}

struct UpdateCase<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    id: OrganizationId,
    request: &'a UpdateOrganization,
}

impl UseCase for UpdateCase<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let request = self.request;
        let slug = request.slug.as_deref().map(|slug| name(slug, "slug")).transpose()?;
        let change = OrganizationChange {
            name: request.name.clone(),
            slug: slug.clone(),
            logo: request.logo.clone().map(Option::unwrap_or_default),
            metadata: request.metadata.clone(),
        };
        // Who may not change it learns nothing of slugs.
        self.commands
            .tell_organization::<OrganizationFailure>(
                unit,
                By::User(self.caller.user),
                self.id,
                Action::Update(change),
            )
            .await?;
        match slug {
            Some(slug) => require_free(unit.store(), &slug, Some(self.id)).await,
            None => Ok(()),
        }
    }
}

/// Ends an organization.
#[derive(Debug)]
pub struct DeleteOrganization<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    id: OrganizationId,
}

impl UseCase for DeleteOrganization<'_> {
    type Output = OrganizationRow;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<OrganizationRow, OrganizationFailure> {
        let by = By::User(self.caller.user);
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.id, Action::Delete).await?;
        active::leave(unit, self.caller, self.id).await?;
        let row = self.commands.organization(&OrganizationName::Id(self.id)).await?;
        Ok(row.ok_or(super::OrganizationError::NotFound)?)
    }
}
