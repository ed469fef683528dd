//! What is dropped from the log, and when.

use super::{Setting, setting};
use crate::config::parse::{Maybe, Positive, Text};

pub(super) const RETENTION: &[Setting] = &[
    setting!(
        "retention.session_chatter",
        Maybe<Positive>,
        settings.retention.session,
        [],
        "2160h",
        "After this time the content of refreshes and proofs is dropped, once no session needs it. A day at least. Sign-ins, and ends of sessions, stay.",
        "they stay"
    ),
    setting!(
        "retention.failed_attempts",
        Maybe<Positive>,
        settings.retention.attempt,
        [],
        "8760h",
        "After this time the content of refused sign-ins and calls is dropped, and the counts of failures with it. A day at least.",
        "they stay"
    ),
    setting!(
        "retention.flows",
        Maybe<Positive>,
        settings.retention.flow,
        [],
        "720h",
        "After this time the content of codes, redirects and requests for messages is dropped. A day at least.",
        "they stay"
    ),
    setting!(
        "retention.period_keys",
        Maybe<Positive>,
        settings.retention.period,
        [],
        "8760h",
        "So long after a month ends the key is destroyed under which its data of nobody known is sealed. A day at least.",
        "they stay"
    ),
    setting!(
        "retention.log_entries",
        Maybe<Positive>,
        settings.proofs.prune_after,
        [],
        "26280h",
        "After this time the log's oldest entries are no longer handed out as tiles and files, and of their contents what nothing needs is dropped. Events and proofs stay. `retention.log_policy` must say where that is published.",
        "all are handed out"
    ),
    setting!(
        "retention.log_policy",
        Maybe<Text>,
        settings.proofs.retention_policy,
        [],
        "https://example.com/log-retention",
        "Where everybody can read how long the log's entries are handed out.",
        "nothing is pruned"
    ),
];
