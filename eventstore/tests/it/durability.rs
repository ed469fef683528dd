//! What an acknowledged commit rests on.

use std::os::unix::fs::PermissionsExt;

use evident_eventstore::{Contents, Database, EventStore, Tables};

use crate::support::{Place, change, on_both_databases, signed_up, stream, user};

async fn pragma(database: &Database, name: &str) -> String {
    let mut transaction = database.transaction().await.unwrap();
    let value = transaction.query(&format!("pragma {name}"), &[]).await.unwrap().remove(0).remove(0);
    value.as_text().map_or_else(|| value.as_int().unwrap().to_string(), str::to_owned)
}

#[tokio::test]
async fn sqlite_syncs_every_commit_and_overwrites_what_it_deletes() {
    let place = Place::sqlite();
    for contents in [Contents::Log, Contents::Keys] {
        let database = place.database(contents).await;
        assert_eq!(pragma(&database, "synchronous").await, "2");
        assert_eq!(pragma(&database, "journal_mode").await, "wal");
        assert_eq!(pragma(&database, "secure_delete").await, "1");
        assert_eq!(pragma(&database, "foreign_keys").await, "1");
    }
}

#[tokio::test]
async fn sqlite_files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("data").join("evident.db");
    let database = Database::open_sqlite(&path, Contents::Log).await.unwrap();
    let mut transaction = database.transaction().await.unwrap();
    transaction.execute("update log_head set writer_epoch = writer_epoch + 1", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(path.parent().unwrap().parent().unwrap()), 0o700);
}

#[tokio::test]
async fn postgres_sees_what_was_committed_before_whatever_the_servers_default_is() {
    let Some(place) = Place::postgres().await else { return };
    place.store().await.database().close().await;
    let mut admin: sqlx::PgConnection = sqlx::Connection::connect(place.url()).await.unwrap();
    let sql = "do $$ begin execute format('alter database %I set default_transaction_isolation = \
               ''serializable''', current_database()); end $$";
    sqlx::Executor::execute(&mut admin, sql).await.unwrap();

    let nodes = [place.store().await, place.store().await];
    let database = nodes[0].database();
    for mut transaction in [database.transaction().await.unwrap(), database.transaction().await.unwrap()] {
        let level = transaction.query("show transaction_isolation", &[]).await.unwrap();
        assert_eq!(level[0][0].as_text(), Some("read committed"));
    }
    let mut writers = Vec::new();
    for n in 0..40 {
        let node: EventStore = nodes[n % 2].clone();
        let n = u128::try_from(n).unwrap();
        let events = vec![signed_up(&format!("u{n}@example.com"))];
        writers
            .push(tokio::spawn(async move { node.append(change(vec![stream(user(n), 0, events)])).await }));
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

on_both_databases! {
    /// Two processes that start at once, on a place that has no tables yet.
    async fn two_that_open_a_new_place_at_once_both_can(place) {
        for contents in [Contents::Log, Contents::Keys] {
            tokio::join!(place.database(contents), place.database(contents), place.database(contents));
        }
    }
}

#[tokio::test]
async fn a_schema_is_a_name_and_nothing_else() {
    let Some(place) = Place::postgres().await else { return };
    let Place::Postgres(options) = place else { return };
    for schema in ["", "a; drop table x", "A", "a\"b", "pg_own"] {
        let options = evident_eventstore::PostgresOptions { schema: schema.to_owned(), ..options.clone() };
        assert!(Database::open_postgres(&options, Contents::Log).await.is_err(), "{schema:?}");
    }
    // Words of the language are fine.
    for schema in ["order", "user", "1st"] {
        let options = evident_eventstore::PostgresOptions { schema: schema.to_owned(), ..options.clone() };
        for contents in [Contents::Log, Contents::Keys] {
            Database::open_postgres(&options, contents).await.unwrap();
        }
    }
}
