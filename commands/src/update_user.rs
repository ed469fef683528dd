//! A user changes their own account.

mod contact;

use evident_domain::flow::{CodeChallenge, FlowError};
use evident_domain::recipient::AskedTooSoon;
use evident_domain::session::{AssuranceLevel, RevocationReason, SessionError};
use evident_domain::user::{
    Account, Proof, TokenPurpose, UnprovenPassword, UserCommand, UserError, UserEvent,
};
use evident_domain::{
    Email, Metadata, PasswordHash, Phone, SessionId, Time, UserId, contact::EmailError, contact::PhoneError,
};

use crate::Commands;
use crate::contact::{Contact, wanted};
use crate::execute::{Failure, UseCase};
use crate::factors::level;
use crate::messages::SmsChannel;
use crate::notify::Notification;
use crate::password::{Password, Weakness};
use crate::quota::OverQuota;
use crate::sign_out::revoke_all;
use crate::tokens::OneTimeCode;
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// Proofs after which a new password needs no old one: the user just showed that the mail is theirs.
const RECOVERY_METHODS: [&str; 3] = ["otp", "magiclink", "recovery"];

/// How often a password is looked at again because it changed meanwhile.
const ROUNDS: u32 = 3;

/// A session older than this needs a code before the password changes, where that is asked for.
const FRESH_SESSION: chrono::Duration = chrono::Duration::hours(24);

