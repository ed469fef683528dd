//! Start, end and expiry of a session.

use evident_domain::session::{
    AssuranceLevel, AuthenticationMethod, ClientBinding, MAX_FIELDS_BYTES, RevocationReason, Session,
    SessionCommand, SessionError, SessionEvent, SlidingEnd, Start,
};
use evident_domain::{ClientId, Metadata, OrganizationId, Scopes, TeamId};

use crate::support::*;

fn start() -> SessionCommand {
    SessionCommand::Start(Start {
        user: ANN,
        method: "password".to_owned(),
        not_after: None,
        slides: false,
        client: None,
        impersonator: None,
        now: at(0),
    })
}

fn step_up(seconds: i64) -> SessionCommand {
    SessionCommand::StepUp {
        method: "totp".to_owned(),
        aal: AssuranceLevel::Aal2,
        factor: None,
        now: at(seconds),
    }
}

fn revoked() -> SessionEvent {
    SessionEvent::Revoked { reason: RevocationReason::SignedOut }
}

/// A session whose end was fixed at its start.
fn started_for_an_hour() -> SessionEvent {
    let SessionEvent::Started { user, amr, aal, started_at, client, scopes, .. } = session_started() else {
        panic!("a session starts with its start")
    };
    SessionEvent::Started {
        user,
        amr,
        aal,
        not_after: Some(at(3600)),
        started_at,
        client,
        scopes,
        slides: false,
        impersonator: None,
    }
}

#[test]
fn a_session_starts_with_one_proof() {
    given_session(vec![]).when(start()).then_expect_events(vec![session_started()]);
}

#[test]
fn a_session_may_have_its_end_fixed_at_its_start() {
    given_session(vec![])
        .when(SessionCommand::Start(Start {
            user: ANN,
            method: "password".to_owned(),
            not_after: Some(at(3600)),
            slides: false,
            client: None,
            impersonator: None,
            now: at(0),
        }))
        .then_expect_events(vec![started_for_an_hour()]);
}

#[test]
fn a_client_s_session_tells_whose_it_is_and_what_it_may() {
    let scopes = Scopes::parse("openid email").unwrap();
    let bound = ClientBinding { client: ClientId(ANN.0), scopes: scopes.clone() };
    let SessionEvent::Started { user, aal, not_after, started_at, .. } = session_started() else { panic!() };
    let amr = vec![AuthenticationMethod { method: "oauth".to_owned(), at: at(0) }];
    let (client, scopes) = (Some(bound.client), Some(scopes));
    let (slides, impersonator) = (false, None);
    let started =
        SessionEvent::Started { user, amr, aal, not_after, started_at, client, scopes, slides, impersonator };
    given_session(vec![])
        .when(SessionCommand::Start(Start {
            user: ANN,
            method: "oauth".to_owned(),
            not_after: None,
            slides: false,
            client: Some(bound.clone()),
            impersonator: None,
            now: at(0),
        }))
        .then_expect_events(vec![started.clone()]);
    let mut session = Session::default();
    session.fold(&started);
    assert_eq!(session.live().unwrap().client, Some(Box::new(bound)));
}

#[test]
fn a_session_starts_once() {
    for given in [vec![session_started()], vec![session_started(), revoked()]] {
        given_session(given).when(start()).then_expect_error(SessionError::AlreadyStarted);
    }
}

#[test]
fn a_session_ends_for_a_reason() {
    for (reason, _) in RevocationReason::MEANINGS {
        given_session(vec![session_started()])
            .when(SessionCommand::Revoke { reason: *reason })
            .then_expect_events(vec![SessionEvent::Revoked { reason: *reason }]);
    }
}

#[test]
fn a_session_ends_once() {
    for (reason, _) in RevocationReason::MEANINGS {
        given_session(vec![session_started(), revoked()])
            .when(SessionCommand::Revoke { reason: *reason })
            .then_expect_events(vec![]);
    }
}

#[test]
fn a_session_that_ended_tells_whose_it_was_and_why_it_ended_first() {
    let mut session = Session::default();
    let again = SessionEvent::Revoked { reason: RevocationReason::UserBanned };
    for event in [session_started(), revoked(), again] {
        session.fold(&event);
    }
    assert_eq!(session, Session::Revoked { user: ANN, reason: RevocationReason::SignedOut });
    assert!(session.live().is_none());
}

#[test]
fn nothing_is_done_with_a_session_that_is_not_there_or_over() {
    for given in [vec![], vec![session_started(), refreshed(1, at(10)), revoked()]] {
        for command in [present(0, at(11), LENIENT), present(1, at(11), LENIENT), step_up(11)] {
            given_session(given.clone()).when(command).then_expect_error(SessionError::NotFound);
        }
    }
    given_session(vec![])
        .when(SessionCommand::Revoke { reason: RevocationReason::SignedOut })
        .then_expect_error(SessionError::NotFound);
}

#[test]
fn a_session_counts_until_its_fixed_end_and_not_a_moment_longer() {
    given_session(vec![started_for_an_hour()])
        .when(present(0, at_millis(3_599_999), LENIENT))
        .then_expect_events(vec![refreshed(1, at_millis(3_599_999))]);
    for command in [present(0, at(3600), LENIENT), step_up(3600)] {
        given_session(vec![started_for_an_hour()]).when(command).then_expect_error(SessionError::NotFound);
    }
}

