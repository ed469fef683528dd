//! Hooks: programs of the owner's that are asked or told when something happens.

use super::Secret;

/// All hooks. None is on by default.
#[derive(Debug, Clone, Default)]
pub struct HookSettings {
    /// Asked before an account is made.
    pub before_user_created: HookSetting,
    /// Told after an account was made.
    pub after_user_created: HookSetting,
    /// Decides what stands in each access token.
    pub custom_access_token: HookSetting,
    /// Asked about each password that is tried.
    pub password_verification_attempt: HookSetting,
    /// Asked about each second factor that is tried.
    pub mfa_verification_attempt: HookSetting,
    /// Sends the mails.
    pub send_email: HookSetting,
    /// Sends the text messages.
    pub send_sms: HookSetting,
}

/// One hook.
#[derive(Debug, Clone, Default)]
pub struct HookSetting {
    /// Whether it is on.
    pub enabled: bool,
    /// Where it is.
    pub uri: Option<String>,
    /// What signs the calls; none: they are not signed.
    pub secrets: Vec<Secret>,
}
