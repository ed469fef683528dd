//! What is known of a client: names for people, addresses, and how it shows that it is the one (RFC 7591).

use serde::{Deserialize, Serialize};
use url::Url;

use super::redirect_uri::{LONGEST, RedirectUri, RedirectUriError};

/// The most addresses that codes may be sent to.
pub const MOST_REDIRECT_URIS: usize = 10;
/// The longest name, in characters.
pub const LONGEST_NAME: usize = 1024;

/// How a client proves at the token endpoint that it is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Not at all: it keeps no secret (an app in a browser or on a phone).
    None,
    /// By its secret in the header `Authorization: Basic`.
    ClientSecretBasic,
    /// By its secret in the body.
    ClientSecretPost,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The name on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// What kind of client proves itself so.
    pub const fn client_type(self) -> ClientType {
        match self {
            Self::None => ClientType::Public,
            Self::ClientSecretBasic | Self::ClientSecretPost => ClientType::Confidential,
        }
    }
}

/// Whether a client can keep a secret (RFC 6749, section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    /// It cannot.
    Public,
    /// It can.
    Confidential,
}

impl ClientType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Confidential].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a client may exchange for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// The code of an approval.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
}

impl GrantType {
    /// Every grant.
    pub const ALL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// What is known of a client; every part holds the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientDetails {
    /// What it is called.
    pub name: Option<String>,
    /// Its page.
    pub uri: Option<String>,
    /// Its picture.
    pub logo_uri: Option<String>,
    /// Where codes may be sent; 1 to 10 addresses.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may exchange for tokens.
    pub grant_types: Vec<GrantType>,
    /// How it proves that it is the one.
    pub auth_method: AuthMethod,
}

/// What is said about a client, or what is to change; nothing of it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientDraft {
    /// What it is called; empty: nothing.
    pub name: Option<String>,
    /// Its page; empty: none.
    pub uri: Option<String>,
    /// Its picture; empty: none.
    pub logo_uri: Option<String>,
    /// Where codes may be sent.
    pub redirect_uris: Option<Vec<String>>,
    /// What it may exchange for tokens; empty: everything.
    pub grant_types: Option<Vec<GrantType>>,
    /// Whether it can keep a secret.
    pub client_type: Option<ClientType>,
    /// How it proves that it is the one.
    pub auth_method: Option<AuthMethod>,
}

/// Which address of a client does not hold the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Its page.
    Client,
    /// Its picture.
    Logo,
}

/// Why something said about a client is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// Nowhere to send codes.
    #[error("a client needs an address that codes are sent to")]
    NoRedirectUri,
    /// Too many places to send codes.
    #[error("a client has {MOST_REDIRECT_URIS} addresses that codes are sent to at most")]
    TooManyRedirectUris,
    /// Codes must not be sent there.
    #[error("codes must not be sent to {uri:?}: {problem}")]
    RedirectUri {
        /// The address.
        uri: String,
        /// What is wrong with it.
        problem: RedirectUriError,
    },
    /// The name is too long.
    #[error("a name has {LONGEST_NAME} characters at most")]
    NameTooLong,
    /// An address for people is no web address, or too long.
    #[error("the address is no web address")]
    Page(Page),
    /// Who keeps no secret has none to show, and the reverse.
    #[error("a {} client does not prove itself by {}", .client_type.as_str(), .auth_method.as_str())]
    Inconsistent {
        /// What it is said to be, or is.
        client_type: ClientType,
        /// How it is said to prove itself.
        auth_method: AuthMethod,
    },
}

impl ClientDetails {
    /// A new client's.
    ///
    /// # Errors
    /// The rule that a part of it breaks.
    pub fn new(draft: ClientDraft) -> Result<Self, DetailsError> {
        let auth_method = match (draft.auth_method, draft.client_type) {
            (Some(method), _) => method,
            (None, Some(ClientType::Public)) => AuthMethod::None,
            (None, Some(ClientType::Confidential) | None) => AuthMethod::ClientSecretBasic,
        };
        let empty = Self {
            name: None,
            uri: None,
            logo_uri: None,
            redirect_uris: Vec::new(),
            grant_types: GrantType::ALL.to_vec(),
            auth_method,
        };
        let redirect_uris = Some(draft.redirect_uris.clone().unwrap_or_default());
        empty.with(ClientDraft { redirect_uris, ..draft })
    }

    /// These, with what is said in the draft.
    ///
    /// # Errors
    /// The rule that a part of it breaks. What a client can keep never changes.
    pub fn with(mut self, draft: ClientDraft) -> Result<Self, DetailsError> {
        let auth_method = draft.auth_method.unwrap_or(self.auth_method);
        let client_type = draft.client_type.unwrap_or(self.auth_method.client_type());
        if auth_method.client_type() != client_type
            || self.auth_method.client_type() != auth_method.client_type()
        {
            return Err(DetailsError::Inconsistent { client_type, auth_method });
        }
        self.auth_method = auth_method;
        if let Some(uris) = draft.redirect_uris {
            self.redirect_uris = redirect_uris(uris)?;
        }
        if let Some(name) = draft.name {
            if name.chars().count() > LONGEST_NAME {
                return Err(DetailsError::NameTooLong);
            }
            self.name = Some(name).filter(|name| !name.is_empty());
        }
        if let Some(uri) = draft.uri {
            self.uri = page(uri, Page::Client)?;
        }
        if let Some(uri) = draft.logo_uri {
            self.logo_uri = page(uri, Page::Logo)?;
        }
        if let Some(mut grants) = draft.grant_types {
            if grants.is_empty() {
                grants = GrantType::ALL.to_vec();
            }
            let mut seen = Vec::new();
            grants.retain(|grant| {
                !seen.contains(grant) && {
                    seen.push(*grant);
                    true
                }
            });
            self.grant_types = grants;
        }
        Ok(self)
    }

    /// Whether it can keep a secret.
    pub fn client_type(&self) -> ClientType {
        self.auth_method.client_type()
    }
}

fn redirect_uris(uris: Vec<String>) -> Result<Vec<RedirectUri>, DetailsError> {
    match uris.len() {
        0 => return Err(DetailsError::NoRedirectUri),
        1..=MOST_REDIRECT_URIS => {}
        _ => return Err(DetailsError::TooManyRedirectUris),
    }
    let parse =
        |uri: String| RedirectUri::parse(&uri).map_err(|problem| DetailsError::RedirectUri { uri, problem });
    uris.into_iter().map(parse).collect()
}

/// An address that people click on or a browser loads: a web address, or none.
fn page(text: String, page: Page) -> Result<Option<String>, DetailsError> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let plain = text.len() <= LONGEST && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    if plain && Url::parse(&text).is_ok_and(|url| is_web(&url)) {
        Ok(Some(text))
    } else {
        Err(DetailsError::Page(page))
    }
}
