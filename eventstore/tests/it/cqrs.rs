//! Programs written for cqrs-es work on our log: with our store, and with the stock ones for reading.

use std::collections::HashMap;

use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{CqrsFramework, DomainEvent, EventStore as _};
use evident_domain::session::{ReusePolicy, Session, SessionCommand, SessionEvent, Start};
use evident_domain::user::{User, UserCommand, UserEvent};
use evident_domain::{Actor, Personal, Position, SessionId, StreamId, Subject};
use evident_eventstore::{CqrsStore, Filter};
use postgres_es::PostgresEventRepository;
use sqlite_es::SqliteEventRepository;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use uuid::Uuid;

use crate::support::{banned, change, email, noon, on_both_databases, signed_up, started, stream, user};

on_both_databases! {
    async fn the_framework_executes_commands_on_our_log(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let users = CqrsFramework::<User, _>::new(CqrsStore::new(store.clone()), Vec::new(), ());
        let ann = user(1).to_string();
        let metadata = HashMap::from([("actor".to_owned(), "operator".to_owned())]);
        let ban = UserCommand::Ban { until: None, reason: Some("spam".to_owned()) };
        users.execute_with_metadata(&ann, ban, metadata).await.unwrap();
        users.execute(&ann, UserCommand::Unban).await.unwrap();
        users.execute("no id", UserCommand::Unban).await.unwrap_err();

        let session = SessionId(Uuid::from_u128(50));
        let sessions = CqrsFramework::<Session, _>::new(CqrsStore::new(store.clone()), Vec::new(), ());
        let start = Start { user: user(1), method: "password".to_owned(), not_after: None, slides: false, client: None, impersonator: None, now: noon() };
        sessions.execute(&session.to_string(), SessionCommand::Start(start)).await.unwrap();
        let policy = ReusePolicy { interval_seconds: 10, parent_always: true, revoke_on_reuse: true };
        let refresh = SessionCommand::Refresh { generation: 0, now: noon(), policy };
        sessions.execute(&session.to_string(), refresh).await.unwrap();

        let read = store.page(Position(0), 10, &Filter::default()).await.unwrap();
        let kinds: Vec<_> = read.iter().map(|recorded| recorded.event.kind().0).collect();
        let expected =
            ["user.signed_up", "user.banned", "user.unbanned", "session.started", "session.refreshed"];
        assert_eq!(kinds, expected);
        assert_eq!(read[1].provenance.actor, Actor::Operator);
        // A session's events are its user's data: they go with the user.
        assert!(read.iter().all(|recorded| recorded.subject == Some(Subject::User(user(1)))));
    }
}

on_both_databases! {
    async fn a_commit_from_an_old_state_is_a_conflict(place) {
        let store = place.store().await;
        let users = CqrsStore::<User>::new(store.clone());
        let ann = user(1).to_string();
        let [first, second] = [users.load_aggregate(&ann).await.unwrap(), users.load_aggregate(&ann).await.unwrap()];
        let events = vec![signed_up("ann@example.com")];
        let envelopes = users.commit(events.clone(), first, HashMap::new()).await.unwrap();
        assert_eq!(envelopes[0].sequence, 1);
        let refused = users.commit(events, second, HashMap::new()).await;
        assert!(matches!(refused, Err(cqrs_es::AggregateError::AggregateConflict)));
        assert_eq!(users.load_events(&ann).await.unwrap().len(), 1);
    }
}

/// What a stock repository reads of Ann's streams.
async fn check_stock<R: PersistedEventRepository + 'static>(repository: R) {
    let ann = user(1).to_string();
    let raw = repository.get_events::<User>(&ann).await.unwrap();
    assert_eq!(raw.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(raw[1].event_type, "user.banned");
    assert_eq!(raw[1].event_version, "2.0");
    assert_eq!(raw[1].aggregate_type, "user");
    let metadata: HashMap<String, String> = serde_json::from_value(raw[0].metadata.clone()).unwrap();
    assert_eq!(metadata["actor"], "visitor");

    let session = Uuid::from_u128(50).to_string();
    let sessions = repository.get_events::<Session>(&session).await.unwrap();
    let event: SessionEvent = serde_json::from_value(sessions[0].payload.clone()).unwrap();
    assert!(matches!(event, SessionEvent::Started { user: ann, .. } if ann == user(1)));

    // Through the stock store, down to the aggregate: it folds, and what is personal stays sealed.
    let store = PersistedEventStore::<_, User>::new_event_store(repository);
    let events = store.load_events(&ann).await.unwrap();
    let UserEvent::SignedUp { email: address, user_metadata, .. } = &events[0].payload else {
        panic!("{:?}", events[0])
    };
    assert!(matches!(address, Some(Personal::Sealed(_))));
    assert!(matches!(user_metadata, Personal::Sealed(_)));
    assert_eq!(events[2].payload.event_type(), "user.email_changed");
    assert_eq!(events[2].metadata["surface"], "gotrue");
    store.load_aggregate(&ann).await.unwrap();
}

on_both_databases! {
    async fn the_stock_repositories_read_our_streams(place) {
        let store = place.store().await;
        let changed = UserEvent::EmailChanged { email: email("anna@example.com").into() };
        let events = vec![signed_up("ann@example.com"), banned("spam"), changed];
        let session = started(SessionId(Uuid::from_u128(50)), user(1));
        store.append(change(vec![stream(user(1), 0, events), session])).await.unwrap();
        assert_eq!(store.load(StreamId::user(user(1))).await.unwrap().len(), 3);
        if place.is_postgres() {
            let options: sqlx::postgres::PgConnectOptions = place.url().parse().unwrap();
            let pool = PgPoolOptions::new()
                .max_connections(2)
                .connect_with(options.options([("search_path", "evident")]))
                .await
                .unwrap();
            check_stock(PostgresEventRepository::new(pool)).await;
        } else {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.file("evident.db"));
            let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
            check_stock(SqliteEventRepository::new(pool)).await;
        }
    }
}
