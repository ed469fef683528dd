//! The links in mails.

use std::time::Duration;

use url::{Url, form_urlencoded};

/// What a link does when it is opened; its `type` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// Confirms a new account's address.
    Signup,
    /// Accepts an invitation.
    Invite,
    /// Signs in to choose a new password.
    Recovery,
    /// Signs in.
    MagicLink,
    /// Confirms one side of a change of address.
    EmailChange,
}

impl LinkType {
    /// The text in the link.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Invite => "invite",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::EmailChange => "email_change",
        }
    }
}

/// The form of a link in a mail, where the protocol has one of its own: its token stands between two
/// texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkForm {
    /// What stands before the token: `https://auth.example.com/reset/`.
    pub before: String,
    /// What stands after it: `?next=%2Fhome`.
    pub after: String,
    /// How long the token is good.
    pub lifetime: Duration,
}

impl LinkForm {
    /// The link with a token.
    pub fn link(&self, token: &str) -> String {
        let Self { before, after, .. } = self;
        format!("{before}{token}{after}")
    }
}

/// Where links lead, below the external address. Magic links use the recovery path.
///
/// An absolute path takes the place of the external address's own, so a prefix such as `/auth/v1` must
/// be part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPaths {
    /// For invitations.
    pub invite: String,
    /// For confirmations of new accounts.
    pub confirmation: String,
    /// For recovery and magic links.
    pub recovery: String,
    /// For changes of address.
    pub email_change: String,
}

impl Default for LinkPaths {
    fn default() -> Self {
        let verify = || "/verify".to_owned();
        Self { invite: verify(), confirmation: verify(), recovery: verify(), email_change: verify() }
    }
}

/// Why no links can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The server's own address is no web address.
    #[error("the external URL {0:?} is not an http or https address, as https://auth.example.com is")]
    External(String),
    /// A path does not lead to a web address.
    #[error("the link path {0:?} does not make a link, as /verify does")]
    Path(String),
}

/// Makes the links of one external address.
#[derive(Debug, Clone)]
pub struct Links {
    invite: Url,
    confirmation: Url,
    recovery: Url,
    email_change: Url,
}

impl Links {
    /// Prepares the links of the server that people reach at `external_url`.
    ///
    /// # Errors
    /// When the address or a path cannot be part of a link.
    pub fn new(external_url: &str, paths: &LinkPaths) -> Result<Self, LinkError> {
        let external = Url::parse(external_url)
            .ok()
            .filter(is_web)
            .ok_or_else(|| LinkError::External(external_url.to_owned()))?;
        let resolve = |path: &str| {
            external.join(path).ok().filter(is_web).ok_or_else(|| LinkError::Path(path.to_owned()))
        };
        Ok(Self {
            invite: resolve(&paths.invite)?,
            confirmation: resolve(&paths.confirmation)?,
            recovery: resolve(&paths.recovery)?,
            email_change: resolve(&paths.email_change)?,
        })
    }

    /// The same paths at another address of the server.
    ///
    /// # Errors
    /// When the address is no web address.
    pub fn elsewhere(&self, external_url: &str) -> Result<Self, LinkError> {
        let refused = || LinkError::External(external_url.to_owned());
        let external = Url::parse(external_url).ok().filter(is_web).ok_or_else(refused)?;
        let at = |link: &Url| external.join(link.path()).map_err(|_| refused());
        Ok(Self {
            invite: at(&self.invite)?,
            confirmation: at(&self.confirmation)?,
            recovery: at(&self.recovery)?,
            email_change: at(&self.email_change)?,
        })
    }

    /// The link that spends the token with this hash and goes on to `redirect_to`. The target is
    /// always encoded, once.
    pub fn verification(&self, kind: LinkType, token_hash: &str, redirect_to: &str) -> String {
        let mut link = match kind {
            LinkType::Signup => &self.confirmation,
            LinkType::Invite => &self.invite,
            LinkType::Recovery | LinkType::MagicLink => &self.recovery,
            LinkType::EmailChange => &self.email_change,
        }
        .clone();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token_hash)
            .append_pair("type", kind.as_str())
            .append_pair("redirect_to", redirect_to)
            .finish();
        link.set_query(Some(&query));
        link.into()
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(external: &str, paths: &LinkPaths, redirect_to: &str) -> String {
        Links::new(external, paths).unwrap().verification(LinkType::MagicLink, "pkce_ab12", redirect_to)
    }

    #[test]
    fn a_link_names_the_token_the_type_and_the_encoded_target_in_this_order() {
        assert_eq!(
            link("http://localhost:9999", &LinkPaths::default(), "http://localhost:3000/welcome?step=2"),
            "http://localhost:9999/verify?token=pkce_ab12&type=magiclink\
             &redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fwelcome%3Fstep%3D2"
        );
    }

    #[test]
    fn the_prefix_of_the_external_address_must_be_part_of_the_path() {
        let prefix = LinkPaths { recovery: "/auth/v1/verify".to_owned(), ..LinkPaths::default() };
        let begin =
            |paths| link("https://x.example/auth/v1", paths, "x").split_once('?').unwrap().0.to_owned();
        let default = LinkPaths::default();
        assert_eq!(begin(&default), "https://x.example/verify");
        assert_eq!(begin(&prefix), "https://x.example/auth/v1/verify");
    }

    #[test]
    fn a_target_is_encoded_whatever_it_holds() {
        let hostile = "https://a.example/x y/%2e%2e/ö&type=signup#\"<>\r\n";
        let link = link("https://x.example", &LinkPaths::default(), hostile);
        assert!(link.is_ascii() && !link.contains(['"', '<', '>', ' ', '\r', '\n', '#']), "{link}");
        let pairs: Vec<_> = Url::parse(&link).unwrap().query_pairs().into_owned().collect();
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[2], ("redirect_to".to_owned(), hostile.to_owned()));
    }

    #[test]
    fn what_makes_no_link_is_an_error_at_the_start() {
        let paths = LinkPaths::default();
        for external in ["", "x.example", "ftp://x.example", "javascript:alert(1)"] {
            assert_eq!(Links::new(external, &paths).unwrap_err(), LinkError::External(external.to_owned()));
        }
        let paths = LinkPaths { invite: "mailto:a@b".to_owned(), ..LinkPaths::default() };
        assert!(matches!(Links::new("https://x.example", &paths), Err(LinkError::Path(_))));
    }
}
