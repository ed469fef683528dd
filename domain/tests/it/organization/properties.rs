//! Whatever is asked, and by whom.

use proptest::prelude::*;

use super::support::*;

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
        (user(), role()).prop_map(|(user, roles)| Action::ChangeRoles { member: membership(user), roles }),
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
