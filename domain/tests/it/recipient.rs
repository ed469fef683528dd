//! Recipients: how often messages may be asked for, whoever has the address.

use cqrs_es::test::TestFramework;
use evident_domain::recipient::{AskedTooSoon, MessageKind, Recipient, RecipientCommand, RecipientEvent};

use crate::support::*;

fn asked(kind: MessageKind, seconds: i64) -> RecipientEvent {
    RecipientEvent::MessageAskedFor { kind, at: at(seconds) }
}

fn ask(kind: MessageKind, seconds: i64) -> RecipientCommand {
    RecipientCommand::Ask { kind, now: at(seconds), min_interval_millis: 60_000 }
}

#[test]
fn the_next_message_of_a_kind_waits_for_the_interval() {
    let given = || TestFramework::<Recipient>::with(()).given(vec![asked(MessageKind::Access, 0)]);
    given().when(ask(MessageKind::Access, 13)).then_expect_error(AskedTooSoon { seconds: 47 });
    given().when(ask(MessageKind::Access, 60)).then_expect_events(vec![asked(MessageKind::Access, 60)]);
    given()
        .when(ask(MessageKind::Confirmation, 13))
        .then_expect_events(vec![asked(MessageKind::Confirmation, 13)]);
}

#[test]
fn who_answers_may_ask_again_at_once() {
    let given = |events| TestFramework::<Recipient>::with(()).given(events);
    let events = vec![asked(MessageKind::Access, 0), asked(MessageKind::Confirmation, 0)];
    given(events.clone())
        .when(RecipientCommand::Answer)
        .then_expect_events(vec![RecipientEvent::Answered {}]);
    given(vec![]).when(RecipientCommand::Answer).then_expect_events(vec![]);
    given([events, vec![RecipientEvent::Answered {}]].concat())
        .when(ask(MessageKind::Access, 1))
        .then_expect_events(vec![asked(MessageKind::Access, 1)]);
}

#[test]
fn sending_once_more_waits_for_the_first_time_and_keeps_nobody_from_signing_up() {
    let given = |kind| TestFramework::<Recipient>::with(()).given(vec![asked(kind, 0)]);
    given(MessageKind::Confirmation)
        .when(ask(MessageKind::Resend, 13))
        .then_expect_error(AskedTooSoon { seconds: 47 });
    given(MessageKind::Resend)
        .when(ask(MessageKind::Confirmation, 13))
        .then_expect_events(vec![asked(MessageKind::Confirmation, 13)]);
}

#[test]
fn only_so_many_invite_one_address_in_a_time() {
    let given = |events| TestFramework::<Recipient>::with(()).given(events);
    let invite = |seconds| RecipientCommand::Invite { now: at(seconds), within_millis: 3_600_000 };
    let invited =
        |seconds| RecipientEvent::MessageAskedFor { kind: MessageKind::Invitation, at: at(seconds) };
    let ten: Vec<_> = (0..10).map(invited).collect();
    given(ten[..9].to_vec()).when(invite(9)).then_expect_events(vec![invited(9)]);
    given(ten.clone()).when(invite(10)).then_expect_error(AskedTooSoon { seconds: 3590 });
    given(ten.clone()).when(invite(3600)).then_expect_events(vec![invited(3600)]);
    // An answer to something else does not open the door again.
    let answered = ten.into_iter().chain([RecipientEvent::Answered {}]).collect();
    given(answered).when(invite(10)).then_expect_error(AskedTooSoon { seconds: 3590 });
}