/// What a user wants changed; what is not set stays.
#[derive(Debug, Clone)]
pub struct UpdateUser {
    /// Who.
    pub user: UserId,
    /// The session that asks.
    pub session: Option<SessionId>,
    /// Another address, to be confirmed first; empty counts as not set.
    pub email: Option<String>,
    /// Another number, to be confirmed first; empty counts as not set.
    pub phone: Option<String>,
    /// Another password; the user's other sessions end.
    pub password: Option<Password>,
    /// The password so far, where that is asked for.
    pub current_password: Option<Password>,
    /// The code of a reauthentication, where that is asked for.
    pub nonce: Option<String>,
    /// Merged into the user's own data.
    pub data: Option<Metadata>,
    /// Merged into the application's data.
    pub app_metadata: Option<Metadata>,
    /// What the client proves when it fetches what comes of a link.
    pub challenge: Option<CodeChallenge>,
    /// Where the link in a mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
    /// By which way a text message goes.
    pub channel: SmsChannel,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateUserError {
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// The password is the one that the user has.
    #[error("the new password is the old one")]
    SamePassword,
    /// The old password is asked for.
    #[error("the current password is required")]
    CurrentPasswordRequired,
    /// The old password is another.
    #[error("the current password is wrong")]
    CurrentPasswordInvalid,
    /// A code is asked for.
    #[error("changing the password needs a reauthentication")]
    ReauthenticationNeeded,
    /// The code is not good.
    #[error("the code of the reauthentication is not valid")]
    ReauthenticationInvalid,
    /// The application's data are not the user's to change.
    #[error("changing app_metadata is for administrators")]
    AppMetadataForbidden,
    /// A person nobody knows cannot have a password alone.
    #[error("an anonymous user needs an address or a number before a password")]
    AnonymousNeedsContact,
    /// The account has a second factor, and the session has not shown it.
    #[error("the session has not shown the second factor")]
    InsufficientAal,
    /// Numbers are off.
    #[error("phone numbers are disabled")]
    PhoneDisabled,
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The address is somebody else's.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The number is somebody else's.
    #[error("the phone number is taken")]
    PhoneTaken,
    /// A message to that address was asked for a moment ago.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
    /// Too many messages were asked for.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The flow refuses.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A new password, and what was true when it was compared.
struct NewPassword {
    hash: PasswordHash,
    compared_with: Option<PasswordHash>,
}

impl Commands {
    /// Changes the caller's own account.
    ///
    /// # Errors
    /// In the order in which Supabase Auth looks: formats, strength, who may, what is taken, then the
    /// rules of the password.
    pub async fn update_user(
        &self,
        context: &Context,
        request: UpdateUser,
    ) -> Result<UserView, UpdateUserError> {
        let (email, phone) = wanted::<UpdateUserError>(request.email.as_deref(), request.phone.as_deref())?;
        if let Some(password) = &request.password
            && let Some(weakness) = self.weakness(password).await?
        {
            return Err(UpdateUserError::Weak(weakness));
        }
        if phone.is_some() && !self.settings().sign_up.phone_enabled {
            return Err(UpdateUserError::PhoneDisabled);
        }
        let mut case =
            UpdateCase { commands: self, request: &request, email, phone, password: None, nonce: None };
        for _ in 0..ROUNDS {
            if let Some(new) = &request.password {
                // First: what comes of comparing is not for a thief of the first factor.
                self.execute(context, &LevelCase(&request)).await?;
                case.password = Some(self.compare(&request, new).await?);
                if case.nonce.is_none() {
                    case.nonce = self.nonce_proof(&request).await?;
                }
            }
            let done = match self.asked_for(&case).await? {
                Some(to) => self.execute_sending(context, &to, &case).await?.0,
                None => self.execute(context, &case).await?,
            };
            match done {
                Done::Changed => {
                    let view = self.user_view(request.user).await?;
                    return view.ok_or(UpdateUserError::User(UserError::NotFound));
                }
                Done::WrongCode => return Err(UpdateUserError::ReauthenticationInvalid),
                // What was compared is not what is there any more: compare again.
                Done::PasswordChanged => {}
            }
        }
        Err(Failure::Overloaded.into())
    }

    /// The code of a reauthentication, where one is asked for and given. It went by text if there is no
    /// address; the service that made it is asked then.
    async fn nonce_proof(&self, request: &UpdateUser) -> Result<Option<Proof>, UpdateUserError> {
        let Some(nonce) = request.nonce.as_deref().filter(|nonce| !nonce.is_empty()) else {
            return Ok(None);
        };
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        if !needs_nonce(self, &mut unit, request).await? {
            return Ok(None);
        }
        // One that does not read is nobody's, and as wrong as any.
        let code = OneTimeCode::parse(nonce).unwrap_or_else(|_| OneTimeCode::fixed("-"));
        let typed = self.codes().code_hash(request.user, &code);
        let account = unit.user(request.user).await?.account().ok_or(UserError::NotFound)?;
        let phone = account.phone.as_ref().filter(|_| account.email.is_none());
        let Some(phone) = phone.map(|phone| phone.value.clone()) else { return Ok(Some(Proof::Code(typed))) };
        let purpose = TokenPurpose::Reauthentication;
        Ok(Some(self.text_proof(request.user, &phone, code.expose(), typed, purpose).await?))
    }

    /// Where a message goes because of a change. Of a new address and a new number the first is counted.
    async fn asked_for(&self, case: &UpdateCase<'_>) -> Result<Option<Contact>, UpdateUserError> {
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let account = unit.user(case.request.user).await?.account();
        let (email, phone) = account.map(|a| (a.email.as_ref(), a.phone.as_ref())).unwrap_or_default();
        let email = case.email.as_ref().filter(|new| email.is_none_or(|own| own.value != **new));
        let phone = case.phone.as_ref().filter(|new| phone.is_none_or(|own| own.value != **new));
        Ok(email.cloned().map(Contact::Email).or(phone.cloned().map(Contact::Phone)))
    }

    /// Users of the administrators' group change the application's data on themselves, nobody else does.
    fn may_change_app_metadata(&self, account: &Account) -> bool {
        let tokens = &self.settings().tokens;
        account.role == tokens.admin_group_name && account.aud == tokens.default_aud
    }

    /// Compares and hashes passwords before anything is decided: that is slow.
    async fn compare(&self, request: &UpdateUser, new: &Password) -> Result<NewPassword, UpdateUserError> {
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let user = unit.user(request.user).await?;
        let old = user.account().ok_or(UserError::NotFound)?.password.clone();
        if old.is_some() && self.settings().security.update_password_require_current_password {
            let recovered = match request.session {
                None => false,
                Some(session) => unit.session(session).await?.live().is_some_and(|live| {
                    live.amr.iter().any(|entry| RECOVERY_METHODS.contains(&entry.method.as_str()))
                }),
            };
            if !recovered {
                let current = request.current_password.clone().filter(|p| !p.is_empty());
                let current = current.ok_or(UpdateUserError::CurrentPasswordRequired)?;
                if !self.compare_password(current, old.clone()).await?.matches {
                    return Err(UpdateUserError::CurrentPasswordInvalid);
                }
            }
        }
        if old.is_some() && self.compare_password(new.clone(), old.clone()).await?.matches {
            return Err(UpdateUserError::SamePassword);
        }
        Ok(NewPassword { hash: self.hash(new.clone()).await?, compared_with: old })
    }
}

/// Only looks whether the ways in may change.
struct LevelCase<'a>(&'a UpdateUser);

impl UseCase for LevelCase<'_> {
    type Output = ();
    type Error = UpdateUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Outcome {
        check_level(unit, self.0).await
    }
}

/// Who has a second factor shows it before the ways in change.
async fn check_level(unit: &mut Unit<'_>, request: &UpdateUser) -> Outcome {
    let level = level::<UpdateUserError>(unit, request.user, request.session).await?;
    let account = unit.user(request.user).await?.account().ok_or(UserError::NotFound)?;
    if account.factors.any_verified() && level < AssuranceLevel::Aal2 {
        return Err(UpdateUserError::InsufficientAal);
    }
    Ok(())
}

/// Whether the session is so old that a new password asks for a code.
async fn needs_nonce(
    commands: &Commands,
    unit: &mut Unit<'_>,
    request: &UpdateUser,
) -> Result<bool, UpdateUserError> {
    if !commands.settings().security.update_password_require_reauthentication {
        return Ok(false);
    }
    let now = unit.now();
    let live = unit.asking_session::<UpdateUserError>(request.user, request.session).await?;
    Ok(live.is_none_or(|live| now - live.started_at >= FRESH_SESSION))
}

