//! Names and addresses of the network.

use std::net::IpAddr;

use axum::http::HeaderName;
use evident_commands::settings::Secret;
use ipnet::IpNet;

use super::collection::items;
use super::{Kind, Named, Problem, Raw};

/// The longest schema name: the keys' schema has a longer one, and PostgreSQL cuts at 63.
const LONGEST_SCHEMA: usize = 48;

/// The name of an HTTP header.
pub(in crate::config) struct Header;

impl Named for Header {
    const NAME: &'static str = "header name";
}

fn header(text: &str) -> Result<HeaderName, Problem> {
    text.parse().map_err(|_| Problem::new(format!("holds {text:?}, which is no header name")))
}

impl Kind<HeaderName> for Header {
    fn parse(raw: &Raw) -> Result<Option<HeaderName>, Problem> {
        raw.text()?.parse().map(Some).map_err(|_| Problem::new("is no header name"))
    }

    fn show(value: &HeaderName) -> String {
        value.to_string()
    }
}

impl Kind<String> for Header {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        let name: Option<HeaderName> = Self::parse(raw)?;
        Ok(name.map(|name| name.to_string()))
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

/// Names of HTTP headers.
pub(in crate::config) struct Headers;

impl Named for Headers {
    const NAME: &'static str = "list of header names";
}

impl Kind<Vec<HeaderName>> for Headers {
    fn parse(raw: &Raw) -> Result<Option<Vec<HeaderName>>, Problem> {
        let names = items(raw, |text| text.split(',').map(str::to_owned).collect())?;
        names.iter().map(|name| header(name)).collect::<Result<_, _>>().map(Some)
    }

    fn show(value: &Vec<HeaderName>) -> String {
        value.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(",")
    }
}

/// Networks (`10.0.0.0/8`) and single addresses.
pub(in crate::config) struct Networks;

impl Named for Networks {
    const NAME: &'static str = "list of networks";
}

impl Kind<Vec<IpNet>> for Networks {
    fn parse(raw: &Raw) -> Result<Option<Vec<IpNet>>, Problem> {
        let network = |text: &String| {
            text.parse()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| Problem::new(format!("holds {text:?}, which is neither address nor network")))
        };
        let networks = items(raw, |text| text.split(',').map(str::to_owned).collect())?;
        networks.iter().map(network).collect::<Result<_, _>>().map(Some)
    }

    fn show(value: &Vec<IpNet>) -> String {
        value.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// The address of a PostgreSQL database. It may hold a password.
pub(in crate::config) struct DatabaseAddress;

impl Named for DatabaseAddress {
    const NAME: &'static str = "address";
    const SECRET: bool = true;
}

impl Kind<Secret> for DatabaseAddress {
    fn parse(raw: &Raw) -> Result<Option<Secret>, Problem> {
        let text = raw.text()?;
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("postgres" | "postgresql")) {
            return Err(Problem::new(
                "is no address of a PostgreSQL database (leave it out for SQLite in the data folder)",
            ));
        }
        if url::Url::parse(text).is_err() {
            return Err(Problem::new(
                "is a broken address (write special characters of the password as %40 and the like)",
            ));
        }
        Ok(Some(Secret::new(text)))
    }

    fn show(_: &Secret) -> String {
        String::new()
    }
}

/// A path that others stand below.
pub(in crate::config) struct BasePath;

impl Named for BasePath {
    const NAME: &'static str = "path";
}

impl Kind<String> for BasePath {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        let path = raw.text()?.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        if path.split('/').nth(1) == Some("audit") {
            return Err(Problem::new("is where auditors read the log; take another path, as /api/auth is"));
        }
        if path.starts_with('/') && path.chars().all(plain) && !path.contains("//") {
            Ok(Some(path.to_owned()))
        } else {
            Err(Problem::new("is no path of letters, digits, `-`, `_` and `.`, as /api/auth is"))
        }
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

/// The address of another server on the web.
pub(in crate::config) struct WebAddress;

impl Named for WebAddress {
    const NAME: &'static str = "http or https address";
}

impl Kind<String> for WebAddress {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        let text = raw.text()?;
        let is_web =
            url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if is_web { Ok(Some(text.to_owned())) } else { Err(Problem::new("is no http or https address")) }
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

/// The name of a PostgreSQL schema. It stands in SQL, so its letters are few.
pub(in crate::config) struct SchemaName;

impl Named for SchemaName {
    const NAME: &'static str = "name";
}

impl Kind<String> for SchemaName {
    fn parse(raw: &Raw) -> Result<Option<String>, Problem> {
        let text = raw.text()?;
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !letters || text.len() > LONGEST_SCHEMA || text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Problem::new(
                "is no schema name: take lower-case letters, digits and underscores, 48 at most",
            ));
        }
        Ok(Some(text.to_owned()))
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn networks_may_be_single_addresses() {
        let networks = Networks::parse(&text("10.0.0.0/8, ::1,192.0.2.7")).unwrap().unwrap();
        assert_eq!(Networks::show(&networks), "10.0.0.0/8,::1/128,192.0.2.7/32");
        assert!(Networks::parse(&text("proxy.example.com")).is_err());
        assert!(Networks::parse(&text("10.0.0.0/40")).is_err());
    }

    #[test]
    fn only_postgresql_has_an_address() {
        for good in ["postgres://u:p@localhost:5432/db", "postgresql://localhost/db?sslmode=disable"] {
            assert!(DatabaseAddress::parse(&text(good)).is_ok(), "{good}");
        }
        for bad in ["mysql://localhost/db", "file:./dev.db", "localhost", "postgres://u:p@[/db"] {
            assert!(DatabaseAddress::parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_schema_name_cannot_hold_sql() {
        assert_eq!(SchemaName::parse(&text("auth_2")), Ok(Some("auth_2".to_owned())));
        for bad in ["auth; drop schema x", "Auth", "\"auth\"", "1auth", "a.b"] {
            assert!(SchemaName::parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn header_names_are_checked() {
        let names: Option<Vec<HeaderName>> = Headers::parse(&text("apikey, X-Custom")).unwrap();
        assert_eq!(Headers::show(&names.unwrap()), "apikey,x-custom");
        let refused: Result<Option<HeaderName>, _> = Header::parse(&text("X Custom"));
        assert!(refused.is_err());
    }
}
