//! What holds for any sequence of commands.

use std::collections::BTreeSet;
use std::time::Duration;

use evident_domain::session::{
    AssuranceLevel, ReusePolicy, Session, SessionCommand, SessionEvent, SlidingEnd, Start,
};
use evident_domain::user::factor::{
    Authenticator, FactorAnswer, FactorCommand, FactorLimits, FactorRemoval, NewFactor,
};
use evident_domain::user::passkey::PasskeyCommand;
use evident_domain::user::{
    Confirmed, IdentityData, Proof, SignUp, SignUpMethod, TokenPurpose, UnprovenPassword, User, UserCommand,
    UserEvent, WaysInLeft,
};
use evident_domain::{
    ChallengeId, Claim, ClaimChange, ClaimKind, Email, Event, IdentityId, Metadata, PasskeyId, Phone,
    StreamKind, TotpSecret,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{ANN, APP, OTHER_FACTOR, SESSION, at, hash, password, present};

// Few addresses, codes and moments, so that the commands meet each other.

fn an_email() -> impl Strategy<Value = Email> {
    select(vec!["ann@example.com", "ann@example.net", "lee@example.com"]).prop_map(crate::support::email)
}

fn a_phone() -> impl Strategy<Value = Phone> {
    select(vec!["15550001111", "15550002222"]).prop_map(crate::support::phone)
}

fn confirmed() -> impl Strategy<Value = Confirmed> {
    select(vec![Confirmed::Yes, Confirmed::No])
}

fn an_identity_id() -> impl Strategy<Value = IdentityId> {
    (0..4_u128).prop_map(|id| IdentityId(Uuid::from_u128(id)))
}

fn a_purpose() -> impl Strategy<Value = TokenPurpose> {
    select(vec![
        TokenPurpose::EmailConfirmation,
        TokenPurpose::PhoneConfirmation,
        TokenPurpose::Invitation,
        TokenPurpose::Recovery,
        TokenPurpose::EmailChangeNew,
        TokenPurpose::EmailChangeCurrent,
        TokenPurpose::PhoneChange,
        TokenPurpose::Reauthentication,
        TokenPurpose::AccountDeletion,
    ])
}

fn ways_in_left() -> impl Strategy<Value = WaysInLeft> {
    select(vec![WaysInLeft::AnIdentity, WaysInLeft::OneToSignInBy, WaysInLeft::Nothing])
}

fn a_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-c$]{0,9}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn a_metadata() -> impl Strategy<Value = Metadata> {
    btree_map("[a-d]|email_verified|type|[$]personal", a_value(), 0..4)
        .prop_map(|map| Metadata(map.into_iter().collect()))
}

fn an_identity() -> impl Strategy<Value = IdentityData> {
    let provider = select(vec!["email", "phone", "google"]);
    (an_identity_id(), provider, "[ab]", a_metadata()).prop_map(|(id, provider, provider_id, data)| {
        IdentityData { id, provider: provider.to_owned(), provider_id, data }
    })
}

fn a_sign_up() -> impl Strategy<Value = SignUp> {
    let method = select(vec![SignUpMethod::Password, SignUpMethod::Admin, SignUpMethod::Anonymous]);
    let contact = (option::of((an_email(), confirmed())), option::of((a_phone(), confirmed())));
    let data = (a_metadata(), a_metadata(), vec(an_identity(), 0..3), any::<bool>());
    (method, contact, data).prop_map(
        |(method, (email, phone), (user_metadata, app_metadata, identities, has_password))| SignUp {
            method,
            aud: "authenticated".to_owned(),
            role: "authenticated".to_owned(),
            email,
            phone,
            password: has_password.then(|| password("first")),
            user_metadata,
            app_metadata,
            identities,
        },
    )
}

fn a_redemption() -> impl Strategy<Value = UserCommand> {
    let proof = prop_oneof![
        select(vec!["link", "wrong"]).prop_map(|text| Proof::Link(hash(text))),
        select(vec!["code", "wrong"]).prop_map(|text| Proof::Code(hash(text))),
    ];
    (vec(a_purpose(), 1..4), proof, an_end_of_passwords(), 0..100_i64).prop_map(
        |(purposes, proof, password, now)| UserCommand::Redeem { purposes, proof, password, now: at(now) },
    )
}

fn an_end_of_passwords() -> impl Strategy<Value = UnprovenPassword> {
    select(vec![UnprovenPassword::Stays, UnprovenPassword::Waits, UnprovenPassword::Goes])
}

