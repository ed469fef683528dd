//! Known and unknown addresses take the same way: as many passwords are hashed, and as much of what is written
//! is the same. Nothing here looks at a clock.

use evident_commands::messages::SmsChannel;
use evident_commands::password::PasswordLength;
use evident_commands::settings::Settings;
use evident_commands::{
    AccessIntent, Contact, Entry, GivenContact, NameChange, RequestAccess, SendCode, SessionTerms, SignIn,
    SignUp, SignedUp, Unconfirmed,
};
use evident_domain::recipient::CodePurpose;
use evident_domain::{Email, Metadata};
use zeroize::Zeroizing;

use crate::support::{Node, PASSWORD, context};

const KNOWN: &str = "ada@example.com";
const UNKNOWN: &str = "nobody@example.com";

/// What a request cost.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// Passwords that were hashed or checked.
    passwords: u64,
    /// The types of the events that were written.
    events: Vec<&'static str>,
}

async fn cost_of(node: &Node, work: impl Future<Output = ()>) -> Cost {
    let (passwords, events) = (node.commands.passwords_taken(), node.log().await.len());
    work.await;
    let passwords = node.commands.passwords_taken() - passwords;
    Cost { passwords, events: node.log().await.split_off(events) }
}

async fn somebody(node: &Node) {
    node.sign_up(KNOWN).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_costs_the_same_whoever_has_the_address() {
    let node = Node::autoconfirming().await;
    somebody(&node).await;
    let known =
        cost_of(&node, async { drop(node.sign_in(KNOWN, "wrong password").await.unwrap_err()) }).await;
    let unknown = cost_of(&node, async { drop(node.sign_in(UNKNOWN, PASSWORD).await.unwrap_err()) }).await;
    assert_eq!(known.passwords, 1);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn a_wrong_password_costs_the_same_whoever_has_the_name() {
    let node = Node::autoconfirming().await;
    let SignedUp::In(grant) = node.sign_up(KNOWN).await.unwrap() else { panic!("ada is signed in") };
    let name = |text: &str| node.commands.username(text).unwrap();
    let names = NameChange { username: Some(name("ada")), display_username: None };
    node.commands.change_names(&context(), grant.user.view.user.id, names).await.unwrap();
    let sign_in = async |text: &str| {
        let request = SignIn {
            username: Some(name(text)),
            contact: GivenContact::default(),
            password: Zeroizing::new("wrong password".to_owned()),
            length: PasswordLength::Supabase,
            unconfirmed: Unconfirmed::Admitted,
            terms: SessionTerms::default(),
        };
        drop(node.commands.sign_in(&context(), request).await.unwrap_err());
    };
    let known = cost_of(&node, sign_in("ada")).await;
    let unknown = cost_of(&node, sign_in("nobody")).await;
    assert_eq!(known.passwords, 1);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn a_sign_up_that_tells_nothing_costs_the_same_password_whoever_has_the_address() {
    let node = Node::autoconfirming().await;
    somebody(&node).await;
    let sign_up = async |email: &str| {
        let request = SignUp {
            names: NameChange::default(),
            contact: GivenContact { email: email.to_owned(), phone: String::new() },
            password: Zeroizing::new(PASSWORD.to_owned()),
            data: Metadata::default(),
            aud: "authenticated".to_owned(),
            challenge: None,
            redirect_to: None,
            channel: String::new(),
            length: PasswordLength::Supabase,
            entry: Entry::Later { mail: None },
        };
        drop(node.commands.sign_up(&context(), request).await.unwrap());
    };
    let known = cost_of(&node, sign_up(KNOWN)).await;
    let unknown = cost_of(&node, sign_up(UNKNOWN)).await;
    assert_eq!((known.passwords, unknown.passwords), (1, 1));
}

#[tokio::test]
async fn a_code_is_made_for_an_address_that_nobody_has_too() {
    let node = Node::autoconfirming().await;
    somebody(&node).await;
    for purpose in [CodePurpose::SignIn, CodePurpose::Verification, CodePurpose::PasswordReset] {
        let send = async |email: &str| {
            let to = Contact::Email(Email::parse(email).unwrap());
            let request = SendCode { to, purpose, to_strangers: false };
            node.commands.send_code(&context(), &request).await.unwrap();
        };
        let known = cost_of(&node, send(KNOWN)).await;
        let unknown = cost_of(&node, send(UNKNOWN)).await;
        assert_eq!(known, unknown, "{purpose:?}");
    }
}

#[tokio::test]
async fn a_link_that_is_asked_for_is_noted_whoever_has_the_address() {
    let node = Node::with(Settings::default()).await;
    somebody(&node).await;
    node.pass(3_600);
    node.mails().await;
    let ask = async |email: &str| {
        let request = RequestAccess {
            intent: AccessIntent::Recover,
            contact: GivenContact { email: email.to_owned(), phone: String::new() },
            data: Metadata::default(),
            aud: "authenticated".to_owned(),
            challenge: None,
            redirect_to: None,
            channel: SmsChannel::default(),
            form: None,
        };
        node.commands.request_access(&context(), request).await.map(drop).unwrap();
    };
    let known = cost_of(&node, ask(KNOWN)).await;
    let unknown = cost_of(&node, ask(UNKNOWN)).await;
    assert_eq!((known.passwords, unknown.passwords), (0, 0));
    // That it was asked for is noted of both; the link itself is behind it, and only where somebody is.
    assert_eq!(known.events.last(), unknown.events.last(), "{known:?} {unknown:?}");
    assert_eq!(node.mails().await.len(), 1, "only one of them has a reader");
}
