//! A client redeems a code: it gets a session of its own, bound to it and to the scopes.

use evident_domain::authorization::{Authorization, AuthorizationCommand, AuthorizationError};
use evident_domain::client::GrantType;
use evident_domain::consent::Consent;
use evident_domain::session::{ClientBinding, RevocationReason, SessionError};
use evident_domain::{ClientId, ConsentId, Scope, SessionId, Time};

use super::client_auth::{ClientAuthError, ClientCredentials, authenticate};
use super::user_info::UserInfo;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_client_session};
use crate::sign_out::revoke;
use crate::tokens::IdTokenClaims;
use crate::unit::{Context, Unit};

/// How long an ID token is good, in seconds.
const ID_TOKEN_LIFETIME: i64 = 3600;

/// A code as a client brings it.
#[derive(Debug, Clone)]
pub struct CodeExchange {
    /// Who comes.
    pub credentials: ClientCredentials,
    /// The code.
    pub code: String,
    /// Where it was sent, where the client says so.
    pub redirect_uri: Option<String>,
    /// What the challenge was made of.
    pub verifier: String,
    /// For which service the tokens are to be, where the client says so.
    pub resource: Option<String>,
}

/// What a client gets.
#[derive(Debug)]
pub struct ClientGrant {
    /// The tokens.
    pub grant: Grant,
    /// Who the user is, for clients that asked with the scope `openid`.
    pub id_token: Option<String>,
    /// Whether the client may go on with the refresh token.
    pub may_refresh: bool,
}

/// Why a client gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// It is not the one it says it is.
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    /// It may not redeem codes.
    #[error("the client may not redeem codes")]
    GrantNotAllowed,
    /// The code is unknown, used, too old, another client's, or what it stood for was taken back.
    #[error("the code is invalid")]
    InvalidCode,
    /// The code was sent elsewhere.
    #[error("the code was sent to another address")]
    WrongRedirectUri,
    /// The verifier is not the one.
    #[error("the verifier does not match the challenge")]
    WrongVerifier,
    /// The user granted it for another service.
    #[error("the tokens were granted for another service")]
    WrongResource,
    /// The user is kept out.
    #[error("the user is banned")]
    Banned,
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<AuthorizationError> for RedeemError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::WrongRedirectUri => Self::WrongRedirectUri,
            AuthorizationError::WrongVerifier => Self::WrongVerifier,
            AuthorizationError::NotFound
            | AuthorizationError::Decided
            | AuthorizationError::AlreadyRequested => Self::InvalidCode,
        }
    }
}

impl From<SessionError> for RedeemError {
    fn from(_: SessionError) -> Self {
        Failure::Internal("a session of a client did not start").into()
    }
}

impl Commands {
    /// Redeems a code. One that comes a second time ends the session that it opened.
    ///
    /// # Errors
    /// When client or code are not good.
    pub async fn redeem_code(
        &self,
        context: &Context,
        exchange: &CodeExchange,
    ) -> Result<ClientGrant, RedeemError> {
        let session = SessionId(self.store().entropy().timed_uuid(self.clock().now()));
        let case = Redeeming { commands: self, exchange, session };
        let (done, committed) = self.execute_at(context, &case).await?;
        let redeemed = match done {
            Done::Redeemed(redeemed) => redeemed,
            Done::Reused => return Err(RedeemError::InvalidCode),
        };
        let grant = self.grant(&redeemed.started, committed).await?;
        let id_token = self.id_token(&redeemed, &grant)?;
        Ok(ClientGrant { grant, id_token, may_refresh: redeemed.may_refresh })
    }

    /// An ID token, where the client asked for one and others than this server can check it.
    fn id_token(&self, redeemed: &Redeemed, grant: &Grant) -> Result<Option<String>, Failure> {
        let Some(bound) = redeemed.started.state.client.as_ref() else { return Ok(None) };
        if !bound.scopes.contain(Scope::Openid) || self.signing_keys().public_algorithm().is_none() {
            return Ok(None);
        }
        let info = UserInfo::of(&grant.user.view.user, &bound.scopes);
        let iat = self.clock().now().timestamp();
        let claims = IdTokenClaims {
            iss: self.settings().issuer().to_owned(),
            sub: info.sub,
            aud: bound.client,
            exp: iat + ID_TOKEN_LIFETIME,
            iat,
            nonce: redeemed.nonce.clone(),
            auth_time: redeemed.authenticated_at.timestamp(),
            email: info.email,
            email_verified: info.email_verified,
            phone_number: info.phone,
            phone_number_verified: info.phone_verified,
            name: info.name,
            picture: info.picture,
            preferred_username: info.preferred_username,
            updated_at: info.updated_at,
            client_id: bound.client,
        };
        let token = self.signing_keys().sign(&claims);
        token.map(Some).map_err(|_| Failure::Internal("no ID token was signed"))
    }
}

struct Redeeming<'a> {
    commands: &'a Commands,
    exchange: &'a CodeExchange,
    session: SessionId,
}

/// A code that was redeemed.
struct Redeemed {
    started: Started,
    nonce: Option<String>,
    authenticated_at: Time,
    may_refresh: bool,
}

enum Done {
    Redeemed(Box<Redeemed>),
    Reused,
}

impl UseCase for Redeeming<'_> {
    type Output = Done;
    type Error = RedeemError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, RedeemError> {
        let exchange = self.exchange;
        let (client, registered) = authenticate(unit, &exchange.credentials).await?;
        if !registered.may_use(GrantType::AuthorizationCode) {
            return Err(RedeemError::GrantNotAllowed);
        }
        let codec = self.commands.authorizations();
        let id = codec.authorization(&exchange.code).map_err(|_| RedeemError::InvalidCode)?;
        let state = unit.read::<Authorization>(id.0).await?.clone();
        if let Some(session) = state.session_of_reused_code(client, &exchange.verifier) {
            // Two have had the code: whoever came first may be the thief.
            revoke::<RedeemError>(unit, session, RevocationReason::AuthorizationCodeReused).await?;
            return Ok(Done::Reused);
        }
        self.tell(unit, id.0, client).await?;
        let Authorization::Approved(approved) = state else { return Err(RedeemError::InvalidCode) };
        let (asked, user, now) = (approved.asked, approved.user, unit.now());
        if exchange.resource.as_ref().is_some_and(|named| asked.resource.as_ref().is_some_and(|r| r != named))
        {
            return Err(RedeemError::WrongResource);
        }
        let account = unit.user(user).await?.account().ok_or(RedeemError::InvalidCode)?;
        if account.is_banned(now) {
            return Err(RedeemError::Banned);
        }
        if !unit.read::<Consent>(ConsentId::of(user, client).0).await?.covers(&asked.scopes) {
            return Err(RedeemError::InvalidCode);
        }
        let bound = ClientBinding { client, scopes: asked.scopes };
        let started = start_client_session::<RedeemError>(unit, user, self.session, bound).await?;
        Ok(Done::Redeemed(Box::new(Redeemed {
            started,
            nonce: asked.nonce,
            authenticated_at: approved.authenticated_at,
            may_refresh: registered.may_use(GrantType::RefreshToken),
        })))
    }
}

impl Redeeming<'_> {
    async fn tell(&self, unit: &mut Unit<'_>, id: uuid::Uuid, client: ClientId) -> Result<(), RedeemError> {
        let command = AuthorizationCommand::Redeem {
            client,
            redirect_uri: self.exchange.redirect_uri.clone(),
            verifier: self.exchange.verifier.clone(),
            session: self.session,
            now: unit.now(),
        };
        unit.tell::<Authorization, RedeemError>(id, command).await?;
        Ok(())
    }
}
