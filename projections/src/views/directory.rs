//! Lists of users as administrators ask for them: sorted by one field, and narrowed by others.
//!
//! What is asked for are names of fields and comparisons, which stand here; values are bound. Sorting by
//! name, address or creation walks an index, and so does what begins with a text. Filters that hold for
//! nearly everybody (nobody is banned, nobody is an administrator) are counted by those for whom they do not.
//! What merely contains a text is found by an index of pieces on PostgreSQL; SQLite reads through an index
//! that holds all that it looks at.

use std::fmt::Write as _;

use evident_domain::Time;
use evident_eventstore::{Database, DatabaseError, Dialect, Row, Value};

use super::organizations::Comparison;
use super::page::{Direction, PageQuery, UserPage, page};
use super::users::{COLUMNS, gather};
use crate::folds::{COUNT_LEVELS, searchable};

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

/// What users must be to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which field is looked at.
    pub field: UserField,
    /// How.
    pub comparison: Comparison,
    /// With what: one value, or several for [`Comparison::In`] and [`Comparison::NotIn`]. Moments are read
    /// from RFC 3339 or from milliseconds, flags from `true` and `false`; what does not read matches nobody.
    pub values: Vec<String>,
}

/// Which users to list.
#[derive(Debug, Clone)]
pub struct DirectoryQuery {
    /// Of this audience.
    pub aud: String,
    /// For whom all of these hold.
    pub conditions: Vec<Condition>,
    /// By this field; else in the order of their creation.
    pub sort: Option<(UserField, Direction)>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
    /// Bans that ended before count for nothing.
    pub now: Time,
    /// The roles of whom none were given.
    pub default_role: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Moment,
}

impl UserField {
    const fn kind(self) -> Kind {
        match self {
            Self::Id
            | Self::Name
            | Self::Email
            | Self::Username
            | Self::DisplayUsername
            | Self::PhoneNumber
            | Self::Role
            | Self::BanReason => Kind::Text,
            Self::EmailVerified
            | Self::TwoFactorEnabled
            | Self::IsAnonymous
            | Self::PhoneNumberVerified
            | Self::Banned => Kind::Flag,
            Self::CreatedAt | Self::UpdatedAt | Self::BanExpires => Kind::Moment,
        }
    }

    /// A text as the field holds it.
    fn normalized(self, text: &str) -> String {
        match self {
            Self::Name => searchable(text),
            Self::Email | Self::Username | Self::Id => text.to_lowercase(),
            Self::PhoneNumber => text.strip_prefix('+').unwrap_or(text).to_owned(),
            _ => text.to_owned(),
        }
    }
}

/// A statement that grows with its values.
struct Statement {
    dialect: Dialect,
    params: Vec<Value>,
    /// Where the default role and the time stand among the values, once they are needed.
    default_role: Option<usize>,
    now: Option<usize>,
}

impl Statement {
    fn new(query: &DirectoryQuery, dialect: Dialect) -> Self {
        Self { dialect, params: vec![query.aud.as_str().into()], default_role: None, now: None }
    }

    /// Binds a value: `$4`.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    fn default_role(&mut self, query: &DirectoryQuery) -> String {
        let at = *self.default_role.get_or_insert_with(|| {
            self.params.push(query.default_role.as_str().into());
            self.params.len()
        });
        format!("${at}")
    }

    fn now(&mut self, query: &DirectoryQuery) -> String {
        let at = *self.now.get_or_insert_with(|| {
            self.params.push(query.now.timestamp_micros().into());
            self.params.len()
        });
        format!("${at}")
    }

    /// The field as SQL.
    fn field(&mut self, field: UserField, query: &DirectoryQuery) -> String {
        let fixed = match field {
            UserField::Id => "u.id",
            UserField::Name => "u.name",
            UserField::Email => "u.email",
            UserField::EmailVerified => "(u.email_confirmed_at is not null)",
            UserField::CreatedAt => "u.created_at",
            UserField::UpdatedAt => "u.updated_at",
            UserField::TwoFactorEnabled => "u.two_factor",
            UserField::Username => "u.username",
            UserField::DisplayUsername => "u.display_username",
            UserField::IsAnonymous => "u.is_anonymous",
            UserField::PhoneNumber => "u.phone",
            UserField::PhoneNumberVerified => "(u.phone_confirmed_at is not null)",
            UserField::BanReason => "u.ban_reason",
            UserField::BanExpires => "u.banned_until",
            UserField::Role => return format!("coalesce(u.admin_roles, {})", self.default_role(query)),
            UserField::Banned => return format!("coalesce(u.banned_until > {}, false)", self.now(query)),
        };
        fixed.to_owned()
    }
}

