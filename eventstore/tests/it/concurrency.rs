//! Whoever decided on what has moved on since must decide again.

use evident_domain::user::UserEvent;
use evident_domain::{SessionId, Subject};
use evident_eventstore::{Append, AppendError, Guard, StreamAppend};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{banned, change, on_both_databases, signed_up, started, stream, user};

on_both_databases! {
    async fn a_stale_version_conflicts_and_so_does_one_from_the_future(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        for expected in [0, 2] {
            let refused = store.append(change(vec![stream(user(1), expected, vec![banned("spam")])])).await;
            assert!(matches!(refused, Err(AppendError::Conflict)), "{expected}");
        }
        store.append(change(vec![stream(user(1), 1, vec![banned("spam")])])).await.unwrap();
    }
}

on_both_databases! {
    async fn a_stream_that_was_only_read_counts(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let read = |expected| StreamAppend { ..stream(user(1), expected, Vec::new()) };
        let session = started(SessionId(Uuid::from_u128(50)), user(1));
        let refused = store.append(change(vec![read(0), session.clone()])).await;
        assert!(matches!(refused, Err(AppendError::Conflict)));
        store.append(change(vec![read(1), session])).await.unwrap();
        // Nothing but a question is fine, too.
        assert_eq!(store.append(change(vec![read(1)])).await.unwrap().events, []);
        assert!(matches!(store.append(change(vec![read(5)])).await, Err(AppendError::Conflict)));
    }
}

on_both_databases! {
    /// Both read version 1. Whoever comes second is refused, so no session of a banned user begins.
    async fn a_session_cannot_slip_past_a_ban(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let ban = change(vec![stream(user(1), 1, vec![banned("spam")])]);
        store.append(ban).await.unwrap();
        let start = change(vec![
            stream(user(1), 1, Vec::new()),
            started(SessionId(Uuid::from_u128(50)), user(1)),
        ]);
        assert!(matches!(store.append(start).await, Err(AppendError::Conflict)));
    }
}

on_both_databases! {
    /// Whoever ends all sessions has listed them; one that was started since is not on the list.
    async fn a_session_that_was_started_since_breaks_a_guard(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let listed = store.head().await.unwrap().position;
        let start = |n, who| started(SessionId(Uuid::from_u128(n)), user(who));
        store.append(change(vec![start(50, 2)])).await.unwrap();
        let guard = |after| Guard { event_type: "session.started", subject: Subject::User(user(1)), after };
        let ban = |expected, after| Append {
            guards: vec![guard(after)],
            ..change(vec![stream(user(1), expected, vec![banned("spam")])])
        };
        // Another user's session is nothing to this one.
        store.append(ban(1, listed)).await.unwrap();
        let started = store.append(change(vec![start(51, 1)])).await.unwrap();
        assert!(matches!(store.append(ban(2, listed)).await, Err(AppendError::Conflict)));
        store.append(ban(2, started.head)).await.unwrap();
    }
}

on_both_databases! {
    async fn of_many_decisions_on_one_version_exactly_one_stands(place) {
        let mut nodes = vec![place.store().await];
        if place.is_postgres() {
            nodes.push(place.store().await);
        }
        nodes[0].append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        for version in 1..=5 {
            let mut running = JoinSet::new();
            for n in 0..16 {
                let node = nodes[n % nodes.len()].clone();
                let append = change(vec![stream(user(1), version, vec![UserEvent::EmailConfirmed {}])]);
                running.spawn(async move { node.append(append).await });
            }
            let answers = running.join_all().await;
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
            let conflict = |a: &&Result<_, _>| matches!(a, Err(AppendError::Conflict));
            assert_eq!(answers.iter().filter(conflict).count(), 15);
        }
    }
}
