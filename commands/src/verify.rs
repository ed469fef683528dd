//! Proving that a message arrived: by its link or its code.

use std::time::Instant;

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::flow::{Flow, FlowError, FlowPurpose};
use evident_domain::recipient::AskedTooSoon;
use evident_domain::session::SessionError;
use evident_domain::user::{
    Account, Agreement, OneTimeToken, Proof, TokenPurpose, UnprovenPassword, UserCommand, UserError,
    UserEvent,
};
use evident_domain::{Email, FlowId, IdentityId, Phone, StreamId, Subject, UserId};
use evident_projections::views;
use uuid::Uuid;

use crate::Commands;
use crate::contact::{Contact, GivenContact};
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_session};
use crate::notify::Notification;
use crate::sign_out::end_what_it_opened;
use crate::tokens::{LinkToken, OneTimeCode};
use crate::unit::{Context, Unit};

/// Users that are looked at when several asked for the same new address.
const CANDIDATES: u32 = 5;

/// What the caller says the message was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyKind {
    /// A sign-up by mail, or an invitation.
    SignUp,
    /// Any mail that signs in.
    Email,
    /// A recovery, or a sign-in by mail.
    Recovery,
    /// A sign-up or sign-in by text.
    Sms,
    /// A change of address, from either of the two.
    EmailChange,
    /// A change of number.
    PhoneChange,
}

/// What came of it.
#[derive(Debug)]
pub enum Verified {
    /// The proof signs in.
    In(Box<Grant>),
    /// The proof is good, and a flow goes on with it: whoever began the flow redeems this code.
    Code(Uuid),
    /// One of the two addresses of a change has agreed; the other is still to.
    Halfway,
}

/// What the caller shows.
#[derive(Debug, Clone)]
pub enum VerifyProof {
    /// The token of a link.
    LinkToken(String),
    /// A code, and the address or number that it went to.
    Code {
        /// Where it went.
        contact: GivenContact,
        /// What was typed.
        code: String,
    },
}

/// A proof as it was shown.
#[derive(Debug, Clone)]
pub struct Verify {
    /// What the message was for.
    pub kind: VerifyKind,
    /// The proof.
    pub proof: VerifyProof,
    /// Who shows it.
    pub end: VerifyEnd,
}

/// Who shows a proof, and so what they get for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyEnd {
    /// The client that wants the session.
    Client,
    /// A browser that opened a link: where a flow goes on with it, its client gets a code to redeem.
    Browser,
}

/// Why nothing was proven.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Unknown, used, superseded, guessed at too often or too old: which, nobody is told.
    #[error("the code or link is invalid or has expired")]
    Invalid,
    /// The proof is good, and the user is kept out.
    #[error("the user is banned")]
    Banned,
    /// Somebody else has taken the new address meanwhile.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Somebody else has taken the new number meanwhile.
    #[error("the phone number is taken")]
    PhoneTaken,
    /// The flow refuses.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<UserError> for VerifyError {
    fn from(_: UserError) -> Self {
        Self::Invalid
    }
}

impl From<AskedTooSoon> for VerifyError {
    fn from(_: AskedTooSoon) -> Self {
        Self::Failure(Failure::Internal("an answer is never too soon"))
    }
}

impl Commands {
    /// Confirms an address or number by what was sent there, and signs in.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] for whatever is not good; a wrong code is counted.
    pub async fn verify(&self, context: &Context, request: Verify) -> Result<Verified, VerifyError> {
        let since = Instant::now();
        let outcome = self.verify_any(context, &request).await;
        if matches!(outcome, Err(VerifyError::Invalid)) {
            self.keep_the_beat(since).await;
        }
        outcome
    }

    async fn verify_any(&self, context: &Context, request: &Verify) -> Result<Verified, VerifyError> {
        let mut outcome = Err(VerifyError::Invalid);
        let candidates = self.candidates(request).await?;
        if candidates.is_empty() {
            // Nobody's stream is read and the miss is noted as well, so that the time tells nothing.
            let nobody = StreamId::user(UserId(self.store().entropy().uuid()));
            self.store().load(nobody).await.map_err(Failure::from)?;
            self.execute(context, &MissCase { commands: self, request }).await?;
        }
        for (user, proof) in candidates {
            let case = VerifyCase { commands: self, user, proof, request };
            outcome = match self.execute_at(context, &case).await {
                Ok((Done::In(started), committed)) => {
                    return Ok(Verified::In(Box::new(self.grant(&started, committed).await?)));
                }
                Ok((Done::Code(code), _)) => return Ok(Verified::Code(code)),
                Ok((Done::Halfway, _)) => return Ok(Verified::Halfway),
                Ok((Done::Missed, _)) => Err(VerifyError::Invalid),
                Err(error) => Err(error),
            };
        }
        outcome
    }

