//! Members, with what their accounts say of them.

use std::sync::LazyLock;

use evident_domain::{MemberId, Metadata, OrganizationId, Time, UserId};
use evident_eventstore::{Database, DatabaseError, Row, Value};

use crate::cells;
use crate::folds::{MemberRow, Part};
use crate::views::{Direction, columns};

/// What an organization sees of a member's account.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The address.
    pub email: Option<String>,
    /// The user's own data: the text of a JSON object.
    pub user_metadata: String,
}

impl Person {
    /// The user's own data as an object.
    pub fn user_metadata(&self) -> Metadata {
        serde_json::from_str(&self.user_metadata).unwrap_or_default()
    }
}

/// A member and their account.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberView {
    /// The membership.
    pub member: MemberRow,
    /// The account.
    pub person: Person,
}

/// A column by which members are sorted and filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberField {
    /// The membership's id.
    Id,
    /// The organization's id.
    Organization,
    /// The user's id.
    User,
    /// The roles as a text.
    Role,
    /// Since when.
    CreatedAt,
}

impl MemberField {
    const fn column(self) -> &'static str {
        match self {
            Self::Id => "m.id",
            Self::Organization => "m.organization_id",
            Self::User => "m.user_id",
            Self::Role => "m.role",
            Self::CreatedAt => "m.created_at",
        }
    }
}

/// How a field is compared with what is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Equal,
    /// Another.
    NotEqual,
    /// Before it.
    Less,
    /// Before it, or the same.
    LessOrEqual,
    /// Behind it.
    Greater,
    /// Behind it, or the same.
    GreaterOrEqual,
    /// It is in the text.
    Contains,
    /// The text begins with it.
    StartsWith,
    /// The text ends with it.
    EndsWith,
    /// One of several, with commas in between.
    In,
    /// None of several, with commas in between.
    NotIn,
}

/// Which members are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFilter {
    /// What is compared.
    pub field: MemberField,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: FilterValue,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterValue {
    /// A text.
    Text(String),
    /// A moment.
    Time(Time),
}

/// Which members to list.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    /// Only these.
    pub filter: Option<MemberFilter>,
    /// In this order; else as they joined.
    pub sort: Option<(MemberField, Direction)>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<MemberView>,
    /// How many there are on all pages.
    pub total: u64,
}

static WITH_PERSON: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {}, u.id, u.email, u.user_metadata from members m join users u on u.id = m.user_id",
        columns("m", &MemberRow::TABLE)
    )
});

fn read(mut row: Row) -> Result<MemberView, DatabaseError> {
    let mut person = row.split_off(MemberRow::TABLE.columns.len()).into_iter();
    let mut text = || match person.next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    let damaged = |column| DatabaseError::Unexpected { table: "users".to_owned(), column };
    let person = Person {
        id: text().and_then(|id| id.parse().ok()).ok_or_else(|| damaged("id"))?,
        email: text(),
        user_metadata: text().ok_or_else(|| damaged("user_metadata"))?,
    };
    Ok(MemberView { member: MemberRow::from_row(row)?, person })
}

