//! Pages, filters, and the stream over all of it.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, Personal, Position, Recorded, SessionId, StreamId, Subject, TokenHash};
use evident_eventstore::export::{Form, Opening, Style};
use evident_eventstore::{Append, EventStore, Filter, Origin, SealedOrigin, StreamAppend};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::support::{
    ADDRESS, AGENT, Place, banned, change, noon, on_both_databases, refreshed, signed_up, started, stream,
    user,
};

async fn positions(store: &EventStore, filter: Filter) -> Vec<u64> {
    let page = store.page(Position(0), 100, &filter).await.unwrap();
    let streamed: Vec<_> = store.read(Position(0), filter).try_collect().await.unwrap();
    assert_eq!(page, streamed);
    page.iter().map(|recorded| recorded.position.0).collect()
}

on_both_databases! {
    async fn filters_narrow_and_combine(place) {
        let store = place.store().await;
        let session = SessionId(Uuid::from_u128(50));
        let later = noon() + chrono::TimeDelta::hours(1);
        let at = |append: Append| Append { occurred_at: later, ..append };
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        store.append(change(vec![stream(user(2), 0, vec![signed_up("bob@example.com")])])).await.unwrap();
        store.append(change(vec![started(session, user(1))])).await.unwrap();
        let mut ban = at(change(vec![stream(user(1), 1, vec![banned("spam")])]));
        ban.provenance.actor = Actor::Operator;
        store.append(ban).await.unwrap();
        store.append(at(change(vec![refreshed(session, user(1), 1)]))).await.unwrap();

        let all = Filter::default;
        assert_eq!(positions(&store, all()).await, [1, 2, 3, 4, 5]);
        let ann = Some(Subject::User(user(1)));
        assert_eq!(positions(&store, Filter { subject: ann.clone(), ..all() }).await, [1, 3, 4, 5]);
        let types = vec!["user.signed_up".to_owned(), "user.banned".to_owned()];
        assert_eq!(positions(&store, Filter { types: types.clone(), ..all() }).await, [1, 2, 4]);
        let narrow = Filter { types, subject: ann, from: Some(later), ..all() };
        assert_eq!(positions(&store, narrow).await, [4]);
        assert_eq!(positions(&store, Filter { actor: Some("operator".to_owned()), ..all() }).await, [4]);
        assert_eq!(positions(&store, Filter { stream: Some(StreamId::session(session)), ..all() }).await, [3, 5]);
        assert_eq!(positions(&store, Filter { to: Some(later), ..all() }).await, [1, 2, 3]);
        assert_eq!(positions(&store, Filter { last: Some(Position(2)), ..all() }).await, [1, 2]);

        let page = store.page(Position(1), 2, &all()).await.unwrap();
        assert_eq!(page.iter().map(|r| r.position.0).collect::<Vec<_>>(), [2, 3]);
        let after = store.load_after(StreamId::user(user(1)), 1).await.unwrap();
        assert_eq!(after.iter().map(|r| r.sequence).collect::<Vec<_>>(), [2]);
        assert!(store.load(StreamId::user(user(3))).await.unwrap().is_empty());
    }
}

/// A log of more than two pages: 1100 events.
async fn long_log(store: &EventStore) {
    let names = |from: u64| (from..from + 100).map(|_| UserEvent::EmailConfirmed {}).collect::<Vec<_>>();
    for part in 0..11 {
        store.append(change(vec![stream(user(1), part * 100, names(part * 100))])).await.unwrap();
    }
}

on_both_databases! {
    async fn a_long_log_reads_to_its_end(place) {
        let store = place.store().await;
        long_log(&store).await;
        let read: Vec<_> = store.read(Position(0), Filter::default()).try_collect().await.unwrap();
        assert!(read.iter().map(|r| r.position.0).eq(1..=1100));
        let rest: Vec<_> = store.read(Position(600), Filter::default()).try_collect().await.unwrap();
        assert!(rest.iter().map(|r| r.position.0).eq(601..=1100));
        assert_eq!(store.load(StreamId::user(user(1))).await.unwrap().len(), 1100);
    }
}