fn a_token() -> impl Strategy<Value = UserCommand> {
    (a_purpose(), any::<bool>(), 0..100_i64, 0..100_i64, 0..3_u64).prop_map(
        |(purpose, has_link, now, lasts, min_interval_seconds)| UserCommand::IssueOneTimeToken {
            purpose,
            link: has_link.then(|| hash("link")),
            code: hash("code"),
            flow: None,
            now: at(now),
            expires_at: at(now + lasts),
            min_interval_seconds,
        },
    )
}

fn a_user_command() -> impl Strategy<Value = UserCommand> {
    prop_oneof![
        3 => a_sign_up().prop_map(|sign_up| UserCommand::SignUp(Box::new(sign_up))),
        1 => Just(UserCommand::ConfirmEmail),
        1 => Just(UserCommand::ConfirmPhone),
        1 => an_email().prop_map(|new_email| UserCommand::RequestEmailChange { new_email }),
        3 => (an_email(), confirmed(), an_identity_id()).prop_map(|(email, confirmed, new_identity)| {
            UserCommand::ChangeEmail { user: ANN, email, confirmed, new_identity }
        }),
        1 => a_phone().prop_map(|new_phone| UserCommand::RequestPhoneChange { new_phone }),
        3 => (a_phone(), confirmed(), an_identity_id()).prop_map(|(phone, confirmed, new_identity)| {
            UserCommand::ChangePhone { user: ANN, phone, confirmed, new_identity }
        }),
        4 => a_token(),
        6 => a_redemption(),
        1 => Just(UserCommand::ChangePassword { password: password("second") }),
        1 => Just(UserCommand::RehashPassword { password: password("again") }),
        1 => Just(UserCommand::ProvePassword),
        2 => a_metadata().prop_map(|patch| UserCommand::ChangeMetadata { patch }),
        1 => a_metadata().prop_map(|patch| UserCommand::ChangeAppMetadata { patch }),
        1 => "[ab]".prop_map(|role| UserCommand::ChangeRole { role }),
        1 => (option::of(0..100_i64), option::of(".{0,5}"))
            .prop_map(|(until, reason)| UserCommand::Ban { until: until.map(at), reason }),
        1 => Just(UserCommand::Unban),
        4 => an_identity().prop_map(UserCommand::LinkIdentity),
        4 => (an_identity_id(), ways_in_left()).prop_map(|(identity, leaving)| {
            UserCommand::UnlinkIdentity { identity, leaving, taken: Vec::new() }
        }),
        1 => ways_in_left().prop_map(|leaving| UserCommand::RemovePassword { leaving }),
        1 => vec((an_identity_id(), "[xy]".prop_map(String::from)), 0..3).prop_map(|identities| {
            UserCommand::Delete { email_digest: "e".to_owned(), phone_digest: "p".to_owned(), identities }
        }),
        4 => a_factor_command().prop_map(UserCommand::Factor),
        4 => a_passkey_command().prop_map(UserCommand::Passkey),
        1 => Just(UserCommand::Erase),
    ]
}

fn a_level() -> impl Strategy<Value = AssuranceLevel> {
    select(vec![AssuranceLevel::Aal1, AssuranceLevel::Aal2])
}

fn an_authenticator() -> impl Strategy<Value = Authenticator> {
    ("[kl]", a_metadata()).prop_map(|(credential_id, key)| Authenticator {
        credential_id,
        aaguid: Uuid::nil(),
        key,
    })
}

