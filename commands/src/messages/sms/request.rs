//! A request to a service, from its description, the owner's account and the message.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::super::Sms;
use super::exposed;
use super::providers::{Auth, Field, Holds};
use crate::settings::SmsAccount;

/// Where a request goes: below the base's own path, with the owner's ids in their places.
pub(super) fn address(base: &Url, path: &str, account: &SmsAccount) -> Result<Url, url::ParseError> {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let path =
        path.replace("{account}", &escaped(&account.id)).replace("{sender}", &escaped(&account.sender));
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/')))
}

/// A request that the service knows as the owner's.
pub(super) fn authorized(request: RequestBuilder, auth: Auth, account: &SmsAccount) -> RequestBuilder {
    let secret = exposed(account.secret.as_ref());
    match auth {
        Auth::Basic => request.basic_auth(&account.id, Some(secret)),
        Auth::AccessKey => {
            let value = Zeroizing::new(format!("AccessKey {secret}"));
            request.header(header::AUTHORIZATION, value.as_str())
        }
        Auth::InForm => request,
    }
}

/// The fields of a form, filled.
pub(super) fn fill(fields: &'static [Field], account: &SmsAccount, sms: &Sms) -> Vec<(&'static str, String)> {
    fields.iter().map(|(name, holds)| (*name, value(*holds, account, sms))).collect()
}

fn value(holds: Holds, account: &SmsAccount, sms: &Sms) -> String {
    match holds {
        Holds::Digits => sms.to.to_string(),
        Holds::Number => format!("+{}", sms.to),
        Holds::WhatsappNumber => format!("whatsapp:+{}", sms.to),
        Holds::Sender => account.sender.clone(),
        Holds::WhatsappSender => {
            let digits = account.sender.strip_prefix('+').unwrap_or(&account.sender);
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if is_number { format!("whatsapp:+{digits}") } else { account.sender.clone() }
        }
        Holds::Text => sms.text.clone(),
        Holds::Code => sms.code.clone(),
        Holds::CodeVariable => json!({ "1": sms.code }).to_string(),
        Holds::Template => account.template.clone().unwrap_or_default(),
        Holds::Channel => sms.channel.as_str().to_owned(),
        Holds::Encoding => if sms.text.is_ascii() { "text" } else { "unicode" }.to_owned(),
        Holds::Account => account.id.clone(),
        Holds::Secret => exposed(account.secret.as_ref()).to_owned(),
        Holds::Always(text) => text.to_owned(),
    }
}
