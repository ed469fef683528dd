//! `user`

use evident_commands::{Contact, Pretended, UserView};
use evident_domain::{Metadata, Time};
use serde::Serialize;

use super::moment;

/// A ban without end stands with the year 9999 in the tables.
const FOR_EVER: i32 = 9999;

/// An account as its user sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDocument {
    /// What the user is called.
    pub name: String,
    /// The address; empty where there is none.
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
    /// Who.
    pub id: String,
}

impl UserDocument {
    /// Of an account, at a moment: bans end by themselves.
    pub fn of(view: &UserView, now: Time) -> Self {
        let (user, data) = (&view.user, view.user.user_metadata());
        let banned = user.is_banned(now);
        let until = user.banned_until.filter(|until| banned && !is_for_ever(*until));
        Self {
            name: name(&data),
            email: user.email.clone().unwrap_or_default(),
            email_verified: user.email_confirmed_at.is_some(),
            image: image(&data),
            created_at: moment(user.created_at),
            updated_at: moment(user.updated_at),
            two_factor_enabled: user.factors.iter().any(|factor| factor.verified),
            username: None,
            display_username: None,
            is_anonymous: user.is_anonymous,
            phone_number: user.phone.as_ref().map(|phone| format!("+{phone}")),
            phone_number_verified: user.phone.as_ref().map(|_| user.phone_confirmed_at.is_some()),
            role: "user".to_owned(),
            banned,
            ban_reason: user.ban_reason.clone().filter(|_| banned),
            ban_expires: until.map(moment),
            id: user.id.to_string(),
        }
    }

    /// Of an account that is not made, so that nobody sees that the address is known.
    pub fn pretended(pretended: &Pretended) -> Self {
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
            username: None,
            display_username: None,
            is_anonymous: false,
            phone_number: None,
            phone_number_verified: None,
            role: "user".to_owned(),
            banned: false,
            ban_reason: None,
            ban_expires: None,
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

fn is_for_ever(until: Time) -> bool {
    use chrono::Datelike as _;
    until.year() >= FOR_EVER
}
