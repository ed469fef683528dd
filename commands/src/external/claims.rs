//! How the claims of ID tokens read, issuer by issuer. Their signatures are checked already.

use serde_json::{Map, Value};

use super::profile::{Profile, ProfileError};

/// Reads the claims of an ID token.
pub(super) type Reader = fn(&Claims<'_>) -> Result<Profile, ProfileError>;

type Read = Result<Profile, ProfileError>;

/// The tenant of personal Microsoft accounts, whose addresses Microsoft itself has confirmed.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The claims of an ID token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claims<'a> {
    /// All of them.
    pub(super) all: &'a Map<String, Value>,
    /// Whether the owner chose the one organization whose people may come, so that its word counts.
    pub(super) own_tenant: bool,
}

impl<'a> Claims<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.all.get(key)?.as_str()
    }

    fn profile(&self, subject: Option<&str>) -> Read {
        Profile::new(self.text("iss").unwrap_or_default(), subject)
    }

    fn own_profile(&self) -> Read {
        Ok(self.profile(self.text("sub"))?.with_provider_id())
    }
}

/// A switch that some write as a text.
fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::String(text) => matches!(text.as_str(), "1" | "true"),
        Value::Number(number) => number.as_i64() == Some(1),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether a claim is on; `unsaid` where it is not there.
fn flag(claims: &Claims<'_>, key: &str, unsaid: bool) -> bool {
    claims.all.get(key).filter(|value| !value.is_null()).map_or(unsaid, is_on)
}

/// Any OpenID provider (OpenID Connect Core, section 5.1).
pub(super) fn generic(claims: &Claims<'_>) -> Read {
    const TEXTS: &[&str] = &[
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone",
        "full_name",
        "avatar_url",
        "slug",
        "provider_id",
        "user_name",
    ];
    let mut profile = claims.profile(claims.text("sub"))?;
    for key in TEXTS {
        profile = profile.with(key, claims.text(key));
    }
    for key in ["exp", "iat", "updated_at", "custom_claims"] {
        profile = profile.with_value(key, claims.all.get(key));
    }
    let audience = match claims.all.get("aud") {
        Some(one @ Value::String(_)) => Some(Value::Array(vec![one.clone()])),
        other => other.cloned(),
    };
    Ok(profile.with_value("aud", audience.as_ref()).with_address(
        claims.text("email"),
        flag(claims, "email_verified", false),
        true,
    ))
}

/// Google.
pub(super) fn google(claims: &Claims<'_>) -> Read {
    Ok(claims
        .own_profile()?
        .with_all(&["name", "full_name"], claims.text("name"))
        .with_all(&["picture", "avatar_url"], claims.text("picture"))
        .with_custom([("hd", claims.all.get("hd"))])
        .with_address(claims.text("email"), flag(claims, "email_verified", false), true))
}

/// Apple. It tells confirmed addresses, its own relay addresses among them; the name comes apart.
pub(super) fn apple(claims: &Claims<'_>) -> Read {
    let private = claims.all.get("is_private_email").map(|value| Value::Bool(is_on(value)));
    Ok(claims
        .own_profile()?
        .with_custom([("is_private_email", private.as_ref()), ("auth_time", claims.all.get("auth_time"))])
        .with_address(claims.text("email"), flag(claims, "email_verified", true), true))
}

/// Microsoft. An administrator of any organization may write any address, so one counts only if the
/// organization owns its domain (`xms_edov`), if it is a personal account's, or if the owner lets in the
/// people of one organization only.
pub(super) fn azure(claims: &Claims<'_>) -> Read {
    const LEFT_OUT: &[&str] = &[
        "aud",
        "iss",
        "iat",
        "nbf",
        "exp",
        "c_hash",
        "at_hash",
        "aio",
        "nonce",
        "rh",
        "uti",
        "jti",
        "ver",
        "sub",
        "name",
        "preferred_username",
    ];
    let trusted = claims.own_tenant || claims.text("tid") == Some(PERSONAL_ACCOUNTS);
    let custom = claims.all.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
    Ok(claims
        .own_profile()?
        .with("preferred_username", claims.text("preferred_username"))
        .with("full_name", claims.text("name"))
        .with_custom(custom.map(|(key, value)| (key.as_str(), Some(value))))
        .with_address(claims.text("email"), flag(claims, "xms_edov", trusted), true))
}

/// Facebook's limited login, which tells confirmed addresses only.
pub(super) fn facebook(claims: &Claims<'_>) -> Read {
    Ok(claims
        .own_profile()?
        .with("name", claims.text("name"))
        .with("picture", claims.text("picture"))
        .with_address(claims.text("email"), true, true))
}

/// Kakao, which tells confirmed addresses only.
pub(super) fn kakao(claims: &Claims<'_>) -> Read {
    Ok(claims
        .own_profile()?
        .with_all(&["name", "preferred_username"], claims.text("nickname"))
        .with("picture", claims.text("picture"))
        .with_address(claims.text("email"), true, true))
}

/// `LinkedIn`, which writes its switches as texts.
pub(super) fn linkedin(claims: &Claims<'_>) -> Read {
    let (given, family) = (claims.text("given_name"), claims.text("family_name"));
    let name = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let locale = claims.text("locale");
    Ok(claims
        .own_profile()?
        .with("name", Some(name.trim()))
        .with("given_name", given)
        .with("family_name", family)
        .with("locale", locale)
        .with("picture", claims.text("picture"))
        .with_address(claims.text("email"), flag(claims, "email_verified", false), true))
}

/// Snapchat, which tells confirmed addresses only.
pub(super) fn snapchat(claims: &Claims<'_>) -> Read {
    Ok(claims
        .own_profile()?
        .with("name", claims.text("name"))
        .with("picture", claims.text("picture"))
        .with_address(claims.text("email"), true, true))
}

/// Vercel: the subject is the installation's, the person has a name of their own.
pub(super) fn vercel(claims: &Claims<'_>) -> Read {
    let global = claims.text("global_user_id").filter(|id| !id.is_empty());
    let global = global.map(|id| format!("global_user_id:{id}"));
    Ok(claims
        .profile(global.as_deref().or(claims.text("sub")))?
        .with_provider_id()
        .with("name", claims.text("user_name"))
        .with("picture", claims.text("user_avatar_url"))
        .with_address(claims.text("user_email"), true, true))
}
