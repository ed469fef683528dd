//! Signing in with a password.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::username::Username;
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{PasswordHash, Phone, StreamId, Subject, UserId};
use zeroize::Zeroizing;

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::hooks::Verdict as Judgement;
use crate::names::name_owner;
use crate::password::{Password, PasswordLength, Verdict, Weakness};
use crate::second_step::{AfterPassword, WaitingSignIn};
use crate::sign_out::revoke_all;
use crate::throttle::Throttled;
use crate::tokens::DeviceToken;
use crate::unit::{Context, Unit};

/// How often a password is looked at again because it changed meanwhile.
const ROUNDS: u32 = 3;

/// A sign-in as it was asked for.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Address or number.
    pub contact: GivenContact,
    /// The name instead of either.
    pub username: Option<Username>,
    /// The password.
    pub password: Zeroizing<String>,
    /// How long a password may be; one that is longer is nobody's.
    pub length: PasswordLength,
    /// Whether an address that nobody has confirmed will do.
    pub unconfirmed: Unconfirmed,
    /// How the session lives.
    pub terms: SessionTerms,
}

/// Whether an account may be used whose address or number nobody has confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unconfirmed {
    /// It may not.
    #[default]
    Refused,
    /// It may.
    Admitted,
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedIn {
    /// The new session.
    pub grant: Grant,
    /// What today's rules hold against the password; signing in succeeds all the same.
    pub weakness: Option<Weakness>,
}

/// What a right password comes to where an account may ask for a second step.
#[derive(Debug)]
pub enum Entered {
    /// A session.
    In {
        /// The session.
        signed_in: Box<SignedIn>,
        /// What a trusted device shows from now on.
        device: Option<DeviceToken>,
    },
    /// A sign-in that waits for its second step.
    Waits(WaitingSignIn),
}

/// Whether a sign-in asks for a second step before there is a session.
#[derive(Debug, Clone)]
enum Steps {
    /// No: the session shows a second factor later.
    One,
    /// Yes, unless the device is trusted.
    Two(Option<DeviceToken>),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Address and number were given.
    #[error("a sign-in takes an address or a number, not both")]
    BothContacts,
    /// Neither was given.
    #[error("a sign-in needs an address or a number")]
    NoContact,
    /// Signing in by address is off.
    #[error("signing in by e-mail is disabled")]
    EmailDisabled,
    /// Signing in by number is off.
    #[error("signing in by phone is disabled")]
    PhoneDisabled,
    /// Nobody has that address, or the password is another: which, nobody is told.
    #[error("the credentials are invalid")]
    InvalidCredentials,
    /// The password is right, and the user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The password is right, and the address is not confirmed.
    #[error("the e-mail address is not confirmed")]
    EmailNotConfirmed,
    /// The password is right, and the number is not confirmed.
    #[error("the phone number is not confirmed")]
    PhoneNotConfirmed,
    /// Too many failures for this address or number: wait.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// A hook of the owner's refuses the attempt, whether the password was right or not.
    #[error("{0}")]
    Rejected(String),
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

/// Who might be signing in: a known person or nobody; the way is the same.
struct Candidate {
    /// The address or number, normalized as far as it reads.
    identifier: String,
    contact: Option<Contact>,
    user: Option<UserId>,
    password: Option<PasswordHash>,
}

impl Commands {
    /// Signs somebody in.
    ///
    /// # Errors
    /// Says nothing about an account before the password is right.
    pub async fn sign_in(&self, context: &Context, request: SignIn) -> Result<SignedIn, SignInError> {
        match self.enter_by(context, request, Steps::One).await? {
            Entered::In { signed_in, .. } => Ok(*signed_in),
            Entered::Waits(_) => Err(Failure::Internal("nobody asked for a second step").into()),
        }
    }

    /// Signs somebody in; where the account has a second factor, it is asked for before there is a session.
    ///
    /// # Errors
    /// As [`Commands::sign_in`].
    pub async fn enter(
        &self,
        context: &Context,
        request: SignIn,
        device: Option<DeviceToken>,
    ) -> Result<Entered, SignInError> {
        self.enter_by(context, request, Steps::Two(device)).await
    }

