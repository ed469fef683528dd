//! What is left after broken connections, panics and callers that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use evident_domain::user::UserEvent;
use evident_domain::{Event, Position, Recorded, StreamId, Subject};
use evident_eventstore::{
    Append, AppendError, DatabaseError, EventStore, Filter, Inline, StoreError, Tables, Value,
};
use tokio::time::{sleep, timeout};

use crate::support::{
    Place, Proxy, Slow, banned, change, message, on_both_databases, signed_up, stream, user,
};

fn sign_up(number: u128) -> Append {
    change(vec![stream(user(number), 0, vec![signed_up(&format!("u{number}@example.com"))])])
}

/// Projections that panic over a ban, and listeners that panic over a sign-up of the last user.
#[derive(Debug)]
struct Panics;

#[async_trait]
impl Inline for Panics {
    async fn apply(&self, _: &mut dyn Tables, events: &[Recorded]) -> Result<(), DatabaseError> {
        let ban = |r: &Recorded| matches!(r.event, Event::User(UserEvent::Banned { .. }));
        assert!(!events.iter().any(ban), "no bans");
        Ok(())
    }

    fn committed(&self, events: &[Recorded]) {
        assert!(events.iter().all(|r| r.stream != StreamId::user(user(99))), "not ninety-nine");
    }
}

on_both_databases! {
    async fn a_panic_in_a_projection_is_answered_and_the_store_goes_on(place) {
        let store = place.store_with(Arc::new(Panics)).await;
        for round in 0..3 {
            store.append(sign_up(round)).await.unwrap();
            let panicked = store.append(change(vec![stream(user(round), 1, vec![banned("spam")])])).await;
            assert!(matches!(panicked, Err(AppendError::Store(StoreError::Panicked))), "{panicked:?}");
        }
        // A listener that panics does not unmake what is committed.
        store.append(sign_up(99)).await.unwrap();
        assert_eq!(store.head().await.unwrap().position, Position(4));
    }
}

on_both_databases! {
    /// Requests are cancelled at every moment, also while they begin or commit a transaction.
    async fn callers_that_go_away_leave_no_transaction_open(place) {
        let store = place.store().await;
        for round in 0..150_u64 {
            let store = store.clone();
            let wait = Duration::from_micros(round * 13 % 900);
            let number = 1000 + u128::from(round);
            let _ = timeout(wait, async {
                // Makes a key, appends, and works on the outbox.
                let append = Append { messages: vec![message(number, user(number), "hi")], ..sign_up(number) };
                store.append(append).await.unwrap();
                let now = crate::support::noon();
                store.take_due_messages(now, now, 1).await.unwrap();
                store.drop_message(uuid::Uuid::from_u128(number)).await.unwrap();
            })
            .await;
            let _ = timeout(wait, async {
                let mut transaction = store.database().transaction().await.unwrap();
                transaction.execute("update log_head set writer_epoch = 7", &[]).await.unwrap();
                sleep(Duration::from_secs(60)).await;
            })
            .await;
            let _ = timeout(wait, async {
                let _lock = store.lock_head().await.unwrap();
                sleep(Duration::from_secs(60)).await;
            })
            .await;
        }
        timeout(Duration::from_secs(20), store.append(sign_up(1))).await.unwrap().unwrap();
        assert_eq!(Place::rows(&store, "select writer_epoch from log_head").await[0][0], Value::Int(0));
        let all = store.page(Position(0), 1000, &Filter::default()).await.unwrap();
        assert!(all.iter().map(|r| r.position.0).eq(1..=store.head().await.unwrap().position.0));
    }
}

on_both_databases! {
    async fn those_who_wait_for_the_head_do_not_keep_the_writer_from_it(place) {
        let store = place.store().await;
        let lock = store.lock_head().await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..6 {
            let store = store.clone();
            waiting.push(tokio::spawn(async move { store.lock_head().await.map(drop) }));
        }
        sleep(Duration::from_millis(100)).await;
        let running = tokio::spawn({
            let store = store.clone();
            async move { store.append(sign_up(1)).await }
        });
        sleep(Duration::from_millis(100)).await;
        assert_eq!(lock.position(), Position(0));
        lock.commit().await.unwrap();
        timeout(Duration::from_secs(20), running).await.unwrap().unwrap().unwrap();
        for waiting in waiting {
            waiting.await.unwrap().unwrap();
        }
    }
}

