//! Hooks.

use super::{Setting, setting};
use crate::config::parse::{Flag, Maybe, Secrets, Text};

/// Switch, address and secrets of each hook.
macro_rules! hooks {
    ($(($name:literal, $field:ident, $variable:literal, $what:literal)),* $(,)?) => {
        &[$(
            setting!(
                concat!("hooks.", $name, ".enabled"), Flag, settings.commands.hooks.$field.enabled,
                [concat!("GOTRUE_HOOK_", $variable, "_ENABLED")],
                "true", concat!("Whether a hook ", $what, "."),
            ),
            setting!(
                concat!("hooks.", $name, ".uri"), Maybe<Text>, settings.commands.hooks.$field.uri,
                [concat!("GOTRUE_HOOK_", $variable, "_URI")],
                "https://hooks.example.com/auth",
                "Its address. `http` is for this machine (`localhost`, `127.0.0.1`, `::1`, `host.docker.internal`).",
                "there is no such hook",
            ),
            setting!(
                concat!("hooks.", $name, ".secrets"), Secrets, settings.commands.hooks.$field.secrets,
                [concat!("GOTRUE_HOOK_", $variable, "_SECRETS")],
                "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "What signs the calls (Standard Webhooks): `v1,whsec_<base64>`, or `v1a,whsk_…:whpk_…` for Ed25519; several, parted by a bar, sign side by side.",
                "calls are not signed",
            ),
        )*]
    };
}

pub(super) const HOOKS: &[Setting] = hooks![
    (
        "before_user_created",
        before_user_created,
        "BEFORE_USER_CREATED",
        "is asked before an account is made (administrators ask nobody)"
    ),
    (
        "after_user_created",
        after_user_created,
        "AFTER_USER_CREATED",
        "is told after an account was made, again until it agrees"
    ),
    (
        "custom_access_token",
        custom_access_token,
        "CUSTOM_ACCESS_TOKEN",
        "decides what stands in access tokens"
    ),
    (
        "password_verification_attempt",
        password_verification_attempt,
        "PASSWORD_VERIFICATION_ATTEMPT",
        "is asked about each password that is tried for an account"
    ),
    (
        "mfa_verification_attempt",
        mfa_verification_attempt,
        "MFA_VERIFICATION_ATTEMPT",
        "is asked about each second factor that is tried"
    ),
    ("send_email", send_email, "SEND_EMAIL", "sends the mails, in place of the mail server"),
    ("send_sms", send_sms, "SEND_SMS", "sends the text messages, in place of a service"),
];
