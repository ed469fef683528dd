//! What the log is asked for is found along its indexes, and it is what a plain look at every event finds.

use evident_domain::attempt::AttemptEvent;
use evident_domain::ports::Entropy;
use evident_domain::session::{RevocationReason, SessionEvent};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, Position, SessionId, StreamId, Subject, Surface, UserId};
use evident_eventstore::Value;
use evident_projections::views::log::{self, LogCursor, LogFilter, Order, items_at, types_like};

use crate::support::{On, World, on_both, session_started};

struct Story {
    world: World,
    ada: UserId,
    bob: UserId,
    session: SessionId,
}

/// Ada and Bob sign up; Ada acts as an administrator, in Bob's name, and for herself.
async fn story(on: On) -> Story {
    let world = World::new(on).await;
    let ada = world.sign_up("ada@example.com", "Ada").await;
    let bob = world.sign_up("bob@example.com", "Bob").await;
    let session = SessionId(world.entropy.uuid());
    let at = world.clock.last();
    let started = session_started(ada, at);
    let (adas, bobs) = (Subject::User(ada), Subject::User(bob));
    let own = Actor::User { id: ada };
    let commit = async |subject: &Subject, actor, stream, expected, event: Event| {
        world.append(subject.clone(), actor, vec![(stream, expected, vec![event])]).await.unwrap();
    };
    commit(&adas, Actor::Visitor, StreamId::session(session), 0, started.into()).await;
    let confirmed = |stream| {
        let event: Event = UserEvent::EmailConfirmed {}.into();
        (stream, event)
    };
    let versions = world.store.load(StreamId::user(bob)).await.unwrap().len() as u64;
    for (n, actor) in [
        Actor::Admin { role: "support".to_owned(), id: Some(ada) },
        Actor::Impersonator { admin: ada, user: bob },
        Actor::Admin { role: "support".to_owned(), id: None },
        own.clone(),
    ]
    .into_iter()
    .enumerate()
    {
        let (stream, event) = confirmed(StreamId::user(bob));
        commit(&bobs, actor, stream, versions + n as u64, event).await;
    }
    let reused = AttemptEvent::RefreshTokenReused { user: ada, session, presented: 0, generation: 2 };
    commit(&adas, Actor::Visitor, StreamId::attempt(world.entropy.uuid()), 0, reused.into()).await;
    let refreshed = SessionEvent::Refreshed { generation: 1, at };
    commit(&adas, own.clone(), StreamId::session(session), 1, refreshed.into()).await;
    let ended = SessionEvent::Revoked { reason: RevocationReason::SignedOut };
    commit(&adas, own, StreamId::session(session), 2, ended.into()).await;
    Story { world, ada, bob, session }
}

async fn found(world: &World, filter: &LogFilter, order: Order, limit: usize) -> Vec<u64> {
    let before = Position(world.store.head().await.unwrap().position.0 + 1);
    let cursor = LogCursor { after: Position(0), before, order, limit };
    let positions = log::positions(&world.store, filter, &cursor).await.unwrap();
    positions.into_iter().map(|position| position.0).collect()
}

