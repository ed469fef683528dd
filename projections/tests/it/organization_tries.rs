//! What is tried with organizations, among everything else.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use evident_domain::organization::{
    Action, By, Create, FirstTeam, Invite, Organization, OrganizationCommand, Permissions, Policy, Recipient,
    Roles, Update,
};
use evident_domain::ports::{Clock as _, Entropy as _};
use evident_domain::{
    Actor, Email, Event, InvitationId, MemberId, Metadata, OrganizationId, OrganizationRoleId, Root as _,
    StreamId, Subject, TeamId, UserId,
};
use evident_eventstore::AppendError;
use evident_projections::views;
use proptest::prelude::*;

use crate::same_rows::Cast;

/// Something that somebody tries; numbers choose among few, so that things meet.
#[derive(Debug, Clone)]
pub(crate) struct OrganizationTry {
    which: u8,
    by_server: bool,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Create { slug: u8, with_team: bool },
    Update { slug: Option<u8>, logo: Option<&'static str>, metadata: Option<Metadata> },
    Delete,
    Add { user: u8, roles: &'static str },
    ChangeRoles { member: u8, roles: &'static str },
    Remove { member: u8 },
    Leave,
    Invite { user: u8, known: bool, roles: &'static str, resend: bool },
    Accept { invitation: u8 },
    Reject { invitation: u8 },
    Cancel { invitation: u8 },
    CreateTeam,
    RenameTeam { team: u8 },
    RemoveTeam { team: u8 },
    AddToTeam { team: u8, member: u8 },
    RemoveFromTeam { team: u8, member: u8 },
    CreateRole { name: u8 },
    ChangeRole { role: u8, name: Option<u8> },
    DeleteRole { role: u8 },
}

pub(crate) fn organization_try() -> impl Strategy<Value = OrganizationTry> {
    let n = any::<u8>;
    let roles = || prop::sample::select(vec!["owner", "admin", "member", "member,admin", "role-0"]);
    let logo = prop::option::of(prop::sample::select(vec!["", "https://example.com/\0logo.png"]));
    let metadata = prop::option::of(any::<bool>().prop_map(|empty| {
        if empty { Metadata::default() } else { Metadata::default().with("plan", "pro\0") }
    }));
    let what = prop_oneof![
        6 => (0..3_u8, any::<bool>()).prop_map(|(slug, with_team)| What::Create { slug, with_team }),
        2 => (prop::option::of(0..3_u8), logo, metadata)
            .prop_map(|(slug, logo, metadata)| What::Update { slug, logo, metadata }),
        1 => Just(What::Delete),
        3 => (n(), roles()).prop_map(|(user, roles)| What::Add { user, roles }),
        2 => (n(), roles()).prop_map(|(member, roles)| What::ChangeRoles { member, roles }),
        1 => n().prop_map(|member| What::Remove { member }),
        1 => Just(What::Leave),
        4 => (n(), any::<bool>(), roles(), any::<bool>())
            .prop_map(|(user, known, roles, resend)| What::Invite { user, known, roles, resend }),
        3 => n().prop_map(|invitation| What::Accept { invitation }),
        1 => n().prop_map(|invitation| What::Reject { invitation }),
        1 => n().prop_map(|invitation| What::Cancel { invitation }),
        2 => Just(What::CreateTeam),
        1 => n().prop_map(|team| What::RenameTeam { team }),
        1 => n().prop_map(|team| What::RemoveTeam { team }),
        2 => (n(), n()).prop_map(|(team, member)| What::AddToTeam { team, member }),
        1 => (n(), n()).prop_map(|(team, member)| What::RemoveFromTeam { team, member }),
        2 => (0..2_u8).prop_map(|name| What::CreateRole { name }),
        1 => (n(), prop::option::of(0..2_u8)).prop_map(|(role, name)| What::ChangeRole { role, name }),
        1 => n().prop_map(|role| What::DeleteRole { role }),
    ];
    (n(), any::<bool>(), what).prop_map(|(which, by_server, what)| OrganizationTry { which, by_server, what })
}

/// One of several, if there are any.
fn pick<T: Copy>(all: &[T], n: u8) -> Option<T> {
    all.get(usize::from(n) % all.len().max(1)).copied()
}

fn keys<K: Copy, V>(map: &std::collections::BTreeMap<K, V>) -> Vec<K> {
    map.keys().copied().collect()
}

impl Cast<'_> {
    pub(crate) async fn try_organization(&mut self, user: UserId, what: OrganizationTry) {
        let world = self.world;
        let uuid = || world.entropy.uuid();
        let OrganizationTry { which, by_server, what } = what;
        let by = if by_server { By::Server } else { By::User(user) };
        if let What::Create { slug, with_team } = what {
            let team = with_team.then(|| FirstTeam { team: TeamId(uuid()), name: "First".to_owned() });
            let create = Action::Create(Create {
                name: "Acme\0".to_owned(),
                slug: format!("acme-{slug}"),
                logo: None,
                metadata: None,
                user,
                member: MemberId(uuid()),
                team,
            });
            let id = OrganizationId(uuid());
            if self.tell_organization(id, None, by, create).await {
                self.organizations.push(id);
            }
            return;
        }
        let Some(id) = pick(&self.organizations, which) else { return };
        let (state, _) = self.organization(id).await;
        let Some(state) = state.active() else { return };
        let members: Vec<UserId> = state.members.values().map(|member| member.user).collect();
        let membership =
            |n| pick(&keys(&state.members), n).unwrap_or(MemberId(uuid::Uuid::from_u128(u128::from(n))));
        let invitation = |n| pick(&keys(&state.invitations), n).unwrap_or(InvitationId(uuid::Uuid::nil()));
        let team = |n| pick(&keys(&state.teams), n).unwrap_or(TeamId(uuid::Uuid::nil()));
        let role = |n| pick(&keys(&state.roles), n).unwrap_or(OrganizationRoleId(uuid::Uuid::nil()));
        let somebody = |n| pick(&self.users, n).unwrap_or(user);
        let named = |roles| Roles::parse([roles]).unwrap();
        let permissions = Permissions::of(&[("ac", &["read"])]);
        let now = world.clock.now();
        let recipient = |id: InvitationId| {
            let email = state.invitations.get(&id).and_then(|open| open.email.clone());
            Recipient { user, email, verified: true }
        };
        let mut sealed_for = None;
        let action = match what {
            What::Create { .. } => return,
            What::Update { slug, logo, metadata } => Action::Update(Update {
                name: Some(format!("Acme {which}")),
                slug: slug.map(|slug| format!("acme-{slug}")),
                logo: logo.map(str::to_owned),
                metadata,
            }),
            What::Delete => Action::Delete,
            What::Add { user, roles } => {
                Action::AddMember { member: MemberId(uuid()), user: somebody(user), roles: named(roles) }
            }
            What::ChangeRoles { member, roles } => {
                Action::ChangeRoles { member: membership(member), roles: named(roles) }
            }
            What::Remove { member } => Action::RemoveMember { member: membership(member) },
            What::Leave => Action::Leave,
            What::Invite { user, known, roles, resend } => {
                let owner = known.then(|| somebody(user));
                sealed_for = owner;
                Action::Invite(Invite {
                    invitation: InvitationId(uuid()),
                    email: Email::parse(&format!("guest{}@example.com", user % 4)).unwrap(),
                    owner,
                    roles: named(roles),
                    teams: pick(&keys(&state.teams), user).into_iter().collect(),
                    resend,
                    now,
                    expires_at: now + TimeDelta::minutes(1),
                })
            }
            What::Accept { invitation: n } => {
                let invitation = invitation(n);
                let (recipient, member) = (recipient(invitation), MemberId(uuid()));
                Action::Accept { invitation, recipient, member, now }
            }
            What::Reject { invitation: n } => {
                let invitation = invitation(n);
                Action::Reject { invitation, recipient: recipient(invitation), now }
            }
            What::Cancel { invitation: n } => Action::CancelInvitation { invitation: invitation(n) },
            What::CreateTeam => Action::CreateTeam { team: TeamId(uuid()), name: "Crew\0".to_owned() },
            What::RenameTeam { team: n } => Action::RenameTeam { team: team(n), name: format!("Crew {n}") },
            What::RemoveTeam { team: n } => Action::RemoveTeam { team: team(n) },
            What::AddToTeam { team: n, member } => {
                Action::AddTeamMember { team: team(n), user: pick(&members, member).unwrap_or(user) }
            }
            What::RemoveFromTeam { team: n, member } => {
                Action::RemoveTeamMember { team: team(n), user: pick(&members, member).unwrap_or(user) }
            }
            What::CreateRole { name } => Action::CreateRole {
                role: OrganizationRoleId(uuid()),
                name: format!("role-{name}"),
                permissions,
            },
            What::ChangeRole { role: n, name } => Action::ChangeRole {
                role: role(n),
                name: name.map(|name| format!("role-{name}")),
                permissions: Some(permissions),
            },
            What::DeleteRole { role: n } => Action::DeleteRole { role: role(n) },
        };
        self.tell_organization(id, sealed_for, by, action).await;
    }

    /// What goes before the end of an account: no organization knows its person any more.
    pub(crate) async fn leave_organizations(&mut self, user: UserId) -> bool {
        let database = self.world.store.database();
        let invitations = views::invitations_of_person(database, user, None).await.unwrap();
        let organizations: BTreeSet<_> = invitations.iter().map(|(organization, _)| *organization).collect();
        for organization in organizations {
            let ids = invitations.iter().filter(|(of, _)| *of == organization).map(|(_, id)| *id).collect();
            let forget = Action::ForgetRecipient { invitations: ids };
            self.tell_organization(organization, None, By::Server, forget).await;
        }
        for organization in views::memberships(database, user).await.unwrap() {
            let forget = Action::ForgetUser { user };
            if !self.tell_organization(organization, None, By::Server, forget).await {
                return false;
            }
        }
        true
    }

    async fn organization(&self, id: OrganizationId) -> (Organization, u64) {
        let events = self.world.store.load(StreamId::organization(id)).await.unwrap();
        let mut organization = Organization::default();
        for recorded in &events {
            organization.fold(Organization::own(&recorded.event).unwrap());
        }
        (organization, events.len() as u64)
    }

    async fn tell_organization(
        &self,
        id: OrganizationId,
        sealed_for: Option<UserId>,
        by: By,
        action: Action,
    ) -> bool {
        let (state, version) = self.organization(id).await;
        let policy = Arc::new(Policy { supersede_invitations: version % 2 == 0, ..Policy::default() });
        let Ok(decided) = state.decide(OrganizationCommand { by, policy, action }) else { return false };
        if decided.is_empty() {
            return true;
        }
        let decided = decided.into_iter().map(Event::Organization).collect();
        let subject = sealed_for.map_or(Subject::Organization(id), Subject::User);
        let streams = vec![(StreamId::organization(id), version, decided)];
        match self.world.append(subject, Actor::Visitor, streams).await {
            Ok(_) => true,
            Err(AppendError::ClaimTaken(_)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}
