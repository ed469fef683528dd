//! What the owner of a server decides, by subject. Everything has a working default.
//!
//! Where the values come from (files, environment, command line) is not known here.

mod accounts;
mod calls;
mod captcha;
mod external;
mod factors;
mod fields;
mod flows;
mod hooks;
mod limits;
mod mails;
mod oauth_server;
mod organizations;
mod plugins;
mod secret;
mod sms;
mod sso;
mod tokens;
mod web3;

pub use accounts::{LeakSettings, PasswordSettings, SecuritySettings, SignUpSettings, SiteSettings};
pub use calls::CallSettings;
pub use captcha::CaptchaSettings;
pub use external::{Builtin, CustomProviderSettings, ExternalSettings, ProviderSettings, Providers};
pub use factors::{FactorSwitch, PasskeySettings, SecondFactorSettings, WebauthnSettings};
pub use fields::{FieldKind, FieldRefusal, FieldRule, FieldTable, FieldType};
pub use flows::FlowSettings;
pub use hooks::{HookSetting, HookSettings};
pub use limits::{BucketRule, MessageRate, RateLimitSettings, SignInThrottle};
pub use mails::{MailNotifications, MailSettings, MailTexts, SmtpServer, TemplateText};
pub use oauth_server::OAuthServerSettings;
pub use organizations::{OrganizationSettings, OwnRoleSettings, TeamSettings};
pub use plugins::{
    AdministrationSettings, AnonymousSettings, CodeRules, EmailCodeSettings, PhoneCodeSettings,
    PluginSettings, SecondStepSettings, UsernameSettings,
};
pub use secret::Secret;
pub use sms::{SmsAccount, SmsAccounts, SmsSettings};
pub use sso::SsoSettings;
pub use tokens::{ParentReuse, SessionSettings, SigningKeySource, TokenSettings};
pub use web3::{WalletSettings, Web3Settings};

/// All of it. Keys and secrets that sign are loaded apart: see [`SigningKeySource`].
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who may sign up, and how.
    pub sign_up: SignUpSettings,
    /// What passwords must be, and how they are hashed.
    pub password: PasswordSettings,
    /// What stands in access tokens.
    pub tokens: TokenSettings,
    /// How long sessions live, and how they go on.
    pub sessions: SessionSettings,
    /// Signing in through other providers.
    pub external: Box<ExternalSettings>,
    /// How long sign-ins may be under way.
    pub flows: FlowSettings,
    /// What sensitive changes ask for.
    pub security: SecuritySettings,
    /// Second factors.
    pub second_factors: SecondFactorSettings,
    /// Authenticators (Web Authentication), as second factors and as passkeys.
    pub webauthn: WebauthnSettings,
    /// Passkeys.
    pub passkeys: PasskeySettings,
    /// Mails.
    pub mail: MailSettings,
    /// Text messages.
    pub sms: SmsSettings,
    /// The addresses of the server and of the application.
    pub site: SiteSettings,
    /// The OAuth server.
    pub oauth_server: OAuthServerSettings,
    /// Organizations.
    pub organizations: Box<OrganizationSettings>,
    /// Wallets.
    pub web3: Web3Settings,
    /// Single sign-on of organizations.
    pub sso: SsoSettings,
    /// Administrators, names to sign in by, second steps, codes that go to addresses.
    pub plugins: Box<PluginSettings>,
    /// Calls to other servers.
    pub calls: CallSettings,
    /// Riddles that strangers solve first.
    pub captcha: CaptchaSettings,
    /// Programs of the owner's that are asked or told.
    pub hooks: HookSettings,
    /// How much one caller may do in a time.
    pub rate_limits: RateLimitSettings,
    /// The delay after failed sign-ins.
    pub throttle: SignInThrottle,
}

impl Settings {
    /// Who issues tokens: what is configured, else the server's address.
    pub fn issuer(&self) -> &str {
        self.tokens.issuer.as_deref().unwrap_or(&self.site.external_url)
    }
}