on_both_databases! {
    async fn a_damaged_event_is_an_error_in_its_place(place) {
        let store = place.store().await;
        long_log(&store).await;
        Place::meddle(&store, "update events set event_id = 'no id' where position = 501", &[]).await;
        let cast = if place.is_postgres() { "::json" } else { "" };
        Place::meddle(&store, &format!("update events set payload = $1{cast} where position = 777"), &[
            r#"{"type":"user.beamed_up"}"#.into(),
        ])
        .await;
        let items: Vec<_> = store.read(Position(0), Filter::default()).collect().await;
        assert_eq!(items.len(), 1100);
        let broken: Vec<_> = (1..).zip(&items).filter(|(_, item)| item.is_err()).map(|(n, _)| n).collect();
        assert_eq!(broken, [501, 777]);
        assert!(items[500].as_ref().unwrap_err().to_string().contains("501"));
        assert!(store.page(Position(0), 600, &Filter::default()).await.is_err());
        assert!(store.page(Position(0), 500, &Filter::default()).await.is_ok());
        assert!(store.load(StreamId::user(user(1))).await.is_err());
    }
}

on_both_databases! {
    async fn a_read_that_the_database_fails_ends_with_an_error(place) {
        let store = place.store().await;
        long_log(&store).await;
        let mut read = std::pin::pin!(store.read(Position(0), Filter::default()));
        for _ in 0..500 {
            read.next().await.unwrap().unwrap();
        }
        Place::meddle(&store, "alter table events rename to gone", &[]).await;
        assert!(read.next().await.unwrap().is_err());
        assert!(read.next().await.is_none());
    }
}

on_both_databases! {
    async fn types_are_found_by_their_beginning(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        store.append(change(vec![started(SessionId(Uuid::from_u128(50)), user(1))])).await.unwrap();
        store.append(change(vec![stream(user(1), 1, vec![banned("spam")])])).await.unwrap();
        let types = |types: &[&str]| {
            Filter { types: types.iter().map(|kind| (*kind).to_owned()).collect(), ..Filter::default() }
        };
        assert_eq!(positions(&store, types(&["user.*"])).await, [1, 3]);
        assert_eq!(positions(&store, types(&["user.b*", "session.*"])).await, [2, 3]);
        assert_eq!(positions(&store, types(&["*"])).await, [1, 2, 3]);
        for some in [vec![], vec![2], vec![1, 3], vec![1, 2, 3], vec![2, 9]] {
            let wanted: Vec<_> = some.iter().copied().map(Position).collect();
            let found = store.sealed_at(&wanted).await.unwrap();
            let found: Vec<_> = found.iter().map(|row| row.event.position().0).collect();
            assert_eq!(found, some.into_iter().filter(|at| *at < 9).collect::<Vec<_>>());
        }
    }
}

on_both_databases! {
    async fn entries_name_nobody_unless_they_are_opened(place) {
        let store = place.store().await;
        store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        store.append(change(vec![stream(user(1), 1, vec![banned("spam")])])).await.unwrap();
        for form in [Form::CloudEvents, Form::Ocsf, Form::Csv] {
            for opening in [Opening::Sealed, Opening::Opened] {
                let style = Style { form, source: "https://auth.example.com".to_owned(), opening };
                let entries = store.entries(&[Position(1), Position(2)], opening).await.unwrap();
                let text: String = entries.iter().map(|entry| style.write(entry)).collect();
                for personal in ["ann@example.com", "Ann Onymous", ADDRESS, AGENT, "spam"] {
                    assert_eq!(text.contains(personal), opening == Opening::Opened, "{personal}: {text}");
                }
                assert_eq!(entries.len(), 2);
            }
        }
    }
}

