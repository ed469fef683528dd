//! Many at once: one outcome, nothing lost.

use std::collections::BTreeSet;

use evident_commands::{AdministerUser, BanChange, SignUpError, SignedUp, UpdateUser, UpdateUserError};
use evident_domain::session::SessionError;
use futures::future::join_all;

use crate::accounts::{password, update};
use crate::support::{Node, PASSWORD, context};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_sign_ups_for_one_address_one_wins() {
    let node = Node::autoconfirming().await;
    let outcomes = join_all((0..12).map(|_| node.sign_up("ada@example.com"))).await;
    let won = outcomes.iter().filter(|outcome| matches!(outcome, Ok(SignedUp::In(_)))).count();
    let refused =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(SignUpError::AlreadyRegistered))).count();
    assert_eq!((won, refused), (1, 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_refreshes_with_one_token_all_get_the_same_next_one() {
    let node = Node::autoconfirming().await;
    let SignedUp::In(grant) = node.sign_up("ada@example.com").await.unwrap() else { panic!() };
    let context = context();
    let refreshes = (0..8).map(|_| node.commands.refresh(&context, grant.refresh_token.expose()));
    let tokens: BTreeSet<String> = join_all(refreshes)
        .await
        .into_iter()
        .map(|refreshed| refreshed.unwrap().grant.refresh_token.expose().to_owned())
        .collect();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_slips_past_a_ban() {
    let node = Node::autoconfirming().await;
    let SignedUp::In(grant) = node.sign_up("ada@example.com").await.unwrap() else { panic!() };
    let user = grant.user.view.user.id;
    let ban = AdministerUser {
        ban: Some(BanChange::Ban { until: None, reason: None }),
        ..AdministerUser::default()
    };
    let context = context();
    let sign_ins = join_all((0..6).map(|_| node.sign_in("ada@example.com", PASSWORD)));
    let (_, banned) = tokio::join!(sign_ins, node.commands.administer_user(&context, user, ban));
    banned.unwrap();
    let alive =
        evident_projections::views::live_sessions(node.commands.store().database(), user).await.unwrap();
    assert_eq!(alive, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_the_old_password_slips_past_a_new_one() {
    let node = Node::autoconfirming().await;
    let SignedUp::In(grant) = node.sign_up("ada@example.com").await.unwrap() else { panic!() };
    let user = grant.user.view.user.id;
    let change =
        UpdateUser { password: Some(password("a better horse battery")), ..update(user, grant.session) };
    let context = context();
    let sign_ins = join_all((0..6).map(|_| node.sign_in("ada@example.com", PASSWORD)));
    let (_, changed) = tokio::join!(sign_ins, node.commands.update_user(&context, change));
    changed.unwrap();
    let alive =
        evident_projections::views::live_sessions(node.commands.store().database(), user).await.unwrap();
    assert_eq!(alive, [grant.session]);
}

/// The one whose session the other ended comes too late, however far its comparison of passwords was.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_sessions_that_set_a_password_at_once_one_wins_and_ends_the_other() {
    let node = Node::autoconfirming().await;
    let SignedUp::In(grant) = node.sign_up("ada@example.com").await.unwrap() else { panic!() };
    let user = grant.user.view.user.id;
    let other = node.sign_in("ada@example.com", PASSWORD).await.unwrap().grant;
    let context = context();
    let set = |session, text| {
        let change = UpdateUser { password: Some(password(text)), ..update(user, session) };
        node.commands.update_user(&context, change)
    };
    let outcomes = tokio::join!(
        set(grant.session, "the owner's new password"),
        set(other.session, "the thief's password")
    );
    let (winner, loser) = match outcomes {
        (Ok(_), Err(error)) => ("the owner's new password", error),
        (Err(error), Ok(_)) => ("the thief's password", error),
        both => panic!("not exactly one: {both:?}"),
    };
    assert!(matches!(loser, UpdateUserError::Session(SessionError::NotFound)), "{loser:?}");
    assert!(node.sign_in("ada@example.com", winner).await.is_ok());
}