    /// Whose proof it may be. A new address is nobody's yet: several users may have asked for it.
    async fn candidates(&self, request: &Verify) -> Result<Vec<(UserId, Proof)>, VerifyError> {
        let (contact, code) = match &request.proof {
            VerifyProof::LinkToken(token) => {
                let link = LinkToken::parse(token).map_err(|_| VerifyError::Invalid)?;
                return Ok(vec![(link.user(), Proof::Link(link.hash()))]);
            }
            VerifyProof::Code { contact, code } => (contact, code),
        };
        let contact = contact_of(contact).ok_or(VerifyError::Invalid)?;
        let code = OneTimeCode::parse(code).map_err(|_| VerifyError::Invalid)?;
        let owner = match request.kind {
            VerifyKind::PhoneChange => None,
            VerifyKind::SignUp
            | VerifyKind::Email
            | VerifyKind::Recovery
            | VerifyKind::Sms
            | VerifyKind::EmailChange => contact.owner(self.store()).await?,
        };
        let users = match (owner, request.kind) {
            (Some(user), _) => vec![user],
            (None, VerifyKind::EmailChange | VerifyKind::PhoneChange) => {
                let database = self.store().database();
                views::who_asked_for(database, contact.as_str(), CANDIDATES).await.map_err(Failure::from)?
            }
            (None, VerifyKind::SignUp | VerifyKind::Email | VerifyKind::Recovery | VerifyKind::Sms) => {
                Vec::new()
            }
        };
        let mut candidates = Vec::with_capacity(users.len());
        for user in users {
            let typed = self.codes().code_hash(user, &code);
            let proof = match (&contact, request.kind) {
                (Contact::Phone(phone), VerifyKind::Sms) => {
                    let purpose = TokenPurpose::PhoneConfirmation;
                    self.text_proof(user, phone, code.expose(), typed, purpose).await?
                }
                (Contact::Phone(phone), VerifyKind::PhoneChange) => {
                    self.text_proof(user, phone, code.expose(), typed, TokenPurpose::PhoneChange).await?
                }
                _ => Proof::Code(typed),
            };
            candidates.push((user, proof));
        }
        Ok(candidates)
    }
}

fn contact_of(given: &GivenContact) -> Option<Contact> {
    match (given.email.is_empty(), given.phone.is_empty()) {
        (false, true) => Email::parse(&given.email).ok().map(Contact::Email),
        (true, false) => Phone::parse(&given.phone).ok().map(Contact::Phone),
        (true, true) | (false, false) => None,
    }
}

struct VerifyCase<'a> {
    commands: &'a Commands,
    user: UserId,
    proof: Proof,
    request: &'a Verify,
}

enum Done {
    In(Started),
    Code(Uuid),
    Halfway,
    /// The code is not good; that it was tried is noted.
    Missed,
}