    async fn enter_by(
        &self,
        context: &Context,
        request: SignIn,
        steps: Steps,
    ) -> Result<Entered, SignInError> {
        let (identifier, contact) = match &request.username {
            Some(name) => (format!("name:{}", name.as_str()), None),
            None => self.contact_for_sign_in(&request.contact)?,
        };
        let account = self.codes().account_hash(&identifier);
        self.check_throttle::<SignInError>(&account).await?;
        // One that is too long is nobody's password; it is compared like any other.
        let length = match request.length {
            PasswordLength::Units { max, .. } => PasswordLength::Units { min: 0, max },
            PasswordLength::Supabase => PasswordLength::Supabase,
        };
        let (password, possible) = match Password::within(request.password.to_string(), length) {
            Ok(password) => (password, true),
            Err(_) => (Password::default(), false),
        };
        for _ in 0..ROUNDS {
            let candidate =
                self.candidate(identifier.clone(), contact.clone(), request.username.as_ref()).await?;
            let verdict = self.compare_password(password.clone(), candidate.password.clone()).await?;
            let rehashed = match verdict {
                Verdict { matches: true, needs_rehash: true } => Some(self.hash(password.clone()).await?),
                Verdict { .. } => None,
            };
            let matches = verdict.matches && possible;
            if let Some(user) = candidate.user {
                let judged = self.password_attempt(context, user, matches).await?;
                if let Judgement::Reject { message, end_sessions } = judged {
                    let case = RejectCase { commands: self, candidate: &candidate, matches, end_sessions };
                    self.execute(context, &case).await?;
                    return Err(SignInError::Rejected(message));
                }
            }
            let case = SignInCase {
                commands: self,
                candidate: &candidate,
                matches,
                rehashed,
                unconfirmed: request.unconfirmed,
                terms: request.terms,
                steps: steps.clone(),
            };
            let (done, committed) = self.execute_at(context, &case).await?;
            match done {
                Done::Waits(waiting) => return Ok(Entered::Waits(waiting)),
                Done::In(started, device) => {
                    let grant = self.grant(&started, committed).await?;
                    // Only told, so what cannot be looked up is no matter.
                    let weakness = match self.weakness(&password).await {
                        Ok(weakness) => weakness,
                        Err(_) => self.passwords().check(&password).err(),
                    };
                    let signed_in = Box::new(SignedIn { grant, weakness });
                    return Ok(Entered::In { signed_in, device });
                }
                Done::Refused(refusal) => return Err(refusal.into_error(candidate.contact.as_ref())),
                // The password changed while this one was compared with the old one.
                Done::PasswordChanged => {}
            }
        }
        Err(Failure::Overloaded.into())
    }

    /// The address or number as it is looked up. One that does not read is nobody's.
    fn contact_for_sign_in(&self, given: &GivenContact) -> Result<(String, Option<Contact>), SignInError> {
        let settings = &self.settings().sign_up;
        match (given.email.is_empty(), given.phone.is_empty()) {
            (false, false) => Err(SignInError::BothContacts),
            (true, true) => Err(SignInError::NoContact),
            (false, true) if !settings.email_enabled => Err(SignInError::EmailDisabled),
            (true, false) if !settings.phone_enabled => Err(SignInError::PhoneDisabled),
            (false, true) => {
                let text = given.email.to_lowercase();
                let contact = evident_domain::Email::parse(&text).ok().map(Contact::Email);
                Ok((text, contact))
            }
            (true, false) => {
                let phone = Phone::parse(&given.phone).ok();
                let text = phone.as_ref().map_or_else(|| given.phone.clone(), ToString::to_string);
                Ok((text, phone.map(Contact::Phone)))
            }
        }
    }

    async fn candidate(
        &self,
        identifier: String,
        contact: Option<Contact>,
        username: Option<&Username>,
    ) -> Result<Candidate, SignInError> {
        let user = match (&contact, username) {
            (Some(contact), _) => contact.owner(self.store()).await?,
            (None, Some(name)) => name_owner(self.store(), name).await?,
            (None, None) => None,
        };
        // Nobody's stream is read as well, so that the time tells nothing.
        let stream = user.unwrap_or_else(|| UserId(self.store().entropy().uuid()));
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let password = match user {
            Some(user) => unit.user(user).await?.account().and_then(|account| account.password.clone()),
            None => {
                self.store().load(StreamId::user(stream)).await.map_err(Failure::from)?;
                None
            }
        };
        Ok(Candidate { identifier, contact, user, password })
    }
}

struct SignInCase<'a> {
    commands: &'a Commands,
    candidate: &'a Candidate,
    matches: bool,
    rehashed: Option<PasswordHash>,
    unconfirmed: Unconfirmed,
    terms: SessionTerms,
    steps: Steps,
}

