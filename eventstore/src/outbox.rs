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
        let those = transaction.dialect().one_of(2);
        let hide = format!("update outbox set next_attempt = $1, attempts = attempts + 1 where id {those}");
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

    /// Messages that hold somebody's data go: nobody is left whom they concern.
    pub(crate) async fn drop_messages_of(&self, subject: &Subject) -> Result<(), StoreError> {
        let sql = "delete from outbox where subject = $1 or subject like $2 or subject like $3";
        let params =
            [subject.to_string().into(), format!("{subject} %").into(), format!("% {subject}").into()];
        let mut transaction = self.database().transaction().await?;
        transaction.execute(sql, &params).await?;
        Ok(transaction.commit().await?)
    }

    /// Messages that hold somebody's data and are still to be sent, oldest first: when they were committed,
    /// and what they say.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_of(&self, subject: &Subject) -> Result<Vec<DueMessage>, StoreError> {
        let sql = "select id, subject, payload, attempts, created_at from outbox \
                   where subject = $1 or subject like $2 or subject like $3 order by created_at, id";
        let params =
            [subject.to_string().into(), format!("{subject} %").into(), format!("% {subject}").into()];
        let mut messages = Vec::new();
        for row in self.database().query(sql, &params).await? {
            messages.extend(self.open_message(&row).await?);
        }
        Ok(messages)
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
        let (mut sealed, mut subjects) = (message.payload.to_string(), Vec::new());
        for subject in std::iter::once(&message.subject).chain(&message.also) {
            let key = self.vault().subject_key(subject).await.map_err(StoreError::vault)?;
            sealed = key
                .seal_text(sealed.as_bytes(), &context(message.id), self.entropy())
                .map_err(StoreError::Seal)?;
            subjects.push(subject.to_string());
        }
        Ok(vec![
            message.id.to_string().into(),
            subjects.join(" ").into(),
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
        let subjects: Result<Vec<Subject>, _> = subject.split(' ').map(str::parse).collect();
        let (Ok(id), Ok(subjects)) = (id.parse::<Uuid>(), subjects) else { return Ok(None) };
        let Some(subject) = subjects.first().cloned() else { return Ok(None) };
        self.vault().catch_up().await.map_err(StoreError::vault)?;
        let keys = self.vault().find_keys(&subjects).await.map_err(StoreError::vault)?;
        let mut opened = Some(payload.clone().into_bytes());
        for subject in subjects.iter().rev() {
            opened = match (opened, keys.get(subject)) {
                (None, _) | (_, None) => None,
                // A message that was tampered with never goes out, and must not keep the others back.
                (Some(sealed), Some(key)) => {
                    let sealed = String::from_utf8(sealed).unwrap_or_default();
                    key.open_text(&sealed, &context(id))
                        .inspect_err(|broken| {
                            let error = broken as &dyn std::error::Error;
                            tracing::error!(%id, error, "a message is damaged");
                        })
                        .ok()
                }
            };
        }
        let payload = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        let attempts = u32::try_from(*attempts).unwrap_or(u32::MAX);
        let created_at = Time::from_timestamp_micros(*created_at).unwrap_or_default();
        Ok(Some(DueMessage { id, payload, subject, attempts, created_at }))
    }
}

fn context(id: Uuid) -> String {
    format!("outbox:{id}")
}