impl UseCase for VerifyCase<'_> {
    type Output = Done;
    type Error = VerifyError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, VerifyError> {
        let now = unit.now();
        let purposes = match self.request.kind {
            VerifyKind::SignUp => vec![TokenPurpose::EmailConfirmation, TokenPurpose::Invitation],
            VerifyKind::Email => {
                vec![TokenPurpose::EmailConfirmation, TokenPurpose::Invitation, TokenPurpose::Recovery]
            }
            VerifyKind::Recovery => vec![TokenPurpose::Recovery],
            VerifyKind::Sms => vec![TokenPurpose::PhoneConfirmation],
            VerifyKind::EmailChange => vec![TokenPurpose::EmailChangeNew, TokenPurpose::EmailChangeCurrent],
            VerifyKind::PhoneChange => vec![TokenPurpose::PhoneChange],
        };
        let account = unit.user(self.user).await?.account().ok_or(VerifyError::Invalid)?;
        let (banned, tokens) = (account.is_banned(now), account.tokens.clone());
        let password = self.unproven_password(account);
        let command = UserCommand::Redeem { purposes, proof: self.proof.clone(), password, now };
        let events = match unit.tell_user::<VerifyError>(self.user, command).await {
            Err(VerifyError::Invalid) => Vec::new(),
            told => told?,
        };
        let redeemed = events.iter().find_map(|event| match event {
            UserEvent::OneTimeTokenRedeemed { purpose } => Some(*purpose),
            _ => None,
        });
        let Some(purpose) = redeemed else {
            note_miss(self.commands, unit, self.request, Some(self.user));
            return Ok(Done::Missed);
        };
        if banned {
            return Err(VerifyError::Banned);
        }
        end_what_it_opened::<VerifyError>(unit, self.user, &events).await?;
        self.settle(unit, &events).await?;
        if !self.complete(unit, password).await? {
            return Ok(Done::Halfway);
        }
        let flow = tokens.get(&purpose).and_then(|token| token.flow);
        if let Some(flow) = flow.filter(|_| self.request.end == VerifyEnd::Browser) {
            let method = self.method(unit, flow).await?;
            let code =
                self.commands.authenticate_flow::<VerifyError>(unit, flow, self.user, method, None).await?;
            return code.map(Done::Code).ok_or(VerifyError::Flow(FlowError::NotFound));
        }
        let session = unit.new_session();
        Ok(Done::In(start_session::<VerifyError>(unit, self.user, session, "otp").await?))
    }
}

impl VerifyCase<'_> {
    /// What becomes of a password that was set before the confirmation. Who opens a link may be another than
    /// who set it; that they are one shows when the flow of the link is redeemed by the client that began it.
    fn unproven_password(&self, account: &Account) -> UnprovenPassword {
        let keeps = self.commands.settings().security.confirmation_keeps_password;
        let flow = match &self.proof {
            Proof::Link(hash) if self.request.end == VerifyEnd::Browser => {
                let of_link =
                    |token: &&OneTimeToken| token.link.as_ref().is_some_and(|link| link.matches(hash));
                account.tokens.values().find(of_link).and_then(|token| token.flow)
            }
            Proof::Link(_) | Proof::Code(_) => None,
        };
        match flow {
            // What nobody is known to have set is never taken for the owner's.
            _ if keeps && !account.anonymous => UnprovenPassword::Stays,
            Some(_) => UnprovenPassword::Waits,
            None => UnprovenPassword::Goes,
        }
    }

    /// Whoever has confirmed an address may ask for the next message at once.
    async fn settle(&self, unit: &mut Unit<'_>, events: &[UserEvent]) -> Result<(), VerifyError> {
        let account = unit.user(self.user).await?.account().ok_or(VerifyError::Invalid)?;
        let (email, phone) = (account.email.clone(), account.phone.clone());
        for event in events {
            let from = match event {
                UserEvent::EmailConfirmed {} => {
                    email.as_ref().map(|email| Contact::Email(email.value.clone()))
                }
                UserEvent::PhoneConfirmed {} => {
                    phone.as_ref().map(|phone| Contact::Phone(phone.value.clone()))
                }
                _ => None,
            };
            if let Some(from) = from {
                self.commands.note_answer::<VerifyError>(unit, &from).await?;
            }
        }
        Ok(())
    }

    /// By what proof a flow says that its user came.
    async fn method(&self, unit: &mut Unit<'_>, flow: FlowId) -> Result<&'static str, VerifyError> {
        let Flow::Pending(pending) = unit.read::<Flow>(flow.0).await? else {
            return Err(VerifyError::Flow(FlowError::NotFound));
        };
        Ok(match pending.purpose {
            FlowPurpose::SignUp => "email/signup",
            FlowPurpose::MagicLink => "magiclink",
            FlowPurpose::Recovery => "recovery",
            FlowPurpose::Invitation => "invite",
            FlowPurpose::EmailChange => "email_change",
            FlowPurpose::External => "oauth",
            FlowPurpose::SingleSignOn => "sso/saml",
        })
    }

    /// Makes a change of contact, where that was the matter; says whether nothing is missing any more.
    async fn complete(&self, unit: &mut Unit<'_>, password: UnprovenPassword) -> Result<bool, VerifyError> {
        match self.request.kind {
            VerifyKind::SignUp | VerifyKind::Email | VerifyKind::Recovery | VerifyKind::Sms => Ok(true),
            VerifyKind::EmailChange => {
                let autoconfirm = self.commands.settings().sign_up.mail_autoconfirm;
                let agreement = if autoconfirm { Agreement::OfOne } else { Agreement::OfAll };
                self.commands.complete_email_change(unit, self.user, agreement, password).await
            }
            VerifyKind::PhoneChange => self.complete_phone_change(unit, password).await,
        }
    }

    async fn complete_phone_change(
        &self,
        unit: &mut Unit<'_>,
        password: UnprovenPassword,
    ) -> Result<bool, VerifyError> {
        let new_identity = IdentityId(unit.store().entropy().uuid());
        let account = unit.user(self.user).await?.account().ok_or(VerifyError::Invalid)?;
        let wanted = account.new_phone.clone().map(|phone| Contact::Phone(phone.value));
        let old = account.phone.as_ref().map(|contact| contact.value.clone());
        let command = UserCommand::CompletePhoneChange { user: self.user, new_identity, password };
        let events = unit.tell_user::<VerifyError>(self.user, command).await?;
        if events.is_empty() {
            return Ok(false);
        }
        end_what_it_opened::<VerifyError>(unit, self.user, &events).await?;
        self.commands.notify_of_new_phone(unit, self.user, &events).await?;
        self.commands.notify(unit, self.user, Notification::PhoneChanged { old }).await?;
        // The number was not reserved: whoever took it meanwhile has it.
        match wanted {
            Some(contact) if contact.is_taken_from(self.user, unit.store()).await? => {
                Err(VerifyError::PhoneTaken)
            }
            Some(_) | None => Ok(true),
        }
    }
}

