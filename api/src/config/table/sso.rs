//! Single sign-on of organizations.

use super::{Setting, setting};
use crate::config::parse::Flag;

pub(super) const SSO: &[Setting] = &[
    setting!(
        "saml.enabled",
        Flag,
        settings.commands.sso.saml_wanted,
        ["GOTRUE_SAML_ENABLED"],
        "true",
        "Has no effect: signing in by SAML is not available. Providers are administered either way.",
    ),
    setting!(
        "scim.enabled",
        Flag,
        settings.commands.sso.scim_enabled,
        ["GOTRUE_EXPERIMENTAL_SCIM_ENABLED"],
        "true",
        "SCIM clients find out what the server can (`/scim/v2`).",
    ),
];
