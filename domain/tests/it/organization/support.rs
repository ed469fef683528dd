//! Ann owns an organization, Bea administers it, Cay belongs to it, and Dan is outside.

pub(crate) use std::sync::Arc;

pub(crate) use cqrs_es::test::{AggregateTestExecutor, TestFramework};
pub(crate) use evident_domain::organization::{
    Action, By, Create, Departure, FirstTeam, InvitationEnd, Invite, Organization, OrganizationCommand,
    OrganizationError, OrganizationEvent, Permissions, Policy, Recipient, Roles, Update,
};
pub(crate) use evident_domain::{InvitationId, MemberId, OrganizationRoleId, TeamId, UserId};
pub(crate) use uuid::Uuid;

pub(crate) use crate::support::{ANN, at, email};

pub(crate) const BEA: UserId = UserId(Uuid::from_u128(2));
pub(crate) const CAY: UserId = UserId(Uuid::from_u128(3));
pub(crate) const DAN: UserId = UserId(Uuid::from_u128(4));
pub(crate) const INVITATION: InvitationId = InvitationId(Uuid::from_u128(50));
pub(crate) const TEAM: TeamId = TeamId(Uuid::from_u128(60));
pub(crate) const ROLE: OrganizationRoleId = OrganizationRoleId(Uuid::from_u128(70));

/// The membership of a user.
pub(crate) fn membership(user: UserId) -> MemberId {
    MemberId(user.0)
}

pub(crate) fn created() -> OrganizationEvent {
    OrganizationEvent::Created {
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        logo: None,
        metadata: None,
        user: ANN,
        member: membership(ANN),
        roles: Roles::one("owner"),
    }
}

pub(crate) fn added(user: UserId, role: &str) -> OrganizationEvent {
    let roles = Roles::parse([role]).unwrap();
    OrganizationEvent::MemberAdded { member: membership(user), user, roles, invitation: None }
}

pub(crate) fn removed(user: UserId, departure: Departure) -> OrganizationEvent {
    OrganizationEvent::MemberRemoved { member: membership(user), user, departure }
}

pub(crate) fn invited(role: &str, inviter: UserId) -> OrganizationEvent {
    OrganizationEvent::MemberInvited {
        invitation: INVITATION,
        email: email("dan@example.com").into(),
        roles: Roles::one(role),
        teams: vec![],
        inviter,
        at: at(0),
        expires_at: at(1000),
    }
}

pub(crate) fn canceled(end: InvitationEnd) -> OrganizationEvent {
    OrganizationEvent::InvitationCanceled { invitation: INVITATION, end }
}

/// Ann is the owner, Bea an administrator, Cay a member.
pub(crate) fn three() -> Vec<OrganizationEvent> {
    vec![created(), added(BEA, "admin"), added(CAY, "member")]
}

pub(crate) fn and(mut events: Vec<OrganizationEvent>, more: OrganizationEvent) -> Vec<OrganizationEvent> {
    events.push(more);
    events
}

pub(crate) fn given(events: Vec<OrganizationEvent>) -> AggregateTestExecutor<Organization> {
    TestFramework::with(()).given(events)
}

pub(crate) fn command(by: By, action: Action) -> OrganizationCommand {
    OrganizationCommand { by, policy: Arc::new(Policy::default()), action }
}

pub(crate) fn asked(user: UserId, action: Action) -> OrganizationCommand {
    command(By::User(user), action)
}

pub(crate) fn invite(role: &str, resend: bool) -> Action {
    Action::Invite(Invite {
        invitation: INVITATION,
        email: email("dan@example.com"),
        owner: None,
        roles: Roles::one(role),
        teams: vec![],
        resend,
        now: at(0),
        expires_at: at(1000),
    })
}

pub(crate) fn dan(verified: bool) -> Recipient {
    Recipient { user: DAN, email: Some(email("dan@example.com")), verified }
}

pub(crate) fn accept(recipient: Recipient, now: i64) -> Action {
    Action::Accept { invitation: INVITATION, recipient, member: membership(DAN), now: at(now) }
}

pub(crate) fn roles(user: UserId, role: &str) -> Action {
    Action::ChangeRoles { member: membership(user), roles: Roles::parse([role]).unwrap() }
}
