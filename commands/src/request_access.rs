//! Asking to be let in without a password: a code or link by mail or text, for a known person or a new one.

use std::time::Instant;

use evident_domain::contact::{EmailError, PhoneError};
use evident_domain::flow::{CodeChallenge, FlowError, FlowPurpose};
use evident_domain::recipient::{AskedTooSoon, MessageKind};
use evident_domain::session::SessionError;
use evident_domain::user::{Confirmed, SignUpMethod, TokenPurpose, UserCommand, UserError};
use evident_domain::{Email, Metadata, Phone, UserId};

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::new_account::NewAccount;
use crate::one_time::{Dispatch, Pace};
use crate::quota::OverQuota;
use crate::sign_out::drop_unproven_password;
use crate::unit::{Context, Unit};

/// A request for a message.
#[derive(Debug, Clone)]
pub struct RequestAccess {
    /// What it is for.
    pub intent: AccessIntent,
    /// Address or number.
    pub contact: GivenContact,
    /// The data of a new account.
    pub data: Metadata,
    /// The audience.
    pub aud: String,
    /// What the client proves when it fetches what comes of the link.
    pub challenge: Option<CodeChallenge>,
    /// Where the link in a mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
    /// By which way a text message goes.
    pub channel: SmsChannel,
    /// The form of the link, where the protocol has one of its own.
    pub form: Option<LinkForm>,
}

/// What somebody who asks for a message wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessIntent {
    /// To sign in, or to sign up where nobody has the address.
    SignInOrUp,
    /// To sign in with the account there is.
    SignIn,
    /// To set another password.
    Recover,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// What may be told of it: nothing.
    Quietly,
    /// The code is the fixed one of a test suite.
    TestCode,
}

/// Why no message goes.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Address and number were given.
    #[error("an address or a number, not both")]
    BothContacts,
    /// Neither was given.
    #[error("an address or a number is missing")]
    NoContact,
    /// E-mail is off.
    #[error("e-mail is disabled")]
    EmailDisabled,
    /// Sign-in by links in mails is off.
    #[error("links in mails are disabled")]
    LinksDisabled,
    /// Numbers are off.
    #[error("phone numbers are disabled")]
    PhoneDisabled,
    /// Nobody has the address, and nobody may sign up.
    #[error("sign-ups are disabled")]
    SignUpDisabled,
    /// Nobody has the address, and no account is wanted.
    #[error("nobody has the address")]
    Unknown,
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// Such a message was asked for a moment ago, whoever has the address.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
    /// Too many messages were asked for.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The flow refuses.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Sends a code or link to whoever has the address.
    ///
    /// # Errors
    /// The same for known and unknown addresses, except where the request says that it wants no account
    /// made, or none may be made.
    pub async fn request_access(
        &self,
        context: &Context,
        request: RequestAccess,
    ) -> Result<Requested, RequestError> {
        let since = Instant::now();
        let contact = self.contact_for_access(&request)?;
        if let Contact::Email(email) = &contact {
            self.check_recipient(email)?;
        }
        let case = AccessCase { commands: self, contact: &contact, request: &request };
        let done = self.execute_sending(context, &contact, &case).await.map(|(done, _)| done);
        self.keep_the_beat(since).await;
        done
    }

    fn contact_for_access(&self, request: &RequestAccess) -> Result<Contact, RequestError> {
        let (given, settings) = (&request.contact, &self.settings().sign_up);
        match (given.email.is_empty(), given.phone.is_empty()) {
            (false, false) => Err(RequestError::BothContacts),
            (true, true) => Err(RequestError::NoContact),
            (false, true) if !settings.email_enabled => Err(RequestError::EmailDisabled),
            (false, true) if !settings.magic_links_enabled && request.intent != AccessIntent::Recover => {
                Err(RequestError::LinksDisabled)
            }
            (false, true) => Ok(Contact::Email(Email::parse(&given.email)?)),
            (true, false) if !settings.phone_enabled => Err(RequestError::PhoneDisabled),
            (true, false) => Ok(Contact::Phone(Phone::parse(&given.phone)?)),
        }
    }
}

struct AccessCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    request: &'a RequestAccess,
}

/// Who has the address.
#[derive(Clone, Copy)]
enum Standing {
    Nobody,
    /// Somebody who has not shown that it is theirs.
    Claimed(UserId),
    Confirmed(UserId),
}

