//! Mails and text messages.

use evident_commands::messages::SmtpTls;

use super::{Setting, setting};
use crate::config::parse::{
    Choice, JsonHeaders, List, Maybe, Moment, OneOf, OtpLength, Seconds, SecretText, Span, TestCodes, Text,
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
        "mail.external_hosts",
        List,
        settings.commands.mail.external_hosts,
        ["GOTRUE_MAILER_EXTERNAL_HOSTS"],
        "auth.example.com,localhost",
        "Hosts that links may name in place of the external address's, when a request came by them.",
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
                "/etc/evident/mail.html", concat!("The file of the body of the mail ", $mail, "."),
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

pub(super) const SMS: &[Setting] = &[
    setting!(
        "sms.otp_exp_seconds",
        UnlessZero<Seconds>,
        settings.commands.sms.otp_exp_seconds,
        ["GOTRUE_SMS_OTP_EXP"],
        "60",
        "How long codes are good. 0 counts as not set.",
    ),
    setting!(
        "sms.otp_length",
        OtpLength,
        settings.commands.sms.otp_length,
        ["GOTRUE_SMS_OTP_LENGTH"],
        "6",
        "The digits of a code, 6 to 10; anything else counts as 6.",
    ),
    setting!(
        "sms.max_frequency",
        UnlessZero<Span>,
        settings.commands.sms.max_frequency,
        ["GOTRUE_SMS_MAX_FREQUENCY"],
        "1m",
        "Time between two messages of one kind to one person. 0 counts as not set, `1ms` switches it off.",
    ),
    setting!(
        "sms.template",
        Maybe<Text>,
        settings.commands.sms.template,
        ["GOTRUE_SMS_TEMPLATE"],
        "Your code is {{ .Code }}",
        "The text, in Go's template syntax.",
        "`Your code is {{ .Code }}`",
    ),
    setting!(
        "sms.test_otp",
        TestCodes,
        settings.commands.sms.test_otp,
        ["GOTRUE_SMS_TEST_OTP"],
        "15005550009:123456",
        "Numbers that get a fixed code and no message.",
    ),
    setting!(
        "sms.test_otp_valid_until",
        Maybe<Moment>,
        settings.commands.sms.test_otp_valid_until,
        ["GOTRUE_SMS_TEST_OTP_VALID_UNTIL"],
        "2026-12-31T00:00:00Z",
        "Until when the fixed codes are good.",
        "for ever",
    ),
    setting!(
        "sms.provider",
        Maybe<Text>,
        settings.commands.sms.provider,
        ["GOTRUE_SMS_PROVIDER"],
        "twilio",
        "Who carries the messages. Until one is supported they become files in the data folder.",
    ),
];
