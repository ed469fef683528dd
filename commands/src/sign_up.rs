//! Signing up with a password, by mail address or phone number.

use evident_domain::attempt::AttemptEvent;
use evident_domain::session::SessionError;
use evident_domain::user::{
    Confirmed, IdentityData, SignUp as NewAccount, SignUpMethod, TokenPurpose, User, UserCommand, UserError,
};
use evident_domain::{
    Email, IdentityId, Metadata, PasswordHash, Phone, SessionId, Subject, UserId, contact::EmailError,
    contact::PhoneError,
};
use zeroize::Zeroizing;

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_session};
use crate::messages::{LinkType, MailTemplate};
use crate::one_time::Dispatch;
use crate::password::{Password, PasswordTooLong, Weakness};
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// A sign-up as it was asked for.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Address or number.
    pub contact: GivenContact,
    /// The password; empty counts as none.
    pub password: Zeroizing<String>,
    /// The user's own data.
    pub data: Metadata,
    /// The audience.
    pub aud: String,
    /// Where the link in the mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum SignedUp {
    /// The account is confirmed and signed in.
    In(Box<Grant>),
    /// The account waits for its confirmation.
    Pending(Box<UserView>),
    /// Somebody has that address: the caller sees what a new account would look like, and no mail goes.
    Pretended(Pretended),
}

/// What an account that is not made would have looked like.
#[derive(Debug, Clone)]
pub struct Pretended {
    /// An id that nobody has.
    pub id: UserId,
    /// The address or number that was given.
    pub contact: Contact,
    /// The data that was given.
    pub data: Metadata,
    /// The time of the request.
    pub now: evident_domain::Time,
    /// The audience asked for.
    pub aud: String,
    /// The role that a new account would have.
    pub role: String,
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Nobody may sign up.
    #[error("sign-ups are disabled")]
    Disabled,
    /// No password was given.
    #[error("a sign-up needs a password")]
    PasswordMissing,
    /// The password is longer than any that is taken.
    #[error(transparent)]
    PasswordTooLong(#[from] PasswordTooLong),
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// Address and number were given.
    #[error("a sign-up takes an address or a number, not both")]
    BothContacts,
    /// Sign-ups by address are off.
    #[error("sign-ups by e-mail are disabled")]
    EmailDisabled,
    /// Sign-ups by number are off.
    #[error("sign-ups by phone are disabled")]
    PhoneDisabled,
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The address is somebody's, and nothing is confirmed by mail here that could hide it.
    #[error("the user is registered already")]
    AlreadyRegistered,
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Signs somebody up.
    ///
    /// # Errors
    /// In the order in which Supabase Auth looks: whether sign-ups are on, the password, the contact;
    /// whether an address is known is looked at last.
    pub async fn sign_up(&self, context: &Context, request: SignUp) -> Result<SignedUp, SignUpError> {
        let settings = self.settings();
        if settings.sign_up.disabled {
            return Err(SignUpError::Disabled);
        }
        if request.password.is_empty() {
            return Err(SignUpError::PasswordMissing);
        }
        let password = Password::parse(request.password.to_string())?;
        self.passwords().check(&password).map_err(SignUpError::Weak)?;
        let contact = self.contact_for_sign_up(&request.contact)?;
        // Hashed for known addresses too, so that the time tells nothing.
        let password = self.hash(password).await?;
        let case = SignUpCase { commands: self, contact: &contact, password, request: &request };
        let (done, committed) = self.execute_at(context, &case).await?;
        match done {
            Done::In(started) => Ok(SignedUp::In(Box::new(self.grant(&started, committed).await?))),
            Done::Pending(user) => {
                let view = self.user_view(user).await?.ok_or(UserError::NotFound)?;
                Ok(SignedUp::Pending(Box::new(view)))
            }
            Done::AlreadyRegistered => Err(SignUpError::AlreadyRegistered),
            Done::Pretended => Ok(SignedUp::Pretended(Pretended {
                id: UserId(self.store().entropy().uuid()),
                contact,
                data: request.data,
                now: self.clock().now(),
                aud: request.aud,
                role: settings.tokens.default_role.clone(),
            })),
        }
    }

    fn contact_for_sign_up(&self, given: &GivenContact) -> Result<Contact, SignUpError> {
        let settings = &self.settings().sign_up;
        match (given.email.is_empty(), given.phone.is_empty()) {
            (false, false) => Err(SignUpError::BothContacts),
            (_, true) if !settings.email_enabled => Err(SignUpError::EmailDisabled),
            (_, true) => Ok(Contact::Email(Email::parse(&given.email)?)),
            (true, false) if !settings.phone_enabled => Err(SignUpError::PhoneDisabled),
            (true, false) => Ok(Contact::Phone(Phone::parse(&given.phone)?)),
        }
    }
}

struct SignUpCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    password: PasswordHash,
    request: &'a SignUp,
}

