//! What was tried and refused.

use cqrs_es::test::TestFramework;
use evident_domain::attempt::{AdminRefusal, AlreadyRecorded, Attempt, AttemptEvent};
use evident_domain::catalogue::samples;
use evident_domain::{Event, StreamKind};

fn attempts() -> Vec<AttemptEvent> {
    let attempt = |event| if let Event::Attempt(attempt) = event { Some(attempt) } else { None };
    samples().into_iter().filter_map(attempt).collect()
}

#[test]
fn an_attempt_is_noted_as_it_is() {
    for attempt in attempts() {
        TestFramework::<Attempt>::with(())
            .given_no_previous_events()
            .when(attempt.clone())
            .then_expect_events(vec![attempt]);
    }
}

#[test]
fn a_stream_holds_one_attempt() {
    for attempt in attempts() {
        let before = AttemptEvent::AdminDenied {
            operation: "DELETE /admin/users".to_owned(),
            reason: AdminRefusal::NoToken,
        };
        TestFramework::<Attempt>::with(())
            .given(vec![before])
            .when(attempt)
            .then_expect_error(AlreadyRecorded);
    }
}

#[test]
fn an_attempt_claims_nothing_and_stands_in_no_user_s_stream() {
    for attempt in attempts() {
        let event = Event::from(attempt);
        assert_eq!(event.stream_kind(), StreamKind::Attempt);
        assert!(event.claims().is_empty());
    }
}
