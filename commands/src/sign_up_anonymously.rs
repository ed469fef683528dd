//! Signing up without an address: a session for nobody known, who may become somebody later.

use evident_domain::session::SessionError;
use evident_domain::user::{SignUp, SignUpMethod, User, UserCommand, UserError};
use evident_domain::{Metadata, UserId};

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::unit::{Context, Unit};

/// Why nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum AnonymousError {
    /// Nobody may sign up.
    #[error("sign-ups are disabled")]
    Disabled,
    /// Nobody may sign up without an address or a number.
    #[error("anonymous sign-ups are disabled")]
    AnonymousDisabled,
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
    /// Whether somebody may sign up without an address or a number.
    ///
    /// # Errors
    /// When not.
    pub fn admits_anonymous(&self) -> Result<(), AnonymousError> {
        let settings = &self.settings().sign_up;
        if settings.disabled {
            return Err(AnonymousError::Disabled);
        }
        if settings.anonymous_enabled { Ok(()) } else { Err(AnonymousError::AnonymousDisabled) }
    }

    /// Signs somebody up whom nobody knows.
    ///
    /// # Errors
    /// When that is off.
    pub async fn sign_up_anonymously(
        &self,
        context: &Context,
        aud: String,
        data: Metadata,
        terms: SessionTerms,
    ) -> Result<Grant, AnonymousError> {
        self.admits_anonymous()?;
        let case = AnonymousCase { commands: self, aud, data, terms };
        let (started, committed) = self.execute_at(context, &case).await?;
        Ok(self.grant(&started, committed).await?)
    }
}

struct AnonymousCase<'a> {
    commands: &'a Commands,
    aud: String,
    data: Metadata,
    terms: SessionTerms,
}

impl UseCase for AnonymousCase<'_> {
    type Output = Started;
    type Error = AnonymousError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Started, AnonymousError> {
        let user = UserId(unit.store().entropy().uuid());
        unit.expect_new::<User>(user.0);
        let account = SignUp {
            method: SignUpMethod::Anonymous,
            aud: self.aud.clone(),
            role: self.commands.settings().tokens.default_role.clone(),
            email: None,
            phone: None,
            password: None,
            user_metadata: self.data.clone(),
            app_metadata: Metadata::default(),
            identities: Vec::new(),
        };
        unit.tell_user::<AnonymousError>(user, UserCommand::SignUp(Box::new(account))).await?;
        let session = unit.new_session();
        start_session_on::<AnonymousError>(unit, user, session, "anonymous", self.terms).await
    }
}
