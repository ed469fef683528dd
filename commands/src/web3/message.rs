//! The message that a wallet signs: EIP-4361, and the same for Solana.
//!
//! Lines are separated by a line feed alone. The first names the domain, the second the address, the third
//! is empty; a statement and an empty line may follow; then come fields, each on a line, each once. Fields
//! that we do not know are left to those who do.

use chrono::{DateTime, Utc};
use evident_domain::Time;
use url::Url;

use super::Chain;
use super::address::Address;

/// The shortest message, in bytes.
pub(super) const SHORTEST: usize = 64;
/// The longest message, in bytes.
pub(super) const LONGEST: usize = 20 * 1_024;

/// A message that reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignInMessage {
    /// Who asks for the signature: a host, with a port where it is not the usual one.
    pub domain: String,
    /// Whose wallet.
    pub address: Address,
    /// What the person read.
    pub statement: Option<String>,
    /// What the sign-in is for, as written.
    pub uri: String,
    /// The same, taken apart.
    pub url: Url,
    /// The network.
    pub chain_id: Option<String>,
    /// When it was made.
    pub issued_at: Time,
    /// From when on it counts for nothing.
    pub expires_at: Option<Time>,
    /// Until when it counts for nothing.
    pub not_before: Option<Time>,
}

/// A message does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It cannot be one.
    #[error("message is too short")]
    TooShort,
    /// Nobody reads that much.
    #[error("message must not exceed 20KB")]
    TooLong,
    /// It has another form.
    #[error("{}: {}", .chain.standard(), .problem.text(*.chain))]
    Form {
        /// Whose form it should have.
        chain: Chain,
        /// What is wrong.
        problem: Problem,
    },
}

/// What is wrong with the form of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It ends too early.
    TooFewLines,
    /// There is a character that is not to be seen.
    ControlCharacter,
    /// The first line is another.
    Header,
    /// The first line names no host.
    Domain,
    /// The second line is no address.
    Address,
    /// The third line is not empty.
    ThirdLine,
    /// A line is no field.
    Line(usize),
    /// A field is there twice.
    Twice(&'static str),
    /// A field must be there.
    Missing(&'static str),
    /// A field has no value of its kind.
    Invalid(&'static str),
    /// A time does not read.
    Timestamp(&'static str),
    /// Another version.
    Version(String),
    /// One of the resources is no URI.
    Resource(usize),
    /// It would never count.
    Order,
}

impl Problem {
    fn text(&self, chain: Chain) -> String {
        match self {
            Self::TooFewLines => "message needs at least 6 lines".to_owned(),
            Self::ControlCharacter => "message contains control characters".to_owned(),
            Self::Header => format!("message first line does not end in \"{}\"", header(chain)),
            Self::Domain => "domain in first line of message is not valid".to_owned(),
            Self::Address => match chain {
                Chain::Solana => "wallet address is not in base58 format".to_owned(),
                Chain::Ethereum => "wallet address is not in hex format".to_owned(),
            },
            Self::ThirdLine => "third line must be empty".to_owned(),
            Self::Line(at) => format!("encountered unparsable line at index {at}"),
            Self::Twice(field) => format!("{field} is specified more than once"),
            Self::Missing(field) => format!("{field} is not specified"),
            Self::Invalid(field) => format!("{field} is not valid"),
            Self::Timestamp(field) => format!("{field} is not a valid ISO8601 timestamp"),
            Self::Version(version) => {
                format!("Version value is not supported, expected 1 got {version:?}")
            }
            Self::Resource(at) => format!("Resource at position {at} has invalid URI"),
            Self::Order => "Not Before is after Expiration Time".to_owned(),
        }
    }
}

/// What the first line ends with.
const fn header(chain: Chain) -> &'static str {
    match chain {
        Chain::Solana => " wants you to sign in with your Solana account:",
        Chain::Ethereum => " wants you to sign in with your Ethereum account:",
    }
}

/// The fields, as written.
#[derive(Default)]
struct Fields<'a> {
    uri: Option<&'a str>,
    version: Option<&'a str>,
    chain_id: Option<&'a str>,
    nonce: Option<&'a str>,
    issued_at: Option<&'a str>,
    expiration_time: Option<&'a str>,
    not_before: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl SignInMessage {
    /// Reads a message.
    pub(super) fn parse(chain: Chain, text: &str) -> Result<Self, MessageError> {
        match text.len() {
            0..SHORTEST => Err(MessageError::TooShort),
            SHORTEST..=LONGEST => read(chain, text).map_err(|problem| MessageError::Form { chain, problem }),
            _ => Err(MessageError::TooLong),
        }
    }
}

fn read(chain: Chain, text: &str) -> Result<SignInMessage, Problem> {
    let lines: Vec<&str> = text.split('\n').collect();
    let [first, second, third, rest @ ..] = &lines[..] else { return Err(Problem::TooFewLines) };
    let [fourth, fifth, _, ..] = rest else { return Err(Problem::TooFewLines) };
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::ControlCharacter);
    }
    let domain = first.strip_suffix(header(chain)).ok_or(Problem::Header)?;
    if !is_host(domain) {
        return Err(Problem::Domain);
    }
    let address = Address::parse(chain, second).ok_or(Problem::Address)?;
    if !third.is_empty() {
        return Err(Problem::ThirdLine);
    }
    let (statement, from) =
        if !fourth.is_empty() && fifth.is_empty() { (Some((*fourth).to_owned()), 5) } else { (None, 3) };
    let fields = fields(&lines, from)?;
    let uri = fields.uri.ok_or(Problem::Missing("URI"))?;
    let url = Url::parse(uri).ok().filter(Url::has_host).ok_or(Problem::Invalid("URI"))?;
    let version = fields.version.unwrap_or_default();
    if version != "1" {
        return Err(Problem::Version(version.chars().take(16).collect()));
    }
    let chain_id = network(chain, fields.chain_id)?;
    let issued_at = time("Issued At", fields.issued_at)?.ok_or(Problem::Missing("Issued At"))?;
    let expires_at = time("Expiration Time", fields.expiration_time)?;
    let not_before = time("Not Before", fields.not_before)?;
    if expires_at.zip(not_before).is_some_and(|(expires, begins)| expires < begins) {
        return Err(Problem::Order);
    }
    let (domain, uri) = (domain.to_owned(), uri.to_owned());
    Ok(SignInMessage { domain, address, statement, uri, url, chain_id, issued_at, expires_at, not_before })
}