struct UpdateCase<'a> {
    commands: &'a Commands,
    request: &'a UpdateUser,
    email: Option<Email>,
    phone: Option<Phone>,
    password: Option<NewPassword>,
    /// The code of a reauthentication.
    nonce: Option<Proof>,
}

type Outcome = Result<(), UpdateUserError>;

/// What is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// What was asked for.
    Changed,
    /// Only that a wrong code was tried.
    WrongCode,
    /// Nothing: somebody changed the password meanwhile, so what was compared is not what is there.
    PasswordChanged,
}

impl UseCase for UpdateCase<'_> {
    type Output = Done;
    type Error = UpdateUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, UpdateUserError> {
        let request = self.request;
        unit.asking_session::<UpdateUserError>(request.user, request.session).await?;
        if self.email.is_some() || self.phone.is_some() || self.password.is_some() {
            check_level(unit, request).await?;
        }
        let account = unit.user(request.user).await?.account().ok_or(UserError::NotFound)?;
        if request.app_metadata.is_some() && !self.commands.may_change_app_metadata(account) {
            return Err(UpdateUserError::AppMetadataForbidden);
        }
        if account.anonymous && self.password.is_some() && self.email.is_none() && self.phone.is_none() {
            return Err(UpdateUserError::AnonymousNeedsContact);
        }
        if let Some(email) = &self.email
            && Contact::Email(email.clone()).is_taken_from(request.user, unit.store()).await?
        {
            return Err(UpdateUserError::EmailTaken);
        }
        if let Some(phone) = &self.phone
            && Contact::Phone(phone.clone()).is_taken_from(request.user, unit.store()).await?
        {
            return Err(UpdateUserError::PhoneTaken);
        }
        if let Some(password) = &self.password {
            let done = self.change_password(unit, password).await?;
            if done != Done::Changed {
                return Ok(done);
            }
        }
        if let Some(patch) = request.data.clone() {
            self.tell(unit, UserCommand::ChangeMetadata { patch }).await?;
        }
        if let Some(patch) = request.app_metadata.clone() {
            self.tell(unit, UserCommand::ChangeAppMetadata { patch }).await?;
        }
        if let Some(email) = &self.email {
            self.change_email(unit, email).await?;
        }
        if let Some(phone) = &self.phone {
            self.change_phone(unit, phone).await?;
        }
        Ok(Done::Changed)
    }
}

impl UpdateCase<'_> {
    async fn tell(&self, unit: &mut Unit<'_>, command: UserCommand) -> Result<(), UpdateUserError> {
        unit.tell_user::<UpdateUserError>(self.request.user, command).await?;
        Ok(())
    }

    async fn change_password(
        &self,
        unit: &mut Unit<'_>,
        password: &NewPassword,
    ) -> Result<Done, UpdateUserError> {
        let user = self.request.user;
        if !self.reauthenticate(unit).await? {
            return Ok(Done::WrongCode);
        }
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        if account.password != password.compared_with {
            return Ok(Done::PasswordChanged);
        }
        self.tell(unit, UserCommand::ChangePassword { password: password.hash.clone() }).await?;
        self.commands.notify(unit, user, Notification::PasswordChanged).await?;
        let (own, reason) = (self.request.session, RevocationReason::PasswordChanged);
        revoke_all::<UpdateUserError>(unit, user, own, reason).await?;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let email = account.email.as_ref().map(|email| Contact::Email(email.value.clone()));
        let phone = account.phone.as_ref().map(|phone| Contact::Phone(phone.value.clone()));
        for contact in email.into_iter().chain(phone) {
            self.commands.note_answer::<UpdateUserError>(unit, &contact).await?;
        }
        Ok(Done::Changed)
    }

    /// A session that is not fresh shows a code first, where that is asked for. Says whether all is
    /// well; a wrong code is noted in the unit.
    async fn reauthenticate(&self, unit: &mut Unit<'_>) -> Result<bool, UpdateUserError> {
        if !needs_nonce(self.commands, unit, self.request).await? {
            return Ok(true);
        }
        let proof = self.nonce.clone().ok_or(UpdateUserError::ReauthenticationNeeded)?;
        let now: Time = unit.now();
        let command = UserCommand::Redeem {
            purposes: vec![TokenPurpose::Reauthentication],
            proof,
            // It confirms nothing that the account has.
            password: UnprovenPassword::Stays,
            now,
        };
        match unit.tell_user::<UpdateUserError>(self.request.user, command).await {
            Ok(events) => Ok(events.iter().any(|e| matches!(e, UserEvent::OneTimeTokenRedeemed { .. }))),
            Err(UpdateUserError::User(UserError::TokenInvalid)) => {
                Err(UpdateUserError::ReauthenticationInvalid)
            }
            Err(other) => Err(other),
        }
    }
}
