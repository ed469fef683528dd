//! Who may do what, teams, roles of an organization's own, and that there is always an owner.

use super::support::*;

#[test]
fn whoever_makes_an_organization_owns_it() {
    let create = Action::Create(Create {
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        logo: None,
        metadata: None,
        user: ANN,
        member: membership(ANN),
        team: None,
    });
    given(vec![]).when(asked(ANN, create.clone())).then_expect_events(vec![created()]);
    given(vec![created()]).when(asked(ANN, create)).then_expect_error(OrganizationError::AlreadyExists);
}

#[test]
fn an_organization_may_come_with_a_team_that_its_maker_is_in() {
    let create = Action::Create(Create {
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        logo: None,
        metadata: None,
        user: ANN,
        member: membership(ANN),
        team: Some(FirstTeam { team: TEAM, name: "First".to_owned() }),
    });
    given(vec![]).when(asked(ANN, create)).then_expect_events(vec![
        created(),
        OrganizationEvent::TeamCreated { team: TEAM, name: "First".to_owned() },
        OrganizationEvent::TeamMemberAdded { team: TEAM, user: ANN },
    ]);
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
