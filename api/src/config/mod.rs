//! The configuration: what the owner decides, and where it is written.
//!
//! Later sources win: defaults, `evident.toml`, the names that users of Supabase Auth and Better Auth
//! already have in their environment (`GOTRUE_*`, `DATABASE_URL` …), `EVIDENT_*`, the command line. One
//! table ([`table`]) names every setting once; reading, error lines, the page `docs/configuration.md` and
//! the check of the file's keys follow from it.
//!
//! A bad value stops the start with one line. What Supabase Auth starts with starts here too: unknown and
//! not yet supported variables are warnings.

pub mod better_auth;
mod checks;
mod docs;
mod error;
mod file;
mod known;
mod parse;
pub mod proofs;
mod sources;
pub mod table;
#[cfg(test)]
mod tests;
mod warnings;

use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderName;
use evident_commands::settings::{Secret, Settings as CommandSettings, SigningKeySource};
use evident_eventstore::MasterKey;
use evident_projections::Keeping;
use evident_projections::retention::Policy as RetentionPolicy;
use ipnet::IpNet;

pub use better_auth::BetterAuthSettings;
pub use docs::markdown;
pub use error::ConfigError;
pub use proofs::ProofSettings;
pub use sources::{ConfigFile, Sources};

/// Everything that is configured.
#[derive(Debug, Default)]
pub struct Settings {
    /// What the use cases read.
    pub commands: CommandSettings,
    /// The keys of access tokens.
    pub signing: SigningKeySource,
    /// How the server listens and answers.
    pub server: ServerSettings,
    /// Where the log is.
    pub database: DatabaseSettings,
    /// How projections are looked after.
    pub projections: ProjectionSettings,
    /// What wraps the keys of persons.
    pub master_key: MasterKeySource,
    /// What is dropped from the log, and when.
    pub retention: RetentionPolicy,
    /// What is logged.
    pub log: LogSettings,
    /// The Better Auth surface.
    pub better_auth: BetterAuthSettings,
    /// Reading the log.
    pub audit: AuditSettings,
    /// The log's proofs.
    pub proofs: ProofSettings,
}

/// Reading the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// Whose tokens may read it.
    pub roles: Vec<String>,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { roles: vec!["auditor".to_owned()] }
    }
}

/// Settings, and what their owner should know about them.
#[derive(Debug)]
pub struct Configuration {
    /// The settings.
    pub settings: Settings,
    /// One line each. They name variables, never secrets.
    pub warnings: Vec<String>,
}

/// How the server listens and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The address or name to listen on.
    pub host: String,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// After so long a request is given up.
    pub max_request_duration: Duration,
    /// The longest body of a request, in bytes.
    pub body_limit: usize,
    /// Headers that browsers may send, besides the usual ones.
    pub cors_allowed_headers: Vec<HeaderName>,
    /// The header that brings a request's id; none: each request gets a new one.
    pub request_id_header: Option<HeaderName>,
    /// Whose word is taken for the address of the caller (`X-Forwarded-For`, the rate-limit header).
    pub trusted_proxies: Vec<IpNet>,
    /// The headers in which they name the caller; the first that is there counts.
    pub address_headers: Vec<HeaderName>,
    /// Whether trusted proxies name the caller in `Sb-Forwarded-For`.
    pub sb_forwarded_for: bool,
    /// Where the embedded database, made keys and written mails are.
    pub data_dir: PathBuf,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 9999,
            max_request_duration: Duration::from_secs(10),
            body_limit: 1024 * 1024,
            cors_allowed_headers: Vec::new(),
            request_id_header: None,
            trusted_proxies: Vec::new(),
            address_headers: vec![crate::http::FORWARDED_FOR],
            sb_forwarded_for: false,
            data_dir: PathBuf::from("./evident-data"),
        }
    }
}

/// Where the log is.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// The address of a PostgreSQL database; none: SQLite in the data folder.
    pub url: Option<Secret>,
    /// The schema of the log; the keys' has `_keys` at the end.
    pub schema: String,
    /// The most connections of this node for reading; up to six more write, or read keys, and one reads the log while
    /// it is folded anew.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            url: None,
            schema: "evident".to_owned(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
        }
    }
}

