//! From settings to a working node: folders, keys, databases, use cases, background work.

mod master;

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use evident_commands::hooks::{EndpointError, HookCarrier, HookParts, Hooks, WebhookSecret};
use evident_commands::messages::sms::{SmsService, SmsWebhook};
use evident_commands::messages::{
    Carriers, EmlFiles, Letterhead, LetterheadError, LinkError, Links, MailPort, RedirectError,
    RedirectPolicy, RemoteTemplates, SmsFiles, SmsPort, SmtpMailer, TemplateError, Templates,
};
use evident_commands::outbound::Outbound;
use evident_commands::password::{
    Hasher, HasherSettings, LeakedPasswords, PasswordPolicy, StartError as HasherError,
};
use evident_commands::settings::{Secret, Settings as CommandSettings, SigningKeySource};
use evident_commands::tokens::{
    AuthorizationCodec, FactorKeys, FlowCodec, KeyError, KeySettings, Pepper, RefreshTokenCodec, SecretBox,
    SessionTokenCodec, SigningKeys,
};
use evident_commands::webauthn::RelyingParty;
use evident_commands::{Commands, Nearby, Parts, ProjectionsNearby};
use evident_domain::Subject;
use evident_domain::ports::{Clock, Entropy};
use evident_eventstore::tlog::{Checkpoints, SignError};
use evident_eventstore::{
    Contents, Database, EventStore, MasterKeyMalformed, OpenError, PostgresOptions, StoreError, Vault,
    VaultError,
};
use evident_projections::{Keeping, Projections, Roster, views};
use url::Url;

pub use self::master::NextMaster;
use self::master::{master_key, other_masters};
use crate::config::Settings;
use crate::gotrue::GotrueDocuments;
use crate::outdated;
use crate::ports::{SystemClock, SystemEntropy};
use crate::proofs;

