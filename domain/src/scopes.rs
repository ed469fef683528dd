//! OAuth scopes (RFC 6749, section 3.3): what a client may learn of a user.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One scope. The names are stored; never change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Who the user is, and an ID token.
    Openid,
    /// Name, picture and the like.
    Profile,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// Going on while the user is away.
    OfflineAccess,
}

impl Scope {
    /// Every scope, in the order in which they are announced.
    pub const ALL: [Self; 5] = [Self::Openid, Self::Profile, Self::Email, Self::Phone, Self::OfflineAccess];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openid => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::OfflineAccess => "offline_access",
        }
    }
}

/// Scopes, each once, in the order in which they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<Scope>);

/// There is no such scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scope {0:?} is not supported")]
pub struct UnknownScope(pub String);

impl Scopes {
    /// Reads a list with spaces in between.
    ///
    /// # Errors
    /// The first name that is no scope.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let mut scopes = Self::default();
        for name in text.split_ascii_whitespace() {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == name);
            scopes.add(scope.ok_or_else(|| UnknownScope(name.to_owned()))?);
        }
        Ok(scopes)
    }

    /// Whether a scope is among them.
    pub fn contain(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of the others are among them.
    pub fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.contain(*scope))
    }

    /// These, and those of the others that are new.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        for scope in &others.0 {
            self.add(*scope);
        }
        self
    }

    fn add(&mut self, scope: Scope) {
        if !self.contain(scope) {
            self.0.push(scope);
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_keep_their_order_and_stand_once() {
        let scopes = Scopes::parse(" email openid  email offline_access").unwrap();
        assert_eq!(scopes.to_string(), "email openid offline_access");
        assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["email","openid","offline_access"]"#);
        assert_eq!(Scopes::parse("email root"), Err(UnknownScope("root".to_owned())));
        assert_eq!(Scopes::parse("").unwrap().to_string(), "");
    }

    #[test]
    fn who_has_more_covers_who_has_less() {
        let (few, many) = (Scopes::parse("email").unwrap(), Scopes::parse("openid email").unwrap());
        assert!(many.cover(&few) && many.cover(&many) && !few.cover(&many));
        assert_eq!(few.with(&many).to_string(), "email openid");
    }
}