on_both_databases! {
    async fn a_stretch_tells_from_where_requests_came_of_sessions_only(place) {
        let store = place.store().await;
        let streams = vec![
            stream(user(1), 0, vec![signed_up("ann@example.com")]),
            started(SessionId(Uuid::from_u128(50)), user(1)),
        ];
        store.append(change(streams)).await.unwrap();
        store.append(change(vec![stream(user(1), 1, vec![banned("spam")])])).await.unwrap();
        let whole = store.page(Position(0), 2, &Filter::default()).await.unwrap();
        let read = walked(&store, Position(2), 2).await;
        assert_eq!(read.len(), 2);
        assert!(read[0].provenance.ip.is_none() && read[0].provenance.user_agent.is_none());
        assert_eq!(read[0].event, whole[0].event);
        assert_eq!((&read[1].event, &read[1].provenance.actor), (&whole[1].event, &whole[1].provenance.actor));
        assert!(matches!(read[1].provenance.ip, Some(Personal::Sealed(_))));
        assert!(SealedOrigin::of(&read[0]).is_none() && SealedOrigin::of(&whole[1]).is_none());

        let sealed = SealedOrigin::of(&read[1]).unwrap();
        let opened = store.open_origins(&[&sealed, &sealed]).await.unwrap();
        let origin = Origin { ip: ADDRESS.parse().ok(), user_agent: Some(AGENT.to_owned()) };
        assert_eq!(opened, [origin.clone(), origin]);
        store.vault().destroy(&Subject::User(user(1))).await.unwrap();
        let erased = store.open_origins(&[&sealed]).await.unwrap();
        assert_eq!(erased, [Origin { ip: None, user_agent: None }]);
    }
}

on_both_databases! {
    async fn what_an_attempt_holds_of_somebody_stays_sealed_on_a_walk(place) {
        let store = place.store().await;
        let failed = AttemptEvent::SignInFailed {
            account: TokenHash("account".to_owned()),
            identifier: Personal::Known("ann@example.com".to_owned()),
            user: None,
            reason: SignInRefusal::WrongPassword,
            at: noon(),
        };
        let events = vec![Event::Attempt(failed.clone())];
        let stream = StreamId::attempt(Uuid::from_u128(9));
        let subject = Subject::User(user(1));
        let stream = StreamAppend { stream, expected: 0, subject, events };
        store.append(change(vec![stream])).await.unwrap();
        let whole = store.page(Position(0), 1, &Filter::default()).await.unwrap();
        assert_eq!(whole[0].event, Event::Attempt(failed));
        let read = walked(&store, Position(1), 1).await;
        let Event::Attempt(AttemptEvent::SignInFailed { account, identifier, .. }) = &read[0].event else {
            panic!("{:?}", read[0]);
        };
        assert_eq!(account.0, "account");
        assert!(matches!(identifier, Personal::Sealed(_)));
    }
}

on_both_databases! {
    async fn a_walk_hands_out_all_events_in_pages_of_any_size(place) {
        let store = place.store().await;
        for n in 1..=7 {
            let signed_up = signed_up(&format!("ann{n}@example.com"));
            store.append(change(vec![stream(user(n), 0, vec![signed_up])])).await.unwrap();
        }
        for (until, size) in [(7, 1), (7, 2), (7, 3), (7, 7), (7, 100), (5, 2), (0, 1)] {
            let read = walked(&store, Position(until), size).await;
            let positions: Vec<u64> = read.iter().map(|event| event.position.0).collect();
            assert_eq!(positions, (1..=until).collect::<Vec<_>>(), "pages of {size}");
        }
        // One that was left half-way is in nobody's way.
        let mut walk = store.walk(Position(0), Position(7), 1);
        assert!(walk.next().await.unwrap().is_some());
        drop(walk);
        let asked = (0..20).map(|_| store.head());
        for head in futures::future::join_all(asked).await {
            assert_eq!(head.unwrap().position, Position(7));
        }
    }
}

/// The first events of the log, as folds read them.
async fn walked(store: &EventStore, until: Position, size: u32) -> Vec<Recorded> {
    let (mut walk, mut events) = (store.walk(Position(0), until, size), Vec::new());
    while let Some(stretch) = walk.next().await.unwrap() {
        let page = store.open_stretch(stretch).await.unwrap();
        assert!(page.len() <= usize::try_from(size).unwrap());
        events.extend(page);
    }
    events
}
