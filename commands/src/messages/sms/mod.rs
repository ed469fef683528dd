//! Text messages through a service, or through a webhook of the owner's.
//!
//! What a service wants to be told and how it answers is data (see [`providers`]); one carrier speaks to
//! all of them.

mod providers;
mod request;
mod webhook;

use std::fmt;

use async_trait::async_trait;
use evident_domain::Phone;
use reqwest::Method;
use serde_json::Value;
use url::Url;

pub use providers::SmsProvider;
pub use webhook::SmsWebhook;

use super::{DeliveryError, Failure, Slip, Sms, SmsPort};
use crate::outbound::{Answer, Chosen, Outbound, OutboundError};
use crate::settings::{Secret, SmsAccount};
use providers::Description;
use request::fill;

/// The longest answer of a service that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends text messages through a service.
#[derive(Clone)]
pub struct SmsService {
    description: &'static Description,
    account: SmsAccount,
    base: Url,
    outbound: Outbound,
}

impl fmt::Debug for SmsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsService").field("provider", &self.description.provider).finish_non_exhaustive()
    }
}

impl SmsService {
    /// A service, called with the owner's account there. `base` stands in for the service's own address.
    ///
    /// # Errors
    /// When the address does not read.
    pub fn new(
        provider: SmsProvider,
        account: SmsAccount,
        base: Option<&str>,
        outbound: Outbound,
    ) -> Result<Self, url::ParseError> {
        let description = provider.description();
        let base = Url::parse(base.unwrap_or(description.base))?;
        Ok(Self { description, account, base, outbound })
    }

    /// Whether the service makes and checks the codes itself, so that ours are worth nothing.
    pub fn checks_codes(&self) -> bool {
        self.description.check.is_some()
    }

    /// Asks a service that makes the codes itself whether one is good.
    ///
    /// # Errors
    /// When the service does not say.
    pub async fn check(&self, phone: &Phone, code: &str) -> Result<bool, DeliveryError> {
        let Some(check) = &self.description.check else { return Ok(false) };
        let sms = Sms { code: code.to_owned(), ..Sms::new(phone.clone(), String::new()) };
        let answer = self.post(check.path, check.fields, &sms).await?;
        // A code that was used up, or that never was, is not found.
        if answer.status == reqwest::StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let body = self.accepted(&answer)?;
        Ok(body.pointer(check.verdict.0).and_then(Value::as_str) == Some(check.verdict.1))
    }

    async fn post(
        &self,
        path: &'static str,
        fields: &'static [providers::Field],
        sms: &Sms,
    ) -> Result<Answer, DeliveryError> {
        let permanent = |_| DeliveryError::Permanent(Failure::Unwritable);
        let url = request::address(&self.base, path, &self.account).map_err(permanent)?;
        let request = self.outbound.request(Method::POST, &url, Chosen::ByOwner).map_err(transport)?;
        let request = request::authorized(request, self.description.auth, &self.account);
        let form = fill(fields, &self.account, sms);
        let sent = self.outbound.send_up_to(request.form(&form), LONGEST_ANSWER).await;
        sent.map_err(transport)
    }

    /// The body of an answer that says yes.
    fn accepted(&self, answer: &Answer) -> Result<Value, DeliveryError> {
        let body: Value = answer.json().unwrap_or_default();
        let failed = self.description.failed.iter().any(|failed| failed.is_in(&body));
        if answer.status.is_success() && !failed {
            return Ok(body);
        }
        let code = self.description.error.iter().find_map(|pointer| {
            let code = body.pointer(pointer)?;
            let text = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
            // Codes are short; sentences may repeat the number.
            (text.len() <= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(text)
        });
        let status = answer.status.as_u16();
        let failure = Failure::SmsRefused {
            provider: self.description.provider.as_str(),
            status,
            code: code.unwrap_or_else(|| "-".to_owned()),
        };
        // Credentials can be mended, an overloaded service recovers; a wrong number stays wrong.
        let for_good = matches!(status, 200..=299 | 400 | 404 | 405 | 410 | 413 | 414 | 422);
        Err(if for_good { DeliveryError::Permanent(failure) } else { DeliveryError::Transient(failure) })
    }
}

#[async_trait]
impl SmsPort for SmsService {
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError> {
        let description = self.description;
        let fields = description.fields_for(sms.channel, &self.account);
        let answer = self.post(description.path, fields, sms).await?;
        let body = self.accepted(&answer)?;
        let message_id = body.pointer(description.message_id).and_then(Value::as_str).unwrap_or("-");
        tracing::debug!(message = %slip.id, provider = description.provider.as_str(), message_id, "a text message is taken");
        Ok(())
    }
}

/// Why nobody answered.
fn transport(error: OutboundError) -> DeliveryError {
    DeliveryError::Transient(Failure::SmsUnreachable(error.to_string()))
}

/// A secret that is not set is empty.
fn exposed(secret: Option<&Secret>) -> &str {
    secret.map(Secret::expose).unwrap_or_default()
}

#[cfg(test)]
mod tests;
