//! Personal values stand nowhere readable, stay where they were put, and go with their key.

use evident_domain::user::UserEvent;
use evident_domain::{Event, Personal, Position, SessionId, StreamId, Subject};
use evident_eventstore::{Append, EventStore, Filter, StoreError, Value};
use futures::StreamExt;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    ADDRESS, AGENT, Place, banned, change, linked, message, on_both_databases, signed_up, started, stream,
    user,
};

const SECRETS: [&str; 7] =
    [ADDRESS, "Netscape", "ann@example.com", "Onymous", "rude words", "g-4711", "hello Ann"];

async fn ann_lives(store: &EventStore) {
    let events = vec![signed_up("ann@example.com"), linked(20, "google", "g-4711"), banned("rude words")];
    let streams = vec![stream(user(1), 0, events), started(SessionId(Uuid::from_u128(50)), user(1))];
    let messages = vec![message(9, user(1), "hello Ann")];
    store.append(Append { messages, ..change(streams) }).await.unwrap();
}

on_both_databases! {
    async fn no_personal_value_stands_in_the_log_or_the_outbox(place) {
        let store = place.store().await;
        ann_lives(&store).await;
        for table in ["events", "outbox"] {
            let rows = Place::rows(&store, &format!("select * from {table}")).await;
            assert!(!rows.is_empty());
            for cell in rows.iter().flatten() {
                let text = match cell {
                    Value::Text(text) => text.clone(),
                    Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Value::Null | Value::Bool(_) | Value::Int(_) => continue,
                };
                for secret in SECRETS {
                    assert!(!text.contains(secret), "{table}: {text}");
                }
            }
        }
        // And all of it reads.
        let read = store.load(StreamId::user(user(1))).await.unwrap();
        assert_eq!(read[0].event, Event::User(signed_up("ann@example.com")));
        assert_eq!(read[0].provenance.ip, Some(Personal::Known(ADDRESS.parse().unwrap())));
        assert_eq!(read[0].provenance.user_agent, Some(Personal::Known(AGENT.to_owned())));
        assert_eq!(read[0].provenance.client.as_deref(), Some("supabase-js/2.0"));
    }
}

