//! Accounts: sign-up, passwords, sensitive changes.

use super::{Setting, setting};
use crate::config::parse::{
    CharacterSets, Flag, Maybe, PasswordLength, Positive, SecretText, Text, WebAddress, Whole,
};

pub(super) const SIGN_UP: &[Setting] = &[
    setting!(
        "sign_up.disabled",
        Flag,
        settings.commands.sign_up.disabled,
        ["GOTRUE_DISABLE_SIGNUP"],
        "true",
        "Nobody may sign up; administrators still make accounts.",
    ),
    setting!(
        "sign_up.email_enabled",
        Flag,
        settings.commands.sign_up.email_enabled,
        ["GOTRUE_EXTERNAL_EMAIL_ENABLED"],
        "true",
        "E-mail addresses may be used.",
    ),
    setting!(
        "sign_up.phone_enabled",
        Flag,
        settings.commands.sign_up.phone_enabled,
        ["GOTRUE_EXTERNAL_PHONE_ENABLED"],
        "true",
        "Phone numbers may be used.",
    ),
    setting!(
        "sign_up.magic_links_enabled",
        Flag,
        settings.commands.sign_up.magic_links_enabled,
        ["GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED"],
        "false",
        "People may sign in by links and codes in mails.",
    ),
    setting!(
        "sign_up.anonymous_enabled",
        Flag,
        settings.commands.sign_up.anonymous_enabled,
        ["GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED"],
        "true",
        "Accounts without address or number may be made.",
    ),
    setting!(
        "mail.autoconfirm",
        Flag,
        settings.commands.sign_up.mail_autoconfirm,
        ["GOTRUE_MAILER_AUTOCONFIRM"],
        "true",
        "E-mail addresses count as confirmed without a mail.",
    ),
    setting!(
        "sms.autoconfirm",
        Flag,
        settings.commands.sign_up.sms_autoconfirm,
        ["GOTRUE_SMS_AUTOCONFIRM"],
        "true",
        "Phone numbers count as confirmed without a text message.",
    ),
    setting!(
        "mail.allow_unverified_sign_ins",
        Flag,
        settings.commands.sign_up.allow_unverified_email_sign_ins,
        ["GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS"],
        "true",
        "External sign-ins may bring an address that is not verified. Not together with `mail.autoconfirm`.",
    ),
];

pub(super) const PASSWORD: &[Setting] = &[
    setting!(
        "password.min_length",
        PasswordLength,
        settings.commands.password.min_length,
        ["GOTRUE_PASSWORD_MIN_LENGTH"],
        "10",
        "The shortest password, in bytes; below 6 it counts as 6.",
    ),
    setting!(
        "password.required_characters",
        CharacterSets,
        settings.commands.password.required_characters,
        ["GOTRUE_PASSWORD_REQUIRED_CHARACTERS"],
        "abcdefghijklmnopqrstuvwxyz:0123456789",
        "Sets of characters, of each of which a password must hold one; `\\:` is a colon.",
    ),
    setting!(
        "password.hibp_enabled",
        Flag,
        settings.commands.password.leaks.enabled,
        ["GOTRUE_PASSWORD_HIBP_ENABLED"],
        "true",
        "New passwords must not stand in the list of leaked ones; five digits of their hash leave the server.",
    ),
    setting!(
        "password.hibp_fail_closed",
        Flag,
        settings.commands.password.leaks.fail_closed,
        ["GOTRUE_PASSWORD_HIBP_FAIL_CLOSED"],
        "true",
        "When the list does not answer no password is taken; else any is.",
    ),
    setting!(
        "password.hibp_user_agent",
        Text,
        settings.commands.password.leaks.user_agent,
        ["GOTRUE_PASSWORD_HIBP_USER_AGENT"],
        "https://example.com",
        "What the server calls itself there.",
    ),
    setting!(
        "password.hibp_url",
        WebAddress,
        settings.commands.password.leaks.url,
        [],
        "https://api.pwnedpasswords.com",
        "Where the list is: the service, or a copy of one's own.",
    ),
    setting!(
        "password.argon2_memory_kib", Whole<8, 4_194_304>, settings.commands.password.argon2.memory_kib, [],
        "19456", "Memory of one argon2id hash, in KiB.",
    ),
    setting!(
        "password.argon2_iterations", Whole<1, 1_000>, settings.commands.password.argon2.passes, [],
        "2", "Passes of one hash over its memory.",
    ),
    setting!(
        "password.argon2_parallelism", Whole<1, 255>, settings.commands.password.argon2.lanes, [],
        "1", "Lanes of one hash.",
    ),
    setting!(
        "password.hashing_threads",
        Maybe<Whole<1, 1_024>>,
        settings.commands.password.hashing_threads,
        [],
        "4",
        "How many threads hash.",
        "one a core",
    ),
    setting!(
        "password.hashing_queue", Whole<1, 1_000_000>, settings.commands.password.hashing_queue, [],
        "512", "How many hashes may wait; what comes on top is answered 503.",
    ),
];

pub(super) const CAPTCHA: &[Setting] = &[
    setting!(
        "captcha.enabled",
        Flag,
        settings.commands.captcha.enabled,
        ["GOTRUE_SECURITY_CAPTCHA_ENABLED"],
        "true",
        "Strangers solve a riddle before they sign up, sign in with a password, or have mails and texts sent.",
    ),
    setting!(
        "captcha.provider",
        Text,
        settings.commands.captcha.provider,
        ["GOTRUE_SECURITY_CAPTCHA_PROVIDER"],
        "turnstile",
        "The service: `hcaptcha` or `turnstile`.",
    ),
    setting!(
        "captcha.secret",
        Maybe<SecretText>,
        settings.commands.captcha.secret,
        ["GOTRUE_SECURITY_CAPTCHA_SECRET"],
        "(the secret)",
        "The secret of the site there.",
    ),
    setting!(
        "captcha.timeout",
        Positive,
        settings.commands.captcha.timeout,
        ["GOTRUE_SECURITY_CAPTCHA_TIMEOUT"],
        "10s",
        "How long the service may take.",
    ),
    setting!(
        "captcha.url",
        Maybe<WebAddress>,
        settings.commands.captcha.url,
        [],
        "https://captcha.example.com/siteverify",
        "Stands in for the service's own address.",
        "the service's own",
    ),
];

pub(super) const SECURITY: &[Setting] = &[
    setting!(
        "security.update_password_require_reauthentication",
        Flag,
        settings.commands.security.update_password_require_reauthentication,
        ["GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION"],
        "true",
        "A new password needs a code, when the session is older than a day.",
    ),
    setting!(
        "security.update_password_require_current_password",
        Flag,
        settings.commands.security.update_password_require_current_password,
        ["GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD"],
        "true",
        "A new password needs the old one.",
    ),
    setting!(
        "mail.secure_email_change",
        Flag,
        settings.commands.security.secure_email_change,
        ["GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED"],
        "true",
        "A new e-mail address is confirmed at the old one too.",
    ),
    setting!(
        "security.manual_linking_enabled",
        Flag,
        settings.commands.security.manual_linking_enabled,
        ["GOTRUE_SECURITY_MANUAL_LINKING_ENABLED"],
        "true",
        "Users may link and unlink sign-in methods themselves.",
    ),
    setting!(
        "security.confirmation_keeps_password",
        Flag,
        settings.commands.security.confirmation_keeps_password,
        [],
        "false",
        "Whoever opens the mail of a sign-up is taken for who signed up, and the password stays. If not, it stays \
         only where the client that signed up shows that the link was opened there (PKCE).",
    ),
];
