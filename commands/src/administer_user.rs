//! An administrator changes an account: contact, password, data, role, ban, in one change.

use evident_domain::access::Roles;
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{Confirmed, UserCommand, UserError};
use evident_domain::{
    Email, IdentityId, Metadata, PasswordHash, Phone, UserId, contact::EmailError, contact::PhoneError,
};

use crate::Commands;
use crate::ban_user::{BanChange, change_ban};
use crate::contact::{Contact, wanted};
use crate::execute::{Failure, UseCase};
use crate::names::{NameChange, NameError, change_names};
use crate::password::{Password, Weakness};
use crate::sign_out::revoke_all;
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// What an administrator wants changed; what is not set stays.
#[derive(Debug, Clone, Default)]
pub struct AdministerUser {
    /// Another address, at once; empty counts as not set.
    pub email: Option<String>,
    /// Another number, at once; empty counts as not set.
    pub phone: Option<String>,
    /// Another password; every session ends.
    pub password: Option<Password>,
    /// Whether the address counts as confirmed from now on.
    pub email_confirm: bool,
    /// Whether the number counts as confirmed from now on.
    pub phone_confirm: bool,
    /// Merged into the user's own data.
    pub user_metadata: Option<Metadata>,
    /// Merged into the application's data.
    pub app_metadata: Option<Metadata>,
    /// Another role; empty counts as not set.
    pub role: Option<String>,
    /// What becomes of the ban.
    pub ban: Option<BanChange>,
    /// Other roles among those who administer users.
    pub admin_roles: Option<Roles>,
    /// Other names to sign in by and to be shown by.
    pub names: NameChange,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdministerUserError {
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
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
    /// The name refuses.
    #[error(transparent)]
    Name(#[from] NameError),
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

impl Commands {
    /// Changes an account.
    ///
    /// # Errors
    /// When the account is gone, or a new value does not fit or is taken.
    pub async fn administer_user(
        &self,
        context: &Context,
        user: UserId,
        request: AdministerUser,
    ) -> Result<UserView, AdministerUserError> {
        let (email, phone) =
            wanted::<AdministerUserError>(request.email.as_deref(), request.phone.as_deref())?;
        let password = match request.password.clone() {
            None => None,
            Some(password) => {
                if let Some(weakness) = self.weakness(&password).await? {
                    return Err(AdministerUserError::Weak(weakness));
                }
                Some(self.hash(password).await?)
            }
        };
        let case = AdministerCase { user, email, phone, password, request: &request };
        self.execute(context, &case).await?;
        self.user_view(user).await?.ok_or(AdministerUserError::User(UserError::NotFound))
    }
}

struct AdministerCase<'a> {
    user: UserId,
    email: Option<Email>,
    phone: Option<Phone>,
    password: Option<PasswordHash>,
    request: &'a AdministerUser,
}

type Outcome = Result<(), AdministerUserError>;

impl UseCase for AdministerCase<'_> {
    type Output = ();
    type Error = AdministerUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Outcome {
        unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        self.change_contacts(unit).await?;
        let request = self.request;
        if let Some(role) = request.role.as_deref().map(str::trim).filter(|role| !role.is_empty()) {
            self.tell(unit, UserCommand::ChangeRole { role: role.to_owned() }).await?;
        }
        if let Some(roles) = request.admin_roles.clone() {
            self.tell(unit, UserCommand::ChangeAdminRoles { roles }).await?;
        }
        change_names::<AdministerUserError>(unit, self.user, &request.names, false).await?;
        if let Some(patch) = request.user_metadata.clone() {
            self.tell(unit, UserCommand::ChangeMetadata { patch }).await?;
        }
        if let Some(patch) = request.app_metadata.clone() {
            self.tell(unit, UserCommand::ChangeAppMetadata { patch }).await?;
        }
        if let Some(password) = self.password.clone() {
            self.tell(unit, UserCommand::ChangePassword { password }).await?;
            let reason = RevocationReason::PasswordChanged;
            revoke_all::<AdministerUserError>(unit, self.user, None, reason).await?;
        }
        if let Some(ban) = &request.ban {
            change_ban::<AdministerUserError>(unit, self.user, ban).await?;
        }
        Ok(())
    }
}

impl AdministerCase<'_> {
    async fn tell(&self, unit: &mut Unit<'_>, command: UserCommand) -> Outcome {
        unit.tell_user::<AdministerUserError>(self.user, command).await?;
        Ok(())
    }

    async fn change_contacts(&self, unit: &mut Unit<'_>) -> Outcome {
        let confirmed = |yes: bool| if yes { Confirmed::Yes } else { Confirmed::No };
        if let Some(email) = &self.email {
            if Contact::Email(email.clone()).is_taken_from(self.user, unit.store()).await? {
                return Err(AdministerUserError::EmailTaken);
            }
            let command = UserCommand::ChangeEmail {
                user: self.user,
                email: email.clone(),
                confirmed: confirmed(self.request.email_confirm),
                new_identity: IdentityId(unit.store().entropy().uuid()),
            };
            self.tell(unit, command).await?;
        } else if self.request.email_confirm {
            self.confirm(unit, UserCommand::ConfirmEmail).await?;
        }
        if let Some(phone) = &self.phone {
            if Contact::Phone(phone.clone()).is_taken_from(self.user, unit.store()).await? {
                return Err(AdministerUserError::PhoneTaken);
            }
            let command = UserCommand::ChangePhone {
                user: self.user,
                phone: phone.clone(),
                confirmed: confirmed(self.request.phone_confirm),
                new_identity: IdentityId(unit.store().entropy().uuid()),
            };
            self.tell(unit, command).await?;
        } else if self.request.phone_confirm {
            self.confirm(unit, UserCommand::ConfirmPhone).await?;
        }
        Ok(())
    }

    /// An account without address has nothing to confirm: that is no error here.
    async fn confirm(&self, unit: &mut Unit<'_>, command: UserCommand) -> Outcome {
        match self.tell(unit, command).await {
            Err(AdministerUserError::User(UserError::NothingToConfirm)) => Ok(()),
            other => other,
        }
    }
}
