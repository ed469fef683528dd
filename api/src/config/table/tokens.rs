//! Access tokens, their keys, and sessions.

use evident_commands::settings::ParentReuse;

use super::{Setting, setting};
use crate::config::parse::{
    Choice, Flag, KeySet, List, Maybe, OneOf, Positive, Seconds, SecretText, Span, Text, UnlessZero,
};

impl Choice for ParentReuse {
    const NAMES: &'static str = "always, within_interval";
    const CHOICES: &'static [(&'static str, Self)] =
        &[("always", Self::Always), ("within_interval", Self::WithinInterval)];
}

pub(super) const TOKENS: &[Setting] = &[
    setting!(
        "tokens.secret",
        Maybe<SecretText>,
        settings.signing.secret,
        ["GOTRUE_JWT_SECRET"],
        "(the output of: openssl rand -hex 32)",
        "The secret that signs access tokens (HS256); 32 bytes or more.",
        "made on first start, when there are no `tokens.keys` either",
    ),
    setting!(
        "tokens.keys",
        Maybe<KeySet>,
        settings.signing.keys,
        ["GOTRUE_JWT_KEYS"],
        "[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"…\",\"key_ops\":[\"sign\",\"verify\"],\"x\":\"…\",\"y\":\"…\",\"d\":\"…\"}]",
        "Private keys as a JSON array of JWKs; exactly one has `sign` among its `key_ops`.",
    ),
    setting!(
        "tokens.key_id",
        Maybe<Text>,
        settings.signing.key_id,
        ["GOTRUE_JWT_KEY_ID"],
        "2026-01",
        "The id (`kid`) of `tokens.secret`.",
    ),
    setting!(
        "tokens.valid_methods",
        List,
        settings.signing.valid_methods,
        ["GOTRUE_JWT_VALID_METHODS"],
        "HS256,ES256",
        "The algorithms that are taken.",
        "those of the keys",
    ),
    setting!(
        "tokens.lifetime_seconds",
        UnlessZero<Seconds>,
        settings.commands.tokens.access_token_lifetime_seconds,
        ["GOTRUE_JWT_EXP"],
        "3600",
        "How long an access token is good. 0 counts as not set.",
    ),
    setting!(
        "tokens.issuer",
        Maybe<Text>,
        settings.commands.tokens.issuer,
        ["GOTRUE_JWT_ISSUER"],
        "https://auth.example.com",
        "The claim `iss`.",
        "no such claim",
    ),
    setting!(
        "tokens.audience",
        Text,
        settings.commands.tokens.default_aud,
        ["GOTRUE_JWT_AUD"],
        "authenticated",
        "The audience (`aud`) of requests that name none.",
    ),
    setting!(
        "tokens.default_role",
        Text,
        settings.commands.tokens.default_role,
        ["GOTRUE_JWT_DEFAULT_GROUP_NAME"],
        "authenticated",
        "The role of new users.",
    ),
    setting!(
        "tokens.admin_roles",
        List,
        settings.commands.tokens.admin_roles,
        ["GOTRUE_JWT_ADMIN_ROLES"],
        "service_role,supabase_admin",
        "The roles whose tokens may call the admin endpoints.",
    ),
    setting!(
        "tokens.admin_group_name",
        Text,
        settings.commands.tokens.admin_group_name,
        ["GOTRUE_JWT_ADMIN_GROUP_NAME"],
        "admin",
        "The role whose users may change their own `app_metadata`.",
    ),
];

pub(super) const SESSIONS: &[Setting] = &[
    setting!(
        "flows.expiry",
        Span,
        settings.commands.flows.expiry,
        ["GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION"],
        "10m",
        "How long somebody may take at another provider, and then the client with its code (PKCE); never below 5 minutes.",
    ),
    setting!(
        "sessions.reuse_interval_seconds",
        Seconds,
        settings.commands.sessions.reuse_interval_seconds,
        ["GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL"],
        "10",
        "For so long a used refresh token gives the current one again.",
    ),
    setting!(
        "sessions.rotation_enabled",
        Flag,
        settings.commands.sessions.rotation_enabled,
        ["GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED"],
        "true",
        "Reuse of a refresh token after that ends the session.",
    ),
    setting!(
        "sessions.parent_reuse",
        OneOf<ParentReuse>,
        settings.commands.sessions.parent_reuse,
        [],
        "within_interval",
        "How long the token before the current one is good: `always` (a client may have lost the last answer) or `within_interval`.",
    ),
    setting!(
        "sessions.timebox",
        Maybe<Positive>,
        settings.commands.sessions.timebox,
        ["GOTRUE_SESSIONS_TIMEBOX"],
        "720h",
        "Sessions end so long after the sign-in.",
        "no limit",
    ),
    setting!(
        "sessions.inactivity_timeout",
        Maybe<Positive>,
        settings.commands.sessions.inactivity_timeout,
        ["GOTRUE_SESSIONS_INACTIVITY_TIMEOUT"],
        "24h",
        "Sessions end when they were not refreshed for so long.",
        "no limit",
    ),
    setting!(
        "sessions.single_per_user",
        Flag,
        settings.commands.sessions.single_per_user,
        ["GOTRUE_SESSIONS_SINGLE_PER_USER"],
        "true",
        "Only the session that was refreshed last goes on.",
    ),
    setting!(
        "sessions.tags",
        List,
        settings.commands.sessions.tags,
        ["GOTRUE_SESSIONS_TAGS"],
        "web,mobile",
        "The tags within each of which a user has a single session. Sessions carry no tag of their own, so all count under the first.",
    ),
    setting!(
        "sessions.allow_low_aal",
        Maybe<Positive>,
        settings.commands.sessions.allow_low_aal,
        ["GOTRUE_SESSIONS_ALLOW_LOW_AAL"],
        "15m",
        "So long a session may stay without the second factor that its user has.",
        "no limit",
    ),
];
