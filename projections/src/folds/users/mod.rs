//! `users`: all that a user's document shows. No password hash and no token hash.

mod change;
mod factors;
mod row;

pub(super) use change::json_text;
pub use factors::{FactorRow, PasskeyRow};
pub use row::{SEARCHED_CHARACTERS, UserRow, searchable};

use evident_domain::session::SessionEvent;
use evident_domain::user::UserEvent;
use evident_domain::{Event, Recorded};
use evident_eventstore::{DatabaseError, Row, Table, Value};

use super::{flag, int, json, stream_key, text};
use crate::fold::{Fold, Tally};

/// Stretches of time in which users are counted, coarse to fine: 2^level microseconds are 12.7 days,
/// 4.8 hours, 4.5 minutes, 4.2 seconds. A stretch holds 64 of the next, so a list finds its n-th user in a
/// few hundred counters at most.
pub const COUNT_LEVELS: [u32; 4] = [40, 34, 28, 22];

/// What is counted besides, under levels of their own: for how many users a column holds something, or is true.
/// Lists take from here how many there are of whom there may be a few, or nearly all.
pub const COUNTED_COLUMNS: [(i64, &str); 4] =
    [(-1, "email_confirmed_at"), (-2, "phone_confirmed_at"), (-3, "two_factor"), (-4, "is_anonymous")];

const COUNTS: Table =
    Table::new("user_counts", &[text("bucket"), text("aud"), int("level"), int("start"), int("users")]);

impl Fold for UserRow {
    const NAME: &'static str = "users";
    const VERSION: u32 = 3;
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
            json("factors"),
            json("passkeys"),
            text("admin_roles"),
            text("username"),
            text("display_username"),
            text("name"),
            flag("mail_factor"),
            flag("two_factor"),
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
                | UserEvent::EmailAdopted { .. }
                | UserEvent::PhoneRemoved {}
                | UserEvent::Reclaimed {}
                | UserEvent::OneTimeTokenIssued { .. }
                | UserEvent::OneTimeTokenRedeemed { .. }
                | UserEvent::PasswordChanged { .. }
                | UserEvent::PasswordRehashed { .. }
                | UserEvent::PasswordRemoved {}
                | UserEvent::PasswordWithheld {}
                | UserEvent::PasswordProven {}
                | UserEvent::MetadataChanged { .. }
                | UserEvent::AppMetadataChanged { .. }
                | UserEvent::RoleChanged { .. }
                | UserEvent::Banned { .. }
                | UserEvent::Unbanned {}
                | UserEvent::FactorEnrolled { .. }
                | UserEvent::FactorChallenged { .. }
                | UserEvent::FactorVerified { .. }
                | UserEvent::FactorRenamed { .. }
                | UserEvent::FactorPhoneChanged { .. }
                | UserEvent::FactorRemoved { .. }
                | UserEvent::PasskeyAdded { .. }
                | UserEvent::PasskeyUsed { .. }
                | UserEvent::PasskeyRenamed { .. }
                | UserEvent::PasskeyRemoved { .. }
                | UserEvent::AdminRolesChanged { .. }
                | UserEvent::UsernameChanged { .. }
                | UserEvent::MailFactorEnabled {}
                | UserEvent::TwoFactorDisabled {}
                | UserEvent::Deleted { .. }
                | UserEvent::Erased {} => stream_key(event),
                UserEvent::OneTimeTokenMissed { .. }
                | UserEvent::FactorChallengeMissed { .. }
                | UserEvent::BackupCodesIssued { .. }
                | UserEvent::SecondStepBegun { .. }
                | UserEvent::SecondStepCodeSent { .. }
                | UserEvent::SecondStepMissed { .. }
                | UserEvent::SecondStepExhausted { .. }
                | UserEvent::SecondStepTaken { .. }
                | UserEvent::ProviderTokensKept { .. }
                | UserEvent::DeviceTrusted { .. }
                | UserEvent::IdentityLinked { .. }
                | UserEvent::IdentityUpdated { .. }
                | UserEvent::IdentityUnlinked { .. } => Vec::new(),
            },
            Event::Session(session_event) => match session_event {
                SessionEvent::Started { user, .. } => vec![user.to_string()],
                SessionEvent::Refreshed { .. }
                | SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedUp { .. }
                | SessionEvent::SteppedDown { .. }
                | SessionEvent::Extended { .. }
                | SessionEvent::ActiveOrganizationChanged { .. }
                | SessionEvent::ActiveTeamChanged { .. }
                | SessionEvent::FieldsChanged { .. }
                | SessionEvent::Revoked { .. } => Vec::new(),
            },
            Event::Organization(_)
            | Event::SsoProvider(_)
            | Event::Flow(_)
            | Event::Recipient(_)
            | Event::Provider(_)
            | Event::Client(_)
            | Event::Authorization(_)
            | Event::Consent(_)
            | Event::Hold(_)
            | Event::Audit(_)
            | Event::Log(_)
            | Event::Attempt(_)
            | Event::Dropped(_) => Vec::new(),
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
                | SessionEvent::SteppedDown { .. }
                | SessionEvent::Extended { .. }
                | SessionEvent::ActiveOrganizationChanged { .. }
                | SessionEvent::ActiveTeamChanged { .. }
                | SessionEvent::FieldsChanged { .. }
                | SessionEvent::Revoked { .. },
            )
            | Event::Organization(_)
            | Event::SsoProvider(_)
            | Event::Flow(_)
            | Event::Recipient(_)
            | Event::Provider(_)
            | Event::Client(_)
            | Event::Authorization(_)
            | Event::Consent(_)
            | Event::Hold(_)
            | Event::Audit(_)
            | Event::Log(_)
            | Event::Attempt(_)
            | Event::Dropped(_) => group,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        vec![self.to_row()]
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
    let stretches = COUNT_LEVELS.iter().map(|level| (i64::from(*level), created_at >> level << level));
    let counted = COUNTED_COLUMNS.iter().filter(|(_, name)| match value(name) {
        None | Some(Value::Null) => false,
        // A truth value, in the form of either database.
        Some(Value::Bool(truth)) => *truth,
        Some(Value::Int(number)) => *number != 0,
        Some(Value::Text(_) | Value::Bytes(_)) => true,
    });
    stretches
        .chain(counted.map(|(level, _)| (*level, 0)))
        .map(|(level, start)| {
            let bucket = format!("{level}:{start}:{aud}");
            vec![bucket.into(), aud.into(), level.into(), start.into()]
        })
        .collect()
}
