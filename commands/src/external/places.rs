//! Where registered providers may be: an administrator writes addresses over the network, and this server
//! calls them.

use std::net::IpAddr;
use std::time::Duration;

use url::{Host, Url};

use crate::outbound::Chosen;

/// How long a look for a name's addresses may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest address, in bytes.
const LONGEST: usize = 2048;

/// Why an address is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It is none.
    #[error("the address does not read")]
    Malformed,
    /// It is not encrypted.
    #[error("the address is not https")]
    NotHttps,
    /// Nobody knows the name.
    #[error("the name has no address")]
    Unresolved,
    /// It leads to this machine.
    #[error("the address leads to this machine")]
    Loopback,
    /// It leads into a private network.
    #[error("the address leads into a private network")]
    Private,
}

/// By whose word addresses are called: the owner's where all of them are at hosts that the owner trusts.
pub(super) fn chosen<'u>(trusted: &[String], urls: impl IntoIterator<Item = &'u str>) -> Chosen {
    let all = urls.into_iter().all(|url| Url::parse(url).is_ok_and(|url| is_trusted(trusted, &url)));
    if all { Chosen::ByOwner } else { Chosen::ByStranger }
}

fn is_trusted(trusted: &[String], url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    trusted.iter().any(|trusted| trusted == host || Some(trusted) == port.as_ref())
}

/// Whether an address may be one of a provider's.
pub(super) async fn check(trusted: &[String], text: &str) -> Result<(), PlaceError> {
    if text.len() > LONGEST {
        return Err(PlaceError::Malformed);
    }
    let url = Url::parse(text).map_err(|_| PlaceError::Malformed)?;
    let host = url.host().ok_or(PlaceError::Malformed)?.to_owned();
    if is_trusted(trusted, &url) && matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(PlaceError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(PlaceError::Malformed);
    }
    let addresses = match host {
        Host::Ipv4(ip) => vec![IpAddr::from(ip)],
        Host::Ipv6(ip) => vec![IpAddr::from(ip)],
        Host::Domain(name) => {
            let bare = name.trim_end_matches('.').to_ascii_lowercase();
            if bare == "localhost" || bare.ends_with(".localhost") {
                return Err(PlaceError::Loopback);
            }
            let look = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, 443))).await;
            let found = look.map_err(|_| PlaceError::Unresolved)?.map_err(|_| PlaceError::Unresolved)?;
            found.map(|address| address.ip()).collect()
        }
    };
    if addresses.is_empty() {
        return Err(PlaceError::Unresolved);
    }
    addresses.into_iter().try_for_each(outside)
}

/// Addresses for documentation are refused only when they are called: examples may stand there.
fn outside(ip: IpAddr) -> Result<(), PlaceError> {
    let ip = ip.to_canonical();
    if ip.is_loopback() || ip.is_unspecified() {
        return Err(PlaceError::Loopback);
    }
    let documentation = match ip {
        IpAddr::V4(ip) => ip.is_documentation(),
        IpAddr::V6(ip) => ip.segments()[..2] == [0x2001, 0xdb8],
    };
    if documentation || crate::outbound::is_public(ip) { Ok(()) } else { Err(PlaceError::Private) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_of_this_machine_and_of_private_networks_are_told_apart() {
        for (text, problem) in [
            ("no address", PlaceError::Malformed),
            ("mailto:a@example.com", PlaceError::Malformed),
            ("http://203.0.113.10/x", PlaceError::NotHttps),
            ("https://localhost/x", PlaceError::Loopback),
            ("https://a.localhost./x", PlaceError::Loopback),
            ("https://127.0.0.1/x", PlaceError::Loopback),
            ("https://2130706433/x", PlaceError::Loopback),
            ("https://[::ffff:7f00:1]/x", PlaceError::Loopback),
            ("https://[::1]/x", PlaceError::Loopback),
            ("https://10.0.0.1/x", PlaceError::Private),
            ("https://169.254.169.254/latest", PlaceError::Private),
            ("https://[fd00::1]/x", PlaceError::Private),
            ("https://user@203.0.113.10/x", PlaceError::Malformed),
        ] {
            assert_eq!(check(&[], text).await, Err(problem), "{text}");
        }
        assert_eq!(check(&[], "https://203.0.113.10/authorize").await, Ok(()));
        assert_eq!(check(&[], "https://1.1.1.1/authorize").await, Ok(()));
    }

    #[tokio::test]
    async fn what_the_owner_trusts_may_be_anywhere() {
        let trusted = ["10.0.0.1:8080".to_owned(), "idp.internal".to_owned()];
        assert_eq!(check(&trusted, "http://10.0.0.1:8080/x").await, Ok(()));
        assert_eq!(check(&trusted, "http://10.0.0.1:8081/x").await, Err(PlaceError::NotHttps));
        assert_eq!(check(&trusted, "https://idp.internal/x").await, Ok(()));
        assert_eq!(check(&trusted, "file://idp.internal/x").await, Err(PlaceError::NotHttps));
        let (own, foreign) = ("http://10.0.0.1:8080/a", "https://203.0.113.10/b");
        assert_eq!(chosen(&trusted, [own]), Chosen::ByOwner);
        assert_eq!(chosen(&trusted, [own, foreign]), Chosen::ByStranger);
    }
}
