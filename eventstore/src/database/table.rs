//! Tables as both databases see them: typed columns, rows of values, set-wise statements.

use std::borrow::Cow;

use async_trait::async_trait;

use super::DatabaseError;

/// A value in a row. Times are microseconds since 1970 in an `Int`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// SQL `null`.
    Null,
    /// `boolean`; SQLite keeps 0 and 1 and hands them back as `Int`: read with [`Value::as_bool`].
    Bool(bool),
    /// `bigint`.
    Int(i64),
    /// `text`, also JSON as text.
    Text(String),
    /// `bytea`, `blob`.
    Bytes(Vec<u8>),
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Bytes(_) => None,
        }
    }

    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    /// The truth value, in the form of either database.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Int(number) => Some(*number != 0),
            Self::Null | Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    /// The bytes, if it is some.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a row, in the order of the table's columns.
pub type Row = Vec<Value>;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// [`Value::Bool`]
    Bool,
    /// [`Value::Int`]
    Int,
    /// [`Value::Text`]
    Text,
    /// [`Value::Text`] in a column of PostgreSQL's type `json`, which keeps the text as it is.
    Json,
    /// [`Value::Bytes`]
    Bytes,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether it stays as it was when the row came: what never changes is not written again, nor are the
    /// indexes over it.
    pub fixed: bool,
}

impl Column {
    /// A column that may change.
    pub const fn new(name: &'static str, kind: ColumnType) -> Self {
        Self { name, kind, fixed: false }
    }

    /// The same, where it never changes in a row's life.
    #[must_use]
    pub const fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }
}

/// A table whose first column, a text, is the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its columns, the key first.
    pub columns: &'static [Column],
}

impl Table {
    /// A table by its name in the migrations.
    pub const fn new(name: &'static str, columns: &'static [Column]) -> Self {
        Self { name: Cow::Borrowed(name), columns }
    }

    /// A table of the same columns under another name.
    #[must_use]
    pub fn named(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), columns: self.columns }
    }

    /// The key column's name.
    pub fn key(&self) -> &'static str {
        self.columns.first().map_or("", |column| column.name)
    }

    /// `a, b, c`
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 15 and later.
    Postgres,
}

impl Dialect {
    /// What stands behind a column of texts to find the rows that have one of several, which travel as one JSON
    /// array in a parameter of this number. As an array PostgreSQL looks for each in an index; as a subquery it
    /// might read the whole table.
    pub fn one_of(self, param: usize) -> String {
        match self {
            Self::Sqlite => format!("in (select value from json_each(${param}))"),
            Self::Postgres => format!("= any(array(select json_array_elements_text(${param}::json)))"),
        }
    }

    /// What finds the id in a field of an event's payload, as an index on the log has it. PostgreSQL's own
    /// `->>` fails over any text of a payload that holds U+0000, so there the text is searched: quotes
    /// inside of values are escaped, so a value cannot pretend to be the field.
    pub fn named_in_payload(self, field: &str) -> String {
        match self {
            Self::Sqlite => format!("payload ->> '{field}'"),
            Self::Postgres => format!(r#"substring(payload::text from '"{field}":"([0-9a-f-]{{36}})"')"#),
        }
    }
}

/// Set-wise work on tables inside a transaction: one round trip a call, whatever the number of rows.
///
/// Parameters are written `$1`, `$2` … in both dialects.
#[async_trait]
pub trait Tables: Send {
    /// Which SQL is spoken.
    fn dialect(&self) -> Dialect;

    /// The rows whose text column has one of the values.
    async fn select(
        &mut self,
        table: &Table,
        column: &str,
        values: &[String],
    ) -> Result<Vec<Row>, DatabaseError>;

    /// Writes rows; one with a key that is there replaces it.
    async fn upsert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError>;

    /// Writes rows; a key that is there is an error. To be awaited to the end: a connection on which this was given up
    /// half-way may fail whoever uses it next.
    async fn insert(&mut self, table: &Table, rows: Vec<Row>) -> Result<(), DatabaseError>;

    /// Removes rows by their keys.
    async fn delete(&mut self, table: &Table, keys: &[String]) -> Result<(), DatabaseError>;

    /// Runs a statement; says how many rows it touched.
    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;

    /// Runs statements without parameters, one after the other; where the database can, in one round trip.
    async fn run(&mut self, statements: &[String]) -> Result<(), DatabaseError> {
        for statement in statements {
            self.execute(statement, &[]).await?;
        }
        Ok(())
    }

    /// Runs a query.
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError>;
}
