//! An administrator has a link made, to be sent by other means.

use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{Confirmed, SignUpMethod, TokenPurpose, UserCommand, UserError};
use evident_domain::{Email, Metadata, PasswordHash, UserId, contact::EmailError};
use zeroize::Zeroizing;

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkType, MailTemplate, SmsChannel};
use crate::new_account::NewAccount;
use crate::one_time::{Dispatch, Pace};
use crate::password::{Password, PasswordTooLong, Weakness};
use crate::sign_out::{drop_unproven_password, revoke_all};
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// A link to be made.
#[derive(Debug, Clone)]
pub struct GenerateLink {
    /// What it does.
    pub kind: LinkKind,
    /// For whom.
    pub email: String,
    /// The other address, of a change.
    pub new_email: String,
    /// The password of a sign-up; empty counts as none.
    pub password: Zeroizing<String>,
    /// The data of a sign-up or an invitation.
    pub data: Metadata,
    /// The audience of a new account.
    pub aud: String,
    /// Where the link leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
}

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Confirms a sign-up.
    SignUp,
    /// Signs in.
    MagicLink,
    /// Signs in to choose a new password.
    Recovery,
    /// Accepts an invitation.
    Invite,
    /// Agrees to another address, from the current one.
    EmailChangeCurrent,
    /// Agrees to another address, from that one.
    EmailChangeNew,
}

/// A link that was made.
#[derive(Debug)]
pub struct GeneratedLink {
    /// Whose it is.
    pub user: UserView,
    /// What it does: a sign-in for a stranger is a sign-up.
    pub kind: LinkKind,
    /// The link.
    pub action_link: Zeroizing<String>,
    /// The code that does the same when it is typed.
    pub code: Zeroizing<String>,
    /// The token in the link.
    pub token: Zeroizing<String>,
    /// Where the link leads in the end.
    pub redirect_to: String,
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateLinkError {
    /// An address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// Nobody has the address.
    #[error("nobody has the address")]
    NotFound,
    /// The address, or the new one, is somebody's.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// A sign-up needs a password.
    #[error("a sign-up needs a password")]
    PasswordMissing,
    /// The password is longer than any that is taken.
    #[error(transparent)]
    PasswordTooLong(#[from] PasswordTooLong),
    /// The password is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// The current address is not asked for changes.
    #[error("the current address is not asked for changes")]
    CurrentIsNotAsked,
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
    /// Makes a link and its code, and sends nothing.
    ///
    /// # Errors
    /// In the order in which Supabase Auth looks: the address, who has it, what the kind asks for.
    pub async fn generate_link(
        &self,
        context: &Context,
        request: GenerateLink,
    ) -> Result<GeneratedLink, GenerateLinkError> {
        let contact = Contact::Email(Email::parse(&request.email)?);
        let mut password = None;
        if request.kind == LinkKind::SignUp && !request.password.is_empty() {
            let given = Password::parse(request.password.to_string())?;
            if let Some(weakness) = self.weakness(&given).await? {
                return Err(GenerateLinkError::Weak(weakness));
            }
            password = Some(self.hash(given).await?);
        }
        let case = LinkCase { commands: self, contact: &contact, password, request: &request };
        let made = self.execute(context, &case).await?;
        let user = self.user_view(made.user).await?.ok_or(GenerateLinkError::NotFound)?;
        Ok(GeneratedLink {
            user,
            kind: made.kind,
            action_link: made.link,
            code: made.code,
            token: made.token,
            redirect_to: made.redirect_to,
        })
    }
}

struct LinkCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    password: Option<PasswordHash>,
    request: &'a GenerateLink,
}

struct Made {
    user: UserId,
    kind: LinkKind,
    link: Zeroizing<String>,
    code: Zeroizing<String>,
    token: Zeroizing<String>,
    redirect_to: String,
}

impl UseCase for LinkCase<'_> {
    type Output = Made;
    type Error = GenerateLinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Made, GenerateLinkError> {
        let owner = self.contact.owner(unit.store()).await?;
        let (kind, user) = match (self.request.kind, owner) {
            (LinkKind::MagicLink | LinkKind::SignUp, None) => (LinkKind::SignUp, self.sign_up(unit).await?),
            (LinkKind::Recovery | LinkKind::EmailChangeCurrent | LinkKind::EmailChangeNew, None) => {
                return Err(GenerateLinkError::NotFound);
            }
            (LinkKind::SignUp, Some(user)) => {
                self.repeat_sign_up(unit, user).await?;
                (LinkKind::SignUp, user)
            }
            (LinkKind::Invite, _) => {
                let (aud, data) = (&self.request.aud, &self.request.data);
                let invited =
                    self.commands.invited::<GenerateLinkError>(unit, self.contact, aud, data).await?;
                (LinkKind::Invite, invited.ok_or(GenerateLinkError::EmailTaken)?)
            }
            (kind @ (LinkKind::EmailChangeCurrent | LinkKind::EmailChangeNew), Some(user)) => {
                self.ask_for_change(unit, kind, user).await?;
                (kind, user)
            }
            (kind @ (LinkKind::MagicLink | LinkKind::Recovery), Some(user)) => (kind, user),
        };
        self.make(unit, kind, user).await
    }
}

