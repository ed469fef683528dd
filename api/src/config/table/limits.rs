//! Limits: how much one caller may do in a time.

use super::{Setting, setting};
use crate::config::parse::{Header, MailRate, Maybe, Number, Span, Whole};

pub(super) const LIMITS: &[Setting] = &[
    setting!(
        "rate_limits.header",
        Maybe<Header>,
        settings.commands.rate_limits.header,
        ["GOTRUE_RATE_LIMIT_HEADER"],
        "X-Forwarded-For",
        "The header in which a trusted proxy (`server.trusted_proxies`) names the caller; its first value counts.",
        "the caller's address",
    ),
    setting!(
        "rate_limits.otp",
        Number,
        settings.commands.rate_limits.otp.tokens,
        ["GOTRUE_RATE_LIMIT_OTP"],
        "30",
        "Sign-ups, recoveries, resends, codes and changes of oneself in 5 minutes, each counted apart; 30 at once.",
    ),
    setting!(
        "rate_limits.verify",
        Number,
        settings.commands.rate_limits.verify.tokens,
        ["GOTRUE_RATE_LIMIT_VERIFY"],
        "30",
        "Links and codes that are tried in 5 minutes; 30 at once.",
    ),
    setting!(
        "rate_limits.token_refresh",
        Number,
        settings.commands.rate_limits.token.tokens,
        ["GOTRUE_RATE_LIMIT_TOKEN_REFRESH"],
        "150",
        "Sign-ins and refreshes in 5 minutes; 30 at once.",
    ),
    setting!(
        "rate_limits.anonymous_users",
        Number,
        settings.commands.rate_limits.anonymous_users.tokens,
        ["GOTRUE_RATE_LIMIT_ANONYMOUS_USERS"],
        "30",
        "Anonymous sign-ups in an hour.",
    ),
    setting!(
        "rate_limits.email_sent",
        MailRate,
        settings.commands.rate_limits.email_sent,
        ["GOTRUE_RATE_LIMIT_EMAIL_SENT"],
        "10/1h",
        "Mails of the whole server: so many an hour, or a bucket of 10 that gets one back every hour.",
    ),
    setting!(
        "rate_limits.sms_sent",
        MailRate,
        settings.commands.rate_limits.sms_sent,
        ["GOTRUE_RATE_LIMIT_SMS_SENT"],
        "10/1h",
        "Text messages of the whole server, likewise.",
    ),
    setting!(
        "throttle.free_failures", Whole<1, 1_000>, settings.commands.throttle.free_failures, [],
        "5", "So many failed sign-ins to an account have no consequence.",
    ),
    setting!(
        "throttle.first_delay",
        Span,
        settings.commands.throttle.first_delay,
        [],
        "1s",
        "The delay after the first failure that has one; it doubles with each further one.",
    ),
    setting!(
        "throttle.max_delay",
        Span,
        settings.commands.throttle.max_delay,
        [],
        "1m",
        "The delay grows up to this.",
    ),
];
