//! Signing up, confirming, changing, leaving.

use evident_commands::messages::Message;
use evident_commands::password::Password;
use evident_commands::settings::Settings;
use evident_commands::{
    AccessError, AdministerUser, BanChange, CreateUser, CreateUserError, Deletion, GivenContact, SignInError,
    SignUpError, SignedUp, UpdateUser, UpdateUserError, Verified, Verify, VerifyEnd, VerifyError, VerifyKind,
    VerifyProof,
};
use evident_domain::{Metadata, UserId};

use crate::support::{Node, PASSWORD, context};

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

async fn signed_up(node: &Node, email: &str) -> (UserId, evident_domain::SessionId) {
    let SignedUp::In(grant) = node.sign_up(email).await.unwrap() else { panic!("not signed in") };
    (grant.user.view.user.id, grant.session)
}

pub(crate) fn update(user: UserId, session: evident_domain::SessionId) -> UpdateUser {
    UpdateUser {
        user,
        session: Some(session),
        email: None,
        phone: None,
        password: None,
        current_password: None,
        nonce: None,
        data: None,
        app_metadata: None,
        challenge: None,
        redirect_to: None,
        channel: evident_commands::messages::SmsChannel::default(),
    }
}

#[tokio::test]
async fn with_autoconfirm_a_sign_up_signs_in() {
    let node = Node::autoconfirming().await;
    let (user, session) = signed_up(&node, "Ada@example.com").await;
    let caller = node.commands.caller(user, Some(session)).await.unwrap();
    assert_eq!(caller.view.user.email.as_deref(), Some("ada@example.com"));
    assert!(caller.view.user.email_confirmed_at.is_some());
    assert_eq!(caller.view.user.user_metadata().text("full_name"), Some("Ada"));
    assert_eq!(node.log().await.last(), Some(&"session.started"));
}

#[tokio::test]
async fn a_known_address_is_refused_with_autoconfirm_and_never_signed_in() {
    let node = Node::autoconfirming().await;
    signed_up(&node, "ada@example.com").await;
    let mut log = node.log().await;
    assert!(matches!(node.sign_up("ADA@example.com").await, Err(SignUpError::AlreadyRegistered)));
    log.push("attempt.sign_up_repeated");
    assert_eq!(node.log().await, log, "it is written down, and nothing else happens");
}

#[tokio::test]
async fn a_mail_confirms_once_by_link() {
    let node = Node::with(Settings::default()).await;
    assert!(matches!(node.sign_up("ada@example.com").await.unwrap(), SignedUp::Pending(_)));
    assert!(matches!(node.sign_in("ada@example.com", PASSWORD).await, Err(SignInError::EmailNotConfirmed)));
    let mails = node.mails().await;
    let [Message::Mail(mail)] = mails.as_slice() else { panic!("one mail, not {mails:?}") };
    let link = || Verify {
        kind: VerifyKind::SignUp,
        proof: VerifyProof::LinkToken(mail.fields.token_hash.clone()),
        end: VerifyEnd::Client,
    };
    let Verified::In(grant) = node.commands.verify(&context(), link()).await.unwrap() else { panic!() };
    assert!(grant.user.view.user.email_confirmed_at.is_some());
    assert!(matches!(node.commands.verify(&context(), link()).await, Err(VerifyError::Invalid)));
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_ok());
    assert!(node.mails().await.is_empty());
}

#[tokio::test]
async fn five_wrong_codes_void_the_right_one() {
    let node = Node::with(Settings::default()).await;
    node.sign_up("ada@example.com").await.unwrap();
    let mails = node.mails().await;
    let [Message::Mail(mail)] = mails.as_slice() else { panic!("one mail") };
    let code = |code: &str| Verify {
        kind: VerifyKind::SignUp,
        end: VerifyEnd::Client,
        proof: VerifyProof::Code {
            contact: GivenContact { email: "ada@example.com".to_owned(), phone: String::new() },
            code: code.to_owned(),
        },
    };
    for _ in 0..5 {
        assert!(matches!(node.commands.verify(&context(), code("nope00")).await, Err(VerifyError::Invalid)));
    }
    let right = node.commands.verify(&context(), code(&mail.fields.token)).await;
    assert!(matches!(right, Err(VerifyError::Invalid)));
    assert_eq!(node.log().await.iter().filter(|kind| **kind == "user.one_time_token_missed").count(), 5);
}

