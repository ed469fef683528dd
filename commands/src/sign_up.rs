//! Signing up with a password, by mail address or phone number.

use std::time::Instant;

use evident_domain::attempt::AttemptEvent;
use evident_domain::flow::{CodeChallenge, FlowError, FlowPurpose};
use evident_domain::recipient::{AskedTooSoon, MessageKind};
use evident_domain::session::SessionError;
use evident_domain::user::{Confirmed, SignUpMethod, TokenPurpose, UserError};
use evident_domain::{
    Email, Metadata, PasswordHash, Phone, Subject, UserId, contact::EmailError, contact::PhoneError,
};
use zeroize::Zeroizing;

use crate::Commands;
use crate::contact::{Contact, GivenContact, UnknownChannel};
use crate::execute::{Failure, Settled, UseCase};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::names::{NameChange, NameError, change_names};
use crate::new_account::NewAccount;
use crate::one_time::{Dispatch, Pace};
use crate::password::{LengthError, Password, PasswordLength, Weakness};
use crate::quota::OverQuota;
use crate::sign_out::drop_unproven_password;
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// How often a sign-up is looked at again because the account came or changed meanwhile.
const ROUNDS: u32 = 3;

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
    /// What the client proves when it fetches what comes of the link.
    pub challenge: Option<CodeChallenge>,
    /// Where the link in the mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
    /// By which way a text message should go; empty: the usual one.
    pub channel: String,
    /// How long the password may be.
    pub length: PasswordLength,
    /// What the sign-up leads to.
    pub entry: Entry,
    /// The names to sign in by and to be shown by.
    pub names: NameChange,
}

/// What a sign-up leads to.
#[derive(Debug, Clone, Default)]
pub enum Entry {
    /// To a session where addresses count as confirmed at once; else to a message that confirms it.
    #[default]
    Confirmed,
    /// To a session at once, whether the address is confirmed or not. That it is known is told.
    AtOnce {
        /// How the session lives.
        terms: SessionTerms,
        /// The form of the link of a mail that confirms the address, where one goes.
        mail: Option<LinkForm>,
    },
    /// To no session. That the address is known is not told.
    Later {
        /// The form of the link of a mail that confirms the address, where one goes.
        mail: Option<LinkForm>,
    },
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
    /// The name refuses.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The password has not the length that passwords have.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// Address and number were given.
    #[error("a sign-up takes an address or a number, not both")]
    BothContacts,
    /// Links in text messages cannot go on with a flow.
    #[error("a sign-up by phone has no flow")]
    FlowByPhone,
    /// Sign-ups by address are off.
    #[error("sign-ups by e-mail are disabled")]
    EmailDisabled,
    /// Sign-ups by number are off.
    #[error("sign-ups by phone are disabled")]
    PhoneDisabled,
    /// Text messages do not go by the channel that was asked for.
    #[error(transparent)]
    Channel(#[from] UnknownChannel),
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The address is somebody's, and nothing is confirmed by mail here that could hide it.
    #[error("the user is registered already")]
    AlreadyRegistered,
    /// A sign-up for this address was asked for a moment ago.
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
        let since = Instant::now();
        let settings = self.settings();
        if settings.sign_up.disabled {
            return Err(SignUpError::Disabled);
        }
        if request.password.is_empty() {
            return Err(SignUpError::PasswordMissing);
        }
        let password = Password::within(request.password.to_string(), request.length)?;
        if let Some(weakness) = self.weakness(&password).await? {
            return Err(SignUpError::Weak(weakness));
        }
        let contact = self.contact_for_sign_up(&request)?;
        let channel = match &contact {
            Contact::Email(_) => SmsChannel::default(),
            Contact::Phone(_) => self.sms_channel(&request.channel)?,
        };
        if let Contact::Email(email) = &contact
            && self.plan(&request, &contact).sends
        {
            self.check_recipient(email)?;
        }
        let done = self.sign_up_with(context, &request, &contact, channel, password).await;
        if !self.plan(&request, &contact).tells {
            self.keep_the_beat(since).await;
        }
        match done? {
            (Done::In(started), committed) => {
                Ok(SignedUp::In(Box::new(self.grant(&started, committed).await?)))
            }
            (Done::Pending(user), _) => {
                let view = self.user_view(user).await?.ok_or(UserError::NotFound)?;
                Ok(SignedUp::Pending(Box::new(view)))
            }
            (Done::AlreadyRegistered, _) => Err(SignUpError::AlreadyRegistered),
            (Done::Pretended, _) => Ok(SignedUp::Pretended(Pretended {
                id: UserId(self.store().entropy().uuid()),
                contact,
                data: request.data,
                now: self.clock().now(),
                aud: request.aud,
                role: settings.tokens.default_role.clone(),
            })),
            (Done::Again, _) => Err(Failure::Overloaded.into()),
        }
    }

