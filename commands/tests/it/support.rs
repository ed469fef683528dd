//! A node in a folder of its own, with a clock that the test moves.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use evident_commands::hooks::{HookDocuments, HookParts, Hooks, NewUser};
use evident_commands::messages::{
    DeliveryError, LinkPaths, Links, Message, MessagePort, RedirectPolicy, Slip, Templates,
};
use evident_commands::outbound::Outbound;
use evident_commands::password::{Argon2Cost, Hasher, HasherSettings, PasswordLength, PasswordPolicy};
use evident_commands::settings::Settings;
use evident_commands::tokens::{
    AuthorizationCodec, FactorKeys, FlowCodec, KeySettings, Pepper, RefreshTokenCodec, SecretBox,
    SessionTokenCodec, SigningKeys,
};
use evident_commands::{
    Commands, Context, Entry, GivenContact, Nearby, OutboxWorker, Parts, ProjectionsNearby, SessionTerms,
    SignIn, SignInError, SignUp, SignUpError, SignedIn, SignedUp, Unconfirmed, UserView,
};
use evident_domain::ports::{Clock, Entropy};
use evident_domain::{Actor, Metadata, Position, Provenance, Surface, Time};
use evident_eventstore::{Contents, Database, EventStore, Filter, MasterKey, Vault};
use evident_projections::{Keeping, Projections, Roster};
use serde_json::value::{RawValue, to_raw_value};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> Time {
        Time::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Different bytes at every call, the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counting(Mutex<u64>);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for byte in buffer {
            // SplitMix64: well spread, which codes and ids need.
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ (z >> 31)).to_le_bytes()[0];
        }
    }
}

/// What accounts look like to hooks is the protocol's affair.
#[derive(Debug)]
struct Documents;

impl HookDocuments for Documents {
    fn user(&self, view: &UserView) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(&view.user.id)
    }

    fn new_user(&self, user: &NewUser) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(&user.id)
    }
}

/// Keeps what was sent.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(pub(crate) Mutex<Vec<Message>>);

#[async_trait]
impl MessagePort for Mailbox {
    async fn deliver(&self, _: &Slip, message: &Message) -> Result<(), DeliveryError> {
        self.0.lock().unwrap().push(message.clone());
        Ok(())
    }
}

/// A node under test.
pub(crate) struct Node {
    pub(crate) commands: Commands,
    pub(crate) clock: Arc<StoppedClock>,
    folder: TempDir,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

impl Node {
    /// A node that takes addresses as confirmed at once.
    pub(crate) async fn autoconfirming() -> Self {
        let mut settings = Settings::default();
        settings.sign_up.mail_autoconfirm = true;
        Self::with(settings).await
    }

    pub(crate) async fn with(mut settings: Settings) -> Self {
        settings.site.site_url = String::from("http://app.example.com");
        settings.site.external_url = String::from("http://auth.example.com");
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(StoppedClock(AtomicI64::new(1_795_000_000_000_000)));
        let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
        let commands = open(&folder, settings, clock.clone(), entropy).await;
        Self { commands, clock, folder }
    }

