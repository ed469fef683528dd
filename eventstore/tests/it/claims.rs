//! A value that is claimed has one holder.

use evident_domain::user::UserEvent;
use evident_domain::{Claim, ClaimKind, IdentityId, UserId};
use evident_eventstore::claims::Claims;
use evident_eventstore::{AppendError, EventStore, Filter};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Place, change, email, linked, on_both_databases, signed_up, stream, user};

async fn append(
    store: &EventStore,
    who: UserId,
    expected: u64,
    events: Vec<UserEvent>,
) -> Result<(), AppendError> {
    store.append(change(vec![stream(who, expected, events)])).await.map(|_| ())
}

async fn holder(store: &EventStore, kind: ClaimKind, value: &str) -> Option<UserId> {
    let claim = Claim { kind, value: value.to_owned() };
    let holder = store.holder(&claim).await.unwrap().map(UserId);
    // The table is what a fold of the whole log gives.
    let mut folded = Claims::default();
    for recorded in store.page(evident_domain::Position(0), 1000, &Filter::default()).await.unwrap() {
        for change in recorded.event.claims() {
            folded.apply(recorded.stream.id, &change, recorded.position);
        }
    }
    let stored = Place::rows(store, "select claim, kind, holder, position from claims order by claim").await;
    assert_eq!(stored, folded.rows().into_values().collect::<Vec<_>>());
    holder
}

fn unlinked(identity: u128, provider: &str, provider_id: &str) -> UserEvent {
    UserEvent::IdentityUnlinked {
        identity: IdentityId(Uuid::from_u128(identity)),
        provider: provider.to_owned(),
        provider_id: provider_id.to_owned().into(),
    }
}

on_both_databases! {
    async fn of_many_sign_ups_with_one_address_exactly_one_wins(place) {
        let mut nodes = vec![place.store().await];
        if place.is_postgres() {
            nodes.push(place.store().await);
        }
        let mut running = JoinSet::new();
        for n in 0..20_u128 {
            let node = nodes[usize::try_from(n).unwrap() % nodes.len()].clone();
            running.spawn(async move {
                (user(n), append(&node, user(n), 0, vec![signed_up("ann@example.com")]).await)
            });
        }
        let answers = running.join_all().await;
        let winners: Vec<_> = answers.iter().filter(|(_, a)| a.is_ok()).map(|(who, _)| *who).collect();
        let [winner] = winners[..] else { panic!("{winners:?}") };
        for (who, answer) in &answers {
            let taken = matches!(answer, Err(AppendError::ClaimTaken(ClaimKind::Email)));
            assert_eq!(taken, *who != winner);
        }
        assert_eq!(holder(&nodes[0], ClaimKind::Email, "ann@example.com").await, Some(winner));
    }
}

on_both_databases! {
    async fn a_changed_address_frees_the_one_before(place) {
        let store = place.store().await;
        append(&store, user(1), 0, vec![signed_up("ann@example.com")]).await.unwrap();
        let changed = UserEvent::EmailChanged { email: email("anna@example.com").into() };
        append(&store, user(1), 1, vec![changed]).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Email, "ann@example.com").await, None);
        assert_eq!(holder(&store, ClaimKind::Email, "anna@example.com").await, Some(user(1)));
        append(&store, user(2), 0, vec![signed_up("ann@example.com")]).await.unwrap();
        let back = UserEvent::EmailChanged { email: email("ann@example.com").into() };
        let refused = append(&store, user(1), 2, vec![back]).await;
        assert!(matches!(refused, Err(AppendError::ClaimTaken(ClaimKind::Email))));
    }
}

on_both_databases! {
    async fn one_value_of_two_kinds_is_two_claims(place) {
        let store = place.store().await;
        append(&store, user(1), 0, vec![signed_up("a@b")]).await.unwrap();
        append(&store, user(2), 0, vec![linked(20, "email", "a@b"), linked(21, "google", "a@b")]).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Email, "a@b").await, Some(user(1)));
        assert_eq!(holder(&store, ClaimKind::Identity, "google:a@b").await, Some(user(2)));
        let refused = append(&store, user(1), 1, vec![linked(22, "google", "a@b")]).await;
        assert!(matches!(refused, Err(AppendError::ClaimTaken(ClaimKind::Identity))));
    }
}

on_both_databases! {
    async fn an_unlinked_identity_is_free_and_the_others_stay(place) {
        let store = place.store().await;
        let both = vec![signed_up("ann@example.com"), linked(20, "google", "1"), linked(21, "github", "1")];
        append(&store, user(1), 0, both).await.unwrap();
        append(&store, user(1), 3, vec![unlinked(20, "google", "1")]).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Identity, "google:1").await, None);
        assert_eq!(holder(&store, ClaimKind::Identity, "github:1").await, Some(user(1)));
        // Nobody gives back what another holds.
        append(&store, user(2), 0, vec![unlinked(22, "github", "1")]).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Identity, "github:1").await, Some(user(1)));
    }
}

on_both_databases! {
    async fn an_erased_user_gives_everything_back(place) {
        let store = place.store().await;
        append(&store, user(1), 0, vec![signed_up("ann@example.com"), linked(20, "google", "1")]).await.unwrap();
        append(&store, user(1), 2, vec![UserEvent::Erased {}]).await.unwrap();
        store.forget(&evident_domain::Subject::User(user(1))).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Email, "ann@example.com").await, None);
        assert_eq!(holder(&store, ClaimKind::Identity, "google:1").await, None);
        append(&store, user(2), 0, vec![signed_up("ann@example.com"), linked(21, "google", "1")]).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Email, "ann@example.com").await, Some(user(2)));
    }
}

on_both_databases! {
    async fn two_users_in_one_change_cannot_both_have_a_value(place) {
        let store = place.store().await;
        let both = change(vec![
            stream(user(1), 0, vec![signed_up("ann@example.com")]),
            stream(user(2), 0, vec![signed_up("ann@example.com")]),
        ]);
        assert!(matches!(store.append(both).await, Err(AppendError::ClaimTaken(ClaimKind::Email))));
        assert_eq!(holder(&store, ClaimKind::Email, "ann@example.com").await, None);
    }
}

on_both_databases! {
    async fn a_value_can_pass_from_one_user_to_another_in_one_change(place) {
        let store = place.store().await;
        append(&store, user(1), 0, vec![signed_up("ann@example.com"), linked(20, "google", "1")]).await.unwrap();
        let merged = change(vec![
            stream(user(1), 2, vec![UserEvent::Erased {}]),
            stream(user(2), 0, vec![signed_up("ann@example.com"), linked(21, "google", "1")]),
        ]);
        store.append(merged).await.unwrap();
        assert_eq!(holder(&store, ClaimKind::Email, "ann@example.com").await, Some(user(2)));
        assert_eq!(holder(&store, ClaimKind::Identity, "google:1").await, Some(user(2)));
    }
}
