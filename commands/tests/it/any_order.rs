//! Whatever people and administrators do, and in whatever order: the tables that the commands wrote are
//! the tables that the log makes.
//!
//! A step more is a variant of [`Step`], a line in [`a_step`], and an arm in [`World::perform`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use evident_commands::messages::{Message, SmsChannel};
use evident_commands::organizations::OrganizationCaller;
use evident_commands::password::Password;
use evident_commands::settings::Settings;
use evident_commands::{
    AccessIntent, AdministerUser, BanChange, CreateUser, Deletion, GivenContact, Grant, InviteUser,
    RequestAccess, SessionTerms, SignOut, SignOutScope, SignedUp, UpdateUser, Verified, Verify, VerifyEnd,
    VerifyKind, VerifyProof,
};
use evident_domain::{Metadata, SessionId, UserId};
use evident_projections::{Silent, verify};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use crate::accounts::update;
use crate::organization_steps::{Known, OrganizationStep, organization_step};
use crate::support::{Node, PASSWORD, context};

// Few addresses and moments, so that the steps meet each other.
pub(crate) const EMAILS: [&str; 3] = ["ann@example.com", "ann@example.net", "lee@example.com"];
const PHONES: [&str; 2] = ["15550001111", "15550002222"];
const PASSWORDS: [&str; 2] = [PASSWORD, "a better horse battery"];

