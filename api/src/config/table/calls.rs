//! Calls to other servers.

use super::{Setting, setting};
use crate::config::parse::Positive;

pub(super) const CALLS: &[Setting] = &[setting!(
    "calls.timeout",
    Positive,
    settings.commands.calls.timeout,
    ["GOTRUE_INTERNAL_HTTP_TIMEOUT"],
    "10s",
    "How long a call to an identity provider, a message service or a hook may take.",
)];
