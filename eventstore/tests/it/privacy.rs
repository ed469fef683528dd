//! Whose key seals what, and what is left when a key, or a content, is gone.

use std::sync::{Arc, Mutex};

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, Personal, Position, StreamId, Subject, TokenHash};
use evident_eventstore::retention::{drop_contents, failed_sign_ins};
use evident_eventstore::{
    Append, Contents, Filter, MasterKey, OutboxMessage, StreamAppend, Vault, VaultError,
};
use uuid::Uuid;

use crate::support::{
    Chance, Fixed, Place, banned, change, message, noon, on_both_databases, signed_up, stream, user,
};

fn by(actor: Actor, streams: Vec<StreamAppend>) -> Append {
    let mut append = change(streams);
    append.provenance.actor = actor;
    append
}

fn failed(number: u128, subject: Subject) -> StreamAppend {
    let event = AttemptEvent::SignInFailed {
        account: TokenHash(format!("account {number}")),
        identifier: "ann@example.com".to_owned().into(),
        user: None,
        reason: SignInRefusal::UnknownAccount,
        at: noon(),
    };
    let stream = StreamId::attempt(Uuid::from_u128(900 + number));
    StreamAppend { stream, expected: 0, subject, events: vec![Event::Attempt(event)] }
}

fn period() -> Subject {
    Subject::Period("2026-11".to_owned())
}

on_both_databases! {
    async fn address_and_program_are_sealed_for_whoever_acts(place) {
        let store = place.store().await;
        let admin = Actor::Admin { role: "service_role".to_owned(), id: Some(user(2)) };
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        store.append(by(admin, vec![stream(user(1), 1, vec![banned("rude words")])])).await.unwrap();

        store.forget(&Subject::User(user(2))).await.unwrap();
        let events = store.load(StreamId::user(user(1))).await.unwrap();
        assert_eq!(events[1].provenance.ip, Some(Personal::Erased), "the administrator's");
        assert_eq!(events[1].event, Event::User(banned("rude words")), "the user's");
        assert!(events[0].provenance.ip.as_ref().unwrap().known().is_some());

        let admin = Actor::User { id: user(3) };
        store.append(by(admin, vec![stream(user(1), 2, vec![banned("again")])])).await.unwrap();
        store.forget(&Subject::User(user(1))).await.unwrap();
        let events = store.load(StreamId::user(user(1))).await.unwrap();
        assert_eq!(events[0].provenance.ip, Some(Personal::Erased));
        assert!(events[2].provenance.ip.as_ref().unwrap().known().is_some(), "the actor's stays");
        let Event::User(UserEvent::Banned { reason, .. }) = &events[2].event else { panic!("{events:?}") };
        assert_eq!(reason, &Some(Personal::Erased));
    }
}

on_both_databases! {
    async fn who_acts_in_anothers_name_is_known_and_sealed_for(place) {
        let store = place.store().await;
        let actor = Actor::Impersonator { admin: user(2), user: user(1) };
        let account = stream(user(1), 0, vec![signed_up("ann@example.com")]);
        store.append(by(actor.clone(), vec![account])).await.unwrap();
        store.forget(&Subject::User(user(2))).await.unwrap();
        let event = store.load(StreamId::user(user(1))).await.unwrap().remove(0);
        assert_eq!(event.provenance.actor, actor);
        assert_eq!(event.provenance.ip, Some(Personal::Erased));
        assert_eq!(event.event, Event::User(signed_up("ann@example.com")));
    }
}

on_both_databases! {
    async fn what_a_visitor_does_with_an_account_is_sealed_for_it(place) {
        let store = place.store().await;
        let account = stream(user(1), 0, vec![signed_up("ann@example.com")]);
        store.append(change(vec![failed(1, period()), account])).await.unwrap();
        store.append(change(vec![failed(2, period())])).await.unwrap();
        store.forget(&Subject::User(user(1))).await.unwrap();
        let events = store.page(Position(0), 10, &Filter::default()).await.unwrap();
        assert_eq!(events[0].provenance.ip, Some(Personal::Erased));
        assert!(events[2].provenance.ip.as_ref().unwrap().known().is_some(), "nobody's in particular");
    }
}

on_both_databases! {
    async fn no_other_node_shows_who_is_forgotten(place) {
        let (here, there) = (place.store().await, place.store().await);
        here.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let shown = async || {
            let page = there.page(Position(0), 10, &Filter::default()).await.unwrap().remove(0);
            let at = there.at(&[Position(1)]).await.unwrap().remove(0);
            assert_eq!(page, at);
            page.event == Event::User(signed_up("ann@example.com"))
        };
        assert!(shown().await, "and the key is at hand there");
        here.forget(&Subject::User(user(1))).await.unwrap();
        assert!(!shown().await);
    }
}

on_both_databases! {
    async fn a_message_goes_with_either_of_those_it_names(place) {
        let store = place.store().await;
        for (number, gone) in [(1, user(1)), (2, user(2))] {
            let also = Some(Subject::User(user(2)));
            let named = OutboxMessage { also, ..message(number, user(1), "ann invites bob") };
            let other = message(10 + number, user(3), "hello");
            store.append(Append { messages: vec![named, other], ..change(Vec::new()) }).await.unwrap();
            assert_eq!(store.messages_of(&Subject::User(gone)).await.unwrap().len(), 1);
            if number == 1 {
                let held = store.messages_of(&Subject::User(gone)).await.unwrap().remove(0);
                assert_eq!(held.payload.unwrap()["text"], "ann invites bob");
            }
            store.forget(&Subject::User(gone)).await.unwrap();
            let rows = Place::rows(&store, "select subject from outbox where subject not like '%0003'").await;
            assert_eq!(rows.len(), 0);
        }
        assert_eq!(store.messages_of(&Subject::User(user(3))).await.unwrap().len(), 2);
    }
}

