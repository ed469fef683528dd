//! Making an organization.

use evident_domain::organization::{Action, By, Create, FirstTeam, Organization};
use evident_domain::{Claim, ClaimKind, MemberId, Metadata, OrganizationId, TeamId};
use evident_eventstore::EventStore;

use super::{MemberRow, OrganizationCaller, OrganizationFailure, OrganizationRow, active, name};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// An organization that is to be.
#[derive(Debug, Clone)]
pub struct CreateOrganization {
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Its picture.
    pub logo: Option<String>,
    /// What the application keeps about it.
    pub metadata: Option<Metadata>,
    /// The caller goes on acting where they did.
    pub keep_active: bool,
}

/// An organization that came to be.
#[derive(Debug, Clone)]
pub struct CreatedOrganization {
    /// The organization.
    pub organization: OrganizationRow,
    /// The membership of who made it.
    pub member: MemberRow,
}

impl Commands {
    /// Makes an organization, which belongs to the caller.
    ///
    /// # Errors
    /// When the caller may not make one, or not another one, or the slug is taken.
    pub async fn create_organization(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        request: CreateOrganization,
    ) -> Result<CreatedOrganization, OrganizationFailure> {
        if !self.settings().organizations.creation {
            return Err(OrganizationFailure::CreationForbidden);
        }
        let wanted = &self.settings().organizations.creation_roles;
        if !wanted.is_empty() {
            let view = self.user_view(caller.user).await?.ok_or(OrganizationFailure::NoAccount)?;
            if !self.admin_roles_of(&view.user).iter().any(|role| wanted.iter().any(|known| known == role)) {
                return Err(OrganizationFailure::CreationForbidden);
            }
        }
        let case = CreateCase { commands: self, caller, request: &request };
        let id = self.execute(context, &case).await?;
        let (organization, member) = self.organization_of(caller.user, id).await?;
        Ok(CreatedOrganization { organization, member: member.member })
    }

    /// Whether nobody has a slug.
    ///
    /// # Errors
    /// When it is taken, or is none.
    pub async fn check_slug(&self, slug: &str) -> Result<(), OrganizationFailure> {
        require_free(self.store(), &name(slug, "slug")?, None).await
    }
}

/// # Errors
/// When another organization has the slug.
pub(super) async fn require_free(
    store: &EventStore,
    slug: &str,
    own: Option<OrganizationId>,
) -> Result<(), OrganizationFailure> {
    let claim = Claim { kind: ClaimKind::OrganizationSlug, value: slug.to_owned() };
    let holder = store.holder(&claim).await.map_err(Failure::from)?.map(OrganizationId);
    match holder {
        Some(holder) if Some(holder) != own => Err(OrganizationFailure::SlugTaken),
        Some(_) | None => Ok(()),
    }
}

struct CreateCase<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    request: &'a CreateOrganization,
}

impl UseCase for CreateCase<'_> {
    type Output = OrganizationId;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<OrganizationId, OrganizationFailure> {
        let (settings, user) = (&self.commands.settings().organizations, self.caller.user);
        // Whoever is forgotten in the same moment makes nothing any more.
        unit.user(user).await?.account().ok_or(OrganizationFailure::NoAccount)?;
        if let Some(limit) = settings.per_user
            && unit.memberships(user).await?.len() >= limit
        {
            return Err(OrganizationFailure::OrganizationLimit);
        }
        let slug = name(&self.request.slug, "slug")?;
        require_free(unit.store(), &slug, None).await?;
        let uuid = || unit.store().entropy().uuid();
        let (id, member) = (OrganizationId(uuid()), MemberId(uuid()));
        let has_team = settings.teams.enabled && settings.teams.first;
        let team = has_team.then(|| TeamId(uuid()));
        let create = Action::Create(Create {
            name: self.request.name.clone(),
            slug,
            logo: self.request.logo.clone(),
            metadata: self.request.metadata.clone(),
            user,
            member,
            team: team.map(|team| FirstTeam { team, name: self.request.name.clone() }),
        });
        unit.expect_new::<Organization>(id.0);
        self.commands.tell_organization::<OrganizationFailure>(unit, By::User(user), id, create).await?;
        if !self.request.keep_active {
            active::enter(unit, self.caller, Some(id), team).await?;
        }
        Ok(id)
    }
}
