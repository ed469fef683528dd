//! The server, its addresses, its store, its log.

use super::{Setting, setting};
use crate::config::parse::{
    Base64Key, Choice, DatabaseAddress, FilePath, Flag, Header, Headers, LogFilter, Maybe, Networks, OneOf,
    Patterns, Positive, SchemaName, Text, UnlessZero, Whole,
};
use crate::config::{LogFormat, RebuildAtStart};

impl Choice for RebuildAtStart {
    const NAMES: &'static str = "always, never";
    const CHOICES: &'static [(&'static str, Self)] = &[("always", Self::Always), ("never", Self::Never)];
}

impl Choice for LogFormat {
    const NAMES: &'static str = "compact, pretty, json";
    const CHOICES: &'static [(&'static str, Self)] =
        &[("compact", Self::Compact), ("pretty", Self::Pretty), ("json", Self::Json)];
}

pub(super) const SERVER: &[Setting] = &[
    setting!(
        "server.host",
        Text,
        settings.server.host,
        ["GOTRUE_API_HOST"],
        "0.0.0.0",
        "The address or name to listen on; `0.0.0.0` is all.",
    ),
    setting!(
        "server.port", Whole<0, 65_535>, settings.server.port, ["GOTRUE_API_PORT", "PORT"],
        "9999", "The port to listen on; 0 takes any free one.",
    ),
    setting!(
        "server.max_request_duration",
        Positive,
        settings.server.max_request_duration,
        ["GOTRUE_API_MAX_REQUEST_DURATION"],
        "10s",
        "After so long a request is given up.",
    ),
    setting!(
        "server.body_limit", Whole<1_024, 67_108_864>, settings.server.body_limit, [],
        "1048576", "The longest body of a request, in bytes.",
    ),
    setting!(
        "server.cors_allowed_headers",
        Headers,
        settings.server.cors_allowed_headers,
        ["GOTRUE_CORS_ALLOWED_HEADERS"],
        "X-Custom,X-Other",
        "Headers that browsers may send, besides the usual ones and `apikey`.",
    ),
    setting!(
        "server.request_id_header",
        Maybe<Header>,
        settings.server.request_id_header,
        ["GOTRUE_API_REQUEST_ID_HEADER", "REQUEST_ID_HEADER"],
        "X-Request-Id",
        "The header in which a proxy gives each request an id.",
        "a new id for each request",
    ),
    setting!(
        "server.trusted_proxies",
        Networks,
        settings.server.trusted_proxies,
        [],
        "10.0.0.0/8,127.0.0.1",
        "Whose word is taken for the caller's address (`server.address_headers` and `rate_limits.header`).",
        "nobody's: the address of the connection counts",
    ),
    setting!(
        "server.address_headers",
        Headers,
        settings.server.address_headers,
        [],
        "cf-connecting-ip,x-forwarded-for",
        "The headers in which trusted proxies name the caller; the first that is there counts. Name only such that your proxies always write.",
    ),
    setting!(
        "server.sb_forwarded_for",
        Flag,
        settings.server.sb_forwarded_for,
        ["GOTRUE_SECURITY_SB_FORWARDED_FOR_ENABLED"],
        "true",
        "The first address in a trusted proxy's `Sb-Forwarded-For` is the caller's, before `server.address_headers`.",
    ),
    setting!(
        "data_dir",
        FilePath,
        settings.server.data_dir,
        [],
        "/var/lib/evident",
        "Where the embedded database, keys made on first start and written mails are.",
    ),
];

pub(super) const SITE: &[Setting] = &[
    setting!(
        "site.external_url",
        Maybe<Text>,
        external_url,
        ["GOTRUE_API_API_EXTERNAL_URL", "API_EXTERNAL_URL", "BETTER_AUTH_URL"],
        "https://auth.example.com",
        "The server's address as the world sees it; links in mails begin with it.",
        "`http://127.0.0.1:<port>`",
    ),
    setting!(
        "site.url",
        Maybe<Text>,
        site_url,
        ["GOTRUE_SITE_URL"],
        "https://app.example.com",
        "The application's address: where links lead in the end.",
        "as `site.external_url`",
    ),
    setting!(
        "site.redirect_allow_list",
        Patterns,
        settings.commands.site.redirect_allow_list,
        ["GOTRUE_URI_ALLOW_LIST"],
        "https://*.example.com/**,myapp://callback",
        "Patterns of further addresses where links may lead.",
    ),
];

pub(super) const STORE: &[Setting] = &[
    setting!(
        "database.url",
        Maybe<DatabaseAddress>,
        settings.database.url,
        ["GOTRUE_DB_DATABASE_URL", "DATABASE_URL"],
        "postgres://user:password@localhost:5432/app",
        "A PostgreSQL database.",
        "SQLite in the data folder",
    ),
    setting!(
        "database.schema",
        SchemaName,
        settings.database.schema,
        [],
        "evident",
        // Not `DB_NAMESPACE`: where that is set, the peer's own tables stand in the schema it names.
        "The PostgreSQL schema of the log; the keys' has `_keys` at the end.",
    ),
    setting!(
        "database.max_connections",
        UnlessZero<Whole<0, 10_000>>,
        settings.database.max_connections,
        ["GOTRUE_DB_MAX_POOL_SIZE"],
        "10",
        "The most connections of this node for reading; up to six more write, or read keys, and one reads the log while it is folded anew. 0 counts as not set.",
    ),
    setting!(
        "database.acquire_timeout",
        Positive,
        settings.database.acquire_timeout,
        [],
        "5s",
        "How long a request waits for a connection.",
    ),
    setting!(
        "master_key",
        Maybe<Base64Key>,
        master_key,
        [],
        "(the output of: openssl rand -base64 32)",
        "Wraps the keys of persons, with SQLite and PostgreSQL alike. All nodes need the same one.",
        "see `master_key_file`",
    ),
    setting!(
        "master_key_file",
        Maybe<FilePath>,
        master_key_file,
        [],
        "/run/secrets/evident-master-key",
        "A file with the master key, in base64.",
        "`master.key` in the data folder, made on first start",
    ),
];

pub(super) const PROJECTIONS: &[Setting] = &[
    setting!(
        "projections.rebuild_at_start",
        OneOf<RebuildAtStart>,
        settings.projections.rebuild_at_start,
        [],
        "never",
        "What happens at the start to tables that another version of their fold made, or none: `always` rebuilds \
         them before the first request is answered; with `never` the server does not start, and \
         `evident projections rebuild` is to be run.",
    ),
    setting!(
        "projections.users_in_memory", Whole<0, 4_000_000_000>, settings.projections.users_in_memory, [],
        "0",
        "Where lists of users are slow, what they look at is kept in memory while they are asked for: about \
         100 MB for a million users. With more users than this, or with 0, it never is.",
    ),
];

pub(super) const LOG: &[Setting] = &[
    setting!(
        "log.level",
        LogFilter,
        settings.log.level,
        ["GOTRUE_LOG_LEVEL", "RUST_LOG"],
        "info",
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, `off`, or directives as `evident=debug,sqlx=warn`.",
    ),
    setting!(
        "log.format",
        OneOf<LogFormat>,
        settings.log.format,
        [],
        "json",
        "How lines look: `compact` and `pretty` for people, `json` for machines.",
    ),
];