on_both_databases! {
    async fn a_dropped_content_leaves_its_proof_and_reads_as_dropped(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        store.append(change(vec![failed(1, period())])).await.unwrap();
        store.append(change(vec![failed(2, period())])).await.unwrap();
        let before = store.sealed_page(Position(0), 10, &Filter::default()).await.unwrap();

        let mut transaction = store.database().transaction().await.unwrap();
        let found = failed_sign_ins(&mut transaction, &TokenHash("account 1".to_owned())).await.unwrap();
        assert_eq!(found, [(Position(2), Some("period:2026-11".to_owned()))]);
        let dropped = drop_contents(&mut transaction, &[Position(1), Position(2)]).await.unwrap();
        assert_eq!(dropped, 1, "a sign-up must keep its content");
        transaction.commit().await.unwrap();

        let after = store.sealed_page(Position(0), 10, &Filter::default()).await.unwrap();
        assert_eq!(after[1].event.content, None);
        for (before, after) in before.iter().zip(&after) {
            after.check().unwrap();
            assert_eq!(before.event.leaf, after.event.leaf);
            assert_eq!(before.stored_hash, after.stored_hash);
        }
        let events = store.page(Position(0), 10, &Filter::default()).await.unwrap();
        let Event::Dropped(gone) = &events[1].event else { panic!("{events:?}") };
        assert_eq!(gone.kind().0, "attempt.sign_in_failed");
        assert_eq!(events[1].event.stream_kind(), evident_domain::StreamKind::Attempt);
        assert_eq!((events[1].provenance.ip.clone(), events[1].event.claims()), (None, Vec::new()));
        assert!(matches!(events[2].event, Event::Attempt(_)));
        // Nobody drops what must stay and is not noticed.
        Place::meddle(&store, "update events set payload = 'null' where position = 1", &[]).await;
        assert!(store.page(Position(0), 1, &Filter::default()).await.is_err());
    }
}

/// A vault whose node finds the new master key once it lies there.
async fn node(
    place: &Place,
    master: &MasterKey,
    there: &Arc<Mutex<Option<String>>>,
) -> Result<Vault, VaultError> {
    let keys = place.database(Contents::Keys).await;
    let there = there.clone();
    let source = move || {
        let found = there.lock().unwrap().clone();
        found.iter().map(|text| MasterKey::from_base64(text).unwrap()).collect()
    };
    Vault::open_with(keys, master, Arc::new(source), Arc::new(Fixed::default()), Arc::new(Chance::new(77)))
        .await
}

on_both_databases! {
    async fn another_master_key_takes_over_while_nodes_go_on(place) {
        let there = Arc::new(Mutex::new(None));
        let old = Place::master();
        let serving = node(&place, &old, &there).await.unwrap();
        let mut sealed = Vec::new();
        for number in 0..1_200 {
            let subject = Subject::User(user(number));
            let key = serving.subject_key(&subject).await.unwrap();
            sealed.push((subject, key.seal_text(b"Ann", "here", &Chance::new(5)).unwrap()));
        }
        serving.destroy(&sealed[7].0).await.unwrap();
        let secret = serving.server_key("tokens", || vec![1; 32]).await.unwrap();

        let new = MasterKey::generate(&Chance::new(42));
        *there.lock().unwrap() = Some(new.to_base64().to_string());
        // The first run dies after its first batch.
        let rotating = node(&place, &old, &there).await.unwrap();
        let key = MasterKey::from_base64(&new.to_base64()).unwrap();
        let died = tokio::spawn({
            let rotating = rotating.clone();
            async move { rotating.rotate_master(&key, &|done| assert!(done < 100, "the machine goes down")).await }
        });
        assert!(died.await.is_err());

        // Meanwhile nodes make keys, old ones and new ones.
        for vault in [&serving, &node(&place, &old, &there).await.unwrap()] {
            for number in 2_000..2_003 {
                vault.subject_key(&Subject::User(user(number))).await.unwrap();
            }
        }
        let going_on = tokio::spawn({
            let serving = serving.clone();
            async move {
                for number in 3_000..3_100 {
                    serving.subject_key(&Subject::User(user(number))).await.unwrap();
                }
            }
        });
        let report = rotating.rotate_master(&new, &|_| ()).await.unwrap();
        going_on.await.unwrap();
        assert!(report.keys >= 600 && report.others >= 500, "{report:?}");
        assert_eq!(rotating.rotate_master(&new, &|_| ()).await.unwrap().keys, 0);

        *there.lock().unwrap() = None;
        let useless = node(&place, &old, &there).await;
        assert!(matches!(useless, Err(VaultError::WrongMasterKey)), "{useless:?}");
        let after = node(&place, &new, &there).await.unwrap();
        assert_eq!(after.server_key("tokens", || vec![2; 32]).await.unwrap(), secret);
        let subjects: Vec<_> = sealed.iter().map(|(subject, _)| subject.clone()).collect();
        let keys = after.find_keys(&subjects).await.unwrap();
        assert_eq!(keys.len(), sealed.len() - 1, "who was forgotten stays so");
        for (subject, text) in &sealed {
            if let Some(key) = keys.get(subject) {
                assert_eq!(key.open_text(text, "here").unwrap(), b"Ann");
            }
        }
        for number in 3_000..3_100 {
            after.subject_key(&Subject::User(user(number))).await.unwrap();
        }
    }
}
