//! Mails.

use evident_commands::messages::SmtpTls;

use super::{Setting, setting};
use crate::config::parse::{
    Choice, FilePath, Flag, JsonHeaders, List, Maybe, OneOf, OtpLength, Seconds, SecretText, Span, Text,
    UnlessZero, Whole,
};

impl Choice for SmtpTls {
    const NAMES: &'static str = "auto, implicit, starttls, off";
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("implicit", Self::Implicit),
        ("starttls", Self::StartTls),
        ("off", Self::Off),
    ];
}

pub(super) const MAIL: &[Setting] = &[
    setting!(
        "mail.smtp_host",
        Maybe<Text>,
        settings.commands.mail.smtp.host,
        ["GOTRUE_SMTP_HOST"],
        "smtp.example.com",
        "The mail server.",
        "mails become `.eml` files in the data folder",
    ),
    setting!(
        "mail.smtp_port",
        UnlessZero<Whole<0, 65_535>>,
        settings.commands.mail.smtp.port,
        ["GOTRUE_SMTP_PORT"],
        "587",
        "Its port.",
    ),
    setting!(
        "mail.smtp_user",
        Maybe<Text>,
        settings.commands.mail.smtp.user,
        ["GOTRUE_SMTP_USER"],
        "apikey",
        "The user at the mail server.",
    ),
    setting!(
        "mail.smtp_password",
        Maybe<SecretText>,
        settings.commands.mail.smtp.password,
        ["GOTRUE_SMTP_PASS"],
        "(the password)",
        "The password of that user.",
    ),
    setting!(
        "mail.smtp_tls",
        OneOf<SmtpTls>,
        settings.commands.mail.smtp.tls,
        [],
        "starttls",
        "Encryption: `auto` (from the first byte on port 465, else STARTTLS; only a server on this machine or in a private network may lack it), `implicit`, `starttls`, `off`.",
    ),
    setting!(
        "mail.smtp_ca_file",
        Maybe<FilePath>,
        settings.commands.mail.smtp.ca_file,
        [],
        "/etc/evident/mail-ca.pem",
        "A file with certificates (PEM) that are trusted for it besides the usual ones.",
        "none",
    ),
    setting!(
        "mail.admin_email",
        Text,
        settings.commands.mail.admin_email,
        ["GOTRUE_SMTP_ADMIN_EMAIL"],
        "noreply@example.com",
        "The address that mails come from.",
    ),
    setting!(
        "mail.sender_name",
        Maybe<Text>,
        settings.commands.mail.sender_name,
        ["GOTRUE_SMTP_SENDER_NAME"],
        "Example",
        "The name that mails come from.",
    ),
    setting!(
        "mail.headers",
        JsonHeaders,
        settings.commands.mail.headers,
        ["GOTRUE_SMTP_HEADERS"],
        "{\"X-Tag\":[\"$messageType\"]}",
        "Further headers; `$messageType` becomes the template's name.",
    ),
    setting!(
        "mail.otp_exp_seconds",
        UnlessZero<Seconds>,
        settings.commands.mail.otp_exp_seconds,
        ["GOTRUE_MAILER_OTP_EXP"],
        "3600",
        "How long links and codes are good. 0 counts as not set.",
    ),
    setting!(
        "mail.otp_length",
        OtpLength,
        settings.commands.mail.otp_length,
        ["GOTRUE_MAILER_OTP_LENGTH"],
        "6",
        "The digits of a code, 6 to 10; anything else counts as 6.",
    ),
    setting!(
        "mail.max_frequency",
        UnlessZero<Span>,
        settings.commands.mail.max_frequency,
        ["GOTRUE_SMTP_MAX_FREQUENCY"],
        "1m",
        "Time between two mails of one kind to one person. 0 counts as not set, `1ms` switches it off.",
    ),
    setting!(
        "mail.authorized_addresses",
        List,
        settings.commands.mail.authorized_addresses,
        ["GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES"],
        "team@example.com",
        "The only addresses that get mails; others are refused. What stands after a plus is no part of them.",
        "all addresses get mails",
    ),
    setting!(
        "mail.extended_validation",
        Flag,
        settings.commands.mail.extended_validation,
        ["GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED"],
        "true",
        "Addresses at domains that nobody has mail at (`example.com`, `.test` …) are refused. Mail servers are not looked up.",
    ),
    setting!(
        "mail.external_hosts",
        List,
        settings.commands.mail.external_hosts,
        ["GOTRUE_MAILER_EXTERNAL_HOSTS"],
        "auth.example.com,localhost",
        "Hosts that links may name in place of the external address's, when a request came by them.",
    ),
    setting!(
        "mail.links_ask_first",
        Flag,
        settings.commands.mail.links_ask_first,
        [],
        "true",
        "A link of a mail shows a page with a button first, so that programs which open links to look at them use \
         none up.",
    ),
];

