//! A queue has an end.

use evident_domain::{Position, Subject};
use evident_eventstore::AppendError;
use tokio::task::JoinSet;

use crate::support::{Slow, change, on_both_databases, stream, user};

on_both_databases! {
    async fn a_full_queue_answers_that_it_is_overloaded_and_loses_nothing(place) {
        use evident_domain::user::UserEvent;
        let hold = Slow::held();
        let store = place.store_with(hold.clone()).await;
        // Their keys are there: the changes come as fast as they can be made.
        let people: Vec<_> = (0..1500).map(|n| Subject::User(user(n))).collect();
        store.vault().subject_keys(&people).await.unwrap();
        let mut running = JoinSet::new();
        for n in 0..1500 {
            let store = store.clone();
            let append = change(vec![stream(user(n), 0, vec![UserEvent::EmailConfirmed {}])]);
            running.spawn(async move { store.append(append).await });
        }
        // Nothing is answered but what found no room: nobody waits for ever, nobody is told a lie.
        let mut overloaded = 0;
        while let Ok(Some(answer)) =
            tokio::time::timeout(std::time::Duration::from_secs(3), running.join_next()).await
        {
            assert!(matches!(answer.unwrap(), Err(AppendError::Overloaded)));
            overloaded += 1;
        }
        assert!((1..=1500 - 1024).contains(&overloaded), "{overloaded}");
        hold.release(100_000);
        let mut committed = 0;
        while let Some(answer) = running.join_next().await {
            answer.unwrap().unwrap();
            committed += 1;
        }
        assert_eq!(committed + overloaded, 1500);
        assert_eq!(store.head().await.unwrap().position, Position(committed));
    }
}
