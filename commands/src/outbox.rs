//! The outbox worker: sends what was committed, again and again until it is sent or hopeless.

use std::sync::Arc;
use std::time::Duration;

use evident_domain::{Subject, Time};
use evident_eventstore::{DueMessage, EventStore, StoreError};
use futures::future::join_all;
use tokio::sync::watch;

use crate::messages::{Message, MessagePort, Queued, Slip};

/// Messages that are taken at once.
const BATCH: u32 = 20;
/// For so long no other worker sees a message that this one has taken.
const LEASE: Duration = Duration::from_secs(60);
/// How often to look when nothing moves here; other nodes commit too.
const IDLE: Duration = Duration::from_secs(5);
/// Tries after which a message is given up: with doubling pauses that is about a day.
const MAX_ATTEMPTS: u32 = 12;

/// Sends the outbox.
#[derive(Debug)]
pub struct OutboxWorker {
    store: EventStore,
    port: Arc<dyn MessagePort>,
}

impl OutboxWorker {
    /// A worker over a store and the ways out.
    pub fn new(store: EventStore, port: Arc<dyn MessagePort>) -> Self {
        Self { store, port }
    }

    /// Works until the shutdown is announced.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut moved = self.store.watch_head();
        while !*shutdown.borrow() {
            match self.step().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the outbox cannot be read");
                }
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                _ = moved.changed() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
    }

    /// One round: takes what is due and sends it. Says how many messages it took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let now = self.store.clock().now();
        let due = self.store.take_due_messages(now, now + LEASE, BATCH).await?;
        let taken = due.len();
        // Side by side: one that is slow must not hold up the others beyond the lease.
        for delivered in join_all(due.into_iter().map(|message| self.deliver(message, now))).await {
            delivered?;
        }
        Ok(taken)
    }

    async fn deliver(&self, due: DueMessage, now: Time) -> Result<(), StoreError> {
        let Some(payload) = due.payload else {
            // The person was erased: there is nobody to write to.
            return self.store.drop_message(due.id).await;
        };
        let Queued { message, ip } = match serde_json::from_value(payload) {
            Ok(queued) => queued,
            Err(error) => {
                tracing::error!(message = %due.id, %error, "a message of the outbox does not read; it is dropped");
                return self.store.drop_message(due.id).await;
            }
        };
        if let Message::Sms(sms) = &message
            && sms.expires_at.is_some_and(|end| end <= now)
        {
            tracing::warn!(message = %due.id, "a text message is given up: its code has expired");
            return self.store.drop_message(due.id).await;
        }
        let user = if let Subject::User(user) = due.subject { Some(user) } else { None };
        let slip = Slip { id: due.id, queued_at: due.created_at, user, ip };
        match self.port.deliver(&slip, &message).await {
            Ok(()) => self.store.drop_message(due.id).await,
            Err(error) if error.is_transient() && due.attempts + 1 < MAX_ATTEMPTS => {
                let pause = Duration::from_secs(10).saturating_mul(2_u32.saturating_pow(due.attempts));
                tracing::warn!(message = %due.id, attempt = due.attempts + 1, error = &error as &dyn std::error::Error, "a message was not sent; it is tried again");
                self.store.postpone_message(due.id, now + pause, &error.to_string()).await
            }
            Err(error) => {
                tracing::error!(message = %due.id, error = &error as &dyn std::error::Error, "a message cannot be sent; it is given up");
                self.store.drop_message(due.id).await
            }
        }
    }
}
