//! A change is there as a whole or not at all, and what is wrong with it is nobody else's misfortune.

use std::sync::Arc;

use async_trait::async_trait;
use evident_domain::user::UserEvent;
use evident_domain::{Claim, ClaimKind, Event, Position, Recorded, SessionId, StreamId};
use evident_eventstore::{
    Append, AppendError, DatabaseError, EventStore, Filter, Inline, StoreError, Tables,
};
use uuid::Uuid;

use crate::support::{
    Place, Slow, banned, change, message, on_both_databases, signed_up, started, stream, user,
};

fn address(text: &str) -> Claim {
    Claim { kind: ClaimKind::Email, value: text.to_owned() }
}

/// Ann signs up: two streams, a claim, a message.
fn sign_up() -> Append {
    let streams = vec![
        stream(user(1), 0, vec![signed_up("ann@example.com"), UserEvent::EmailConfirmed {}]),
        started(SessionId(Uuid::from_u128(50)), user(1)),
    ];
    Append { messages: vec![message(9, user(1), "welcome")], ..change(streams) }
}

async fn nothing_is_there(store: &EventStore) {
    assert_eq!(store.head().await.unwrap().position, Position(0));
    assert_eq!(store.page(Position(0), 10, &Filter::default()).await.unwrap(), []);
    assert_eq!(store.holder(&address("ann@example.com")).await.unwrap(), None);
    assert!(Place::rows(store, "select id from outbox").await.is_empty());
}

on_both_databases! {
    async fn a_change_over_two_streams_a_claim_and_a_message_is_one(place) {
        let store = place.store().await;
        let committed = store.append(sign_up()).await.unwrap();
        let places: Vec<_> = committed.events.iter().map(|e| (e.position.0, e.stream, e.sequence)).collect();
        let session = StreamId::session(SessionId(Uuid::from_u128(50)));
        let ann = StreamId::user(user(1));
        assert_eq!(places, [(1, ann, 1), (2, ann, 2), (3, session, 1)]);
        assert_eq!(store.load(ann).await.unwrap(), committed.events[..2]);
        assert_eq!(store.load(session).await.unwrap(), committed.events[2..]);
        assert_eq!(store.holder(&address("ann@example.com")).await.unwrap(), Some(user(1).0));
        assert_eq!(Place::rows(&store, "select id from outbox").await.len(), 1);
    }
}

on_both_databases! {
    async fn one_stale_stream_refuses_the_whole_change(place) {
        let store = place.store().await;
        let mut append = sign_up();
        append.streams[1].expected = 1;
        assert!(matches!(store.append(append).await, Err(AppendError::Conflict)));
        nothing_is_there(&store).await;
    }
}

/// Projections that fail over a ban.
#[derive(Debug)]
struct NoBans;