/// A user's membership of an organization.
///
/// # Errors
/// When the database fails.
pub async fn member(
    database: &Database,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<MemberView>, DatabaseError> {
    let sql = format!("{} where m.user_id = $1 and m.organization_id = $2", *WITH_PERSON);
    let params = [user.to_string().into(), organization.to_string().into()];
    database.query(&sql, &params).await?.into_iter().next().map(read).transpose()
}

/// The membership of an id, in an organization.
///
/// # Errors
/// When the database fails.
pub async fn member_named(
    database: &Database,
    organization: OrganizationId,
    id: MemberId,
) -> Result<Option<MemberView>, DatabaseError> {
    let sql = format!("{} where m.id = $1 and m.organization_id = $2", *WITH_PERSON);
    let params = [id.to_string().into(), organization.to_string().into()];
    database.query(&sql, &params).await?.into_iter().next().map(read).transpose()
}

/// The members of an organization, as they joined.
///
/// # Errors
/// When the database fails.
pub async fn members(
    database: &Database,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<MemberView>, DatabaseError> {
    let sql = format!("{} where m.organization_id = $1 order by m.created_at, m.id limit $2", *WITH_PERSON);
    let params = [organization.to_string().into(), i64::from(limit).into()];
    database.query(&sql, &params).await?.into_iter().map(read).collect()
}

/// A page of the members of an organization.
///
/// # Errors
/// When the database fails.
pub async fn members_page(
    database: &Database,
    organization: OrganizationId,
    query: &MemberQuery,
) -> Result<MemberPage, DatabaseError> {
    let mut params: Vec<Value> = vec![organization.to_string().into()];
    let filter = query.filter.as_ref().map(|filter| condition(filter, &mut params)).unwrap_or_default();
    let count = format!("select count(*) from members m where m.organization_id = $1{filter}");
    let total = database.query(&count, &params).await?;
    let total = total.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
    let (field, direction) = query.sort.unwrap_or((MemberField::CreatedAt, Direction::Ascending));
    let direction = match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    };
    params.push(i64::from(query.limit).into());
    params.push(i64::try_from(query.offset).unwrap_or(i64::MAX).into());
    let sql = format!(
        "{} where m.organization_id = $1{filter} order by {} {direction}, m.id limit ${} offset ${}",
        *WITH_PERSON,
        field.column(),
        params.len() - 1,
        params.len()
    );
    let members: Result<_, DatabaseError> =
        database.query(&sql, &params).await?.into_iter().map(read).collect();
    Ok(MemberPage { members: members?, total: u64::try_from(total).unwrap_or_default() })
}

/// ` and …`: the filter in SQL; what it compares with becomes a parameter.
fn condition(filter: &MemberFilter, params: &mut Vec<Value>) -> String {
    let column = filter.field.column();
    let text = match &filter.value {
        FilterValue::Time(time) => {
            let operator = match filter.comparison {
                Comparison::NotEqual | Comparison::NotIn => "<>",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
                Comparison::Equal
                | Comparison::In
                | Comparison::Contains
                | Comparison::StartsWith
                | Comparison::EndsWith => "=",
            };
            // Callers know moments to the millisecond, the table to the microsecond.
            params.push((time.timestamp_micros() / 1000).into());
            return format!(" and {column} / 1000 {operator} ${}", params.len());
        }
        FilterValue::Text(text) => text,
    };
    let mut param = |text: &str| {
        params.push(cells::text(text));
        format!("${}", params.len())
    };
    let mut several = || {
        let list: Vec<_> = text.split(',').map(|part| param(part.trim())).collect();
        list.join(", ")
    };
    match filter.comparison {
        Comparison::In => format!(" and {column} in ({})", several()),
        Comparison::NotIn => format!(" and {column} not in ({})", several()),
        Comparison::Equal => format!(" and {column} = {}", param(text)),
        Comparison::NotEqual => format!(" and {column} <> {}", param(text)),
        Comparison::Less => format!(" and {column} < {}", param(text)),
        Comparison::LessOrEqual => format!(" and {column} <= {}", param(text)),
        Comparison::Greater => format!(" and {column} > {}", param(text)),
        Comparison::GreaterOrEqual => format!(" and {column} >= {}", param(text)),
        Comparison::Contains => {
            let text = param(text);
            format!(" and length({column}) > length(replace({column}, {text}, ''))")
        }
        Comparison::StartsWith => {
            let text = param(text);
            format!(" and substr({column}, 1, length({text})) = {text}")
        }
        Comparison::EndsWith => {
            let text = param(text);
            format!(
                " and length({column}) >= length({text}) \
                 and substr({column}, length({column}) - length({text}) + 1) = {text}"
            )
        }
    }
}
