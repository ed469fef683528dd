//! Between rows of values and typed structs.

use chrono::DateTime;
use evident_domain::Time;
use evident_eventstore::{Column, DatabaseError, Row, Table, Value};
use uuid::Uuid;

/// A text as both databases can hold it: PostgreSQL has no NUL in texts, so it becomes U+FFFD.
pub(crate) fn text(text: &str) -> Value {
    if text.contains('\0') { Value::Text(text.replace('\0', "\u{fffd}")) } else { text.into() }
}

/// A text that may not be there.
pub(crate) fn maybe_text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, text)
}

/// What is stored as JSON. Ours always writes.
pub(crate) fn json(value: &impl serde::Serialize) -> Value {
    text(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

/// A moment.
pub(crate) fn time(time: Time) -> Value {
    Value::Int(time.timestamp_micros())
}

/// A moment that may not be there.
pub(crate) fn maybe_time(value: Option<Time>) -> Value {
    value.map_or(Value::Null, time)
}

/// An unsigned number. Positions and counts stay far below the limit.
pub(crate) fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Reads a row from left to right.
pub(crate) struct Cells {
    table: String,
    columns: &'static [Column],
    values: std::vec::IntoIter<Value>,
    at: usize,
}

impl Cells {
    /// A row of a table, in the order of its columns.
    pub(crate) fn new(table: &Table, row: Row) -> Self {
        Self { table: table.name.to_string(), columns: table.columns, values: row.into_iter(), at: 0 }
    }

    fn next(&mut self) -> Value {
        self.at += 1;
        self.values.next().unwrap_or(Value::Null)
    }

    fn unexpected(&self) -> DatabaseError {
        let column = self.columns.get(self.at.saturating_sub(1)).map_or("", |column| column.name);
        DatabaseError::Unexpected { table: self.table.clone(), column }
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, DatabaseError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Bool(_) | Value::Int(_) | Value::Bytes(_) => Err(self.unexpected()),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, DatabaseError> {
        self.maybe_text()?.ok_or_else(|| self.unexpected())
    }

    fn maybe_int(&mut self) -> Result<Option<i64>, DatabaseError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            Value::Bool(_) | Value::Text(_) | Value::Bytes(_) => Err(self.unexpected()),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, DatabaseError> {
        self.maybe_number()?.ok_or_else(|| self.unexpected())
    }

    pub(crate) fn maybe_number(&mut self) -> Result<Option<u64>, DatabaseError> {
        let number = self.maybe_int()?;
        number.map(|number| u64::try_from(number).map_err(|_| self.unexpected())).transpose()
    }

    pub(crate) fn flag(&mut self) -> Result<bool, DatabaseError> {
        let value = self.next();
        value.as_bool().ok_or_else(|| self.unexpected())
    }

    pub(crate) fn maybe_flag(&mut self) -> Result<Option<bool>, DatabaseError> {
        match self.next() {
            Value::Null => Ok(None),
            value => value.as_bool().map(Some).ok_or_else(|| self.unexpected()),
        }
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<Time>, DatabaseError> {
        match self.maybe_int()? {
            None => Ok(None),
            Some(micros) => {
                DateTime::from_timestamp_micros(micros).map(Some).ok_or_else(|| self.unexpected())
            }
        }
    }

    pub(crate) fn time(&mut self) -> Result<Time, DatabaseError> {
        self.maybe_time()?.ok_or_else(|| self.unexpected())
    }

    pub(crate) fn id<T: From<Uuid>>(&mut self) -> Result<T, DatabaseError> {
        let text = self.text()?;
        Uuid::parse_str(&text).map(T::from).map_err(|_| self.unexpected())
    }

    /// What is stored as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, DatabaseError> {
        self.parsed(|json| serde_json::from_str(json).ok())
    }

    /// A text that some function can read, where there is one.
    pub(crate) fn maybe_parsed<T>(
        &mut self,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, DatabaseError> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        read(&text).map(Some).ok_or_else(|| self.unexpected())
    }

    /// A text that some function can read.
    pub(crate) fn parsed<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, DatabaseError> {
        let text = self.text()?;
        read(&text).ok_or_else(|| self.unexpected())
    }
}