#[async_trait]
impl Inline for NoBans {
    async fn apply(&self, tables: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError> {
        tables.execute("create table if not exists folded (position bigint)", &[]).await?;
        for recorded in events {
            tables.execute("insert into folded values (1)", &[]).await?;
            if matches!(recorded.event, Event::User(UserEvent::Banned { .. })) {
                return Err(DatabaseError::Unexpected { table: "users".to_owned(), column: "banned" });
            }
        }
        Ok(())
    }
}

on_both_databases! {
    async fn projections_that_fail_undo_everything(place) {
        let store = place.store_with(Arc::new(NoBans)).await;
        let mut append = sign_up();
        append.streams[0].events.push(banned("spam").into());
        let refused = store.append(append).await;
        assert!(matches!(refused, Err(AppendError::Store(StoreError::Database(_)))), "{refused:?}");
        nothing_is_there(&store).await;
        // And the store goes on.
        store.append(change(vec![stream(user(2), 0, vec![signed_up("bob@example.com")])])).await.unwrap();
    }
}

/// Appends while the writer is held, so that all of them are one batch; the answers come in order.
async fn as_one_batch(
    store: &EventStore,
    hold: &Slow,
    appends: Vec<Append>,
) -> Vec<Result<Vec<u64>, AppendError>> {
    let holder = change(vec![stream(user(999), 0, vec![signed_up("first@example.com")])]);
    let all: Vec<_> = std::iter::once(holder).chain(appends).collect();
    let store = store.clone();
    let running = tokio::spawn(async move { store.append_all(all).await });
    // While the writer waits with what came first, the rest gathers.
    hold.holds_one().await;
    hold.release(1000);
    let mut answers = running.await.unwrap().unwrap().into_iter();
    answers.next().unwrap().unwrap();
    answers.map(|answer| answer.map(|done| done.events.iter().map(|e| e.position.0).collect())).collect()
}

on_both_databases! {
    async fn a_refused_change_does_not_hurt_its_neighbours(place) {
        let hold = Slow::held();
        let store = place.store_with(hold.clone()).await;
        let answers = as_one_batch(&store, &hold, vec![
            change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])]),
            change(vec![stream(user(2), 0, vec![signed_up("ann@example.com")])]),
            change(vec![stream(user(3), 4, vec![signed_up("bob@example.com")])]),
            change(vec![stream(user(4), 0, vec![signed_up("cid@example.com")])]),
            change(vec![stream(user(1), 1, vec![banned("spam")])]),
        ])
        .await;
        assert!(matches!(&answers[0], Ok(positions) if *positions == [2]));
        assert!(matches!(&answers[1], Err(AppendError::ClaimTaken(ClaimKind::Email))));
        assert!(matches!(&answers[2], Err(AppendError::Conflict)));
        assert!(matches!(&answers[3], Ok(positions) if *positions == [3]));
        // What was decided on a change of the same batch holds, too.
        assert!(matches!(&answers[4], Ok(positions) if *positions == [4]));
        assert_eq!(store.head().await.unwrap().position, Position(4));
    }
}

on_both_databases! {
    async fn a_poisoned_change_does_not_hurt_its_neighbours(place) {
        let hold = Slow::held();
        let store = place.store_with(hold.clone()).await;
        // The message's id is there already: the database refuses the row.
        Place::meddle(&store, "insert into outbox values ($1, 's', 'p', 0, 0, 0, null)", &[
            Uuid::from_u128(77).to_string().into(),
        ])
        .await;
        let mut appends: Vec<_> = (1..=9)
            .map(|n| change(vec![stream(user(n), 0, vec![signed_up(&format!("u{n}@example.com"))])]))
            .collect();
        appends[4].messages.push(message(77, user(5), "twice"));
        let answers = as_one_batch(&store, &hold, appends).await;
        for (i, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_err(), i == 4, "{i}: {answer:?}");
        }
        let mut positions: Vec<_> = answers.into_iter().flatten().flatten().collect();
        positions.sort_unstable();
        assert_eq!(positions, (2..=9).collect::<Vec<_>>());
        assert_eq!(store.head().await.unwrap().position, Position(9));
    }
}

on_both_databases! {
    /// PostgreSQL's texts hold no NUL, SQLite's do: it is refused or comes back whole, never cut.
    async fn a_nul_is_refused_or_kept(place) {
        let hold = Slow::held();
        let store = place.store_with(hold.clone()).await;
        let mut odd = change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])]);
        odd.provenance.actor =
            evident_domain::Actor::Admin { role: "service\0role".to_owned(), id: None };
        let good = change(vec![stream(user(2), 0, vec![signed_up("bob@example.com")])]);
        let answers = as_one_batch(&store, &hold, vec![odd.clone(), good]).await;
        assert!(answers[1].is_ok());
        assert_eq!(answers[0].is_err(), place.is_postgres());
        if answers[0].is_ok() {
            let read = store.load(StreamId::user(user(1))).await.unwrap().remove(0);
            assert_eq!(read.provenance.actor, odd.provenance.actor);
        }
    }
}
