//! Which users stand on a page.
//!
//! Every order is one of indexes, or of a few one behind the other: those without a name to sign in by
//! stand in the order of their ids, those with one in the order of the names. Of a condition few users may
//! be left or most. Few are gathered by the condition's index and sorted; to find a page among most, the
//! order's index is walked, and whom the condition does not hold for is passed by.

use evident_eventstore::{Database, DatabaseError, Dialect, Row, Value};

use super::DirectoryQuery;
use super::clause::{Clause, Counting, set, with_default_role, without};
use super::field::{Standing, UserField};
use super::sql::Sql;
use super::total::Audience;
use crate::views::page::Direction;

/// So many are gathered and sorted before anything is counted.
const FEW: i64 = 1_000;
/// So many are passed by on the way to a page; where more would have to be, all are gathered instead.
const WALKED: i64 = 5_000;

/// A list as it is asked for.
pub(super) struct List<'a> {
    pub(super) database: &'a Database,
    pub(super) dialect: Dialect,
    pub(super) query: &'a DirectoryQuery,
    pub(super) audience: Audience,
    pub(super) clauses: Vec<Clause>,
    pub(super) field: UserField,
    pub(super) direction: Direction,
}

/// Those who stand together in an order.
struct Segment {
    /// The column that sorts them; then the id.
    column: Option<&'static str>,
    /// Who they are, where an index has them and no others in their order.
    indexed: Option<Sql>,
    /// Who they are, where none has.
    others: Option<Clause>,
}

impl Segment {
    fn indexed(column: Option<&'static str>, indexed: Sql) -> Self {
        Self { column, indexed: Some(indexed), others: None }
    }

    fn by_id(clause: Clause) -> Self {
        Self { column: None, indexed: None, others: Some(clause) }
    }

    /// `order by` with a prefix for its columns.
    fn order(&self, direction: Direction, alias: &str) -> String {
        let d = direction.sql();
        match self.column {
            Some(column) if column != "id" => format!(" order by {alias}.{column} {d}, {alias}.id {d}"),
            _ => format!(" order by {alias}.id {d}"),
        }
    }
}

