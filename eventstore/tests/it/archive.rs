//! Events as they lie in the log: they carry all that their row has, and nothing that can be read without
//! a key.

use evident_domain::{Position, SessionId};
use evident_eventstore::archive::{ArchiveLine, Broken, SealedContent};
use evident_eventstore::{Filter, Value};
use uuid::Uuid;

use crate::support::{
    ADDRESS, Place, change, on_both_databases, refreshed, signed_up, started, stream, user,
};

on_both_databases! {
    async fn a_sealed_event_is_its_row_and_reads_back_from_a_line(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let session = SessionId(Uuid::from_u128(7));
        store.append(change(vec![started(session, user(1))])).await.unwrap();
        store.append(change(vec![refreshed(session, user(1), 1)])).await.unwrap();

        let rows = Place::rows(
            &store,
            "select aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
             position, event_id, occurred_at, actor, subject, salt, content_digest, leaf_hash \
             from events order by position",
        )
        .await;
        let sealed = store.sealed_page(Position(0), 10, &Filter::default()).await.unwrap();
        assert_eq!(sealed.len(), rows.len());
        for (row, sealed) in rows.iter().zip(&sealed) {
            sealed.check().unwrap();
            assert_eq!(&sealed.event.to_row().unwrap(), row);
            let line = serde_json::to_string(&ArchiveLine::Event(sealed.event.clone())).unwrap();
            assert!(!line.contains("ann@example.com") && !line.contains(ADDRESS), "{line}");
            assert_eq!(serde_json::from_str::<ArchiveLine>(&line).unwrap(), ArchiveLine::Event(sealed.event.clone()));
        }
        let rest = store.sealed_page(Position(1), 1, &Filter::default()).await.unwrap();
        assert_eq!(rest[0].event, sealed[1].event);
    }
}

on_both_databases! {
    async fn what_was_changed_behind_the_log_is_seen(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let sealed = store.sealed_page(Position(0), 1, &Filter::default()).await.unwrap().remove(0);
        let broken = |edit: fn(&mut SealedContent)| {
            let mut sealed = sealed.clone();
            sealed.event.content.as_mut().map(edit).unwrap();
            sealed.check()
        };
        assert_eq!(broken(|content| content.payload.push(' ')), Err(Broken::Content));
        assert_eq!(broken(|content| content.metadata.push(' ')), Err(Broken::Content));
        assert_eq!(broken(|content| content.salt[0] ^= 1), Err(Broken::Content));
        let mut moved = sealed.clone();
        moved.event.leaf.time += 1;
        assert_eq!(moved.check(), Err(Broken::LeafHash));
        assert!(matches!(sealed.event.to_row().unwrap()[5], Value::Text(_)));
    }
}
