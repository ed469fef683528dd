//! Single sign-on of organizations.

use super::{Setting, setting};
use crate::config::parse::Flag;

pub(super) const SSO: &[Setting] = &[setting!(
    "scim.enabled",
    Flag,
    settings.commands.sso.scim_enabled,
    ["GOTRUE_EXPERIMENTAL_SCIM_ENABLED"],
    "true",
    "SCIM clients find out what the server can (`/scim/v2`).",
)];
