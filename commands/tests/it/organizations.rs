//! Organizations: what needs more than one node, or time.

use evident_commands::organizations::{
    CreateOrganization, InvitationStatus, InviteMember, OrganizationCaller, OrganizationError,
    OrganizationFailure,
};
use evident_commands::settings::Settings;
use evident_commands::{Commands, DeleteUserError, Deletion, SignedUp};
use evident_domain::OrganizationId;
use evident_projections::views;
use futures::future::join_all;

use crate::support::{Node, context};

async fn somebody(node: &Node, email: &str) -> OrganizationCaller {
    let SignedUp::In(grant) = node.sign_up(email).await.unwrap() else { panic!("not signed in") };
    OrganizationCaller { user: grant.user.view.user.id, session: grant.session }
}

async fn create(
    commands: &Commands,
    caller: OrganizationCaller,
    slug: &str,
) -> Result<OrganizationId, OrganizationFailure> {
    let request = CreateOrganization {
        name: "Acme".to_owned(),
        slug: slug.to_owned(),
        logo: None,
        metadata: None,
        keep_active: true,
    };
    Ok(commands.create_organization(&context(), caller, request).await?.organization.id)
}

fn invitation(organization: OrganizationId, email: &str) -> InviteMember {
    InviteMember {
        organization,
        email: email.to_owned(),
        roles: vec!["member".to_owned()],
        teams: Vec::new(),
        resend: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_organizations_holds_on_two_nodes_at_once() {
    let mut settings = Settings::default();
    settings.sign_up.mail_autoconfirm = true;
    settings.organizations.per_user = Some(3);
    let node = Node::with(settings).await;
    let other = node.another().await;
    let ann = somebody(&node, "ann@example.com").await;
    let tries = (0..8).map(|n| {
        let commands = if n % 2 == 0 { &node.commands } else { &other };
        async move { create(commands, ann, &format!("acme-{n}")).await }
    });
    let outcomes = join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(_) | Err(OrganizationFailure::OrganizationLimit)), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_ends_with_its_time_and_a_second_one_is_good_for_longer() {
    let node = Node::autoconfirming().await;
    let (ann, bea) = (somebody(&node, "ann@example.com").await, somebody(&node, "bea@example.com").await);
    let (commands, context) = (&node.commands, context());
    let acme = create(commands, ann, "acme").await.unwrap();
    let first = commands.invite_member(&context, ann, invitation(acme, "bea@example.com")).await.unwrap();
    node.pass(47 * 3600);
    let again = InviteMember { resend: true, ..invitation(acme, "bea@example.com") };
    let again = commands.invite_member(&context, ann, again).await.unwrap();
    assert_eq!(again.id, first.id);
    node.pass(47 * 3600);
    assert!(commands.accept_invitation(&context, bea, first.id).await.is_ok());
    assert_eq!(node.mails().await.len(), 2);

    let cay = somebody(&node, "cay@example.com").await;
    let late = commands.invite_member(&context, ann, invitation(acme, "cay@example.com")).await.unwrap();
    node.pass(48 * 3600);
    let refused = commands.accept_invitation(&context, cay, late.id).await;
    let not_found = OrganizationError::InvitationNotFound;
    assert!(matches!(refused, Err(OrganizationFailure::Organization(error)) if error == not_found));
}

#[tokio::test]
async fn a_closed_account_belongs_nowhere_and_an_owner_is_not_closed_away() {
    let node = Node::autoconfirming().await;
    let (ann, bea) = (somebody(&node, "ann@example.com").await, somebody(&node, "bea@example.com").await);
    let (commands, context) = (&node.commands, context());
    let acme = create(commands, ann, "acme").await.unwrap();
    let invited = commands.invite_member(&context, ann, invitation(acme, "bea@example.com")).await.unwrap();
    commands.accept_invitation(&context, bea, invited.id).await.unwrap();
    for deletion in [Deletion::Soft, Deletion::Erase] {
        let refused = commands.delete_user(&context, ann.user, deletion).await;
        assert!(matches!(refused, Err(DeleteUserError::Organization(OrganizationError::LastOwner))));
    }
    commands.delete_user(&context, bea.user, Deletion::Soft).await.unwrap();
    let database = commands.store().database();
    assert_eq!(views::members(database, acme, 9).await.unwrap().len(), 1);
    assert_eq!(views::invitations(database, acme).await.unwrap(), []);
    // Alone now, Ann takes the organization along.
    commands.delete_user(&context, ann.user, Deletion::Erase).await.unwrap();
    assert!(create(commands, somebody(&node, "cay@example.com").await, "acme").await.is_ok());
}

/// An address that somebody signed up with but never confirmed may be another's.
#[tokio::test]
async fn who_only_took_an_address_does_not_take_its_invitations_along() {
    let mut settings = Settings::default();
    settings.sign_up.mail_autoconfirm = true;
    let node = Node::with(settings).await;
    let ann = somebody(&node, "ann@example.com").await;
    let (commands, context) = (&node.commands, context());
    let acme = create(commands, ann, "acme").await.unwrap();
    let made = commands
        .create_user(
            &context,
            evident_commands::CreateUser {
                email: Some("bea@example.com".to_owned()),
                ..evident_commands::CreateUser::default()
            },
        )
        .await
        .unwrap();
    commands.invite_member(&context, ann, invitation(acme, "bea@example.com")).await.unwrap();
    commands.delete_user(&context, made.user.id, Deletion::Erase).await.unwrap();
    let rows = views::invitations(commands.store().database(), acme).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.status).collect::<Vec<_>>(), [InvitationStatus::Pending]);
    assert_eq!(rows[0].email, "bea@example.com");
}
