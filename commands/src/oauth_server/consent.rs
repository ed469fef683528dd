//! A user looks at a client's request and decides.

use evident_domain::authorization::{
    Asked, Authorization, AuthorizationCommand, AuthorizationError, Pending,
};
use evident_domain::client::{Client, ClientDetails};
use evident_domain::consent::{Consent, ConsentCommand, ConsentError};
use evident_domain::{AuthorizationId, ConsentId, SessionId, Time, UserId};

use super::with_query;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::tokens::AuthorizationHandle;
use crate::unit::{Context, Unit};

/// Who decides: a user, with the session in which they do.
#[derive(Debug, Clone, Copy)]
pub struct Decider {
    /// The user.
    pub user: UserId,
    /// The session of the access token, where it names one.
    pub session: Option<SessionId>,
}

/// What a user sees of a request.
#[derive(Debug)]
pub struct PendingRequest {
    /// What is asked for.
    pub asked: Asked,
    /// Who asks.
    pub client: ClientDetails,
}

/// What comes of looking at a request.
#[derive(Debug)]
pub enum Seen {
    /// The user is to decide.
    Pending(Box<PendingRequest>),
    /// The user granted all of it before: the browser goes back to the client with a code.
    Approved {
        /// Where it goes.
        redirect_url: String,
    },
}

/// What a user decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentChoice {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// Why a user does not see a request, or does not decide.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such request for this user.
    #[error("the authorization does not exist")]
    NotFound,
    /// The user has decided.
    #[error("the authorization is decided")]
    Decided,
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<AuthorizationError> for DecideError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::Decided => Self::Decided,
            AuthorizationError::NotFound
            | AuthorizationError::AlreadyRequested
            | AuthorizationError::WrongRedirectUri
            | AuthorizationError::WrongVerifier => Self::NotFound,
        }
    }
}

impl From<ConsentError> for DecideError {
    fn from(_: ConsentError) -> Self {
        Self::NotFound
    }
}

impl Commands {
    /// Shows a request to a user, who is the one to decide from then on.
    ///
    /// # Errors
    /// When there is no such request for the user, or it is decided.
    pub async fn see_authorization(
        &self,
        context: &Context,
        decider: Decider,
        handle: &str,
    ) -> Result<Seen, DecideError> {
        let id = AuthorizationHandle::parse(handle).map_err(|_| DecideError::NotFound)?.id();
        self.execute(context, &Seeing { commands: self, decider, id }).await
    }

    /// Takes a user's decision. Gives the address where the browser goes back to the client.
    ///
    /// # Errors
    /// When there is no such request in front of the user, or it is decided.
    pub async fn decide_authorization(
        &self,
        context: &Context,
        decider: Decider,
        handle: &str,
        choice: ConsentChoice,
    ) -> Result<String, DecideError> {
        let id = AuthorizationHandle::parse(handle).map_err(|_| DecideError::NotFound)?.id();
        self.execute(context, &Deciding { commands: self, decider, id, choice }).await
    }

    /// Says yes in a user's name. Gives the address where the browser goes with the code.
    async fn approve(
        &self,
        unit: &mut Unit<'_>,
        decider: &Decider,
        id: AuthorizationId,
        asked: &Asked,
        authenticated_at: Time,
    ) -> Result<String, DecideError> {
        let now = unit.now();
        let command = AuthorizationCommand::Approve {
            user: decider.user,
            authenticated_at,
            now,
            code_expires_at: now + self.settings().oauth_server.code_lifetime(),
        };
        unit.tell::<Authorization, DecideError>(id.0, command).await?;
        let code = self.authorizations().code(id).to_string();
        Ok(back(asked, &[("code", &code)]))
    }
}

/// The client's address, with what the client is told and its state.
fn back(asked: &Asked, told: &[(&str, &str)]) -> String {
    let mut pairs = told.to_vec();
    pairs.extend(asked.state.as_deref().map(|state| ("state", state)));
    with_query(asked.redirect_uri.as_str(), &pairs)
}

/// When the user signed in. Account and session become part of the decision: who was banned or signed out
/// meanwhile decides nothing.
async fn signed_in_at(unit: &mut Unit<'_>, decider: &Decider) -> Result<Time, DecideError> {
    let now = unit.now();
    let account = unit.user(decider.user).await?.account().ok_or(DecideError::NotFound)?;
    if account.is_banned(now) {
        return Err(DecideError::NotFound);
    }
    match decider.session {
        None => Ok(now),
        Some(session) => Ok(unit.session(session).await?.live().ok_or(DecideError::NotFound)?.started_at),
    }
}

/// What is asked for and by whom, while nobody has decided.
async fn pending(unit: &mut Unit<'_>, id: AuthorizationId) -> Result<PendingRequest, DecideError> {
    let Authorization::Pending(pending) = unit.read::<Authorization>(id.0).await? else {
        return Err(DecideError::NotFound);
    };
    let Pending { asked, .. } = &**pending;
    let asked = asked.clone();
    let client = unit.read::<Client>(asked.client.0).await?;
    let client = client.registered().ok_or(DecideError::NotFound)?.details.clone();
    Ok(PendingRequest { asked, client })
}

struct Seeing<'a> {
    commands: &'a Commands,
    decider: Decider,
    id: AuthorizationId,
}

impl UseCase for Seeing<'_> {
    type Output = Seen;
    type Error = DecideError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Seen, DecideError> {
        let (user, now) = (self.decider.user, unit.now());
        let authenticated_at = signed_in_at(unit, &self.decider).await?;
        let command = AuthorizationCommand::See { user, now };
        unit.tell::<Authorization, DecideError>(self.id.0, command).await?;
        let pending = pending(unit, self.id).await?;
        let consent = unit.read::<Consent>(ConsentId::of(user, pending.asked.client).0).await?;
        if !consent.covers(&pending.asked.scopes) {
            return Ok(Seen::Pending(Box::new(pending)));
        }
        let redirect_url =
            self.commands.approve(unit, &self.decider, self.id, &pending.asked, authenticated_at).await?;
        Ok(Seen::Approved { redirect_url })
    }
}

struct Deciding<'a> {
    commands: &'a Commands,
    decider: Decider,
    id: AuthorizationId,
    choice: ConsentChoice,
}

impl UseCase for Deciding<'_> {
    type Output = String;
    type Error = DecideError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<String, DecideError> {
        let (user, now) = (self.decider.user, unit.now());
        let authenticated_at = signed_in_at(unit, &self.decider).await?;
        unit.read::<Authorization>(self.id.0).await?.check_before(user, now)?;
        let PendingRequest { asked, .. } = pending(unit, self.id).await?;
        if self.choice == ConsentChoice::Deny {
            let command = AuthorizationCommand::Deny { user, now };
            unit.tell::<Authorization, DecideError>(self.id.0, command).await?;
            let told = [("error", "access_denied"), ("error_description", "User denied the request")];
            return Ok(back(&asked, &told));
        }
        let redirect_url =
            self.commands.approve(unit, &self.decider, self.id, &asked, authenticated_at).await?;
        let scopes = asked.scopes.clone();
        let give = ConsentCommand::Give { user, client: asked.client, scopes, now };
        unit.tell::<Consent, DecideError>(ConsentId::of(user, asked.client).0, give).await?;
        Ok(redirect_url)
    }
}
