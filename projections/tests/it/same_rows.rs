//! Whatever happens, the tables that commits keep are those that a rebuild makes, that a replay makes,
//! and that a verification expects; and users in memory are those of the tables.

use std::time::Duration;

use chrono::TimeDelta;
use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{
    AssuranceLevel, ClientBinding, ReusePolicy, RevocationReason, Session, SessionCommand, SessionEvent,
    Start,
};
use evident_domain::user::factor::{
    Authenticator, FactorAnswer, FactorCommand, FactorLimits, FactorRemoval, NewFactor,
};
use evident_domain::user::passkey::PasskeyCommand;
use evident_domain::user::{
    Confirmed, IdentityData, Proof, SignUp, SignUpMethod, TokenPurpose, UnprovenPassword, User, UserCommand,
    WaysInLeft,
};
use evident_domain::{
    Actor, ChallengeId, ClientId, Email, Event, FactorId, IdentityId, Metadata, OrganizationId, PasskeyId,
    PasswordHash, Personal, Phone, Scopes, SessionId, StreamId, Subject, TokenHash, UserId,
};
use evident_eventstore::{AppendError, Contents, Database};
use evident_projections::{Limits, PATIENCE, Silent, Until, rebuild, rebuild_within, replay, verify, views};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use uuid::Uuid;

use crate::directory_model::FIELDS;
use crate::oauth_tries::{OAuthTry, oauth_try};
use crate::organization_tries::{OrganizationTry, organization_try};
use crate::rosters::{agrees_with_tables, kept};
use crate::support::{On, World, is_there, rows, runtime};

/// Where factors are asked and answer.
const SESSION: SessionId = SessionId(Uuid::from_u128(990));

/// Something that somebody tries; numbers choose among few, so that things meet.
#[derive(Debug, Clone)]
enum Try {
    SignUp { method: SignUpMethod, email: Option<u8>, phone: Option<u8>, confirmed: bool },
    User { as_admin: bool, what: Change },
    Start { client: Option<u8> },
    Refresh { session: u8, back: u64 },
    StepUp { session: u8, factor: u8 },
    StepDown { session: u8, factor: u8 },
    Keep { session: u8, value: u8 },
    Revoke { session: u8 },
    OAuth(OAuthTry),
    Organization(OrganizationTry),
    Fail { account: u8, reason: SignInRefusal },
    Rebuild,
    Retain,
}

#[derive(Debug, Clone)]
enum Change {
    ConfirmEmail,
    ConfirmPhone,
    RequestEmail(u8),
    Email(u8, bool),
    RequestPhone(u8),
    Phone(u8, bool),
    Issue(TokenPurpose),
    Redeem(TokenPurpose, bool),
    Password,
    Rehash,
    RemovePassword,
    ProvePassword,
    Metadata(Metadata),
    AppMetadata(Metadata),
    Role(u8),
    Ban(Option<i64>, bool),
    Unban,
    Link(u8),
    Unlink(u8),
    Enroll(u8, bool),
    Challenge(u8),
    Answer(u8, bool),
    RenameFactor(u8, u8),
    PhoneOfFactor(u8, u8),
    RemoveFactor(u8),
    AddPasskey(u8),
    UsePasskey(u8),
    RenamePasskey(u8, u8),
    RemovePasskey(u8),
    Delete,
    Erase,
}