#[test]
fn expiry_is_said_before_anything_about_the_token() {
    for presented in [0, 1, 7] {
        given_session(vec![started_for_an_hour(), refreshed(1, at(100))])
            .when(present(presented, at(4000), STRICT))
            .then_expect_error(SessionError::NotFound);
    }
}

#[test]
fn an_expired_session_can_still_be_ended() {
    given_session(vec![started_for_an_hour()])
        .when(SessionCommand::Revoke { reason: RevocationReason::SignedOut })
        .then_expect_events(vec![revoked()]);
}

/// How the end of the sessions of these tests moves.
const WEEK: SlidingEnd = SlidingEnd { lifetime_seconds: 7 * 86_400, after_seconds: 86_400 };

/// A session that ends a week after its start, and later if it is used.
fn started_sliding(slides: bool) -> SessionEvent {
    let SessionEvent::Started { user, amr, aal, started_at, client, scopes, .. } = session_started() else {
        panic!("a session starts with its start")
    };
    SessionEvent::Started {
        user,
        amr,
        aal,
        not_after: Some(at(7 * 86_400)),
        started_at,
        client,
        scopes,
        slides,
        impersonator: None,
    }
}

fn extend(seconds: i64) -> SessionCommand {
    SessionCommand::Extend { now: at(seconds), end: WEEK }
}

#[test]
fn the_end_of_a_session_moves_a_day_after_its_last_move() {
    given_session(vec![started_sliding(true)]).when(extend(86_399)).then_expect_events(vec![]);
    let moved = SessionEvent::Extended { not_after: at(8 * 86_400), at: at(86_400) };
    given_session(vec![started_sliding(true)]).when(extend(86_400)).then_expect_events(vec![moved.clone()]);
    given_session(vec![started_sliding(true), moved.clone()]).when(extend(86_401)).then_expect_events(vec![]);
    given_session(vec![started_sliding(true), moved])
        .when(extend(8 * 86_400))
        .then_expect_error(SessionError::NotFound);
}

#[test]
fn an_end_that_is_fixed_does_not_move() {
    given_session(vec![started_sliding(false)]).when(extend(3 * 86_400)).then_expect_events(vec![]);
    given_session(vec![session_started()]).when(extend(3 * 86_400)).then_expect_events(vec![]);
    given_session(vec![started_sliding(true), revoked()])
        .when(extend(86_400))
        .then_expect_error(SessionError::NotFound);
}

#[test]
fn another_organization_is_entered_without_a_team() {
    let (organization, team) = (Some(OrganizationId(ANN.0)), Some(TeamId(ANN.0)));
    let entered = SessionEvent::ActiveOrganizationChanged { organization };
    let in_team = SessionEvent::ActiveTeamChanged { team };
    let choose = |organization| SessionCommand::ChooseOrganization { organization, now: at(1) };
    given_session(vec![session_started()])
        .when(choose(organization))
        .then_expect_events(vec![entered.clone()]);
    given_session(vec![session_started(), entered.clone()])
        .when(choose(organization))
        .then_expect_events(vec![]);
    given_session(vec![session_started(), entered.clone()])
        .when(SessionCommand::ChooseTeam { team, now: at(1) })
        .then_expect_events(vec![in_team.clone()]);
    let given = vec![session_started(), entered.clone(), in_team];
    given_session(given.clone()).when(choose(organization)).then_expect_events(vec![entered.clone()]);
    let mut session = Session::default();
    given.iter().chain([&entered]).for_each(|event| session.fold(event));
    assert_eq!(session.live().map(|live| (live.organization, live.team)), Some((organization, None)));
}

#[test]
fn an_application_keeps_with_a_session_what_is_new() {
    let change = |fields: Metadata| SessionCommand::ChangeFields { fields, now: at(1) };
    let kept = |fields: Metadata| SessionEvent::FieldsChanged { fields: fields.into() };
    let dark = Metadata::default().with("theme", "dark").with("size", 12);
    given_session(vec![session_started()])
        .when(change(dark.clone()))
        .then_expect_events(vec![kept(dark.clone())]);
    let before = vec![session_started(), kept(dark.clone())];
    given_session(before.clone()).when(change(dark)).then_expect_events(vec![]);
    let nothing = Metadata::default().with("theme", serde_json::Value::Null);
    given_session(before)
        .when(change(nothing.clone().with("size", 12)))
        .then_expect_events(vec![kept(nothing.clone())]);
    given_session(vec![session_started(), kept(nothing.clone())])
        .when(change(nothing.clone()))
        .then_expect_events(vec![]);
    given_session(vec![session_started(), revoked()])
        .when(change(nothing))
        .then_expect_error(SessionError::NotFound);
}

#[test]
fn what_an_application_keeps_with_a_session_has_a_bound() {
    let text = |length: usize| Metadata::default().with("a", "x".repeat(length));
    let change = |fields: Metadata| SessionCommand::ChangeFields { fields, now: at(1) };
    let fits = MAX_FIELDS_BYTES - r#"{"a":""}"#.len();
    given_session(vec![session_started()])
        .when(change(text(fits)))
        .then_expect_events(vec![SessionEvent::FieldsChanged { fields: text(fits).into() }]);
    given_session(vec![session_started()])
        .when(change(text(fits + 1)))
        .then_expect_error(SessionError::FieldsTooLarge);
    // What stands there already counts.
    given_session(vec![session_started(), SessionEvent::FieldsChanged { fields: text(fits).into() }])
        .when(change(Metadata::default().with("b", 1)))
        .then_expect_error(SessionError::FieldsTooLarge);
}
