//! How the answers of the built-in providers read: one function each, from what the provider documents.

use serde_json::{Map, Value};

use super::description::Told;
use super::profile::{Profile, ProfileError};

type Read = Result<Profile, ProfileError>;

/// A text in an answer, by JSON pointer (RFC 6901).
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// An id that is a number or a text.
fn id(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::Number(number) => Some(number.to_string()).filter(|id| id != "0"),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    let names = [first, last].into_iter().flatten().map(str::trim).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(" ")
}

impl<'a> Told<'a> {
    fn answer(&self, at: usize) -> &'a Value {
        self.answers.get(at).unwrap_or(&Value::Null)
    }

    fn profile(&self, subject: Option<&str>) -> Read {
        Ok(Profile::new(self.api, subject)?.with_provider_id())
    }
}

const NAME: &[&str] = &["name", "full_name"];
const PICTURE: &[&str] = &["picture", "avatar_url"];

/// Bitbucket: `/user` and `/user/emails`.
pub(super) fn bitbucket(told: &Told<'_>) -> Read {
    let (user, emails) = (told.answer(0), told.answer(1));
    let avatar = text(user, "/avatar/href").or_else(|| text(user, "/links/avatar/href"));
    let mut profile = told
        .profile(text(user, "/uuid"))?
        .with_all(NAME, text(user, "/display_name"))
        .with_all(PICTURE, avatar);
    for email in emails.pointer("/values").and_then(Value::as_array).into_iter().flatten() {
        let (verified, primary) = (flag(email, "/is_confirmed"), flag(email, "/is_primary"));
        profile = profile.with_address(text(email, "/email"), verified, primary);
    }
    Ok(profile)
}

/// Discord: `/users/@me`.
pub(super) fn discord(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let (name, discriminator) =
        (text(user, "/username").unwrap_or_default(), text(user, "/discriminator").unwrap_or("0"));
    let subject = text(user, "/id");
    let avatar = match (text(user, "/avatar").filter(|avatar| !avatar.is_empty()), subject) {
        (Some(avatar), Some(subject)) => {
            let extension = if avatar.starts_with("a_") { "gif" } else { "png" };
            format!("https://cdn.discordapp.com/avatars/{subject}/{avatar}.{extension}")
        }
        _ => {
            let number = discriminator.parse::<u32>().unwrap_or(0) % 5;
            format!("https://cdn.discordapp.com/embed/avatars/{number}.png")
        }
    };
    Ok(told
        .profile(subject)?
        .with("name", Some(&format!("{name}#{discriminator}")))
        .with("full_name", Some(name))
        .with_all(PICTURE, Some(&avatar))
        .with_custom([("global_name", user.pointer("/global_name"))])
        .with_address(text(user, "/email"), flag(user, "/verified"), true))
}

/// Facebook: `/me`. It tells only addresses that were confirmed.
pub(super) fn facebook(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let name = full_name(text(user, "/first_name"), text(user, "/last_name"));
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, Some(&name))
        .with_all(&["nickname", "slug"], text(user, "/name"))
        .with_all(PICTURE, text(user, "/picture/data/url"))
        .with_address(text(user, "/email"), true, true))
}

/// Figma: `/v1/me`. Accounts there have a confirmed address.
pub(super) fn figma(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    Ok(told
        .profile(id(user, "/id").as_deref())?
        .with_all(NAME, text(user, "/handle"))
        .with("avatar_url", text(user, "/img_url"))
        .with_address(text(user, "/email"), true, true))
}

/// Fly.io: `/oauth/token/info`.
pub(super) fn fly(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let custom = ["resource_owner_id", "organizations", "application", "scope", "created_at"];
    Ok(told
        .profile(text(user, "/user_id"))?
        .with("full_name", text(user, "/user_name"))
        .with_custom(custom.map(|key| (key, user.get(key))))
        .with_address(text(user, "/email"), true, true))
}

