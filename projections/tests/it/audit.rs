//! Pages of the audit log give what a plain look at the whole log would give.

use std::time::Instant;

use evident_domain::attempt::{AdminRefusal, AttemptEvent};
use evident_domain::ports::Entropy;
use evident_domain::session::{AssuranceLevel, RevocationReason, SessionEvent};
use evident_domain::{Actor, Event, Position, SessionId, StreamId, Subject, UserId};
use evident_eventstore::{Filter, Value};
use evident_projections::audit::{self, AuditAction};
use evident_projections::views::{self, AuditQuery, AuditScope};

use crate::support::{On, World, on_both, session_started};

/// Events of a session: it begins, is refreshed most of the time, and ends.
fn session_events(user: UserId, world: &World, count: usize) -> Vec<Event> {
    let at = world.clock.last();
    let started = session_started(user, at);
    let between = (1..count - 1).map(|n| match n % 700 {
        0 => {
            SessionEvent::SteppedUp { method: "totp".to_owned(), at, aal: AssuranceLevel::Aal2, factor: None }
        }
        _ => SessionEvent::Refreshed { generation: n as u64, at },
    });
    let ended = SessionEvent::Revoked { reason: RevocationReason::SignedOut };
    std::iter::once(started).chain(between).chain([ended]).map(Event::Session).collect()
}

async fn long_log(on: On, sessions: usize, each: usize) -> World {
    let world = World::new(on).await;
    let ada = world.sign_up("ada@example.com", "Ada").await;
    let bob = world.sign_up("bob@example.com", "Bob").await;
    for n in 0..sessions {
        let user = if n % 10 == 0 { bob } else { ada };
        let stream = StreamId::session(SessionId(world.entropy.uuid()));
        let events = session_events(user, &world, each);
        world.append(Subject::User(user), Actor::Visitor, vec![(stream, 0, events)]).await.unwrap();
    }
    world
}

fn at(scope: AuditScope, offset: usize) -> AuditQuery {
    AuditQuery { scope, offset: offset as u64, limit: 7 }
}

#[test]
fn every_page_is_the_right_part_of_the_log() {
    on_both(async |on| {
        let world = long_log(on, 18, 1_000).await;
        let all: Vec<_> = world.store.page(Position(0), u32::MAX, &Filter::default()).await.unwrap();
        let newest_first: Vec<_> = all
            .iter()
            .rev()
            .filter_map(|event| Some((event.id, audit::action(event)?, audit::actor(event))))
            .collect();
        let scopes = [
            AuditScope::All,
            AuditScope::action("login"),
            AuditScope::action("token"),
            AuditScope::log_type("factor"),
            AuditScope::log_type("o"),
        ];
        for scope in scopes {
            let of_scope: Vec<_> = newest_first
                .iter()
                .filter(|(_, action, _)| match &scope {
                    AuditScope::Actions(actions) => actions.contains(action),
                    AuditScope::All | AuditScope::Author(_) => true,
                })
                .collect();
            let last = of_scope.len();
            for offset in [0, 1, 30, 250, 256, 499, 16_383, 16_384, 17_000, last - 3, last, last + 9] {
                let page = views::audit_page(&world.store, &at(scope.clone(), offset)).await.unwrap();
                let found: Vec<_> = page.entries.into_iter().map(|e| (e.id, e.action, e.actor)).collect();
                let expected: Vec<_> = of_scope.iter().skip(offset).take(7).copied().cloned().collect();
                assert_eq!((found, page.total), (expected, last as u64), "{scope:?} from {offset}");
            }
        }
        let bobs = AuditScope::Author("BOB@".to_owned());
        let page = views::audit_page(&world.store, &at(bobs, 1_500)).await.unwrap();
        assert_eq!(page.total, 2_000);
        assert!(page.entries.iter().all(|entry| entry.username == "bob@example.com"));
    });
}

