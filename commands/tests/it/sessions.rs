//! Signing in, refreshing, signing out, slowing down.

use evident_commands::external::UnlinkError;
use evident_commands::oauth_server::{RevokeGrant, RevokeGrantError};
use evident_commands::settings::ParentReuse;
use evident_commands::{
    AccessError, Expiry, FactorsError, Grant, PasskeysError, ReauthenticateError, RefreshError, RequestError,
    SignInError, SignOut, SignOutScope, SignedUp, UpdateUser, UpdateUserError,
};
use evident_domain::session::SessionError;
use evident_domain::user::WaysInLeft;
use evident_domain::{ClientId, FactorId, IdentityId, Metadata, PasskeyId};

use crate::accounts::update;
use crate::support::{Node, PASSWORD, context, sign_in};

async fn signed_up(node: &Node) -> Grant {
    match node.sign_up("ada@example.com").await.unwrap() {
        SignedUp::In(grant) => *grant,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refresh_uses_the_token_up() {
    let node = Node::autoconfirming().await;
    let first = signed_up(&node).await;
    let second = node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap();
    assert!(second.rotated);
    assert_ne!(second.grant.refresh_token.expose(), first.refresh_token.expose());
    let third = node.commands.refresh(&context(), second.grant.refresh_token.expose()).await.unwrap();
    assert_eq!(third.grant.session, first.session);
}

#[tokio::test]
async fn a_client_that_missed_the_answer_gets_the_good_token_again() {
    let node = Node::autoconfirming().await;
    let first = signed_up(&node).await;
    let second = node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap();
    node.pass(3600);
    let again = node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap();
    assert!(!again.rotated);
    assert_eq!(again.grant.refresh_token.expose(), second.grant.refresh_token.expose());
}

#[tokio::test]
async fn where_the_parent_has_no_privilege_it_ends_the_session_too() {
    let mut settings = evident_commands::settings::Settings::default();
    settings.sign_up.mail_autoconfirm = true;
    settings.sessions.parent_reuse = ParentReuse::WithinInterval;
    let node = Node::with(settings).await;
    let first = signed_up(&node).await;
    node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap();
    node.pass(9);
    assert!(!node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap().rotated);
    node.pass(2);
    let reused = node.commands.refresh(&context(), first.refresh_token.expose()).await;
    assert!(matches!(reused, Err(RefreshError::AlreadyUsed { .. })));
}

#[tokio::test]
async fn a_used_token_that_comes_back_late_ends_the_session() {
    let node = Node::autoconfirming().await;
    let first = signed_up(&node).await;
    let second = node.commands.refresh(&context(), first.refresh_token.expose()).await.unwrap();
    let third = node.commands.refresh(&context(), second.grant.refresh_token.expose()).await.unwrap();
    node.pass(11);
    let reused = node.commands.refresh(&context(), first.refresh_token.expose()).await;
    assert!(matches!(reused, Err(RefreshError::AlreadyUsed { .. })));
    let log = node.log().await;
    assert!(log.contains(&"attempt.refresh_token_reused"), "{log:?}");
    assert!(log.contains(&"session.revoked"), "{log:?}");
    let newest = node.commands.refresh(&context(), third.grant.refresh_token.expose()).await;
    assert!(matches!(newest, Err(RefreshError::AlreadyUsed { .. })));
    let user = first.user.view.user.id;
    let caller = node.commands.caller(user, Some(first.session)).await;
    assert!(matches!(caller, Err(AccessError::SessionNotFound)));
}

#[tokio::test]
async fn refresh_tokens_of_ended_sessions_are_unknown_and_rubbish_is_malformed() {
    let node = Node::autoconfirming().await;
    let grant = signed_up(&node).await;
    let user = grant.user.view.user.id;
    let out = SignOut { user, session: Some(grant.session), scope: SignOutScope::Local };
    node.commands.execute(&context(), &out).await.unwrap();
    let ended = node.commands.refresh(&context(), grant.refresh_token.expose()).await;
    assert!(matches!(ended, Err(RefreshError::NotFound)));
    assert!(matches!(node.commands.refresh(&context(), "no").await, Err(RefreshError::Malformed)));
    assert!(matches!(node.commands.refresh(&context(), "aaaaaaaaaaaa").await, Err(RefreshError::NotFound)));
}

#[tokio::test]
async fn signing_out_ends_what_its_scope_says() {
    let node = Node::autoconfirming().await;
    let own = signed_up(&node).await;
    let other = node.sign_in("ada@example.com", PASSWORD).await.unwrap().grant;
    let user = own.user.view.user.id;
    let out = SignOut { user, session: Some(own.session), scope: SignOutScope::Others };
    node.commands.execute(&context(), &out).await.unwrap();
    assert!(node.commands.caller(user, Some(own.session)).await.is_ok());
    assert!(node.commands.caller(user, Some(other.session)).await.is_err());
    let out = SignOut { user, session: Some(own.session), scope: SignOutScope::Global };
    node.commands.execute(&context(), &out).await.unwrap();
    assert!(node.commands.caller(user, Some(own.session)).await.is_err());
}

#[tokio::test]
async fn failures_slow_known_and_unknown_addresses_alike() {
    let node = Node::autoconfirming().await;
    signed_up(&node).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..6 {
            let failed = node.sign_in(email, "wrong").await;
            assert!(matches!(failed, Err(SignInError::InvalidCredentials)), "{failed:?}");
        }
        let slowed = node.sign_in(email, PASSWORD).await;
        assert!(matches!(slowed, Err(SignInError::Throttled(_))), "{slowed:?}");
    }
    node.pass(120);
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn what_one_node_ends_is_ended_on_the_other_at_once() {
    let node = Node::autoconfirming().await;
    let other = node.another().await;
    let grant = signed_up(&node).await;
    let (user, session) = (grant.user.view.user.id, Some(grant.session));
    assert!(other.caller(user, session).await.is_ok());
    assert!(node.commands.caller(user, session).await.is_ok());
    let elsewhere = sign_in(&other, "ada@example.com", PASSWORD).await.unwrap().grant;
    let out = SignOut { user, session: Some(elsewhere.session), scope: SignOutScope::Others };
    other.execute(&context(), &out).await.unwrap();
    assert!(matches!(node.commands.caller(user, session).await, Err(AccessError::SessionNotFound)));
    let refused = node.commands.refresh(&context(), grant.refresh_token.expose()).await;
    assert!(matches!(refused, Err(RefreshError::NotFound)));
}

#[tokio::test]
async fn a_session_is_past_its_time_by_age_or_by_pause() {
    let hour = std::time::Duration::from_secs(3600);
    for (timebox, pause, rule) in
        [(Some(hour), None, Expiry::TimeBox), (None, Some(hour), Expiry::Inactivity)]
    {
        let mut settings = evident_commands::settings::Settings::default();
        settings.sign_up.mail_autoconfirm = true;
        settings.sessions.timebox = timebox;
        settings.sessions.inactivity_timeout = pause;
        let node = Node::with(settings).await;
        let grant = signed_up(&node).await;
        let caller = node.commands.caller(grant.user.view.user.id, Some(grant.session)).await.unwrap();
        node.pass(3599);
        assert!(!node.commands.is_expired(&caller));
        node.pass(1);
        assert!(node.commands.is_expired(&caller));
        let late = node.commands.refresh(&context(), grant.refresh_token.expose()).await;
        assert!(matches!(late, Err(RefreshError::Expired { rule: found, .. }) if found == rule), "{late:?}");
    }
}

/// It was alive when its token was looked at; a new password, say, ended it before the command was decided.
#[tokio::test]
async fn a_session_that_has_ended_changes_nothing() {
    let node = Node::autoconfirming().await;
    let own = signed_up(&node).await;
    let (user, session) = (own.user.view.user.id, own.session);
    let out = SignOut { user, session: Some(session), scope: SignOutScope::Global };
    node.commands.execute(&context(), &out).await.unwrap();
    let before = node.log().await;
    let (commands, context, nothing) = (&node.commands, context(), uuid::Uuid::nil());

    let change = UpdateUser { data: Some(Metadata::default().with("a", 1)), ..update(user, session) };
    let refused = commands.update_user(&context, change).await.unwrap_err();
    assert!(matches!(refused, UpdateUserError::Session(SessionError::NotFound)), "{refused:?}");
    let identity = IdentityId(nothing);
    let refused = commands
        .unlink_identity(&context, user, Some(session), identity, WaysInLeft::AnIdentity)
        .await
        .unwrap_err();
    assert!(matches!(refused, UnlinkError::Session(SessionError::NotFound)), "{refused:?}");
    let passkey = PasskeyId(nothing);
    let name = "laptop".to_owned();
    for refused in [
        commands.rename_passkey(&context, user, Some(session), passkey, name).await,
        commands.remove_own_passkey(&context, user, Some(session), passkey).await,
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, PasskeysError::Session(SessionError::NotFound)), "{refused:?}");
    }
    let refused = commands.remove_own_factor(&context, user, session, FactorId(nothing)).await.unwrap_err();
    assert!(matches!(refused, FactorsError::Session(SessionError::NotFound)), "{refused:?}");
    let revoke = RevokeGrant { user, session: Some(session), client: ClientId(nothing) };
    let refused = commands.execute(&context, &revoke).await.unwrap_err();
    assert!(matches!(refused, RevokeGrantError::Session(SessionError::NotFound)), "{refused:?}");
    let refused = commands.reauthenticate(&context, user, Some(session)).await.unwrap_err();
    let ReauthenticateError::Request { error, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(error, RequestError::Session(SessionError::NotFound)), "{error:?}");
    assert_eq!(node.log().await, before);
}
