//! Second factors and passkeys.

use std::time::Duration;

use evident_domain::user::factor::{FactorKind, FactorLimits};

/// What may be done with one kind of second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorSwitch {
    /// New ones may be enrolled.
    pub enroll: bool,
    /// They may be asked and may answer.
    pub verify: bool,
}

/// Second factors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactorSettings {
    /// Authenticator apps.
    pub totp: FactorSwitch,
    /// Phones.
    pub phone: FactorSwitch,
    /// Authenticators (Web Authentication).
    pub webauthn: FactorSwitch,
    /// How many digits a code by text message has, 6 to 10.
    pub phone_otp_length: usize,
    /// The text message, in Go's template syntax, with `{{ .Code }}`; none: the built-in one.
    pub phone_template: Option<String>,
    /// Between two messages to one phone so much time passes.
    pub phone_max_frequency: Duration,
    /// How long challenges may be answered.
    pub challenge_expiry: Duration,
    /// How long one stays that is neither verified nor asked.
    pub factor_expiry: Duration,
    /// How many an account may have.
    pub max_enrolled: usize,
    /// How many of them may be verified.
    pub max_verified: usize,
}

impl SecondFactorSettings {
    /// The time that neither challenges nor unverified factors have less of.
    const FLOOR: Duration = Duration::from_secs(300);

    /// What may be done with a kind.
    pub fn switch(&self, kind: FactorKind) -> FactorSwitch {
        match kind {
            FactorKind::Totp => self.totp,
            FactorKind::Phone => self.phone,
            FactorKind::Webauthn => self.webauthn,
        }
    }

    /// How many there may be.
    pub fn limits(&self) -> FactorLimits {
        FactorLimits {
            enrolled: self.max_enrolled,
            verified: self.max_verified,
            unverified_for: self.factor_expiry.max(Self::FLOOR),
        }
    }

    /// How long a challenge may be answered.
    pub fn challenge_lifetime(&self) -> Duration {
        self.challenge_expiry.max(Self::FLOOR)
    }
}

impl Default for SecondFactorSettings {
    fn default() -> Self {
        let (on, off) = (true, false);
        Self {
            totp: FactorSwitch { enroll: on, verify: on },
            phone: FactorSwitch { enroll: off, verify: off },
            webauthn: FactorSwitch { enroll: off, verify: off },
            phone_otp_length: 6,
            phone_template: None,
            phone_max_frequency: Duration::from_secs(60),
            challenge_expiry: Self::FLOOR,
            factor_expiry: Self::FLOOR,
            max_enrolled: 10,
            max_verified: 10,
        }
    }
}

/// Who authenticators deal with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebauthnSettings {
    /// The domain that keys belong to; none: the host of the application.
    pub rp_id: Option<String>,
    /// The name that people see; none: the domain.
    pub rp_display_name: Option<String>,
    /// The origins of the pages that may use the keys; empty: the application's.
    pub rp_origins: Vec<String>,
    /// How long a passkey may take to answer.
    pub challenge_expiry: Duration,
}

impl Default for WebauthnSettings {
    fn default() -> Self {
        Self {
            rp_id: None,
            rp_display_name: None,
            rp_origins: Vec::new(),
            challenge_expiry: Duration::from_secs(300),
        }
    }
}

/// Passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasskeySettings {
    /// Passkeys may be added and may sign in.
    pub enabled: bool,
    /// How many an account may have.
    pub max_per_user: usize,
}

impl Default for PasskeySettings {
    fn default() -> Self {
        Self { enabled: false, max_per_user: 10 }
    }
}
