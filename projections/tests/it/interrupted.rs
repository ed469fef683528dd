//! Rebuilds that are interrupted go on, whatever else wants to rebuild meanwhile.

use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::SessionEvent;
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Email, Event, Position, SessionId, StreamId, Subject, UserId};
use evident_eventstore::{Dialect, EventStore, Tables, Value};
use evident_projections::{
    Limits, Outcome, Progress, ProjectionError, Rebuilt, Silent, clear_leftovers, rebuild, rebuild_within,
    status, verify,
};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::directory::happened;
use crate::support::{On, World, on_both, runtime, session_started};

/// So little that everything is written again and again.
const TIGHT: Limits = Limits { page: 7, pages: 3, behind: 3, groups: 5, kept: 5, stretch: 30, indexed: 10 };
/// Whoever holds the lease here is dead.
const SOON: Duration = Duration::from_millis(300);

/// A log in which many groups are touched many times.
async fn world(on: On) -> World {
    let world = World::new(on).await;
    let mut sessions = Vec::new();
    for n in 0..25 {
        let user = world.sign_up(&format!("user{n}@example.com"), "A Name").await;
        let (session, now) = (SessionId(world.entropy.uuid()), world.clock.now());
        let event = session_started(user, now);
        append(&world, user, session, 0, event).await;
        sessions.push((user, session));
    }
    for version in 1..6_u64 {
        for (user, session) in &sessions {
            let event = SessionEvent::Refreshed { generation: version, at: world.clock.now() };
            append(&world, *user, *session, version, event).await;
        }
    }
    world
}

async fn append(world: &World, user: UserId, session: SessionId, version: u64, event: SessionEvent) {
    let streams = vec![(StreamId::session(session), version, vec![event.into()])];
    world.append(Subject::User(user), Actor::User { id: user }, streams).await.unwrap();
}

async fn execute(world: &World, sql: &str) {
    execute_in(&world.store, sql).await;
}

