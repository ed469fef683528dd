//! Whoever decided on what has moved on since must decide again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use evident_domain::user::UserEvent;
use evident_domain::{ClaimKind, Recorded, SessionId, Subject};
use evident_eventstore::{
    Append, AppendError, Concern, DatabaseError, EventStore, Guard, Inline, StreamAppend, Tables,
};
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
        let concerns = [Concern::Subject(Subject::User(user(1))), Concern::User(user(1))];
        let mut version = 1;
        for (round, concerns) in (0..).zip(concerns) {
        let listed = store.head().await.unwrap().position;
        let start = |n, who| started(SessionId(Uuid::from_u128(n)), user(who));
        store.append(change(vec![start(50 + round, 2)])).await.unwrap();
        let guard = |after| Guard {
            event_type: "session.started",
            concerns: concerns.clone(),
            after,
        };
        let ban = |expected, after| Append {
            guards: vec![guard(after)],
            ..change(vec![stream(user(1), expected, vec![banned("spam")])])
        };
        // Another user's session is nothing to this one.
        store.append(ban(version, listed)).await.unwrap();
        let started = store.append(change(vec![start(60 + round, 1)])).await.unwrap();
        assert!(matches!(store.append(ban(version + 1, listed)).await, Err(AppendError::Conflict)));
        store.append(ban(version + 1, started.head)).await.unwrap();
        version += 2;
        }
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

/// Appends to the stream of the first user, who is at a version.
async fn at(store: &EventStore, version: u64, events: Vec<UserEvent>) -> Result<u64, AppendError> {
    store.append(change(vec![stream(user(1), version, events)])).await.map(|done| done.head.0)
}

on_both_databases! {
    /// A node that was alone trusts what it remembers, until it finds that it is not alone.
    async fn nodes_that_take_turns_decide_on_the_newest_state(place) {
        let nodes = [place.store().await, place.store().await];
        at(&nodes[0], 0, vec![signed_up("ann@example.com")]).await.unwrap();
        at(&nodes[1], 1, vec![]).await.unwrap();
        let mut version = 1;
        for round in 0..12 {
            let (node, other) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
            // So often that it feels alone.
            for _ in 0..=(round % 4) {
                assert_eq!(at(node, version, vec![banned("spam")]).await.unwrap(), version + 1);
                version += 1;
            }
            // What the other one takes for the newest version was it once.
            for old in [version - 1, version + 1] {
                assert!(matches!(at(other, old, vec![]).await, Err(AppendError::Conflict)), "{round}");
                assert!(matches!(at(other, old, vec![banned("spam")]).await, Err(AppendError::Conflict)));
            }
            at(other, version, vec![]).await.unwrap();
        }
        let all = nodes[0].load(evident_domain::StreamId::user(user(1))).await.unwrap();
        assert!(all.iter().map(|recorded| recorded.position.0).eq(1..=version));
    }
}

on_both_databases! {
    async fn a_value_that_another_node_has_given_away_is_taken(place) {
        let nodes = [place.store().await, place.store().await];
        for round in 0..6_u128 {
            let (node, other) = if round % 2 == 0 { (&nodes[0], &nodes[1]) } else { (&nodes[1], &nodes[0]) };
            let sign_up = |number, name: &str| {
                change(vec![stream(user(number), 0, vec![signed_up(&format!("{name}@example.com"))])])
            };
            // Both have committed, and are sure of the head.
            for more in 1..3 {
                other.append(sign_up(1000 * more + round, &format!("x{more}{round}"))).await.unwrap();
            }
            node.append(sign_up(100 + round, &format!("ann{round}"))).await.unwrap();
            let refused = other.append(sign_up(200 + round, &format!("ann{round}"))).await;
            assert!(matches!(refused, Err(AppendError::ClaimTaken(ClaimKind::Email))), "{refused:?}");
            // A stream that begins twice is refused as any other that has moved on.
            let refused = other.append(sign_up(100 + round, &format!("bob{round}"))).await;
            assert!(matches!(refused, Err(AppendError::Conflict)), "{refused:?}");
        }
    }
}

/// Projections that count how often they were told to forget.
#[derive(Debug, Default)]
struct Interruptions(AtomicU32);

#[async_trait]
impl Inline for Interruptions {
    async fn apply(&self, _: &mut dyn Tables, _: &[Recorded]) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn interrupted(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

on_both_databases! {
    async fn projections_hear_when_somebody_else_has_touched_log_or_tables(place) {
        let told = Arc::new(Interruptions::default());
        let store = place.store_with(told.clone()).await;
        let other = place.store().await;
        at(&store, 0, vec![signed_up("ann@example.com")]).await.unwrap();
        let times = || told.0.load(Ordering::Relaxed);
        assert_eq!(times(), 1, "at the start nothing is known");
        at(&store, 1, vec![banned("spam")]).await.unwrap();
        assert!(matches!(at(&store, 1, vec![banned("spam")]).await, Err(AppendError::Conflict)));
        assert_eq!(times(), 1);
        store.lock_head().await.unwrap().commit().await.unwrap();
        at(&store, 2, vec![banned("spam")]).await.unwrap();
        assert_eq!(times(), 2);
        at(&other, 3, vec![banned("spam")]).await.unwrap();
        at(&store, 4, vec![banned("spam")]).await.unwrap();
        at(&store, 5, vec![banned("spam")]).await.unwrap();
        assert_eq!(times(), 3);
    }
}
