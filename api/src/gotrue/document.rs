//! The JSON documents of accounts and sessions: keys in the protocol's order, absent where it leaves
//! them out.

use chrono::NaiveDate;
use evident_commands::hooks::NewUser;
use evident_commands::password::Weakness;
use evident_commands::{Contact, FactorRow, Grant, IdentityRow, Pretended, UserView};
use evident_domain::flow::ProviderTokens;
use evident_domain::{IdentityId, Metadata, Time, UserId};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::factor_document::FactorDocument;
use super::time::Rfc3339;

/// The provider and the list of providers of an account that has only one way in.
#[derive(Serialize)]
struct OneProvider<'a> {
    provider: &'a str,
    providers: [&'a str; 1],
}

/// A free-form object: the text of a row, or an object at hand.
#[derive(Serialize)]
#[serde(untagged)]
enum Object<'a> {
    Stored(&'a RawValue),
    Given(&'a Metadata),
    Provider(OneProvider<'a>),
}

impl<'a> Object<'a> {
    /// The text of a row, as it stands there.
    fn stored(text: &'a str) -> Self {
        Self::Stored(serde_json::from_str(text).unwrap_or(RawValue::NULL))
    }
}

/// A user.
#[derive(Serialize)]
pub struct UserDocument<'a> {
    id: UserId,
    aud: &'a str,
    role: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_confirmed_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_at: Option<Rfc3339>,
    phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_confirmed_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_sent_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_sent_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "str::is_empty")]
    new_email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_change_sent_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "str::is_empty")]
    new_phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_change_sent_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reauthentication_sent_at: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<Rfc3339>,
    app_metadata: Object<'a>,
    user_metadata: Object<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "factors")]
    factors: &'a [FactorRow],
    #[serde(serialize_with = "identities")]
    identities: &'a [IdentityRow],
    created_at: Rfc3339,
    updated_at: Rfc3339,
    #[serde(skip_serializing_if = "Option::is_none")]
    banned_until: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Rfc3339>,
    is_anonymous: bool,
}

impl<'a> UserDocument<'a> {
    /// Of an account.
    pub fn of(view: &'a UserView) -> Self {
        let user = &view.user;
        Self {
            id: user.id,
            aud: &user.aud,
            role: &user.role,
            email: text(user.email.as_ref()),
            email_confirmed_at: time(user.email_confirmed_at),
            invited_at: time(user.invited_at),
            phone: text(user.phone.as_ref()),
            phone_confirmed_at: time(user.phone_confirmed_at),
            confirmation_sent_at: time(user.confirmation_sent_at),
            confirmed_at: time(
                [user.email_confirmed_at, user.phone_confirmed_at].into_iter().flatten().min(),
            ),
            recovery_sent_at: time(user.recovery_sent_at),
            new_email: text(user.new_email.as_ref()),
            email_change_sent_at: time(user.email_change_sent_at),
            new_phone: text(user.new_phone.as_ref()),
            phone_change_sent_at: time(user.phone_change_sent_at),
            reauthentication_sent_at: time(user.reauthentication_sent_at),
            last_sign_in_at: time(user.last_sign_in_at),
            app_metadata: Object::stored(&user.app_metadata),
            user_metadata: Object::stored(&user.user_metadata),
            factors: &user.factors,
            identities: &view.identities,
            created_at: Rfc3339(user.created_at),
            updated_at: Rfc3339(user.updated_at),
            banned_until: time(user.banned_until),
            deleted_at: time(user.deleted_at),
            is_anonymous: user.is_anonymous,
        }
    }

    /// Of an account that is about to be made, as hooks know it.
    pub fn unsaved(user: &'a NewUser) -> Self {
        Self {
            id: user.id,
            aud: &user.aud,
            role: "",
            email: &user.email,
            email_confirmed_at: None,
            invited_at: None,
            phone: &user.phone,
            phone_confirmed_at: None,
            confirmation_sent_at: None,
            confirmed_at: None,
            recovery_sent_at: None,
            new_email: "",
            email_change_sent_at: None,
            new_phone: "",
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata: Object::Given(&user.app_metadata),
            user_metadata: Object::Given(&user.user_metadata),
            factors: &[],
            identities: &[],
            created_at: never(),
            updated_at: never(),
            banned_until: None,
            deleted_at: None,
            is_anonymous: user.is_anonymous,
        }
    }

