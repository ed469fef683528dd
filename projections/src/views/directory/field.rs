//! The fields by which lists are sorted and narrowed.

use evident_eventstore::Dialect;

use super::DirectoryQuery;
use super::sql::Sql;
use crate::folds::searchable;

/// A field of a user by which lists are sorted and narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    /// The id.
    Id,
    /// `name` of the user's own data, whatever the case.
    Name,
    /// The address.
    Email,
    /// Whether the address is known to be the user's.
    EmailVerified,
    /// When the account came to be.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// Whether a second factor protects it.
    TwoFactorEnabled,
    /// The name to sign in by.
    Username,
    /// The name to be shown by.
    DisplayUsername,
    /// Whether nobody is known behind it.
    IsAnonymous,
    /// The number.
    PhoneNumber,
    /// Whether the number is known to be the user's.
    PhoneNumberVerified,
    /// The roles among those who administer users.
    Role,
    /// Whether the user is kept out.
    Banned,
    /// Why.
    BanReason,
    /// Until when.
    BanExpires,
}

/// How the values of a field stand in the table, and so in which indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A column that holds something for everybody.
    Everybody,
    /// A column that holds something for most; its index has those as well for whom it does not.
    Most,
    /// A column whose index has only those for whom it holds something.
    Some,
    /// True or false.
    Flag,
    /// Roles: most users have the default one, which stands nowhere.
    Role,
}

impl UserField {
    pub(super) const fn standing(self) -> Standing {
        match self {
            Self::Id | Self::Name | Self::CreatedAt | Self::UpdatedAt => Standing::Everybody,
            Self::Email => Standing::Most,
            Self::Username
            | Self::DisplayUsername
            | Self::PhoneNumber
            | Self::BanReason
            | Self::BanExpires => Standing::Some,
            Self::EmailVerified
            | Self::TwoFactorEnabled
            | Self::IsAnonymous
            | Self::PhoneNumberVerified
            | Self::Banned => Standing::Flag,
            Self::Role => Standing::Role,
        }
    }

    pub(super) const fn is_moment(self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt | Self::BanExpires)
    }

    /// The column of `users` from which the field follows.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Email => "email",
            Self::EmailVerified => "email_confirmed_at",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::TwoFactorEnabled => "two_factor",
            Self::Username => "username",
            Self::DisplayUsername => "display_username",
            Self::IsAnonymous => "is_anonymous",
            Self::PhoneNumber => "phone",
            Self::PhoneNumberVerified => "phone_confirmed_at",
            Self::Role => "admin_roles",
            Self::Banned | Self::BanExpires => "banned_until",
            Self::BanReason => "ban_reason",
        }
    }

    /// A text as the field holds it.
    pub(super) fn normalized(self, text: &str) -> String {
        match self {
            Self::Name => searchable(text),
            Self::Email | Self::Username | Self::Id => text.to_lowercase(),
            Self::PhoneNumber => text.strip_prefix('+').unwrap_or(text).to_owned(),
            _ => text.to_owned(),
        }
    }

    /// For whom a flag is set and for whom it is not, written as the indexes have it.
    pub(super) fn flag(self, query: &DirectoryQuery, dialect: Dialect) -> [Sql; 2] {
        let column = self.column();
        if self == Self::Banned {
            let now = || [query.now.timestamp_micros()];
            return [
                Sql::with("(u.banned_until is not null and u.banned_until > ?)", now()),
                Sql::with("(u.banned_until is null or u.banned_until <= ?)", now()),
            ];
        }
        let (set, unset) = match (self, dialect) {
            (Self::TwoFactorEnabled | Self::IsAnonymous, Dialect::Sqlite) => {
                (format!("u.{column} = 1"), format!("u.{column} = 0"))
            }
            (Self::TwoFactorEnabled | Self::IsAnonymous, Dialect::Postgres) => {
                (format!("u.{column}"), format!("not u.{column}"))
            }
            _ => (format!("u.{column} is not null"), format!("u.{column} is null")),
        };
        [Sql::plain(set), Sql::plain(unset)]
    }

    /// What lists are sorted by.
    pub(super) fn key(self, query: &DirectoryQuery, dialect: Dialect) -> Sql {
        match self.standing() {
            Standing::Everybody | Standing::Most | Standing::Some => {
                Sql::plain(format!("u.{}", self.column()))
            }
            Standing::Role => Sql::with("coalesce(u.admin_roles, ?)", [query.default_role.as_str()]),
            Standing::Flag => {
                let [set, _] = self.flag(query, dialect);
                Sql::plain("(").append(&set).then(")")
            }
        }
    }
}
