//! Each fold by itself: these events, then these rows.

use chrono::{DateTime, TimeDelta};
use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::client::{ClientDetails, ClientDraft, ClientEvent, Registration};
use evident_domain::consent::ConsentEvent;
use evident_domain::session::{AssuranceLevel, ClientBinding, RevocationReason, SessionEvent};
use evident_domain::user::{TokenPurpose, UserEvent};
use evident_domain::{
    Actor, ClientId, ConsentId, Email, Event, EventId, IdentityId, Metadata, PasswordHash, Personal,
    Position, Provenance, Recorded, Scopes, SessionId, StreamId, Subject, Surface, Time, TokenHash, UserId,
};
use evident_projections::Fold;
use evident_projections::folds::{
    ClaimRows, ClientRow, Consents, ErasedSubject, IDLE_SECONDS, Identities, SessionRow, SignInFailures,
    UserRow,
};
use uuid::Uuid;

use crate::support::{session_started, signing_up};

const ANN: UserId = UserId(Uuid::from_u128(1));
const DEVICE: SessionId = SessionId(Uuid::from_u128(2));
const BOOK: ClientId = ClientId(Uuid::from_u128(4));
const IDENTITY: IdentityId = IdentityId(Uuid::from_u128(3));

/// The n-th event happens n seconds after the start.
fn at(n: usize) -> Time {
    DateTime::from_timestamp(1_795_000_000 + i64::try_from(n).unwrap(), 0).unwrap()
}

fn recorded(n: usize, actor: &Actor, event: impl Into<Event>) -> Recorded {
    let event = event.into();
    let stream = match &event {
        Event::User(_) => StreamId::user(ANN),
        Event::Session(_) => StreamId::session(DEVICE),
        Event::Provider(_) => StreamId { kind: evident_domain::StreamKind::Provider, id: Uuid::from_u128(9) },
        Event::Organization(_) => {
            StreamId { kind: evident_domain::StreamKind::Organization, id: Uuid::from_u128(8) }
        }
        Event::Recipient(_) => {
            StreamId { kind: evident_domain::StreamKind::Recipient, id: Uuid::from_u128(9) }
        }
        Event::SsoProvider(_) => {
            StreamId { kind: evident_domain::StreamKind::SsoProvider, id: Uuid::from_u128(10) }
        }
        Event::Flow(_) => StreamId { kind: evident_domain::StreamKind::Flow, id: Uuid::from_u128(7) },
        Event::Client(_) => StreamId::client(BOOK),
        Event::Authorization(_) => {
            StreamId { kind: evident_domain::StreamKind::Authorization, id: Uuid::from_u128(8) }
        }
        Event::Consent(_) => StreamId::consent(ConsentId::of(ANN, BOOK)),
        Event::Hold(_) => StreamId::holds(),
        Event::Log(_) => StreamId::log(),
        Event::Audit(_) => StreamId { kind: evident_domain::StreamKind::Audit, id: Uuid::from_u128(11) },
        Event::Dropped(_) | Event::Attempt(_) => StreamId::attempt(Uuid::from_u128(1_000 + n as u128)),
    };
    Recorded {
        position: Position(n as u64),
        id: EventId(Uuid::from_u128(n as u128)),
        stream,
        sequence: n as u64,
        occurred_at: at(n),
        subject: Some(Subject::User(ANN)),
        provenance: Provenance {
            ip: Some(Personal::Known("192.0.2.1".parse().unwrap())),
            user_agent: Some(Personal::Known(format!("agent {n}"))),
            ..Provenance::internal(actor.clone(), Surface::Gotrue, Uuid::nil())
        },
        event,
    }
}

/// Folds events, which happen a second apart, the first at second 1.
fn fold<F: Fold>(events: impl IntoIterator<Item = impl Into<Event>>) -> Option<F> {
    fold_by(&Actor::Visitor, events)
}

fn fold_by<F: Fold>(actor: &Actor, events: impl IntoIterator<Item = impl Into<Event>>) -> Option<F> {
    let mut group: Option<F> = None;
    for (n, event) in (1..).zip(events) {
        let event = recorded(n, actor, event);
        for key in F::keys(&event) {
            group = F::apply(group, &event, &key);
        }
    }
    // What a fold writes it reads back.
    let rows = group.as_ref().map(|group| group.rows(&ANN.to_string())).unwrap_or_default();
    assert_eq!(F::from_rows(rows).unwrap(), group);
    group
}

/// Ann signs up (events 1 and 2), then more happens (3 …).
fn ann(more: impl IntoIterator<Item = UserEvent>) -> Vec<UserEvent> {
    let mut events = signing_up(ANN, IDENTITY, "ann@example.com", "Ann Archer");
    assert_eq!(events.len(), 2);
    events.extend(more);
    events
}