/// A condition as SQL.
struct Clause {
    sql: String,
    /// For whom it does not hold, where those are few and stand in an index.
    exceptions: Option<String>,
}

impl From<String> for Clause {
    fn from(sql: String) -> Self {
        Self { sql, exceptions: None }
    }
}

/// The condition as SQL; none where it can hold for nobody.
fn clause(statement: &mut Statement, query: &DirectoryQuery, condition: &Condition) -> Option<Clause> {
    match condition.field.kind() {
        Kind::Flag => flag_clause(statement, query, condition),
        Kind::Moment => {
            let values: Option<Vec<Value>> =
                condition.values.iter().map(|text| moment(text).map(Into::into)).collect();
            compared(statement, query, condition, values?)
        }
        Kind::Text => {
            if condition.values.iter().any(|text| text.contains('\0')) {
                return None;
            }
            text_clause(statement, query, condition)
        }
    }
}

fn flag_clause(statement: &mut Statement, query: &DirectoryQuery, condition: &Condition) -> Option<Clause> {
    let flags: Option<Vec<bool>> = condition.values.iter().map(|text| flag(text)).collect();
    let flags = flags?;
    let wanted = match condition.comparison {
        Comparison::Equal => *flags.first()?,
        Comparison::NotEqual => !flags.first()?,
        Comparison::In | Comparison::NotIn => {
            let within = condition.comparison == Comparison::In;
            let (yes, no) = (flags.contains(&true) == within, flags.contains(&false) == within);
            match (yes, no) {
                (true, true) => return Some("true".to_owned().into()),
                (false, false) => return None,
                (yes, _) => yes,
            }
        }
        _ => return None,
    };
    // Written as the partial indexes have it.
    let (holds, few) = match (condition.field, statement.dialect) {
        (UserField::Banned, _) => {
            let now = statement.now(query);
            (format!("(u.banned_until is not null and u.banned_until > {now})"), true)
        }
        (UserField::TwoFactorEnabled, Dialect::Sqlite) => ("u.two_factor = 1".to_owned(), true),
        (UserField::IsAnonymous, Dialect::Sqlite) => ("u.is_anonymous = 1".to_owned(), true),
        (UserField::TwoFactorEnabled | UserField::IsAnonymous, Dialect::Postgres) => {
            (statement.field(condition.field, query), true)
        }
        (field, _) => (statement.field(field, query), false),
    };
    if wanted {
        return Some(holds.into());
    }
    Some(Clause { sql: format!("not {holds}"), exceptions: few.then_some(holds) })
}

