//! Accounts: who may have one, with which password, and where links may lead.

use std::num::NonZeroUsize;

use crate::password::Argon2Cost;

/// Who may sign up, by which means, and whether an address is taken as proven at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct SignUpSettings {
    /// Nobody may sign up; administrators still make accounts.
    pub disabled: bool,
    /// E-mail addresses may be used.
    pub email_enabled: bool,
    /// Phone numbers may be used.
    pub phone_enabled: bool,
    /// People may sign in by links and codes in mails.
    pub magic_links_enabled: bool,
    /// Accounts without address or number may be made.
    pub anonymous_enabled: bool,
    /// E-mail addresses count as confirmed without a mail.
    pub mail_autoconfirm: bool,
    /// Phone numbers count as confirmed without a text message.
    pub sms_autoconfirm: bool,
    /// External sign-ins may bring an address that their provider has not verified.
    pub allow_unverified_email_sign_ins: bool,
}

impl Default for SignUpSettings {
    fn default() -> Self {
        Self {
            disabled: false,
            email_enabled: true,
            phone_enabled: false,
            magic_links_enabled: true,
            anonymous_enabled: false,
            mail_autoconfirm: false,
            sms_autoconfirm: false,
            allow_unverified_email_sign_ins: false,
        }
    }
}

/// What passwords must be, and how they are hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordSettings {
    /// The shortest password, in bytes; never below 6.
    pub min_length: usize,
    /// Sets of characters, of each of which a password must hold one.
    pub required_characters: Vec<String>,
    /// The longest password, in bytes.
    pub max_bytes: usize,
    /// The list of leaked passwords.
    pub leaks: LeakSettings,
    /// The cost of a hash.
    pub argon2: Argon2Cost,
    /// How many threads hash; none: one a core.
    pub hashing_threads: Option<NonZeroUsize>,
    /// How many hashes may wait. What comes on top is refused at once.
    pub hashing_queue: usize,
}

impl PasswordSettings {
    /// The length that no setting goes below, in bytes.
    pub const MIN_LENGTH_FLOOR: usize = 6;
    /// The length that bcrypt looks at, and that clients of Supabase Auth know as the limit, in bytes.
    pub const MAX_BYTES: usize = 72;
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            min_length: Self::MIN_LENGTH_FLOOR,
            required_characters: Vec::new(),
            max_bytes: Self::MAX_BYTES,
            leaks: LeakSettings::default(),
            argon2: Argon2Cost::default(),
            hashing_threads: None,
            hashing_queue: 512,
        }
    }
}

/// The list of leaked passwords that new passwords must not stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakSettings {
    /// Whether new passwords are looked up there.
    pub enabled: bool,
    /// When the list does not answer no password is taken; else any is.
    pub fail_closed: bool,
    /// What we call ourselves there.
    pub user_agent: String,
    /// Where the list is.
    pub url: String,
}

impl Default for LeakSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            fail_closed: false,
            user_agent: concat!("Evident/", env!("CARGO_PKG_VERSION")).to_owned(),
            url: "https://api.pwnedpasswords.com".to_owned(),
        }
    }
}

/// What sensitive changes ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the owner's, none excludes another")]
pub struct SecuritySettings {
    /// A new password needs a code, when the session is older than a day.
    pub update_password_require_reauthentication: bool,
    /// A new password needs the old one.
    pub update_password_require_current_password: bool,
    /// A new e-mail address is confirmed at the old one too.
    pub secure_email_change: bool,
    /// Users may link and unlink sign-in methods themselves.
    pub manual_linking_enabled: bool,
    /// Whoever opens the mail of a sign-up, or types its code, is taken for who signed up: the password
    /// stays. Without that it stays only where the client that signed up shows that the link was opened
    /// there (PKCE).
    pub confirmation_keeps_password: bool,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        Self {
            update_password_require_reauthentication: false,
            update_password_require_current_password: false,
            secure_email_change: true,
            manual_linking_enabled: false,
            confirmation_keeps_password: true,
        }
    }
}

/// Where the server and the application are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteSettings {
    /// The application: where links lead in the end. As written, without a change.
    pub site_url: String,
    /// The server as the world sees it. As written, without a change.
    pub external_url: String,
    /// Patterns of further addresses where links may lead.
    pub redirect_allow_list: Vec<String>,
}

impl Default for SiteSettings {
    fn default() -> Self {
        let here = "http://127.0.0.1:9999".to_owned();
        Self { site_url: here.clone(), external_url: here, redirect_allow_list: Vec::new() }
    }
}