fn issued(purpose: TokenPurpose) -> UserEvent {
    let code = TokenHash("code".to_owned());
    UserEvent::OneTimeTokenIssued {
        purpose,
        link: None,
        code,
        flow: None,
        sent_at: at(50),
        expires_at: at(100),
    }
}

fn email(text: &str) -> Personal<Email> {
    Email::parse(text).unwrap().into()
}

fn deleted() -> UserEvent {
    UserEvent::Deleted {
        email_digest: "email-digest".to_owned(),
        phone_digest: String::new(),
        identities: vec![(IDENTITY, "id-digest".to_owned())],
    }
}

fn started() -> SessionEvent {
    session_started(ANN, at(1))
}

#[test]
fn signing_up_makes_a_row_and_an_identity() {
    let row: UserRow = fold(ann([])).unwrap();
    assert_eq!((row.id, row.email.as_deref()), (ANN, Some("ann@example.com")));
    assert_eq!((row.created_at, row.updated_at), (at(1), at(1)));
    assert_eq!(row.search, "ann@example.com\nann archer");
    assert!(row.has_password && !row.is_anonymous && row.email_confirmed_at.is_none());

    let Identities(rows) = fold(ann([])).unwrap();
    let identity = &rows[&IDENTITY];
    assert_eq!(identity.email.as_deref(), Some("ann@example.com"));
    assert_eq!((identity.provider.as_str(), identity.last_sign_in_at), ("email", Some(at(2))));
}

#[test]
fn a_user_stays_confirmed_by_a_changed_address_but_an_administrator_confirms_anew() {
    let events = || ann([UserEvent::EmailConfirmed {}, UserEvent::EmailConfirmed {}]);
    let row: UserRow = fold_by(&Actor::User { id: ANN }, events()).unwrap();
    assert_eq!(row.email_confirmed_at, Some(at(3)));
    let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
    let row: UserRow = fold_by(&admin, events()).unwrap();
    assert_eq!(row.email_confirmed_at, Some(at(4)));
}

#[test]
fn messages_leave_their_times_and_a_new_password_clears_all_but_the_invitation() {
    let sent = [
        issued(TokenPurpose::Invitation),
        issued(TokenPurpose::Recovery),
        issued(TokenPurpose::EmailChangeNew),
        issued(TokenPurpose::PhoneChange),
        issued(TokenPurpose::Reauthentication),
        UserEvent::EmailChangeRequested { new_email: email("new@example.com") },
    ];
    let times = |row: &UserRow| {
        [
            row.confirmation_sent_at,
            row.recovery_sent_at,
            row.email_change_sent_at,
            row.phone_change_sent_at,
            row.reauthentication_sent_at,
        ]
    };
    let row: UserRow = fold(ann(sent.clone())).unwrap();
    assert_eq!(times(&row), [Some(at(50)); 5]);
    let password = PasswordHash("$x".to_owned()).into();
    let changed = sent.into_iter().chain([UserEvent::PasswordChanged { password }]);
    let row: UserRow = fold(ann(changed)).unwrap();
    assert_eq!(times(&row), [None; 5]);
    assert_eq!(row.invited_at, Some(at(50)));
    assert_eq!(row.new_email.as_deref(), Some("new@example.com"));
}

#[test]
fn a_ban_without_end_ends_with_the_year_9999() {
    let banned = UserEvent::Banned { until: None, reason: Some("spam".to_owned().into()) };
    let row: UserRow = fold(ann([banned.clone()])).unwrap();
    assert_eq!(row.banned_until.unwrap().to_rfc3339(), "9999-12-31T23:59:59+00:00");
    assert_eq!(row.ban_reason.as_deref(), Some("spam"));
    assert!(row.is_banned(at(3)));
    let row: UserRow = fold(ann([banned, UserEvent::Unbanned {}])).unwrap();
    assert_eq!((row.banned_until, row.ban_reason), (None, None));
}