    /// Another node over the same files.
    pub(crate) async fn another(&self) -> Commands {
        let entropy: Arc<dyn Entropy> = Arc::new(Counting(Mutex::new(1 << 40)));
        open(&self.folder, self.commands.settings().clone(), self.clock.clone(), entropy).await
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Result<SignedUp, SignUpError> {
        self.commands
            .sign_up(
                &context(),
                SignUp {
                    names: evident_commands::NameChange::default(),
                    contact: GivenContact { email: email.to_owned(), phone: String::new() },
                    password: Zeroizing::new(PASSWORD.to_owned()),
                    data: Metadata::default().with("full_name", "Ada"),
                    aud: "authenticated".to_owned(),
                    challenge: None,
                    redirect_to: None,
                    channel: String::new(),
                    length: PasswordLength::Supabase,
                    entry: Entry::Confirmed,
                },
            )
            .await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, SignInError> {
        sign_in(&self.commands, email, password).await
    }

    /// The types of all events so far.
    pub(crate) async fn log(&self) -> Vec<&'static str> {
        let events = self.commands.store().page(Position(0), 10_000, &Filter::default()).await.unwrap();
        events.iter().map(|event| event.event.kind().0).collect()
    }

    /// Sends what is due.
    pub(crate) async fn mails(&self) -> Vec<Message> {
        let mailbox = Arc::new(Mailbox::default());
        let worker = OutboxWorker::new(self.commands.store().clone(), mailbox.clone());
        while worker.step().await.unwrap() > 0 {}
        std::mem::take(&mut mailbox.0.lock().unwrap())
    }
}

pub(crate) async fn sign_in(
    commands: &Commands,
    email: &str,
    password: &str,
) -> Result<SignedIn, SignInError> {
    commands
        .sign_in(
            &context(),
            SignIn {
                username: None,
                contact: GivenContact { email: email.to_owned(), phone: String::new() },
                password: Zeroizing::new(password.to_owned()),
                length: PasswordLength::Supabase,
                unconfirmed: Unconfirmed::Refused,
                terms: SessionTerms::default(),
            },
        )
        .await
}

pub(crate) fn context() -> Context {
    let provenance = Provenance::internal(Actor::Visitor, Surface::Gotrue, uuid::Uuid::from_u128(1));
    Context::new(provenance)
}

async fn open(
    folder: &TempDir,
    settings: Settings,
    clock: Arc<StoppedClock>,
    entropy: Arc<dyn Entropy>,
) -> Commands {
    let log = Database::open_sqlite(&folder.path().join("log.db"), Contents::Log).await.unwrap();
    let keys = Database::open_sqlite(&folder.path().join("keys.db"), Contents::Keys).await.unwrap();
    let master = MasterKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let vault = Vault::open(keys, &master, clock.clone(), entropy.clone()).await.unwrap();
    let nearby = Nearby::new(log.clone(), vault.clone());
    let inline = ProjectionsNearby { projections: Projections::default(), nearby: nearby.clone() };
    let store = EventStore::open(log, vault, Arc::new(inline), clock, entropy.clone()).await.unwrap();
    nearby.start_at(store.head().await.unwrap().position);
    let mut hasher = HasherSettings::new(NonZeroUsize::new(2).unwrap());
    hasher.cost = Argon2Cost { memory_kib: 8, passes: 1, lanes: 1 };
    let secret = "a secret of more than thirty-two bytes";
    let outbound = Outbound::new(settings.calls.timeout).unwrap();
    let hooks = HookParts {
        outbound: outbound.clone(),
        documents: Arc::new(Documents),
        clock: store.clock().clone(),
        entropy: entropy.clone(),
        external_url: settings.site.external_url.clone(),
    };
    let hooks = Hooks::new(&settings.hooks, hooks).unwrap();
    Commands::new(Parts {
        nearby,
        roster: Roster::new(Keeping::default()),
        hasher: Hasher::start(&hasher, &entropy).unwrap(),
        passwords: PasswordPolicy::new(6, Vec::new()),
        signing_keys: SigningKeys::load(KeySettings {
            secret: Some(secret),
            key_id: None,
            keys: None,
            valid_methods: &[],
        })
        .unwrap(),
        refresh_tokens: RefreshTokenCodec::new([1; 32]),
        session_tokens: SessionTokenCodec::new([8; 32]),
        codes: Pepper::new([2; 32]),
        flows: FlowCodec::new([3; 32]),
        factor_keys: FactorKeys::new([5; 32]),
        relying_party: None,
        secrets: SecretBox::new([4; 32]),
        hooks,
        outbound,
        sms_service: None,
        leaks: None,
        authorizations: AuthorizationCodec::new([6; 32]),
        templates: Arc::new(Templates::builtin().unwrap()),
        links: Links::new(&settings.site.external_url, &LinkPaths::default()).unwrap(),
        redirects: RedirectPolicy::new(&settings.site.site_url, &settings.site.redirect_allow_list).unwrap(),
        settings,
        store,
    })
}
