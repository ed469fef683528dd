//! Teams, and who is in them.

use evident_domain::organization::{Action, By, team_member_id};
use evident_domain::{OrganizationId, TeamId, UserId};

use super::{
    OrganizationCaller, OrganizationError, OrganizationFailure, TeamMemberRow, TeamRow, active, name,
};
use crate::Commands;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

impl Commands {
    /// Makes a team.
    ///
    /// # Errors
    /// When the caller may not, or there are as many as may be.
    pub async fn create_team(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        name: String,
    ) -> Result<TeamRow, OrganizationFailure> {
        let case = CreateTeam { commands: self, caller, organization, name };
        let id = self.execute(context, &case).await?;
        Ok(self.team(id).await?.ok_or(OrganizationError::TeamNotFound)?)
    }

    /// Gives a team another name.
    ///
    /// # Errors
    /// When there is no such team, or the caller may not.
    pub async fn rename_team(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        team: TeamId,
        name: Option<String>,
    ) -> Result<TeamRow, OrganizationFailure> {
        let case = RenameTeam { commands: self, caller, organization, team, name };
        self.execute(context, &case).await?;
        Ok(self.team(team).await?.ok_or(OrganizationError::TeamNotFound)?)
    }

    /// Removes a team. Its people stay members.
    ///
    /// # Errors
    /// When there is no such team, the caller may not or acts in it, or it is the last.
    pub async fn remove_team(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        team: TeamId,
    ) -> Result<(), OrganizationFailure> {
        self.execute(context, &RemoveTeam { commands: self, caller, organization, team }).await
    }

    /// Puts a member into a team.
    ///
    /// # Errors
    /// When there is no such team or member, the caller may not, or the team is full.
    pub async fn add_team_member(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        team: TeamId,
        user: UserId,
    ) -> Result<TeamMemberRow, OrganizationFailure> {
        let case = AddTeamMember { commands: self, caller, organization, team, user };
        self.execute(context, &case).await?;
        let rows = self.team_members(team).await?;
        let row = rows.into_iter().find(|row| row.id == team_member_id(team, user));
        Ok(row.ok_or(OrganizationError::NotInTeam)?)
    }

    /// Takes a member out of a team.
    ///
    /// # Errors
    /// When the member is not in it, or the caller may not.
    pub async fn remove_team_member(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        team: TeamId,
        user: UserId,
    ) -> Result<(), OrganizationFailure> {
        self.execute(context, &RemoveTeamMember { commands: self, caller, organization, team, user }).await
    }
}

/// Makes a team.
#[derive(Debug)]
pub struct CreateTeam<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    name: String,
}

impl UseCase for CreateTeam<'_> {
    type Output = TeamId;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<TeamId, OrganizationFailure> {
        let team = TeamId(unit.store().entropy().uuid());
        let create = Action::CreateTeam { team, name: name(&self.name, "name")? };
        let by = By::User(self.caller.user);
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, create).await?;
        Ok(team)
    }
}

/// Gives a team another name.
#[derive(Debug)]
pub struct RenameTeam<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    team: TeamId,
    name: Option<String>,
}

impl UseCase for RenameTeam<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let organization =
            unit.read::<evident_domain::organization::Organization>(self.organization.0).await?;
        let known = organization.active().and_then(|organization| organization.teams.get(&self.team));
        let known = known.map(|team| team.name.clone()).unwrap_or_default();
        let name = self.name.as_deref().map(|text| name(text, "name")).transpose()?.unwrap_or(known);
        let rename = Action::RenameTeam { team: self.team, name };
        let by = By::User(self.caller.user);
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, rename).await?;
        Ok(())
    }
}

/// Removes a team.
#[derive(Debug)]
pub struct RemoveTeam<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    team: TeamId,
}

impl UseCase for RemoveTeam<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        if active::is_in(unit, self.caller, self.team).await? {
            return Err(OrganizationFailure::TeamIsActive);
        }
        let by = By::User(self.caller.user);
        let remove = Action::RemoveTeam { team: self.team };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, remove).await?;
        Ok(())
    }
}

/// Puts a member into a team.
#[derive(Debug)]
pub struct AddTeamMember<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    team: TeamId,
    user: UserId,
}

impl UseCase for AddTeamMember<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let by = By::User(self.caller.user);
        let add = Action::AddTeamMember { team: self.team, user: self.user };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, add).await?;
        Ok(())
    }
}

/// Takes a member out of a team.
#[derive(Debug)]
pub struct RemoveTeamMember<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    organization: OrganizationId,
    team: TeamId,
    user: UserId,
}

impl UseCase for RemoveTeamMember<'_> {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        let by = By::User(self.caller.user);
        let remove = Action::RemoveTeamMember { team: self.team, user: self.user };
        self.commands.tell_organization::<OrganizationFailure>(unit, by, self.organization, remove).await?;
        Ok(())
    }
}
