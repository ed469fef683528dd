//! Signing in by other providers: who is taken for whom, and what a proof of an address changes.

use evident_domain::user::{
    Arrival, Confirmed, IdentityData, SignUp, SignUpMethod, UserCommand, UserError, UserEvent, WaysInLeft,
};
use evident_domain::{Claim, ClaimChange, ClaimKind, Metadata};
use serde_json::json;

use crate::support::*;

fn google(address: &str, verified: bool) -> IdentityData {
    let data = json!({"sub": "108", "email": address, "email_verified": verified, "name": "Ann"});
    IdentityData { data: metadata(data), ..google_identity() }
}

fn arrival(address: &str, confirmed: Confirmed, free: bool) -> UserCommand {
    let identity = google(address, confirmed == Confirmed::Yes);
    UserCommand::Arrive(Box::new(Arrival { identity, email: Some((email(address), confirmed)), free }))
}

fn adopted(address: Option<&str>, confirmed: bool) -> UserEvent {
    UserEvent::EmailAdopted { email: address.map(|address| email(address).into()), confirmed }
}

fn updated(identity: IdentityData) -> UserEvent {
    UserEvent::IdentityUpdated { identity: identity.id, data: identity.data.into(), signed_in: true }
}

#[test]
fn an_identity_is_linked_to_the_confirmed_account_of_its_address_and_the_password_stays() {
    let google = google("ann@example.com", true);
    let given = vec![
        signed_up(),
        linked(email_identity()),
        UserEvent::EmailConfirmed {},
        metadata_changed(json!({"email_verified": true, "color": "red"})),
    ];
    given_user(given).when(arrival("ann@example.com", Confirmed::Yes, true)).then_expect_events(vec![
        linked(google),
        metadata_changed(json!({"sub": "108", "email": "ann@example.com", "name": "Ann"})),
        providers("email", &["email", "google"]),
    ]);
}

#[test]
fn whoever_proves_an_unconfirmed_account_s_address_takes_it_over_and_all_else_goes() {
    let google = google("ann@example.com", true);
    let given = vec![signed_up(), linked(email_identity()), metadata_changed(json!({"color": "red"}))];
    let replaced = json!({"sub": "108", "email": "ann@example.com", "email_verified": true, "name": "Ann",
        "color": null});
    given_user(given).when(arrival("ann@example.com", Confirmed::Yes, true)).then_expect_events(vec![
        linked(google),
        UserEvent::Reclaimed {},
        unlinked(email_identity()),
        UserEvent::EmailConfirmed {},
        metadata_changed(replaced),
        providers("google", &["google"]),
    ]);
}

#[test]
fn a_removed_password_voids_the_codes_of_sign_ins_under_way() {
    let before = account_after(&[signed_up()]);
    let after = account_after(&[signed_up(), UserEvent::Reclaimed {}]);
    assert!(after.password.is_none());
    assert!(after.credentials > before.credentials);
}

#[test]
fn an_address_that_nobody_vouches_for_changes_nothing_but_the_identity() {
    let google = google("ann@example.com", false);
    let given = vec![signed_up(), linked(google_identity())];
    given_user(given).when(arrival("ann@example.com", Confirmed::No, true)).then_expect_events(vec![
        updated(google.clone()),
        UserEvent::MetadataChanged { patch: google.data.into() },
        providers("google", &["google"]),
    ]);
}

#[test]
fn an_account_without_a_proven_address_takes_the_one_that_is_vouched_for_if_it_is_free() {
    let bob = "bob@example.com";
    for (free, adoption) in [(true, Some(adopted(Some(bob), true))), (false, None)] {
        let google = google(bob, true);
        let given = vec![signed_up(), linked(google_identity()), providers("google", &["google"])];
        let mut expected = vec![updated(google.clone()), UserEvent::Reclaimed {}];
        expected.extend(adoption);
        expected.push(UserEvent::MetadataChanged { patch: google.data.into() });
        given_user(given).when(arrival(bob, Confirmed::Yes, free)).then_expect_events(expected);
    }
}

#[test]
fn a_confirmed_number_is_proof_enough_nothing_is_taken_over() {
    let google = google("ann@example.com", true);
    let given =
        vec![came_with(None, Some("15550001111")), UserEvent::PhoneConfirmed {}, linked(google_identity())];
    given_user(given).when(arrival("ann@example.com", Confirmed::Yes, true)).then_expect_events(vec![
        updated(google.clone()),
        adopted(Some("ann@example.com"), true),
        UserEvent::MetadataChanged { patch: google.data.into() },
        providers("google", &["google"]),
    ]);
}

