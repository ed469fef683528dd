//! Organizations: who may do what, and that there is always an owner.

use std::sync::Arc;

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::organization::{
    Action, By, Create, Departure, InvitationEnd, Invite, Organization, OrganizationCommand,
    OrganizationError, OrganizationEvent, Permissions, Policy, Recipient, Roles, Update,
};
use evident_domain::{InvitationId, MemberId, OrganizationRoleId, TeamId, UserId};
use uuid::Uuid;

use crate::support::{ANN, at, email};

const BEA: UserId = UserId(Uuid::from_u128(2));
const CAY: UserId = UserId(Uuid::from_u128(3));
const DAN: UserId = UserId(Uuid::from_u128(4));
const INVITATION: InvitationId = InvitationId(Uuid::from_u128(50));
const TEAM: TeamId = TeamId(Uuid::from_u128(60));
const ROLE: OrganizationRoleId = OrganizationRoleId(Uuid::from_u128(70));

/// The membership of a user.
fn membership(user: UserId) -> MemberId {
    MemberId(user.0)
}

fn created() -> OrganizationEvent {
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

fn added(user: UserId, role: &str) -> OrganizationEvent {
    let roles = Roles::parse([role]).unwrap();
    OrganizationEvent::MemberAdded { member: membership(user), user, roles, invitation: None }
}

fn removed(user: UserId, departure: Departure) -> OrganizationEvent {
    OrganizationEvent::MemberRemoved { member: membership(user), user, departure }
}

fn invited(role: &str, inviter: UserId) -> OrganizationEvent {
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

fn canceled(end: InvitationEnd) -> OrganizationEvent {
    OrganizationEvent::InvitationCanceled { invitation: INVITATION, end }
}

/// Ann is the owner, Bea an administrator, Cay a member.
fn three() -> Vec<OrganizationEvent> {
    vec![created(), added(BEA, "admin"), added(CAY, "member")]
}

fn and(mut events: Vec<OrganizationEvent>, more: OrganizationEvent) -> Vec<OrganizationEvent> {
    events.push(more);
    events
}

fn given(events: Vec<OrganizationEvent>) -> AggregateTestExecutor<Organization> {
    TestFramework::with(()).given(events)
}

fn command(by: By, action: Action) -> OrganizationCommand {
    OrganizationCommand { by, policy: Arc::new(Policy::default()), action }
}

fn asked(user: UserId, action: Action) -> OrganizationCommand {
    command(By::User(user), action)
}

fn invite(role: &str, resend: bool) -> Action {
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

fn dan(verified: bool) -> Recipient {
    Recipient { user: DAN, email: Some(email("dan@example.com")), verified }
}

fn accept(recipient: Recipient, now: i64) -> Action {
    Action::Accept { invitation: INVITATION, recipient, member: membership(DAN), now: at(now) }
}

fn roles(user: UserId, role: &str) -> Action {
    Action::ChangeRoles { member: membership(user), roles: Roles::parse([role]).unwrap() }
}

#[test]
fn whoever_makes_an_organization_owns_it() {
    let create = Action::Create(Create {
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        logo: None,
        metadata: None,
        user: ANN,
        member: membership(ANN),
    });
    given(vec![]).when(asked(ANN, create.clone())).then_expect_events(vec![created()]);
    given(vec![created()]).when(asked(ANN, create)).then_expect_error(OrganizationError::AlreadyExists);
}

#[test]
fn nobody_does_anything_in_an_organization_that_is_not_there() {
    given(vec![]).when(asked(ANN, Action::Delete)).then_expect_error(OrganizationError::NotFound);
    let gone = vec![created(), OrganizationEvent::Deleted {}];
    given(gone).when(asked(ANN, Action::Leave)).then_expect_error(OrganizationError::NotFound);
}

#[test]
fn admins_change_it_members_and_strangers_do_not() {
    let update = || Action::Update(Update { name: Some("Acme Ltd".to_owned()), ..Update::default() });
    let updated = OrganizationEvent::Updated {
        name: Some("Acme Ltd".to_owned()),
        slug: None,
        logo: None,
        metadata: None,
    };
    given(three()).when(asked(BEA, update())).then_expect_events(vec![updated]);
    given(three()).when(asked(CAY, update())).then_expect_error(OrganizationError::Forbidden);
    given(three()).when(asked(DAN, update())).then_expect_error(OrganizationError::NotAMember);
}

#[test]
fn a_change_to_what_is_there_already_is_none() {
    let same = Update { name: Some("Acme".to_owned()), slug: Some("acme".to_owned()), ..Update::default() };
    given(three()).when(asked(ANN, Action::Update(same))).then_expect_events(vec![]);
}

#[test]
fn only_owners_end_it() {
    given(three()).when(asked(BEA, Action::Delete)).then_expect_error(OrganizationError::Forbidden);
    given(three()).when(asked(ANN, Action::Delete)).then_expect_events(vec![OrganizationEvent::Deleted {}]);
}

#[test]
fn the_last_owner_stays_one() {
    given(three()).when(asked(ANN, Action::Leave)).then_expect_error(OrganizationError::LastOwner);
    given(three()).when(asked(ANN, roles(ANN, "admin"))).then_expect_error(OrganizationError::LastOwner);
    let remove = Action::RemoveMember { member: membership(ANN) };
    given(three()).when(asked(ANN, remove)).then_expect_error(OrganizationError::LastOwner);
    let forget = Action::ForgetUser { user: ANN };
    given(three()).when(command(By::Server, forget)).then_expect_error(OrganizationError::LastOwner);
}

#[test]
fn one_of_two_owners_may_go() {
    let two = || and(three(), added(DAN, "owner"));
    given(two()).when(asked(ANN, Action::Leave)).then_expect_events(vec![removed(ANN, Departure::Left)]);
    let one_left = and(two(), removed(DAN, Departure::Left));
    given(one_left).when(asked(ANN, Action::Leave)).then_expect_error(OrganizationError::LastOwner);
}

#[test]
fn several_roles_with_owner_among_them_are_an_owners() {
    let two = and(three(), added(DAN, "member,owner"));
    given(two).when(asked(ANN, Action::Leave)).then_expect_events(vec![removed(ANN, Departure::Left)]);
}

#[test]
fn whoever_is_alone_takes_the_organization_along_when_the_account_is_closed() {
    given(vec![created()])
        .when(command(By::Server, Action::ForgetUser { user: ANN }))
        .then_expect_events(vec![OrganizationEvent::Deleted {}]);
    given(three())
        .when(command(By::Server, Action::ForgetUser { user: CAY }))
        .then_expect_events(vec![removed(CAY, Departure::AccountClosed)]);
    given(three()).when(command(By::Server, Action::ForgetUser { user: DAN })).then_expect_events(vec![]);
}

#[test]
fn only_owners_touch_owners_and_make_them() {
    let two = || and(three(), added(DAN, "owner"));
    given(two()).when(asked(BEA, roles(DAN, "member"))).then_expect_error(OrganizationError::Forbidden);
    given(three()).when(asked(BEA, roles(CAY, "owner"))).then_expect_error(OrganizationError::Forbidden);
    let remove = Action::RemoveMember { member: membership(DAN) };
    given(two()).when(asked(BEA, remove)).then_expect_error(OrganizationError::LastOwner);
    let changed = OrganizationEvent::MemberRoleChanged {
        member: membership(CAY),
        user: CAY,
        roles: Roles::one("owner"),
    };
    given(three()).when(asked(ANN, roles(CAY, "owner"))).then_expect_events(vec![changed]);
}

#[test]
fn a_role_has_to_be_there() {
    given(three()).when(asked(ANN, roles(CAY, "emperor"))).then_expect_error(OrganizationError::RoleNotFound);
    given(three())
        .when(asked(ANN, invite("emperor", false)))
        .then_expect_error(OrganizationError::RoleNotFound);
}

#[test]
fn members_remove_nobody() {
    let remove = Action::RemoveMember { member: membership(BEA) };
    given(three()).when(asked(CAY, remove)).then_expect_error(OrganizationError::Forbidden);
    let nobody = Action::RemoveMember { member: membership(DAN) };
    given(three()).when(asked(ANN, nobody)).then_expect_error(OrganizationError::MemberNotFound);
}

#[test]
fn admins_invite_but_not_owners() {
    given(three()).when(asked(BEA, invite("member", false))).then_expect_events(vec![invited("member", BEA)]);
    given(three())
        .when(asked(BEA, invite("owner", false)))
        .then_expect_error(OrganizationError::RoleForbidden);
    given(three()).when(asked(ANN, invite("owner", false))).then_expect_events(vec![invited("owner", ANN)]);
    given(three()).when(asked(CAY, invite("member", false))).then_expect_error(OrganizationError::Forbidden);
}

#[test]
fn an_address_is_invited_once_or_once_more() {
    let open = || and(three(), invited("member", BEA));
    given(open())
        .when(asked(ANN, invite("member", false)))
        .then_expect_error(OrganizationError::AlreadyInvited);
    let extended = OrganizationEvent::InvitationExtended { invitation: INVITATION, expires_at: at(1000) };
    given(open()).when(asked(ANN, invite("member", true))).then_expect_events(vec![extended]);
    let supersede = Policy { supersede_invitations: true, ..Policy::default() };
    given(open())
        .when(OrganizationCommand { policy: Arc::new(supersede), ..asked(ANN, invite("member", false)) })
        .then_expect_events(vec![canceled(InvitationEnd::Superseded), invited("member", ANN)]);
}

#[test]
fn members_are_not_invited_and_there_is_an_end_to_invitations() {
    let Action::Invite(mut to_bea) = invite("member", false) else { unreachable!() };
    to_bea.owner = Some(BEA);
    given(three())
        .when(asked(ANN, Action::Invite(to_bea)))
        .then_expect_error(OrganizationError::AlreadyAMember);
    let policy = Arc::new(Policy { invitations: 0, ..Policy::default() });
    given(three())
        .when(OrganizationCommand { policy, ..asked(ANN, invite("member", false)) })
        .then_expect_error(OrganizationError::InvitationLimit);
}

#[test]
fn the_invited_person_joins_once() {
    let open = || and(three(), invited("admin", ANN));
    let joined = || {
        vec![
            OrganizationEvent::InvitationAccepted { invitation: INVITATION, user: DAN },
            OrganizationEvent::MemberAdded {
                member: membership(DAN),
                user: DAN,
                roles: Roles::one("admin"),
                invitation: Some(INVITATION),
            },
        ]
    };
    given(open()).when(asked(DAN, accept(dan(true), 10))).then_expect_events(joined());
    let mut done = open();
    done.extend(joined());
    given(done)
        .when(asked(DAN, accept(dan(true), 11)))
        .then_expect_error(OrganizationError::InvitationNotFound);
}

#[test]
fn an_invitation_is_for_one_address_that_was_verified_and_for_a_time() {
    let open = || and(three(), invited("admin", ANN));
    let refused = |recipient, now, error| {
        given(open()).when(asked(DAN, accept(recipient, now))).then_expect_error(error);
    };
    let other = Recipient { email: Some(email("eve@example.com")), ..dan(true) };
    refused(other, 10, OrganizationError::NotTheRecipient);
    refused(Recipient { email: None, ..dan(true) }, 10, OrganizationError::NotTheRecipient);
    refused(dan(false), 10, OrganizationError::AddressNotVerified);
    refused(dan(true), 1000, OrganizationError::InvitationNotFound);
}

#[test]
fn an_invitation_that_was_taken_back_is_not_accepted() {
    let taken_back = and(and(three(), invited("admin", ANN)), canceled(InvitationEnd::Canceled));
    given(taken_back)
        .when(asked(DAN, accept(dan(true), 10)))
        .then_expect_error(OrganizationError::InvitationNotFound);
}

#[test]
fn an_accepted_invitation_is_not_taken_back() {
    let accepted = and(
        and(three(), invited("admin", ANN)),
        OrganizationEvent::InvitationAccepted { invitation: INVITATION, user: DAN },
    );
    given(accepted)
        .when(asked(ANN, Action::CancelInvitation { invitation: INVITATION }))
        .then_expect_error(OrganizationError::InvitationNotFound);
}

#[test]
fn invitations_end_with_the_inviters_place() {
    let open = || and(three(), invited("member", BEA));
    let lost = || canceled(InvitationEnd::InviterLostAccess);
    given(open())
        .when(asked(ANN, Action::RemoveMember { member: membership(BEA) }))
        .then_expect_events(vec![removed(BEA, Departure::Removed), lost()]);
    let demoted = OrganizationEvent::MemberRoleChanged {
        member: membership(BEA),
        user: BEA,
        roles: Roles::one("member"),
    };
    given(open()).when(asked(ANN, roles(BEA, "member"))).then_expect_events(vec![demoted, lost()]);
}

#[test]
fn an_owner_who_becomes_an_admin_invites_no_owner_any_more() {
    let two = and(and(three(), added(DAN, "owner")), invited("owner", DAN));
    let demoted = OrganizationEvent::MemberRoleChanged {
        member: membership(DAN),
        user: DAN,
        roles: Roles::one("admin"),
    };
    given(two)
        .when(asked(ANN, roles(DAN, "admin")))
        .then_expect_events(vec![demoted, canceled(InvitationEnd::InviterLostAccess)]);
}

#[test]
fn the_recipient_may_say_no() {
    let open = and(three(), invited("admin", ANN));
    let reject = Action::Reject { invitation: INVITATION, recipient: dan(true), now: at(10) };
    given(open).when(asked(DAN, reject)).then_expect_events(vec![OrganizationEvent::InvitationRejected {
        invitation: INVITATION,
        user: DAN,
    }]);
}

#[test]
fn there_is_an_end_to_members() {
    let open = and(three(), invited("member", ANN));
    let policy = Arc::new(Policy { members: 3, ..Policy::default() });
    given(open)
        .when(OrganizationCommand { policy, ..asked(DAN, accept(dan(true), 10)) })
        .then_expect_error(OrganizationError::MemberLimit);
}

#[test]
fn teams_have_members_of_the_organization() {
    let team = || and(three(), OrganizationEvent::TeamCreated { team: TEAM, name: "Support".to_owned() });
    let add = |user| Action::AddTeamMember { team: TEAM, user };
    given(team())
        .when(asked(BEA, add(CAY)))
        .then_expect_events(vec![OrganizationEvent::TeamMemberAdded { team: TEAM, user: CAY }]);
    given(team()).when(asked(BEA, add(DAN))).then_expect_error(OrganizationError::MemberNotFound);
    given(team()).when(asked(CAY, add(CAY))).then_expect_error(OrganizationError::Forbidden);
    let create = Action::CreateTeam { team: TEAM, name: "Support".to_owned() };
    given(three()).when(asked(CAY, create)).then_expect_error(OrganizationError::Forbidden);
}

#[test]
fn whoever_leaves_the_organization_leaves_its_teams() {
    let events = and(
        and(three(), OrganizationEvent::TeamCreated { team: TEAM, name: "Support".to_owned() }),
        OrganizationEvent::TeamMemberAdded { team: TEAM, user: CAY },
    );
    let left = and(events, removed(CAY, Departure::Left));
    let take_out = Action::RemoveTeamMember { team: TEAM, user: CAY };
    given(left).when(asked(ANN, take_out)).then_expect_error(OrganizationError::NotInTeam);
}

#[test]
fn own_roles_grant_only_what_their_maker_may_do() {
    let create =
        |name: &str, permissions| Action::CreateRole { role: ROLE, name: name.to_owned(), permissions };
    let inviting = || Permissions::of(&[("invitation", &["create"])]);
    given(three()).when(asked(BEA, create("recruiter", inviting()))).then_expect_events(vec![
        OrganizationEvent::RoleDefined { role: ROLE, name: "recruiter".to_owned(), permissions: inviting() },
    ]);
    let ending = Permissions::of(&[("organization", &["delete"])]);
    given(three()).when(asked(BEA, create("ender", ending))).then_expect_error(OrganizationError::Forbidden);
    let unheard = Permissions::of(&[("spaceship", &["launch"])]);
    given(three())
        .when(asked(ANN, create("pilot", unheard)))
        .then_expect_error(OrganizationError::PermissionsInvalid);
    given(three())
        .when(asked(ANN, create("admin", inviting())))
        .then_expect_error(OrganizationError::RolePredefined);
}

#[test]
fn a_role_that_somebody_has_stays() {
    let defined = OrganizationEvent::RoleDefined {
        role: ROLE,
        name: "recruiter".to_owned(),
        permissions: Permissions::of(&[("invitation", &["create"])]),
    };
    let used = || and(and(three(), defined.clone()), added(DAN, "recruiter"));
    let delete = || Action::DeleteRole { role: ROLE };
    given(used()).when(asked(ANN, delete())).then_expect_error(OrganizationError::RoleInUse);
    given(used())
        .when(asked(DAN, {
            let Action::Invite(invite) = invite("member", false) else { unreachable!() };
            Action::Invite(invite)
        }))
        .then_expect_events(vec![invited("member", DAN)]);
    let unused = and(used(), removed(DAN, Departure::Left));
    given(unused).when(asked(ANN, delete())).then_expect_events(vec![OrganizationEvent::RoleDeleted {
        role: ROLE,
        name: "recruiter".to_owned(),
    }]);
}

#[test]
fn a_slug_is_claimed_and_given_back() {
    use evident_domain::{Claim, ClaimChange, ClaimKind};
    let take = |slug: &str| {
        vec![ClaimChange::Take(Claim { kind: ClaimKind::OrganizationSlug, value: slug.to_owned() })]
    };
    assert_eq!(created().claims(), take("acme"));
    let moved = OrganizationEvent::Updated {
        name: None,
        slug: Some("acme-ltd".to_owned()),
        logo: None,
        metadata: None,
    };
    assert_eq!(moved.claims(), take("acme-ltd"));
    assert_eq!(OrganizationEvent::Deleted {}.claims(), vec![ClaimChange::ReleaseAll]);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn user() -> impl Strategy<Value = UserId> {
        (1..=4_u128).prop_map(|n| UserId(Uuid::from_u128(n)))
    }

    fn role() -> impl Strategy<Value = Roles> {
        prop::sample::select(vec!["owner", "admin", "member", "member,owner"])
            .prop_map(|role| Roles::parse([role]).unwrap())
    }

    fn action() -> impl Strategy<Value = Action> {
        let invitation = || (0..3_u128).prop_map(|n| InvitationId(Uuid::from_u128(n)));
        prop_oneof![
            (user(), role()).prop_map(|(user, roles)| Action::AddMember {
                member: membership(user),
                user,
                roles
            }),
            (user(), role())
                .prop_map(|(user, roles)| Action::ChangeRoles { member: membership(user), roles }),
            user().prop_map(|user| Action::RemoveMember { member: membership(user) }),
            Just(Action::Leave),
            user().prop_map(|user| Action::ForgetUser { user }),
            (invitation(), role()).prop_map(|(invitation, roles)| Action::Invite(Invite {
                invitation,
                email: email("dan@example.com"),
                owner: None,
                roles,
                teams: vec![],
                resend: false,
                now: at(0),
                expires_at: at(1000),
            })),
            (invitation(), user()).prop_map(|(invitation, user)| Action::Accept {
                invitation,
                recipient: Recipient { user, email: Some(email("dan@example.com")), verified: true },
                member: membership(user),
                now: at(10),
            }),
            invitation().prop_map(|invitation| Action::CancelInvitation { invitation }),
        ]
    }

    proptest! {
        /// Whatever is asked, and by whom: somebody owns the organization, nobody belongs to it twice, and
        /// whoever has an invitation open may still invite.
        #[test]
        fn there_is_always_an_owner(
            commands in prop::collection::vec((user(), any::<bool>(), action()), 1..60),
        ) {
            let mut organization = Organization::default();
            organization.take(&created());
            for (user, by_server, action) in commands {
                let by = if by_server { By::Server } else { By::User(user) };
                let events = organization.decided(command(by, action)).unwrap_or_default();
                for event in &events {
                    organization.take(event);
                }
                let Some(active) = organization.active() else { return Ok(()) };
                let owners = active.members.values().filter(|member| member.roles.contains("owner"));
                prop_assert!(owners.count() > 0);
                let mut users: Vec<_> = active.members.values().map(|member| member.user).collect();
                users.sort();
                users.dedup();
                prop_assert_eq!(users.len(), active.members.len());
                for open in active.invitations.values() {
                    let server = open.inviter == UserId(Uuid::nil());
                    let inviter = active.member_of(open.inviter);
                    let may = inviter.is_some_and(|(_, inviter)| {
                        inviter.roles.contains("owner")
                            || (inviter.roles.contains("admin") && !open.roles.contains("owner"))
                    });
                    prop_assert!(server || may);
                }
            }
        }
    }

    trait Take {
        fn take(&mut self, event: &OrganizationEvent);
    }

    impl Take for Organization {
        fn take(&mut self, event: &OrganizationEvent) {
            evident_domain::Root::fold(self, event);
        }
    }
}
