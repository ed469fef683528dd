//! What the owner decides of the Better Auth surface. What both protocols share stands with the use cases.

use std::time::Duration;

use evident_commands::settings::Secret;

/// The Better Auth surface.
#[derive(Debug, Clone, Default)]
pub struct BetterAuthSettings {
    /// Signs its cookies; none: one is made on first start.
    pub secret: Option<Secret>,
    /// Where it stands.
    pub place: PlaceSettings,
    /// Its cookies.
    pub cookies: CookieSettings,
    /// Its sessions.
    pub session: SessionSettings,
    /// Addresses and passwords.
    pub email_password: EmailPasswordSettings,
    /// Mails that confirm an address.
    pub verification: VerificationSettings,
    /// What users do with their account.
    pub account: AccountSettings,
    /// How often one caller may ask.
    pub rate_limit: RateLimitSettings,
}

/// Where the surface stands, and whom it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSettings {
    /// The path before every path.
    pub base_path: String,
    /// Origins, or patterns of them, that may send cookies and that links may lead to.
    pub trusted_origins: Vec<String>,
    /// The page that errors of redirects are shown on; none: our own.
    pub error_url: Option<String>,
    /// Requests with cookies need no trusted origin.
    pub csrf_check_disabled: bool,
    /// Links may lead anywhere, too.
    pub origin_check_disabled: bool,
}

impl Default for PlaceSettings {
    fn default() -> Self {
        Self {
            base_path: "/api/auth".to_owned(),
            trusted_origins: Vec::new(),
            error_url: None,
            csrf_check_disabled: false,
            origin_check_disabled: false,
        }
    }
}

/// How cookies are called and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSettings {
    /// Stands before every name.
    pub prefix: String,
    /// Whether they travel encrypted only; none: as the server's own address does.
    pub secure: Option<bool>,
    /// The domain that shares them, where they are shared.
    pub domain: Option<String>,
    /// Whether other sites send them along.
    pub same_site: SameSite,
    /// The path of the server that they are sent to; none: all of it.
    pub path: Option<String>,
    /// Whether a page that shows another keeps them apart from what that one has elsewhere.
    pub partitioned: bool,
}

impl Default for CookieSettings {
    fn default() -> Self {
        let prefix = "better-auth".to_owned();
        let same_site = SameSite::default();
        Self { prefix, secure: None, domain: None, same_site, path: None, partitioned: false }
    }
}

/// Whether other sites send cookies along (RFC 6265bis).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// When somebody follows a link.
    #[default]
    Lax,
    /// Never.
    Strict,
    /// Always.
    None,
}

impl SameSite {
    /// The word in the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// How long sessions live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// So long after its last move a session ends.
    pub expires_in: Duration,
    /// Its end moves when the last move is so long ago.
    pub update_age: Duration,
    /// So long after its start a session is fresh; zero: always.
    pub fresh_age: Duration,
    /// The end of a session never moves.
    pub refresh_disabled: bool,
    /// A session that the browser forgets when it is closed ends so long after its start.
    pub forgotten_after: Duration,
    /// The end of a session moves only when `POST /get-session` is asked.
    pub refresh_deferred: bool,
    /// A copy of session and user goes into a cookie, for what stands before the application.
    pub cookie_cache: CookieCache,
}

/// A copy of session and user in a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieCache {
    /// It is sent at all.
    pub enabled: bool,
    /// How long it counts.
    pub max_age: Duration,
    /// The owner's number for its form: readers drop copies with another one.
    pub version: String,
    /// The form of the copy.
    pub strategy: CookieCacheStrategy,
}

/// The form of the copy of session and user in a cookie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CookieCacheStrategy {
    /// Better Auth's own: JSON with a signature (HMAC-SHA256).
    #[default]
    Compact,
    /// A JWT with a signature (RFC 7519, HS256).
    Jwt,
    /// A JWT that is enciphered (RFC 7516, `dir` with A256CBC-HS512).
    Jwe,
}

impl Default for CookieCache {
    fn default() -> Self {
        Self {
            enabled: false,
            max_age: Duration::from_secs(300),
            version: "1".to_owned(),
            strategy: CookieCacheStrategy::default(),
        }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            expires_in: 7 * day,
            update_age: day,
            fresh_age: day,
            refresh_disabled: false,
            forgotten_after: day,
            refresh_deferred: false,
            cookie_cache: CookieCache::default(),
        }
    }
}

