//! `user`

use evident_commands::{Contact, NameChange, Pretended, UserRow, UserView};
use evident_domain::{Metadata, Time};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::app::App;
use super::super::own_fields;
use super::moment;

/// A ban without end stands with the year 9999 in the tables.
const FOR_EVER: i32 = 9999;

/// An account as its user sees it.
#[expect(clippy::struct_excessive_bools, reason = "the protocol has them so")]
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDocument {
    /// What the user is called.
    pub name: String,
    /// The address; one that nobody can write to where there is none.
    pub email: String,
    /// Whether it is known to be the user's.
    pub email_verified: bool,
    /// A picture.
    pub image: Option<String>,
    /// When the account came to be.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Whether a second factor is asked for.
    pub two_factor_enabled: bool,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The same, as its user wrote it.
    pub display_username: Option<String>,
    /// Whether nobody is known behind it.
    pub is_anonymous: bool,
    /// The number.
    pub phone_number: Option<String>,
    /// Whether it is known to be the user's.
    pub phone_number_verified: Option<bool>,
    /// Roles, parted by commas.
    pub role: String,
    /// Whether the user is kept out.
    pub banned: bool,
    /// Why.
    pub ban_reason: Option<String>,
    /// Until when; none: for ever.
    pub ban_expires: Option<String>,
    /// What the owner added.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// Who.
    pub id: String,
}

impl UserDocument {
    /// Of an account, as it is now: bans end by themselves.
    pub fn of(app: &App, view: &UserView) -> Self {
        let (user, data, now) = (&view.user, view.user.user_metadata(), app.now());
        let banned = user.is_banned(now);
        let until = user.banned_until.filter(|until| banned && !is_for_ever(*until));
        Self {
            name: name(&data),
            email: email(app, user),
            email_verified: user.email_confirmed_at.is_some(),
            image: image(&data),
            created_at: moment(user.created_at),
            updated_at: moment(user.updated_at),
            two_factor_enabled: user.two_factor,
            username: user.username.clone(),
            display_username: user.display_username.clone(),
            is_anonymous: user.is_anonymous,
            phone_number: user.phone.as_ref().map(|phone| format!("+{phone}")),
            phone_number_verified: user.phone.as_ref().map(|_| user.phone_confirmed_at.is_some()),
            role: app.commands().admin_roles_of(user).to_string(),
            banned,
            ban_reason: user.ban_reason.clone().filter(|_| banned),
            ban_expires: until.map(moment),
            fields: own_fields::of_account(&app.settings().plugins.user_fields, &data, &user.app_metadata()),
            id: user.id.to_string(),
        }
    }

    /// Of an account that is not made, so that nobody sees that the address is known.
    pub fn pretended(app: &App, pretended: &Pretended, names: &NameChange) -> Self {
        let email = match &pretended.contact {
            Contact::Email(email) => email.to_string(),
            Contact::Phone(_) => String::new(),
        };
        let now = moment(pretended.now);
        Self {
            name: name(&pretended.data),
            email,
            email_verified: false,
            image: image(&pretended.data),
            created_at: now.clone(),
            updated_at: now,
            two_factor_enabled: false,
            username: names.username.as_ref().map(|name| name.as_str().to_owned()),
            display_username: names.display_username.clone(),
            is_anonymous: false,
            phone_number: None,
            phone_number_verified: None,
            role: app.settings().plugins.administration.default_role.clone(),
            banned: false,
            ban_reason: None,
            ban_expires: None,
            fields: own_fields::of_account(
                &app.settings().plugins.user_fields,
                &pretended.data,
                &Metadata::default(),
            ),
            id: pretended.id.to_string(),
        }
    }
}

/// What a user is called, by whichever protocol they said it.
pub(super) fn name(data: &Metadata) -> String {
    ["name", "full_name"].into_iter().find_map(|key| data.text(key)).unwrap_or_default().to_owned()
}

/// A picture, by whichever protocol it came.
pub(super) fn image(data: &Metadata) -> Option<String> {
    ["image", "avatar_url", "picture"].into_iter().find_map(|key| data.text(key)).map(str::to_owned)
}

/// The address. Clients expect one of everybody, so who has none shows one that nobody can write to; it is
/// stored nowhere, and nobody signs in by it.
fn email(app: &App, user: &UserRow) -> String {
    let settings = &app.settings().plugins.anonymous;
    match (&user.email, &user.phone, &settings.email_domain) {
        (Some(email), _, _) => email.clone(),
        (None, Some(phone), _) => format!("{phone}@{}", settings.phone_email_domain),
        (None, None, Some(domain)) => format!("temp-{}@{domain}", user.id.0.simple()),
        (None, None, None) => format!("temp@{}.com", user.id.0.simple()),
    }
}

fn is_for_ever(until: Time) -> bool {
    use chrono::Datelike as _;
    until.year() >= FOR_EVER
}