/// What happens at the start to tables that another version of their fold made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RebuildAtStart {
    /// They are rebuilt before the server serves.
    #[default]
    Always,
    /// The server does not start: what it would read and fold on is not the log's.
    Never,
}

/// How projections are looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectionSettings {
    /// What happens at the start to those that are out of date.
    pub rebuild_at_start: RebuildAtStart,
    /// Of how many users at most lists keep in memory what they look at; of none where it is 0.
    pub users_in_memory: u32,
}

impl Default for ProjectionSettings {
    fn default() -> Self {
        Self { rebuild_at_start: RebuildAtStart::default(), users_in_memory: Keeping::default().users }
    }
}

/// Where the master key comes from.
#[derive(Debug)]
pub enum MasterKeySource {
    /// It stands in the configuration.
    Given(MasterKey),
    /// It stands in this file, in base64.
    File(PathBuf),
    /// This file of the data folder; made on first start.
    DataFolder(PathBuf),
}

impl MasterKeySource {
    /// The file's name in the data folder.
    pub const FILE_NAME: &'static str = "master.key";
}

impl Default for MasterKeySource {
    fn default() -> Self {
        Self::DataFolder(ServerSettings::default().data_dir.join(Self::FILE_NAME))
    }
}

/// What is logged, and how it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A level, or directives (`evident=debug,sqlx=warn`).
    pub level: String,
    /// The look.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::default() }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line each.
    #[default]
    Compact,
    /// Several lines each, for reading while developing.
    Pretty,
    /// A JSON object each, for machines.
    Json,
}

/// Settings while they are read: some defaults depend on what is written elsewhere.
#[derive(Default)]
struct Draft {
    settings: Settings,
    site_url: Option<String>,
    external_url: Option<String>,
    master_key: Option<MasterKey>,
    master_key_file: Option<PathBuf>,
}

impl Settings {
    /// Reads all sources.
    ///
    /// # Errors
    /// The first value that cannot be used, as one line.
    pub fn load(sources: &Sources) -> Result<Configuration, ConfigError> {
        let mut draft = Draft::default();
        let written = sources.apply(&mut draft)?;
        let idle = warnings::idle(&draft, &written);
        let settings = draft.finish(&written)?;
        let mut warnings = checks::check(&settings, &written)?;
        warnings.extend(idle);
        warnings.extend(warnings::of(&settings, sources, &written));
        Ok(Configuration { settings, warnings })
    }

    /// Reads the environment of this process and the file. Only here the real environment is looked at.
    ///
    /// `file` is what the command line names; `overrides` are its further settings, by key
    /// (`server.port`).
    ///
    /// # Errors
    /// The first value that cannot be used, as one line.
    pub fn from_process(
        file: Option<&std::path::Path>,
        overrides: &[(String, String)],
    ) -> Result<Configuration, ConfigError> {
        Self::load(&Sources::from_process(file, overrides)?)
    }
}

impl Draft {
    /// Works out what depends on other settings.
    fn finish(self, written: &sources::Written) -> Result<Settings, ConfigError> {
        let mut settings = self.settings;
        let site = &mut settings.commands.site;
        site.external_url =
            self.external_url.unwrap_or_else(|| format!("http://127.0.0.1:{}", settings.server.port));
        site.site_url = self.site_url.unwrap_or_else(|| site.external_url.clone());
        let anonymous = &mut settings.commands.rate_limits.anonymous_users;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let burst = anonymous.tokens as u32;
        anonymous.burst = burst;
        settings.master_key = match (self.master_key, self.master_key_file) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::Contradiction(format!(
                    "{} and {}: the master key comes from one place; leave one out",
                    written.name("master_key"),
                    written.name("master_key_file"),
                )));
            }
            (Some(key), None) => MasterKeySource::Given(key),
            (None, Some(file)) => MasterKeySource::File(file),
            (None, None) => {
                MasterKeySource::DataFolder(settings.server.data_dir.join(MasterKeySource::FILE_NAME))
            }
        };
        Ok(settings)
    }
}