#[test]
fn metadata_are_merged_and_searched() {
    let patch = Metadata::default().with("full_name", "ÅSA\nBerg").with("sub", serde_json::Value::Null);
    let row: UserRow = fold(ann([UserEvent::MetadataChanged { patch: patch.into() }])).unwrap();
    assert_eq!(row.user_metadata, r#"{"email":"ann@example.com","full_name":"ÅSA\nBerg"}"#);
    assert_eq!(row.search, "ann@example.com\nåsa berg");
}

#[test]
fn a_soft_deletion_leaves_digests_and_times_and_no_person() {
    let row: UserRow = fold(ann([
        UserEvent::EmailConfirmed {},
        UserEvent::EmailChangeRequested { new_email: email("new@example.com") },
        deleted(),
    ]))
    .unwrap();
    assert_eq!((row.email.as_deref(), row.phone, row.new_email), (Some("email-digest"), None, None));
    assert_eq!((row.user_metadata.as_str(), row.app_metadata.as_str()), ("{}", "{}"));
    assert_eq!((row.email_confirmed_at, row.deleted_at), (Some(at(3)), Some(at(5))));
    assert_eq!((row.role.as_str(), row.has_password), ("authenticated", false));

    let Identities(rows) = fold(ann([deleted()])).unwrap();
    let identity = &rows[&IDENTITY];
    assert_eq!((identity.provider_id.as_str(), identity.identity_data.as_str()), ("id-digest", "{}"));
    assert_eq!((&identity.email, identity.updated_at), (&None, at(2)));
}

#[test]
fn an_erasure_leaves_no_row_but_the_note_of_it() {
    for events in [ann([UserEvent::Erased {}]), ann([deleted(), UserEvent::Erased {}])] {
        let last = events.len();
        assert_eq!(fold::<UserRow>(events.clone()), None);
        assert_eq!(fold::<Identities>(events.clone()), None);
        assert_eq!(fold::<ClaimRows>(events.clone()), None);
        let note: ErasedSubject = fold(events).unwrap();
        assert_eq!((note.subject, note.erased_at), (Subject::User(ANN), at(last)));
    }
}

#[test]
fn what_cannot_be_read_is_as_if_it_were_empty() {
    let events = [
        UserEvent::SignedUp {
            method: evident_domain::user::SignUpMethod::Password,
            aud: String::new(),
            role: String::new(),
            email: Some(Personal::Erased),
            phone: Some(Personal::Sealed("x".to_owned())),
            password: Some(Personal::Erased),
            user_metadata: Personal::Erased,
            app_metadata: Personal::Sealed("x".to_owned()),
            anonymous: false,
        },
        UserEvent::MetadataChanged { patch: Personal::Erased },
        UserEvent::EmailChanged { email: Personal::Erased },
        UserEvent::IdentityLinked {
            identity: IDENTITY,
            provider: "email".to_owned(),
            provider_id: Personal::Erased,
            data: Personal::Erased,
        },
        UserEvent::Banned { until: None, reason: Some(Personal::Erased) },
    ];
    let row: UserRow = fold(events.clone()).unwrap();
    assert_eq!((row.email, row.phone, row.ban_reason, row.has_password), (None, None, None, true));
    assert_eq!((row.user_metadata.as_str(), row.search.as_str()), ("{}", "\n"));
    let Identities(rows) = fold(events.clone()).unwrap();
    assert_eq!((rows[&IDENTITY].provider_id.as_str(), rows[&IDENTITY].identity_data.as_str()), ("", "{}"));
    assert_eq!(fold::<ClaimRows>(events), None);
}

#[test]
fn a_sign_in_shows_on_the_user_and_a_refresh_does_not() {
    let mut events: Vec<Event> = ann([]).into_iter().map(Event::User).collect();
    events.push(started().into());
    events.push(SessionEvent::Refreshed { generation: 1, at: at(4) }.into());
    let row: UserRow = fold(events).unwrap();
    assert_eq!((row.last_sign_in_at, row.updated_at), (Some(at(1)), at(3)));
}

#[test]
fn a_session_shows_its_last_use_and_its_proofs_and_goes_when_it_is_revoked() {
    let refreshed = SessionEvent::Refreshed { generation: 1, at: at(2) };
    let stepped = SessionEvent::SteppedUp {
        method: "totp".to_owned(),
        at: at(3),
        aal: AssuranceLevel::Aal2,
        factor: None,
    };
    let row: SessionRow = fold([started(), refreshed.clone(), stepped.clone()]).unwrap();
    assert_eq!((row.generation, row.aal), (2, AssuranceLevel::Aal2));
    assert_eq!(row.amr.iter().map(|entry| entry.method.as_str()).collect::<Vec<_>>(), ["totp", "password"]);
    assert_eq!((row.created_at, row.refreshed_at, row.updated_at), (at(1), Some(at(2)), at(3)));
    assert_eq!((row.user_agent.as_deref(), row.ip.as_deref()), (Some("agent 2"), Some("192.0.2.1")));

    let revoked = SessionEvent::Revoked { reason: RevocationReason::SignedOut };
    assert_eq!(fold::<SessionRow>([started(), refreshed.clone(), revoked, stepped]), None);
}

#[test]
fn failures_count_up_until_the_account_is_left_alone() {
    let failed = |reason, at| {
        Event::Attempt(AttemptEvent::SignInFailed {
            account: TokenHash("account".to_owned()),
            identifier: Personal::Erased,
            user: None,
            reason,
            at,
        })
    };
    let wrong = SignInRefusal::WrongPassword;
    let idle = TimeDelta::seconds(IDLE_SECONDS);
    let row: SignInFailures = fold([
        failed(wrong, at(0)),
        failed(SignInRefusal::UnknownAccount, at(0) + idle),
        // Only after the right password.
        failed(SignInRefusal::Banned, at(1) + idle),
    ])
    .unwrap();
    assert_eq!((row.failures, row.last_at), (2, at(0) + idle));
    assert_eq!((row.count_at(at(0) + idle * 2), row.count_at(at(1) + idle * 2)), (2, 0));
    let row: SignInFailures = fold([failed(wrong, at(0)), failed(wrong, at(1) + idle)]).unwrap();
    assert_eq!(row.failures, 1);
}

#[test]
fn a_new_address_gives_the_old_one_back() {
    let ClaimRows(held) = fold(ann([UserEvent::EmailChanged { email: email("new@example.com") }])).unwrap();
    let held: Vec<_> = held.into_iter().map(|(claim, (_, position))| (claim, position)).collect();
    assert_eq!(held, [("email:new@example.com".to_owned(), 3), (format!("identity:email:{ANN}"), 2)]);
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

#[test]
fn a_session_tells_which_client_has_it() {
    let SessionEvent::Started { user, amr, aal, not_after, started_at, .. } = started() else { panic!() };
    let (client, scopes) = (Some(BOOK), Some(scopes("openid email")));
    let (slides, impersonator) = (false, None);
    let bound =
        SessionEvent::Started { user, amr, aal, not_after, started_at, client, scopes, slides, impersonator };
    let row: SessionRow = fold([bound]).unwrap();
    assert_eq!(row.client, Some(ClientBinding { client: BOOK, scopes: self::scopes("openid email") }));
    assert_eq!(fold::<SessionRow>([started()]).unwrap().client, None);
}

fn details(name: &str) -> ClientDetails {
    ClientDetails::new(ClientDraft {
        name: Some(name.to_owned()),
        redirect_uris: Some(vec!["https://photos.example.com/cb".to_owned()]),
        ..ClientDraft::default()
    })
    .unwrap()
}

#[test]
fn a_client_has_a_row_until_it_is_deleted() {
    let hash = || TokenHash("hash".to_owned());
    let registered = || ClientEvent::Registered {
        registration: Registration::Dynamic,
        details: details("Photo Book"),
        secret: Some(hash()),
        registered_at: at(1),
    };
    let row: ClientRow = fold([registered()]).unwrap();
    assert_eq!((row.id, row.registration, row.position), (BOOK, Registration::Dynamic, 1));
    assert_eq!((row.created_at, row.updated_at), (at(1), at(1)));
    let updated = ClientEvent::Updated { details: details("Photo Books"), at: at(2) };
    let row: ClientRow = fold([registered(), updated]).unwrap();
    assert_eq!(row.details.name.as_deref(), Some("Photo Books"));
    assert_eq!((row.created_at, row.updated_at, row.position), (at(1), at(2), 1));
    let regenerated = ClientEvent::SecretRegenerated { secret: hash(), at: at(2) };
    let row: ClientRow = fold([registered(), regenerated]).unwrap();
    assert_eq!(row.updated_at, at(2));
    assert!(!format!("{:?}", row.rows("")).contains("hash"), "no secret in the table");
    assert_eq!(fold::<ClientRow>([registered(), ClientEvent::Deleted {}]), None);
}

#[test]
fn what_is_granted_has_a_row_until_it_is_taken_back_or_its_user_goes() {
    let given =
        |text, n| ConsentEvent::Given { user: ANN, client: BOOK, scopes: scopes(text), given_at: at(n) };
    let rows: Consents = fold([given("email", 1), given("email openid", 2)]).unwrap();
    let row = rows.0.get(&ConsentId::of(ANN, BOOK)).unwrap();
    assert_eq!((row.user_id, row.client_id, row.granted_at), (ANN, BOOK, at(2)));
    assert_eq!(row.scopes, scopes("email openid"));
    let revoked = ConsentEvent::Revoked { user: ANN, client: BOOK };
    assert_eq!(fold::<Consents>([given("email", 1), revoked]), None);
    for end in [UserEvent::Erased {}, deleted()] {
        assert_eq!(fold::<Consents>([Event::from(given("email", 1)), Event::from(end)]), None);
    }
}
