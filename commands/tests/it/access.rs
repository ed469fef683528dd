//! Asking to be let in: what is told, and what is not.

use std::time::{Duration, Instant};

use evident_commands::messages::SmsChannel;
use evident_commands::settings::Settings;
use evident_commands::{
    AccessIntent, GivenContact, RequestAccess, RequestError, Requested, Resend, Resent, Verify, VerifyEnd,
    VerifyError, VerifyKind, VerifyProof,
};
use evident_domain::Metadata;

use crate::support::{Node, context};

/// Answers come at multiples of this.
const BEAT: Duration = Duration::from_millis(50);

fn recovery(email: &str) -> RequestAccess {
    RequestAccess {
        form: None,
        intent: AccessIntent::Recover,
        contact: GivenContact { email: email.to_owned(), phone: String::new() },
        data: Metadata::default(),
        aud: "authenticated".to_owned(),
        challenge: None,
        redirect_to: None,
        channel: SmsChannel::default(),
    }
}

#[tokio::test]
async fn known_and_unknown_addresses_wait_for_the_same_beat_and_leave_the_same_commit() {
    let node = Node::with(Settings::default()).await;
    node.sign_up("ada@example.com").await.unwrap();
    for email in ["ada@example.com", "nobody@example.com"] {
        let since = Instant::now();
        let asked = node.commands.request_access(&context(), recovery(email)).await;
        assert!(matches!(asked, Ok(Requested::Quietly)), "{email}");
        assert!(since.elapsed() >= Duration::from_millis(50), "{email}");
        let log = node.log().await;
        assert!(log[log.len() - 2..].contains(&"recipient.message_asked_for"), "{email}: {log:?}");
        let again = node.commands.request_access(&context(), recovery(email)).await;
        assert!(matches!(again, Err(RequestError::TooSoon(_))), "{email}");
    }
    node.pass(60);
    for email in ["ada@example.com", "nobody@example.com"] {
        assert!(node.commands.request_access(&context(), recovery(email)).await.is_ok(), "{email}");
    }
}

#[tokio::test]
async fn no_event_tells_an_address_that_nobody_has() {
    let node = Node::with(Settings::default()).await;
    node.commands.request_access(&context(), recovery("nobody@example.com")).await.unwrap();
    let all = evident_eventstore::Filter::default();
    let events = node.commands.store().page(evident_domain::Position(0), 100, &all).await.unwrap();
    let text: String = events.iter().map(|event| event.event.to_json().unwrap().to_string()).collect();
    assert!(!text.contains("nobody@"), "{text}");
}

/// Nothing that may be asked of an address without signing in tells by its time whether somebody has it.
#[tokio::test]
async fn every_question_about_an_address_waits_for_the_same_beat() {
    let mut settings = Settings::default();
    settings.sign_up.magic_links_enabled = true;
    let node = Node::with(settings).await;
    node.sign_up("ada@example.com").await.unwrap();
    let given = |email: &str| GivenContact { email: email.to_owned(), phone: String::new() };
    let unknown = ["one@example.com", "two@example.com", "three@example.com", "four@example.com"];
    for [otp, resent, typed, email] in [["ada@example.com"; 4], unknown] {
        node.pass(120);
        let since = Instant::now();
        let asked = RequestAccess { intent: AccessIntent::SignInOrUp, ..recovery(otp) };
        node.commands.request_access(&context(), asked).await.unwrap();
        assert!(since.elapsed() >= BEAT, "{email}");

        node.pass(120);
        let (what, challenge, redirect_to) = (Resent::SignUp, None, None);
        let since = Instant::now();
        let resend = Resend { what, contact: given(resent), challenge, redirect_to, form: None };
        node.commands.resend(&context(), resend).await.unwrap();
        assert!(since.elapsed() >= BEAT, "{email}");

        let proof = VerifyProof::Code { contact: given(typed), code: "000000".to_owned() };
        let since = Instant::now();
        let wrong = Verify { kind: VerifyKind::Email, proof, end: VerifyEnd::Client };
        let refused = node.commands.verify(&context(), wrong).await;
        assert!(matches!(refused, Err(VerifyError::Invalid)), "{email}");
        assert!(since.elapsed() >= BEAT, "{email}");

        node.pass(120);
        let since = Instant::now();
        node.sign_up(email).await.unwrap();
        assert!(since.elapsed() >= BEAT, "{email}");
    }
}