impl List<'_> {
    /// The ids of all who are listed, in order, if they are [`FEW`].
    async fn few(&self) -> Result<Option<Vec<String>>, DatabaseError> {
        // An index holds as much of them.
        let sql = Sql::plain("select u.id, u.created_at from users u where ").append(&self.narrowed());
        let mut found = sql.then(" limit ").bind(FEW + 1).rows(self.database).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found > FEW) {
            return Ok(None);
        }
        if found.len() < 2 {
            return Ok(Some(ids(&found)));
        }
        if self.field == UserField::CreatedAt {
            found.sort_unstable_by(|a, b| a.iter().rev().cmp(b.iter().rev()));
            if self.direction == Direction::Descending {
                found.reverse();
            }
            return Ok(Some(ids(&found)));
        }
        let (list, source) = super::listed(self.dialect, &ids(&found));
        let d = self.direction.sql();
        let sql = Sql::plain(format!("select u.id from {source}"))
            .with_value(list)
            .then(" join users u on u.id = c.value order by ")
            .append(&self.field.key(self.query, self.dialect))
            .then(&format!(" {d}, u.id {d}"));
        Ok(Some(ids(&sql.rows(self.database).await?)))
    }

    fn narrowed(&self) -> Sql {
        self.clauses.iter().fold(self.audience.users(), |sql, clause| sql.and(&clause.holds))
    }

    /// The ids of those on the page, and how many there are on all pages.
    pub(super) async fn page(&self) -> Result<(Vec<String>, u64), DatabaseError> {
        let skipped = usize::try_from(self.query.offset).unwrap_or(usize::MAX);
        let may_be_few = |clause: &Clause| matches!(clause.counting, Counting::Those | Counting::Fewer);
        if self.clauses.iter().any(may_be_few)
            && let Some(few) = self.few().await?
        {
            let total = few.len() as u64;
            let wanted = usize::try_from(self.query.limit).unwrap_or(usize::MAX);
            return Ok((few.into_iter().skip(skipped).take(wanted).collect(), total));
        }
        let clauses: Vec<_> = self.clauses.iter().collect();
        let total = self.audience.count(self.database, &clauses).await?.max(0);
        let ids = self.page_of(total).await?;
        Ok((ids, total.unsigned_abs()))
    }

    async fn page_of(&self, total: i64) -> Result<Vec<String>, DatabaseError> {
        let skipped = i64::try_from(self.query.offset).unwrap_or(i64::MAX);
        if skipped >= total {
            return Ok(Vec::new());
        }
        let wanted = i64::from(self.query.limit);
        if skipped <= total / 2 {
            return self.pick(self.direction, skipped, wanted, total).await;
        }
        // It is nearer from the end.
        let last = skipped.saturating_add(wanted).min(total);
        let mut ids = self.pick(self.direction.reversed(), total - last, last - skipped, total).await?;
        ids.reverse();
        Ok(ids)
    }

    async fn pick(
        &self,
        direction: Direction,
        mut skipped: i64,
        mut wanted: i64,
        total: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        let mut picked = Vec::new();
        for segment in self.segments(direction) {
            if wanted <= 0 {
                break;
            }
            let clauses: Vec<_> = self.clauses.iter().chain(&segment.others).collect();
            let found = self.pick_from(&segment, &clauses, direction, (skipped, wanted), total).await?;
            if !found.is_empty() {
                skipped = 0;
                wanted -= i64::try_from(found.len()).unwrap_or(wanted);
                picked.extend(found);
            } else if skipped > 0 {
                skipped -= self.count(&segment, &clauses).await?.min(skipped);
            }
        }
        Ok(picked)
    }

    async fn count(&self, segment: &Segment, clauses: &[&Clause]) -> Result<i64, DatabaseError> {
        let Some(indexed) = &segment.indexed else {
            return self.audience.count(self.database, clauses).await;
        };
        let those = self.audience.users().and(indexed);
        let those = clauses.iter().fold(those, |sql, clause| sql.and(&clause.holds));
        Sql::plain("select count(*) from users u where ").append(&those).number(self.database).await
    }

    async fn pick_from(
        &self,
        segment: &Segment,
        clauses: &[&Clause],
        direction: Direction,
        (skipped, wanted): (i64, i64),
        total: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        let all = match &segment.indexed {
            Some(indexed) => self.audience.users().and(indexed),
            None => self.audience.users(),
        };
        let narrowed = clauses.iter().fold(all.clone(), |sql, clause| sql.and(&clause.holds));
        let page = |sql: Sql| sql.then(" limit ").bind(wanted).then(" offset ").bind(skipped);
        let in_order = match clauses {
            [] => true,
            [one] => one.is_stretch && one.field.column() == segment.column.unwrap_or("id"),
            _ => false,
        };
        if in_order {
            let sql = Sql::plain("select u.id from users u where ").append(&narrowed);
            return Ok(ids(&page(sql.then(&segment.order(direction, "u"))).rows(self.database).await?));
        }
        if let ([one], None) = (clauses, &segment.indexed)
            && matches!(one.counting, Counting::Others | Counting::Counter(_, false))
            && segment.column.is_none()
            && skipped > WALKED
            && let [others] = &one.others[..]
        {
            // So far an index is walked that knows nothing of them, past a list of the few.
            let sql = Sql::plain("select u.id from users u where ")
                .append(&all)
                .then(" and u.id not in (select u.id from users u where ")
                .append(&self.audience.rows().and(others))
                .then(")")
                .then(&segment.order(direction, "u"));
            return Ok(ids(&page(sql).rows(self.database).await?));
        }
        for walked in self.walks(segment, skipped.saturating_add(wanted), total) {
            let sql = Sql::plain(format!(
                "select u.id from (select {} from users u where ",
                columns(segment, clauses)
            ))
            .append(&all)
            .then(&segment.order(direction, "u"))
            .then(" limit ")
            .bind(walked)
            .then(") u where true");
            let sql = clauses.iter().fold(sql, |sql, clause| sql.and(clause.residual()));
            let found = ids(&page(sql.then(&segment.order(direction, "u"))).rows(self.database).await?);
            if i64::try_from(found.len()).is_ok_and(|found| found == wanted) {
                return Ok(found);
            }
        }
        // An index of the condition holds when they were created; what else sorts them is looked up.
        let (key, rows) = match segment.column {
            Some("created_at") => (", u.created_at", "m u"),
            None | Some("id") => ("", "m u"),
            _ => ("", "m join users u on u.id = m.id"),
        };
        let sql = Sql::plain(format!("with m as materialized (select u.id{key} from users u where "))
            .append(&narrowed)
            .then(&format!(") select u.id from {rows}{}", segment.order(direction, "u")));
        Ok(ids(&page(sql).rows(self.database).await?))
    }

    /// How far it is worth to walk for so many users, if every so many-th is one.
    fn walks(&self, segment: &Segment, users: i64, total: i64) -> Vec<i64> {
        let rare = segment.others.as_ref().is_some_and(|clause| clause.counting == Counting::Those);
        let far = users.saturating_mul(self.audience.rows) / total.max(1);
        if rare || far > WALKED { Vec::new() } else { vec![far * 2 + 200, WALKED * 2] }
    }

    /// Those who stand together, in order.
    fn segments(&self, direction: Direction) -> Vec<Segment> {
        let (field, column) = (self.field, self.field.column());
        let mut segments = match field.standing() {
            Standing::Everybody | Standing::Most => {
                vec![Segment { column: Some(column), indexed: None, others: None }]
            }
            Standing::Some => {
                let some = Segment::indexed(Some(column), Sql::plain(format!("u.{column} is not null")));
                let none = Segment::by_id(without(field));
                // As each of the databases has it.
                match self.dialect {
                    Dialect::Sqlite => vec![none, some],
                    Dialect::Postgres => vec![some, none],
                }
            }
            Standing::Flag => [false, true]
                .into_iter()
                .map(|wanted| {
                    let clause = set(self.query, self.dialect, field, wanted);
                    match field {
                        UserField::EmailVerified => Segment::indexed(None, clause.holds),
                        UserField::Banned => Segment::by_id(clause),
                        _ if wanted => Segment::indexed(None, clause.holds),
                        _ => Segment::by_id(clause),
                    }
                })
                .collect(),
            Standing::Role => {
                let beyond = |sign| {
                    let sql = format!("u.admin_roles is not null and u.admin_roles {sign} ?");
                    Segment::indexed(Some(column), Sql::with(sql, [self.query.default_role.as_str()]))
                };
                vec![beyond("<"), Segment::by_id(with_default_role(self.query)), beyond(">")]
            }
        };
        if direction == Direction::Descending {
            segments.reverse();
        }
        segments
    }
}

/// What a walk hands on of each user.
fn columns(segment: &Segment, clauses: &[&Clause]) -> String {
    let mut columns = vec!["id"];
    for column in segment.column.into_iter().chain(clauses.iter().map(|clause| clause.field.column())) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.iter().map(|column| format!("u.{column}")).collect::<Vec<_>>().join(", ")
}

fn ids(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| row.first().and_then(Value::as_text)).map(str::to_owned).collect()
}
