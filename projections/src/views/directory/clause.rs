//! Conditions as SQL.

use evident_eventstore::{Dialect, Value};

use super::DirectoryQuery;
use super::asked::{Asked, Compared, end_of_beginning};
use super::field::{Standing, UserField};
use super::sql::Sql;
use crate::folds::COUNTED_COLUMNS;
use crate::views::organizations::Comparison;

/// How those are counted for whom a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// They are looked at.
    Those,
    /// The others are looked at: they are few, and stand in an index.
    Others,
    /// Whichever are fewer.
    Fewer,
    /// A counter tells for how many a column holds something; those, or the others.
    Counter(i64, bool),
    /// Those who were created before a moment are counted by stretches of time.
    Before(i64),
    /// Those who were not.
    Since(i64),
}

/// A condition as SQL.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) field: UserField,
    /// For whom it holds, written as the indexes have it.
    pub(super) holds: Sql,
    /// The same for a row that is looked at anyway, where that is quicker.
    plain: Option<Sql>,
    /// For whom it does not hold: as many parts as indexes find them.
    pub(super) others: Vec<Sql>,
    pub(super) counting: Counting,
    /// Whether an index that is sorted by the field finds them all in one stretch.
    pub(super) is_stretch: bool,
}

impl Clause {
    pub(super) fn new(field: UserField, holds: Sql, counting: Counting, others: Vec<Sql>) -> Self {
        Self { field, holds, plain: None, others, counting, is_stretch: false }
    }

    /// For rows that are looked at one by one.
    pub(super) fn residual(&self) -> &Sql {
        self.plain.as_ref().unwrap_or(&self.holds)
    }
}

/// What is asked as SQL; none where it can hold for nobody.
pub(super) fn clause(query: &DirectoryQuery, dialect: Dialect, asked: &Asked) -> Option<Clause> {
    let compared = match asked {
        Asked::Everybody(field) => {
            return Some(Clause::new(*field, Sql::plain("true"), Counting::Others, Vec::new()));
        }
        Asked::Flag(field, wanted) => return Some(set(query, dialect, *field, *wanted)),
        Asked::Values(compared) => compared,
    };
    let Compared { field, comparison, negated, ref values } = *compared;
    let matching = matching(dialect, field, comparison, values)?;
    if field == UserField::Role {
        let default = compared.matches(&query.default_role);
        return Some(role_clause(&matching.sql, default != negated, negated));
    }
    if negated {
        return Some(negation(field, &matching.sql));
    }
    let column = field.column();
    let (counting, others) = match (field, field.standing(), comparison) {
        (UserField::CreatedAt, ..) => (by_time(comparison, values), Vec::new()),
        (_, Standing::Everybody | Standing::Most, _) => match matching.beyond {
            Some(beyond) => {
                let nobody =
                    (field.standing() == Standing::Most).then(|| Sql::plain(format!("u.{column} is null")));
                (Counting::Fewer, beyond.into_iter().chain(nobody).collect())
            }
            None => (Counting::Those, Vec::new()),
        },
        _ => (Counting::Those, Vec::new()),
    };
    let written = |sql: &Sql| match field.standing() {
        Standing::Some => Sql::plain(format!("u.{column} is not null and ")).append(sql),
        _ => sql.clone(),
    };
    let mut clause = Clause::new(field, written(&matching.sql), counting, others);
    clause.plain = matching.plain;
    clause.is_stretch = matching.is_stretch;
    Some(clause)
}

/// Whether a flag is set, or that it is not.
pub(super) fn set(query: &DirectoryQuery, dialect: Dialect, field: UserField, wanted: bool) -> Clause {
    let [yes, no] = field.flag(query, dialect);
    let (holds, other) = if wanted { (yes, no) } else { (no, yes) };
    let counter = COUNTED_COLUMNS.iter().find(|(_, column)| *column == field.column());
    let counting = match (counter, wanted) {
        (Some((level, _)), _) => Counting::Counter(*level, wanted),
        (None, true) => Counting::Those,
        (None, false) => Counting::Others,
    };
    Clause::new(field, holds, counting, vec![other])
}

/// Who has no value in a column.
pub(super) fn without(field: UserField) -> Clause {
    let column = field.column();
    let others = vec![Sql::plain(format!("u.{column} is not null"))];
    Clause::new(field, Sql::plain(format!("u.{column} is null")), Counting::Others, others)
}

/// Who has other values than some, or none.
fn negation(field: UserField, sql: &Sql) -> Clause {
    let column = field.column();
    let (holds, others) = match field.standing() {
        Standing::Everybody => (Sql::plain("not (").append(sql).then(")"), sql.clone()),
        _ => (
            Sql::plain(format!("(u.{column} is null or not (")).append(sql).then("))"),
            Sql::plain(format!("u.{column} is not null and ")).append(sql),
        ),
    };
    Clause::new(field, holds, Counting::Others, vec![others])
}

