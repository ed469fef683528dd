//! Hooks that are asked about each password and each second factor that is tried.

use std::net::IpAddr;

use evident_domain::UserId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Endpoint, HookError, Hooks};
use crate::Commands;
use crate::execute::Failure;
use crate::unit::Context;

/// What a hook decides about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on as if there were no hook.
    Continue,
    /// It fails, right or wrong.
    Reject {
        /// The message for people.
        message: String,
        /// Whether the user's sessions end as well.
        end_sessions: bool,
    },
}

/// A second factor that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorAttempt {
    /// Whose factor.
    pub user: UserId,
    /// Which factor.
    pub factor: Uuid,
    /// Its kind on the wire: `totp`, `phone`, `webauthn`.
    pub factor_type: &'static str,
    /// Whether the answer was right.
    pub valid: bool,
}

#[derive(Serialize)]
struct PasswordInput {
    user_id: UserId,
    valid: bool,
}

#[derive(Serialize)]
struct FactorInput {
    user_id: UserId,
    factor_id: Uuid,
    factor_type: &'static str,
    valid: bool,
}

/// What a hook answers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Output {
    decision: Option<String>,
    message: Option<String>,
    should_logout_user: Option<bool>,
}

impl Hooks {
    async fn judge(
        &self,
        endpoint: &Endpoint,
        name: &'static str,
        ip: Option<IpAddr>,
        input: impl Serialize + Send,
        usual: &str,
    ) -> Result<Verdict, HookError> {
        let output = self.ask(endpoint, name, ip, input).await?;
        let output: Output = match output {
            None | Some(Value::Null) => Output::default(),
            Some(output) => serde_json::from_value(output).map_err(|_| HookError::NotJson)?,
        };
        if output.decision.as_deref() != Some("reject") {
            return Ok(Verdict::Continue);
        }
        let message = output.message.filter(|message| !message.is_empty());
        Ok(Verdict::Reject {
            message: message.unwrap_or_else(|| usual.to_owned()),
            end_sessions: output.should_logout_user.unwrap_or_default(),
        })
    }
}

impl Hooks {
    /// Whether a hook is asked about second factors.
    pub(crate) fn judges_factors(&self) -> bool {
        self.mfa_verification_attempt.is_some()
    }
}

impl Commands {
    /// Asks the hook about a password that was compared.
    pub(crate) async fn password_attempt(
        &self,
        context: &Context,
        user: UserId,
        valid: bool,
    ) -> Result<Verdict, Failure> {
        let hooks = self.hooks();
        let Some(endpoint) = &hooks.password_verification_attempt else { return Ok(Verdict::Continue) };
        let usual = "Further password verification attempts will be rejected.";
        let input = PasswordInput { user_id: user, valid };
        Ok(hooks.judge(endpoint, "password-verification", context.ip(), input, usual).await?)
    }

    /// Asks the hook about a second factor that was tried. To be called once the answer is compared, and
    /// before anything of it is committed: with [`Verdict::Reject`] every session of the user ends, and
    /// the caller hears [`HookError::MfaRejected`] with the message.
    ///
    /// # Errors
    /// [`Failure::Hook`] when the hook does not answer as it should.
    pub async fn factor_attempt(
        &self,
        context: &Context,
        attempt: FactorAttempt,
    ) -> Result<Verdict, Failure> {
        let hooks = self.hooks();
        let Some(endpoint) = &hooks.mfa_verification_attempt else { return Ok(Verdict::Continue) };
        let usual = "Further MFA verification attempts will be rejected.";
        let FactorAttempt { user, factor, factor_type, valid } = attempt;
        let input = FactorInput { user_id: user, factor_id: factor, factor_type, valid };
        Ok(hooks.judge(endpoint, "mfa-verification", context.ip(), input, usual).await?)
    }
}
