//! The keys: one a subject, wrapped, gone for good when they are destroyed.

use std::sync::Arc;

use evident_domain::Subject;
use evident_eventstore::{Contents, MasterKey, Vault, VaultError};

use crate::support::{Chance, Fixed, Place, on_both_databases, user};

on_both_databases! {
    async fn a_wrong_master_key_is_told_at_once(place) {
        place.vault().await;
        let keys = place.database(Contents::Keys).await;
        let other = MasterKey::generate(&Chance::new(99));
        let opened = Vault::open(keys, &other, Arc::new(Fixed::default()), Arc::new(Chance::new(98))).await;
        assert!(matches!(opened, Err(VaultError::WrongMasterKey)), "{opened:?}");
        place.vault().await;
    }
}

on_both_databases! {
    async fn two_vaults_that_make_a_key_at_once_agree(place) {
        let vaults = [place.vault().await, place.vault().await];
        for number in 0..10 {
            let subject = Subject::User(user(number));
            let (first, second) =
                tokio::join!(vaults[0].subject_key(&subject), vaults[1].subject_key(&subject));
            let (first, second) = (first.unwrap(), second.unwrap());
            let sealed = first.seal_text(b"Ann", "here", &Chance::new(5)).unwrap();
            assert_eq!(second.open_text(&sealed, "here").unwrap(), b"Ann");
        }
        let (first, second) = tokio::join!(
            vaults[0].server_key("tokens", || vec![1; 32]),
            vaults[1].server_key("tokens", || vec![2; 32]),
        );
        assert_eq!(first.unwrap(), second.unwrap());
    }
}

on_both_databases! {
    async fn keys_are_found_together_and_only_those_that_are_there(place) {
        let vault = place.vault().await;
        let subjects: Vec<_> = (0..20).map(|n| Subject::User(user(n))).collect();
        for subject in &subjects[..10] {
            vault.subject_key(subject).await.unwrap();
        }
        vault.destroy(&subjects[3]).await.unwrap();
        for vault in [vault, place.vault().await] {
            let found = vault.find_keys(&subjects).await.unwrap();
            assert_eq!(found.len(), 9);
            assert!(!found.contains_key(&subjects[3]) && !found.contains_key(&subjects[10]));
        }
    }
}

on_both_databases! {
    async fn no_other_key_is_made_in_the_place_of_a_destroyed_one(place) {
        let (vault, other) = (place.vault().await, place.vault().await);
        let subject = Subject::Period("2026-11".to_owned());
        let sealed = vault.subject_key(&subject).await.unwrap().seal_text(b"Ann", "here", &Chance::new(5)).unwrap();
        vault.destroy(&subject).await.unwrap();
        for vault in [&vault, &other] {
            let (one, two) = (vault.subject_key(&subject).await.unwrap(), vault.subject_key(&subject).await.unwrap());
            let late = one.seal_text(b"Ann", "here", &Chance::new(6)).unwrap();
            assert!(one.open_text(&sealed, "here").is_err());
            assert!(two.open_text(&late, "here").is_err());
            assert!(vault.find_keys([&subject]).await.unwrap().is_empty());
        }
    }
}

on_both_databases! {
    /// A reader that fetched the key just before must not keep it at hand after.
    async fn a_key_that_is_read_while_it_is_destroyed_is_not_kept(place) {
        let (vault, other) = (place.vault().await, place.vault().await);
        for number in 0..30 {
            let subject = Subject::User(user(number));
            other.subject_key(&subject).await.unwrap();
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    let (vault, subject) = (vault.clone(), subject.clone());
                    tokio::spawn(async move { vault.find_keys([&subject]).await.map(|_| ()) })
                })
                .collect();
            vault.destroy(&subject).await.unwrap();
            for reader in readers {
                reader.await.unwrap().unwrap();
            }
            assert!(vault.find_keys([&subject]).await.unwrap().is_empty(), "{number}");
        }
    }
}

#[tokio::test]
async fn a_destroyed_key_is_in_none_of_the_files() {
    let place = Place::sqlite();
    let vault = place.vault().await;
    let keys = place.database(Contents::Keys).await;
    let (ann, bob) = (Subject::User(user(1)), Subject::User(user(2)));
    vault.subject_key(&ann).await.unwrap();
    vault.subject_key(&bob).await.unwrap();
    let sql = "select wrapped from subject_keys where subject = $1";
    let mut wrapped = Vec::new();
    for subject in [&ann, &bob] {
        let row = keys.query(sql, &[subject.to_string().into()]).await.unwrap().remove(0);
        wrapped.push(row[0].as_bytes().unwrap().to_vec());
    }
    let found = |wrapped: &[u8]| {
        ["keys.db", "keys.db-wal"].into_iter().any(|name| {
            let content = std::fs::read(place.file(name)).unwrap_or_default();
            content.windows(wrapped.len()).any(|window| window == wrapped)
        })
    };
    assert!(found(&wrapped[0]) && found(&wrapped[1]));
    vault.destroy(&ann).await.unwrap();
    assert!(!found(&wrapped[0]));
    assert!(found(&wrapped[1]));
}

on_both_databases! {
    async fn a_damaged_key_is_told_from_a_missing_one(place) {
        let (vault, keys) = (place.vault().await, place.database(Contents::Keys).await);
        let subject = Subject::User(user(1));
        vault.subject_key(&subject).await.unwrap();
        let mut transaction = keys.transaction().await.unwrap();
        let sql = "update subject_keys set wrapped = $1";
        evident_eventstore::Tables::execute(&mut transaction, sql, &[vec![7; 60].into()]).await.unwrap();
        transaction.commit().await.unwrap();
        let fresh = place.vault().await;
        assert!(matches!(fresh.subject_key(&subject).await, Err(VaultError::Damaged(_))));
        assert!(matches!(fresh.find_keys([&subject]).await, Err(VaultError::Damaged(_))));
    }
}

#[test]
fn keys_and_passwords_stay_out_of_debug() {
    let master = Place::master();
    assert_eq!(format!("{master:?}"), "MasterKey(…)");
    let place = Place::at("postgres://ann:secret@localhost/x".to_owned());
    assert!(!format!("{place:?}").contains("secret"));
}
