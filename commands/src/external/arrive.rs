//! Whom a profile belongs to: a known identity, the owner of a verified address, somebody new. The rules of
//! one account are the aggregate's; here accounts are found.

use evident_domain::flow::{Flow, FlowError, ProviderTokens};
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{
    Arrival, Confirmed, IdentityData, SignUp as NewAccount, SignUpMethod, TokenPurpose, User, UserCommand,
    UserError, UserEvent,
};
use evident_domain::{Claim, ClaimKind, Email, FlowId, IdentityId, UserId};
use evident_projections::views;
use uuid::Uuid;

use super::Linking;
use super::kept_tokens::KeptTokens;
use super::profile::{Address, Profile, ProfileError};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::grant::{SessionTerms, Started, start_session_on};
use crate::messages::{LinkType, MailTemplate, SmsChannel};
use crate::new_account::provider_metadata;
use crate::notify::Notification;
use crate::one_time::{Dispatch, Pace};
use crate::sign_out::revoke_all;
use crate::unit::Unit;

/// The proof that tokens name.
const METHOD: &str = "oauth";

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// The profile is nobody's, and sign-ups are off.
    #[error("sign-ups are disabled")]
    SignUpDisabled,
    /// The user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The provider tells no address, and has to.
    #[error("the provider tells no e-mail address")]
    NoEmail,
    /// The identity is linked to the user who wants to link it.
    #[error("the identity is linked already")]
    AlreadyLinked,
    /// The identity is linked to somebody else.
    #[error("the identity is linked to another user")]
    LinkedToAnother,
    /// The account to be linked has another address.
    #[error("the account of the provider has another e-mail address")]
    DifferentEmail,
    /// The user who wanted to link or was invited is gone.
    #[error("the user does not exist")]
    UserGone,
    /// Somebody else has the address that an account without one would take.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The invitation is over.
    #[error("the invitation is over")]
    InvitationOver,
    /// The provider does not tell the address that was invited.
    #[error("the invited address is another")]
    InvitedAnother,
    /// The flow was used or is over.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The profile is none.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The account refuses.
    #[error(transparent)]
    User(UserError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<UserError> for ArrivalError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NotFound => Self::UserGone,
            UserError::TokenInvalid => Self::InvitationOver,
            UserError::IdentityAlreadyLinked => Self::AlreadyLinked,
            other => Self::User(other),
        }
    }
}

/// What somebody comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// To sign in.
    SignIn,
    /// To link the identity to their account.
    Link(Linking),
    /// To accept an invitation.
    Invitation(UserId),
}

/// Somebody comes by a provider.
pub(super) struct ArrivalCase<'a> {
    pub(super) commands: &'a Commands,
    pub(super) provider: &'a str,
    pub(super) profile: &'a Profile,
    pub(super) email_optional: bool,
    pub(super) aim: Aim,
    pub(super) aud: String,
    /// The flow that this ends, and the provider's tokens for whoever began it; none for ID tokens.
    pub(super) flow: Option<(FlowId, ProviderTokens)>,
    /// What the provider handed out, for keeping where the terms say so.
    pub(super) tokens: KeptTokens,
    /// What it opens, and which addresses may come.
    pub(super) terms: ArrivalTerms,
}

/// What an arrival opens, and which addresses may come; by default what clients of Supabase Auth expect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a term of its own, none excludes another")]
pub struct ArrivalTerms {
    /// How the session lives.
    pub session: SessionTerms,
    /// Who links by hand has a session already and gets no other.
    pub links_without_session: bool,
    /// Who links by hand may only link an account with the address that is theirs.
    pub same_email: bool,
    /// What the provider hands out for calling it is kept with the identity.
    pub keeps_tokens: bool,
    /// The provider's word on an address counts though it does not vouch for it, where the account of that
    /// address has confirmed it.
    pub trusts_address: bool,
    /// Nobody new comes in.
    pub no_sign_up: bool,
    /// An address leads to no account: whoever has one links the identity by hand.
    pub no_linking: bool,
}

/// What came of it.
pub(super) enum Arrived {
    /// Signed in.
    In(Started),
    /// Linked, and nothing opened.
    Linked,
    /// There is a code to redeem.
    Code(Uuid),
    /// Nobody vouches for the address.
    Unverified {
        /// A mail was sent to confirm it.
        sent: bool,
    },
    /// It is linked, and nobody vouches for the address that the account took.
    LinkedUnverified,
}

