//! Roles of an organization's own.

use evident_domain::organization::{Action, Active, By, Organization};
use evident_domain::{OrganizationId, OrganizationRoleId};

use super::{
    OrganizationCaller, OrganizationError, OrganizationFailure, OrganizationRoleRow, Permissions, name,
};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// What names one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleName {
    /// Its id.
    Id(OrganizationRoleId),
    /// What members are given.
    Name(String),
}

impl RoleName {
    /// The id of the role in an organization; one that is none where there is no such role.
    fn find(&self, organization: Option<&Active>) -> OrganizationRoleId {
        match self {
            Self::Id(id) => *id,
            Self::Name(name) => organization
                .and_then(|there| there.roles.iter().find(|(_, (known, _))| known == name))
                .map_or(OrganizationRoleId(uuid::Uuid::nil()), |(id, _)| *id),
        }
    }

    /// Whether it is a row's.
    pub fn names(&self, row: &OrganizationRoleRow) -> bool {
        match self {
            Self::Id(id) => row.id == *id,
            Self::Name(name) => row.role == *name,
        }
    }
}

impl Commands {
    /// Makes a role of an organization's own.
    ///
    /// # Errors
    /// When the caller may not or does not hold what it grants, or the name is taken.
    pub async fn create_role(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        role: &str,
        permissions: Permissions,
    ) -> Result<OrganizationRoleRow, OrganizationFailure> {
        let name = role_name(role)?;
        let case = CreateRole { commands: self, caller, organization, name, permissions };
        let id = self.execute(context, &case).await?;
        self.own_role(organization, &RoleName::Id(id)).await
    }

    /// Changes a role of an organization's own.
    ///
    /// # Errors
    /// When there is no such role, the caller may not or does not hold what it grants, or the name is taken
    /// or in use.
    pub async fn change_role(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        role: RoleName,
        change: (Option<String>, Option<Permissions>),
    ) -> Result<OrganizationRoleRow, OrganizationFailure> {
        let (name, permissions) = change;
        let name = name.filter(|name| !name.is_empty()).as_deref().map(role_name).transpose()?;
        let case = ChangeRole { commands: self, caller, organization, role, name, permissions };
        let id = self.execute(context, &case).await?;
        self.own_role(organization, &RoleName::Id(id)).await
    }

    /// Removes a role of an organization's own.
    ///
    /// # Errors
    /// When there is no such role, somebody has it, or the caller may not.
    pub async fn delete_role(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        role: RoleName,
    ) -> Result<(), OrganizationFailure> {
        self.execute(context, &DeleteRole { commands: self, caller, organization, role }).await
    }
}

/// The name of a role: in lower case, and nothing that stands between the names of several.
fn role_name(text: &str) -> Result<String, OrganizationFailure> {
    let text = name(text.trim(), "role")?;
    if text.contains(',') { Err(OrganizationFailure::BadName("role")) } else { Ok(text.to_lowercase()) }
}

async fn find(
    unit: &mut Unit<'_>,
    organization: OrganizationId,
    role: &RoleName,
) -> Result<OrganizationRoleId, Failure> {
    Ok(role.find(unit.read::<Organization>(organization.0).await?.active()))
}

/// Makes a role.
#[derive(Debug)]
pub struct CreateRole<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    name: String,
    permissions: Permissions,
}

impl UseCase for CreateRole<'_> {
    type Output = OrganizationRoleId;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<OrganizationRoleId, OrganizationFailure> {
        let role = OrganizationRoleId(unit.store().entropy().uuid());
        let (name, permissions) = (self.name.clone(), self.permissions.clone());
        let by = By::User(self.caller.user);
        let create = Action::CreateRole { role, name, permissions };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, create).await?;
        Ok(role)
    }
}

/// Changes a role.
#[derive(Debug)]
pub struct ChangeRole<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    role: RoleName,
    name: Option<String>,
    permissions: Option<Permissions>,
}

impl UseCase for ChangeRole<'_> {
    type Output = OrganizationRoleId;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<OrganizationRoleId, OrganizationFailure> {
        let role = find(unit, self.organization, &self.role).await?;
        let (name, permissions) = (self.name.clone(), self.permissions.clone());
        let by = By::User(self.caller.user);
        let change = Action::ChangeRole { role, name, permissions };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, change).await?;
        Ok(role)
    }
}

/// Removes a role.
#[derive(Debug)]
pub struct DeleteRole<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    role: RoleName,
}

impl UseCase for DeleteRole<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let role = find(unit, self.organization, &self.role).await?;
        let by = By::User(self.caller.user);
        let delete = Action::DeleteRole { role };
        let told =
            self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, delete).await;
        match (told, &self.role) {
            (
                Err(OrganizationFailure::Organization(OrganizationError::RoleNotFound)),
                RoleName::Name(name),
            ) if self.commands.settings().organizations.access().roles.contains_key(name) => {
                Err(OrganizationError::RolePredefined.into())
            }
            (told, _) => told.map(drop),
        }
    }
}