/// Addresses and passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct EmailPasswordSettings {
    /// People sign in with address and password.
    pub enabled: bool,
    /// Nobody signs up with them.
    pub sign_up_disabled: bool,
    /// Who signs up is signed in.
    pub auto_sign_in: bool,
    /// Nobody signs in whose address is not confirmed.
    pub verification_required: bool,
    /// The shortest password, in UTF-16 units.
    pub min_length: usize,
    /// The longest password, in UTF-16 units.
    pub max_length: usize,
    /// Links to forgotten passwords are sent.
    pub reset_enabled: bool,
    /// How long such a link is good.
    pub reset_expires_in: Duration,
    /// A new password by such a link ends all sessions.
    pub reset_revokes_sessions: bool,
}

impl Default for EmailPasswordSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            sign_up_disabled: false,
            auto_sign_in: true,
            verification_required: false,
            min_length: 8,
            max_length: 128,
            reset_enabled: true,
            reset_expires_in: Duration::from_secs(3_600),
            reset_revokes_sessions: true,
        }
    }
}

/// Mails that confirm an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct VerificationSettings {
    /// They are sent at all.
    pub enabled: bool,
    /// Who signs up gets one; none: where an address has to be confirmed.
    pub on_sign_up: Option<bool>,
    /// Who is refused because of an unconfirmed address gets one.
    pub on_sign_in: bool,
    /// Who follows the link is signed in.
    pub signs_in: bool,
    /// Who signs up gets a code by mail, too.
    pub code_on_sign_up: bool,
    /// What confirms an address is a code instead of a link.
    pub code_instead_of_link: bool,
    /// A password from before the confirmation opens the account, whichever browser opens the link.
    pub keeps_password: bool,
    /// How long the link is good.
    pub expires_in: Duration,
}

impl Default for VerificationSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            on_sign_up: None,
            on_sign_in: false,
            signs_in: false,
            code_on_sign_up: false,
            code_instead_of_link: false,
            keeps_password: true,
            expires_in: Duration::from_secs(3_600),
        }
    }
}

/// What users do with their account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct AccountSettings {
    /// Users change their address.
    pub change_email: bool,
    /// A confirmed address agrees before it is changed.
    pub change_email_confirmation: bool,
    /// An unconfirmed address is changed at once.
    pub change_unverified_email_at_once: bool,
    /// Users close their account.
    pub delete_user: bool,
    /// A mail has to agree first.
    pub delete_user_confirmation: bool,
    /// How long the link of such a mail is good.
    pub delete_token_expires_in: Duration,
    /// Accounts of other providers are linked.
    pub linking: bool,
    /// Accounts are linked by hand only, never because of their address.
    pub implicit_linking_disabled: bool,
    /// An account with another address may be linked by hand.
    pub link_different_emails: bool,
    /// The last account may be unlinked.
    pub unlink_all: bool,
    /// What providers hand out for calling them is kept.
    pub provider_tokens: bool,
    /// Providers whose word on an address counts though they do not vouch for it.
    pub trusted_providers: Vec<String>,
    /// Somebody new who comes by a provider gets an account only where the client asks for one.
    pub implicit_sign_up_disabled: bool,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            change_email: false,
            change_email_confirmation: false,
            change_unverified_email_at_once: false,
            delete_user: false,
            delete_user_confirmation: false,
            delete_token_expires_in: Duration::from_secs(86_400),
            linking: true,
            implicit_linking_disabled: false,
            link_different_emails: false,
            unlink_all: false,
            provider_tokens: true,
            trusted_providers: Vec::new(),
            implicit_sign_up_disabled: false,
        }
    }
}

/// How often one caller may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitSettings {
    /// Callers are limited.
    pub enabled: bool,
    /// So long requests are counted together.
    pub window: Duration,
    /// So many of them are answered.
    pub max: u32,
    /// Rules of the owner's for single paths, as they are written: `/sign-in/*=10s:3`, `/ok=off`.
    pub rules: Vec<String>,
}

impl Default for RateLimitSettings {
    fn default() -> Self {
        Self { enabled: true, window: Duration::from_secs(10), max: 100, rules: Vec::new() }
    }
}