impl LinkCase<'_> {
    async fn sign_up(&self, unit: &mut Unit<'_>) -> Result<UserId, GenerateLinkError> {
        if self.request.kind == LinkKind::SignUp && self.password.is_none() {
            return Err(GenerateLinkError::PasswordMissing);
        }
        let new = NewAccount {
            contact: self.contact,
            confirmed: Confirmed::No,
            method: SignUpMethod::Admin,
            aud: &self.request.aud,
            password: self.password.as_ref(),
            data: &self.request.data,
        };
        self.commands.make_account::<GenerateLinkError>(unit, &new).await
    }

    /// The administrator vouches for the password given now, and for none that was set before.
    async fn repeat_sign_up(&self, unit: &mut Unit<'_>, user: UserId) -> Result<(), GenerateLinkError> {
        let account = unit.user(user).await?.account().ok_or(GenerateLinkError::NotFound)?;
        if self.contact.is_confirmed_in(account) {
            return Err(GenerateLinkError::EmailTaken);
        }
        match self.password.clone() {
            Some(password) => {
                let command = UserCommand::ChangePassword { password };
                unit.tell_user::<GenerateLinkError>(user, command).await?;
                let reason = RevocationReason::PasswordChanged;
                revoke_all::<GenerateLinkError>(unit, user, None, reason).await?;
            }
            None => drop_unproven_password::<GenerateLinkError>(unit, user).await?,
        }
        let patch = self.request.data.clone();
        unit.tell_user::<GenerateLinkError>(user, UserCommand::ChangeMetadata { patch }).await?;
        Ok(())
    }

    async fn ask_for_change(
        &self,
        unit: &mut Unit<'_>,
        kind: LinkKind,
        user: UserId,
    ) -> Result<(), GenerateLinkError> {
        if kind == LinkKind::EmailChangeCurrent && !self.commands.settings().security.secure_email_change {
            return Err(GenerateLinkError::CurrentIsNotAsked);
        }
        let new_email = Email::parse(&self.request.new_email)?;
        if Contact::Email(new_email.clone()).owner(unit.store()).await?.is_some() {
            return Err(GenerateLinkError::EmailTaken);
        }
        let account = unit.user(user).await?.account().ok_or(GenerateLinkError::NotFound)?;
        // The links of one change are made one after the other: the second must not void the first.
        if account.new_email.as_ref() != Some(&new_email) {
            let command = UserCommand::RequestEmailChange { new_email };
            unit.tell_user::<GenerateLinkError>(user, command).await?;
        }
        Ok(())
    }

    async fn make(
        &self,
        unit: &mut Unit<'_>,
        kind: LinkKind,
        user: UserId,
    ) -> Result<Made, GenerateLinkError> {
        let (purpose, mail) = match kind {
            LinkKind::SignUp => {
                (TokenPurpose::EmailConfirmation, (MailTemplate::Confirmation, LinkType::Signup))
            }
            LinkKind::MagicLink => (TokenPurpose::Recovery, (MailTemplate::MagicLink, LinkType::MagicLink)),
            LinkKind::Recovery => (TokenPurpose::Recovery, (MailTemplate::Recovery, LinkType::Recovery)),
            LinkKind::Invite => (TokenPurpose::Invitation, (MailTemplate::Invite, LinkType::Invite)),
            LinkKind::EmailChangeCurrent => {
                (TokenPurpose::EmailChangeCurrent, (MailTemplate::EmailChange, LinkType::EmailChange))
            }
            LinkKind::EmailChangeNew => {
                (TokenPurpose::EmailChangeNew, (MailTemplate::EmailChange, LinkType::EmailChange))
            }
        };
        let redirect_to = self.commands.redirects().resolve(self.request.redirect_to.as_deref());
        let to = self.contact.clone();
        let pace = Pace::Elsewhere;
        let dispatch = Dispatch {
            purpose,
            to,
            mail,
            form: None,
            redirect_to,
            flow: None,
            pace,
            channel: SmsChannel::default(),
        };
        let issued = self.commands.issue::<GenerateLinkError>(unit, user, &dispatch).await?;
        Ok(Made {
            user,
            kind,
            link: Zeroizing::new(self.commands.action_link(unit, &dispatch, &issued.link)?),
            code: Zeroizing::new(issued.code.expose().to_owned()),
            token: Zeroizing::new(issued.link.expose().to_owned()),
            redirect_to: dispatch.redirect_to,
        })
    }
}