#[test]
fn an_account_may_come_from_a_provider_that_tells_no_address() {
    let sign_up = SignUp {
        method: SignUpMethod::External,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: None,
        phone: None,
        password: None,
        user_metadata: Metadata::default(),
        app_metadata: Metadata::default(),
        identities: vec![google_identity()],
    };
    let came = UserEvent::SignedUp {
        method: SignUpMethod::External,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: None,
        phone: None,
        password: None,
        user_metadata: Metadata::default().into(),
        app_metadata: Metadata::default().into(),
        anonymous: false,
    };
    given_user(vec![])
        .when(UserCommand::SignUp(Box::new(sign_up)))
        .then_expect_events(vec![came, linked(google_identity())]);
}

#[test]
fn linking_by_hand_leaves_the_user_s_own_data_alone() {
    let google = google("ann.work@example.com", true);
    let email = Some((email("ann.work@example.com"), Confirmed::Yes));
    given_user(vec![signed_up(), linked(email_identity()), UserEvent::EmailConfirmed {}])
        .when(UserCommand::LinkByHand { identity: google.clone(), email })
        .then_expect_events(vec![linked(google), providers("email", &["email", "google"])]);
}

#[test]
fn an_anonymous_user_gets_the_address_of_the_identity_and_is_known_if_it_is_verified() {
    for (confirmed, anonymous) in [(Confirmed::Yes, false), (Confirmed::No, true)] {
        let address = "ann@example.com";
        let google = google(address, confirmed == Confirmed::Yes);
        let adoption = adopted(Some(address), confirmed == Confirmed::Yes);
        given_user(vec![came_anonymously()])
            .when(UserCommand::LinkByHand {
                identity: google.clone(),
                email: Some((email(address), confirmed)),
            })
            .then_expect_events(vec![
                linked(google.clone()),
                adoption.clone(),
                providers("google", &["google"]),
            ]);
        let account = account_after(&[came_anonymously(), linked(google), adoption]);
        assert_eq!(account.anonymous, anonymous);
    }
}

#[test]
fn the_address_goes_with_its_identity_and_the_best_of_the_rest_takes_its_place() {
    let second = |address: &str, verified: bool| IdentityData {
        id: FRESH_IDENTITY,
        provider: "github".to_owned(),
        provider_id: "7".to_owned(),
        data: metadata(json!({"email": address, "email_verified": verified})),
    };
    let given = |others: Vec<IdentityData>| {
        let mut events = vec![signed_up(), linked(email_identity()), UserEvent::EmailConfirmed {}];
        events.extend(others.into_iter().map(linked));
        given_user(events)
    };
    let unlink = |taken: &[&str]| UserCommand::UnlinkIdentity {
        identity: EMAIL_IDENTITY,
        leaving: WaysInLeft::AnIdentity,
        taken: taken.iter().map(|address| email(address)).collect(),
    };
    let gone = || unlinked(email_identity());
    given(vec![google("g@example.com", false), second("h@example.com", true)])
        .when(unlink(&[]))
        .then_expect_events(vec![
            gone(),
            adopted(Some("h@example.com"), true),
            providers("google", &["google", "github"]),
        ]);
    given(vec![google("g@example.com", false), second("h@example.com", true)])
        .when(unlink(&["h@example.com"]))
        .then_expect_events(vec![
            gone(),
            adopted(Some("g@example.com"), false),
            providers("google", &["google", "github"]),
        ]);
    given(vec![google_identity()]).when(unlink(&[])).then_expect_events(vec![
        gone(),
        adopted(None, false),
        providers("google", &["google"]),
    ]);
    given(vec![google("g@example.com", true)])
        .when(unlink(&["g@example.com"]))
        .then_expect_error(UserError::EmailConflict);
    given(vec![google("ann@example.com", true)])
        .when(unlink(&[]))
        .then_expect_events(vec![gone(), providers("google", &["google"])]);
}

#[test]
fn the_number_goes_with_its_identity() {
    let identity = IdentityData { provider: "phone".to_owned(), ..email_identity() };
    let given = vec![
        came_with(Some("ann@example.com"), Some("15550001111")),
        linked(identity.clone()),
        linked(google_identity()),
    ];
    given_user(given)
        .when(UserCommand::UnlinkIdentity {
            identity: EMAIL_IDENTITY,
            leaving: WaysInLeft::AnIdentity,
            taken: Vec::new(),
        })
        .then_expect_events(vec![
            unlinked(identity),
            UserEvent::PhoneRemoved {},
            providers("google", &["google"]),
        ]);
    assert_eq!(UserEvent::PhoneRemoved {}.claims(), [ClaimChange::ReleaseKind(ClaimKind::Phone)]);
}

#[test]
fn an_adopted_address_is_claimed_and_the_one_before_given_back() {
    let claim = Claim { kind: ClaimKind::Email, value: "ann@example.net".to_owned() };
    assert_eq!(adopted(Some("ann@example.net"), false).claims(), [ClaimChange::Take(claim)]);
    assert_eq!(adopted(None, false).claims(), [ClaimChange::ReleaseKind(ClaimKind::Email)]);
}