/// GitHub: `/user` and `/user/emails`. What `/user` says of an address is not proven.
pub(super) fn github(told: &Told<'_>) -> Read {
    let (user, emails) = (told.answer(0), told.answer(1));
    let mut profile = told
        .profile(id(user, "/id").as_deref())?
        .with_all(NAME, text(user, "/name"))
        .with_all(&["preferred_username", "user_name"], text(user, "/login"))
        .with("avatar_url", text(user, "/avatar_url"));
    for email in emails.as_array().into_iter().flatten() {
        let (verified, primary) = (flag(email, "/verified"), flag(email, "/primary"));
        profile = profile.with_address(text(email, "/email"), verified, primary);
    }
    Ok(profile)
}

/// GitLab: `/api/v4/user` and `/api/v4/user/emails`. Of further addresses it does not say whether they
/// were confirmed.
pub(super) fn gitlab(told: &Told<'_>) -> Read {
    let (user, emails) = (told.answer(0), told.answer(1));
    let mut profile = told
        .profile(id(user, "/id").as_deref())?
        .with_all(NAME, text(user, "/name"))
        .with_all(PICTURE, text(user, "/avatar_url"));
    for email in emails.as_array().into_iter().flatten() {
        profile = profile.with_address(text(email, "/email"), false, false);
    }
    let confirmed = text(user, "/confirmed_at").is_some_and(|at| !at.is_empty());
    Ok(profile.with_address(text(user, "/email"), confirmed, true))
}

/// Kakao: `/v2/user/me`.
pub(super) fn kakao(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let account = user.pointer("/kakao_account").unwrap_or(&Value::Null);
    let verified = flag(account, "/is_email_verified") && flag(account, "/is_email_valid");
    Ok(told
        .profile(id(user, "/id").as_deref())?
        .with_all(
            &["name", "full_name", "preferred_username", "user_name"],
            text(account, "/profile/nickname"),
        )
        .with("avatar_url", text(account, "/profile/profile_image_url"))
        .with_address(text(account, "/email"), verified, true))
}

/// Keycloak: the userinfo endpoint (OpenID Connect Core, section 5.3). What a realm adds is kept apart.
pub(super) fn keycloak(told: &Told<'_>) -> Read {
    const STANDARD: &[&str] = &[
        "sub",
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "email_verified",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
        "updated_at",
        "custom_claims",
    ];
    let user = told.answer(0);
    let none = Map::new();
    let own = user.as_object().unwrap_or(&none);
    let custom = user.get("custom_claims").and_then(Value::as_object).unwrap_or(&none);
    let added = own.iter().filter(|(key, _)| !STANDARD.contains(&key.as_str())).chain(custom);
    Ok(told
        .profile(text(user, "/sub"))?
        .with_all(NAME, text(user, "/name"))
        .with_custom(added.map(|(key, value)| (key.as_str(), Some(value))))
        .with_address(text(user, "/email"), flag(user, "/email_verified"), true))
}

/// `LinkedIn`'s older interface: `/v2/me` and `/v2/emailAddress`, which tells the primary address, a
/// confirmed one.
pub(super) fn linkedin(told: &Told<'_>) -> Read {
    let (user, emails) = (told.answer(0), told.answer(1));
    let localized = |name: &str| {
        let name = user.get(name)?;
        let locale = format!(
            "{}_{}",
            text(name, "/preferredLocale/language")?,
            text(name, "/preferredLocale/country")?
        );
        name.get("localized")?.get(locale)?.as_str()
    };
    let name = full_name(localized("firstName"), localized("lastName"));
    let picture = text(user, "/profilePicture/displayImage~0/elements/0/identifiers/0/identifier");
    Ok(told.profile(text(user, "/id"))?.with_all(NAME, Some(&name)).with_all(PICTURE, picture).with_address(
        text(emails, "/elements/0/handle~0/emailAddress"),
        true,
        true,
    ))
}

/// Notion: `/v1/users/me`, the owner of the bot that the token belongs to.
pub(super) fn notion(told: &Told<'_>) -> Read {
    let user = told.answer(0).pointer("/bot/owner/user").unwrap_or(&Value::Null);
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, text(user, "/name"))
        .with_all(PICTURE, text(user, "/avatar_url"))
        .with_address(text(user, "/person/email"), true, true))
}