enum Done {
    In(Started),
    Pending(UserId),
    Pretended,
    AlreadyRegistered,
}

impl UseCase for SignUpCase<'_> {
    type Output = Done;
    type Error = SignUpError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, SignUpError> {
        match self.contact.owner(unit.store()).await? {
            None => self.new_account(unit).await,
            Some(user) => self.known_account(unit, user).await,
        }
    }
}

impl SignUpCase<'_> {
    async fn new_account(&self, unit: &mut Unit<'_>) -> Result<Done, SignUpError> {
        let settings = self.commands.settings();
        let user = UserId(unit.store().entropy().uuid());
        let identity = IdentityId(unit.store().entropy().uuid());
        unit.expect_new::<User>(user.0);
        let autoconfirm = self.autoconfirm();
        let confirmed = if autoconfirm { Confirmed::Yes } else { Confirmed::No };
        let data = self.identity_data(user);
        let provider = self.contact.provider();
        let account = NewAccount {
            method: SignUpMethod::Password,
            aud: self.request.aud.clone(),
            role: settings.tokens.default_role.clone(),
            email: if let Contact::Email(email) = self.contact {
                Some((email.clone(), confirmed))
            } else {
                None
            },
            phone: if let Contact::Phone(phone) = self.contact {
                Some((phone.clone(), confirmed))
            } else {
                None
            },
            password: Some(self.password.clone()),
            user_metadata: data.clone(),
            app_metadata: provider_metadata(&[provider]),
            identities: vec![IdentityData {
                id: identity,
                provider: provider.to_owned(),
                provider_id: user.to_string(),
                data,
            }],
        };
        unit.tell_user::<SignUpError>(user, UserCommand::SignUp(Box::new(account))).await?;
        if autoconfirm {
            let session = SessionId(unit.store().entropy().uuid());
            let started = start_session::<SignUpError>(unit, user, session, "password").await?;
            return Ok(Done::In(started));
        }
        self.send_confirmation(unit, user).await
    }

    /// Never signs in: whoever has the address may not be who asks.
    async fn known_account(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Done, SignUpError> {
        let settings = &self.commands.settings().sign_up;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let confirmed = match self.contact {
            Contact::Email(_) => account.email.as_ref().is_some_and(|email| email.confirmed),
            Contact::Phone(_) => account.phone.as_ref().is_some_and(|phone| phone.confirmed),
        };
        let autoconfirm = settings.mail_autoconfirm || settings.sms_autoconfirm;
        if autoconfirm || confirmed {
            // Written down, and so that it takes the time of a sign-up that makes an account.
            let provider = self.contact.provider().to_owned();
            unit.note(Subject::User(user), AttemptEvent::SignUpRepeated { user, provider });
            return Ok(if autoconfirm { Done::AlreadyRegistered } else { Done::Pretended });
        }
        self.send_confirmation(unit, user).await
    }

    async fn send_confirmation(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Done, SignUpError> {
        let purpose = match self.contact {
            Contact::Email(_) => TokenPurpose::EmailConfirmation,
            Contact::Phone(_) => TokenPurpose::PhoneConfirmation,
        };
        let dispatch = Dispatch {
            purpose,
            to: self.contact.clone(),
            mail: (MailTemplate::Confirmation, LinkType::Signup),
            redirect_to: self.commands.redirects().resolve(self.request.redirect_to.as_deref()),
        };
        self.commands.dispatch::<SignUpError>(unit, user, &dispatch).await?;
        Ok(Done::Pending(user))
    }

    fn autoconfirm(&self) -> bool {
        let settings = &self.commands.settings().sign_up;
        match self.contact {
            Contact::Email(_) => settings.mail_autoconfirm,
            Contact::Phone(_) => settings.sms_autoconfirm,
        }
    }

    /// What is sent along, and the server's own claims, which win over equal keys.
    fn identity_data(&self, user: UserId) -> Metadata {
        let own = Metadata::default()
            .with("sub", user.to_string())
            .with("email_verified", false)
            .with("phone_verified", false);
        let own = match self.contact {
            Contact::Email(email) => own.with("email", email.as_str()),
            Contact::Phone(_) => own,
        };
        self.request.data.clone().merged(&own)
    }
}

/// `app_metadata` as the providers of an account make it.
pub(crate) fn provider_metadata(providers: &[&str]) -> Metadata {
    let metadata = Metadata::default().with("providers", providers);
    match providers.first() {
        Some(first) => metadata.with("provider", *first),
        None => metadata,
    }
}