impl Commands {
    /// Gives the user the address asked for, if everybody agrees whose agreement is needed; says whether
    /// nothing is missing any more.
    pub(crate) async fn complete_email_change(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        agreement: Agreement,
        password: UnprovenPassword,
    ) -> Result<bool, VerifyError> {
        let new_identity = IdentityId(unit.store().entropy().uuid());
        let account = unit.user(user).await?.account().ok_or(VerifyError::Invalid)?;
        let wanted = account.new_email.clone().map(Contact::Email);
        let old = account.email.as_ref().map(|contact| contact.value.clone());
        let command = UserCommand::CompleteEmailChange { user, new_identity, agreement, password };
        let events = unit.tell_user::<VerifyError>(user, command).await?;
        if events.is_empty() {
            return Ok(false);
        }
        end_what_it_opened::<VerifyError>(unit, user, &events).await?;
        self.notify_of_new_phone(unit, user, &events).await?;
        if let Some(old) = old {
            self.notify(unit, user, Notification::EmailChanged { old }).await?;
        }
        // The address was not reserved: whoever took it meanwhile has it.
        match wanted {
            Some(contact) if contact.is_taken_from(user, unit.store()).await? => Err(VerifyError::EmailTaken),
            Some(_) | None => Ok(true),
        }
    }
}

/// Notes that a wrong code was tried for an address, known or not. A wrong link names nobody.
fn note_miss(commands: &Commands, unit: &mut Unit<'_>, request: &Verify, user: Option<UserId>) {
    let VerifyProof::Code { contact, .. } = &request.proof else { return };
    let identifier = match contact_of(contact) {
        Some(contact) => contact.as_str().to_owned(),
        None => return,
    };
    let at = unit.now();
    let attempt = AttemptEvent::SignInFailed {
        // Counted apart from wrong passwords: who types codes for somebody must not keep their password out.
        account: commands.codes().account_hash(&format!("code:{identifier}")),
        identifier: identifier.into(),
        user,
        reason: SignInRefusal::InvalidToken,
        at,
    };
    unit.note(user.map_or_else(|| Subject::period_of(at), Subject::User), attempt);
}

/// A wrong code for an address that nobody has.
struct MissCase<'a> {
    commands: &'a Commands,
    request: &'a Verify,
}

impl UseCase for MissCase<'_> {
    type Output = ();
    type Error = VerifyError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), VerifyError> {
        note_miss(self.commands, unit, self.request, None);
        Ok(())
    }
}
