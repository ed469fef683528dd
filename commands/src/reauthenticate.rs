//! A code for somebody who is signed in, to show before a sensitive change that it is still them.

use evident_domain::user::{TokenPurpose, UserError};
use evident_domain::{SessionId, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::messages::{LinkType, MailTemplate, SmsChannel};
use crate::one_time::{Dispatch, Pace};
use crate::request_access::RequestError;
use crate::unit::{Context, Unit};

/// Why no code goes.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// The address is not confirmed.
    #[error("the e-mail address is not confirmed")]
    EmailNotConfirmed,
    /// The number is not confirmed.
    #[error("the phone number is not confirmed")]
    PhoneNotConfirmed,
    /// As with any request for a message; by text or not.
    #[error("{error}")]
    Request {
        /// Why.
        #[source]
        error: RequestError,
        /// Whether it would have gone by text.
        by_phone: bool,
    },
}

impl Commands {
    /// Sends a code to the user's address, or to the number where there is no address.
    ///
    /// # Errors
    /// When there is neither, when it is not confirmed, or when a code was sent a moment ago.
    pub async fn reauthenticate(
        &self,
        context: &Context,
        user: UserId,
        session: Option<SessionId>,
    ) -> Result<(), ReauthenticateError> {
        let failed = |error| ReauthenticateError::Request { error, by_phone: false };
        let view = self.user_view(user).await.map_err(|error| failed(error.into()))?;
        let row = view.ok_or(failed(UserError::NotFound.into()))?.user;
        let email = row.email.as_deref().and_then(|text| evident_domain::Email::parse(text).ok());
        let phone = row.phone.as_deref().and_then(|text| evident_domain::Phone::parse(text).ok());
        let to = match (email, phone) {
            (Some(email), _) if row.email_confirmed_at.is_some() => Contact::Email(email),
            (Some(_), _) => return Err(ReauthenticateError::EmailNotConfirmed),
            (None, Some(phone)) if row.phone_confirmed_at.is_some() => Contact::Phone(phone),
            (None, Some(_)) => return Err(ReauthenticateError::PhoneNotConfirmed),
            (None, None) => return Err(failed(RequestError::NoContact)),
        };
        let case = ReauthenticateCase { commands: self, user, session, to: &to };
        let by_phone = matches!(to, Contact::Phone(_));
        let done = self.execute_sending(context, &to, &case).await;
        done.map(|_| ()).map_err(|error| ReauthenticateError::Request { error, by_phone })
    }
}

struct ReauthenticateCase<'a> {
    commands: &'a Commands,
    user: UserId,
    session: Option<SessionId>,
    to: &'a Contact,
}

impl UseCase for ReauthenticateCase<'_> {
    type Output = ();
    type Error = RequestError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), RequestError> {
        unit.asking_session::<RequestError>(self.user, self.session).await?;
        let dispatch = Dispatch {
            form: None,
            purpose: TokenPurpose::Reauthentication,
            to: self.to.clone(),
            mail: (MailTemplate::Reauthentication, LinkType::Recovery),
            redirect_to: String::new(),
            flow: None,
            channel: SmsChannel::default(),
            pace: Pace::Account,
        };
        self.commands.dispatch::<RequestError>(unit, self.user, &dispatch).await
    }
}
