//! Variables that users of Supabase Auth have in their environment and that are no settings here.

/// How a variable of Supabase Auth stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Protects something in Supabase Auth, and does nothing here yet.
    Guard,
    /// Does something in Supabase Auth, and nothing here yet.
    Later,
    /// Does nothing here, and needs nothing: there is no use for it.
    Needless,
    /// Nobody knows it.
    Unknown,
}

/// By the beginning of the name after `GOTRUE_`. The first entry that fits counts.
const FAMILIES: &[(&str, Standing)] = &[
    ("PASSWORD_HIBP_BLOOM_", Standing::Needless),
    ("MAILER_EMAIL_VALIDATION_", Standing::Guard),
    ("SECURITY_DB_ENCRYPTION_", Standing::Needless),
    ("SECURITY_REFRESH_TOKEN_", Standing::Needless),
    ("EXTERNAL_SAML_", Standing::Needless),
    ("SAML_", Standing::Later),
    ("EXPERIMENTAL_", Standing::Later),
    ("MAILER_SUBJECTS_", Standing::Needless),
    ("MAILER_TEMPLATES_", Standing::Needless),
    ("MAILER_TEMPLATE_", Standing::Needless),
    ("MAILER_URLPATHS_", Standing::Needless),
    // Where nobody signs in by SAML there is nothing to limit.
    ("RATE_LIMIT_SSO", Standing::Needless),
    ("AUDIT_LOG_", Standing::Needless),
    ("DB_", Standing::Needless),
    ("INDEX_WORKER_", Standing::Needless),
    ("LOG_", Standing::Needless),
    ("TRACING_", Standing::Later),
    ("METRICS_", Standing::Later),
    ("PROFILER_", Standing::Needless),
    ("RELOADING_", Standing::Needless),
    ("SMTP_LOGGING_ENABLED", Standing::Needless),
    ("MAILER_EMAIL_BACKGROUND_SENDING", Standing::Needless),
    ("API_ENDPOINT", Standing::Needless),
    ("OPERATOR_TOKEN", Standing::Needless),
    ("COOKIE_KEY", Standing::Needless),
    ("SESSION_KEY", Standing::Needless),
    ("MAX_VERIFIED_FACTORS", Standing::Needless),
];

/// Settings that are read and shown, and that nothing looks at yet.
pub(super) const NOT_YET: &[&str] = &[];

/// How a variable stands whose name begins with `GOTRUE_`; the rest of the name is given.
pub(super) fn standing(rest: &str) -> Standing {
    let family = FAMILIES.iter().find(|(family, _)| {
        // A family ends in an underscore, anything else is a whole name.
        if family.ends_with('_') { rest.starts_with(family) } else { rest == *family }
    });
    family.map_or(Standing::Unknown, |(_, standing)| *standing)
}

/// Families of one standing, for the documentation.
pub(super) fn families(standing: Standing) -> impl Iterator<Item = String> {
    FAMILIES.iter().filter(move |(_, its)| *its == standing).map(|(family, _)| {
        let more = if family.ends_with('_') { "*" } else { "" };
        format!("GOTRUE_{family}{more}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_effect_yet_is_a_setting() {
        for key in NOT_YET {
            assert!(crate::config::table::find(key).is_some(), "{key}");
        }
    }

    #[test]
    fn the_nearest_family_counts() {
        for (rest, expected) in [
            ("SAML_PRIVATE_KEY", Standing::Later),
            ("MAILER_EMAIL_VALIDATION_SERVICE_URL", Standing::Guard),
            ("DB_DRIVER", Standing::Needless),
            ("DISABLE_SIGNUPS", Standing::Unknown),
        ] {
            assert_eq!(standing(rest), expected, "{rest}");
        }
    }
}
