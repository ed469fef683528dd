//! Captchas: a service says whether a person solved a riddle.

use std::fmt;
use std::net::IpAddr;

use reqwest::Method;
use serde::Deserialize;
use url::Url;

use crate::outbound::{Chosen, Outbound};
use crate::settings::{CaptchaSettings, Secret};

/// The longest answer of the service, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The longest token that is handed on, in bytes; those of the services are far shorter.
const LONGEST_TOKEN: usize = 16 * 1024;

/// A captcha service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptchaProvider {
    /// `hCaptcha`
    Hcaptcha,
    /// Cloudflare's Turnstile
    Turnstile,
}

impl CaptchaProvider {
    /// The service of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "hcaptcha" => Some(Self::Hcaptcha),
            "turnstile" => Some(Self::Turnstile),
            _ => None,
        }
    }

    fn address(self) -> &'static str {
        match self {
            Self::Hcaptcha => "https://hcaptcha.com/siteverify",
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        }
    }
}

/// Why a request may not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptchaError {
    /// The request brings no token.
    #[error("no captcha_token found")]
    Missing,
    /// The service does not take the token; in its own words.
    #[error("{0}")]
    Refused(String),
    /// The service does not say.
    #[error("captcha verification process failed")]
    Unreachable,
}

/// Asks the service about tokens.
#[derive(Clone)]
pub struct Captcha {
    url: Url,
    secret: Secret,
    timeout: std::time::Duration,
    outbound: Outbound,
}

impl fmt::Debug for Captcha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captcha(…)")
    }
}

/// What the services answer.
#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

impl Captcha {
    /// The service of the settings; none where captchas are off. The configuration sees to it that what is
    /// on is whole.
    pub fn of(settings: &CaptchaSettings, outbound: &Outbound) -> Option<Self> {
        let provider = CaptchaProvider::from_name(&settings.provider).filter(|_| settings.enabled)?;
        let address = settings.url.as_deref().unwrap_or(provider.address());
        Some(Self {
            url: Url::parse(address).ok()?,
            secret: settings.secret.clone()?,
            timeout: settings.timeout,
            outbound: outbound.clone(),
        })
    }

    /// Whether a person solved the riddle.
    ///
    /// # Errors
    /// When there is no token, or the service does not take it, or does not say.
    pub async fn verify(&self, token: &str, ip: Option<IpAddr>) -> Result<(), CaptchaError> {
        let token = token.trim();
        if token.is_empty() {
            return Err(CaptchaError::Missing);
        }
        if token.len() > LONGEST_TOKEN {
            return Err(CaptchaError::Refused("invalid-input-response".to_owned()));
        }
        let mut form = vec![("secret", self.secret.expose().to_owned()), ("response", token.to_owned())];
        if let Some(ip) = ip {
            form.push(("remoteip", ip.to_string()));
        }
        let request = self.outbound.request(Method::POST, &self.url, Chosen::ByOwner);
        let request = request.map_err(|_| CaptchaError::Unreachable)?.timeout(self.timeout).form(&form);
        let answer = self.outbound.send_up_to(request, LONGEST_ANSWER).await;
        let answer = answer.and_then(|answer| answer.json::<Answer>()).map_err(|error| {
            tracing::error!(%error, "the captcha service does not answer");
            CaptchaError::Unreachable
        })?;
        if answer.success { Ok(()) } else { Err(CaptchaError::Refused(answer.error_codes.join(", "))) }
    }
}
