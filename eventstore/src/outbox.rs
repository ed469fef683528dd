//! The outbox: messages that were committed with a change and are still to be sent.

use evident_domain::{Subject, Time};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::codec::signed;
use crate::database::{Column, ColumnType, Dialect, Row, Table, Tables, Value};
use crate::{EventStore, StoreError};

pub(crate) const OUTBOX: Table = Table::new(
    "outbox",
    &[
        Column::new("id", ColumnType::Text),
        Column::new("subject", ColumnType::Text),
        Column::new("payload", ColumnType::Text),
        Column::new("created_at", ColumnType::Int),
        Column::new("attempts", ColumnType::Int),
        Column::new("next_attempt", ColumnType::Int),
        Column::new("last_error", ColumnType::Text),
    ],
);

/// A message that is due.
#[derive(Debug, Clone)]
pub struct DueMessage {
    /// Its id: the same at every try.
    pub id: Uuid,
    /// What to send; nothing when the person it was for was erased meanwhile, or when the stored
    /// message is damaged.
    pub payload: Option<Json>,
    /// Whose data it holds.
    pub subject: Subject,
    /// How often it was tried before.
    pub attempts: u32,
    /// When it was committed.
    pub created_at: Time,
}

impl EventStore {
    /// Takes messages that are due, and hides them from other workers until `hidden_until`: a worker
    /// that dies leaves them to the next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_due_messages(
        &self,
        now: Time,
        hidden_until: Time,
        limit: u32,
    ) -> Result<Vec<DueMessage>, StoreError> {
        let due = "select id, subject, payload, attempts, created_at from outbox where next_attempt <= $1 \
                   order by next_attempt, id";
        // Looking costs little; only what is there is worth a transaction.
        let now_micros = Value::Int(now.timestamp_micros());
        if self
            .database()
            .query(&format!("{due} limit 1"), std::slice::from_ref(&now_micros))
            .await?
            .is_empty()
        {
            return Ok(Vec::new());
        }
        let mut transaction = self.database().transaction().await?;
        let lock = match transaction.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => " for update skip locked",
        };
        let rows = transaction
            .query(&format!("{due} limit $2{lock}"), &[now_micros, i64::from(limit).into()])
            .await?;
        let list = match transaction.dialect() {
            Dialect::Sqlite => "select value from json_each($2)",
            Dialect::Postgres => "select json_array_elements_text($2::json)",
        };
        let hide =
            format!("update outbox set next_attempt = $1, attempts = attempts + 1 where id in ({list})");
        let ids: Json = rows.iter().filter_map(|row| row.first()?.as_text()).collect();
        let params = [hidden_until.timestamp_micros().into(), ids.to_string().into()];
        transaction.execute(&hide, &params).await?;
        transaction.commit().await?;
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            messages.extend(self.open_message(&row).await?);
        }
        Ok(messages)
    }

    /// A message is sent, or given up: its row goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_message(&self, id: Uuid) -> Result<(), StoreError> {
        let mut transaction = self.database().transaction().await?;
        transaction.delete(&OUTBOX, &[id.to_string()]).await?;
        Ok(transaction.commit().await?)
    }

    /// A message could not be sent: it is due again later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_message(&self, id: Uuid, until: Time, why: &str) -> Result<(), StoreError> {
        let mut transaction = self.database().transaction().await?;
        let sql = "update outbox set next_attempt = $1, last_error = $2 where id = $3";
        let params = [until.timestamp_micros().into(), why.into(), id.to_string().into()];
        transaction.execute(sql, &params).await?;
        Ok(transaction.commit().await?)
    }

    /// The row of a new message.
    pub(crate) async fn message_row(
        &self,
        message: &crate::OutboxMessage,
        now: Time,
    ) -> Result<Row, StoreError> {
        let key = self.vault().subject_key(&message.subject).await.map_err(StoreError::vault)?;
        let sealed = key
            .seal_text(message.payload.to_string().as_bytes(), &context(message.id), self.entropy())
            .map_err(StoreError::Seal)?;
        Ok(vec![
            message.id.to_string().into(),
            message.subject.to_string().into(),
            sealed.into(),
            now.timestamp_micros().into(),
            signed(0).into(),
            now.timestamp_micros().into(),
            Value::Null,
        ])
    }

    async fn open_message(&self, row: &Row) -> Result<Option<DueMessage>, StoreError> {
        let [
            Value::Text(id),
            Value::Text(subject),
            Value::Text(payload),
            Value::Int(attempts),
            Value::Int(created_at),
        ] = row.as_slice()
        else {
            return Ok(None);
        };
        let (Ok(id), Ok(subject)) = (id.parse::<Uuid>(), subject.parse::<Subject>()) else {
            return Ok(None);
        };
        let keys = self.vault().find_keys([&subject]).await.map_err(StoreError::vault)?;
        let payload = match keys.get(&subject) {
            None => None,
            // A message that was tampered with never goes out, and must not keep the others back.
            Some(key) => match key.open_text(payload, &context(id)) {
                Ok(plain) => serde_json::from_slice(&plain).ok(),
                Err(broken) => {
                    tracing::error!(%id, error = &broken as &dyn std::error::Error, "a message is damaged");
                    None
                }
            },
        };
        let attempts = u32::try_from(*attempts).unwrap_or(u32::MAX);
        let created_at = Time::from_timestamp_micros(*created_at).unwrap_or_default();
        Ok(Some(DueMessage { id, payload, subject, attempts, created_at }))
    }
}

fn context(id: Uuid) -> String {
    format!("outbox:{id}")
}
