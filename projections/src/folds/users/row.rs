//! The row, and how it is read.

use evident_domain::{Metadata, Time, UserId};
use evident_eventstore::{DatabaseError, Row};

use super::factors::{FactorRow, PasskeyRow, list, list_text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// Characters of a name that are searched.
pub const SEARCHED_CHARACTERS: usize = 256;

/// A row of `users`.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub struct UserRow {
    /// Who.
    pub id: UserId,
    /// The audience; may be empty.
    pub aud: String,
    /// The role; may be empty.
    pub role: String,
    /// The address, or what stands in its place after a soft deletion.
    pub email: Option<String>,
    /// Since when the address is known to be the user's.
    pub email_confirmed_at: Option<Time>,
    /// When the last invitation went out.
    pub invited_at: Option<Time>,
    /// The number, or what stands in its place after a soft deletion.
    pub phone: Option<String>,
    /// Since when the number is known to be the user's.
    pub phone_confirmed_at: Option<Time>,
    /// When the last confirmation went out, by mail or text.
    pub confirmation_sent_at: Option<Time>,
    /// When the last recovery mail went out.
    pub recovery_sent_at: Option<Time>,
    /// The address that the user asked for.
    pub new_email: Option<String>,
    /// When its confirmation went out.
    pub email_change_sent_at: Option<Time>,
    /// The number that the user asked for.
    pub new_phone: Option<String>,
    /// When its confirmation went out.
    pub phone_change_sent_at: Option<Time>,
    /// When the last code for a reauthentication went out.
    pub reauthentication_sent_at: Option<Time>,
    /// When the last session began.
    pub last_sign_in_at: Option<Time>,
    /// The application's data: the text of a JSON object.
    pub app_metadata: String,
    /// The user's own data: the text of a JSON object.
    pub user_metadata: String,
    /// When the account came to be.
    pub created_at: Time,
    /// When the row last changed.
    pub updated_at: Time,
    /// Until when the user is kept out, over or not. A ban without end ends with the year 9999.
    pub banned_until: Option<Time>,
    /// Why.
    pub ban_reason: Option<String>,
    /// When the account was closed.
    pub deleted_at: Option<Time>,
    /// Whether nobody is known behind it.
    pub is_anonymous: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// What lists search in: address and full name in lower case, a line each.
    pub search: String,
    /// The second factors, verified or not, oldest first.
    pub factors: Vec<FactorRow>,
    /// The passkeys, oldest first.
    pub passkeys: Vec<PasskeyRow>,
    /// The roles among those who administer users, with commas; none were given: the default ones.
    pub admin_roles: Option<String>,
    /// The name to sign in by, in lower case.
    pub username: Option<String>,
    /// The name to be shown by.
    pub display_username: Option<String>,
    /// `name` of the user's own data, as lists search and sort it.
    pub name: String,
    /// Whether codes by mail are a second factor of the account.
    pub mail_factor: bool,
    /// Whether any second factor protects the account.
    pub two_factor: bool,
}

/// A text as lists search it: in lower case, in one line, of bounded length.
pub fn searchable(text: &str) -> String {
    text.chars()
        .take(SEARCHED_CHARACTERS)
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl UserRow {
    /// Whether the user is kept out at a moment.
    pub fn is_banned(&self, now: Time) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// The user's own data as an object.
    pub fn user_metadata(&self) -> Metadata {
        serde_json::from_str(&self.user_metadata).unwrap_or_default()
    }

    /// The application's data as an object.
    pub fn app_metadata(&self) -> Metadata {
        serde_json::from_str(&self.app_metadata).unwrap_or_default()
    }

    /// Reads a row of `users`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            aud: cells.text()?,
            role: cells.text()?,
            email: cells.maybe_text()?,
            email_confirmed_at: cells.maybe_time()?,
            invited_at: cells.maybe_time()?,
            phone: cells.maybe_text()?,
            phone_confirmed_at: cells.maybe_time()?,
            confirmation_sent_at: cells.maybe_time()?,
            recovery_sent_at: cells.maybe_time()?,
            new_email: cells.maybe_text()?,
            email_change_sent_at: cells.maybe_time()?,
            new_phone: cells.maybe_text()?,
            phone_change_sent_at: cells.maybe_time()?,
            reauthentication_sent_at: cells.maybe_time()?,
            last_sign_in_at: cells.maybe_time()?,
            app_metadata: cells.text()?,
            user_metadata: cells.text()?,
            created_at: cells.time()?,
            updated_at: cells.time()?,
            banned_until: cells.maybe_time()?,
            ban_reason: cells.maybe_text()?,
            deleted_at: cells.maybe_time()?,
            is_anonymous: cells.flag()?,
            has_password: cells.flag()?,
            search: cells.text()?,
            factors: cells.parsed(list)?,
            passkeys: cells.parsed(list)?,
            admin_roles: cells.maybe_text()?,
            username: cells.maybe_text()?,
            display_username: cells.maybe_text()?,
            name: cells.text()?,
            mail_factor: cells.flag()?,
            two_factor: cells.flag()?,
        })
    }

    /// The row as it stands in the table.
    pub(super) fn to_row(&self) -> Row {
        vec![
            self.id.to_string().into(),
            cells::text(&self.aud),
            cells::text(&self.role),
            cells::maybe_text(self.email.as_deref()),
            cells::maybe_time(self.email_confirmed_at),
            cells::maybe_time(self.invited_at),
            cells::maybe_text(self.phone.as_deref()),
            cells::maybe_time(self.phone_confirmed_at),
            cells::maybe_time(self.confirmation_sent_at),
            cells::maybe_time(self.recovery_sent_at),
            cells::maybe_text(self.new_email.as_deref()),
            cells::maybe_time(self.email_change_sent_at),
            cells::maybe_text(self.new_phone.as_deref()),
            cells::maybe_time(self.phone_change_sent_at),
            cells::maybe_time(self.reauthentication_sent_at),
            cells::maybe_time(self.last_sign_in_at),
            cells::text(&self.app_metadata),
            cells::text(&self.user_metadata),
            cells::time(self.created_at),
            cells::time(self.updated_at),
            cells::maybe_time(self.banned_until),
            cells::maybe_text(self.ban_reason.as_deref()),
            cells::maybe_time(self.deleted_at),
            self.is_anonymous.into(),
            self.has_password.into(),
            cells::text(&self.search),
            list_text(&self.factors),
            list_text(&self.passkeys),
            cells::maybe_text(self.admin_roles.as_deref()),
            cells::maybe_text(self.username.as_deref()),
            cells::maybe_text(self.display_username.as_deref()),
            cells::text(&self.name),
            self.mail_factor.into(),
            self.two_factor.into(),
        ]
    }
}
