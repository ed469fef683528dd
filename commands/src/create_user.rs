//! An administrator makes an account.

use evident_domain::access::Roles;
use evident_domain::session::SessionError;
use evident_domain::user::{
    Confirmed, IdentityData, SignUp as NewAccount, SignUpMethod, UserCommand, UserError,
};
use evident_domain::{
    Email, IdentityId, Metadata, PasswordHash, Phone, UserId, contact::EmailError, contact::PhoneError,
};
use uuid::Uuid;

use crate::Commands;
use crate::ban_user::{BanChange, change_ban};
use crate::contact::{Contact, wanted};
use crate::execute::{Failure, UseCase};
use crate::names::{NameChange, NameError, change_names};
use crate::new_account::provider_metadata;
use crate::password::{HashFormat, Password};
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// An account as an administrator wants it.
#[derive(Debug, Clone, Default)]
pub struct CreateUser {
    /// Its id; a fresh one without.
    pub id: Option<Uuid>,
    /// Its address; empty counts as none.
    pub email: Option<String>,
    /// Its number; empty counts as none.
    pub phone: Option<String>,
    /// Its password; empty counts as none. Strength is the administrator's affair.
    pub password: Option<Password>,
    /// Its password's hash, from another server.
    pub password_hash: Option<String>,
    /// Whether the address counts as confirmed.
    pub email_confirm: bool,
    /// Whether the number counts as confirmed.
    pub phone_confirm: bool,
    /// The user's own data.
    pub user_metadata: Option<Metadata>,
    /// The application's data.
    pub app_metadata: Option<Metadata>,
    /// The role; the default one without.
    pub role: Option<String>,
    /// The audience; the default one without.
    pub aud: Option<String>,
    /// Whether the account is banned from the start.
    pub ban: Option<BanChange>,
    /// The roles among those who administer users; the default ones without.
    pub admin_roles: Option<Roles>,
    /// The names to sign in by and to be shown by.
    pub names: NameChange,
}

/// Why no account was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// Neither address nor number.
    #[error("an account needs an e-mail address or a phone number")]
    NoContact,
    /// Password and hash were given.
    #[error("a password or its hash, not both")]
    PasswordAndHash,
    /// The hash is of no known form.
    #[error("the password hash is of no known form")]
    UnknownHash,
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The address is somebody's.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The number is somebody's.
    #[error("the phone number is taken")]
    PhoneTaken,
    /// The id is somebody's.
    #[error("the id is taken")]
    IdTaken,
    /// The id is the nil UUID.
    #[error("the id is nil")]
    NilId,
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
    /// Makes an account.
    ///
    /// # Errors
    /// When the request does not fit, or address, number or id are taken.
    pub async fn create_user(
        &self,
        context: &Context,
        request: CreateUser,
    ) -> Result<UserView, CreateUserError> {
        let (email, phone) = wanted::<CreateUserError>(request.email.as_deref(), request.phone.as_deref())?;
        if email.is_none() && phone.is_none() {
            return Err(CreateUserError::NoContact);
        }
        if request.id.is_some_and(|id| id.is_nil()) {
            return Err(CreateUserError::NilId);
        }
        let password = request.password.clone().filter(|password| !password.is_empty());
        let password = match (password, request.password_hash.clone().filter(|hash| !hash.is_empty())) {
            (Some(_), Some(_)) => return Err(CreateUserError::PasswordAndHash),
            (Some(password), None) => Some(self.hash(password).await?),
            (None, Some(hash)) => {
                HashFormat::parse(&hash).map_err(|_| CreateUserError::UnknownHash)?;
                Some(PasswordHash(hash))
            }
            (None, None) => None,
        };
        let id = UserId(request.id.unwrap_or_else(|| self.store().entropy().uuid()));
        let case = CreateCase { commands: self, id, email, phone, password, request: &request };
        self.execute(context, &case).await?;
        self.user_view(id).await?.ok_or(CreateUserError::User(UserError::NotFound))
    }
}

struct CreateCase<'a> {
    commands: &'a Commands,
    id: UserId,
    email: Option<Email>,
    phone: Option<Phone>,
    password: Option<PasswordHash>,
    request: &'a CreateUser,
}

impl UseCase for CreateCase<'_> {
    type Output = ();
    type Error = CreateUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CreateUserError> {
        if let Some(email) = &self.email
            && Contact::Email(email.clone()).owner(unit.store()).await?.is_some()
        {
            return Err(CreateUserError::EmailTaken);
        }
        if let Some(phone) = &self.phone
            && Contact::Phone(phone.clone()).owner(unit.store()).await?.is_some()
        {
            return Err(CreateUserError::PhoneTaken);
        }
        let account = self.account(unit);
        match unit.tell_user::<CreateUserError>(self.id, UserCommand::SignUp(Box::new(account))).await {
            Err(CreateUserError::User(UserError::AlreadyExists)) => return Err(CreateUserError::IdTaken),
            other => other?,
        };
        if let Some(ban) = &self.request.ban {
            change_ban::<CreateUserError>(unit, self.id, ban).await?;
        }
        if let Some(roles) = &self.request.admin_roles {
            let command = UserCommand::ChangeAdminRoles { roles: roles.clone() };
            unit.tell_user::<CreateUserError>(self.id, command).await?;
        }
        change_names::<CreateUserError>(unit, self.id, &self.request.names, false).await?;
        Ok(())
    }
}

impl CreateCase<'_> {
    fn account(&self, unit: &Unit<'_>) -> NewAccount {
        let settings = &self.commands.settings().tokens;
        let (request, mut providers) = (self.request, Vec::new());
        let confirmed = |yes: bool| if yes { Confirmed::Yes } else { Confirmed::No };
        let mut identities = Vec::new();
        let mut identity = |provider: &'static str, value: Option<&str>| {
            let Some(value) = value else { return };
            providers.push(provider);
            identities.push(IdentityData {
                id: IdentityId(unit.store().entropy().uuid()),
                provider: provider.to_owned(),
                provider_id: self.id.to_string(),
                data: Metadata::default()
                    .with("sub", self.id.to_string())
                    .with("email_verified", false)
                    .with("phone_verified", false)
                    .with(provider, value),
            });
        };
        identity("email", self.email.as_ref().map(Email::as_str));
        identity("phone", self.phone.as_ref().map(Phone::as_str));
        let app_metadata = provider_metadata(&providers);
        NewAccount {
            method: SignUpMethod::Admin,
            aud: request.aud.clone().unwrap_or_else(|| settings.default_aud.clone()),
            role: request
                .role
                .clone()
                .map(|role| role.trim().to_owned())
                .filter(|role| !role.is_empty())
                .unwrap_or_else(|| settings.default_role.clone()),
            email: self.email.clone().map(|email| (email, confirmed(request.email_confirm))),
            phone: self.phone.clone().map(|phone| (phone, confirmed(request.phone_confirm))),
            password: self.password.clone(),
            user_metadata: request.user_metadata.clone().unwrap_or_default(),
            app_metadata: match &request.app_metadata {
                Some(patch) => app_metadata.merged(patch),
                None => app_metadata,
            },
            identities,
        }
    }
}
