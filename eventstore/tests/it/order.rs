//! One order without gaps, whoever writes and whoever reads meanwhile.

use std::collections::HashMap;

use evident_domain::{EventId, Position, SessionId, StreamId, StreamKind};
use evident_eventstore::merkle::{Frontier, Leaf, content_digest};
use evident_eventstore::{AppendError, EventStore, Filter, Value};
use futures::TryStreamExt;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Place, change, on_both_databases, refreshed, signed_up, started, stream, user};

const WRITERS: u128 = 24;
const CHANGES: u64 = 12;

/// Writes one session's life, change by change.
async fn live(store: EventStore, number: u128) {
    let (session, ann) = (SessionId(Uuid::from_u128(number)), user(number % 5));
    store.append(change(vec![started(session, ann)])).await.unwrap();
    for version in 1..CHANGES {
        let committed = store.append(change(vec![refreshed(session, ann, version)])).await.unwrap();
        assert_eq!(committed.events[0].sequence, version + 1);
        assert!(committed.head >= committed.events[0].position);
    }
}

/// Reads what is new again and again, and never sees a position late or left out.
async fn follow(store: EventStore, until: u64) -> HashMap<Position, EventId> {
    let (mut seen, mut last) = (HashMap::new(), Position(0));
    while last.0 < until {
        // A page looks back a little: what was not there before must not be there now.
        let from = Position(last.0.saturating_sub(20));
        for recorded in store.page(from, 200, &Filter::default()).await.unwrap() {
            if recorded.position <= last {
                assert_eq!(seen.get(&recorded.position), Some(&recorded.id), "an event came in behind");
            } else {
                assert_eq!(recorded.position.0, last.0 + 1, "a gap");
                seen.insert(recorded.position, recorded.id);
                last = recorded.position;
            }
        }
    }
    seen
}

on_both_databases! {
    async fn many_writers_make_one_order_without_gaps(place) {
        // SQLite has one node; PostgreSQL has two.
        let mut nodes = vec![place.store().await];
        if place.is_postgres() {
            nodes.push(place.store().await);
        }
        let total = u64::try_from(WRITERS).unwrap() * CHANGES;
        let followers: Vec<_> =
            nodes.iter().map(|node| tokio::spawn(follow(node.clone(), total))).collect();
        let mut writers = JoinSet::new();
        for number in 0..WRITERS {
            let node = &nodes[usize::try_from(number).unwrap() % nodes.len()];
            writers.spawn(live(node.clone(), 100 + number));
        }
        writers.join_all().await;
        let mut seen = Vec::new();
        for follower in followers {
            seen.push(follower.await.unwrap());
        }

        for node in &nodes {
            let all: Vec<_> = node.read(Position(0), Filter::default()).try_collect().await.unwrap();
            let positions: Vec<_> = all.iter().map(|recorded| recorded.position.0).collect();
            assert_eq!(positions, (1..=total).collect::<Vec<_>>());
            for follower in &seen {
                assert!(all.iter().all(|recorded| follower[&recorded.position] == recorded.id));
            }
            assert_eq!(node.head().await.unwrap().position, Position(total));
        }
        check_tree(&nodes[0]).await;
    }
}

/// The head's frontier and the stored hashes are those that the stored texts give.
async fn check_tree(store: &EventStore) {
    let rows = Place::rows(
        store,
        "select aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
         position, event_id, occurred_at, actor, subject, salt, content_digest, leaf_hash \
         from events order by position",
    )
    .await;
    let mut frontier = Frontier::default();
    for row in rows {
        let text = |i: usize| row[i].as_text().unwrap();
        let number = |i: usize| u64::try_from(row[i].as_int().unwrap()).unwrap();
        let digest = content_digest(row[12].as_bytes().unwrap(), text(5), text(6));
        assert_eq!(row[13], Value::Bytes(digest.to_vec()));
        let stream = StreamId { kind: StreamKind::from_name(text(0)).unwrap(), id: text(1).parse().unwrap() };
        let leaf = Leaf {
            actor: text(10).into(),
            content: hex::encode(digest),
            id: EventId(text(8).parse().unwrap()),
            position: Position(number(7)),
            sequence: number(2),
            stream: stream.to_string(),
            subject: row[11].as_text().map(Into::into),
            time: row[9].as_int().unwrap(),
            kind: text(3).into(),
            version: text(4).into(),
        };
        let hash = frontier.push(&leaf.to_bytes().unwrap());
        assert_eq!(row[14], Value::Bytes(hash.to_vec()));
    }
    let head = store.head().await.unwrap();
    assert_eq!(head.frontier, frontier);
    assert_eq!(head.frontier.size(), head.position.0);
}

on_both_databases! {
    async fn a_leaf_reads_as_a_canonical_document(place) {
        let store = place.store().await;
        let committed =
            store.append(change(vec![stream(user(7), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let recorded = &committed.events[0];
        let digest = Place::rows(&store, "select content_digest from events").await.remove(0).remove(0);
        let id = user(7);
        let document = format!(
            r#"{{"actor":"visitor","content":"{}","id":"{}","position":1,"sequence":1,"stream":"user:{id}","subject":"user:{id}","time":1795000000000000,"type":"user.signed_up","version":"1.0"}}"#,
            hex::encode(digest.as_bytes().unwrap()),
            recorded.id,
        );
        let mut frontier = Frontier::default();
        frontier.push(document.as_bytes());
        assert_eq!(store.head().await.unwrap().frontier, frontier);
    }
}

on_both_databases! {
    async fn refused_changes_take_no_position(place) {
        let store = place.store().await;
        for round in 0..3 {
            let good = stream(user(10 + round), 0, vec![signed_up(&format!("u{round}@example.com"))]);
            store.append(change(vec![good])).await.unwrap();
            let stale = stream(user(10 + round), 0, vec![signed_up("other@example.com")]);
            let refused = store.append(change(vec![stale])).await;
            assert!(matches!(refused, Err(AppendError::Conflict)));
        }
        assert_eq!(store.head().await.unwrap().position, Position(3));
        check_tree(&store).await;
    }
}
