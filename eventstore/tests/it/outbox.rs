//! Messages go out once they are committed, to one worker at a time, until they are dropped.

use chrono::TimeDelta;
use evident_domain::{Position, Subject, Time};
use evident_eventstore::{Append, DueMessage, EventStore};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Place, change, message, noon, on_both_databases, signed_up, stream, user};

fn minutes(number: i64) -> Time {
    noon() + TimeDelta::minutes(number)
}

async fn send(store: &EventStore, ids: std::ops::Range<u128>) {
    let messages = ids.map(|id| message(id, user(1), &format!("message {id}"))).collect();
    store.append(Append { messages, ..change(Vec::new()) }).await.unwrap();
}

fn ids(messages: &[DueMessage]) -> Vec<u128> {
    messages.iter().map(|message| message.id.as_u128()).collect()
}

on_both_databases! {
    async fn a_message_is_taken_hidden_postponed_and_dropped(place) {
        let store = place.store().await;
        assert!(store.take_due_messages(minutes(0), minutes(5), 10).await.unwrap().is_empty());
        send(&store, 1..4).await;
        assert_eq!(store.head().await.unwrap().position, Position(0));

        let taken = store.take_due_messages(minutes(0), minutes(5), 2).await.unwrap();
        assert_eq!(ids(&taken), [1, 2]);
        assert_eq!(taken[0].payload, Some(json!({"text": "message 1"})));
        assert_eq!(taken[0].attempts, 0);
        assert_eq!(ids(&store.take_due_messages(minutes(1), minutes(6), 10).await.unwrap()), [3]);
        // The worker died with 1 and 3; 2 was sent.
        store.drop_message(Uuid::from_u128(2)).await.unwrap();
        assert_eq!(store.take_due_messages(minutes(4), minutes(9), 10).await.unwrap().len(), 0);
        let again = store.take_due_messages(minutes(6), minutes(10), 10).await.unwrap();
        assert_eq!(ids(&again), [1, 3]);
        assert_eq!(again[0].attempts, 1);
        store.postpone_message(Uuid::from_u128(1), minutes(60), "the server is away").await.unwrap();
        assert_eq!(ids(&store.take_due_messages(minutes(20), minutes(30), 10).await.unwrap()), [3]);
        let late = store.take_due_messages(minutes(61), minutes(70), 10).await.unwrap();
        assert_eq!(ids(&late), [3, 1]);
        assert_eq!(late[1].attempts, 2);
        let why = Place::rows(&store, "select last_error from outbox order by id").await;
        assert_eq!(why[0][0].as_text(), Some("the server is away"));
    }
}

on_both_databases! {
    async fn two_workers_never_get_one_message(place) {
        let mut nodes = vec![place.store().await];
        nodes.push(if place.is_postgres() { place.store().await } else { nodes[0].clone() });
        send(&nodes[0], 1..101).await;
        let mut workers = Vec::new();
        for n in 0..6 {
            let node = nodes[n % 2].clone();
            workers.push(tokio::spawn(async move {
                let mut got = Vec::new();
                for _ in 0..200 {
                    got.extend(ids(&node.take_due_messages(minutes(1), minutes(9), 7).await.unwrap()));
                }
                got
            }));
        }
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (1..101).collect::<Vec<_>>());
    }
}

on_both_databases! {
    async fn a_message_to_an_erased_person_has_no_content(place) {
        let store = place.store().await;
        send(&store, 1..2).await;
        store.forget(&Subject::User(user(1))).await.unwrap();
        let due = store.take_due_messages(minutes(0), minutes(5), 10).await.unwrap();
        assert_eq!(ids(&due), [0; 0], "it is gone");
        // One that was under way meanwhile.
        send(&store, 2..3).await;
        let due = store.take_due_messages(minutes(0), minutes(5), 10).await.unwrap();
        assert_eq!((ids(&due), due[0].payload.clone()), (vec![2], None));
    }
}

on_both_databases! {
    async fn a_damaged_message_does_not_keep_the_others_back(place) {
        let store = place.store().await;
        send(&store, 1..4).await;
        let other = "update outbox set payload = (select payload from outbox where id = $1) where id = $2";
        let [one, two] = [1, 2].map(|id| Uuid::from_u128(id).to_string().into());
        Place::meddle(&store, other, &[one, two]).await;
        let due = store.take_due_messages(minutes(0), minutes(5), 10).await.unwrap();
        assert_eq!(ids(&due), [1, 2, 3]);
        assert_eq!(due.iter().map(|m| m.payload.is_some()).collect::<Vec<_>>(), [true, false, true]);
    }
}

on_both_databases! {
    async fn a_refused_change_sends_nothing(place) {
        let store = place.store().await;
        let messages = vec![message(1, user(1), "welcome")];
        let stale = change(vec![stream(user(1), 3, vec![signed_up("ann@example.com")])]);
        store.append(Append { messages, ..stale }).await.unwrap_err();
        assert!(store.take_due_messages(minutes(0), minutes(5), 10).await.unwrap().is_empty());
    }
}
