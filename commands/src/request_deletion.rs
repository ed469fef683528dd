//! Asking to have one's account deleted: a link in a mail agrees.

use evident_domain::UserId;
use evident_domain::recipient::{AskedTooSoon, MessageKind};
use evident_domain::user::{TokenPurpose, UserError};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::one_time::{Dispatch, Pace};
use crate::unit::{Context, Unit};

/// Why no mail goes.
#[derive(Debug, thiserror::Error)]
pub enum RequestDeletionError {
    /// The account has no address to send it to.
    #[error("the account has no e-mail address")]
    NoAddress,
    /// A mail was asked for a moment ago.
    #[error(transparent)]
    TooSoon(#[from] AskedTooSoon),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Sends the link that deletes an account.
    ///
    /// # Errors
    /// When there is no address to send it to, or one went a moment ago.
    pub async fn request_deletion(
        &self,
        context: &Context,
        user: UserId,
        form: LinkForm,
    ) -> Result<(), RequestDeletionError> {
        self.execute(context, &RequestCase { commands: self, user, form }).await
    }
}

struct RequestCase<'a> {
    commands: &'a Commands,
    user: UserId,
    form: LinkForm,
}

impl UseCase for RequestCase<'_> {
    type Output = ();
    type Error = RequestDeletionError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), RequestDeletionError> {
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        let email = account.email.as_ref().ok_or(RequestDeletionError::NoAddress)?;
        let to = Contact::Email(email.value.clone());
        self.commands.note_message::<RequestDeletionError>(unit, &to, MessageKind::Change).await?;
        let dispatch = Dispatch {
            purpose: TokenPurpose::AccountDeletion,
            to,
            mail: (MailTemplate::DeleteAccount, LinkType::Recovery),
            form: Some(self.form.clone()),
            redirect_to: String::new(),
            flow: None,
            pace: Pace::Account,
            channel: SmsChannel::default(),
        };
        self.commands.dispatch::<RequestDeletionError>(unit, self.user, &dispatch).await
    }
}