/// Erased subjects that are looked at in one go.
const ERASED_PAGE: u32 = 500;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("the data folder {path} cannot be used")]
    Folder {
        /// The folder or file.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The master key does not read.
    #[error("the master key in {path} does not read")]
    MasterKey {
        /// The file.
        path: String,
        /// Why.
        #[source]
        cause: MasterKeyMalformed,
    },
    /// There is no master key that could take the place of the one that is.
    #[error(
        "the master key stands in the configuration: set EVIDENT_MASTER_KEY_NEXT to the one that is to come, for every node and here"
    )]
    NoNextMaster,
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The keys cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A key of the server has another length than it should.
    #[error("the server key {0:?} is damaged")]
    ServerKey(&'static str),
    /// No other server can be called.
    #[error("the part that calls other servers cannot be set up")]
    Outbound(#[source] reqwest::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys do not fit.
    #[error(transparent)]
    SigningKeys(#[from] KeyError),
    /// The hashing threads cannot be started.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// A template does not read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The sender of mails does not read.
    #[error(transparent)]
    Letterhead(#[from] LetterheadError),
    /// The connection to the mail server cannot be prepared.
    #[error(transparent)]
    Mailer(#[from] evident_commands::messages::Failure),
    /// The external address does not read.
    #[error(transparent)]
    Links(#[from] LinkError),
    /// The redirect patterns do not read.
    #[error(transparent)]
    Redirects(#[from] RedirectError),
    /// The address of the text message service does not read.
    #[error("the address of the text message service is no http or https address")]
    SmsAddress,
    /// A hook cannot be called.
    #[error("a hook {0}")]
    Hook(#[from] EndpointError),
    /// The projections cannot be brought up to date.
    #[error(transparent)]
    Projections(#[from] evident_projections::ProjectionError),
    /// The log's checkpoints cannot be signed.
    #[error(transparent)]
    Checkpoints(#[from] SignError),
    /// Tables are not what this program's folds make, and the owner does not want them rebuilt here.
    #[error(
        "the projections {0} are out of date, and `projections.rebuild_at_start` is `never`: run \
         `evident projections rebuild`"
    )]
    Outdated(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl StartError {
    /// Whether the owner chose something that cannot be.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::MasterKey { .. }
            | Self::NoNextMaster
            | Self::SigningKeys(_)
            | Self::Template(_)
            | Self::Letterhead(_)
            | Self::Mailer(_)
            | Self::Links(_)
            | Self::Redirects(_)
            | Self::Hook(_)
            | Self::SmsAddress
            | Self::Checkpoints(SignError::Origin(_))
            | Self::Vault(VaultError::WrongMasterKey)
            | Self::Open(OpenError::Url(_) | OpenError::Schema(_)) => true,
            Self::Folder { .. }
            | Self::Open(_)
            | Self::Vault(_)
            | Self::ServerKey(_)
            | Self::Outbound(_)
            | Self::Store(_)
            | Self::Hasher(_)
            | Self::Projections(_)
            | Self::Checkpoints(_)
            | Self::Outdated(_)
            | Self::Listen { .. } => false,
        }
    }
}

/// Opens the log for reading and for looking after it.
///
/// # Errors
/// When folders, keys or databases cannot be opened.
pub async fn open_store(settings: &Settings) -> Result<EventStore, StartError> {
    let (database, vault) = open_databases(settings).await?;
    let (clock, entropy) = ports();
    Ok(EventStore::open(database, vault, Arc::new(Projections::default()), clock, entropy).await?)
}

/// Opens the log for serving, and makes what serving needs.
///
/// # Errors
/// When anything of it cannot be opened or does not fit.
pub async fn open_commands(settings: &Settings) -> Result<Commands, StartError> {
    let (database, vault) = open_databases(settings).await?;
    let (clock, entropy) = ports();
    let nearby = Nearby::new(database.clone(), vault.clone());
    let inline = ProjectionsNearby { projections: Projections::default(), nearby: nearby.clone() };
    let store = EventStore::open(database, vault, Arc::new(inline), clock, entropy.clone()).await?;
    nearby.start_at(store.head().await?.position);
    evident_eventstore::restore::settle_keys(&store).await?;
    destroy_keys_of_the_erased(&store).await?;
    outdated::rebuild(&store, settings.projections.rebuild_at_start).await?;
    let commands = &settings.commands;
    let mut hasher = HasherSettings::new(threads(commands.password.hashing_threads));
    hasher.cost = commands.password.argon2;
    hasher.queue = commands.password.hashing_queue;
    let outbound = Outbound::new(commands.calls.timeout).map_err(StartError::Outbound)?;
    let hooks = HookParts {
        outbound: outbound.clone(),
        documents: Arc::new(GotrueDocuments),
        clock: store.clock().clone(),
        entropy: entropy.clone(),
        external_url: commands.site.external_url.clone(),
    };
    let sms_service = sms_service(commands, &outbound)?;
    let (sources, problems) = commands.mail.texts.sources(&commands.site.site_url);
    for problem in problems {
        tracing::warn!("{problem}; the built-in text is used");
    }
    let templates = Templates::load(sources, commands.sms.template.as_deref())?
        .with_second_factor(commands.second_factors.phone_template.as_deref())?;
    let templates = templates.with_remote(RemoteTemplates {
        outbound: outbound.clone(),
        max_size: commands.mail.template_max_size,
        max_age: commands.mail.template_max_age,
        retry_interval: commands.mail.template_retry_interval,
    });
    let users = settings.projections.users_in_memory;
    Ok(Commands::new(Parts {
        nearby,
        roster: Roster::new(Keeping { users, ..Keeping::default() }),
        hasher: Hasher::start(&hasher, &entropy)?,
        passwords: PasswordPolicy::new(
            commands.password.min_length,
            commands.password.required_characters.clone(),
        ),
        signing_keys: signing_keys(settings, &store).await?,
        refresh_tokens: RefreshTokenCodec::new(server_key(&store, "refresh-tokens").await?),
        session_tokens: SessionTokenCodec::new(server_key(&store, "session-tokens").await?),
        codes: Pepper::new(server_key(&store, "codes").await?),
        flows: FlowCodec::new(server_key(&store, "flows").await?),
        authorizations: AuthorizationCodec::new(server_key(&store, "authorizations").await?),
        factor_keys: FactorKeys::new(server_key(&store, "factors").await?),
        // Settings that make none have got a warning.
        relying_party: RelyingParty::new(&commands.webauthn, &commands.site).ok(),
        secrets: SecretBox::new(server_key(&store, "secrets").await?),
        leaks: LeakedPasswords::of(&commands.password.leaks, &outbound),
        outbound,
        sms_service,
        hooks: Hooks::new(&commands.hooks, hooks)?,
        templates: Arc::new(templates),
        links: Links::new(&commands.site.external_url, &commands.mail.url_paths)?,
        redirects: RedirectPolicy::new(&commands.site.site_url, &commands.site.redirect_allow_list)?,
        settings: commands.clone(),
        store,
    }))
}

/// The log's checkpoints. Its name is made at the first start: what the settings say, or the public host.
///
/// # Errors
/// When the vault or the database fails, or the name cannot stand in a checkpoint.
pub async fn checkpoints(settings: &Settings, store: &EventStore) -> Result<Checkpoints, StartError> {
    let external = &settings.commands.site.external_url;
    let propose = || match &settings.proofs.origin {
        Some(origin) => origin.clone(),
        None => proofs::origin_of(external, &SystemEntropy),
    };
    let checkpoints = Checkpoints::open(store, propose).await?;
    let key = checkpoints.key();
    let kept = key.origin();
    if settings.proofs.origin.as_deref().is_some_and(|origin| origin != kept) {
        tracing::warn!(origin = kept, "the log keeps the name that it got at its first start");
    }
    Ok(checkpoints)
}

/// The ways out for messages: hooks, SMTP, or files in the data folder where nothing else is set.
///
/// # Errors
/// When the sender does not read.
pub fn message_port(settings: &Settings, commands: &Commands) -> Result<Carriers, StartError> {
    let hook = Arc::new(HookCarrier::new(commands.clone()));
    let templates = commands.templates().clone();
    let (mail, data) = (&settings.commands.mail, &settings.server.data_dir);
    let letterhead = Letterhead::new(&mail.admin_email, mail.sender_name.as_deref(), &mail.headers)?;
    let mail: Arc<dyn MailPort> = match mail.smtp.connection() {
        _ if commands.hooks().sends_mails() => hook.clone(),
        Some(connection) => Arc::new(SmtpMailer::new(connection, letterhead, templates)?),
        None => Arc::new(EmlFiles::new(data.join("mail"), letterhead, templates)),
    };
    let sms: Arc<dyn SmsPort> = if commands.hooks().sends_texts() {
        hook.clone()
    } else if let Some(webhook) = sms_webhook(settings, commands)? {
        Arc::new(webhook)
    } else if let Some(service) = commands.sms_service() {
        Arc::new(service.clone())
    } else {
        Arc::new(SmsFiles::new(data.join("sms")))
    };
    Ok(Carriers { mail, sms, accounts: Some(hook) })
}

/// The text message service of the settings.
fn sms_service(settings: &CommandSettings, outbound: &Outbound) -> Result<Option<SmsService>, StartError> {
    let sms = &settings.sms;
    let Some((provider, account)) = sms.service() else { return Ok(None) };
    let service = SmsService::new(provider, account.clone(), sms.service_url.as_deref(), outbound.clone());
    service.map(Some).map_err(|_| StartError::SmsAddress)
}

/// The webhook of the settings that carries text messages.
fn sms_webhook(settings: &Settings, commands: &Commands) -> Result<Option<SmsWebhook>, StartError> {
    let sms = &settings.commands.sms;
    let Some(url) = sms.webhook() else { return Ok(None) };
    let url = Url::parse(url).map_err(|_| StartError::SmsAddress)?;
    let secrets = sms.webhook_secrets.iter().map(|secret| WebhookSecret::parse(secret.expose()));
    let secrets = secrets.collect::<Result<_, _>>().map_err(EndpointError::from)?;
    let (outbound, clock) = (commands.outbound().clone(), commands.store().clock().clone());
    Ok(Some(SmsWebhook::new(url, secrets, outbound, clock)))
}

/// The keys that sign access tokens. Where the configuration names none, a secret is made on first
/// start and kept in the vault.
///
/// # Errors
/// When the keys of the configuration do not fit, or the vault fails.
pub async fn signing_keys(settings: &Settings, store: &EventStore) -> Result<SigningKeys, StartError> {
    let source: &SigningKeySource = &settings.signing;
    if source.secret.is_some() || source.keys.is_some() {
        return Ok(SigningKeys::load(source.as_key_settings())?);
    }
    let made = server_key(store, "access-tokens").await?;
    let secret = zeroize::Zeroizing::new(hex::encode(made));
    let settings = KeySettings { secret: Some(&secret), ..source.as_key_settings() };
    Ok(SigningKeys::load(settings)?)
}

/// What signs the cookies of the Better Auth surface. Where the configuration names nothing, a secret is
/// made on first start and kept in the vault.
///
/// # Errors
/// When the vault fails.
pub async fn cookie_secret(settings: &Settings, store: &EventStore) -> Result<Secret, StartError> {
    match &settings.better_auth.secret {
        Some(secret) => Ok(secret.clone()),
        None => Ok(Secret::new(hex::encode(server_key(store, "cookies").await?))),
    }
}

fn ports() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    (Arc::new(SystemClock), Arc::new(SystemEntropy))
}

fn threads(chosen: Option<NonZeroUsize>) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    chosen.unwrap_or_else(cores)
}

async fn open_databases(settings: &Settings) -> Result<(Database, Vault), StartError> {
    let data = &settings.server.data_dir;
    make_folder(data)?;
    let master = master_key(&settings.master_key)?;
    let others = other_masters(&settings.master_key);
    let (log, keys) = match &settings.database.url {
        None => (
            Database::open_sqlite(&data.join("evident.db"), Contents::Log).await?,
            Database::open_sqlite(&data.join("keys.db"), Contents::Keys).await?,
        ),
        Some(url) => {
            let options = PostgresOptions {
                url: url.expose().to_owned(),
                schema: settings.database.schema.clone(),
                max_connections: settings.database.max_connections,
                acquire_timeout: settings.database.acquire_timeout,
            };
            (
                Database::open_postgres(&options, Contents::Log).await?,
                Database::open_postgres(&options, Contents::Keys).await?,
            )
        }
    };
    let (clock, entropy) = ports();
    let vault = Vault::open_with(keys, &master, others, clock, entropy).await?;
    Ok((log, vault))
}

fn make_folder(path: &Path) -> Result<(), StartError> {
    let problem = |cause| StartError::Folder { path: path.display().to_string(), cause };
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(problem)
}

/// A secret of the server, made on first start.
async fn server_key(store: &EventStore, name: &'static str) -> Result<[u8; 32], StartError> {
    let make = || {
        let mut bytes = vec![0; 32];
        SystemEntropy.fill(&mut bytes);
        bytes
    };
    let key = store.vault().server_key(name, make).await?;
    key.as_slice().try_into().map_err(|_| StartError::ServerKey(name))
}

/// Neither a crash after an erasure nor a restored copy of the keys brings a key back.
pub(crate) async fn destroy_keys_of_the_erased(store: &EventStore) -> Result<(), StartError> {
    let mut after = 0;
    loop {
        let page =
            views::erased_subjects(store.database(), after, ERASED_PAGE).await.map_err(StoreError::from)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        let subjects: Vec<Subject> = page.into_iter().map(|erased| erased.subject).collect();
        let alive = store.vault().find_keys(&subjects).await?;
        for subject in alive.keys() {
            tracing::warn!(%subject, "the key of an erased subject was still there; it is destroyed");
            store.forget(subject).await?;
        }
    }
}
