//! An administrator invites somebody.

use evident_domain::session::SessionError;
use evident_domain::user::{Confirmed, SignUpMethod, TokenPurpose, UserError};
use evident_domain::{Email, Metadata, UserId, contact::EmailError};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkType, MailTemplate, SmsChannel};
use crate::new_account::NewAccount;
use crate::one_time::{Dispatch, Pace};
use crate::quota::OverQuota;
use crate::sign_out::drop_unproven_password;
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// An invitation.
#[derive(Debug, Clone)]
pub struct InviteUser {
    /// Whom.
    pub email: String,
    /// The data of a new account.
    pub data: Metadata,
    /// The audience of a new account.
    pub aud: String,
    /// Where the link in the mail leads in the end, as the caller wishes.
    pub redirect_to: Option<String>,
}

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteUserError {
    /// The address does not read.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// Somebody has shown that the address is theirs: there is nobody to invite.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Too many mails were sent.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
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
    /// Makes an account where there is none, and sends its owner a link.
    ///
    /// # Errors
    /// When the address is confirmed as somebody's, or no mail may leave.
    pub async fn invite_user(
        &self,
        context: &Context,
        request: InviteUser,
    ) -> Result<UserView, InviteUserError> {
        let contact = Contact::Email(Email::parse(&request.email)?);
        let case = InviteCase { commands: self, contact: &contact, request: &request };
        let (user, _) = self.execute_sending(context, &contact, &case).await?;
        self.user_view(user).await?.ok_or(InviteUserError::User(UserError::NotFound))
    }

    /// The account that an invitation is for: the one there is, or a new one. A password that a stranger
    /// may have set is void.
    pub(crate) async fn invited<E>(
        &self,
        unit: &mut Unit<'_>,
        contact: &Contact,
        aud: &str,
        data: &Metadata,
    ) -> Result<Option<UserId>, E>
    where
        E: From<UserError> + From<SessionError> + From<Failure>,
    {
        let Some(user) = contact.owner(unit.store()).await? else {
            let new = NewAccount {
                contact,
                confirmed: Confirmed::No,
                method: SignUpMethod::Invited,
                aud,
                password: None,
                data,
            };
            return self.make_account::<E>(unit, &new).await.map(Some);
        };
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        if contact.is_confirmed_in(account) {
            return Ok(None);
        }
        drop_unproven_password::<E>(unit, user).await?;
        Ok(Some(user))
    }
}

struct InviteCase<'a> {
    commands: &'a Commands,
    contact: &'a Contact,
    request: &'a InviteUser,
}

impl UseCase for InviteCase<'_> {
    type Output = UserId;
    type Error = InviteUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<UserId, InviteUserError> {
        let (commands, request) = (self.commands, self.request);
        let invited =
            commands.invited::<InviteUserError>(unit, self.contact, &request.aud, &request.data).await?;
        let user = invited.ok_or(InviteUserError::EmailTaken)?;
        let dispatch = Dispatch {
            form: None,
            purpose: TokenPurpose::Invitation,
            to: self.contact.clone(),
            mail: (MailTemplate::Invite, LinkType::Invite),
            redirect_to: commands.redirects().resolve(request.redirect_to.as_deref()),
            flow: None,
            channel: SmsChannel::default(),
            pace: Pace::Elsewhere,
        };
        commands.dispatch::<InviteUserError>(unit, user, &dispatch).await?;
        Ok(user)
    }
}