#[tokio::test]
async fn a_second_sign_up_for_a_confirmed_address_is_pretended_and_sends_nothing() {
    let node = Node::with(Settings::default()).await;
    node.sign_up("ada@example.com").await.unwrap();
    let mails = node.mails().await;
    let [Message::Mail(mail)] = mails.as_slice() else { panic!("one mail") };
    let proof = VerifyProof::LinkToken(mail.fields.token_hash.clone());
    node.commands
        .verify(&context(), Verify { kind: VerifyKind::SignUp, proof, end: VerifyEnd::Client })
        .await
        .unwrap();
    assert!(matches!(node.sign_up("ada@example.com").await.unwrap(), SignedUp::Pretended(_)));
    assert!(node.mails().await.is_empty());
}

#[tokio::test]
async fn a_ban_and_the_end_of_the_sessions_are_one_change() {
    let node = Node::autoconfirming().await;
    let (user, session) = signed_up(&node, "ada@example.com").await;
    let ban = AdministerUser {
        ban: Some(BanChange::Ban { until: None, reason: Some("spam".to_owned()) }),
        ..AdministerUser::default()
    };
    node.commands.administer_user(&context(), user, ban).await.unwrap();
    assert_eq!(node.log().await[node.log().await.len() - 2..], ["user.banned", "session.revoked"]);
    assert!(matches!(node.commands.caller(user, Some(session)).await, Err(AccessError::Banned)));
    assert!(matches!(node.sign_in("ada@example.com", PASSWORD).await, Err(SignInError::Banned)));
    let wrong = node.sign_in("ada@example.com", "wrong").await;
    assert!(matches!(wrong, Err(SignInError::InvalidCredentials)), "the ban is told after the password only");
    let lift = AdministerUser { ban: Some(BanChange::Lift), ..AdministerUser::default() };
    node.commands.administer_user(&context(), user, lift).await.unwrap();
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_the_old_password() {
    let node = Node::autoconfirming().await;
    let (user, session) = signed_up(&node, "ada@example.com").await;
    let other = node.sign_in("ada@example.com", PASSWORD).await.unwrap().grant;
    let same = UpdateUser { password: Some(password(PASSWORD)), ..update(user, session) };
    let refused = node.commands.update_user(&context(), same).await;
    assert!(matches!(refused, Err(UpdateUserError::SamePassword)));
    let new = UpdateUser { password: Some(password("a better horse battery")), ..update(user, session) };
    node.commands.update_user(&context(), new).await.unwrap();
    assert!(node.commands.caller(user, Some(session)).await.is_ok());
    let ended = node.commands.caller(user, Some(other.session)).await;
    assert!(matches!(ended, Err(AccessError::SessionNotFound)));
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_err());
    assert!(node.sign_in("ada@example.com", "a better horse battery").await.is_ok());
}

#[tokio::test]
async fn metadata_are_merged_and_app_metadata_are_not_the_users() {
    let node = Node::autoconfirming().await;
    let (user, session) = signed_up(&node, "ada@example.com").await;
    let patch = Metadata::default().with("full_name", serde_json::Value::Null).with("nick", "A");
    let data = UpdateUser { data: Some(patch.clone()), ..update(user, session) };
    let view = node.commands.update_user(&context(), data).await.unwrap();
    assert_eq!(view.user.user_metadata().text("nick"), Some("A"));
    assert_eq!(view.user.user_metadata().0.get("full_name"), None);
    let app = UpdateUser { app_metadata: Some(patch), ..update(user, session) };
    let refused = node.commands.update_user(&context(), app).await;
    assert!(matches!(refused, Err(UpdateUserError::AppMetadataForbidden)));
}

#[tokio::test]
async fn an_administrator_makes_accounts_with_imported_hashes() {
    let node = Node::autoconfirming().await;
    let bcrypt = "$2a$04$QBqnWhJqtMmRcHWQsxmJxOpGt2OG3b0yWj6ZJ3hXWzDkMFF9SRfn6";
    let request = CreateUser {
        email: Some("bob@example.com".to_owned()),
        password_hash: Some(bcrypt.to_owned()),
        email_confirm: true,
        ..CreateUser::default()
    };
    let view = node.commands.create_user(&context(), request.clone()).await.unwrap();
    assert!(view.user.email_confirmed_at.is_some());
    let again = node.commands.create_user(&context(), request).await;
    assert!(matches!(again, Err(CreateUserError::EmailTaken)));
    let broken = CreateUser {
        email: Some("eve@example.com".to_owned()),
        password_hash: Some("md5:123".to_owned()),
        ..CreateUser::default()
    };
    let refused = node.commands.create_user(&context(), broken).await;
    assert!(matches!(refused, Err(CreateUserError::UnknownHash)));
}

