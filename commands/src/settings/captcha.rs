//! Captchas.

use std::time::Duration;

use super::Secret;

/// The riddles that strangers solve first.
#[derive(Debug, Clone)]
pub struct CaptchaSettings {
    /// Whether they are asked for.
    pub enabled: bool,
    /// The service: `hcaptcha` or `turnstile`.
    pub provider: String,
    /// Our secret there.
    pub secret: Option<Secret>,
    /// How long the service may take.
    pub timeout: Duration,
    /// In place of the service's own address.
    pub url: Option<String>,
}

impl Default for CaptchaSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            provider: "hcaptcha".to_owned(),
            secret: None,
            timeout: Duration::from_secs(10),
            url: None,
        }
    }
}