on_both_databases! {
    async fn what_is_as_deep_as_a_text_may_be_reads_again(place) {
        let store = place.store().await;
        let deep = |levels: usize| {
            let inner = (2..levels).fold(json!(1), |value, _| json!([value]));
            let patch = serde_json::from_value(json!({ "a": inner })).unwrap();
            UserEvent::MetadataChanged { patch: Personal::Known(patch) }
        };
        // A text by itself has 127 levels at most.
        let events: Vec<_> = [2, 124, 125, 126, 127].map(deep).into();
        store.append(change(vec![stream(user(1), 0, events.clone())])).await.unwrap();
        let read = store.load(StreamId::user(user(1))).await.unwrap();
        let read: Vec<_> = read.into_iter().map(|recorded| recorded.event).collect();
        assert_eq!(read, events.into_iter().map(Event::User).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn no_personal_value_stands_in_the_files() {
    let place = Place::sqlite();
    let store = place.store().await;
    ann_lives(&store).await;
    for entry in std::fs::read_dir(place.file("")).unwrap() {
        let path = entry.unwrap().path();
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        // The claims hold the address: that is their purpose, and erasure removes it.
        for secret in SECRETS.iter().filter(|secret| !["ann@example.com", "g-4711"].contains(*secret)) {
            assert!(!content.contains(secret), "{secret} in {}", path.display());
        }
    }
}

on_both_databases! {
    async fn a_ciphertext_that_was_moved_is_an_error(place) {
        let store = place.store().await;
        let events = vec![banned("first"), banned("second")];
        store.append(change(vec![stream(user(1), 0, events)])).await.unwrap();
        store.append(change(vec![stream(user(1), 2, vec![banned("third")])])).await.unwrap();
        let swap = |column: &str| {
            format!("update events set {column} = (select {column} from events where position = 2) where position = 1")
        };
        let read = |store: EventStore| async move { store.load(StreamId::user(user(1))).await };
        assert!(read(store.clone()).await.is_ok());
        let first = Place::rows(&store, "select payload, metadata from events where position = 1").await.remove(0);
        for (i, column) in ["payload", "metadata"].into_iter().enumerate() {
            Place::meddle(&store, &swap(column), &[]).await;
            let broken = read(store.clone()).await;
            assert!(matches!(broken, Err(StoreError::Codec(_))), "{column}: {broken:?}");
            let cast = if place.is_postgres() { "::json" } else { "" };
            let back = format!("update events set {column} = $1{cast} where position = 1");
            Place::meddle(&store, &back, &[first[i].clone()]).await;
            assert!(read(store.clone()).await.is_ok());
        }
    }
}

on_both_databases! {
    async fn a_ciphertext_in_another_field_is_an_error(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let row = Place::rows(&store, "select payload, metadata from events").await.remove(0);
        let mut payload: serde_json::Value = serde_json::from_str(row[0].as_text().unwrap()).unwrap();
        payload["user_metadata"] = payload["app_metadata"].clone();
        let mut metadata: serde_json::Value = serde_json::from_str(row[1].as_text().unwrap()).unwrap();
        metadata["user_agent"] = metadata["ip"].clone();
        for (column, text) in [("payload", payload.to_string()), ("metadata", metadata.to_string())] {
            let cast = if place.is_postgres() { "::json" } else { "" };
            Place::meddle(&store, &format!("update events set {column} = $1{cast}"), &[text.into()]).await;
            let broken = store.load(StreamId::user(user(1))).await;
            assert!(matches!(broken, Err(StoreError::Codec(_))), "{column}: {broken:?}");
        }
    }
}

on_both_databases! {
    async fn a_destroyed_key_makes_everything_it_sealed_unreadable(place) {
        let store = place.store().await;
        ann_lives(&store).await;
        store.append(change(vec![stream(user(2), 0, vec![signed_up("bob@example.com")])])).await.unwrap();
        store.append(change(vec![stream(user(1), 3, vec![UserEvent::Erased {}])])).await.unwrap();
        store.forget(&Subject::User(user(1))).await.unwrap();
        store.forget(&Subject::User(user(1))).await.unwrap();

        // On this node, and on one that starts later.
        for node in [store.clone(), place.store().await] {
            let read = node.page(Position(0), 10, &Filter::default()).await.unwrap();
            assert_eq!(read.len(), 6);
            for recorded in read {
                let erased = recorded.subject == Some(Subject::User(user(1)));
                assert_eq!(recorded.provenance.ip == Some(Personal::Erased), erased);
                if let Event::User(UserEvent::SignedUp { email, user_metadata, .. }) = recorded.event {
                    assert_eq!(email == Some(Personal::Erased), erased);
                    assert_eq!(user_metadata == Personal::Erased, erased);
                }
            }
        }
    }
}

on_both_databases! {
    /// A device of an erased person can still send its token; what it leaves must not bring back a key
    /// under which the old events would look tampered with.
    async fn what_comes_after_the_erasure_is_erased_at_once(place) {
        let store = place.store().await;
        ann_lives(&store).await;
        store.forget(&Subject::User(user(1))).await.unwrap();
        let late = crate::support::refreshed(SessionId(Uuid::from_u128(50)), user(1), 1);
        let messages = vec![message(10, user(1), "hello again Ann")];
        store.append(Append { messages, ..change(vec![late]) }).await.unwrap();

        for node in [store.clone(), place.store().await] {
            let items: Vec<_> = node.read(Position(0), Filter::default()).collect().await;
            assert_eq!(items.len(), 5);
            for item in items {
                assert_eq!(item.unwrap().provenance.ip, Some(Personal::Erased));
            }
        }
        let now = crate::support::noon() + chrono::TimeDelta::hours(1);
        let due = store.take_due_messages(now, now + chrono::TimeDelta::minutes(1), 10).await.unwrap();
        // The one from before is gone.
        assert_eq!(due.iter().map(|message| message.payload.is_none()).collect::<Vec<_>>(), [true]);
    }
}

on_both_databases! {
    async fn an_old_event_reads_in_its_new_shape(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![banned("spam")])])).await.unwrap();
        let golden = include_str!("../../../domain/tests/golden/user.banned@1.0.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        // The store seals the old shape itself: the field's name is part of what the ciphertext is bound to.
        let id = Place::rows(&store, "select event_id from events").await.remove(0).remove(0);
        let key = store.vault().subject_key(&Subject::User(user(1))).await.unwrap();
        let mut old = golden.clone();
        let (id, chance) = (id.as_text().unwrap(), crate::support::Chance::new(1_000_000));
        evident_eventstore::seal::seal_payload(&mut old, &key, id, &chance).unwrap();
        assert_ne!(old, golden);
        let cast = if place.is_postgres() { "::json" } else { "" };
        let sql = format!("update events set event_version = '1.0', payload = $1{cast}");
        Place::meddle(&store, &sql, &[old.to_string().into()]).await;
        let read = store.load(StreamId::user(user(1))).await.unwrap();
        assert_eq!(read[0].event, Event::User(banned("spam")));
    }
}