/// What somebody does. An [`Index`] chooses among the people, sessions and messages that there are by then.
#[derive(Debug, Clone)]
enum Step {
    SignUp { email: &'static str },
    SignIn { email: &'static str, password: &'static str },
    Refresh { session: Index },
    SignOut { session: Index, scope: SignOutScope },
    ChangeOwn { session: Index, change: OwnChange },
    SignUpAnonymously,
    Ask { email: &'static str, intent: AccessIntent },
    Invite { email: &'static str },
    FollowLink { message: Index },
    GuessCode { email: &'static str, kind: VerifyKind },
    Create { email: Option<&'static str>, phone: Option<&'static str>, confirm: bool, banned: bool },
    Administer { user: Index, change: Change },
    Delete { user: Index, deletion: Deletion },
    Pass { seconds: i64 },
    Organize { session: Index, step: OrganizationStep },
}

#[derive(Debug, Clone)]
enum OwnChange {
    Email(&'static str),
    Password(&'static str),
    Data(&'static str),
}

#[derive(Debug, Clone)]
enum Change {
    Email(&'static str),
    Phone(&'static str),
    Password(&'static str),
    Data(&'static str),
    Role(&'static str),
    Ban(bool),
}

fn an_email() -> impl Strategy<Value = &'static str> {
    select(&EMAILS[..])
}

fn a_phone() -> impl Strategy<Value = &'static str> {
    select(&PHONES[..])
}

fn a_password() -> impl Strategy<Value = &'static str> {
    select(&PASSWORDS[..])
}

fn a_word() -> impl Strategy<Value = &'static str> {
    select(vec!["one", "two", "", "Ünïcode ☃ 'quoted' \"twice\""])
}

fn a_step() -> impl Strategy<Value = Step> {
    let some = any::<Index>;
    let scope = select(vec![SignOutScope::Global, SignOutScope::Local, SignOutScope::Others]);
    let kind = select(vec![VerifyKind::SignUp, VerifyKind::Email, VerifyKind::EmailChange]);
    let intent = select(vec![AccessIntent::SignInOrUp, AccessIntent::SignIn, AccessIntent::Recover]);
    let own = prop_oneof![
        an_email().prop_map(OwnChange::Email),
        a_password().prop_map(OwnChange::Password),
        a_word().prop_map(OwnChange::Data),
    ];
    let change = prop_oneof![
        an_email().prop_map(Change::Email),
        a_phone().prop_map(Change::Phone),
        a_password().prop_map(Change::Password),
        a_word().prop_map(Change::Data),
        a_word().prop_map(Change::Role),
        any::<bool>().prop_map(Change::Ban),
    ];
    prop_oneof![
        3 => an_email().prop_map(|email| Step::SignUp { email }),
        3 => (an_email(), a_password()).prop_map(|(email, password)| Step::SignIn { email, password }),
        3 => some().prop_map(|session| Step::Refresh { session }),
        1 => (some(), scope).prop_map(|(session, scope)| Step::SignOut { session, scope }),
        3 => (some(), own).prop_map(|(session, change)| Step::ChangeOwn { session, change }),
        1 => Just(Step::SignUpAnonymously),
        2 => (an_email(), intent).prop_map(|(email, intent)| Step::Ask { email, intent }),
        1 => an_email().prop_map(|email| Step::Invite { email }),
        4 => some().prop_map(|message| Step::FollowLink { message }),
        1 => (an_email(), kind).prop_map(|(email, kind)| Step::GuessCode { email, kind }),
        1 => (option::of(an_email()), option::of(a_phone()), any::<bool>(), any::<bool>()).prop_map(
            |(email, phone, confirm, banned)| Step::Create { email, phone, confirm, banned }
        ),
        3 => (some(), change).prop_map(|(user, change)| Step::Administer { user, change }),
        1 => (some(), select(vec![Deletion::Soft, Deletion::Erase]))
            .prop_map(|(user, deletion)| Step::Delete { user, deletion }),
        12 => (some(), organization_step())
            .prop_map(|(session, step)| Step::Organize { session, step }),
        1 => select(vec![1_i64, 11, 3600, 200_000]).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// A session as its owner holds it: tokens that are used up among them.
struct Held {
    user: UserId,
    session: SessionId,
    refresh_token: String,
}

/// A node, and what its people hold in their hands.
struct World {
    node: Node,
    users: Vec<UserId>,
    sessions: Vec<Held>,
    messages: Vec<Message>,
    known: Known,
}

/// Refusals are fine, faults of the server are not.
pub(crate) fn unless_faulty<T, E: Debug>(result: Result<T, E>) -> Option<T> {
    result
        .map_err(|error| {
            let text = format!("{error:?}");
            assert!(!text.contains("Internal") && !text.contains("Store("), "{text}");
        })
        .ok()
}

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

fn data(word: &str) -> Metadata {
    let value = if word.is_empty() { serde_json::Value::Null } else { word.into() };
    Metadata::default().with("word", value).with("number", 0.1)
}

impl World {
    async fn new(autoconfirm: bool) -> Self {
        let mut settings = Settings::default();
        settings.sign_up.mail_autoconfirm = autoconfirm;
        settings.sign_up.anonymous_enabled = true;
        settings.organizations.teams.enabled = true;
        settings.organizations.own_roles.enabled = true;
        settings.organizations.verified_address = autoconfirm;
        Self {
            node: Node::with(settings).await,
            users: Vec::new(),
            sessions: Vec::new(),
            messages: Vec::new(),
            known: Known::default(),
        }
    }

    fn hold(&mut self, grant: &Grant) {
        let user = grant.user.view.user.id;
        self.know(user);
        let refresh_token = grant.refresh_token.expose().to_owned();
        self.sessions.push(Held { user, session: grant.session, refresh_token });
    }

    fn know(&mut self, user: UserId) {
        if !self.users.contains(&user) {
            self.users.push(user);
        }
    }

    fn session(&self, index: Index) -> Option<&Held> {
        (!self.sessions.is_empty()).then(|| index.get(&self.sessions))
    }

    fn user(&self, index: Index) -> Option<UserId> {
        (!self.users.is_empty()).then(|| *index.get(&self.users))
    }

    /// Does it, where there is somebody who can.
    async fn perform(&mut self, step: &Step) -> Option<()> {
        let (commands, context) = (self.node.commands.clone(), context());
        match step {
            Step::SignUp { email } => match unless_faulty(self.node.sign_up(email).await)? {
                SignedUp::In(grant) => self.hold(&grant),
                SignedUp::Pending(view) => self.know(view.user.id),
                SignedUp::Pretended(_) => {}
            },
            Step::SignIn { email, password } => {
                let signed_in = unless_faulty(self.node.sign_in(email, password).await)?;
                self.hold(&signed_in.grant);
            }
            Step::Refresh { session } => {
                let token = self.session(*session)?.refresh_token.clone();
                let refreshed = unless_faulty(commands.refresh(&context, &token).await)?;
                self.hold(&refreshed.grant);
            }
            Step::SignOut { session, scope } => {
                let held = self.session(*session)?;
                let out = SignOut { user: held.user, session: Some(held.session), scope: *scope };
                unless_faulty(commands.execute(&context, &out).await)?;
            }
            Step::ChangeOwn { session, change } => {
                let held = self.session(*session)?;
                let own = update(held.user, held.session);
                let own = match change {
                    OwnChange::Email(email) => UpdateUser { email: Some((*email).to_owned()), ..own },
                    OwnChange::Password(text) => UpdateUser { password: Some(password(text)), ..own },
                    OwnChange::Data(word) => UpdateUser { data: Some(data(word)), ..own },
                };
                unless_faulty(commands.update_user(&context, own).await)?;
            }
            Step::SignUpAnonymously => {
                let made = commands
                    .sign_up_anonymously(
                        &context,
                        "authenticated".to_owned(),
                        data("one"),
                        SessionTerms::default(),
                    )
                    .await;
                self.hold(&unless_faulty(made)?);
            }
            Step::Ask { email, intent } => {
                let request = RequestAccess {
                    form: None,
                    intent: *intent,
                    contact: GivenContact { email: (*email).to_owned(), phone: String::new() },
                    data: data("two"),
                    aud: "authenticated".to_owned(),
                    challenge: None,
                    redirect_to: None,
                    channel: SmsChannel::default(),
                };
                unless_faulty(commands.request_access(&context, request).await)?;
            }
            Step::Invite { email } => {
                let request = InviteUser {
                    email: (*email).to_owned(),
                    data: data("two"),
                    aud: "authenticated".to_owned(),
                    redirect_to: None,
                };
                let view = unless_faulty(commands.invite_user(&context, request).await)?;
                self.know(view.user.id);
            }
            Step::FollowLink { message } => self.follow(*message).await?,
            Step::GuessCode { email, kind } => {
                let contact = GivenContact { email: (*email).to_owned(), phone: String::new() };
                let proof = VerifyProof::Code { contact, code: "000000".to_owned() };
                unless_faulty(
                    commands.verify(&context, Verify { kind: *kind, proof, end: VerifyEnd::Client }).await,
                )?;
            }
            Step::Create { email, phone, confirm, banned } => {
                let ban = BanChange::Ban { until: None, reason: None };
                let request = CreateUser {
                    email: email.map(str::to_owned),
                    phone: phone.map(str::to_owned),
                    password: Some(password(PASSWORD)),
                    email_confirm: *confirm,
                    phone_confirm: *confirm,
                    ban: banned.then_some(ban),
                    ..CreateUser::default()
                };
                let view = unless_faulty(commands.create_user(&context, request).await)?;
                self.know(view.user.id);
            }
            Step::Administer { user, change } => {
                let wanted = administered(change);
                unless_faulty(commands.administer_user(&context, self.user(*user)?, wanted).await)?;
            }
            Step::Delete { user, deletion } => {
                unless_faulty(commands.delete_user(&context, self.user(*user)?, *deletion).await)?;
            }
            Step::Pass { seconds } => self.node.pass(*seconds),
            Step::Organize { session, step } => {
                let held = self.session(*session)?;
                let caller = OrganizationCaller { user: held.user, session: held.session };
                self.known.perform(&commands, caller, step).await?;
            }
        }
        Some(())
    }

    /// Opens the link of a mail, old ones among them.
    async fn follow(&mut self, message: Index) -> Option<()> {
        self.messages.extend(self.node.mails().await);
        if self.messages.is_empty() {
            return None;
        }
        let Message::Mail(mail) = message.get(&self.messages) else { return None };
        let link = mail.fields.confirmation_url.as_str();
        let kind = match link {
            _ if link.contains("type=email_change") => VerifyKind::EmailChange,
            _ if link.contains("type=signup") || link.contains("type=invite") => VerifyKind::SignUp,
            _ => VerifyKind::Recovery,
        };
        let proof = VerifyProof::LinkToken(mail.fields.token_hash.clone());
        let verified =
            self.node.commands.verify(&context(), Verify { kind, proof, end: VerifyEnd::Browser }).await;
        if let Verified::In(grant) = unless_faulty(verified)? {
            self.hold(&grant);
        }
        Some(())
    }

    /// Folds the log anew and compares.
    async fn tables_are_the_logs(&self) -> Result<(), TestCaseError> {
        let scratch = tempfile::tempdir().unwrap();
        let found = verify(self.node.commands.store(), &[], scratch.path(), &Silent).await.unwrap();
        prop_assert!(found.is_clean(), "{:?}", found.outcomes);
        Ok(())
    }
}

fn administered(change: &Change) -> AdministerUser {
    let none = AdministerUser::default();
    match change {
        Change::Email(email) => {
            AdministerUser { email: Some((*email).to_owned()), email_confirm: true, ..none }
        }
        Change::Phone(phone) => AdministerUser { phone: Some((*phone).to_owned()), ..none },
        Change::Password(text) => AdministerUser { password: Some(password(text)), ..none },
        Change::Data(word) => {
            AdministerUser { user_metadata: Some(data(word)), app_metadata: Some(data(word)), ..none }
        }
        Change::Role(role) => AdministerUser { role: Some((*role).to_owned()), ..none },
        Change::Ban(true) => {
            let ban = BanChange::Ban { until: None, reason: Some("spam".to_owned()) };
            AdministerUser { ban: Some(ban), ..none }
        }
        Change::Ban(false) => AdministerUser { ban: Some(BanChange::Lift), ..none },
    }
}

#[test]
fn after_any_sequence_of_steps_the_tables_are_those_of_the_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() };
    let strategy = (any::<bool>(), vec(a_step(), 1..60));
    let kinds = RefCell::new(BTreeSet::new());
    let outcome = TestRunner::new(config).run(&strategy, |(autoconfirm, steps)| {
        runtime.block_on(async {
            let mut world = World::new(autoconfirm).await;
            for step in &steps {
                world.perform(step).await;
            }
            let log = world.node.log().await;
            kinds.borrow_mut().extend(log);
            world.tables_are_the_logs().await
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Steps that lead nowhere prove nothing.
    assert!(kinds.borrow().len() >= 28, "{:?}", kinds.borrow());
}