/// A refresh of somebody's session, as an event of its own.
async fn refreshed(world: &World, of: UserId, who: Actor) {
    let stream = StreamId::session(SessionId(world.entropy.uuid()));
    let refreshed = SessionEvent::Refreshed { generation: 1, at: world.clock.last() };
    let streams = vec![(stream, 0, vec![Event::Session(refreshed)])];
    world.append(Subject::User(of), who, streams).await.unwrap();
}

#[test]
fn an_entry_is_a_letter_and_has_a_row_only_for_an_author_who_is_not_its_subject() {
    on_both(async |on| {
        let world = World::new(on).await;
        let ada = world.sign_up("ada@example.com", "Ada").await;
        let bob = world.sign_up("bob@example.com", "Bob").await;
        let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
        let by_bob = Actor::Impersonator { admin: bob, user: ada };
        for who in [Actor::Visitor, Actor::User { id: ada }, admin, by_bob, Actor::System] {
            refreshed(&world, ada, who).await;
        }
        let denied =
            AttemptEvent::AdminDenied { operation: "GET /admin".to_owned(), reason: AdminRefusal::NotAdmin };
        let stream = StreamId::attempt(world.entropy.uuid());
        world
            .append(Subject::Server, Actor::Visitor, vec![(stream, 0, vec![Event::Attempt(denied)])])
            .await
            .unwrap();

        let database = world.store.database();
        let authors =
            database.query("select actor from audit_authors order by entry desc limit 4", &[]).await.unwrap();
        let row = |actor: String| vec![Value::from(actor)];
        assert_eq!(
            authors,
            [row("system".to_owned()), row(format!("user:{bob}")), row("admin:service_role".to_owned())]
        );
        let letters = database.query("select letters from audit_actions", &[]).await.unwrap();
        let letters = letters[0][0].as_text().unwrap();
        let head = usize::try_from(world.store.head().await.unwrap().position.0).unwrap();
        // Behind what has no entry: one letter for each refresh, and one for who was denied.
        assert_eq!(&letters[head - 5..], ["zzzzzg", &".".repeat(255 - head)].concat());
        assert_eq!(letters.len(), 256);

        let total = async |scope: AuditScope| {
            let page = views::audit_page(&world.store, &at(scope, 0)).await.unwrap();
            assert_eq!(page.entries.len() as u64, page.total.min(7));
            page.total
        };
        let totals = async || {
            let author = |name: &str| AuditScope::Author(name.to_owned());
            [
                total(AuditScope::action("token_refreshed")).await,
                total(AuditScope::action("admin_denied")).await,
                total(author("ada@")).await,
                total(author("bob@")).await,
                total(author("service")).await,
            ]
        };
        let expected = [5, 1, 2, 1, 1];
        assert_eq!(totals().await, expected);
    });
}

/// Prints what pages of a long log take; `cargo test --release … -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn pages_of_a_million_events() {
    on_both(async |on| {
        let world = long_log(on, 1_000, 1_000).await;
        let queries = [
            ("first", at(AuditScope::All, 0)),
            ("deep", at(AuditScope::All, 777_777)),
            ("common action", at(AuditScope::action("token_refreshed"), 0)),
            ("common action, deep", at(AuditScope::action("token_refreshed"), 777_777)),
            ("rare action", at(AuditScope::Actions(vec![AuditAction::Login]), 0)),
            ("rare action, deep", at(AuditScope::Actions(vec![AuditAction::Login]), 900)),
            ("type", at(AuditScope::log_type("account"), 1_500)),
            ("author", at(AuditScope::Author("bob".to_owned()), 50)),
        ];
        for (name, query) in queries {
            for _ in 0..2 {
                let since = Instant::now();
                let query = AuditQuery { limit: 50, ..query.clone() };
                let total = views::audit_page(&world.store, &query).await.unwrap().total;
                println!("{on:?} {name}: {:?} (of {total})", since.elapsed());
            }
        }
    });
}