fn text_clause(statement: &mut Statement, query: &DirectoryQuery, condition: &Condition) -> Option<Clause> {
    let field = condition.field;
    let values: Vec<String> = condition.values.iter().map(|text| field.normalized(text)).collect();
    let needle = values.first()?;
    if field == UserField::Role
        && let (Comparison::Equal | Comparison::NotEqual, role) = (condition.comparison, needle)
    {
        return Some(role_clause(statement, query, condition.comparison, role));
    }
    let sql = match condition.comparison {
        Comparison::Contains => {
            let pieces = match (statement.dialect, field) {
                (Dialect::Postgres, UserField::Email) if needle.chars().count() >= 3 => Some("u.search"),
                (Dialect::Postgres, UserField::Name) if needle.chars().count() >= 3 => Some("u.name"),
                (Dialect::Postgres | Dialect::Sqlite, _) => None,
            };
            let (expression, bound) = (statement.field(field, query), statement.bind(needle.as_str()));
            let contains = match statement.dialect {
                Dialect::Sqlite => format!("instr({expression}, {bound}) > 0"),
                Dialect::Postgres => format!("strpos({expression}, {bound}) > 0"),
            };
            match pieces {
                Some(column) => {
                    format!("search_pieces({column}) @> search_pieces({bound}) and {contains}")
                }
                None => contains,
            }
        }
        Comparison::StartsWith => {
            let expression = statement.field(field, query);
            let from = statement.bind(needle.as_str());
            let to = statement.bind(format!("{needle}{}", char::MAX));
            format!("{expression} >= {from} and {expression} < {to}")
        }
        Comparison::EndsWith => {
            let (expression, bound) = (statement.field(field, query), statement.bind(needle.as_str()));
            let length = i64::try_from(needle.chars().count()).unwrap_or(i64::MAX);
            match (length, statement.dialect) {
                (0, _) => format!("{expression} is not null"),
                (_, Dialect::Sqlite) => {
                    let length = statement.bind(-length);
                    format!("substr({expression}, {length}) = {bound}")
                }
                (_, Dialect::Postgres) => format!("right({expression}, length({bound})) = {bound}"),
            }
        }
        _ => {
            let values = values.iter().map(|text| text.as_str().into()).collect();
            return compared(statement, query, condition, values);
        }
    };
    Some(sql.into())
}

/// Most users have the default role, which stands nowhere.
fn role_clause(
    statement: &mut Statement,
    query: &DirectoryQuery,
    comparison: Comparison,
    role: &str,
) -> Clause {
    let is_default = role == query.default_role;
    let bound = statement.bind(role);
    let (has, has_not) = if is_default {
        (
            format!("(u.admin_roles is null or u.admin_roles = {bound})"),
            format!("(u.admin_roles is not null and u.admin_roles <> {bound})"),
        )
    } else {
        (
            format!("(u.admin_roles is not null and u.admin_roles = {bound})"),
            format!("(u.admin_roles is null or u.admin_roles <> {bound})"),
        )
    };
    let (sql, other) = if comparison == Comparison::Equal { (has, has_not) } else { (has_not, has) };
    let nearly_all = is_default == (comparison == Comparison::Equal);
    Clause { sql, exceptions: nearly_all.then_some(other) }
}

fn compared(
    statement: &mut Statement,
    query: &DirectoryQuery,
    condition: &Condition,
    values: Vec<Value>,
) -> Option<Clause> {
    let expression = statement.field(condition.field, query);
    let mut bound = values.into_iter().map(|value| statement.bind(value)).collect::<Vec<_>>();
    let sign = match condition.comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "is distinct from",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::In if bound.is_empty() => return None,
        Comparison::In => return Some(format!("{expression} in ({})", bound.join(", ")).into()),
        Comparison::NotIn if bound.is_empty() => return Some("true".to_owned().into()),
        Comparison::NotIn => {
            let list = bound.join(", ");
            return Some(format!("({expression} is null or {expression} not in ({list}))").into());
        }
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => return None,
    };
    let value = if bound.is_empty() { return None } else { bound.swap_remove(0) };
    Some(format!("{expression} {sign} {value}").into())
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Microseconds since 1970.
fn moment(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse::<i64>() {
        return millis.checked_mul(1_000);
    }
    text.parse::<Time>().ok().map(|time| time.timestamp_micros())
}