    async fn sign_up_with(
        &self,
        context: &Context,
        request: &SignUp,
        contact: &Contact,
        channel: SmsChannel,
        password: Password,
    ) -> Result<(Done, Settled), SignUpError> {
        let plan = self.plan(request, contact);
        let sends = plan.sends;
        let mut case = SignUpCase { commands: self, contact, channel, password: Hashed::Not, request, plan };
        for _ in 0..ROUNDS {
            case.password = self.hash_for(contact, password.clone()).await?;
            let (done, committed) = if sends {
                self.execute_sending(context, contact, &case).await?
            } else {
                self.execute_at(context, &case).await?
            };
            if !matches!(done, Done::Again) {
                return Ok((done, committed));
            }
        }
        Ok((Done::Again, Settled::default()))
    }

    /// What follows from what was asked for and from the owner's settings.
    fn plan<'a>(&self, request: &'a SignUp, contact: &Contact) -> Plan<'a> {
        let at_once = self.confirms_at_once(contact);
        match &request.entry {
            Entry::Confirmed => Plan {
                session: at_once.then(SessionTerms::default),
                sends: !at_once,
                form: None,
                // Where it confirms at once, the answer itself tells.
                tells: at_once,
            },
            Entry::AtOnce { terms, mail } => Plan {
                session: Some(*terms),
                sends: mail.is_some() && !at_once,
                form: mail.as_ref(),
                tells: true,
            },
            Entry::Later { mail } => {
                Plan { session: None, sends: mail.is_some() && !at_once, form: mail.as_ref(), tells: false }
            }
        }
    }

    /// One hash, whoever has the address: a new one, or a comparison with the one that somebody who has
    /// not shown that the address is theirs left there.
    async fn hash_for(&self, contact: &Contact, password: Password) -> Result<Hashed, SignUpError> {
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        if let Some(user) = contact.owner(self.store()).await?
            && let Some(account) = unit.user(user).await?.account()
            && !contact.is_confirmed_in(account)
        {
            let with = account.password.clone();
            let same = self.compare_password(password, with.clone()).await?.matches;
            return Ok(Hashed::Compared { with, same });
        }
        Ok(Hashed::Anew(self.hash(password).await?))
    }

    fn contact_for_sign_up(&self, request: &SignUp) -> Result<Contact, SignUpError> {
        let (given, settings) = (&request.contact, &self.settings().sign_up);
        match (given.email.is_empty(), given.phone.is_empty()) {
            (false, false) => Err(SignUpError::BothContacts),
            (_, true) if !settings.email_enabled => Err(SignUpError::EmailDisabled),
            (_, true) => Ok(Contact::Email(Email::parse(&given.email)?)),
            (true, false) if request.challenge.is_some() => Err(SignUpError::FlowByPhone),
            (true, false) if !settings.phone_enabled => Err(SignUpError::PhoneDisabled),
            (true, false) => Ok(Contact::Phone(Phone::parse(&given.phone)?)),
        }
    }
}

/// The password, as far as it was worked on before the decision.
enum Hashed {
    Not,
    Anew(PasswordHash),
    /// It was compared with the one that is there.
    Compared {
        with: Option<PasswordHash>,
        same: bool,
    },
}

/// What a sign-up does.
struct Plan<'a> {
    /// The session that it opens.
    session: Option<SessionTerms>,
    /// Whether a message goes that confirms the address or number.
    sends: bool,
    /// The form of its link.
    form: Option<&'a LinkForm>,
    /// Whether the answer tells that the address is known.
    tells: bool,
}