fn purpose() -> impl Strategy<Value = TokenPurpose> {
    prop::sample::select(vec![
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

fn metadata() -> impl Strategy<Value = Metadata> {
    let value = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        Just(serde_json::json!({"a": [1, {"b": "\u{0}"}]})),
    ];
    prop::collection::btree_map(prop::sample::select(vec!["full_name", "k", "email"]), value, 0..3)
        .prop_map(|map| Metadata(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::ConfirmEmail),
        Just(Change::ConfirmPhone),
        (0..4_u8).prop_map(Change::RequestEmail),
        (0..4_u8, any::<bool>()).prop_map(|(n, c)| Change::Email(n, c)),
        (0..4_u8).prop_map(Change::RequestPhone),
        (0..4_u8, any::<bool>()).prop_map(|(n, c)| Change::Phone(n, c)),
        purpose().prop_map(Change::Issue),
        (purpose(), any::<bool>()).prop_map(|(p, right)| Change::Redeem(p, right)),
        Just(Change::Password),
        Just(Change::Rehash),
        Just(Change::RemovePassword),
        Just(Change::ProvePassword),
        metadata().prop_map(Change::Metadata),
        metadata().prop_map(Change::AppMetadata),
        (0..2_u8).prop_map(Change::Role),
        (prop::option::of(-1_000..1_000_i64), any::<bool>()).prop_map(|(u, r)| Change::Ban(u, r)),
        Just(Change::Unban),
        (0..4_u8).prop_map(Change::Link),
        (0..4_u8).prop_map(Change::Unlink),
        (0..2_u8, any::<bool>()).prop_map(|(n, phone)| Change::Enroll(n, phone)),
        (0..2_u8).prop_map(Change::Challenge),
        (0..2_u8, any::<bool>()).prop_map(|(n, right)| Change::Answer(n, right)),
        (0..2_u8, 0..3_u8).prop_map(|(n, name)| Change::RenameFactor(n, name)),
        (0..2_u8, 0..4_u8).prop_map(|(n, phone)| Change::PhoneOfFactor(n, phone)),
        (0..2_u8).prop_map(Change::RemoveFactor),
        (0..3_u8).prop_map(Change::AddPasskey),
        (0..3_u8).prop_map(Change::UsePasskey),
        (0..3_u8, 0..3_u8).prop_map(|(n, name)| Change::RenamePasskey(n, name)),
        (0..3_u8).prop_map(Change::RemovePasskey),
        Just(Change::Delete),
        Just(Change::Erase),
    ]
}

fn attempt() -> impl Strategy<Value = Try> {
    let methods = vec![
        SignUpMethod::Password,
        SignUpMethod::Admin,
        SignUpMethod::Invited,
        SignUpMethod::External,
        SignUpMethod::Anonymous,
    ];
    let reasons = vec![SignInRefusal::UnknownAccount, SignInRefusal::WrongPassword, SignInRefusal::Banned];
    let contact = || prop::option::of(0..4_u8);
    prop_oneof![
        3 => (prop::sample::select(methods), contact(), contact(), any::<bool>())
            .prop_map(|(method, email, phone, confirmed)| Try::SignUp { method, email, phone, confirmed }),
        10 => (any::<bool>(), change()).prop_map(|(as_admin, what)| Try::User { as_admin, what }),
        3 => prop::option::of(any::<u8>()).prop_map(|client| Try::Start { client }),
        8 => oauth_try().prop_map(Try::OAuth),
        16 => organization_try().prop_map(Try::Organization),
        3 => (any::<u8>(), 0..3_u64).prop_map(|(session, back)| Try::Refresh { session, back }),
        1 => (any::<u8>(), 0..2_u8).prop_map(|(session, factor)| Try::StepUp { session, factor }),
        1 => (any::<u8>(), 0..2_u8).prop_map(|(session, factor)| Try::StepDown { session, factor }),
        1 => (any::<u8>(), 0..3_u8).prop_map(|(session, value)| Try::Keep { session, value }),
        1 => any::<u8>().prop_map(|session| Try::Revoke { session }),
        1 => (0..3_u8, prop::sample::select(reasons)).prop_map(|(account, reason)| Try::Fail { account, reason }),
        1 => Just(Try::Rebuild),
        1 => Just(Try::Retain),
    ]
}

/// Those who try.
pub(crate) struct Cast<'a> {
    pub(crate) world: &'a World,
    pub(crate) users: Vec<UserId>,
    pub(crate) clients: Vec<ClientId>,
    pub(crate) organizations: Vec<OrganizationId>,
}

fn email(n: u8) -> Email {
    Email::parse(&format!("u{n}@example.com")).unwrap()
}

fn phone(n: u8) -> Phone {
    Phone::parse(&format!("1555000{n}")).unwrap()
}

fn factor_id(n: u8) -> FactorId {
    FactorId(Uuid::from_u128(u128::from(n) + 900))
}

fn passkey_id(n: u8) -> PasskeyId {
    PasskeyId(Uuid::from_u128(u128::from(n) + 950))
}

/// A key; those of one number are the same key, with whatever counter.
fn authenticator(n: u8, counter: i64) -> Authenticator {
    Authenticator {
        credential_id: format!("key {n}"),
        aaguid: Uuid::from_u128(u128::from(n)),
        key: Metadata::default().with("counter", counter),
    }
}

/// The account's last challenge, or one that never was.
fn last_challenge(user: &User) -> ChallengeId {
    let challenges = user.account().map(|account| account.factors.challenges.clone()).unwrap_or_default();
    challenges.last().map_or(ChallengeId(Uuid::nil()), |challenge| challenge.id)
}

fn hash(text: &str) -> TokenHash {
    TokenHash(text.to_owned())
}

impl Cast<'_> {
    async fn user(&self, id: UserId) -> (User, u64) {
        let events = self.world.store.load(StreamId::user(id)).await.unwrap();
        let mut user = User::default();
        for recorded in &events {
            if let Event::User(event) = &recorded.event {
                user.fold(event);
            }
        }
        (user, events.len() as u64)
    }

    async fn session(&self, id: SessionId) -> (Session, u64) {
        let events = self.world.store.load(StreamId::session(id)).await.unwrap();
        let mut session = Session::default();
        for recorded in &events {
            if let Event::Session(event) = &recorded.event {
                session.fold(event);
            }
        }
        (session, events.len() as u64)
    }

    pub(crate) async fn append(
        &self,
        user: UserId,
        actor: Actor,
        streams: Vec<(StreamId, u64, Vec<Event>)>,
    ) -> bool {
        match self.world.append(Subject::User(user), actor, streams).await {
            Ok(_) => true,
            Err(AppendError::ClaimTaken(_)) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn attempt(&mut self, who: usize, what: Try) {
        let world = self.world;
        let id = self.users[who];
        let now = world.clock.now();
        let (user, version) = self.user(id).await;
        let stream = StreamId::user(id);
        let database = world.store.database();
        let sessions = views::live_sessions(database, id).await.unwrap();
        let pick = |n: u8| sessions.get(usize::from(n) % sessions.len().max(1)).copied();
        match what {
            Try::SignUp { method, email: e, phone: p, confirmed } => {
                let confirmed = if confirmed { Confirmed::Yes } else { Confirmed::No };
                let command = UserCommand::SignUp(Box::new(SignUp {
                    method,
                    aud: format!("aud{}", who % 2),
                    role: "authenticated".to_owned(),
                    email: e.map(|n| (email(n), confirmed)),
                    phone: p.map(|n| (phone(n), Confirmed::No)),
                    password: confirmed.eq(&Confirmed::Yes).then(|| PasswordHash("$x".to_owned())),
                    user_metadata: Metadata::default().with("full_name", format!("Full N\u{e4}me {who}")),
                    app_metadata: Metadata::default(),
                    identities: e.map(|n| self.identity(n, "email")).into_iter().collect(),
                }));
                if let Ok(events) = user.decide(command) {
                    let events = events.into_iter().map(Event::User).collect();
                    self.append(id, Actor::Visitor, vec![(stream, version, events)]).await;
                }
            }
            Try::User { as_admin, what } => {
                let (delete, erase) = (matches!(what, Change::Delete), matches!(what, Change::Erase));
                let Ok(events) = user.decide(self.command(id, &user, what)) else { return };
                if (delete || erase) && !self.leave_organizations(id).await {
                    return;
                }
                let actor = if as_admin {
                    Actor::Admin { role: "service_role".to_owned(), id: None }
                } else {
                    Actor::User { id }
                };
                let mut streams = vec![(stream, version, events.into_iter().map(Event::User).collect())];
                if delete || erase {
                    for id in sessions {
                        let (session, version) = self.session(id).await;
                        let reason = RevocationReason::UserDeleted;
                        let events = session.decide(SessionCommand::Revoke { reason }).unwrap();
                        let events = events.into_iter().map(Event::Session).collect();
                        streams.push((StreamId::session(id), version, events));
                    }
                }
                if self.append(id, actor, streams).await && erase {
                    world.store.forget(&Subject::User(id)).await.unwrap();
                    self.users[who] = UserId(world.entropy.uuid());
                }
            }
            Try::Start { client } => {
                if user.account().is_some() {
                    let session = SessionId(world.entropy.uuid());
                    let client = client.and_then(|n| self.client(n)).map(|client| ClientBinding {
                        client,
                        scopes: Scopes::parse("openid email").unwrap(),
                    });
                    let start = Start {
                        user: id,
                        method: "password".to_owned(),
                        not_after: None,
                        slides: false,
                        client,
                        impersonator: None,
                        now,
                    };
                    let events = Session::default().decide(SessionCommand::Start(start)).unwrap();
                    let events: Vec<_> = events.into_iter().map(Event::Session).collect();
                    let streams =
                        vec![(stream, version, Vec::new()), (StreamId::session(session), 0, events)];
                    self.append(id, Actor::Visitor, streams).await;
                }
            }
            Try::Refresh { session, back } => {
                let Some(session_id) = pick(session) else { return };
                let (session, version) = self.session(session_id).await;
                let policy = ReusePolicy { interval_seconds: 10, parent_always: true, revoke_on_reuse: true };
                let generation = session.live().unwrap().generation.saturating_sub(back);
                let events = session.decide(SessionCommand::Refresh { generation, now, policy });
                self.session_events(id, session_id, version, events.unwrap_or_default()).await;
            }
            Try::StepDown { session, factor } => {
                let Some(session_id) = pick(session) else { return };
                let (session, version) = self.session(session_id).await;
                let command = SessionCommand::StepDown { factor: factor_id(factor), now };
                self.session_events(id, session_id, version, session.decide(command).unwrap()).await;
            }
            Try::StepUp { session, factor } => {
                let Some(session_id) = pick(session) else { return };
                let (session, version) = self.session(session_id).await;
                let command = SessionCommand::StepUp {
                    method: "totp".to_owned(),
                    aal: AssuranceLevel::Aal2,
                    factor: Some(factor_id(factor)),
                    now,
                };
                self.session_events(id, session_id, version, session.decide(command).unwrap()).await;
            }
            Try::Keep { session, value } => {
                let Some(session_id) = pick(session) else { return };
                let (session, version) = self.session(session_id).await;
                let fields = match value {
                    0 => Metadata::default().with("theme", serde_json::Value::Null),
                    _ => Metadata::default().with("theme", value).with(&format!("more{value}"), "x"),
                };
                let command = SessionCommand::ChangeFields { fields, now };
                self.session_events(id, session_id, version, session.decide(command).unwrap()).await;
            }
            Try::Revoke { session } => {
                let Some(session_id) = pick(session) else { return };
                let (session, version) = self.session(session_id).await;
                let command = SessionCommand::Revoke { reason: RevocationReason::SignedOut };
                self.session_events(id, session_id, version, session.decide(command).unwrap()).await;
            }
            Try::OAuth(what) => self.try_oauth(id, &user, what).await,
            Try::Organization(what) => {
                if user.account().is_some() {
                    self.try_organization(id, what).await;
                }
            }
            Try::Fail { account, reason } => {
                let event = AttemptEvent::SignInFailed {
                    account: hash(&format!("account {account}")),
                    identifier: Personal::Known("somebody".to_owned()),
                    user: None,
                    reason,
                    at: now,
                };
                let stream = StreamId::attempt(world.entropy.uuid());
                let period = Subject::Period("2026-11".to_owned());
                let streams = vec![(stream, 0, vec![Event::Attempt(event)])];
                world.append(period, Actor::Visitor, streams).await.unwrap();
            }
            Try::Retain => world.retain().await,
            Try::Rebuild => {
                rebuild(
                    &world.store,
                    &["users", "sessions", "oauth_consents", "members", "invitations"],
                    PATIENCE,
                    &Silent,
                )
                .await
                .unwrap();
            }
        }
    }

    async fn session_events(&self, user: UserId, id: SessionId, version: u64, events: Vec<SessionEvent>) {
        if !events.is_empty() {
            let events = events.into_iter().map(Event::Session).collect();
            self.append(user, Actor::User { id: user }, vec![(StreamId::session(id), version, events)]).await;
        }
    }

    fn identity(&self, n: u8, provider: &str) -> IdentityData {
        IdentityData {
            id: IdentityId(self.world.entropy.uuid()),
            provider: provider.to_owned(),
            provider_id: format!("known-{n}"),
            data: Metadata::default().with("email", format!("U{n}@Example.com")),
        }
    }

    fn command(&self, id: UserId, user: &User, what: Change) -> UserCommand {
        let now = self.world.clock.now();
        let new_identity = IdentityId(self.world.entropy.uuid());
        let confirmed = |yes| if yes { Confirmed::Yes } else { Confirmed::No };
        match what {
            Change::ConfirmEmail => UserCommand::ConfirmEmail,
            Change::ConfirmPhone => UserCommand::ConfirmPhone,
            Change::RequestEmail(n) => UserCommand::RequestEmailChange { new_email: email(n) },
            Change::Email(n, yes) => UserCommand::ChangeEmail {
                user: id,
                email: email(n),
                confirmed: confirmed(yes),
                new_identity,
            },
            Change::RequestPhone(n) => UserCommand::RequestPhoneChange { new_phone: phone(n) },
            Change::Phone(n, yes) => UserCommand::ChangePhone {
                user: id,
                phone: phone(n),
                confirmed: confirmed(yes),
                new_identity,
            },
            Change::Issue(purpose) => UserCommand::IssueOneTimeToken {
                purpose,
                link: None,
                code: hash("right"),
                flow: None,
                now,
                expires_at: now + TimeDelta::hours(1),
                min_interval_seconds: 0,
            },
            Change::Redeem(purpose, right) => UserCommand::Redeem {
                purposes: vec![purpose],
                proof: Proof::Code(hash(if right { "right" } else { "wrong" })),
                password: UnprovenPassword::Waits,
                now,
            },
            Change::Password => UserCommand::ChangePassword { password: PasswordHash("$y".to_owned()) },
            Change::Rehash => UserCommand::RehashPassword { password: PasswordHash("$z".to_owned()) },
            Change::RemovePassword => UserCommand::RemoveUnprovenPassword,
            Change::ProvePassword => UserCommand::ProvePassword,
            Change::Metadata(patch) => UserCommand::ChangeMetadata { patch },
            Change::AppMetadata(patch) => UserCommand::ChangeAppMetadata { patch },
            Change::Role(n) => UserCommand::ChangeRole { role: format!("role-{n}\0") },
            Change::Ban(until, reason) => UserCommand::Ban {
                until: until.map(|seconds| now + TimeDelta::seconds(seconds)),
                reason: reason.then(|| "spam\0".to_owned()),
            },
            Change::Unban => UserCommand::Unban,
            Change::Link(n) => UserCommand::LinkIdentity(self.identity(n, "google")),
            Change::Unlink(n) => {
                let linked = user.account().map(|account| account.identities.clone()).unwrap_or_default();
                let identity = linked.get(usize::from(n)).map_or(new_identity, |identity| identity.id);
                UserCommand::UnlinkIdentity { identity, leaving: WaysInLeft::AnIdentity, taken: Vec::new() }
            }
            Change::Enroll(n, is_phone) => UserCommand::Factor(FactorCommand::Enroll {
                factor: factor_id(n),
                new: if is_phone { NewFactor::Phone(phone(n)) } else { NewFactor::Webauthn },
                name: format!("factor {n}\0"),
                aal: AssuranceLevel::Aal2,
                limits: FactorLimits { enrolled: 2, verified: 2, unverified_for: Duration::from_secs(60) },
                now,
            }),
            Change::Challenge(n) => UserCommand::Factor(FactorCommand::Challenge {
                factor: factor_id(n),
                challenge: ChallengeId(self.world.entropy.uuid()),
                session: SESSION,
                ip: None,
                code: Some(hash("right")),
                now,
                expires_at: now + TimeDelta::hours(1),
                min_interval_seconds: 0,
            }),
            Change::Answer(n, right) => {
                let factors = user.account().map(|account| &account.factors);
                let is_phone = factors.and_then(|factors| factors.get(factor_id(n)).ok()?.phone.as_ref());
                let answer = match is_phone {
                    Some(_) => FactorAnswer::Code(hash(if right { "right" } else { "wrong" })),
                    None => FactorAnswer::Webauthn(right.then(|| authenticator(n, now.timestamp()))),
                };
                UserCommand::Factor(FactorCommand::Answer {
                    factor: factor_id(n),
                    challenge: last_challenge(user),
                    session: SESSION,
                    ip: None,
                    answer,
                    now,
                })
            }
            Change::RenameFactor(n, name) => {
                UserCommand::Factor(FactorCommand::Rename { factor: factor_id(n), name: format!("{name}") })
            }
            Change::PhoneOfFactor(n, to) => {
                UserCommand::Factor(FactorCommand::ChangePhone { factor: factor_id(n), phone: phone(to) })
            }
            Change::RemoveFactor(n) => UserCommand::Factor(FactorCommand::Remove {
                factor: factor_id(n),
                aal: None,
                reason: FactorRemoval::Unenrolled,
            }),
            Change::AddPasskey(n) => UserCommand::Passkey(PasskeyCommand::Add {
                passkey: passkey_id(n),
                name: "Passkey".to_owned(),
                authenticator: authenticator(n, 0),
                aal: AssuranceLevel::Aal2,
                limit: 2,
            }),
            Change::UsePasskey(n) => UserCommand::Passkey(PasskeyCommand::Use {
                passkey: passkey_id(n),
                authenticator: authenticator(n, now.timestamp()),
                now,
            }),
            Change::RenamePasskey(n, name) => UserCommand::Passkey(PasskeyCommand::Rename {
                passkey: passkey_id(n),
                name: format!("{name}\0"),
                aal: AssuranceLevel::Aal2,
            }),
            Change::RemovePasskey(n) => {
                UserCommand::Passkey(PasskeyCommand::Remove { passkey: passkey_id(n), aal: None })
            }
            Change::Delete => UserCommand::Delete {
                email_digest: "digest-of-email".to_owned(),
                phone_digest: String::new(),
                identities: user
                    .account()
                    .map(|account| account.identities.iter().map(|i| (i.id, "digest".to_owned())).collect())
                    .unwrap_or_default(),
            },
            Change::Erase => UserCommand::Erase,
        }
    }
}

async fn all_agree(on: On, tries: Vec<(usize, Try)>) -> Result<(), TestCaseError> {
    let world = World::new(on).await;
    let mut cast = Cast {
        world: &world,
        users: (0..3).map(|_| UserId(world.entropy.uuid())).collect(),
        clients: Vec::new(),
        organizations: Vec::new(),
    };
    let roster = kept(&world).await;
    for ((who, what), field) in tries.into_iter().zip(FIELDS.into_iter().cycle()) {
        cast.attempt(who, what).await;
        agrees_with_tables(&world, &roster, field).await;
    }
    let (store, folder) = (&world.store, world.folder.path());
    // What had its time is gone, and no row but the counts of failures knows the difference.
    let mut before = world.rows().await;
    world.retain().await;
    let mut inline = world.rows().await;
    before.remove("sign_in_failures");
    inline.remove("sign_in_failures");
    prop_assert_eq!(&before, &inline);
    let inline = world.rows().await;
    for row in store
        .sealed_page(evident_domain::Position(0), 10_000, &evident_eventstore::Filter::default())
        .await
        .unwrap()
    {
        prop_assert!(row.check().is_ok());
    }

    let verification = verify(store, &[], folder, &Silent).await.unwrap();
    prop_assert!(verification.is_clean(), "{verification:?}");

    for limits in [
        Limits::default(),
        Limits { page: 3, pages: 2, behind: 2, groups: 1, kept: 1, stretch: 20, indexed: 2 },
    ] {
        rebuild_within(store, &[], PATIENCE, limits, &Silent).await.unwrap();
        prop_assert_eq!(&inline, &world.rows().await);
    }
    let again = verify(store, &[], folder, &Silent).await.unwrap();
    prop_assert_eq!(&verification.outcomes, &again.outcomes);

    let file = folder.join("replayed.db");
    let head = store.head().await.unwrap().position;
    replay(store, Until::Position(head), &file, &Silent).await.unwrap();
    let replayed = Database::open_sqlite(&file, Contents::Keys).await.unwrap();
    prop_assert_eq!(&inline, &rows(&replayed).await);
    Ok(())
}

fn whatever_happens(on: On, cases: u32) {
    if !is_there(on) {
        return;
    }
    let runtime = runtime();
    let tries = prop::collection::vec((0..3_usize, attempt()), 1..90);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config).run(&tries, |tries| runtime.block_on(all_agree(on, tries))).unwrap();
}

#[test]
fn whatever_happens_commits_rebuilds_and_replays_agree_on_sqlite() {
    whatever_happens(On::Sqlite, 24);
}

#[test]
fn whatever_happens_commits_rebuilds_and_replays_agree_on_postgres() {
    whatever_happens(On::Postgres, 24);
}
