//! Text messages, and the owner's accounts at the services that carry them.

use super::{Setting, setting};
use crate::config::parse::{
    Maybe, Moment, OtpLength, Seconds, SecretText, Secrets, Span, TestCodes, Text, UnlessZero, WebAddress,
};

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
        "Who carries the messages: `twilio`, `twilio_verify`, `messagebird`, `textlocal`, `vonage` or `webhook`.",
        "messages become files in the data folder",
    ),
    setting!(
        "sms.service_url",
        Maybe<WebAddress>,
        settings.commands.sms.service_url,
        [],
        "https://api.dublin.ie1.twilio.com",
        "Stands in for the service's own address: another region, or a proxy.",
        "the service's own",
    ),
    setting!(
        "sms.webhook_url",
        Maybe<WebAddress>,
        settings.commands.sms.webhook_url,
        [],
        "https://sms.example.com/send",
        "Where the provider `webhook` posts each message: `{id, to, text, code, channel}`.",
        "none",
    ),
    setting!(
        "sms.webhook_secrets",
        Secrets,
        settings.commands.sms.webhook_secrets,
        [],
        "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "What signs the calls of the webhook (Standard Webhooks); several are parted by a bar.",
        "calls are not signed",
    ),
];

/// Settings of the owner's account at a service: `(field, key, variable, kind, example, meaning)`.
macro_rules! account {
    ($service:ident, $variable:literal, $(($field:ident, $key:literal, $name:literal, $kind:ty, $example:literal, $meaning:literal)),* $(,)?) => {
        &[$(
            setting!(
                concat!("sms.", stringify!($service), ".", $key), $kind,
                settings.commands.sms.accounts.$service.$field,
                [concat!("GOTRUE_SMS_", $variable, "_", $name)],
                $example, $meaning, "none",
            ),
        )*]
    };
}

pub(super) const TWILIO: &[Setting] = account!(
    twilio,
    "TWILIO",
    (id, "account_sid", "ACCOUNT_SID", Text, "AC1", "The account at Twilio."),
    (secret, "auth_token", "AUTH_TOKEN", Maybe<SecretText>, "(the token)", "Its token."),
    (sender, "message_service_sid", "MESSAGE_SERVICE_SID", Text, "MG1", "The messaging service, or the number, that sends."),
    (template, "content_sid", "CONTENT_SID", Maybe<Text>, "HX1", "The content template of WhatsApp messages; the code is its first variable."),
);

pub(super) const TWILIO_VERIFY: &[Setting] = account!(
    twilio_verify,
    "TWILIO_VERIFY",
    (id, "account_sid", "ACCOUNT_SID", Text, "AC1", "The account at Twilio, for Verify."),
    (secret, "auth_token", "AUTH_TOKEN", Maybe<SecretText>, "(the token)", "Its token."),
    (sender, "message_service_sid", "MESSAGE_SERVICE_SID", Text, "VA1", "The Verify service. It makes and checks the codes itself."),
);

pub(super) const MESSAGEBIRD: &[Setting] = account!(
    messagebird,
    "MESSAGEBIRD",
    (secret, "access_key", "ACCESS_KEY", Maybe<SecretText>, "(the key)", "The key of the account at MessageBird."),
    (sender, "originator", "ORIGINATOR", Text, "Example", "Who sends: a number, or a name of at most 11 characters."),
);

pub(super) const TEXTLOCAL: &[Setting] = account!(
    textlocal,
    "TEXTLOCAL",
    (secret, "api_key", "API_KEY", Maybe<SecretText>, "(the key)", "The key of the account at Textlocal."),
    (sender, "sender", "SENDER", Text, "EXAMPL", "Who sends."),
);

pub(super) const VONAGE: &[Setting] = account!(
    vonage,
    "VONAGE",
    (id, "api_key", "API_KEY", Text, "abcd1234", "The key of the account at Vonage."),
    (secret, "api_secret", "API_SECRET", Maybe<SecretText>, "(the secret)", "Its secret."),
    (sender, "from", "FROM", Text, "Example", "Who sends: a number or a name."),
);
