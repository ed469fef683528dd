//! The address of a client: the peer's, unless a trusted proxy says whose request it hands on.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The header in which proxies name the client, where the owner names no other.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const SB_FORWARDED_FOR: HeaderName = HeaderName::from_static("sb-forwarded-for");

/// Whose word is taken for the address of a client.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    headers: Vec<HeaderName>,
    sb_forwarded_for: bool,
}

impl TrustedProxies {
    /// The networks that proxies stand in, the headers in which they name the client, the best one first, and
    /// whether they name it in `Sb-Forwarded-For`.
    pub fn new(networks: Vec<IpNet>, headers: Vec<HeaderName>, sb_forwarded_for: bool) -> Self {
        Self { networks, headers, sb_forwarded_for }
    }

    /// Whether an address is a proxy's.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client's address. Of the owner's headers the first that is there counts. It is read from the right, for what stands further left was
    /// said by the client itself: the first address that is no trusted proxy's is the client's. An entry
    /// that does not read ends the search, and the proxy before it counts. Where it is switched on, the first
    /// address in a proxy's `Sb-Forwarded-For` wins.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.sb_forwarded_for
            && self.contain(peer)
            && let Some(value) = headers.get(SB_FORWARDED_FOR).and_then(|value| value.to_str().ok())
            && let Some(address) = value.split(',').next().and_then(|first| parse(first.trim()))
        {
            return address;
        }
        let mut client = peer;
        let Some(header) = self.headers.iter().find(|header| headers.contains_key(*header)) else {
            return client;
        };
        for entry in headers
            .get_all(header)
            .iter()
            .rev()
            .flat_map(|line| line.to_str().unwrap_or_default().split(',').rev().map(str::trim))
        {
            if !self.contain(client) {
                break;
            }
            match parse(entry) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().ok();
    let address = address.or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    address.or_else(|| bracketed().map(IpAddr::V6)).map(|address| address.to_canonical())
}

/// The part of an address that one customer of a provider holds: all of IPv4, the first 64 bits of IPv6.
pub fn customer(address: IpAddr) -> IpAddr {
    truncated(address, 32, 64)
}

/// The network around an address, far larger than one customer's.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    truncated(address, 16, 40)
}

fn truncated(address: IpAddr, v4: u8, v6: u8) -> IpAddr {
    let bits = if address.is_ipv4() { v4 } else { v6 };
    IpNet::new(address, bits).map_or(address, |network| network.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> TrustedProxies {
        let networks = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        TrustedProxies::new(networks, vec![FORWARDED_FOR], false)
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        proxies().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &[]), "203.0.113.9");
    }

    #[test]
    fn a_proxy_is_believed_for_what_it_added_itself() {
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 198.51.100.1"]),
            "198.51.100.1",
            "the left end is the client's word"
        );
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.1 , 10.2.0.1"]), "198.51.100.1");
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1:8080"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn the_other_header_counts_where_it_is_switched_on_and_a_proxy_sends_it() {
        let by = |on: bool, peer: &str, value: &str| {
            let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()], vec![FORWARDED_FOR], on);
            let mut headers = HeaderMap::new();
            headers.insert(SB_FORWARDED_FOR, value.parse().unwrap());
            headers.insert(FORWARDED_FOR, "198.51.100.1".parse().unwrap());
            proxies.client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(by(true, "10.0.0.1", "203.0.113.7, 198.51.100.9"), "203.0.113.7");
        assert_eq!(by(true, "10.0.0.1", "nobody"), "198.51.100.1");
        assert_eq!(by(false, "10.0.0.1", "203.0.113.7"), "198.51.100.1");
        assert_eq!(by(true, "203.0.113.9", "203.0.113.7"), "203.0.113.9", "a stranger is not believed");
    }

    #[test]
    fn of_the_headers_that_the_owner_names_the_first_one_counts() {
        let names = ["cf-connecting-ip", "x-real-ip"].map(HeaderName::from_static);
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()], names.to_vec(), false);
        let client = |peer: &str, lines: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, value.parse().unwrap());
            }
            proxies.client(peer.parse().unwrap(), &headers).to_string()
        };
        let both = [("x-real-ip", "198.51.100.1"), ("cf-connecting-ip", "203.0.113.7")];
        assert_eq!(client("10.0.0.1", &both), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &both[..1]), "198.51.100.1");
        assert_eq!(client("192.0.2.1", &both), "192.0.2.1", "a stranger is not believed");
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "6.6.6.6")]),
            "10.0.0.1",
            "nobody wrote that one"
        );
    }

    #[test]
    fn what_does_not_read_ends_the_search() {
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown, 10.3.3.3"]), "10.3.3.3");
        assert_eq!(client("10.0.0.1", &[""]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.2"]), "10.0.0.2", "only proxies: the first of them");
    }

    #[test]
    fn a_customer_holds_64_bits_of_the_newer_addresses() {
        let one: IpAddr = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        assert_eq!(customer(one).to_string(), "2001:db8:1:2::");
        assert_eq!(neighbourhood(one).to_string(), "2001:db8::");
        assert_eq!(customer("203.0.113.9".parse().unwrap()).to_string(), "203.0.113.9");
        assert_eq!(neighbourhood("203.0.113.9".parse().unwrap()).to_string(), "203.0.0.0");
    }
}
