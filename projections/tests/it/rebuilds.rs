//! Rebuilding, verifying and replaying while the server serves.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{AssuranceLevel, SessionEvent};
use evident_domain::{Actor, Position, SessionId, StreamId, Subject};
use evident_eventstore::{Contents, Database, Dialect, Tables};
use evident_projections::{
    DifferenceKind, Outcome, PATIENCE, ProjectionError, Silent, Until, clear_leftovers, outdated, rebuild,
    replay, status, verify,
};

use crate::support::{On, World, on_both, rows};

async fn world(on: On) -> World {
    let world = World::new(on).await;
    for n in 0..5 {
        world.sign_up(&format!("user{n}@example.com"), "A Name").await;
    }
    world
}

async fn execute(world: &World, sql: &str) {
    let mut transaction = world.store.database().transaction().await.unwrap();
    transaction.execute(sql, &[]).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Tables and indexes of the projections.
async fn relations(world: &World) -> BTreeSet<String> {
    let sql = match world.store.database().dialect() {
        Dialect::Sqlite => "select type || ' ' || replace(name, '__2', '') from sqlite_master",
        Dialect::Postgres => {
            "select relkind::text || ' ' || relname || coalesce(' ' || array_to_string(reloptions, ','), '') \
             || coalesce(' ' || pg_get_constraintdef(c.oid), '') \
             from pg_class left join pg_constraint c on conindid = pg_class.oid \
             where relnamespace = current_schema()::regnamespace"
        }
    };
    let rows = world.store.database().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row[0].as_text().unwrap().to_owned()).collect()
}

async fn difference(world: &World, name: &str) -> evident_projections::Difference {
    let found = verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap();
    assert!(!found.is_clean());
    let outcome = found.outcomes.into_iter().find(|(n, _)| *n == name).unwrap().1;
    match outcome {
        Outcome::Different(difference) => *difference,
        Outcome::Same { .. } => panic!("{name} is said to be clean"),
    }
}

#[test]
fn what_was_tampered_with_is_found_without_showing_it_and_mended() {
    on_both(async |on| {
        let world = world(on).await;
        let clean = world.rows().await;
        execute(&world, "update users set email = 'mallory@example.com' where email = 'user3@example.com'")
            .await;
        execute(&world, "delete from identities where email = 'user1@example.com'").await;
        execute(&world, "update user_counts set users = users + 1 where level = 40").await;
        execute(&world, "insert into sign_in_failures values ('x', 9, 1)").await;
        execute(&world, "update claims set position = 1 where claim = 'email:user3@example.com'").await;

        let found = difference(&world, "users").await;
        assert!(matches!(found.kind, DifferenceKind::Column { name: "email", .. }));
        let said = found.to_string();
        assert!(!format!("{found:?}").contains('@') && !said.contains('@'));
        assert!(
            said.contains("email is text of 19 bytes") && said.contains("and text of 17 bytes"),
            "{said}"
        );
        execute(&world, "update users set email = 'user3@example.com', role = 'admin' where email = 'mallory@example.com'").await;
        let said = difference(&world, "users").await.to_string();
        assert!(said.contains("role is \"admin\", and \"authenticated\" by the log"), "{said}");
        assert!(difference(&world, "identities").await.kind == DifferenceKind::Missing);
        assert!(difference(&world, "sign_in_failures").await.kind == DifferenceKind::Extra);
        assert!(!difference(&world, "claims").await.to_string().contains('@'));

        rebuild(&world.store, &["users"], PATIENCE, &Silent).await.unwrap();
        let users = verify(&world.store, &["users"], world.folder.path(), &Silent).await.unwrap();
        assert!(users.is_clean());
        rebuild(&world.store, &[], PATIENCE, &Silent).await.unwrap();
        assert_eq!(world.rows().await, clean);
        assert!(verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap().is_clean());
    });
}

#[test]
fn counters_are_verified_too() {
    on_both(async |on| {
        let world = world(on).await;
        execute(&world, "update user_counts set users = users + 1 where level = 40").await;
        let found = difference(&world, "users").await;
        assert_eq!(found.table, "user_counts");
    });
}

#[test]
fn digests_are_the_same_before_and_after_a_rebuild_and_on_a_replay() {
    on_both(async |on| {
        let world = world(on).await;
        let before = verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap();
        rebuild(&world.store, &[], PATIENCE, &Silent).await.unwrap();
        assert_eq!(verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap(), before);
        let leftovers: Vec<_> = std::fs::read_dir(world.folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("verify"))
            .collect();
        assert!(leftovers.is_empty());
    });
}

