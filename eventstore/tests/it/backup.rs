//! A dump of PostgreSQL is a whole log: it goes on where it was.

use std::process::Stdio;

use evident_domain::{Position, StreamId};
use evident_eventstore::{Contents, Filter};

use crate::support::{Place, change, cluster_program, on_both_databases, signed_up, stream, user};

/// Runs `pg_dump | psql`.
fn copy(from: &str, to: &str) {
    let mut dump =
        cluster_program("pg_dump").args(["--no-owner", "-d", from]).stdout(Stdio::piped()).spawn().unwrap();
    let restored = cluster_program("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", to])
        .stdin(dump.stdout.take().unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(restored.success());
    assert!(dump.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_postgres_goes_on_where_the_dump_ended() {
    let Some(place) = Place::postgres().await else { return };
    let store = place.store().await;
    for n in 1..=5 {
        let events = vec![signed_up(&format!("u{n}@example.com"))];
        store.append(change(vec![stream(user(n), 0, events)])).await.unwrap();
    }
    let Some(other) = Place::postgres().await else { return };
    copy(place.url(), other.url());

    let restored = other.store().await;
    assert_eq!(restored.head().await.unwrap(), store.head().await.unwrap());
    let all = Filter::default();
    // The keys came along: everything reads, and reads the same.
    let read = restored.page(Position(0), 10, &all).await.unwrap();
    assert_eq!(read, store.page(Position(0), 10, &all).await.unwrap());
    assert_eq!(read.len(), 5);
    let taken = restored.append(change(vec![stream(user(9), 0, vec![signed_up("u1@example.com")])])).await;
    assert!(taken.is_err());
    let next = restored.append(change(vec![stream(user(9), 0, vec![signed_up("u9@example.com")])])).await;
    assert_eq!(next.unwrap().events[0].position, Position(6));
}

on_both_databases! {
    async fn a_closed_log_opens_again_and_goes_on(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let head = store.head().await.unwrap();
        store.database().close().await;
        assert!(store.append(change(vec![stream(user(2), 0, vec![signed_up("b@c")])])).await.is_err());
        drop(store);
        let store = place.store().await;
        assert_eq!(store.head().await.unwrap(), head);
        assert_eq!(*store.watch_head().borrow(), Position(1));
        assert_eq!(store.load(StreamId::user(user(1))).await.unwrap().len(), 1);
        let next = store.append(change(vec![stream(user(2), 0, vec![signed_up("b@c")])])).await.unwrap();
        assert_eq!(next.head, Position(2));
        // Both sets of tables are up to date already.
        place.database(Contents::Log).await;
        place.database(Contents::Keys).await;
    }
}
