//! Users in memory: lists of them are what the tables give, whatever happens, and they are kept no longer than
//! they shall be.

use std::time::Duration;

use evident_domain::access::Roles;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, IdentityId, Metadata, SessionId, StreamId, Subject, UserId};
use evident_eventstore::Tables;
use evident_projections::views::{
    self, Comparison, Condition, Direction, DirectoryQuery, UserField, UserPage,
};
use evident_projections::{Keeping, PATIENCE, Roster, Silent, rebuild};

use crate::directory::{all, happened};
use crate::directory_model::FIELDS;
use crate::support::{World, on_both, session_started, signing_up};

/// Time passes only where a test says so.
fn keeping() -> Keeping {
    Keeping { tick: Duration::MAX, ..Keeping::default() }
}

/// Leaves everything to the tables.
pub(crate) fn never() -> Roster {
    Roster::new(Keeping { users: 0, ..keeping() })
}

/// All users of a world in memory.
pub(crate) async fn kept(world: &World) -> Roster {
    let roster = Roster::new(keeping());
    load(world, &roster).await;
    assert!(roster.is_kept());
    roster
}

async fn load(world: &World, roster: &Roster) {
    roster.load(world.store.database());
    roster.settled().await;
}

async fn list(world: &World, roster: &Roster, query: &DirectoryQuery) -> UserPage {
    views::directory(world.store.database(), roster, query).await.unwrap()
}

/// Lists by one of the fields, and of those who have something in it, are those of the tables.
pub(crate) async fn agrees_with_tables(world: &World, roster: &Roster, field: UserField) {
    if !roster.is_kept() {
        load(world, roster).await;
    }
    let other = Condition { field, comparison: Comparison::NotEqual, values: vec!["true".to_owned()] };
    for (direction, conditions) in [(Direction::Ascending, vec![]), (Direction::Descending, vec![other])] {
        let query = DirectoryQuery { sort: Some((field, direction)), conditions, ..all(world) };
        let from_memory = list(world, roster, &query).await;
        let from_tables = list(world, &never(), &query).await;
        assert_eq!(from_memory, from_tables, "{query:?}");
    }
}

fn renamed(name: &str) -> UserEvent {
    UserEvent::MetadataChanged { patch: Metadata::default().with("name", name).into() }
}

async fn names(world: &World, roster: &Roster) -> Vec<String> {
    let by_name = Some((UserField::Name, Direction::Ascending));
    let page = list(world, roster, &DirectoryQuery { sort: by_name, ..all(world) }).await;
    page.users.into_iter().map(|view| view.user.name).collect()
}

#[test]
fn users_in_memory_change_as_the_tables_do() {
    on_both(async |on| {
        let world = World::new(on).await;
        let mut users = Vec::new();
        for n in 0..8 {
            users.push(world.sign_up(&format!("user{n}@example.com"), &format!("Name {n}")).await);
        }
        let roster = kept(&world).await;
        let agree = async || {
            for field in FIELDS {
                agrees_with_tables(&world, &roster, field).await;
            }
            assert!(roster.is_kept());
        };
        agree().await;
        users.push(world.sign_up("late@example.com", "Late").await);
        agree().await;
        let reason = Some("because".to_owned().into());
        let until = Some(Clock::now(&*world.clock) + chrono::TimeDelta::days(1));
        for (user, event) in [
            (0, renamed("Zoe")),
            (1, UserEvent::EmailConfirmed {}),
            (2, UserEvent::Banned { until, reason }),
            (3, UserEvent::AdminRolesChanged { roles: Roles::one("admin") }),
            (4, UserEvent::MailFactorEnabled {}),
            (8, renamed("Adam")),
        ] {
            happened(&world, users[user], event).await;
        }
        agree().await;
        let session = SessionId(world.entropy.uuid());
        let started = session_started(users[5], Clock::now(&*world.clock));
        let stream = (StreamId::session(session), 0, vec![Event::Session(started)]);
        world.append(Subject::User(users[5]), Actor::Visitor, vec![stream]).await.unwrap();
        agree().await;
        happened(&world, users[2], UserEvent::Unbanned {}).await;
        let closed = UserEvent::Deleted {
            email_digest: "digest".to_owned(),
            phone_digest: String::new(),
            identities: Vec::new(),
        };
        happened(&world, users[6], closed).await;
        happened(&world, users[7], UserEvent::Erased {}).await;
        agree().await;
        assert_eq!(names(&world, &roster).await.len(), 7);
    });
}