fn a_factor_command() -> impl Strategy<Value = FactorCommand> {
    let factor = || select(vec![APP, OTHER_FACTOR]);
    let challenge = || (0..3_u128).prop_map(|id| ChallengeId(Uuid::from_u128(id)));
    let limits = FactorLimits { enrolled: 2, verified: 2, unverified_for: Duration::from_secs(20) };
    let new = prop_oneof![
        Just(NewFactor::Totp(TotpSecret("ABC".to_owned()))),
        a_phone().prop_map(NewFactor::Phone),
        Just(NewFactor::Webauthn),
    ];
    let answer = prop_oneof![
        option::of(0..5_u64).prop_map(FactorAnswer::Totp),
        select(vec!["code", "wrong"]).prop_map(|text| FactorAnswer::Code(hash(text))),
        option::of(an_authenticator()).prop_map(FactorAnswer::Webauthn),
    ];
    prop_oneof![
        3 => (factor(), new, "[ab]?", a_level(), 0..100_i64).prop_map(move |(factor, new, name, aal, now)| {
            FactorCommand::Enroll { factor, new, name, aal, limits, now: at(now) }
        }),
        4 => (factor(), challenge(), 0..100_i64).prop_map(|(factor, challenge, now)| {
            FactorCommand::Challenge {
                factor,
                challenge,
                session: SESSION,
                ip: None,
                code: Some(hash("code")),
                now: at(now),
                expires_at: at(now + 30),
                min_interval_seconds: 0,
            }
        }),
        6 => (factor(), challenge(), answer, 0..100_i64).prop_map(|(factor, challenge, answer, now)| {
            FactorCommand::Answer { factor, challenge, session: SESSION, ip: None, answer, now: at(now) }
        }),
        1 => (factor(), option::of(a_level())).prop_map(|(factor, aal)| {
            FactorCommand::Remove { factor, aal, reason: FactorRemoval::Unenrolled }
        }),
        1 => (factor(), "[ab]?").prop_map(|(factor, name)| FactorCommand::Rename { factor, name }),
        1 => (factor(), a_phone()).prop_map(|(factor, phone)| FactorCommand::ChangePhone { factor, phone }),
    ]
}

fn a_passkey_command() -> impl Strategy<Value = PasskeyCommand> {
    let passkey = || (0..3_u128).prop_map(|id| PasskeyId(Uuid::from_u128(id)));
    prop_oneof![
        (passkey(), "[ab]", an_authenticator(), a_level()).prop_map(|(passkey, name, authenticator, aal)| {
            PasskeyCommand::Add { passkey, name, authenticator, aal, limit: 2 }
        }),
        (passkey(), "[ab]", a_level()).prop_map(|(passkey, name, aal)| PasskeyCommand::Rename {
            passkey,
            name,
            aal
        }),
        (passkey(), option::of(a_level())).prop_map(|(passkey, aal)| PasskeyCommand::Remove { passkey, aal }),
    ]
}

fn a_policy() -> impl Strategy<Value = ReusePolicy> {
    (0..20_u32, any::<bool>(), any::<bool>()).prop_map(
        |(interval_seconds, parent_always, revoke_on_reuse)| ReusePolicy {
            interval_seconds,
            parent_always,
            revoke_on_reuse,
        },
    )
}

fn a_session_command() -> impl Strategy<Value = SessionCommand> {
    let refresh = (0..12_u64, 0..100_i64, a_policy())
        .prop_map(|(generation, now, policy)| present(generation, at(now), policy));
    let step_up =
        (select(vec!["totp", "password"]), any::<bool>(), 0..100_i64).prop_map(|(method, second, now)| {
            SessionCommand::StepUp {
                method: method.to_owned(),
                aal: if second { AssuranceLevel::Aal2 } else { AssuranceLevel::Aal1 },
                factor: second.then_some(APP),
                now: at(now),
            }
        });
    let step_down = (0..100_i64).prop_map(|now| SessionCommand::StepDown { factor: APP, now: at(now) });
    let extend = (0..100_i64).prop_map(|now| SessionCommand::Extend {
        now: at(now),
        end: SlidingEnd { lifetime_seconds: 100, after_seconds: 10 },
    });
    let start = (option::of(50..200_i64), any::<bool>()).prop_map(|(end, slides)| {
        SessionCommand::Start(Start {
            user: ANN,
            method: "password".to_owned(),
            not_after: end.map(at),
            slides,
            client: None,
            impersonator: None,
            now: at(0),
        })
    });
    prop_oneof![2 => start, 20 => refresh, 2 => step_up, 1 => step_down, 2 => extend]
}

/// The state and the events that a sequence of commands leads to; what is refused leaves no trace.
fn user_history(commands: Vec<UserCommand>) -> (User, Vec<UserEvent>) {
    let mut user = User::default();
    let mut events = Vec::new();
    for command in commands {
        for event in user.decide(command).unwrap_or_default() {
            user.fold(&event);
            events.push(event);
        }
    }
    (user, events)
}

fn session_history(commands: Vec<SessionCommand>) -> (Session, Vec<SessionEvent>) {
    let mut session = Session::default();
    let mut events = Vec::new();
    for command in commands {
        for event in session.decide(command).unwrap_or_default() {
            session.fold(&event);
            events.push(event);
        }
    }
    (session, events)
}

