//! `users`: all that a user's document shows. No password hash and no token hash.

use chrono::DateTime;
use evident_domain::session::SessionEvent;
use evident_domain::user::{SignUpMethod, TokenPurpose, UserEvent};
use evident_domain::{Actor, Event, Metadata, Personal, Recorded, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table, Value};

use super::{flag, int, json, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::{Fold, Tally};

/// Stretches of time in which users are counted, coarse to fine: 2^level microseconds are 12.7 days,
/// 18 minutes, 1 second. So a list finds its n-th user in a few hundred index entries.
pub const COUNT_LEVELS: [u32; 3] = [40, 30, 20];

/// Characters of a name that are searched.
pub const SEARCHED_CHARACTERS: usize = 256;

/// The end of a ban without end: the last second of the year 9999, as far as RFC 3339 goes.
const FOR_EVER: i64 = 253_402_300_799_000_000;

const COUNTS: Table =
    Table::new("user_counts", &[text("bucket"), text("aud"), int("level"), int("start"), int("users")]);

/// A row of `users`.
#[derive(Debug, Clone, PartialEq)]
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
        })
    }

    /// A row for an event that begins an account.
    fn new(event: &Recorded, signed_up: &UserEvent) -> Option<Self> {
        let UserEvent::SignedUp {
            method,
            aud,
            role,
            email,
            phone,
            password,
            user_metadata,
            app_metadata,
            anonymous,
        } = signed_up
        else {
            return None;
        };
        let at = event.occurred_at;
        let mut row = Self {
            id: UserId(event.stream.id),
            aud: aud.clone(),
            role: role.clone(),
            email: email.as_ref().and_then(Personal::known).map(ToString::to_string),
            email_confirmed_at: None,
            invited_at: (*method == SignUpMethod::Invited).then_some(at),
            phone: phone.as_ref().and_then(Personal::known).map(ToString::to_string),
            phone_confirmed_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            new_email: None,
            email_change_sent_at: None,
            new_phone: None,
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata: json_text(app_metadata.known()),
            user_metadata: json_text(user_metadata.known()),
            created_at: at,
            updated_at: at,
            banned_until: None,
            ban_reason: None,
            deleted_at: None,
            is_anonymous: *anonymous,
            has_password: password.is_some(),
            search: String::new(),
        };
        row.index();
        Some(row)
    }

    /// Renews what lists search in.
    fn index(&mut self) {
        let email = searchable(self.email.as_deref().unwrap_or_default());
        let name = searchable(self.user_metadata().text("full_name").unwrap_or_default());
        self.search = format!("{email}\n{name}");
    }

    /// Takes in an event of the user's own stream that follows the first.
    fn follow(&mut self, event: &UserEvent, at: Time, actor: &Actor) {
        match event {
            UserEvent::EmailConfirmed {} => {
                // An administrator confirms anew; whoever proves a changed address stays confirmed.
                let anew = match actor {
                    Actor::Admin { .. } | Actor::Operator => true,
                    Actor::User { .. } | Actor::Visitor | Actor::System => false,
                };
                if anew || self.email_confirmed_at.is_none() {
                    self.email_confirmed_at = Some(at);
                }
                self.is_anonymous &= self.email.is_none();
            }
            UserEvent::PhoneConfirmed {} => {
                self.phone_confirmed_at = Some(at);
                self.is_anonymous &= self.phone.is_none();
            }
            UserEvent::EmailChangeRequested { new_email } => {
                self.new_email = new_email.known().map(ToString::to_string);
            }
            UserEvent::EmailChanged { email } => {
                self.email = email.known().map(ToString::to_string);
                self.new_email = None;
                self.index();
            }
            UserEvent::PhoneChangeRequested { new_phone } => {
                self.new_phone = new_phone.known().map(ToString::to_string);
            }
            UserEvent::PhoneChanged { phone } => {
                self.phone = phone.known().map(ToString::to_string);
                self.new_phone = None;
            }
            UserEvent::OneTimeTokenIssued { purpose, sent_at, .. } => self.sent(*purpose, *sent_at),
            UserEvent::PasswordChanged { .. } => {
                self.has_password = true;
                self.confirmation_sent_at = None;
                self.recovery_sent_at = None;
                self.email_change_sent_at = None;
                self.phone_change_sent_at = None;
                self.reauthentication_sent_at = None;
            }
            UserEvent::PasswordRehashed { .. } => self.has_password = true,
            UserEvent::MetadataChanged { patch } => {
                self.user_metadata = patched(&self.user_metadata, patch.known());
                self.index();
            }
            UserEvent::AppMetadataChanged { patch } => {
                self.app_metadata = patched(&self.app_metadata, patch.known());
            }
            UserEvent::RoleChanged { role } => self.role.clone_from(role),
            UserEvent::Banned { until, reason } => {
                self.banned_until = until.or_else(|| DateTime::from_timestamp_micros(FOR_EVER));
                self.ban_reason = reason.as_ref().and_then(Personal::known).cloned();
            }
            UserEvent::Unbanned {} => {
                self.banned_until = None;
                self.ban_reason = None;
            }
            UserEvent::Deleted { email_digest, phone_digest, .. } => {
                // When things were confirmed and sent, the role and the last sign-in stay.
                let filled = |digest: &String| (!digest.is_empty()).then(|| digest.clone());
                self.email = filled(email_digest);
                self.phone = filled(phone_digest);
                self.new_email = None;
                self.new_phone = None;
                self.ban_reason = None;
                self.has_password = false;
                self.app_metadata = json_text(None);
                self.user_metadata = json_text(None);
                self.deleted_at = Some(at);
                self.index();
            }
            // Their tokens are no column.
            UserEvent::OneTimeTokenRedeemed { .. } => {}
            // These two end or begin a row, and the rest touches no user.
            UserEvent::SignedUp { .. }
            | UserEvent::Erased {}
            | UserEvent::OneTimeTokenMissed { .. }
            | UserEvent::IdentityLinked { .. }
            | UserEvent::IdentityUpdated { .. }
            | UserEvent::IdentityUnlinked { .. } => return,
        }
        self.updated_at = at;
    }

    fn sent(&mut self, purpose: TokenPurpose, at: Time) {
        match purpose {
            TokenPurpose::EmailConfirmation | TokenPurpose::PhoneConfirmation => {
                self.confirmation_sent_at = Some(at);
            }
            TokenPurpose::Invitation => {
                self.invited_at = Some(at);
                self.confirmation_sent_at = Some(at);
            }
            TokenPurpose::Recovery => self.recovery_sent_at = Some(at),
            TokenPurpose::EmailChangeNew | TokenPurpose::EmailChangeCurrent => {
                self.email_change_sent_at = Some(at);
            }
            TokenPurpose::PhoneChange => self.phone_change_sent_at = Some(at),
            TokenPurpose::Reauthentication => self.reauthentication_sent_at = Some(at),
        }
    }
}

