//! Text messages by a webhook of the owner's: JSON, signed as the Standard Webhooks specification says.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use evident_domain::ports::Clock;
use reqwest::{Method, header};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::super::{DeliveryError, Failure, Slip, Sms, SmsChannel, SmsPort};
use super::transport;
use crate::hooks::{WebhookSecret, signatures};
use crate::outbound::{Chosen, Outbound};

/// Hands text messages to a webhook.
pub struct SmsWebhook {
    url: Url,
    secrets: Vec<WebhookSecret>,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SmsWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmsWebhook(…)")
    }
}

/// What the webhook gets.
#[derive(Serialize)]
struct Payload<'a> {
    /// The same at every try.
    id: Uuid,
    /// `+` and digits.
    to: String,
    text: &'a str,
    code: &'a str,
    channel: SmsChannel,
}

impl SmsWebhook {
    /// Calls this address.
    pub fn new(url: Url, secrets: Vec<WebhookSecret>, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { url, secrets, outbound, clock }
    }
}

#[async_trait]
impl SmsPort for SmsWebhook {
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError> {
        let Sms { text, code, channel, .. } = sms;
        let payload = Payload { id: slip.id, to: format!("+{}", sms.to), text, code, channel: *channel };
        let body = serde_json::to_vec(&payload).map_err(|_| DeliveryError::Permanent(Failure::Unwritable))?;
        let (id, timestamp) = (slip.id.to_string(), self.clock.now().timestamp());
        let request = self.outbound.request(Method::POST, &self.url, Chosen::ByOwner);
        let mut request = request
            .map_err(transport)?
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp);
        if let Some(signature) = signatures(&self.secrets, &id, timestamp, &body) {
            request = request.header("webhook-signature", signature);
        }
        let answer = self.outbound.send(request.body(body)).await.map_err(transport)?;
        if answer.status.is_success() {
            return Ok(());
        }
        let status = answer.status.as_u16();
        let failure = Failure::SmsRefused { provider: "webhook", status, code: "-".to_owned() };
        // 410: the other side wants to hear no more of it.
        Err(if status == 410 { DeliveryError::Permanent(failure) } else { DeliveryError::Transient(failure) })
    }
}
