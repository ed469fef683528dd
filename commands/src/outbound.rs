//! Calls to other servers: identity providers, hooks, text message services, captcha services.
//!
//! No redirects are followed, answers are bounded in size and time, and an address that a stranger chose
//! is called only where it is a public one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap};
use url::{Host, Url};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Who chose an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The owner, in the configuration: any address will do, one on this machine too.
    ByOwner,
    /// Somebody over the network: only https, and only a public address.
    ByStranger,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, OutboundError> {
        serde_json::from_slice(&self.body).map_err(|_| OutboundError::NotJson)
    }
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// An address on this machine or in a private network, or one without encryption.
    #[error("the address may not be called")]
    Forbidden,
    /// It took too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// There is no such server, or it did not speak as it should.
    #[error("the server could not be reached")]
    Unreachable,
    /// The answer does not end.
    #[error("the answer is too long")]
    TooLong,
    /// The answer does not read.
    #[error("the answer is not the JSON that was expected")]
    NotJson,
}

/// Calls other servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    anywhere: Client,
    public: Client,
}

impl Outbound {
    /// A caller that waits so long for an answer.
    ///
    /// # Errors
    /// When there are no ciphers, which is a fault of the build.
    pub fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT.min(timeout))
                .timeout(timeout)
                .user_agent(concat!("Evident/", env!("CARGO_PKG_VERSION")))
                .no_proxy()
        };
        Ok(Self {
            anywhere: builder().build()?,
            public: builder().https_only(true).dns_resolver(Arc::new(PublicOnly)).build()?,
        })
    }

    /// A request, to be filled and given to [`Outbound::send`].
    ///
    /// # Errors
    /// [`OutboundError::Forbidden`] for an address that its chooser may not have called.
    pub fn request(
        &self,
        method: reqwest::Method,
        url: &Url,
        chosen: Chosen,
    ) -> Result<RequestBuilder, OutboundError> {
        match chosen {
            Chosen::ByOwner => Ok(self.anywhere.request(method, url.clone())),
            Chosen::ByStranger if may_be_public(url) => Ok(self.public.request(method, url.clone())),
            Chosen::ByStranger => Err(OutboundError::Forbidden),
        }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When no answer came, or a longer one than anybody needs.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, OutboundError> {
        self.send_up_to(request, LONGEST_ANSWER).await
    }

    /// As [`Outbound::send`], with the longest answer in bytes.
    ///
    /// # Errors
    /// When no answer came, or a longer one.
    pub async fn send_up_to(&self, request: RequestBuilder, longest: usize) -> Result<Answer, OutboundError> {
        let mut response = request.send().await.map_err(|error| told(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > longest {
                return Err(OutboundError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

fn told(error: &reqwest::Error) -> OutboundError {
    if error.is_timeout() { OutboundError::TimedOut } else { OutboundError::Unreachable }
}

/// Whether an address could be a public one; a name's addresses are looked at when it is resolved.
pub fn may_be_public(url: &Url) -> bool {
    url.scheme() == "https"
        && match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                !name.eq_ignore_ascii_case("localhost")
                    && !name.to_ascii_lowercase().ends_with(".localhost")
                    && !name.is_empty()
            }
            Some(Host::Ipv4(ip)) => is_public(ip.into()),
            Some(Host::Ipv6(ip)) => is_public(ip.into()),
            None => false,
        }
}

/// Whether an address belongs to the open internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                // Carrier-grade NAT (RFC 6598), benchmarks (RFC 2544), protocol assignments (RFC 6890).
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19))
                || (a == 192 && b == 0 && c == 0))
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(mapped) => is_public(mapped.into()),
            None => {
                let [first, second, ..] = ip.segments();
                // Global unicast (RFC 4291) but for documentation, 6to4 and Teredo, which carry IPv4.
                (first & 0xe000) == 0x2000
                    && !(first == 0x2001 && (second == 0xdb8 || second == 0))
                    && first != 0x2002
            }
        },
    }
}

/// Resolves names to public addresses only, at the moment of the call: a name that points elsewhere
/// later gains nothing.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(OutboundError::Forbidden.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_of_private_networks_are_not_public() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "2001:db8::1",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_stranger_has_no_address_called_that_is_not_public() {
        let outbound = Outbound::new(Duration::from_secs(1)).unwrap();
        for url in [
            "http://example.com/",
            "https://localhost/",
            "https://a.localhost./",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "file:///etc/passwd",
        ] {
            let url = Url::parse(url).unwrap();
            let refused = outbound.request(reqwest::Method::GET, &url, Chosen::ByStranger);
            assert_eq!(refused.err(), Some(OutboundError::Forbidden), "{url}");
        }
    }
}
