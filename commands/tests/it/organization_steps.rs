//! What people do with organizations, among everything else.

use evident_commands::Commands;
use evident_commands::organizations::{
    ActiveOrganization, CreateOrganization, InviteMember, MemberName, OrganizationCaller, OrganizationName,
    Permissions, Roles, UpdateOrganization,
};
use evident_domain::{InvitationId, Metadata, OrganizationId, TeamId};
use evident_projections::views;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any_order::{EMAILS, unless_faulty};
use crate::support::context;

/// What somebody does; an [`Index`] chooses among what there is by then.
#[derive(Debug, Clone)]
pub(crate) enum OrganizationStep {
    Create { slug: &'static str },
    Update { which: Index, slug: &'static str },
    Delete { which: Index },
    Enter { which: Index },
    Invite { which: Index, email: &'static str, role: &'static str, resend: bool, team: Option<Index> },
    Accept { invitation: Index },
    Reject { invitation: Index },
    Cancel { invitation: Index },
    Remove { which: Index, email: &'static str },
    ChangeRoles { which: Index, member: Index, role: &'static str },
    Leave { which: Index },
    CreateTeam { which: Index },
    AddToTeam { which: Index, team: Index, member: Index },
    RemoveTeam { which: Index, team: Index },
    CreateRole { which: Index },
}

pub(crate) fn organization_step() -> impl Strategy<Value = OrganizationStep> {
    let some = any::<Index>;
    let slug = || select(vec!["acme", "blue-boats"]);
    let role = || select(vec!["owner", "admin", "member", "member,admin", "scout"]);
    let email = || select(&EMAILS[..]);
    prop_oneof![
        4 => slug().prop_map(|slug| OrganizationStep::Create { slug }),
        1 => (some(), slug()).prop_map(|(which, slug)| OrganizationStep::Update { which, slug }),
        1 => some().prop_map(|which| OrganizationStep::Delete { which }),
        1 => some().prop_map(|which| OrganizationStep::Enter { which }),
        6 => (some(), email(), role(), any::<bool>(), proptest::option::of(some())).prop_map(
            |(which, email, role, resend, team)| OrganizationStep::Invite { which, email, role, resend, team }
        ),
        5 => some().prop_map(|invitation| OrganizationStep::Accept { invitation }),
        1 => some().prop_map(|invitation| OrganizationStep::Reject { invitation }),
        1 => some().prop_map(|invitation| OrganizationStep::Cancel { invitation }),
        1 => (some(), email()).prop_map(|(which, email)| OrganizationStep::Remove { which, email }),
        2 => (some(), some(), role())
            .prop_map(|(which, member, role)| OrganizationStep::ChangeRoles { which, member, role }),
        1 => some().prop_map(|which| OrganizationStep::Leave { which }),
        2 => some().prop_map(|which| OrganizationStep::CreateTeam { which }),
        2 => (some(), some(), some())
            .prop_map(|(which, team, member)| OrganizationStep::AddToTeam { which, team, member }),
        1 => (some(), some()).prop_map(|(which, team)| OrganizationStep::RemoveTeam { which, team }),
        1 => some().prop_map(|which| OrganizationStep::CreateRole { which }),
    ]
}

/// The organizations and invitations that there are, or were.
#[derive(Debug, Default)]
pub(crate) struct Known {
    organizations: Vec<OrganizationId>,
    invitations: Vec<InvitationId>,
}

fn one<T: Copy>(all: &[T], index: Index) -> Option<T> {
    (!all.is_empty()).then(|| *index.get(all))
}

impl Known {
    pub(crate) async fn perform(
        &mut self,
        commands: &Commands,
        caller: OrganizationCaller,
        step: &OrganizationStep,
    ) -> Option<()> {
        let (context, database) = (context(), commands.store().database());
        let which = |index| one(&self.organizations, index);
        let invitation = |index| one(&self.invitations, index);
        let teams = async |organization| -> Vec<TeamId> {
            let rows = views::teams(database, organization).await.unwrap();
            rows.into_iter().map(|row| row.id).collect()
        };
        match step {
            OrganizationStep::Create { slug } => {
                let request = CreateOrganization {
                    name: "Acme".to_owned(),
                    slug: (*slug).to_owned(),
                    logo: None,
                    metadata: Some(Metadata::default().with("plan", "pro")),
                    keep_active: false,
                };
                let made = commands.create_organization(&context, caller, request).await;
                self.organizations.push(unless_faulty(made)?.organization.id);
            }
            OrganizationStep::Update { which: index, slug } => {
                let change = UpdateOrganization {
                    slug: Some((*slug).to_owned()),
                    logo: Some(None),
                    ..UpdateOrganization::default()
                };
                unless_faulty(commands.update_organization(&context, caller, which(*index)?, change).await)?;
            }
            OrganizationStep::Delete { which: index } => {
                unless_faulty(commands.delete_organization(&context, caller, which(*index)?).await)?;
            }
            OrganizationStep::Enter { which: index } => {
                let wanted = ActiveOrganization::In(OrganizationName::Id(which(*index)?));
                unless_faulty(commands.set_active_organization(&context, caller, wanted).await)?;
            }
            OrganizationStep::Invite { which: index, email, role, resend, team } => {
                let organization = which(*index)?;
                let of_team = teams(organization).await;
                let request = InviteMember {
                    organization,
                    email: (*email).to_owned(),
                    roles: vec![(*role).to_owned()],
                    teams: team.and_then(|team| one(&of_team, team)).into_iter().collect(),
                    resend: *resend,
                };
                let made = commands.invite_member(&context, caller, request).await;
                self.invitations.push(unless_faulty(made)?.id);
            }
            OrganizationStep::Accept { invitation: index } => {
                unless_faulty(commands.accept_invitation(&context, caller, invitation(*index)?).await)?;
            }
            OrganizationStep::Reject { invitation: index } => {
                unless_faulty(commands.reject_invitation(&context, caller, invitation(*index)?).await)?;
            }
            OrganizationStep::Cancel { invitation: index } => {
                unless_faulty(commands.cancel_invitation(&context, caller, invitation(*index)?).await)?;
            }
            OrganizationStep::Remove { which: index, email } => {
                let name = MemberName::Email((*email).to_owned());
                unless_faulty(commands.remove_member(&context, caller, which(*index)?, name).await)?;
            }
            OrganizationStep::ChangeRoles { which: index, member, role } => {
                let organization = which(*index)?;
                let members = views::members(database, organization, 100).await.unwrap();
                let members: Vec<_> = members.iter().map(|view| view.member.id).collect();
                let (member, roles) = (one(&members, *member)?, Roles::parse([*role]).unwrap());
                let done = commands.change_member_roles(&context, caller, organization, member, roles).await;
                unless_faulty(done)?;
            }
            OrganizationStep::Leave { which: index } => {
                unless_faulty(commands.leave_organization(&context, caller, which(*index)?).await)?;
            }
            OrganizationStep::CreateTeam { which: index } => {
                let name = "Crew".to_owned();
                unless_faulty(commands.create_team(&context, caller, which(*index)?, name).await)?;
            }
            OrganizationStep::AddToTeam { which: index, team, member } => {
                let organization = which(*index)?;
                let team = one(&teams(organization).await, *team)?;
                let members = views::members(database, organization, 100).await.unwrap();
                let users: Vec<_> = members.iter().map(|view| view.member.user_id).collect();
                let user = one(&users, *member)?;
                let done = commands.add_team_member(&context, caller, organization, team, user).await;
                unless_faulty(done)?;
            }
            OrganizationStep::RemoveTeam { which: index, team } => {
                let organization = which(*index)?;
                let team = one(&teams(organization).await, *team)?;
                unless_faulty(commands.remove_team(&context, caller, organization, team).await)?;
            }
            OrganizationStep::CreateRole { which: index } => {
                let permissions = Permissions::of(&[("invitation", &["create"])]);
                let organization = which(*index)?;
                let made = commands.create_role(&context, caller, organization, "scout", permissions).await;
                unless_faulty(made)?;
            }
        }
        Some(())
    }
}