struct SignUpCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    channel: SmsChannel,
    password: Hashed,
    request: &'a SignUp,
    plan: Plan<'a>,
}

enum Done {
    In(Started),
    Pending(UserId),
    Pretended,
    AlreadyRegistered,
    /// The account came, went or changed since the password was worked on.
    Again,
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
        let Hashed::Anew(password) = &self.password else { return Ok(Done::Again) };
        let at_once = self.commands.confirms_at_once(self.contact);
        let new = NewAccount {
            contact: self.contact,
            confirmed: if at_once { Confirmed::Yes } else { Confirmed::No },
            method: SignUpMethod::Password,
            aud: &self.request.aud,
            password: Some(password),
            data: &self.request.data,
        };
        if self.plan.sends {
            self.ask(unit).await?;
        }
        let user = self.commands.make_account::<SignUpError>(unit, &new).await?;
        change_names::<SignUpError>(unit, user, &self.request.names, false).await?;
        if self.plan.sends {
            self.send_confirmation(unit, user).await?;
        }
        let Some(terms) = self.plan.session else { return Ok(Done::Pending(user)) };
        let session = unit.new_session();
        let started = start_session_on::<SignUpError>(unit, user, session, "password", terms).await?;
        Ok(Done::In(started))
    }

    /// Never signs in: whoever has the address may not be who asks.
    async fn known_account(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Done, SignUpError> {
        let settings = &self.commands.settings().sign_up;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let confirmed = self.contact.is_confirmed_in(account);
        let has = account.password.clone();
        let told = match self.request.entry {
            Entry::Confirmed => settings.mail_autoconfirm || settings.sms_autoconfirm,
            Entry::AtOnce { .. } | Entry::Later { .. } => self.plan.tells,
        };
        let sends = self.plan.sends && !told;
        let same = match &self.password {
            Hashed::Compared { with, same } if *with == has => Some(*same),
            Hashed::Compared { .. } | Hashed::Anew(_) | Hashed::Not => None,
        };
        if sends && !confirmed && same.is_none() {
            return Ok(Done::Again);
        }
        if sends {
            self.ask(unit).await?;
        }
        if !sends || confirmed {
            // Written down, and so that it takes the time of a sign-up that makes an account.
            let provider = self.contact.provider().to_owned();
            unit.note(Subject::User(user), AttemptEvent::SignUpRepeated { user, provider });
            return Ok(if told { Done::AlreadyRegistered } else { Done::Pretended });
        }
        if same != Some(true) {
            // Two people want the address, and only its mails tell who has it: neither password stands
            // when it is confirmed.
            drop_unproven_password::<SignUpError>(unit, user).await?;
        }
        self.send_confirmation(unit, user).await?;
        Ok(match self.request.entry {
            Entry::Confirmed => Done::Pending(user),
            // What the account looks like is not for who cannot sign in to it.
            Entry::AtOnce { .. } | Entry::Later { .. } => Done::Pretended,
        })
    }

    async fn ask(&self, unit: &mut Unit<'_>) -> Result<(), SignUpError> {
        self.commands.ask_for_message::<SignUpError>(unit, self.contact, MessageKind::Confirmation).await
    }

    async fn send_confirmation(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), SignUpError> {
        let purpose = match self.contact {
            Contact::Email(_) => TokenPurpose::EmailConfirmation,
            Contact::Phone(_) => TokenPurpose::PhoneConfirmation,
        };
        let redirect_to = self.commands.redirects().resolve(self.request.redirect_to.as_deref());
        let challenge = self.request.challenge.as_ref();
        let flow = self
            .commands
            .mail_flow::<SignUpError>(unit, FlowPurpose::SignUp, challenge, &redirect_to)
            .await?;
        let dispatch = Dispatch {
            form: self.plan.form.cloned(),
            purpose,
            to: self.contact.clone(),
            mail: (MailTemplate::Confirmation, LinkType::Signup),
            redirect_to,
            flow,
            pace: Pace::Elsewhere,
            channel: self.channel,
        };
        self.commands.dispatch::<SignUpError>(unit, user, &dispatch).await
    }
}