/// Roles that stand in the table hold or do not; the default one stands nowhere.
fn role_clause(sql: &Sql, default_holds: bool, negated: bool) -> Clause {
    let stands = |negated: bool| {
        let (open, close) = if negated { ("not (", ")") } else { ("(", ")") };
        Sql::plain(open).append(sql).then(close)
    };
    let given = |negated| Sql::plain("u.admin_roles is not null and ").append(&stands(negated));
    if default_holds {
        let holds = Sql::plain("(u.admin_roles is null or ").append(&stands(negated)).then(")");
        Clause::new(UserField::Role, holds, Counting::Others, vec![given(!negated)])
    } else {
        Clause::new(UserField::Role, given(negated), Counting::Those, Vec::new())
    }
}

/// Who has the default role, given or not.
pub(super) fn with_default_role(query: &DirectoryQuery) -> Clause {
    role_clause(&Sql::with("u.admin_roles = ?", [query.default_role.as_str()]), true, false)
}

/// How a column is compared.
struct Matching {
    sql: Sql,
    plain: Option<Sql>,
    /// The rest of those who have a value, where it is one stretch of the index or two.
    beyond: Option<Vec<Sql>>,
    is_stretch: bool,
}

/// None where there is nothing to compare with.
fn matching(
    dialect: Dialect,
    field: UserField,
    comparison: Comparison,
    values: &[Value],
) -> Option<Matching> {
    let column = format!("u.{}", field.column());
    let first = values.first()?;
    let one = |sign: &str| Sql::with(format!("{column} {sign} ?"), [first.clone()]);
    let stretch = |sign: &str, rest: &str| {
        Some(Matching { sql: one(sign), plain: None, beyond: Some(vec![one(rest)]), is_stretch: true })
    };
    let found = |sql| Matching { sql, plain: None, beyond: None, is_stretch: false };
    let text = first.as_text();
    match comparison {
        Comparison::Equal => Some(Matching { is_stretch: true, ..found(one("=")) }),
        Comparison::Less => stretch("<", ">="),
        Comparison::LessOrEqual => stretch("<=", ">"),
        Comparison::Greater => stretch(">", "<="),
        Comparison::GreaterOrEqual => stretch(">=", "<"),
        Comparison::In => {
            let list = vec!["?"; values.len()].join(", ");
            Some(found(Sql::with(format!("{column} in ({list})"), values.iter().cloned())))
        }
        Comparison::StartsWith => {
            let end = end_of_beginning(text?);
            let beyond = vec![one("<"), Sql::with(format!("{column} >= ?"), [end.as_str()])];
            let sql = one(">=").and(&Sql::with(format!("{column} < ?"), [end.as_str()]));
            Some(Matching { sql, plain: None, beyond: Some(beyond), is_stretch: true })
        }
        Comparison::Contains | Comparison::EndsWith => {
            let needle = text?;
            let plain = if comparison == Comparison::Contains {
                containing(dialect, &column, needle)
            } else {
                ending(dialect, &column, needle)
            };
            let pieces = match (dialect, field) {
                (Dialect::Postgres, UserField::Email) => Some("search"),
                (Dialect::Postgres, UserField::Name) => Some("name"),
                (Dialect::Postgres | Dialect::Sqlite, _) => None,
            };
            match pieces.filter(|_| needle.chars().count() >= 3) {
                Some(pieces) => {
                    let sql = Sql::with(
                        format!("search_pieces(u.{pieces}) @> search_pieces(?)"),
                        [telling(needle)],
                    );
                    Some(Matching { plain: Some(plain.clone()), ..found(sql.and(&plain)) })
                }
                None => Some(found(plain)),
            }
        }
        Comparison::NotEqual | Comparison::NotIn => None,
    }
}

/// The part of an address that tells most: few have the name, and many the domain. Every piece more is one
/// more list to be read.
fn telling(needle: &str) -> &str {
    match needle.find('@') {
        Some(at) if at >= 3 => needle.get(..=at).unwrap_or(needle),
        _ => needle,
    }
}

fn containing(dialect: Dialect, column: &str, needle: &str) -> Sql {
    let function = match dialect {
        Dialect::Sqlite => "instr",
        Dialect::Postgres => "strpos",
    };
    Sql::with(format!("{function}({column}, ?) > 0"), [needle])
}

fn ending(dialect: Dialect, column: &str, needle: &str) -> Sql {
    let length = i64::try_from(needle.chars().count()).unwrap_or(i64::MAX);
    match (length, dialect) {
        (0, _) => Sql::plain(format!("{column} is not null")),
        (_, Dialect::Sqlite) => {
            Sql::with(format!("substr({column}, ?) = ?"), [Value::Int(-length), needle.into()])
        }
        (_, Dialect::Postgres) => Sql::with(format!("right({column}, length(?)) = ?"), [needle, needle]),
    }
}

/// How those are counted who were created at some time.
fn by_time(comparison: Comparison, values: &[Value]) -> Counting {
    let Some(moment) = values.first().and_then(Value::as_int) else { return Counting::Those };
    let next = moment.saturating_add(1);
    match comparison {
        Comparison::Less => Counting::Before(moment),
        Comparison::LessOrEqual => Counting::Before(next),
        Comparison::Greater => Counting::Since(next),
        Comparison::GreaterOrEqual => Counting::Since(moment),
        _ => Counting::Those,
    }
}