#[tokio::test]
async fn an_erased_person_is_gone_from_log_and_tables_and_the_address_is_free() {
    let node = Node::autoconfirming().await;
    let (user, session) = signed_up(&node, "ada@example.com").await;
    node.commands.delete_user(&context(), user, Deletion::Erase).await.unwrap();
    assert!(matches!(node.commands.caller(user, Some(session)).await, Err(AccessError::UserNotFound)));
    let all = evident_eventstore::Filter::default();
    let events = node.commands.store().page(evident_domain::Position(0), 100, &all).await.unwrap();
    let text: String = events.iter().map(|e| e.event.to_json().unwrap().to_string()).collect();
    assert!(!text.contains("ada@") && !text.contains("Ada"), "{text}");
    assert!(text.contains("$erased"));
    signed_up(&node, "ada@example.com").await;
    let gone = node.commands.delete_user(&context(), user, Deletion::Erase).await;
    assert!(gone.is_err());
}

#[tokio::test]
async fn a_closed_account_frees_its_address_and_keeps_its_row() {
    let node = Node::autoconfirming().await;
    let (user, _) = signed_up(&node, "ada@example.com").await;
    node.commands.delete_user(&context(), user, Deletion::Soft).await.unwrap();
    let view = node.commands.user_view(user).await.unwrap().unwrap();
    assert!(view.user.deleted_at.is_some());
    assert_ne!(view.user.email.as_deref(), Some("ada@example.com"));
    node.commands.delete_user(&context(), user, Deletion::Soft).await.unwrap();
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_err());
    signed_up(&node, "ada@example.com").await;
}

#[tokio::test]
async fn an_address_changes_when_both_mails_are_answered() {
    let node = Node::with(Settings::default()).await;
    node.sign_up("ada@example.com").await.unwrap();
    let mails = node.mails().await;
    let [Message::Mail(mail)] = mails.as_slice() else { panic!("one mail") };
    let by_link = |hash: &str, kind| Verify {
        kind,
        proof: VerifyProof::LinkToken(hash.to_owned()),
        end: VerifyEnd::Client,
    };
    let confirm = by_link(&mail.fields.token_hash, VerifyKind::SignUp);
    let Verified::In(grant) = node.commands.verify(&context(), confirm).await.unwrap() else { panic!() };
    let (user, session) = (grant.user.view.user.id, grant.session);
    let change = UpdateUser { email: Some("lovelace@example.com".to_owned()), ..update(user, session) };
    let view = node.commands.update_user(&context(), change).await.unwrap();
    assert_eq!(view.user.email.as_deref(), Some("ada@example.com"));
    assert_eq!(view.user.new_email.as_deref(), Some("lovelace@example.com"));

    let mails = node.mails().await;
    let to = |address: &str| {
        mails.iter().find_map(|mail| match mail {
            Message::Mail(mail) if mail.to.as_str() == address => Some(mail.clone()),
            _ => None,
        })
    };
    let (new, current) = (to("lovelace@example.com").unwrap(), to("ada@example.com").unwrap());
    let typed = Verify {
        kind: VerifyKind::EmailChange,
        end: VerifyEnd::Client,
        proof: VerifyProof::Code {
            contact: GivenContact { email: "lovelace@example.com".to_owned(), phone: String::new() },
            code: new.fields.token.clone(),
        },
    };
    let halfway = node.commands.verify(&context(), typed.clone()).await.unwrap();
    assert!(matches!(halfway, Verified::Halfway));
    assert!(matches!(node.commands.verify(&context(), typed).await, Err(VerifyError::Invalid)), "once");
    let second = by_link(&current.fields.token_hash, VerifyKind::EmailChange);
    let Verified::In(grant) = node.commands.verify(&context(), second).await.unwrap() else { panic!() };
    assert_eq!(grant.user.view.user.email.as_deref(), Some("lovelace@example.com"));
    assert!(node.sign_in("lovelace@example.com", PASSWORD).await.is_ok());
    assert!(node.sign_in("ada@example.com", PASSWORD).await.is_err());
}