    /// Of an account that is not made because the address is somebody's: the same for everybody, whatever
    /// the account behind the address looks like.
    pub fn pretended(pretended: &'a Pretended) -> Self {
        let (email, phone) = match &pretended.contact {
            Contact::Email(email) => (email.as_str(), ""),
            Contact::Phone(phone) => ("", phone.as_str()),
        };
        let (now, provider) = (Rfc3339(pretended.now), pretended.contact.provider());
        Self {
            id: pretended.id,
            aud: &pretended.aud,
            role: &pretended.role,
            email,
            email_confirmed_at: None,
            invited_at: None,
            phone,
            phone_confirmed_at: None,
            confirmation_sent_at: Some(now),
            confirmed_at: None,
            recovery_sent_at: None,
            new_email: "",
            email_change_sent_at: None,
            new_phone: "",
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata: Object::Provider(OneProvider { provider, providers: [provider] }),
            user_metadata: Object::Given(&pretended.data),
            factors: &[],
            identities: &[],
            created_at: now,
            updated_at: now,
            banned_until: None,
            deleted_at: None,
            is_anonymous: false,
        }
    }
}

/// The moment that stands for none.
fn never() -> Rfc3339 {
    let year_one = NaiveDate::from_ymd_opt(1, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    Rfc3339(year_one.map(|time| time.and_utc()).unwrap_or_default())
}

fn text(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

fn time(time: Option<Time>) -> Option<Rfc3339> {
    time.map(Rfc3339)
}

fn factors<S: Serializer>(rows: &[FactorRow], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(FactorDocument::of))
}

fn identities<S: Serializer>(rows: &[IdentityRow], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(IdentityDocument::of))
}

/// A way in which a user is known to a provider.
#[derive(Serialize)]
struct IdentityDocument<'a> {
    identity_id: IdentityId,
    id: &'a str,
    user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_data: Option<Object<'a>>,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<Rfc3339>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
}

impl<'a> IdentityDocument<'a> {
    fn of(row: &'a IdentityRow) -> Self {
        Self {
            identity_id: row.identity_id,
            id: &row.provider_id,
            user_id: row.user_id,
            identity_data: (row.identity_data != "{}").then(|| Object::stored(&row.identity_data)),
            provider: &row.provider,
            last_sign_in_at: time(row.last_sign_in_at),
            created_at: Rfc3339(row.created_at),
            updated_at: Rfc3339(row.updated_at),
            email: text(row.email.as_ref()),
        }
    }
}

/// What a signed-in client gets.
#[derive(Serialize)]
pub struct SessionDocument<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    expires_at: i64,
    refresh_token: &'a str,
    user: UserDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<Strength<'a>>,
}

/// `null` stands for a password that is strong enough.
#[derive(Serialize)]
#[serde(untagged)]
enum Strength<'a> {
    Enough,
    Weak(WeakPassword<'a>),
}

#[derive(Serialize)]
struct WeakPassword<'a> {
    message: &'a str,
    reasons: Vec<&'static str>,
}

impl<'a> SessionDocument<'a> {
    /// Of a session that was started or refreshed.
    pub fn of(grant: &'a Grant) -> Self {
        Self {
            access_token: &grant.access_token,
            token_type: "bearer",
            expires_in: grant.expires_in,
            expires_at: grant.expires_at,
            refresh_token: grant.refresh_token.expose(),
            user: UserDocument::of(&grant.user.view),
            provider_token: None,
            provider_refresh_token: None,
            weak_password: None,
        }
    }

    /// With what the provider handed out, where the user came by one.
    #[must_use]
    pub fn with_provider(mut self, tokens: Option<&'a ProviderTokens>) -> Self {
        self.provider_token = tokens.map(|tokens| tokens.access_token.as_str());
        self.provider_refresh_token = tokens.and_then(|tokens| tokens.refresh_token.as_deref());
        self
    }

    /// With what today's rules hold against the password; `null` when they hold nothing against it.
    #[must_use]
    pub fn with_weakness(mut self, weakness: Option<&'a Weakness>) -> Self {
        self.weak_password = Some(weakness.map_or(Strength::Enough, |weakness| {
            Strength::Weak(WeakPassword {
                message: &weakness.message,
                reasons: weakness.reasons.iter().map(|reason| reason.as_str()).collect(),
            })
        }));
        self
    }
}

/// A page of accounts.
#[derive(Serialize)]
pub struct UserListDocument<'a> {
    #[serde(serialize_with = "users")]
    users: &'a [UserView],
    aud: &'a str,
}

impl<'a> UserListDocument<'a> {
    /// Of the accounts of an audience.
    pub fn of(users: &'a [UserView], aud: &'a str) -> Self {
        Self { users, aud }
    }
}

fn users<S: Serializer>(views: &[UserView], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(views.iter().map(UserDocument::of))
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