async fn execute_in(store: &EventStore, sql: &str) {
    let mut transaction = store.database().transaction().await.unwrap();
    transaction.execute(sql, &[]).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Does something once a rebuild has come to a position, and has it wait for that.
struct When<F> {
    at: u64,
    then: Mutex<Option<F>>,
}

impl<F: FnOnce() + Send> When<F> {
    fn reached(at: u64, then: F) -> Self {
        Self { at, then: Mutex::new(Some(then)) }
    }
}

impl<F: FnOnce() + Send> Progress for When<F> {
    fn begin(&self, _: &str, _: u64) {}

    fn at(&self, done: u64) {
        let then = if done >= self.at { self.then.lock().unwrap().take() } else { None };
        if let Some(then) = then {
            then();
        }
    }
}

/// Begins a rebuild that dies in the middle as the process would: nothing is cleared away.
fn interrupt(world: &World, at: u64) {
    interrupt_within(world, at, TIGHT);
}

fn interrupt_within(world: &World, at: u64, limits: Limits) {
    block_in_place(|| {
        // A runtime with connections of its own is the process: whatever it was about to write is over, or given
        // up, once it is gone.
        let process = runtime();
        let store = process.block_on(world.opened_again());
        let dies = When::reached(at, || std::panic::resume_unwind(Box::new("the process died")));
        let running = process.spawn(async move { rebuild_within(&store, &[], SOON, limits, &dies).await });
        let died = process.block_on(running).is_err_and(|error| error.is_panic());
        assert!(died, "it was over before it could be interrupted");
    });
}

async fn go_on(world: &World) -> Rebuilt {
    rebuild_within(&world.store, &[], SOON, TIGHT, &Silent).await.unwrap()
}

async fn shadows(world: &World) -> i64 {
    let sql = match world.store.database().dialect() {
        Dialect::Sqlite => "select count(*) from sqlite_master where type = 'table' and name like '%_shadow'",
        Dialect::Postgres => {
            "select count(*) from pg_class where relkind = 'r' and relname like '%_shadow' \
             and relnamespace = current_schema()::regnamespace"
        }
    };
    world.store.database().query(sql, &[]).await.unwrap()[0][0].as_int().unwrap()
}

/// Indexes of a table that a statement made.
async fn indexes(world: &World, table: &str) -> i64 {
    let sql = match world.store.database().dialect() {
        Dialect::Sqlite => {
            "select count(*) from sqlite_master where type = 'index' and tbl_name = $1 and sql is not null"
        }
        Dialect::Postgres => "select count(*) from pg_index where indrelid = to_regclass($1)",
    };
    world.store.database().query(sql, &[table.into()]).await.unwrap()[0][0].as_int().unwrap()
}

async fn assert_clean(world: &World) {
    let found = verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap();
    assert!(found.is_clean(), "{found:?}");
}

#[test]
fn an_interrupted_rebuild_goes_on_from_where_it_last_wrote() {
    on_both(async |on| {
        let world = world(on).await;
        let before = world.rows().await;
        interrupt(&world, 120);
        assert_eq!(world.rows().await, before, "the live tables are as they were");
        // What happens meanwhile is not lost.
        world.sign_up("late@example.com", "Late").await;
        let expected = world.rows().await;
        let rebuilt = go_on(&world).await;
        assert!(rebuilt.resumed_at >= Position(60), "{:?}", rebuilt.resumed_at);
        assert_eq!(world.rows().await, expected);
        assert_eq!(shadows(&world).await, 0);
        assert_clean(&world).await;
        assert_eq!(go_on(&world).await.resumed_at, Position(0), "nothing is left to go on from");
    });
}

#[test]
fn a_shadow_that_grows_large_gets_its_indexes_on_the_way() {
    on_both(async |on| {
        let world = world(on).await;
        let made = indexes(&world, "users").await;
        interrupt(&world, 150);
        let on_the_way = indexes(&world, "users_shadow").await;
        match world.store.database().dialect() {
            Dialect::Sqlite => assert_eq!(on_the_way, made),
            Dialect::Postgres => assert!(on_the_way < made, "there they are made at the end"),
        }
        if world.store.database().dialect() == Dialect::Sqlite {
            // As where the process died between the rows and the indexes.
            let names = "select name from sqlite_master where tbl_name = 'users_shadow' and type = 'index' \
                         and sql is not null";
            for row in world.store.database().query(names, &[]).await.unwrap() {
                execute(&world, &format!("drop index {}", row[0].as_text().unwrap())).await;
            }
            // So much more that it writes several times: each time it waits for what it wrote before.
            for n in 0..30 {
                world.sign_up(&format!("more{n}@example.com"), "More").await;
            }
            interrupt(&world, world.store.head().await.unwrap().position.0 - 1);
            assert_eq!(indexes(&world, "users_shadow").await, made);
        }
        go_on(&world).await;
        assert_eq!(indexes(&world, "users").await, made);
        assert_clean(&world).await;
    });
}

#[test]
fn a_shadow_whose_groups_are_read_finds_them_in_an_index() {
    on_both(async |on| {
        let world = world(on).await;
        let users =
            world.store.database().query("select id from users order by created_at limit 1", &[]).await;
        let user = UserId(users.unwrap()[0][0].as_text().unwrap().parse().unwrap());
        let by_holder = async || {
            let sql = match world.store.database().dialect() {
                Dialect::Sqlite => {
                    "select sql from sqlite_master where tbl_name = 'claims_shadow' and sql like '%(holder%'"
                }
                Dialect::Postgres => {
                    "select 1 from pg_index where indrelid = to_regclass('claims_shadow') \
                     and pg_get_indexdef(indexrelid) like '%(holder%'"
                }
            };
            world.store.database().query(sql, &[]).await.unwrap().len()
        };
        // Nobody's claims come up again by then.
        let early = Limits { indexed: u64::MAX, ..TIGHT };
        interrupt_within(&world, 120, early);
        assert_eq!(by_holder().await, 0);
        happened(
            &world,
            user,
            UserEvent::EmailChanged { email: Email::parse("other@example.com").unwrap().into() },
        )
        .await;
        let head = world.store.head().await.unwrap().position;
        interrupt_within(&world, head.0, early);
        assert_eq!(by_holder().await, 1);
        go_on(&world).await;
        assert_clean(&world).await;
    });
}

#[test]
fn nothing_vacuums_a_shadow_by_itself() {
    on_both(async |on| {
        let world = world(on).await;
        let database = world.store.database();
        if database.dialect() == Dialect::Sqlite {
            return;
        }
        interrupt(&world, 60);
        let vacuumed = "select relname::text from pg_class where relkind = 'r' and relname like '%_shadow' \
                        and relnamespace = current_schema()::regnamespace \
                        and not coalesce(reloptions, '{}') @> '{autovacuum_enabled=off}'";
        assert_eq!(database.query(vacuumed, &[]).await.unwrap(), Vec::<Vec<Value>>::new());
        assert!(shadows(&world).await > 15);
    });
}

#[test]
fn digests_do_not_depend_on_how_often_it_was_interrupted() {
    on_both(async |on| {
        let world = world(on).await;
        rebuild(&world.store, &[], SOON, &Silent).await.unwrap();
        let digests = async || {
            let all = status(&world.store).await.unwrap();
            all.into_iter().map(|s| (s.name, s.built.unwrap().digest.unwrap())).collect::<Vec<_>>()
        };
        let whole = digests().await;
        interrupt(&world, 60);
        interrupt(&world, 130);
        interrupt(&world, 180);
        assert!(go_on(&world).await.resumed_at > Position(130));
        assert_eq!(digests().await, whole);
        let found = verify(&world.store, &[], world.folder.path(), &Silent).await.unwrap();
        for (name, outcome) in found.outcomes {
            let Outcome::Same { rows, digest } = outcome else { panic!("{name} differs") };
            assert!(whole.contains(&(name, digest)), "{name}");
            assert_eq!(rows, digest.rows());
        }
    });
}

#[test]
fn what_would_be_made_otherwise_now_is_not_gone_on_with() {
    on_both(async |on| {
        let world = world(on).await;
        let before = world.rows().await;
        for change in [
            "update projection_shadows set version = 0 where name = 'users'",
            "alter table sessions add column later text",
            "update projection_shadows set position = 100000 where name = 'claims'",
            "drop table identities_shadow",
        ] {
            interrupt(&world, 120);
            execute(&world, change).await;
            assert_eq!(go_on(&world).await.resumed_at, Position(0), "{change}");
            assert_clean(&world).await;
        }
        let mut after = world.rows().await;
        for row in after.get_mut("sessions").unwrap() {
            assert_eq!(row.pop(), Some(Value::Null));
        }
        assert_eq!(after, before);
    });
}

#[test]
fn one_that_was_replaced_while_it_slept_does_no_harm() {
    on_both(async |on| {
        let world = world(on).await;
        let before = world.rows().await;
        let (store, replaced) = (world.store.clone(), world.store.clone());
        let sleeps = When::reached(60, move || {
            let replace = "update projection_rebuild set owner = 'another', beat = 0";
            block_in_place(|| Handle::current().block_on(execute_in(&replaced, replace)));
        });
        let first = tokio::spawn(async move { rebuild_within(&store, &[], SOON, TIGHT, &sleeps).await });
        let outcome = first.await.unwrap();
        assert!(matches!(outcome, Err(ProjectionError::Superseded)), "{outcome:?}");
        assert_eq!(world.rows().await, before);
        go_on(&world).await;
        assert_eq!(world.rows().await, before);
        assert_clean(&world).await;
    });
}

#[test]
fn of_two_that_are_started_at_once_one_waits_or_gives_way() {
    on_both(async |on| {
        let world = world(on).await;
        let before = world.rows().await;
        let one = || rebuild_within(&world.store, &[], Duration::from_millis(20), TIGHT, &Silent);
        let (first, second, third) = tokio::join!(one(), one(), one());
        let outcomes = [first, second, third];
        assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
        for outcome in outcomes {
            assert!(
                matches!(outcome, Ok(_) | Err(ProjectionError::Busy | ProjectionError::Superseded)),
                "{outcome:?}"
            );
        }
        assert_eq!(world.rows().await, before);
        assert_eq!(shadows(&world).await, 0);
        assert_clean(&world).await;
    });
}

#[test]
fn what_was_left_waits_for_a_day_but_not_when_somebody_was_erased() {
    on_both(async |on| {
        let world = world(on).await;
        let user = world.sign_up("gone@example.com", "Gone").await;
        interrupt(&world, 120);
        let left = shadows(&world).await;
        assert!(left > 0);
        clear_leftovers(&world.store, SOON).await.unwrap();
        assert_eq!(shadows(&world).await, left, "somebody may go on");

        let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
        let version = world.store.load(StreamId::user(user)).await.unwrap().len() as u64;
        let erased = vec![(StreamId::user(user), version, vec![Event::User(UserEvent::Erased {})])];
        world.append(Subject::User(user), admin, erased).await.unwrap();
        clear_leftovers(&world.store, SOON).await.unwrap();
        assert_eq!(shadows(&world).await, 0, "it may hold what must be forgotten");

        interrupt(&world, 120);
        world.clock.skip_micros(TimeDelta::days(2).num_microseconds().unwrap());
        clear_leftovers(&world.store, SOON).await.unwrap();
        assert_eq!(shadows(&world).await, 0, "nobody came");
        assert_clean(&world).await;
    });
}

/// How far a rebuild said it was.
#[derive(Default)]
struct Seen(Mutex<Vec<u64>>);

impl Progress for Seen {
    fn begin(&self, _: &str, _: u64) {}

    fn at(&self, done: u64) {
        self.0.lock().unwrap().push(done);
    }
}

#[test]
fn one_that_makes_an_index_for_long_is_alive() {
    on_both(async |on| {
        let world = world(on).await;
        if world.store.database().dialect() == Dialect::Sqlite {
            // There it makes them one by one, and nobody could take its place before it is done.
            return;
        }
        let holder = world.connected_beside().await;
        let (holds, held) = tokio::sync::oneshot::channel();
        let stands_in_the_way = When::reached(150, move || {
            let transaction = block_in_place(|| {
                Handle::current().block_on(async {
                    let mut transaction = holder.transaction().await.unwrap();
                    let lock = "lock table sessions_shadow in row exclusive mode";
                    transaction.execute(lock, &[]).await.unwrap();
                    transaction
                })
            });
            assert!(holds.send(transaction).is_ok());
        });
        let store = world.store.clone();
        let first =
            tokio::spawn(async move { rebuild_within(&store, &[], SOON, TIGHT, &stands_in_the_way).await });
        let transaction = held.await.unwrap();
        // Both of its connections are to make an index there.
        let waiting =
            "select 1 from pg_locks where not granted and relation = to_regclass('sessions_shadow')";
        while world.store.database().query(waiting, &[]).await.unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Twice as long as it says nothing at most.
        let second = rebuild(&world.store, &[], Duration::from_secs(4), &Silent).await;
        assert!(matches!(second, Err(ProjectionError::Busy)), "{second:?}");
        transaction.commit().await.unwrap();
        first.await.unwrap().unwrap();
        assert_clean(&world).await;
    });
}

#[test]
fn progress_begins_where_the_rebuild_does() {
    on_both(async |on| {
        let world = world(on).await;
        interrupt(&world, 120);
        let seen = Seen::default();
        rebuild_within(&world.store, &[], SOON, TIGHT, &seen).await.unwrap();
        let seen = seen.0.lock().unwrap().clone();
        assert!(seen[0] >= 60 && seen.is_sorted(), "{seen:?}");
    });
}