impl UseCase for AccessCase<'_> {
    type Output = Requested;
    type Error = RequestError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Requested, RequestError> {
        let standing = self.standing(unit).await?;
        if matches!(standing, Standing::Nobody) {
            match self.request.intent {
                AccessIntent::SignIn => return Err(RequestError::Unknown),
                AccessIntent::SignInOrUp if self.commands.settings().sign_up.disabled => {
                    return Err(RequestError::SignUpDisabled);
                }
                AccessIntent::SignInOrUp | AccessIntent::Recover => {}
            }
        }
        // Texts have one kind for all that lets in, whether the number is confirmed or not.
        let kind = match (self.contact, self.request.intent) {
            (Contact::Email(_), AccessIntent::Recover) => MessageKind::Recovery,
            (Contact::Email(_), _) => MessageKind::Access,
            (Contact::Phone(_), _) => MessageKind::Confirmation,
        };
        self.commands.ask_for_message::<RequestError>(unit, self.contact, kind).await?;
        match (standing, self.request.intent) {
            (Standing::Nobody, AccessIntent::SignIn | AccessIntent::Recover) => Ok(Requested::Quietly),
            (Standing::Nobody, AccessIntent::SignInOrUp) => self.sign_up(unit).await,
            (Standing::Claimed(user) | Standing::Confirmed(user), AccessIntent::Recover) => {
                if matches!(standing, Standing::Claimed(_)) {
                    // As below: whichever of the mails they open.
                    unit.tell_user::<RequestError>(user, UserCommand::RemoveUnprovenPassword).await?;
                }
                let mail = (MailTemplate::Recovery, LinkType::Recovery);
                self.send(unit, user, TokenPurpose::Recovery, mail, FlowPurpose::Recovery).await
            }
            (Standing::Claimed(user), _) => self.confirm(unit, user).await,
            (Standing::Confirmed(user), _) => self.let_in(unit, user).await,
        }
    }
}

impl AccessCase<'_> {
    async fn standing(&self, unit: &mut Unit<'_>) -> Result<Standing, RequestError> {
        let Some(user) = self.contact.owner(unit.store()).await? else { return Ok(Standing::Nobody) };
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        Ok(if self.contact.is_confirmed_in(account) {
            Standing::Confirmed(user)
        } else {
            Standing::Claimed(user)
        })
    }

    async fn sign_up(&self, unit: &mut Unit<'_>) -> Result<Requested, RequestError> {
        let at_once = self.commands.confirms_at_once(self.contact);
        let new = NewAccount {
            contact: self.contact,
            confirmed: if at_once { Confirmed::Yes } else { Confirmed::No },
            method: SignUpMethod::OneTimeToken,
            aud: &self.request.aud,
            password: None,
            data: &self.request.data,
        };
        let user = self.commands.make_account::<RequestError>(unit, &new).await?;
        if at_once { self.let_in(unit, user).await } else { self.confirm(unit, user).await }
    }

    /// Somebody wants in by an address that nobody has confirmed. They may not be who signed up by it, so
    /// the password from then is void.
    async fn confirm(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Requested, RequestError> {
        drop_unproven_password::<RequestError>(unit, user).await?;
        let purpose = match self.contact {
            Contact::Email(_) => TokenPurpose::EmailConfirmation,
            Contact::Phone(_) => TokenPurpose::PhoneConfirmation,
        };
        let mail = (MailTemplate::Confirmation, LinkType::Signup);
        self.send(unit, user, purpose, mail, FlowPurpose::SignUp).await?;
        Ok(Requested::Quietly)
    }

    async fn let_in(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Requested, RequestError> {
        let purpose = match self.contact {
            Contact::Email(_) => TokenPurpose::Recovery,
            Contact::Phone(_) => TokenPurpose::PhoneConfirmation,
        };
        let mail = (MailTemplate::MagicLink, LinkType::MagicLink);
        self.send(unit, user, purpose, mail, FlowPurpose::MagicLink).await
    }

    async fn send(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        purpose: TokenPurpose,
        mail: (MailTemplate, LinkType),
        flow: FlowPurpose,
    ) -> Result<Requested, RequestError> {
        let commands = self.commands;
        let redirect_to = commands.redirects().resolve(self.request.redirect_to.as_deref());
        let challenge = self.request.challenge.as_ref().filter(|_| matches!(self.contact, Contact::Email(_)));
        let flow = commands.mail_flow::<RequestError>(unit, flow, challenge, &redirect_to).await?;
        let to = self.contact.clone();
        let dispatch = Dispatch {
            form: self.request.form.clone(),
            purpose,
            to,
            mail,
            redirect_to,
            flow,
            pace: Pace::Elsewhere,
            channel: self.request.channel,
        };
        commands.dispatch::<RequestError>(unit, user, &dispatch).await?;
        Ok(match self.contact {
            Contact::Phone(phone)
                if commands.settings().sms.test_code(phone.as_str(), unit.now()).is_some() =>
            {
                Requested::TestCode
            }
            Contact::Phone(_) | Contact::Email(_) => Requested::Quietly,
        })
    }
}