/// Subject and body of each mail that can be written anew.
macro_rules! texts {
    ($(($name:literal, $field:ident, $variable:literal, $mail:literal)),* $(,)?) => {
        &[$(
            setting!(
                concat!("mail.subjects.", $name), Maybe<Text>, settings.commands.mail.texts.$field.subject,
                [concat!("GOTRUE_MAILER_SUBJECTS_", $variable)],
                "A message from Example", concat!("The subject of the mail ", $mail, ", in Go's template syntax."),
                "the built-in one",
            ),
            setting!(
                concat!("mail.templates.", $name), Maybe<Text>, settings.commands.mail.texts.$field.body,
                [concat!("GOTRUE_MAILER_TEMPLATES_", $variable)],
                "/etc/evident/mail.html", concat!("The body of the mail ", $mail, ": a file, or a web address, whole or relative to `site.url`."),
                "the built-in one",
            ),
        )*]
    };
}

pub(super) const TEXTS: &[Setting] = texts![
    ("invite", invite, "INVITE", "that invites somebody"),
    ("confirmation", confirmation, "CONFIRMATION", "that confirms a new account's address"),
    ("recovery", recovery, "RECOVERY", "for a forgotten password"),
    ("magic_link", magic_link, "MAGIC_LINK", "that signs in without a password"),
    ("email_change", email_change, "EMAIL_CHANGE", "that confirms a new address"),
    ("reauthentication", reauthentication, "REAUTHENTICATION", "with a code before a sensitive change"),
    ("delete_account", delete_account, "DELETE_ACCOUNT", "that confirms the deletion of an account"),
    (
        "password_changed_notification",
        password_changed_notification,
        "PASSWORD_CHANGED_NOTIFICATION",
        "that tells of a new password"
    ),
    (
        "email_changed_notification",
        email_changed_notification,
        "EMAIL_CHANGED_NOTIFICATION",
        "that tells of a new address"
    ),
    (
        "phone_changed_notification",
        phone_changed_notification,
        "PHONE_CHANGED_NOTIFICATION",
        "that tells of a new number"
    ),
    (
        "identity_linked_notification",
        identity_linked_notification,
        "IDENTITY_LINKED_NOTIFICATION",
        "that tells of a new way to sign in"
    ),
    (
        "identity_unlinked_notification",
        identity_unlinked_notification,
        "IDENTITY_UNLINKED_NOTIFICATION",
        "that tells of a way to sign in less"
    ),
    (
        "mfa_factor_enrolled_notification",
        mfa_factor_enrolled_notification,
        "MFA_FACTOR_ENROLLED_NOTIFICATION",
        "that tells of a new second factor"
    ),
    (
        "mfa_factor_unenrolled_notification",
        mfa_factor_unenrolled_notification,
        "MFA_FACTOR_UNENROLLED_NOTIFICATION",
        "that tells of a second factor less"
    ),
];

