//! Securing an account by a second factor, and giving it up.

use evident_domain::session::{RevocationReason, SessionCommand};
use evident_domain::user::factor::FactorError;
use evident_domain::user::two_factor::{StepKey, TwoFactorCommand};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{FactorId, SessionId, TotpSecret, UserId};
use zeroize::Zeroizing;

use super::{GivenSecondAnswer, SecondStepError, TakeSecondStep};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::factors::{account_in_session, totp};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::sign_out::revoke;
use crate::tokens::{OneTimeCode, backup_code};
use crate::unit::{Context, Unit};

/// An account that is about to be secured by an app. Both are shown this once.
pub struct SecuredAccount {
    /// The secret for the app, in base32.
    pub secret: Zeroizing<String>,
    /// The codes to write down.
    pub backup_codes: Vec<Zeroizing<String>>,
}

impl std::fmt::Debug for SecuredAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecuredAccount(…)")
    }
}

impl Commands {
    /// Gives an account an app and codes to write down.
    ///
    /// # Errors
    /// When it has an app that has shown a code.
    pub async fn secure_by_app(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
    ) -> Result<SecuredAccount, SecondStepError> {
        let entropy = self.store().entropy();
        let secret = totp::generate(entropy);
        let sealed = self.factor_keys().seal(entropy, user, &secret);
        let sealed = sealed.ok_or(Failure::Internal("a secret was not enciphered"))?;
        let backup_codes = self.fresh_backup_codes();
        let factor = FactorId(entropy.uuid());
        let case = EnrollCase { commands: self, user, session, factor, sealed, codes: &backup_codes };
        self.execute(context, &case).await?;
        Ok(SecuredAccount { secret, backup_codes })
    }

    /// Gives an account an app that counts at once, as if it had shown the code of a moment ago: nobody asks
    /// whether the app has the secret. The session is replaced by one on these terms.
    ///
    /// # Errors
    /// When it has an app that has shown a code.
    pub async fn secure_by_app_at_once(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
        terms: SessionTerms,
    ) -> Result<(SecuredAccount, Grant), SecondStepError> {
        let secured = self.secure_by_app(context, user, session).await?;
        let code = totp::code_before(&secured.secret, self.clock().now());
        let code = code.ok_or(Failure::Internal("a fresh secret has no code"))?;
        let (key, answer) = (StepKey::Session(session), GivenSecondAnswer::App(code));
        let request = TakeSecondStep { user, key, answer, opens: true, terms, trust: false };
        let taken = self.take_second_step(context, request).await?;
        let grant = taken.session.ok_or(Failure::Internal("a second step opened no session"))?;
        Ok((secured, grant))
    }

    /// Makes codes by mail a second factor of an account, or gives every second factor up. The session is
    /// replaced by one on these terms.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn change_second_factor(
        &self,
        context: &Context,
        user: UserId,
        session: SessionId,
        secured: bool,
        terms: SessionTerms,
    ) -> Result<Grant, SecondStepError> {
        let command = if secured { TwoFactorCommand::EnableMail } else { TwoFactorCommand::Disable };
        let case = ChangeCase { user, session, command, terms };
        let (started, committed) = self.execute_at(context, &case).await?;
        Ok(self.grant(&started, committed).await?)
    }

    /// Replaces the codes to write down.
    ///
    /// # Errors
    /// When the account asks for nothing but the password.
    pub async fn replace_backup_codes(
        &self,
        context: &Context,
        user: UserId,
    ) -> Result<Vec<Zeroizing<String>>, SecondStepError> {
        let codes = self.fresh_backup_codes();
        self.execute(context, &ReplaceCase { commands: self, user, codes: &codes }).await?;
        Ok(codes)
    }

    /// The secret of the account's app, in base32, for its owner to read once more.
    ///
    /// # Errors
    /// When there is no app.
    pub async fn app_secret(&self, user: UserId) -> Result<Zeroizing<String>, SecondStepError> {
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        // An app that counts comes first.
        let app = account.apps(true).next().or_else(|| account.apps(false).next());
        let sealed = app.and_then(|app| app.secret.clone());
        let sealed = sealed.ok_or(SecondStepError::User(FactorError::AppNotEnabled.into()))?;
        let secret = self.factor_keys().open(user, &sealed);
        Ok(secret.ok_or(Failure::Internal("a secret was not deciphered"))?)
    }

    fn fresh_backup_codes(&self) -> Vec<Zeroizing<String>> {
        let count = self.settings().plugins.second_steps.backup_codes;
        (0..count).map(|_| backup_code(self.store().entropy())).collect()
    }

    fn backup_hashes(&self, user: UserId, codes: &[Zeroizing<String>]) -> Vec<evident_domain::TokenHash> {
        codes.iter().map(|code| self.codes().code_hash(user, &OneTimeCode::fixed(code))).collect()
    }
}

struct EnrollCase<'a> {
    commands: &'a Commands,
    user: UserId,
    session: SessionId,
    factor: FactorId,
    sealed: TotpSecret,
    codes: &'a [Zeroizing<String>],
}

impl UseCase for EnrollCase<'_> {
    type Output = ();
    type Error = SecondStepError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SecondStepError> {
        account_in_session::<SecondStepError>(unit, self.user, self.session).await?;
        let enroll = TwoFactorCommand::EnrollApp {
            factor: self.factor,
            secret: self.sealed.clone(),
            backup_codes: self.commands.backup_hashes(self.user, self.codes),
            now: unit.now(),
        };
        unit.tell_user::<SecondStepError>(self.user, UserCommand::TwoFactor(enroll)).await?;
        Ok(())
    }
}

struct ReplaceCase<'a> {
    commands: &'a Commands,
    user: UserId,
    codes: &'a [Zeroizing<String>],
}

impl UseCase for ReplaceCase<'_> {
    type Output = ();
    type Error = SecondStepError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SecondStepError> {
        let codes = self.commands.backup_hashes(self.user, self.codes);
        let replace = TwoFactorCommand::ReplaceBackupCodes { codes };
        unit.tell_user::<SecondStepError>(self.user, UserCommand::TwoFactor(replace)).await?;
        Ok(())
    }
}

struct ChangeCase {
    user: UserId,
    session: SessionId,
    command: TwoFactorCommand,
    terms: SessionTerms,
}

impl UseCase for ChangeCase {
    type Output = Started;
    type Error = SecondStepError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Started, SecondStepError> {
        let (account, _) = account_in_session::<SecondStepError>(unit, self.user, self.session).await?;
        let now = unit.now();
        unit.tell_user::<SecondStepError>(self.user, UserCommand::TwoFactor(self.command.clone())).await?;
        let fresh = replace_session(unit, self.user, self.session, self.terms).await?;
        if matches!(self.command, TwoFactorCommand::Disable) {
            // What the factors had proven elsewhere counts no more.
            for session in unit.live_sessions(self.user).await? {
                for factor in &account.factors.enrolled {
                    if unit.session(session).await?.live().is_some() {
                        let down = SessionCommand::StepDown { factor: factor.id, now };
                        unit.tell_session::<SecondStepError>(session, down).await?;
                    }
                }
            }
        }
        Ok(fresh)
    }
}

/// Starts a session in the place of another.
pub(super) async fn replace_session(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
    terms: SessionTerms,
) -> Result<Started, SecondStepError> {
    let id = unit.new_session();
    let started = start_session_on::<SecondStepError>(unit, user, id, "password", terms).await?;
    revoke::<SecondStepError>(unit, session, RevocationReason::SignedOut).await?;
    Ok(started)
}
