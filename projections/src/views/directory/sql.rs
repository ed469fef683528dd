//! Pieces of statements with the values that belong to them.

use evident_eventstore::{Database, DatabaseError, Row, Value};

/// SQL with a `?` for each of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    pub(super) fn with<V: Into<Value>>(text: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { text: text.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// Both hold.
    #[must_use]
    pub(super) fn and(self, other: &Self) -> Self {
        self.then(" and ").append(other)
    }

    /// Goes on with a text without values.
    #[must_use]
    pub(super) fn then(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    #[must_use]
    pub(super) fn append(mut self, other: &Self) -> Self {
        self.text.push_str(&other.text);
        self.values.extend_from_slice(&other.values);
        self
    }

    /// Goes on with a value.
    #[must_use]
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.text.push('?');
        self.values.push(value.into());
        self
    }

    /// With the value of a `?` that the text has already.
    #[must_use]
    pub(super) fn with_value(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The statement with numbered parameters.
    fn numbered(&self) -> String {
        let mut pieces = self.text.split('?');
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (at, piece) in pieces.enumerate() {
            text.push('$');
            text.push_str(&(at + 1).to_string());
            text.push_str(piece);
        }
        text
    }

    pub(super) async fn rows(&self, database: &Database) -> Result<Vec<Row>, DatabaseError> {
        database.query(&self.numbered(), &self.values).await
    }

    /// The first number of the first row.
    pub(super) async fn number(&self, database: &Database) -> Result<i64, DatabaseError> {
        let rows = self.rows(database).await?;
        Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_in_the_order_of_the_text() {
        let one = Sql::with("u.email = ?", ["a?b"]);
        let two = Sql::with("u.name in (?, ?)", ["c", "d"]);
        let both = Sql::plain("select 1 where ").append(&one).and(&two).then(" limit ").bind(5);
        assert_eq!(both.numbered(), "select 1 where u.email = $1 and u.name in ($2, $3) limit $4");
        assert_eq!(both.values, ["a?b".into(), "c".into(), "d".into(), Value::Int(5)]);
    }
}
