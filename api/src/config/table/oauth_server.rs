//! The OAuth server.

use super::{Setting, setting};
use crate::config::parse::{Flag, Maybe, Positive, Text};

pub(super) const OAUTH_SERVER: &[Setting] = &[
    setting!(
        "oauth_server.enabled",
        Flag,
        settings.commands.oauth_server.enabled,
        ["GOTRUE_OAUTH_SERVER_ENABLED"],
        "true",
        "Other applications may ask users for access (OAuth 2.1, OpenID Connect).",
    ),
    setting!(
        "oauth_server.allow_dynamic_registration",
        Flag,
        settings.commands.oauth_server.dynamic_registration,
        ["GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION"],
        "true",
        "Applications may register themselves.",
    ),
    setting!(
        "oauth_server.authorization_path",
        Maybe<Text>,
        settings.commands.oauth_server.consent_path,
        ["GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH"],
        "/oauth/consent",
        "The page below `site.url` on which users decide; it gets `?authorization_id=`.",
        "no request is taken",
    ),
    setting!(
        "oauth_server.authorization_ttl",
        Positive,
        settings.commands.oauth_server.authorization_ttl,
        ["GOTRUE_OAUTH_SERVER_AUTHORIZATION_TTL"],
        "10m",
        "How long a request waits for the user's decision; its code then waits as long, 10 minutes at most.",
    ),
    setting!(
        "oauth_server.default_scope",
        Text,
        settings.commands.oauth_server.default_scope,
        ["GOTRUE_OAUTH_SERVER_DEFAULT_SCOPE"],
        "email",
        "The scopes of requests that name none, with spaces in between.",
    ),
    setting!(
        "oauth_server.clients_act_as_users",
        Flag,
        settings.commands.oauth_server.clients_act_as_users,
        [],
        "true",
        "Tokens of OAuth clients are taken at `/user`, `/logout` … as the user's own, whatever their scopes, as \
         Supabase Auth does. Unsafe with clients that are not your own.",
    ),
];