/// The event as it comes back from text in the log.
fn stored_and_read(kind: StreamKind, event: &Event) -> Event {
    let text = event.to_json().unwrap().to_string();
    Event::from_json(kind, serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap()
}

/// The table of claims, for one holder.
fn claims_after(events: &[UserEvent]) -> BTreeSet<Claim> {
    let mut held = BTreeSet::new();
    for change in events.iter().flat_map(UserEvent::claims) {
        match change {
            ClaimChange::Take(claim) => {
                if claim.kind.is_single() {
                    held.retain(|other: &Claim| other.kind != claim.kind);
                }
                assert!(held.insert(claim), "nothing is taken twice");
            }
            ClaimChange::Release(claim) => {
                held.remove(&claim);
            }
            ClaimChange::ReleaseKind(kind) => held.retain(|other| other.kind != kind),
            ClaimChange::ReleaseAll => held.clear(),
        }
    }
    held
}

/// What a user holds by its state.
fn claims_of(user: &User) -> BTreeSet<Claim> {
    let Some(account) = user.account() else { return BTreeSet::new() };
    let email = account.email.as_ref().map(|email| (ClaimKind::Email, email.value.to_string()));
    let phone = account.phone.as_ref().map(|phone| (ClaimKind::Phone, phone.value.to_string()));
    let named = |provider: &str, id: &str| (ClaimKind::Identity, format!("{provider}:{id}"));
    let identities = account.identities.iter().map(|i| named(&i.provider, &i.provider_id));
    let passkeys =
        account.passkeys.iter().map(|p| (ClaimKind::Passkey, p.authenticator.credential_id.clone()));
    let all = email.into_iter().chain(phone).chain(identities).chain(passkeys);
    all.map(|(kind, value)| Claim { kind, value }).collect()
}

proptest! {
    #[test]
    fn a_user_read_from_the_log_is_the_user_that_decided(commands in vec(a_user_command(), 0..40)) {
        let (user, events) = user_history(commands);
        let mut read = User::default();
        for event in events {
            let Event::User(event) = stored_and_read(StreamKind::User, &event.into()) else {
                panic!("an event of a user reads as one")
            };
            read.fold(&event);
        }
        prop_assert_eq!(read, user);
    }

    #[test]
    fn a_session_read_from_the_log_is_the_session_that_decided(commands in vec(a_session_command(), 0..40)) {
        let (session, events) = session_history(commands);
        let mut read = Session::default();
        for event in events {
            let Event::Session(event) = stored_and_read(StreamKind::Session, &event.into()) else {
                panic!("an event of a session reads as one")
            };
            read.fold(&event);
        }
        prop_assert_eq!(read, session);
    }

    #[test]
    fn what_a_user_holds_follows_from_the_events(commands in vec(a_user_command(), 0..40)) {
        let (user, events) = user_history(commands);
        prop_assert_eq!(claims_after(&events), claims_of(&user));
    }

    #[test]
    fn a_state_that_was_put_away_comes_back_the_same(
        user in vec(a_user_command(), 0..20),
        session in vec(a_session_command(), 0..20),
    ) {
        let (user, _) = user_history(user);
        let (session, _) = session_history(session);
        let text = serde_json::to_string(&(&user, &session)).unwrap();
        prop_assert_eq!(serde_json::from_str::<(User, Session)>(&text).unwrap(), (user, session));
    }

    /// One good token at a time: its number only grows, and each number is handed out once.
    #[test]
    fn the_number_of_the_good_token_only_grows(commands in vec(a_session_command(), 0..60)) {
        let (_, events) = session_history(commands);
        let mut session = Session::default();
        let mut last = None;
        for event in events {
            session.fold(&event);
            let good = session.live().map(|live| live.generation);
            let expected = match event {
                SessionEvent::Refreshed { .. } | SessionEvent::SteppedUp { .. } => last.map(|last: u64| last + 1),
                SessionEvent::Started { .. } => Some(0),
                SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedDown { .. }
                | SessionEvent::Extended { .. }
                | SessionEvent::ActiveOrganizationChanged { .. }
                | SessionEvent::ActiveTeamChanged { .. }
                | SessionEvent::FieldsChanged { .. } => last,
                SessionEvent::Revoked { .. } => None,
            };
            prop_assert_eq!(good, expected);
            last = good;
        }
    }
}
