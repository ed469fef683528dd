//! Proof that the tables are the log's: fold it afresh and compare, while the server serves.
//!
//! No lock and no long snapshot: each stretch of a live table is read in one statement together with the
//! position it is as of; the fresh fold goes on to exactly that position, and then the stretch must be
//! the same. So every row is compared as of one position, though not all as of the same one.

use std::fmt;
use std::path::Path;

use evident_domain::Position;
use evident_eventstore::{Database, EventStore, Row, Table, Value};

use crate::ProjectionError;
use crate::digest::{RowsDigest, veiled};
use crate::folding::Projection;
use crate::groups::normal;
use crate::progress::{Progress, Silent};
use crate::rebuild::chosen;
use crate::scratch::Scratch;
use crate::shadow;

/// Rows compared at a time.
const STRETCH: usize = 1_000;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The position that the fresh fold had reached in the end.
    pub position: Position,
    /// Each projection's outcome.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Verification {
    /// Whether all tables are the log's.
    pub fn is_clean(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Same { .. }))
    }
}

/// What was found of one projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The table is the log's.
    Same {
        /// How many rows it has.
        rows: u64,
        /// The digest of the rows as of [`Verification::position`]; the same on every database.
        digest: RowsDigest,
    },
    /// It is not.
    Different(Box<Difference>),
}

/// The first row that differs. Values that may be personal are shown by their length and the beginning of
/// their hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row's key; where keys are personal data, the value that makes the row's group.
    pub key: String,
    /// What differs.
    pub kind: DifferenceKind,
}

/// How a row differs.
#[derive(Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The log has the row, the table does not.
    Missing,
    /// The table has the row, the log does not.
    Extra,
    /// A column holds something else.
    Column {
        /// The first that does.
        name: &'static str,
        /// The log's value.
        log: Value,
        /// The table's value.
        table: Value,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.table, self.key)?;
        match &self.kind {
            DifferenceKind::Missing => f.write_str("the row is missing from the table"),
            DifferenceKind::Extra => f.write_str("the table has a row that the log has not"),
            DifferenceKind::Column { name, log, table } => {
                let shown = |value: &Value| if is_plain(name) { plain(value) } else { veiled(value) };
                write!(f, "{name} is {}, and {} by the log", shown(table), shown(log))
            }
        }
    }
}

/// Whether a column never holds personal data, whatever the table: numbers that count, and names of our own.
/// What is not known to be so is veiled.
fn is_plain(column: &str) -> bool {
    const PLAIN: [&str; 33] = [
        "aal",
        "action",
        "aud",
        "bucket",
        "created_at",
        "banned_until",
        "deleted_at",
        "email_confirmed_at",
        "entries",
        "erased_at",
        "expires_at",
        "failures",
        "generation",
        "has_password",
        "is_anonymous",
        "kind",
        "last_at",
        "last_sign_in_at",
        "level",
        "mail_factor",
        "not_after",
        "phone_confirmed_at",
        "position",
        "refreshed_at",
        "role",
        "roles",
        "slides",
        "start",
        "status",
        "stretch",
        "two_factor",
        "updated_at",
        "users",
    ];
    PLAIN.contains(&column)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(_) => veiled(value),
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Difference({self})")
    }
}

