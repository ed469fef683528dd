//! Text messages.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use evident_domain::Time;

use super::Secret;
use crate::messages::sms::SmsProvider;

/// Text messages.
#[derive(Clone)]
pub struct SmsSettings {
    /// How long codes are good, in seconds.
    pub otp_exp_seconds: u64,
    /// How many digits a code has, 6 to 10.
    pub otp_length: usize,
    /// Between two messages of one kind to one person so much time passes.
    pub max_frequency: Duration,
    /// The text, in Go's template syntax, with `{{ .Code }}`; none: the built-in one.
    pub template: Option<String>,
    /// Numbers that get a fixed code and no message: digits without `+`, and the code.
    pub test_otp: BTreeMap<String, String>,
    /// Until when the fixed codes are good; none: for ever.
    pub test_otp_valid_until: Option<Time>,
    /// Who carries the messages; none: they become files in the data folder.
    pub provider: Option<String>,
    /// The owner's accounts at the services.
    pub accounts: SmsAccounts,
    /// In place of the service's own address.
    pub service_url: Option<String>,
    /// The webhook that carries the messages, when it is the provider.
    pub webhook_url: Option<String>,
    /// What signs the calls of the webhook.
    pub webhook_secrets: Vec<Secret>,
}

/// The owner's accounts at text message services.
#[derive(Debug, Clone, Default)]
pub struct SmsAccounts {
    /// At Twilio.
    pub twilio: SmsAccount,
    /// At Twilio, for Verify.
    pub twilio_verify: SmsAccount,
    /// At MessageBird.
    pub messagebird: SmsAccount,
    /// At Textlocal.
    pub textlocal: SmsAccount,
    /// At Vonage.
    pub vonage: SmsAccount,
}

/// The owner's account at a text message service. What a service has no use for stays empty.
#[derive(Debug, Clone, Default)]
pub struct SmsAccount {
    /// Its name or id.
    pub id: String,
    /// The key or password.
    pub secret: Option<Secret>,
    /// Who sends: a number, a name, a pool of numbers, a service.
    pub sender: String,
    /// The template of WhatsApp messages.
    pub template: Option<String>,
}

impl Default for SmsSettings {
    fn default() -> Self {
        Self {
            otp_exp_seconds: 60,
            otp_length: 6,
            max_frequency: Duration::from_secs(60),
            template: None,
            test_otp: BTreeMap::new(),
            test_otp_valid_until: None,
            provider: None,
            accounts: SmsAccounts::default(),
            service_url: None,
            webhook_url: None,
            webhook_secrets: Vec::new(),
        }
    }
}

impl SmsSettings {
    /// The name of the provider that is a webhook of the owner's.
    pub const WEBHOOK: &'static str = "webhook";

    /// The service that carries the messages, and the account there; none where none is set, nobody knows
    /// it, or the account has no key.
    pub fn service(&self) -> Option<(SmsProvider, &SmsAccount)> {
        let provider = SmsProvider::from_name(self.provider.as_deref()?)?;
        let account = match provider {
            SmsProvider::Twilio => &self.accounts.twilio,
            SmsProvider::TwilioVerify => &self.accounts.twilio_verify,
            SmsProvider::MessageBird => &self.accounts.messagebird,
            SmsProvider::Textlocal => &self.accounts.textlocal,
            SmsProvider::Vonage => &self.accounts.vonage,
        };
        account.secret.is_some().then_some((provider, account))
    }

    /// The webhook that carries the messages, where it is the provider.
    pub fn webhook(&self) -> Option<&str> {
        self.webhook_url.as_deref().filter(|_| self.provider.as_deref() == Some(Self::WEBHOOK))
    }

    /// The fixed code of a number (digits without `+`), while fixed codes are good.
    pub fn test_code(&self, phone: &str, now: Time) -> Option<&str> {
        let good = self.test_otp_valid_until.is_none_or(|until| now < until);
        self.test_otp.get(phone).filter(|_| good).map(String::as_str)
    }
}

/// The fixed codes are as good as passwords, so they are not shown.
impl fmt::Debug for SmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsSettings")
            .field("otp_exp_seconds", &self.otp_exp_seconds)
            .field("otp_length", &self.otp_length)
            .field("max_frequency", &self.max_frequency)
            .field("template", &self.template)
            .field("test_otp", &self.test_otp.len())
            .field("test_otp_valid_until", &self.test_otp_valid_until)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_codes_end_when_they_should() {
        let at = |hour: &str| format!("2026-01-01T{hour}:00:00Z").parse::<Time>().unwrap();
        let test_otp = BTreeMap::from([("15005550009".to_owned(), "123456".to_owned())]);
        let sms = SmsSettings { test_otp, test_otp_valid_until: Some(at("12")), ..SmsSettings::default() };
        assert_eq!(sms.test_code("15005550009", at("11")), Some("123456"));
        assert_eq!(sms.test_code("15005550009", at("12")), None);
        assert_eq!(sms.test_code("15005550010", at("11")), None);
    }

    #[test]
    fn debug_shows_no_code() {
        let test_otp = BTreeMap::from([("15005550009".to_owned(), "271828".to_owned())]);
        let sms = SmsSettings { test_otp, ..SmsSettings::default() };
        assert!(!format!("{sms:?}").contains("271828"));
    }
}
