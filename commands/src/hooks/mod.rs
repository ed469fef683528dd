//! Hooks: programs of the owner's, called over HTTP, that are asked before something happens or told
//! after it did.
//!
//! No use case names them, but for sign-ins, which ask about the password, and second factors. What an
//! account or an access token is about to become is looked at between the decision and the commit (see
//! [`Commands::execute`](crate::Commands::execute)): each way in which accounts are made or sessions
//! start asks by itself. No lock and no transaction waits for a hook; one that fails leaves the log as it was.

mod attempts;
mod call;
mod claims;
mod commit;
mod delivery;
mod endpoint;
mod error;
mod signature;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::SecondsFormat;
use evident_domain::ports::{Clock, Entropy};
use evident_domain::{Metadata, UserId};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use attempts::{FactorAttempt, Verdict};
pub use claims::HookClaims;
pub(crate) use commit::method;
pub use delivery::HookCarrier;
pub use endpoint::{Endpoint, EndpointError};
pub use error::HookError;
pub use signature::{WebhookSecret, WebhookSecretError, signatures};

use crate::outbound::Outbound;
use crate::settings::HookSettings;
use crate::views::UserView;

/// An account that is about to be made.
#[derive(Clone)]
pub struct NewUser {
    /// The id that it will have.
    pub id: UserId,
    /// The audience.
    pub aud: String,
    /// The address; empty where there is none.
    pub email: String,
    /// The number; empty where there is none.
    pub phone: String,
    /// The application's data.
    pub app_metadata: Metadata,
    /// The user's own data, as they were given.
    pub user_metadata: Metadata,
    /// Whether nobody is known behind it.
    pub is_anonymous: bool,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How accounts look to hooks: as the protocol writes them that the hooks are made for.
pub trait HookDocuments: Send + Sync + fmt::Debug {
    /// An account.
    ///
    /// # Errors
    /// When it does not write.
    fn user(&self, view: &UserView) -> Result<Box<RawValue>, serde_json::Error>;

    /// An account that is about to be made.
    ///
    /// # Errors
    /// When it does not write.
    fn new_user(&self, user: &NewUser) -> Result<Box<RawValue>, serde_json::Error>;
}

/// What hooks are called with.
#[derive(Debug, Clone)]
pub struct HookParts {
    /// Calls other servers.
    pub outbound: Outbound,
    /// How accounts look.
    pub documents: Arc<dyn HookDocuments>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of calls.
    pub entropy: Arc<dyn Entropy>,
    /// The server as the world sees it.
    pub external_url: String,
}

/// The hooks that are on.
#[derive(Debug)]
pub struct Hooks {
    parts: HookParts,
    before_user_created: Option<Endpoint>,
    after_user_created: Option<Endpoint>,
    custom_access_token: Option<Endpoint>,
    password_verification_attempt: Option<Endpoint>,
    mfa_verification_attempt: Option<Endpoint>,
    send_email: Option<Endpoint>,
    send_sms: Option<Endpoint>,
}

impl Hooks {
    /// The hooks of the settings.
    ///
    /// # Errors
    /// When one that is on cannot be called; the configuration looks at that first.
    pub fn new(settings: &HookSettings, parts: HookParts) -> Result<Self, EndpointError> {
        Ok(Self {
            parts,
            before_user_created: Endpoint::of(&settings.before_user_created)?,
            after_user_created: Endpoint::of(&settings.after_user_created)?,
            custom_access_token: Endpoint::of(&settings.custom_access_token)?,
            password_verification_attempt: Endpoint::of(&settings.password_verification_attempt)?,
            mfa_verification_attempt: Endpoint::of(&settings.mfa_verification_attempt)?,
            send_email: Endpoint::of(&settings.send_email)?,
            send_sms: Endpoint::of(&settings.send_sms)?,
        })
    }

    /// Whether a hook sends the mails.
    pub fn sends_mails(&self) -> bool {
        self.send_email.is_some()
    }

    /// Whether a hook sends the text messages.
    pub fn sends_texts(&self) -> bool {
        self.send_sms.is_some()
    }

    /// Calls a hook by its name.
    async fn ask(
        &self,
        endpoint: &Endpoint,
        name: &'static str,
        ip: Option<IpAddr>,
        input: impl Serialize + Send,
    ) -> Result<Option<Value>, HookError> {
        let HookParts { outbound, clock, entropy, .. } = &self.parts;
        let metadata = About {
            uuid: entropy.uuid(),
            time: clock.now().to_rfc3339_opts(SecondsFormat::Micros, true),
            name,
            ip_address: ip,
        };
        let body = serde_json::to_vec(&Input { metadata, input }).map_err(|_| HookError::Input)?;
        let answered = call::call(outbound, &**clock, &**entropy, endpoint, body).await;
        if let Err(error) = &answered {
            tracing::warn!(hook = name, problem = error.for_log(), "a hook did not agree");
        }
        answered
    }
}

#[derive(Serialize)]
struct Input<T> {
    metadata: About,
    #[serde(flatten)]
    input: T,
}

/// What every call says of itself.
#[derive(Serialize)]
struct About {
    uuid: Uuid,
    time: String,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<IpAddr>,
}