/// The text of a JSON object; `{}` where there is none or it cannot be read.
pub(super) fn json_text(metadata: Option<&Metadata>) -> String {
    metadata.and_then(|metadata| serde_json::to_string(metadata).ok()).unwrap_or_else(|| "{}".to_owned())
}

fn patched(text: &str, patch: Option<&Metadata>) -> String {
    let Some(patch) = patch else { return text.to_owned() };
    let metadata: Metadata = serde_json::from_str(text).unwrap_or_default();
    json_text(Some(&metadata.merged(patch)))
}

impl Fold for UserRow {
    const NAME: &'static str = "users";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "users",
        &[
            text("id"),
            text("aud"),
            text("role"),
            text("email"),
            int("email_confirmed_at"),
            int("invited_at"),
            text("phone"),
            int("phone_confirmed_at"),
            int("confirmation_sent_at"),
            int("recovery_sent_at"),
            text("new_email"),
            int("email_change_sent_at"),
            text("new_phone"),
            int("phone_change_sent_at"),
            int("reauthentication_sent_at"),
            int("last_sign_in_at"),
            json("app_metadata"),
            json("user_metadata"),
            int("created_at"),
            int("updated_at"),
            int("banned_until"),
            text("ban_reason"),
            int("deleted_at"),
            flag("is_anonymous"),
            flag("has_password"),
            text("search"),
        ],
    );
    const GROUP: &'static str = "id";
    const TALLY: Option<Tally> = Some(Tally { table: COUNTS, of: counters });

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::User(user_event) => match user_event {
                UserEvent::SignedUp { .. }
                | UserEvent::EmailConfirmed {}
                | UserEvent::PhoneConfirmed {}
                | UserEvent::EmailChangeRequested { .. }
                | UserEvent::EmailChanged { .. }
                | UserEvent::PhoneChangeRequested { .. }
                | UserEvent::PhoneChanged { .. }
                | UserEvent::OneTimeTokenIssued { .. }
                | UserEvent::OneTimeTokenRedeemed { .. }
                | UserEvent::PasswordChanged { .. }
                | UserEvent::PasswordRehashed { .. }
                | UserEvent::MetadataChanged { .. }
                | UserEvent::AppMetadataChanged { .. }
                | UserEvent::RoleChanged { .. }
                | UserEvent::Banned { .. }
                | UserEvent::Unbanned {}
                | UserEvent::Deleted { .. }
                | UserEvent::Erased {} => stream_key(event),
                UserEvent::OneTimeTokenMissed { .. }
                | UserEvent::IdentityLinked { .. }
                | UserEvent::IdentityUpdated { .. }
                | UserEvent::IdentityUnlinked { .. } => Vec::new(),
            },
            Event::Session(session_event) => match session_event {
                SessionEvent::Started { user, .. } => vec![user.to_string()],
                SessionEvent::Refreshed { .. }
                | SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedUp { .. }
                | SessionEvent::Revoked { .. } => Vec::new(),
            },
            Event::Attempt(_) => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let at = event.occurred_at;
        match &event.event {
            Event::User(UserEvent::Erased {}) => None,
            Event::User(signed_up @ UserEvent::SignedUp { .. }) => Self::new(event, signed_up),
            Event::User(user_event) => {
                let mut row = group?;
                row.follow(user_event, at, &event.provenance.actor);
                Some(row)
            }
            Event::Session(SessionEvent::Started { started_at, .. }) => {
                let mut row = group?;
                row.last_sign_in_at = Some(*started_at);
                row.updated_at = at;
                Some(row)
            }
            Event::Session(
                SessionEvent::Refreshed { .. }
                | SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedUp { .. }
                | SessionEvent::Revoked { .. },
            )
            | Event::Attempt(_) => group,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        vec![vec![
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
        ]]
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}

/// The counters in which a row of `users` counts.
fn counters(row: &Row) -> Vec<Row> {
    let column = |name| UserRow::TABLE.columns.iter().position(|column| column.name == name);
    let value = |name| column(name).and_then(|at| row.get(at));
    let (Some(aud), Some(created_at)) =
        (value("aud").and_then(Value::as_text), value("created_at").and_then(Value::as_int))
    else {
        return Vec::new();
    };
    COUNT_LEVELS
        .iter()
        .map(|level| {
            let start = created_at >> level << level;
            let bucket = format!("{level}:{start}:{aud}");
            vec![bucket.into(), aud.into(), i64::from(*level).into(), start.into()]
        })
        .collect()
}