/// Runs a statement as the database's administrator.
async fn administer(place: &Place, sql: &str) {
    let mut admin: sqlx::PgConnection = sqlx::Connection::connect(place.url()).await.unwrap();
    sqlx::Executor::execute(&mut admin, sql).await.unwrap();
}

const END_CONNECTIONS: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
     where datname = current_database() and application_name = 'evident'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_broke_while_they_lay_idle_are_replaced_unnoticed() {
    let Some(place) = Place::postgres().await else { return };
    let store = place.store().await;
    for round in 0..5 {
        // Several connections of the reading pool are open.
        let all = Filter::default();
        let reads = (0..4).map(|_| store.page(Position(0), 10, &all));
        for read in futures::future::join_all(reads).await {
            read.unwrap();
        }
        store.append(sign_up(round)).await.unwrap();
        administer(&place, END_CONNECTIONS).await;
        let reads = (0..4).map(|_| store.page(Position(0), 10, &all));
        for read in futures::future::join_all(reads).await {
            assert_eq!(read.unwrap().len(), usize::try_from(round).unwrap() + 1);
        }
        store.append(sign_up(100 + round)).await.unwrap();
        let undo = change(vec![stream(user(100 + round), 1, vec![UserEvent::Erased {}])]);
        store.append(undo).await.unwrap();
        store.forget(&Subject::User(user(100 + round))).await.unwrap();
        assert_eq!(store.load(StreamId::user(user(100 + round))).await.unwrap().len(), 2);
        administer(
            &place,
            &format!("delete from evident.events where aggregate_id = '{}'", user(100 + round)),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_whose_connection_breaks_goes_on_by_another() {
    let Some(place) = Place::postgres().await else { return };
    let store = place.store().await;
    let signing_up = |n| stream(user(n), 0, vec![signed_up(&format!("u{n}@example.com"))]);
    store.append(change((1..=100).map(signing_up).collect())).await.unwrap();
    let (mut walk, mut positions) = (store.walk(Position(0), Position(100), 1), Vec::new());
    while let Some(stretch) = walk.next().await.unwrap() {
        if positions.len() % 40 == 5 {
            administer(&place, END_CONNECTIONS).await;
        }
        let page = store.open_stretch(stretch).await.unwrap();
        positions.extend(page.iter().map(|event| event.position.0));
    }
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_inside_a_batch_costs_nothing() {
    let Some(place) = Place::postgres().await else { return };
    let hold = Slow::held();
    let store = place.store_with(hold.clone()).await;
    let running = tokio::spawn({
        let store = store.clone();
        async move { store.append(sign_up(1)).await }
    });
    hold.holds_one().await;
    administer(&place, END_CONNECTIONS).await;
    hold.release(10);
    assert_eq!(running.await.unwrap().unwrap().events[0].position, Position(1));
    assert_eq!(store.load(StreamId::user(user(1))).await.unwrap().len(), 1);
}

/// Projections that ask the database to cut the connection at the commit, so many times: before it takes
/// place, or just after.
#[derive(Debug)]
struct CutAtCommit(AtomicU32);

#[async_trait]
impl Inline for CutAtCommit {
    async fn apply(&self, tables: &mut dyn Tables, _: &[Recorded]) -> Result<(), DatabaseError> {
        let more = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if more.is_ok() {
            tables.execute("insert into evident.cuts values (pg_backend_pid())", &[]).await?;
        }
        Ok(())
    }
}

/// A trigger that runs inside the commit, and ends its own connection there.
const CUT: &str = "create table evident.cuts (pid int);
    create function evident.cut() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(new.pid); perform pg_sleep(5); return null; end $$;
    create constraint trigger cut after insert on evident.cuts deferrable initially deferred
        for each row execute function evident.cut();";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_did_not_take_place_is_made_again() {
    let Some(place) = Place::postgres().await else { return };
    let store = place.store_with(Arc::new(CutAtCommit(1.into()))).await;
    administer(&place, CUT).await;
    let first = Append { messages: vec![message(1, user(1), "hi")], ..sign_up(1) };
    assert_eq!(store.append(first).await.unwrap().events[0].position, Position(1));
    assert_eq!(store.append(sign_up(2)).await.unwrap().events[0].position, Position(2));
    assert_eq!(store.page(Position(0), 10, &Filter::default()).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_in_the_log() {
    let Some(place) = Place::postgres().await else { return };
    let proxy = Proxy::before(&place).await;
    let store = proxy.place(&place).store().await;
    for number in 0..5 {
        // The subject's key has a commit of its own, which is not the one to lose.
        store.vault().subject_key(&Subject::User(user(number))).await.unwrap();
        proxy.lose_the_next_answer();
        let messages = vec![message(number, user(number), "hi")];
        let committed = store.append(Append { messages, ..sign_up(number) }).await.unwrap();
        assert_eq!(committed.head.0, u64::try_from(number).unwrap() + 1);
    }
    // Only a message, and nothing else.
    proxy.lose_the_next_answer();
    let only = Append { messages: vec![message(50, user(1), "hi")], ..change(Vec::new()) };
    assert_eq!(store.append(only).await.unwrap().head, Position(5));
    assert_eq!(store.page(Position(0), 100, &Filter::default()).await.unwrap().len(), 5);
    assert_eq!(Place::rows(&store, "select id from outbox").await.len(), 6);
}

/// Alone on its log a node commits with a single statement, from its second batch on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_statement_whose_answer_is_lost_is_found_in_the_log() {
    let Some(place) = Place::postgres().await else { return };
    let proxy = Proxy::before(&place).await;
    let store = proxy.place(&place).store().await;
    for number in 0..5 {
        store.append(sign_up(100 + number)).await.unwrap();
        store.vault().subject_key(&Subject::User(user(number))).await.unwrap();
        proxy.lose_the_next_answer();
        let messages = vec![message(number, user(number), "hi")];
        let committed = store.append(Append { messages, ..sign_up(number) }).await.unwrap();
        assert!(!proxy.still_waits());
        assert_eq!(committed.head.0, 2 * u64::try_from(number).unwrap() + 2);
    }
    store.append(sign_up(200)).await.unwrap();
    proxy.lose_the_next_answer();
    let only = Append { messages: vec![message(50, user(1), "hi")], ..change(Vec::new()) };
    assert_eq!(store.append(only).await.unwrap().head, Position(11));
    assert!(!proxy.still_waits());
    assert_eq!(store.page(Position(0), 100, &Filter::default()).await.unwrap().len(), 11);
    assert_eq!(Place::rows(&store, "select id from outbox").await.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_can_ask_about_is_called_unknown() {
    let Some(place) = Place::postgres().await else { return };
    let proxy = Proxy::before(&place).await;
    let store = proxy.place(&place).store().await;
    store.append(sign_up(1)).await.unwrap();
    store.vault().subject_key(&Subject::User(user(2))).await.unwrap();
    proxy.lose_the_next_answer_and_close();
    let unknown = store.append(sign_up(2)).await;
    assert!(matches!(unknown, Err(AppendError::Store(StoreError::OutcomeUnknown))), "{unknown:?}");
    proxy.reopen();
    // It stands, as it happens, and the log goes on behind it.
    let again = store.append(sign_up(2)).await;
    assert!(matches!(again, Err(AppendError::Conflict)), "{again:?}");
    assert_eq!(store.append(sign_up(3)).await.unwrap().head, Position(3));
}

on_both_databases! {
    async fn a_head_that_is_damaged_is_told_and_not_built_upon(place) {
        let store: EventStore = place.store().await;
        store.append(sign_up(1)).await.unwrap();
        Place::meddle(&store, "update log_head set position = 7", &[]).await;
        let refused = store.append(sign_up(2)).await;
        let damaged = matches!(refused, Err(AppendError::Store(StoreError::Frontier(_))));
        assert!(damaged, "{refused:?}");
        Place::meddle(&store, "delete from log_head", &[]).await;
        store.append(sign_up(2)).await.unwrap_err();
        assert_eq!(store.page(Position(0), 10, &Filter::default()).await.unwrap().len(), 1);
    }
}
