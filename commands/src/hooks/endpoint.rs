//! Where a hook is, and what signs the calls to it.

use url::{Host, Url};

use super::signature::{WebhookSecret, WebhookSecretError};
use crate::settings::HookSetting;

/// Names under which a hook may be called without encryption: they do not leave the machine.
const LOCAL_NAMES: [&str; 2] = ["localhost", "host.docker.internal"];

/// A hook that is on.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) secrets: Vec<WebhookSecret>,
}

/// Why a hook that is on cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is a function of the database.
    #[error(
        "is a function inside PostgreSQL, and Evident calls hooks over HTTP only: put an HTTP function (https://…) in its place, or switch the hook off"
    )]
    DatabaseFunction,
    /// It is no web address.
    #[error("is no http or https address")]
    NotWeb,
    /// It would travel readable.
    #[error(
        "has no encryption: http is for localhost, 127.0.0.1, ::1 and host.docker.internal, others need https"
    )]
    Unencrypted,
    /// A secret does not read.
    #[error(transparent)]
    Secret(#[from] WebhookSecretError),
}

impl Endpoint {
    /// The hook of a setting; none where it is off, or has no address.
    ///
    /// # Errors
    /// When it is on and cannot be called.
    pub fn of(setting: &HookSetting) -> Result<Option<Self>, EndpointError> {
        let Some(uri) = setting.uri.as_deref().filter(|_| setting.enabled) else { return Ok(None) };
        let url = Url::parse(uri.trim()).map_err(|_| EndpointError::NotWeb)?;
        match url.scheme() {
            "https" => {}
            "http" if is_local(&url) => {}
            "http" => return Err(EndpointError::Unencrypted),
            "pg-functions" => return Err(EndpointError::DatabaseFunction),
            _ => return Err(EndpointError::NotWeb),
        }
        let secrets = setting.secrets.iter().map(|secret| WebhookSecret::parse(secret.expose()));
        Ok(Some(Self { url, secrets: secrets.collect::<Result<_, _>>()? }))
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => LOCAL_NAMES.contains(&name),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn endpoint(uri: &str) -> Result<Option<Endpoint>, EndpointError> {
        Endpoint::of(&HookSetting { enabled: true, uri: Some(uri.to_owned()), secrets: Vec::new() })
    }

    #[test]
    fn only_what_stays_on_the_machine_travels_without_encryption() {
        for uri in [
            "https://hooks.example.com/a?b=c",
            "http://localhost:3000/hook",
            "http://127.0.0.1/hook",
            "http://[::1]:80/",
            "http://host.docker.internal:54321/functions/v1/hook",
        ] {
            assert!(endpoint(uri).unwrap().is_some(), "{uri}");
        }
        for uri in ["http://hooks.example.com/", "http://localhost.example.com/", "http://10.0.0.1/"] {
            assert_eq!(endpoint(uri).unwrap_err(), EndpointError::Unencrypted, "{uri}");
        }
        for uri in ["hooks.example.com", "ftp://localhost/", "/hook"] {
            assert_eq!(endpoint(uri).unwrap_err(), EndpointError::NotWeb, "{uri}");
        }
        let function = endpoint("pg-functions://postgres/public/my_hook");
        assert_eq!(function.unwrap_err(), EndpointError::DatabaseFunction);
    }

    #[test]
    fn a_hook_that_is_off_or_has_no_address_is_none() {
        let off = HookSetting { uri: Some("pg-functions://a/b/c".to_owned()), ..HookSetting::default() };
        assert!(Endpoint::of(&off).unwrap().is_none());
        let nowhere = HookSetting { enabled: true, ..HookSetting::default() };
        assert!(Endpoint::of(&nowhere).unwrap().is_none());
    }

    #[test]
    fn a_broken_secret_is_told() {
        let setting = HookSetting {
            enabled: true,
            uri: Some("https://hooks.example.com".to_owned()),
            secrets: vec![Secret::new("v1,whsec_short")],
        };
        assert!(matches!(Endpoint::of(&setting), Err(EndpointError::Secret(_))));
    }
}