/// A page of users.
///
/// # Errors
/// When the database fails.
pub async fn directory(database: &Database, query: &DirectoryQuery) -> Result<UserPage, DatabaseError> {
    let closed = closed(database, &query.aud).await?;
    if let Some(plain) = query.as_page().filter(|_| closed == 0) {
        return page(database, &plain).await;
    }
    let nobody = UserPage { users: Vec::new(), total: 0 };
    let dialect = database.dialect();
    let everybody = if closed == 0 { "u.aud = $1" } else { "u.aud = $1 and u.deleted_at is null" };
    let mut statement = Statement::new(query, dialect);
    let (mut narrowed, mut exceptions) = (everybody.to_owned(), None);
    for condition in &query.conditions {
        let Some(clause) = clause(&mut statement, query, condition) else { return Ok(nobody) };
        // Writing to a string cannot fail.
        let _ = write!(narrowed, " and {}", clause.sql);
        exceptions = clause.exceptions;
    }
    let counted = match (query.conditions.len(), exceptions) {
        (0, _) => Counted::Everybody,
        (1, Some(few)) => Counted::AllBut(format!("{everybody} and {few}")),
        _ => Counted::Those(narrowed.clone()),
    };
    let total = count(database, &counted, closed, &statement.params).await?;
    let (sort, direction) = query.sort.unwrap_or((UserField::CreatedAt, Direction::Ascending));
    let (key, d) = (statement.field(sort, query), direction.sql());
    let order = format!("order by {key} {d}, u.id {d}");
    let limit = statement.bind(i64::from(query.limit));
    let offset = statement.bind(i64::try_from(query.offset).unwrap_or(i64::MAX));
    let sql = format!(
        "select {} from (select u.id as chosen from users u where {narrowed} {order} limit {limit} \
         offset {offset}) c join users u on u.id = c.chosen left join identities i on i.user_id = u.id \
         {order}, i.position",
        *COLUMNS
    );
    let users = gather(database.query(&sql, &statement.params).await?)?;
    Ok(UserPage { users, total: u64::try_from(total).unwrap_or_default() })
}

impl DirectoryQuery {
    /// The query as a plain page by creation, where it is one.
    fn as_page(&self) -> Option<PageQuery> {
        let direction = match self.sort {
            None => Direction::Ascending,
            Some((UserField::CreatedAt, direction)) => direction,
            Some(_) => return None,
        };
        self.conditions.is_empty().then(|| PageQuery {
            aud: self.aud.clone(),
            filter: None,
            direction,
            offset: self.offset,
            limit: self.limit,
        })
    }
}

enum Counted {
    Everybody,
    AllBut(String),
    Those(String),
}

async fn count(
    database: &Database,
    counted: &Counted,
    closed: i64,
    params: &[Value],
) -> Result<i64, DatabaseError> {
    let those = match counted {
        Counted::Everybody => return Ok(everybody(database, params).await? - closed),
        Counted::AllBut(those) | Counted::Those(those) => those,
    };
    let sql = format!("select count(*) from users u where {those}");
    let some = number(&database.query(&sql, params).await?);
    match counted {
        Counted::AllBut(_) => Ok(everybody(database, params).await? - closed - some),
        Counted::Everybody | Counted::Those(_) => Ok(some),
    }
}

async fn everybody(database: &Database, params: &[Value]) -> Result<i64, DatabaseError> {
    let level = COUNT_LEVELS[0];
    let sql = format!(
        "select cast(coalesce(sum(users), 0) as bigint) from user_counts where aud = $1 and level = {level}"
    );
    Ok(number(&database.query(&sql, &params[..1]).await?))
}

/// Accounts that were closed: they are no users any more.
async fn closed(database: &Database, aud: &str) -> Result<i64, DatabaseError> {
    let sql = "select count(*) from users u where u.aud = $1 and u.deleted_at is not null";
    Ok(number(&database.query(sql, &[aud.into()]).await?))
}

fn number(rows: &[Row]) -> i64 {
    rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default()
}
