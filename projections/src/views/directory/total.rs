//! How many users a list has, exactly.
//!
//! Whoever can be counted by their complement is: nobody looks at a million who are not banned. Stretches
//! of an index are counted from the side where fewer stand, which a look at a few users tells.

use evident_eventstore::{Database, DatabaseError, Value};

use super::clause::{Clause, Counting};
use super::field::UserField;
use super::sql::Sql;
use crate::folds::COUNT_LEVELS;

/// So many users are looked at to learn for how many of all a condition holds.
const SAMPLE: i64 = 200;

/// The users of an audience.
#[derive(Debug, Clone)]
pub(super) struct Audience {
    pub(super) name: String,
    /// Rows, also of accounts that were closed.
    pub(super) rows: i64,
    /// Accounts that were closed: they are no users any more.
    pub(super) closed: i64,
}

impl Audience {
    pub(super) async fn of(database: &Database, name: &str) -> Result<Self, DatabaseError> {
        let level = COUNT_LEVELS[0];
        let sql = format!(
            "select cast(coalesce(sum(users), 0) as bigint), (select count(*) from users u where u.aud = ? \
             and u.deleted_at is not null) from user_counts where aud = ? and level = {level}"
        );
        let rows = Sql::with(sql, [name, name]).rows(database).await?;
        let number = |at: usize| rows.first().and_then(|row| row.get(at)?.as_int()).unwrap_or_default();
        Ok(Self { name: name.to_owned(), rows: number(0), closed: number(1) })
    }

    /// Who belongs to it.
    pub(super) fn rows(&self) -> Sql {
        Sql::with("u.aud = ?", [self.name.as_str()])
    }

    /// Whose account is open.
    pub(super) fn users(&self) -> Sql {
        if self.closed == 0 { self.rows() } else { self.rows().then(" and u.deleted_at is null") }
    }

    /// How many users there are for whom all clauses hold.
    pub(super) async fn count(&self, database: &Database, clauses: &[&Clause]) -> Result<i64, DatabaseError> {
        let (rows, closed) = match clauses {
            [] => (self.rows, self.closed),
            [one] => (self.count_rows(database, one).await?, self.count_closed(database, clauses).await?),
            several => {
                let all = several.iter().fold(self.rows(), |sql, clause| sql.and(&clause.holds));
                (count(database, all).await?, self.count_closed(database, clauses).await?)
            }
        };
        Ok(rows - closed)
    }

    async fn count_rows(&self, database: &Database, clause: &Clause) -> Result<i64, DatabaseError> {
        match clause.counting {
            Counting::Others => self.all_but(database, clause).await,
            Counting::Fewer if self.sampled(database, clause).await? * 2 > SAMPLE => {
                self.all_but(database, clause).await
            }
            Counting::Those | Counting::Fewer => count(database, self.rows().and(&clause.holds)).await,
            Counting::Counter(level, wanted) => {
                let sql = "select users from user_counts where aud = ? and start = 0 and level = ?";
                let name = self.name.as_str();
                let counted = Sql::with(sql, [name.into(), Value::Int(level)]).number(database).await?;
                Ok(if wanted { counted } else { self.rows - counted })
            }
            Counting::Before(moment) => self.before(database, moment).await,
            Counting::Since(moment) => Ok(self.rows - self.before(database, moment).await?),
        }
    }

    async fn all_but(&self, database: &Database, clause: &Clause) -> Result<i64, DatabaseError> {
        let mut rest = self.rows;
        for others in &clause.others {
            rest -= count(database, self.rows().and(others)).await?;
        }
        Ok(rest)
    }

    /// Of [`SAMPLE`] users, for how many a clause holds. Ids are random, so the first ones stand for all.
    async fn sampled(&self, database: &Database, clause: &Clause) -> Result<i64, DatabaseError> {
        let order = if clause.field == UserField::Id { "created_at" } else { "id" };
        let column = clause.field.column();
        Sql::plain(format!("select count(*) from (select u.{column} from users u where "))
            .append(&self.rows())
            .then(&format!(" order by u.{order} limit {SAMPLE}) u where "))
            .append(clause.residual())
            .number(database)
            .await
    }

    /// Of those who are no users any more.
    async fn count_closed(&self, database: &Database, clauses: &[&Clause]) -> Result<i64, DatabaseError> {
        if self.closed == 0 {
            return Ok(0);
        }
        let gone = Sql::plain("with gone as materialized (select u.* from users u where ")
            .append(&self.rows())
            .then(" and u.deleted_at is not null) select count(*) from gone u where true");
        clauses.iter().fold(gone, |sql, clause| sql.and(clause.residual())).number(database).await
    }

    /// How many rows are older than a moment: from the counters of the widest stretches that end before it
    /// down to the rows of the narrowest one that does not.
    async fn before(&self, database: &Database, moment: i64) -> Result<i64, DatabaseError> {
        let name = self.name.as_str();
        let mut sql = Sql::plain("select cast(coalesce(sum(n), 0) as bigint) from (");
        let mut from = None;
        for level in COUNT_LEVELS {
            let to = moment >> level << level;
            sql = sql
                .then("select sum(users) as n from user_counts where aud = ")
                .bind(name)
                .then(&format!(" and level = {level} and start < "))
                .bind(to);
            if let Some(from) = from {
                sql = sql.then(" and start >= ").bind(from);
            }
            sql = sql.then(" union all ");
            from = Some(to);
        }
        sql.then("select count(*) from users u where ")
            .append(&self.rows())
            .then(" and u.created_at >= ")
            .bind(from.unwrap_or(i64::MIN))
            .then(" and u.created_at < ")
            .bind(moment)
            .then(") c")
            .number(database)
            .await
    }
}

async fn count(database: &Database, those: Sql) -> Result<i64, DatabaseError> {
    Sql::plain("select count(*) from users u where ").append(&those).number(database).await
}