fn fields<'a>(lines: &[&'a str], from: usize) -> Result<Fields<'a>, Problem> {
    let mut fields = Fields::default();
    let (mut resources, mut seen_resources) = (None, false);
    for (at, line) in lines.iter().enumerate().skip(from) {
        if let Some(count) = resources.as_mut()
            && let Some(resource) = line.strip_prefix("- ")
        {
            Url::parse(resource).map_err(|_| Problem::Resource(*count))?;
            *count += 1;
            continue;
        }
        resources = None;
        if line.is_empty() {
            continue;
        }
        // A resource where there is no list of them is no field.
        let field = line.split_once(':').filter(|(key, _)| !key.starts_with("- "));
        let (key, value) = field.ok_or(Problem::Line(at))?;
        let (name, field) = match key {
            "Resources" if value.is_empty() => {
                if std::mem::replace(&mut seen_resources, true) {
                    return Err(Problem::Twice("Resources"));
                }
                resources = Some(0);
                continue;
            }
            "URI" => ("URI", &mut fields.uri),
            "Version" => ("Version", &mut fields.version),
            "Chain ID" => ("Chain ID", &mut fields.chain_id),
            "Nonce" => ("Nonce", &mut fields.nonce),
            "Issued At" => ("Issued At", &mut fields.issued_at),
            "Expiration Time" => ("Expiration Time", &mut fields.expiration_time),
            "Not Before" => ("Not Before", &mut fields.not_before),
            "Request ID" => ("Request ID", &mut fields.request_id),
            _ => continue,
        };
        if field.replace(value.trim_matches(' ')).is_some() {
            return Err(Problem::Twice(name));
        }
    }
    Ok(fields)
}

/// Whether a text is a host, with or without a port, and nothing else.
fn is_host(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    plain && !text.is_empty() && Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.has_host())
}

fn network(chain: Chain, value: Option<&str>) -> Result<Option<String>, Problem> {
    let value = value.filter(|value| !value.is_empty());
    match (chain, value) {
        (Chain::Solana, None) => Ok(None),
        (Chain::Solana, Some("solana:mainnet" | "solana:devnet" | "solana:testnet" | "solana:localnet")) => {
            Ok(value.map(str::to_owned))
        }
        (Chain::Ethereum, None) => Err(Problem::Missing("Chain ID")),
        (Chain::Ethereum, Some(id))
            if id.bytes().all(|byte| byte.is_ascii_digit()) && id.parse::<u64>().is_ok() =>
        {
            Ok(Some(id.to_owned()))
        }
        (Chain::Solana | Chain::Ethereum, Some(_)) => Err(Problem::Invalid("Chain ID")),
    }
}

fn time(name: &'static str, value: Option<&str>) -> Result<Option<Time>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(value).map_err(|_| Problem::Timestamp(name))?;
    Ok(Some(time.with_timezone(&Utc)))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
