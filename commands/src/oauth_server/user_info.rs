//! What a client learns of a user: what its scopes allow (OpenID Connect Core, section 5.4), and nothing
//! that the application keeps besides.

use evident_domain::{Scope, Scopes, UserId};
use serde::Serialize;

use crate::views::UserRow;

/// What a client learns, key by key in alphabetical order. What is `None` is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// The address, with the scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it was shown to be the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The name, with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number, with the scope `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether it was shown to be the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_verified: Option<bool>,
    /// A picture's address, with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// What the user likes to be called, with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Who it is.
    pub sub: UserId,
    /// When the account last changed, in Unix seconds, with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
}

impl UserInfo {
    /// What the scopes tell of a user.
    pub fn of(user: &UserRow, scopes: &Scopes) -> Self {
        let email = user.email.clone().filter(|_| scopes.contain(Scope::Email));
        let phone = user.phone.clone().filter(|_| scopes.contain(Scope::Phone));
        let profile = scopes.contain(Scope::Profile).then(|| user.user_metadata());
        let said = |keys: &[&str]| {
            let profile = profile.as_ref()?;
            keys.iter().find_map(|key| profile.text(key)).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            email_verified: email.as_ref().map(|_| user.email_confirmed_at.is_some()),
            email,
            name: said(&["name", "full_name"]),
            phone_verified: phone.as_ref().map(|_| user.phone_confirmed_at.is_some()),
            phone,
            picture: said(&["picture", "avatar_url"]),
            preferred_username: said(&["preferred_username"]),
            sub: user.id,
            updated_at: profile.as_ref().map(|_| user.updated_at.timestamp()),
        }
    }
}