/// Compares tables with the log. The fresh fold stands in an SQLite file in a folder of its own under
/// `scratch`, readable by its owner only and removed in the end: give a folder on the disk that may hold
/// what the database holds.
///
/// # Errors
/// Whatever the log, the tables and the scratch folder report; a difference is no error.
pub async fn verify(
    store: &EventStore,
    names: &[&str],
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Verification, ProjectionError> {
    let projections = chosen(names)?;
    let folder = tempfile::Builder::new().prefix("evident-verify-").tempdir_in(scratch)?;
    let database = Database::open_passing_log(&folder.path().join("scratch.db")).await?;
    let outcome = run(store, &projections, &database, progress).await;
    database.close().await;
    folder.close()?;
    outcome
}

async fn run(
    store: &EventStore,
    projections: &[&'static dyn Projection],
    scratch: &Database,
    progress: &dyn Progress,
) -> Result<Verification, ProjectionError> {
    let mut fresh = Scratch::begin(store, projections, scratch, u64::MAX).await?;
    let head = store.head().await?.position;
    progress.begin("fold", head.0);
    fresh.advance(head, progress).await?;

    progress.begin("compare", u64::try_from(projections.len()).unwrap_or_default());
    let mut differences = Vec::new();
    for (done, projection) in (0..).zip(projections) {
        let mut first = None;
        for table in projection.tables() {
            if first.is_none() {
                first = compare(store, *projection, &table, scratch, &mut fresh).await?;
            }
        }
        differences.push(first);
        progress.at(done + 1);
    }

    let outcome = |difference: Option<Difference>, digest: RowsDigest| match difference {
        Some(difference) => Outcome::Different(Box::new(difference)),
        None => Outcome::Same { rows: digest.rows(), digest },
    };
    let found = projections.iter().zip(differences.into_iter().zip(fresh.digests()));
    let outcomes = found.map(|(p, (difference, digest))| (p.name(), outcome(difference, digest))).collect();
    Ok(Verification { position: fresh.position(), outcomes })
}

async fn compare(
    store: &EventStore,
    projection: &'static dyn Projection,
    table: &Table,
    scratch: &Database,
    fresh: &mut Scratch,
) -> Result<Option<Difference>, ProjectionError> {
    let (name, key, columns) = (&table.name, table.key(), table.column_list());
    let folded = shadow::of(table);
    let mut after: Option<Value> = None;
    loop {
        let begin = if after.is_some() { format!(" where {key} > $1") } else { String::new() };
        let params: Vec<Value> = after.iter().cloned().collect();
        let stretch = format!("select {columns} from {name}{begin} order by {key} limit {STRETCH}");
        let live = format!(
            "select h.position, t.* from log_head h left join ({stretch}) t on true order by t.{key}"
        );
        let mut rows = store.database().query(&live, &params).await?;
        let position = rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
        let live: Vec<Row> = rows
            .iter_mut()
            .map(|row| row.split_off(1))
            .filter(|row| row.first().is_some_and(|key| *key != Value::Null))
            .collect();

        let position = Position(u64::try_from(position).unwrap_or_default());
        fresh.advance(position, &Silent).await?;
        let end = live.last().filter(|_| live.len() == STRETCH).and_then(|row| row.first()).cloned();
        let (mut conditions, mut params) = (Vec::new(), Vec::new());
        for (sign, bound) in [(">", &after), ("<=", &end)] {
            if let Some(bound) = bound {
                params.push(bound.clone());
                conditions.push(format!("{key} {sign} ${}", params.len()));
            }
        }
        let conditions = if conditions.is_empty() {
            String::new()
        } else {
            format!(" where {}", conditions.join(" and "))
        };
        // One row more than there can be: whatever is beyond is a difference anyway.
        let rest = format!("{conditions} order by {key} limit {}", STRETCH + 1);
        let log = scratch.read(&folded, &rest, &params).await?;
        if let Some(difference) = first_difference(projection, table, &log, &live) {
            return Ok(Some(difference));
        }
        match end {
            Some(end) => after = Some(end),
            None => return Ok(None),
        }
    }
}

fn first_difference(
    projection: &'static dyn Projection,
    table: &Table,
    log: &[Row],
    live: &[Row],
) -> Option<Difference> {
    let difference = |row: &Row, kind| {
        let shown = if projection.personal_keys() { projection.group() } else { table.key() };
        let at = table.columns.iter().position(|column| column.name == shown).unwrap_or_default();
        let key = row.get(at).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some(Difference { table: table.name.to_string(), key, kind })
    };
    let (mut log, mut live) = (log.iter().peekable(), live.iter().peekable());
    loop {
        match (log.peek(), live.peek()) {
            (None, None) => return None,
            (Some(row), None) => return difference(row, DifferenceKind::Missing),
            (None, Some(row)) => return difference(row, DifferenceKind::Extra),
            (Some(l), Some(t)) if l.first() < t.first() => return difference(l, DifferenceKind::Missing),
            (Some(l), Some(t)) if l.first() > t.first() => return difference(t, DifferenceKind::Extra),
            (Some(l), Some(t)) => {
                for ((column, log), table) in table.columns.iter().zip(l.iter()).zip(t.iter()) {
                    if normal(log) != normal(table) {
                        let kind = DifferenceKind::Column {
                            name: column.name,
                            log: log.clone(),
                            table: table.clone(),
                        };
                        return difference(l, kind);
                    }
                }
            }
        }
        log.next();
        live.next();
    }
}
