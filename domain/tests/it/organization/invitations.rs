//! Invitations: for one address that was verified, once, and as long as the inviter may invite.

use super::support::*;

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
fn whoever_is_forgotten_takes_invitations_along_open_or_not() {
    let closed = InvitationId(Uuid::from_u128(51));
    let forget = Action::ForgetRecipient { invitations: vec![INVITATION, closed] };
    let forgotten = |invitation| OrganizationEvent::InvitationCanceled {
        invitation,
        end: InvitationEnd::RecipientErased,
    };
    given(and(three(), invited("member", ANN)))
        .when(command(By::Server, forget))
        .then_expect_events(vec![forgotten(INVITATION), forgotten(closed)]);
    given(and(and(three(), invited("member", ANN)), forgotten(INVITATION)))
        .when(asked(DAN, accept(dan(true), 10)))
        .then_expect_error(OrganizationError::InvitationNotFound);
}