/// Slack: `/openid.connect.userInfo`.
pub(super) fn slack(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let verified = user.get("email_verified").and_then(Value::as_bool).unwrap_or(true);
    let team = "https://slack.com/team_id";
    Ok(told
        .profile(user.get("https://slack.com/user_id").and_then(Value::as_str))?
        .with_all(NAME, text(user, "/name"))
        .with_all(PICTURE, text(user, "/picture"))
        .with_custom([(team, user.get(team))])
        .with_address(text(user, "/email"), verified, true))
}

/// Snapchat: `/v1/me`.
pub(super) fn snapchat(told: &Told<'_>) -> Read {
    let me = told.answer(0).pointer("/data/me").unwrap_or(&Value::Null);
    let issuer = "https://accounts.snapchat.com/accounts/oauth2/token";
    Ok(Profile::new(issuer, text(me, "/externalId"))?
        .with_provider_id()
        .with_all(&["name", "full_name", "slug"], text(me, "/displayName"))
        .with_all(PICTURE, text(me, "/bitmoji/avatar"))
        .with_address(text(me, "/email"), true, true))
}

/// Spotify: `/v1/me`. It says itself that its addresses are unverified.
pub(super) fn spotify(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, text(user, "/display_name"))
        .with_all(PICTURE, text(user, "/images/0/url"))
        .with_address(text(user, "/email"), false, true))
}

/// Twitch: `/helix/users`, which tells verified addresses only.
pub(super) fn twitch(told: &Told<'_>) -> Read {
    let user = told.answer(0).pointer("/data/0").unwrap_or(&Value::Null);
    let custom = ["broadcaster_type", "description", "type", "offline_image_url", "view_count"];
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, text(user, "/login"))
        .with_all(&["nickname", "slug"], text(user, "/display_name"))
        .with_all(PICTURE, text(user, "/profile_image_url"))
        .with_custom(custom.map(|key| (key, user.get(key))))
        .with_address(text(user, "/email"), true, true))
}

/// Twitter: `account/verify_credentials`, which tells confirmed addresses only.
pub(super) fn twitter(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    Ok(told
        .profile(text(user, "/id_str"))?
        .with_all(NAME, text(user, "/name"))
        .with_all(&["preferred_username", "user_name"], text(user, "/screen_name"))
        .with_all(PICTURE, text(user, "/profile_image_url_https"))
        .with_address(text(user, "/email"), true, true))
}

/// `WorkOS`: the profile that comes with the access token.
pub(super) fn workos(told: &Told<'_>) -> Read {
    let user = told.token.get("profile").unwrap_or(&Value::Null);
    let name = full_name(text(user, "/first_name"), text(user, "/last_name"));
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, Some(&name))
        .with_custom(["connection_id", "organization_id"].map(|key| (key, user.get(key))))
        .with_address(text(user, "/email"), true, true))
}

/// X: `/2/users/me`, which tells confirmed addresses only.
pub(super) fn x(told: &Told<'_>) -> Read {
    let user = told.answer(0).get("data").unwrap_or(&Value::Null);
    let username = text(user, "/username");
    let page = username.map(|name| format!("https://x.com/{name}"));
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, text(user, "/name"))
        .with_all(&["preferred_username", "user_name"], username)
        .with_all(PICTURE, text(user, "/profile_image_url"))
        .with("profile", page.as_deref())
        .with("website", text(user, "/url"))
        .with_custom([("created_at", user.get("created_at"))])
        .with_address(text(user, "/confirmed_email"), true, true))
}

/// Zoom: `/v2/users/me`. Who signs in there with a password (login type 100) has a confirmed address only
/// if it says so.
pub(super) fn zoom(told: &Told<'_>) -> Read {
    let user = told.answer(0);
    let by_password = id(user, "/login_type").as_deref() == Some("100");
    let confirmed = user.get("verified").and_then(Value::as_i64).is_some_and(|verified| verified != 0);
    let name = full_name(text(user, "/first_name"), text(user, "/last_name"));
    Ok(told
        .profile(text(user, "/id"))?
        .with_all(NAME, Some(&name))
        .with_all(PICTURE, text(user, "/pic_url"))
        .with_address(text(user, "/email"), !by_password || confirmed, true))
}