impl UseCase for ArrivalCase<'_> {
    type Output = Arrived;
    type Error = ArrivalError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Arrived, ArrivalError> {
        match self.aim {
            Aim::Link(linking) => return self.link(unit, linking).await,
            Aim::Invitation(user) => {
                self.accept_invitation(unit, user).await?;
                self.keep_tokens(unit, user).await?;
                return self.let_in(unit, user).await;
            }
            Aim::SignIn => {}
        }
        if self.profile.primary().is_none() && !self.email_optional {
            return Err(ArrivalError::NoEmail);
        }
        let user = match self.whose(unit).await? {
            Some((user, address)) => {
                self.arrive(unit, user, address).await?;
                user
            }
            None => self.sign_up(unit).await?,
        };
        self.keep_tokens(unit, user).await?;
        if self.is_proven(unit, user).await? {
            return self.let_in(unit, user).await;
        }
        let sent = self.ask_for_confirmation(unit, user).await?;
        if self.commands.settings().sign_up.allow_unverified_email_sign_ins {
            return self.let_in(unit, user).await;
        }
        Ok(Arrived::Unverified { sent })
    }
}

impl ArrivalCase<'_> {
    /// Who the identity is linked to.
    async fn holder(&self, unit: &Unit<'_>) -> Result<Option<UserId>, ArrivalError> {
        let value = format!("{}:{}", self.provider, self.profile.subject());
        let holder = unit.store().holder(&Claim { kind: ClaimKind::Identity, value }).await;
        Ok(holder.map_err(Failure::from)?.map(UserId))
    }

    /// The account that somebody comes back to, and the address that says so: that of the identity, else the
    /// owner of an address that the provider vouches for. What nobody vouches for leads to no account.
    async fn whose<'p>(
        &'p self,
        unit: &mut Unit<'_>,
    ) -> Result<Option<(UserId, Option<&'p Address>)>, ArrivalError> {
        if let Some(user) = self.holder(unit).await? {
            return Ok(Some((user, self.profile.primary())));
        }
        if let Some(address) = self.profile.primary().filter(|address| !address.verified) {
            // It would get a mail if nobody has it: so it is refused whoever has it.
            self.commands.check_recipient(&address.email)?;
        }
        for address in self.profile.addresses().filter(|address| address.verified) {
            let by_identity = || views::owner_of_verified(unit.store().database(), address.email.as_str());
            let owner = match Contact::Email(address.email.clone()).owner(unit.store()).await? {
                Some(owner) => Some(owner),
                None => by_identity().await.map_err(Failure::from)?,
            };
            if let Some(owner) = owner {
                if self.terms.no_linking {
                    // Whose address it is the provider vouches for: they may know that there is an account.
                    return Err(ArrivalError::EmailTaken);
                }
                return Ok(Some((owner, Some(address))));
            }
        }
        let told = self
            .profile
            .primary()
            .filter(|address| self.terms.trusts_address && !self.terms.no_linking && !address.verified);
        if let Some(address) = told
            && let Some(owner) = Contact::Email(address.email.clone()).owner(unit.store()).await?
        {
            // Whoever signed up by an address that is not theirs must not wait there for its owner.
            let account = unit.user(owner).await?.account();
            let own = account.and_then(|account| account.email.as_ref());
            if own.is_some_and(|own| own.confirmed && own.value == address.email) {
                return Ok(Some((owner, Some(address))));
            }
        }
        Ok(None)
    }

    async fn arrive(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        address: Option<&Address>,
    ) -> Result<(), ArrivalError> {
        let (email, free) = self.claimed(unit, user, address).await?;
        let arrival = Arrival { identity: self.identity(unit, address)?, email, free };
        self.tell_arrival(unit, user, UserCommand::Arrive(Box::new(arrival))).await
    }

    async fn tell_arrival(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        command: UserCommand,
    ) -> Result<(), ArrivalError> {
        self.refuse_banned(unit, user).await?;
        let events = unit.tell_user::<ArrivalError>(user, command).await?;
        if events.iter().any(|event| matches!(event, UserEvent::Reclaimed {})) {
            // Whoever was in before may not have been the owner of the address.
            revoke_all::<ArrivalError>(unit, user, None, RevocationReason::PasswordChanged).await?;
        }
        Ok(())
    }

    /// An address as an account may take it, and whether no other has it.
    async fn claimed(
        &self,
        unit: &Unit<'_>,
        user: UserId,
        address: Option<&Address>,
    ) -> Result<(Option<(Email, Confirmed)>, bool), ArrivalError> {
        let Some(address) = address else { return Ok((None, false)) };
        let free = !Contact::Email(address.email.clone()).is_taken_from(user, unit.store()).await?;
        let confirmed = if address.verified { Confirmed::Yes } else { Confirmed::No };
        Ok((Some((address.email.clone(), confirmed)), free))
    }

    /// The identity as it is linked, with the address that led here.
    fn identity(&self, unit: &Unit<'_>, address: Option<&Address>) -> Result<IdentityData, ArrivalError> {
        let mut data = self.profile.metadata()?;
        if let Some(address) = address {
            data = data.with("email", address.email.as_str()).with("email_verified", address.verified);
        }
        Ok(IdentityData {
            id: IdentityId(unit.store().entropy().uuid()),
            provider: self.provider.to_owned(),
            provider_id: self.profile.subject().to_owned(),
            data,
        })
    }

    /// Keeps what the provider handed out with the identity by which somebody came.
    async fn keep_tokens(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), ArrivalError> {
        if !self.terms.keeps_tokens {
            return Ok(());
        }
        let account = unit.user(user).await?.account().ok_or(ArrivalError::UserGone)?;
        let mut identities = account.identities.iter();
        let known = identities.find(|known| known.is(self.provider, self.profile.subject()));
        let Some(identity) = known.map(|known| known.id) else { return Ok(()) };
        self.commands.keep_tokens::<ArrivalError>(unit, user, identity, self.tokens.clone()).await?;
        Ok(())
    }

    async fn refuse_banned(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), ArrivalError> {
        let now = unit.now();
        let account = unit.user(user).await?.account().ok_or(ArrivalError::UserGone)?;
        if account.is_banned(now) { Err(ArrivalError::Banned) } else { Ok(()) }
    }

    /// Somebody new. An address that somebody has, and that is not proven, is left to them.
    async fn sign_up(&self, unit: &mut Unit<'_>) -> Result<UserId, ArrivalError> {
        let settings = self.commands.settings();
        if settings.sign_up.disabled || self.terms.no_sign_up {
            return Err(ArrivalError::SignUpDisabled);
        }
        let user = UserId(unit.store().entropy().uuid());
        unit.expect_new::<User>(user.0);
        let (claimed, free) = self.claimed(unit, user, self.profile.primary()).await?;
        let autoconfirm = settings.sign_up.mail_autoconfirm;
        let email = claimed
            .filter(|_| free)
            .map(|(email, confirmed)| (email, if autoconfirm { Confirmed::Yes } else { confirmed }));
        let identity = self.identity(unit, self.profile.primary())?;
        let account = NewAccount {
            method: SignUpMethod::External,
            aud: self.aud.clone(),
            role: settings.tokens.default_role.clone(),
            email,
            phone: None,
            password: None,
            user_metadata: identity.data.clone(),
            app_metadata: provider_metadata(&[self.provider]),
            identities: vec![identity],
        };
        unit.tell_user::<ArrivalError>(user, UserCommand::SignUp(Box::new(account))).await?;
        Ok(user)
    }

    /// Whether an address or number is known to be the user's, or none is asked for.
    async fn is_proven(&self, unit: &mut Unit<'_>, user: UserId) -> Result<bool, ArrivalError> {
        let primary = self.profile.primary();
        let account = unit.user(user).await?.account().ok_or(ArrivalError::UserGone)?;
        let confirmed = account.email.as_ref().is_some_and(|email| email.confirmed)
            || account.phone.as_ref().is_some_and(|phone| phone.confirmed);
        let vouched = primary.is_some_and(|address| address.verified);
        let asked_for = primary.is_some() && account.email.is_some() || !self.email_optional;
        Ok(confirmed || vouched || !asked_for)
    }

    /// Sends the mail that confirms the account's address; says whether there is one to send it to.
    async fn ask_for_confirmation(&self, unit: &mut Unit<'_>, user: UserId) -> Result<bool, ArrivalError> {
        let account = unit.user(user).await?.account().ok_or(ArrivalError::UserGone)?;
        let Some(email) = account.email.as_ref().map(|email| email.value.clone()) else { return Ok(false) };
        let dispatch = Dispatch {
            form: None,
            purpose: TokenPurpose::EmailConfirmation,
            to: Contact::Email(email),
            mail: (MailTemplate::Confirmation, LinkType::Signup),
            redirect_to: self.commands.redirects().site_url().to_owned(),
            flow: None,
            pace: Pace::Account,
            channel: SmsChannel::default(),
        };
        match self.commands.dispatch::<ArrivalError>(unit, user, &dispatch).await {
            // The one of a moment ago is still good.
            Ok(()) | Err(ArrivalError::User(UserError::TooSoon { .. })) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The user links the identity to their own account.
    async fn link(&self, unit: &mut Unit<'_>, linking: Linking) -> Result<Arrived, ArrivalError> {
        let Linking { user, session } = linking;
        unit.asking_session::<ArrivalError>(user, session).await?;
        self.refuse_banned(unit, user).await?;
        match self.holder(unit).await? {
            Some(holder) if holder == user => {
                if !self.terms.keeps_tokens {
                    return Err(ArrivalError::AlreadyLinked);
                }
                // Nothing is linked; what the provider handed out is new all the same.
                self.keep_tokens(unit, user).await?;
                return self.linked(unit, user).await;
            }
            Some(_) => return Err(ArrivalError::LinkedToAnother),
            None => {}
        }
        let address = self.profile.primary();
        let own = unit.user(user).await?.account().and_then(|account| account.email.clone());
        if self.terms.same_email
            && let Some(own) = own
            && address.is_none_or(|address| address.email != own.value)
        {
            return Err(ArrivalError::DifferentEmail);
        }
        let (email, free) = self.claimed(unit, user, address).await?;
        let without = unit.user(user).await?.account().is_some_and(|account| account.email.is_none());
        if without && email.is_some() && !free {
            return Err(ArrivalError::EmailTaken);
        }
        let identity = self.identity(unit, address)?;
        let command = UserCommand::LinkByHand { identity, email };
        unit.tell_user::<ArrivalError>(user, command).await?;
        self.keep_tokens(unit, user).await?;
        let provider = self.provider.to_owned();
        self.commands.notify(unit, user, Notification::IdentityLinked { provider }).await?;
        let unconfirmed = |email: &evident_domain::user::Contact<Email>| !email.confirmed;
        let account = unit.user(user).await?.account().ok_or(ArrivalError::UserGone)?;
        if without && account.email.as_ref().is_some_and(unconfirmed) {
            self.ask_for_confirmation(unit, user).await?;
            return Ok(Arrived::LinkedUnverified);
        }
        self.linked(unit, user).await
    }

    /// Ends a flow that was for linking.
    async fn linked(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Arrived, ArrivalError> {
        if self.terms.links_without_session {
            if let Some((flow, _)) = &self.flow {
                let flow = *flow;
                self.commands.authenticate_flow::<ArrivalError>(unit, flow, user, METHOD, None).await?;
            }
            return Ok(Arrived::Linked);
        }
        self.let_in(unit, user).await
    }

    async fn accept_invitation(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), ArrivalError> {
        if self.holder(unit).await?.is_some_and(|holder| holder != user) {
            return Err(ArrivalError::LinkedToAnother);
        }
        let now = unit.now();
        let account = unit.user(user).await?.account().ok_or(ArrivalError::InvitationOver)?;
        let invited = account.email.as_ref().map(|email| email.value.clone());
        let address = self.profile.addresses().find(|address| Some(&address.email) == invited.as_ref());
        let address = address.ok_or(ArrivalError::InvitedAnother)?;
        let identity = self.identity(unit, Some(address))?;
        let command = UserCommand::AcceptInvitation { identity, now };
        self.tell_arrival(unit, user, command).await
    }

    /// Ends the flow, and begins a session where there is no code to redeem.
    async fn let_in(&self, unit: &mut Unit<'_>, user: UserId) -> Result<Arrived, ArrivalError> {
        if let Some((flow, tokens)) = &self.flow {
            // Without a code to redeem nobody asks the flow for the provider's tokens, so it keeps none.
            let keeps = match unit.read::<Flow>(flow.0).await? {
                Flow::Pending(pending) => pending.challenge.is_some(),
                Flow::Absent | Flow::Authenticated(_) | Flow::Over => false,
            };
            let code = self.commands.authenticate_flow::<ArrivalError>(
                unit,
                *flow,
                user,
                METHOD,
                keeps.then(|| tokens.clone()),
            );
            if let Some(code) = code.await? {
                return Ok(Arrived::Code(code));
            }
        }
        let session = unit.new_session();
        let terms = self.terms.session;
        Ok(Arrived::In(start_session_on::<ArrivalError>(unit, user, session, METHOD, terms).await?))
    }
}