enum Done {
    In(Started, Option<DeviceToken>),
    Waits(WaitingSignIn),
    Refused(SignInRefusal),
    PasswordChanged,
}

trait Refusal {
    fn into_error(self, contact: Option<&Contact>) -> SignInError;
}

impl Refusal for SignInRefusal {
    fn into_error(self, contact: Option<&Contact>) -> SignInError {
        match self {
            Self::UnknownAccount | Self::WrongPassword | Self::InvalidToken | Self::RejectedByHook => {
                SignInError::InvalidCredentials
            }
            Self::Banned => SignInError::Banned,
            Self::NotConfirmed if matches!(contact, Some(Contact::Phone(_))) => {
                SignInError::PhoneNotConfirmed
            }
            Self::NotConfirmed => SignInError::EmailNotConfirmed,
        }
    }
}

impl UseCase for SignInCase<'_> {
    type Output = Done;
    type Error = SignInError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, SignInError> {
        let Some(user) = self.candidate.user else {
            return Ok(self.refuse(unit, SignInRefusal::UnknownAccount));
        };
        let now = unit.now();
        let Some(account) = unit.user(user).await?.account() else {
            return Ok(self.refuse(unit, SignInRefusal::UnknownAccount));
        };
        if account.password != self.candidate.password {
            return Ok(Done::PasswordChanged);
        }
        if !self.matches {
            return Ok(self.refuse(unit, SignInRefusal::WrongPassword));
        }
        if account.is_banned(now) {
            return Ok(self.refuse(unit, SignInRefusal::Banned));
        }
        let confirmed = match &self.candidate.contact {
            Some(Contact::Phone(_)) => account.phone.as_ref().is_some_and(|phone| phone.confirmed),
            Some(Contact::Email(_)) | None => account.email.as_ref().is_some_and(|email| email.confirmed),
        };
        if !confirmed && self.unconfirmed == Unconfirmed::Refused {
            return Ok(self.refuse(unit, SignInRefusal::NotConfirmed));
        }
        if let Some(password) = &self.rehashed {
            let command = UserCommand::RehashPassword { password: password.clone() };
            unit.tell_user::<SignInError>(user, command).await?;
        }
        let device = match &self.steps {
            Steps::One => None,
            Steps::Two(device) => {
                match self.commands.after_password::<SignInError>(unit, user, device.as_ref()).await? {
                    AfterPassword::Session(device) => device,
                    AfterPassword::SecondStep(waiting) => return Ok(Done::Waits(waiting)),
                }
            }
        };
        let session = unit.new_session();
        let started = start_session_on::<SignInError>(unit, user, session, "password", self.terms).await?;
        Ok(Done::In(started, device))
    }
}

impl SignInCase<'_> {
    fn refuse(&self, unit: &mut Unit<'_>, reason: SignInRefusal) -> Done {
        self.candidate.note(self.commands, unit, reason);
        Done::Refused(reason)
    }
}

/// What follows when a hook rejects a password.
struct RejectCase<'a> {
    commands: &'a Commands,
    candidate: &'a Candidate,
    matches: bool,
    end_sessions: bool,
}

impl UseCase for RejectCase<'_> {
    type Output = ();
    type Error = SignInError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SignInError> {
        // A wrong password stays a guess, which the delay of the next tries counts.
        let reason = if self.matches { SignInRefusal::RejectedByHook } else { SignInRefusal::WrongPassword };
        self.candidate.note(self.commands, unit, reason);
        match self.candidate.user {
            Some(user) if self.end_sessions => {
                revoke_all::<SignInError>(unit, user, None, RevocationReason::RejectedByHook).await
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Candidate {
    /// Notes the failure on a stream of its own.
    fn note(&self, commands: &Commands, unit: &mut Unit<'_>, reason: SignInRefusal) {
        let at = unit.now();
        let subject = match self.user {
            Some(user) => Subject::User(user),
            None => Subject::Period(at.format("%Y-%m").to_string()),
        };
        let attempt = AttemptEvent::SignInFailed {
            account: commands.codes().account_hash(&self.identifier),
            identifier: self.identifier.clone().into(),
            user: self.user,
            reason,
            at,
        };
        unit.note(subject, attempt);
    }
}