#[test]
fn a_table_that_was_built_anew_is_read_anew() {
    on_both(async |on| {
        let world = World::new(on).await;
        let user = world.sign_up("user@example.com", "Name").await;
        happened(&world, user, renamed("right")).await;
        let mut transaction = world.store.database().transaction().await.unwrap();
        transaction.execute("update users set name = 'wrong'", &[]).await.unwrap();
        transaction.commit().await.unwrap();
        let roster = kept(&world).await;
        assert_eq!(names(&world, &roster).await, ["wrong"]);
        rebuild(&world.store, &["users"], PATIENCE, &Silent).await.unwrap();
        assert_eq!(names(&world, &roster).await, ["right"]);
        assert!(!roster.is_kept());
        load(&world, &roster).await;
        assert!(roster.is_kept());
        assert_eq!(names(&world, &roster).await, ["right"]);
    });
}

#[test]
fn more_users_than_the_settings_allow_for_are_not_kept() {
    on_both(async |on| {
        let world = World::new(on).await;
        for n in 0..3 {
            world.sign_up(&format!("user{n}@example.com"), "Name").await;
        }
        let of_most = |users| Roster::new(Keeping { users, ..keeping() });
        for roster in [of_most(0), of_most(2)] {
            load(&world, &roster).await;
            assert!(!roster.is_kept());
            assert_eq!(names(&world, &roster).await.len(), 3);
        }
        let roster = of_most(3);
        load(&world, &roster).await;
        roster.tick(world.store.database()).await;
        assert!(roster.is_kept());
        world.sign_up("one.more@example.com", "Name").await;
        assert_eq!(names(&world, &roster).await.len(), 4);
        roster.tick(world.store.database()).await;
        assert!(!roster.is_kept());
        assert_eq!(names(&world, &roster).await.len(), 4);
    });
}

#[test]
fn users_are_kept_where_lists_are_slow_and_given_back_when_nobody_asks() {
    on_both(async |on| {
        let world = World::new(on).await;
        world.sign_up("user@example.com", "Name").await;
        let quick = Roster::new(Keeping { slow: Duration::MAX, ..keeping() });
        names(&world, &quick).await;
        quick.settled().await;
        assert!(!quick.is_kept());

        let slow = Roster::new(Keeping { slow: Duration::ZERO, idle: 3, ..keeping() });
        let before = names(&world, &slow).await;
        slow.settled().await;
        assert!(slow.is_kept() && slow.bytes() > 0);
        let ticks = async |n: usize| {
            for _ in 0..n {
                slow.tick(world.store.database()).await;
            }
        };
        ticks(3).await;
        assert_eq!(names(&world, &slow).await, before);
        // The question counts from here on.
        ticks(3).await;
        assert!(slow.is_kept());
        ticks(1).await;
        assert!(!slow.is_kept());
        assert_eq!(slow.bytes(), 0);
    });
}

#[test]
fn after_many_changes_all_users_are_read_anew() {
    on_both(async |on| {
        let world = World::new(on).await;
        let users: Vec<_> = (0..250).map(|_| UserId(world.entropy.uuid())).collect();
        let all_at = async |at: u64, event: &dyn Fn(UserId) -> Vec<UserEvent>| {
            let stream = |user: &UserId| {
                let events = event(*user).into_iter().map(Event::User).collect();
                (StreamId::user(*user), at, events)
            };
            let streams = users.iter().map(stream).collect();
            world.append(Subject::User(users[0]), Actor::Operator, streams).await.unwrap();
        };
        let identity = || IdentityId(world.entropy.uuid());
        let signing_up = |user| signing_up(user, identity(), &format!("{user}@example.com"), "Name");
        let sign_up_events = signing_up(users[0]).len() as u64;
        all_at(0, &signing_up).await;
        let roster = kept(&world).await;
        all_at(sign_up_events, &|_| vec![renamed("changed")]).await;
        let changed = Condition {
            field: UserField::Name,
            comparison: Comparison::Equal,
            values: vec!["changed".to_owned()],
        };
        let query = DirectoryQuery { conditions: vec![changed], ..all(&world) };
        assert_eq!(list(&world, &roster, &query).await.total, 250);
        let worn = roster.bytes();
        roster.tick(world.store.database()).await;
        assert!(roster.is_kept());
        assert_eq!(list(&world, &roster, &query).await.total, 250);
        let anew = roster.bytes();
        assert!(anew < worn, "{worn} bytes became {anew}");
    });
}