/// The mail that Supabase Auth does not have.
pub(super) const INVITATION_TEXT: &[Setting] = &[
    setting!(
        "mail.subjects.organization_invitation",
        Maybe<Text>,
        settings.commands.mail.texts.organization_invitation.subject,
        [],
        "{{ .Inviter }} invites you",
        "The subject of the mail that invites into an organization, in Go's template syntax, with `.Organization`, `.Inviter`, `.Role`.",
        "the built-in one",
    ),
    setting!(
        "mail.templates.organization_invitation",
        Maybe<Text>,
        settings.commands.mail.texts.organization_invitation.body,
        [],
        "/etc/evident/mail.html",
        "The body of that mail: a file, or a web address, whole or relative to `site.url`.",
        "the built-in one",
    ),
];

/// A switch for each mail that tells of a change.
macro_rules! notifications {
    ($(($field:ident, $variable:literal, $what:literal)),* $(,)?) => {
        &[
            setting!(
                "mail.template_max_size", Whole<1, 1_048_576>, settings.commands.mail.template_max_size,
                ["GOTRUE_MAILER_TEMPLATE_MAX_SIZE"], "1000000",
                "The largest template that is fetched, in bytes.",
            ),
            setting!(
                "mail.template_max_age", UnlessZero<Span>, settings.commands.mail.template_max_age,
                ["GOTRUE_MAILER_TEMPLATE_MAX_AGE"], "10m", "How long a fetched template is good.",
            ),
            setting!(
                "mail.template_retry_interval", UnlessZero<Span>, settings.commands.mail.template_retry_interval,
                ["GOTRUE_MAILER_TEMPLATE_RETRY_INTERVAL"], "10s",
                "After how long a template is tried again that could not be fetched.",
            ),
            $(setting!(
                concat!("mail.notifications.", stringify!($field)), Flag,
                settings.commands.mail.notifications.$field,
                [concat!("GOTRUE_MAILER_NOTIFICATIONS_", $variable, "_ENABLED")],
                "true", concat!("Whether a mail tells of ", $what, "."),
            ),)*
        ]
    };
}

pub(super) const NOTIFICATIONS: &[Setting] = notifications![
    (password_changed, "PASSWORD_CHANGED", "a new password"),
    (email_changed, "EMAIL_CHANGED", "a new address; it goes to the old one"),
    (phone_changed, "PHONE_CHANGED", "a new number"),
    (identity_linked, "IDENTITY_LINKED", "a new way to sign in"),
    (identity_unlinked, "IDENTITY_UNLINKED", "a way to sign in less"),
    (mfa_factor_enrolled, "MFA_FACTOR_ENROLLED", "a new second factor"),
    (mfa_factor_unenrolled, "MFA_FACTOR_UNENROLLED", "a second factor less"),
];

pub(super) const LINKS: &[Setting] = &[
    setting!(
        "mail.url_paths.invite",
        Text,
        settings.commands.mail.url_paths.invite,
        ["GOTRUE_MAILER_URLPATHS_INVITE"],
        "/auth/v1/verify",
        "Where the links of invitations lead, below the external address.",
    ),
    setting!(
        "mail.url_paths.confirmation",
        Text,
        settings.commands.mail.url_paths.confirmation,
        ["GOTRUE_MAILER_URLPATHS_CONFIRMATION"],
        "/auth/v1/verify",
        "The same for confirmations of new accounts.",
    ),
    setting!(
        "mail.url_paths.recovery",
        Text,
        settings.commands.mail.url_paths.recovery,
        ["GOTRUE_MAILER_URLPATHS_RECOVERY"],
        "/auth/v1/verify",
        "The same for recovery and magic links.",
    ),
    setting!(
        "mail.url_paths.email_change",
        Text,
        settings.commands.mail.url_paths.email_change,
        ["GOTRUE_MAILER_URLPATHS_EMAIL_CHANGE"],
        "/auth/v1/verify",
        "The same for changes of address.",
    ),
];
