//! Where the user of a session acts.

use evident_domain::session::SessionCommand;
use evident_domain::{OrganizationId, TeamId};

use super::{
    OrganizationCaller, OrganizationError, OrganizationFailure, OrganizationName, OrganizationRow, TeamRow,
};
use crate::Commands;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// Lets the caller act in an organization and a team.
pub(super) async fn enter(
    unit: &mut Unit<'_>,
    caller: OrganizationCaller,
    organization: Option<OrganizationId>,
    team: Option<TeamId>,
) -> Result<(), OrganizationFailure> {
    let now = unit.now();
    let command = SessionCommand::ChooseOrganization { organization, now };
    unit.tell_session::<OrganizationFailure>(caller.session, command).await?;
    if team.is_some() {
        enter_team(unit, caller, team).await?;
    }
    Ok(())
}

/// Lets the caller act in a team.
async fn enter_team(
    unit: &mut Unit<'_>,
    caller: OrganizationCaller,
    team: Option<TeamId>,
) -> Result<(), OrganizationFailure> {
    let now = unit.now();
    unit.tell_session::<OrganizationFailure>(caller.session, SessionCommand::ChooseTeam { team, now })
        .await?;
    Ok(())
}

/// Lets the caller act nowhere, if it was there.
pub(super) async fn leave(
    unit: &mut Unit<'_>,
    caller: OrganizationCaller,
    organization: OrganizationId,
) -> Result<(), OrganizationFailure> {
    let live = unit.session(caller.session).await?.live();
    if live.is_some_and(|session| session.organization == Some(organization)) {
        enter(unit, caller, None, None).await?;
    }
    Ok(())
}

/// Whether the caller acts in a team.
pub(super) async fn is_in(
    unit: &mut Unit<'_>,
    caller: OrganizationCaller,
    team: TeamId,
) -> Result<bool, OrganizationFailure> {
    let live = unit.session(caller.session).await?.live();
    Ok(live.is_some_and(|session| session.team == Some(team)))
}

/// What the caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActiveOrganization {
    /// An organization that the caller belongs to.
    In(OrganizationName),
    /// None.
    Nowhere,
}

impl Commands {
    /// Lets the caller act in an organization, or in none.
    ///
    /// # Errors
    /// When the caller does not belong there; they act nowhere then.
    pub async fn set_active_organization(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        wanted: ActiveOrganization,
    ) -> Result<Option<OrganizationRow>, OrganizationFailure> {
        let (found, is_slug) = match wanted {
            ActiveOrganization::Nowhere => (Ok(None), false),
            ActiveOrganization::In(name) => {
                let found = self.own_organization(caller.user, &name).await.map(Some);
                (found, matches!(name, OrganizationName::Slug(_)))
            }
        };
        let to = match &found {
            Ok(row) => row.as_ref().map(|row| row.id),
            Err(OrganizationFailure::Organization(OrganizationError::NotAMember)) => None,
            // A slug that leads nowhere is a slip of the pen.
            Err(OrganizationFailure::Organization(OrganizationError::NotFound)) if !is_slug => None,
            Err(_) => return found,
        };
        self.execute(context, &SetActiveOrganization { caller, organization: to }).await?;
        found
    }

    /// Lets the caller act in a team of the organization in which they act, or in none.
    ///
    /// # Errors
    /// When there is no such team, or the caller is not in it.
    pub async fn set_active_team(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        organization: OrganizationId,
        team: Option<TeamId>,
    ) -> Result<Option<TeamRow>, OrganizationFailure> {
        let row = match team {
            None => None,
            Some(team) => Some(self.own_team(caller.user, organization, team).await?),
        };
        self.execute(context, &SetActiveTeam { caller, team }).await?;
        Ok(row)
    }
}

/// Lets the caller act in an organization.
#[derive(Debug)]
pub struct SetActiveOrganization {
    caller: OrganizationCaller,
    organization: Option<OrganizationId>,
}

impl UseCase for SetActiveOrganization {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        enter(unit, self.caller, self.organization, None).await
    }
}

/// Lets the caller act in a team.
#[derive(Debug)]
pub struct SetActiveTeam {
    caller: OrganizationCaller,
    team: Option<TeamId>,
}

impl UseCase for SetActiveTeam {
    type Output = ();
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OrganizationFailure> {
        enter_team(unit, self.caller, self.team).await
    }
}
