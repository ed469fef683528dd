//! What the owner decides about administrators of users, names to sign in by, second steps of sign-ins,
//! codes that go to addresses, and people whom nobody knows.

use std::collections::BTreeMap;
use std::time::Duration;

use evident_domain::access::{Permissions, Roles};
use evident_domain::user::username::UsernameRules;
use evident_domain::{Email, UserId};

use super::FieldTable;

/// Who may administer users.
#[derive(Debug, Clone)]
pub struct AdministrationSettings {
    /// What each role grants; none: the roles `admin` and `user`, and names of any other roles may be given.
    pub roles: Option<BTreeMap<String, Permissions>>,
    /// The roles of whom none were given.
    pub default_role: String,
    /// The roles that make an administrator, whom others do not act for.
    pub admin_roles: Vec<String>,
    /// Users who may do everything.
    pub admin_ids: Vec<UserId>,
    /// Whoever has shown that one of these addresses is theirs has the first of the roles that make an
    /// administrator.
    pub admin_emails: Vec<Email>,
    /// How long an administrator acts for somebody.
    pub impersonation: Duration,
    /// Why somebody is kept out, where nobody says.
    pub default_ban_reason: String,
    /// How long somebody is kept out, where nobody says; none: for ever.
    pub default_ban: Option<Duration>,
    /// What somebody who is kept out is told.
    pub ban_message: String,
}

impl Default for AdministrationSettings {
    fn default() -> Self {
        Self {
            roles: None,
            default_role: "user".to_owned(),
            admin_roles: vec!["admin".to_owned()],
            admin_ids: Vec::new(),
            admin_emails: Vec::new(),
            impersonation: Duration::from_secs(3_600),
            default_ban_reason: "No reason".to_owned(),
            default_ban: None,
            ban_message: "You have been banned from this application. Please contact support if you \
                          believe this is an error."
                .to_owned(),
        }
    }
}

impl AdministrationSettings {
    /// All that administrators may do.
    pub fn statements() -> Permissions {
        Permissions::of(&[
            (
                "user",
                &[
                    "create",
                    "list",
                    "set-role",
                    "ban",
                    "impersonate",
                    "impersonate-admins",
                    "delete",
                    "set-password",
                    "set-email",
                    "get",
                    "update",
                ],
            ),
            ("session", &["list", "revoke", "delete"]),
        ])
    }

    /// What a role grants; none where there is no such role.
    pub fn role(&self, name: &str) -> Option<Permissions> {
        match &self.roles {
            Some(roles) => roles.get(name).cloned(),
            None if name == "admin" => {
                let mut granted = Self::statements();
                if let Some(actions) = granted.0.get_mut("user") {
                    actions.remove("impersonate-admins");
                }
                Some(granted)
            }
            None => (name == "user").then(Permissions::default),
        }
    }

    /// Whether a role may be given.
    pub fn knows(&self, roles: &Roles) -> bool {
        self.roles.as_ref().is_none_or(|known| roles.iter().all(|role| known.contains_key(role)))
    }
}

/// Names to sign in by.
#[derive(Debug, Clone, Default)]
pub struct UsernameSettings {
    /// What they may be.
    pub rules: UsernameRules,
    /// Whether a name stays once it is chosen.
    pub immutable: bool,
}

/// Second steps of sign-ins.
#[derive(Debug, Clone)]
pub struct SecondStepSettings {
    /// Who apps say that their codes are for; none: the application's address.
    pub issuer: Option<String>,
    /// How long a sign-in waits for its second step.
    pub challenge: Duration,
    /// How long a mailed code is good.
    pub code: Duration,
    /// The digits of a mailed code.
    pub code_length: usize,
    /// Wrong answers to one sign-in, and to one code.
    pub attempts: u32,
    /// Wrong answers in a row of an account after which none is looked at for a while.
    pub lock_after: u32,
    /// For so long.
    pub lock: Duration,
    /// So many codes are mailed to an account within an hour.
    pub most_codes_per_hour: u32,
    /// How long a device is trusted after its last sign-in.
    pub trust: Duration,
    /// How many codes there are to write down.
    pub backup_codes: usize,
    /// An app counts before it has shown a code.
    pub app_counts_at_once: bool,
}

impl Default for SecondStepSettings {
    fn default() -> Self {
        Self {
            issuer: None,
            challenge: Duration::from_secs(600),
            code: Duration::from_secs(180),
            code_length: 6,
            attempts: 5,
            lock_after: 10,
            lock: Duration::from_secs(900),
            most_codes_per_hour: 20,
            trust: Duration::from_secs(30 * 86_400),
            backup_codes: 10,
            app_counts_at_once: false,
        }
    }
}

/// Codes that go to an address or number.
#[derive(Debug, Clone, Copy)]
pub struct CodeRules {
    /// How many digits.
    pub length: usize,
    /// How long one is good.
    pub lifetime: Duration,
    /// Wrong codes after which one is void.
    pub attempts: u32,
    /// So many go to one address within an hour.
    pub most_per_hour: u32,
}

impl Default for CodeRules {
    fn default() -> Self {
        Self { length: 6, lifetime: Duration::from_secs(300), attempts: 3, most_per_hour: 20 }
    }
}

/// Codes by mail.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmailCodeSettings {
    /// The codes.
    pub rules: CodeRules,
    /// Whether a code lets only known people in.
    pub sign_up_disabled: bool,
    /// Whether an account may take another address by a code.
    pub change_email: bool,
    /// Whether its present address is asked for a code, too.
    pub verify_current: bool,
}

/// Codes by text message.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhoneCodeSettings {
    /// The codes.
    pub rules: CodeRules,
    /// Whether a code for a number that nobody has makes an account.
    pub sign_up: bool,
    /// Whether a password and a number that nobody has confirmed let nobody in.
    pub require_verification: bool,
}

/// People whom nobody knows.
#[derive(Debug, Clone)]
pub struct AnonymousSettings {
    /// What they are called.
    pub name: String,
    /// The domain of the addresses that are shown for accounts without one; none: a domain of their own.
    pub email_domain: Option<String>,
    /// The domain of the addresses that are shown for accounts with a number alone.
    pub phone_email_domain: String,
    /// Whether they may delete themselves.
    pub may_delete: bool,
    /// Whether the account stays when its user becomes somebody.
    pub kept_after_linking: bool,
}

impl Default for AnonymousSettings {
    fn default() -> Self {
        Self {
            name: "Anonymous".to_owned(),
            email_domain: None,
            phone_email_domain: "phone.invalid".to_owned(),
            may_delete: true,
            kept_after_linking: false,
        }
    }
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct PluginSettings {
    /// Who may administer users.
    pub administration: AdministrationSettings,
    /// Names to sign in by.
    pub usernames: UsernameSettings,
    /// Second steps of sign-ins.
    pub second_steps: SecondStepSettings,
    /// Codes by mail.
    pub email_codes: EmailCodeSettings,
    /// Codes by text message.
    pub phone_codes: PhoneCodeSettings,
    /// People whom nobody knows.
    pub anonymous: AnonymousSettings,
    /// What applications keep with a session.
    pub session_fields: FieldTable,
    /// What applications keep with an account: in the metadata of its user, or in those of the application
    /// where clients do not set it.
    pub user_fields: FieldTable,
}