#[test]
fn the_server_goes_on_committing_meanwhile() {
    on_both(async |on| {
        let world = world(on).await;
        let working = async {
            for _ in 0..4 {
                rebuild(&world.store, &[], PATIENCE, &Silent).await.unwrap();
                let found = verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap();
                assert!(found.is_clean(), "{found:?}");
            }
        };
        let committing = async {
            for n in 100.. {
                world.sign_up(&format!("user{n}@example.com"), "A Name").await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! { () = working => {}, () = committing => {} }
        assert!(world.store.head().await.unwrap().position > Position(20));
        assert!(verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap().is_clean());
    });
}

#[test]
fn tables_and_indexes_are_what_they_were_however_often_they_are_rebuilt() {
    on_both(async |on| {
        let world = world(on).await;
        if world.store.database().dialect() == Dialect::Postgres {
            execute(&world, "alter table claims set (autovacuum_enabled = off)").await;
        }
        let before = relations(&world).await;
        for _ in 0..3 {
            rebuild(&world.store, &[], PATIENCE, &Silent).await.unwrap();
            assert_eq!(relations(&world).await, before);
        }
    });
}

#[test]
fn what_a_crashed_rebuild_left_is_cleared_away() {
    on_both(async |on| {
        let world = world(on).await;
        let before = relations(&world).await;
        execute(&world, "create table users_shadow as select * from users").await;
        execute(&world, "create table identities_old as select * from identities").await;
        execute(&world, "insert into projection_rebuild values (1, 'dead', 7)").await;
        rebuild(&world.store, &["users"], Duration::from_millis(50), &Silent).await.unwrap();
        assert_eq!(relations(&world).await, before);

        execute(&world, "create table sessions_old as select * from sessions").await;
        clear_leftovers(&world.store, PATIENCE).await.unwrap();
        assert_eq!(relations(&world).await, before);
    });
}

#[test]
fn only_one_rebuild_runs_at_a_time() {
    on_both(async |on| {
        let world = world(on).await;
        execute(&world, "insert into projection_rebuild values (1, 'alive', 7)").await;
        let alive = async {
            loop {
                execute(&world, "update projection_rebuild set beat = beat + 1").await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = alive => {},
            outcome = rebuild(&world.store, &[], Duration::from_millis(500), &Silent) => {
                assert!(matches!(outcome, Err(ProjectionError::Busy)), "{outcome:?}");
            }
        }
    });
}

#[test]
fn a_rebuild_that_fails_changes_nothing() {
    on_both(async |on| {
        let world = world(on).await;
        let (before, made) = (world.rows().await, relations(&world).await);
        assert!(matches!(
            rebuild(&world.store, &["nonsense"], PATIENCE, &Silent).await,
            Err(ProjectionError::Unknown(..))
        ));
        execute(&world, "delete from events where position = 4").await;
        let outcome = rebuild(&world.store, &[], PATIENCE, &Silent).await;
        assert!(matches!(outcome, Err(ProjectionError::Gap(Position(3)))), "{outcome:?}");
        assert_eq!((world.rows().await, relations(&world).await), (before, made));
    });
}

#[test]
fn an_upgrade_knows_which_tables_to_rebuild() {
    on_both(async |on| {
        let world = World::new(on).await;
        assert!(outdated(&world.store).await.unwrap().is_empty(), "an empty log needs no rebuild");
        world.sign_up("ann@example.com", "Ann").await;
        assert!(outdated(&world.store).await.unwrap().is_empty());
        execute(&world, "update projections set version = 0 where name = 'users'").await;
        execute(&world, "delete from projections where name = 'sessions'").await;
        assert_eq!(outdated(&world.store).await.unwrap(), ["users", "sessions"]);
        rebuild(&world.store, &["users", "sessions"], PATIENCE, &Silent).await.unwrap();
        assert!(outdated(&world.store).await.unwrap().is_empty());
        let status = status(&world.store).await.unwrap();
        let users = status.iter().find(|status| status.name == "users").unwrap();
        assert_eq!(users.built.as_ref().unwrap().position, Position(2));
    });
}

#[test]
fn a_replay_shows_an_earlier_day_and_overwrites_nothing() {
    on_both(async |on| {
        let world = world(on).await;
        let then = world.rows().await;
        let (head, now) = (world.store.head().await.unwrap().position, world.clock.last());
        world.sign_up("late@example.com", "Late").await;

        for (name, until) in [("position.db", Until::Position(head)), ("time.db", Until::Time(now))] {
            let file = world.folder.path().join(name);
            assert_eq!(replay(&world.store, until, &file, &Silent).await.unwrap(), head);
            let again = replay(&world.store, until, &file, &Silent).await;
            assert!(matches!(again, Err(ProjectionError::Exists(_))));
            let replayed = Database::open_sqlite(&file, Contents::Keys).await.unwrap();
            assert_eq!(rows(&replayed).await, then);
            assert!(replayed.query("select * from events", &[]).await.is_err(), "no log in a replay");
            replayed.close().await;
        }
        let before = Until::Time(now - TimeDelta::days(365));
        let empty = world.folder.path().join("empty.db");
        assert_eq!(replay(&world.store, before, &empty, &Silent).await.unwrap(), Position(0));

        let beyond = world.folder.path().join("beyond.db");
        let outcome = replay(&world.store, Until::Position(Position(1_000)), &beyond, &Silent).await;
        assert!(matches!(outcome, Err(ProjectionError::NotYet { .. })));
        assert!(!beyond.exists());
    });
}

#[test]
fn nodes_that_take_turns_never_fold_onto_a_stale_row() {
    on_both(async |on| {
        let mut world = World::new(on).await;
        let user = world.sign_up("ann@example.com", "Ann").await;
        let other = world.another_node().await;
        let mut nodes = [world.store.clone(), other];
        let session = SessionId(world.entropy.uuid());
        let now = world.clock.now();
        let mut event = SessionEvent::Started {
            user,
            amr: Vec::new(),
            aal: AssuranceLevel::Aal1,
            not_after: None,
            started_at: now,
            client: None,
            scopes: None,
            slides: false,
            impersonator: None,
        };
        // Each proof is added to those in the row: one that is old loses some.
        for version in 0..24_u64 {
            let streams = vec![(StreamId::session(session), version, vec![event.into()])];
            world.append(Subject::User(user), Actor::Visitor, streams).await.unwrap();
            let method = format!("proof-{version}");
            event = SessionEvent::SteppedUp { method, at: now, aal: AssuranceLevel::Aal2, factor: None };
            // One, two or three in a row, so that a node trusts its memory now and then.
            if version % 6 == 0 || version % 6 == 2 || version % 6 == 5 {
                nodes.swap(0, 1);
                world.store = nodes[0].clone();
            }
        }
        let row = &world.rows().await["sessions"][0];
        assert_eq!(row[6].as_text().unwrap().matches("proof-").count(), 23);
        assert!(verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap().is_clean());
    });
}

/// Whether somebody waits for a lock on a table, on PostgreSQL.
async fn is_waited_for(world: &World, table: &str) -> bool {
    let sql = "select 1 from pg_locks where relation = to_regclass($1) and not granted";
    !world.store.database().query(sql, &[table.into()]).await.unwrap().is_empty()
}

#[test]
fn whoever_uses_tables_while_they_are_swapped_waits_and_is_not_ended() {
    on_both(async |on| {
        if on == On::Sqlite {
            return;
        }
        let world = world(on).await;
        let others = world.connected_beside().await;
        let mut first = others.transaction().await.unwrap();
        first.query("select count(*) from identities", &[]).await.unwrap();
        let mut second = others.transaction().await.unwrap();
        second.query("select count(*) from sessions", &[]).await.unwrap();

        let store = world.store.clone();
        let rebuilding = tokio::spawn(async move { rebuild(&store, &[], PATIENCE, &Silent).await });
        // It has the users and waits for their identities; then for sessions, which belong to who asks for users.
        while !is_waited_for(&world, "identities").await {
            assert!(!rebuilding.is_finished(), "{:?}", rebuilding.await);
            tokio::task::yield_now().await;
        }
        let asking = tokio::spawn(async move {
            let counted = second.query("select count(*) from users", &[]).await;
            second.commit().await.unwrap();
            counted
        });
        while !asking.is_finished() && !is_waited_for(&world, "users").await {
            tokio::task::yield_now().await;
        }
        first.commit().await.unwrap();
        assert_eq!(asking.await.unwrap().unwrap()[0][0].as_int(), Some(5));
        rebuilding.await.unwrap().unwrap();
    });
}