#[test]
fn the_indexes_lead_to_what_a_look_at_every_event_finds() {
    on_both(async |on| {
        let Story { world, ada, bob, session } = story(on).await;
        let head = world.store.head().await.unwrap().position.0;
        let every: Vec<_> = (1..=head).map(Position).collect();
        let items = items_at(&world.store, &every).await.unwrap();
        let events = world.store.at(&every).await.unwrap();
        let request = events[3].provenance.request_id;
        let types = |pattern| Some(types_like(pattern).into_iter().map(str::to_owned).collect());
        let all = LogFilter::default;
        let filters = [
            all(),
            LogFilter { user: Some(ada), ..all() },
            LogFilter { user: Some(bob), ..all() },
            LogFilter { about: Some(ada), ..all() },
            LogFilter { session: Some(session), ..all() },
            LogFilter { stream: Some(StreamId::session(session)), ..all() },
            LogFilter { stream: Some(StreamId::user(bob)), user: Some(ada), ..all() },
            LogFilter { stream: Some(StreamId::user(bob)), session: Some(session), ..all() },
            LogFilter { subject: Some(Subject::User(bob)), ..all() },
            LogFilter { session: Some(session), user: Some(ada), types: types("session.*"), ..all() },
            LogFilter { actor: Some(format!("user:{ada}")), ..all() },
            LogFilter { actor: Some("visitor".to_owned()), ..all() },
            LogFilter { actor: Some("admin:support".to_owned()), user: Some(bob), ..all() },
            LogFilter { types: types("user.email_confirmed"), user: Some(ada), ..all() },
            LogFilter { types: types("attempt.*"), ..all() },
            LogFilter { request: Some(request), ..all() },
            LogFilter { request: Some(request), user: Some(bob), ..all() },
            LogFilter { surface: Some(Surface::Gotrue), subject: Some(Subject::User(ada)), ..all() },
            LogFilter { surface: Some(Surface::Cli), ..all() },
            LogFilter { from: Some(events[4].occurred_at), ..all() },
            LogFilter { to: Some(events[4].occurred_at), user: Some(ada), ..all() },
            LogFilter { user: Some(UserId(world.entropy.uuid())), ..all() },
        ];
        for filter in &filters {
            let expected: Vec<u64> =
                items.iter().filter(|item| log::admits(filter, item)).map(|item| item.position().0).collect();
            assert_eq!(found(&world, filter, Order::OldestFirst, 1_000).await, expected, "{filter:?}");
            let newest: Vec<u64> = expected.iter().rev().take(2).copied().collect();
            assert_eq!(found(&world, filter, Order::NewestFirst, 2).await, newest, "{filter:?}");
        }
        // Ada in every role: herself, as an administrator, in Bob's name, and named.
        let hers = found(&world, &filters[1], Order::OldestFirst, 1_000).await;
        let by_support = events.iter().position(|event| {
            event.provenance.actor == Actor::Admin { role: "support".to_owned(), id: None }
        });
        let missing: Vec<u64> = (1..=head).filter(|position| !hers.contains(position)).collect();
        let of_bob = found(&world, &filters[2], Order::OldestFirst, 1_000).await;
        assert!(missing.contains(&(by_support.unwrap() as u64 + 1)), "{missing:?}");
        assert!(missing.iter().all(|position| of_bob.contains(position)), "{missing:?} {of_bob:?}");
        assert_eq!(missing.len() + 3, of_bob.len(), "{missing:?} {of_bob:?}");
    });
}

#[test]
fn who_acted_for_others_is_found_along_an_index_of_their_own() {
    on_both(async |on| {
        let world = World::new(on).await;
        if on == On::Postgres {
            return; // Its planner looks at so few rows one by one.
        }
        for (condition, index) in [
            (
                "substr(actor, length(actor) - 35) = 'x' and substr(actor, 1, 6) = 'admin:' \
                 and length(actor) > 42",
                "events_by_admin",
            ),
            (
                "substr(actor, length(actor) - 35) = 'x' and length(actor) = 81 \
                 and substr(actor, 42, 4) = ':by:'",
                "events_by_impersonator",
            ),
            (
                "substr(actor, 1, 41) = 'x' and length(actor) = 81 and substr(actor, 42, 4) = ':by:'",
                "events_by_impersonated",
            ),
        ] {
            let sql = format!(
                "explain query plan select position from events where position > 3 and {condition} \
                 order by position limit 3"
            );
            let plan = world.store.database().query(&sql, &[]).await.unwrap();
            let plan: Vec<_> = plan.iter().flatten().filter_map(Value::as_text).collect();
            assert!(plan.iter().any(|line| line.contains(index)), "{plan:?}");
            assert!(plan.iter().all(|line| !line.contains("TEMP B-TREE")), "{plan:?}");
        }
    });
}
