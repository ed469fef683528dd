//! A client sends a browser with a request; the user is sent on to the page where they decide.

use evident_domain::authorization::{Authorization, AuthorizationCommand, AuthorizationError, Request};
use evident_domain::client::{Client, GrantType, RedirectUri, RegisteredClient};
use evident_domain::flow::{ChallengeError, CodeChallenge};
use evident_domain::scopes::UnknownScope;
use evident_domain::{ClientId, Scopes};
use url::Url;

use super::with_query;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::tokens::AuthorizationHandle;
use crate::unit::{Context, Unit};

/// The longest text that is kept for a client or shown to it again, in bytes.
const LONGEST: usize = 2048;

/// A request as it came (RFC 6749, section 4.1.1; RFC 7636, section 4.3). Nothing of it is checked.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: Option<String>,
    /// Where the code is to be sent.
    pub redirect_uri: Option<String>,
    /// What is asked for; none: a code.
    pub response_type: Option<String>,
    /// What the client wants; none: the default.
    pub scope: Option<String>,
    /// What comes back to the client as it is.
    pub state: Option<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// For which service the tokens are to be (RFC 8707).
    pub resource: Option<String>,
    /// What the client proves when it redeems the code.
    pub code_challenge: Option<String>,
    /// How the challenge was made.
    pub code_challenge_method: Option<String>,
}

/// Why nobody is asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The request does not say who asks.
    #[error("the request names no client")]
    NoClient,
    /// What it says is no id.
    #[error("the id of the client is malformed")]
    MalformedClient,
    /// There is no such client.
    #[error("the client is unknown")]
    UnknownClient,
    /// The request does not say where the code is to be sent.
    #[error("the request names no redirect URI")]
    NoRedirectUri,
    /// That is no place of the client's.
    #[error("the redirect URI is not the client's")]
    WrongRedirectUri,
    /// Something else is wrong: the client is told, by the browser.
    #[error("the request is refused: {0:?}")]
    Refused(Box<RequestRefused>),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A request that its client is told is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRefused {
    /// Where the client listens.
    pub redirect_uri: RedirectUri,
    /// What comes back to it.
    pub state: Option<String>,
    /// What is wrong.
    pub problem: RequestProblem,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestProblem {
    /// It asks for something else than a code.
    ResponseType,
    /// It brings no challenge, or does not say how it was made.
    NoChallenge,
    /// The challenge is none.
    Challenge(ChallengeError),
    /// It wants what there is not.
    Scope(String),
    /// The service is not named by an absolute URI.
    Resource,
    /// Something in it is too long.
    TooLong,
    /// The client may not redeem codes.
    Grant,
    /// The application has no page where users decide.
    NoConsentPage,
}

impl RequestRefused {
    /// The client's address with an error (RFC 6749, section 4.1.2.1).
    pub fn location(&self, error: &str, description: &str) -> String {
        let mut pairs = vec![("error", error), ("error_description", description)];
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        with_query(self.redirect_uri.as_str(), &pairs)
    }
}

impl From<AuthorizationError> for AuthorizeError {
    fn from(_: AuthorizationError) -> Self {
        Failure::Internal("an authorization was requested twice").into()
    }
}

impl Commands {
    /// Takes a client's request in. Gives the address of the page where the user decides.
    ///
    /// # Errors
    /// Until client and address are known to fit nobody is redirected anywhere.
    pub async fn request_authorization(
        &self,
        context: &Context,
        request: &AuthorizationRequest,
    ) -> Result<String, AuthorizeError> {
        let given = |text: &'_ Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if !given(&request.client_id) {
            return Err(AuthorizeError::NoClient);
        }
        let client = request.client_id.as_deref().unwrap_or_default();
        let client: ClientId = client.parse().map_err(|_| AuthorizeError::MalformedClient)?;
        let handle = AuthorizationHandle::generate(self.store().entropy());
        self.execute(context, &Requesting { commands: self, request, client, handle }).await
    }

    /// The page where users decide.
    fn consent_page(&self) -> Option<String> {
        let path = self.settings().oauth_server.consent_path.as_deref().filter(|path| !path.is_empty())?;
        let site = self.settings().site.site_url.trim_end_matches('/');
        Some(format!("{site}/{}", path.trim_start_matches('/')))
    }
}

struct Requesting<'a> {
    commands: &'a Commands,
    request: &'a AuthorizationRequest,
    client: ClientId,
    handle: AuthorizationHandle,
}

impl UseCase for Requesting<'_> {
    type Output = String;
    type Error = AuthorizeError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<String, AuthorizeError> {
        let client = unit.read::<Client>(self.client.0).await?;
        let client = client.registered().ok_or(AuthorizeError::UnknownClient)?;
        let uri = self.request.redirect_uri.as_deref().filter(|uri| !uri.is_empty());
        let uri = uri.ok_or(AuthorizeError::NoRedirectUri)?;
        let redirect_uri = client.redirect_uri(uri).ok_or(AuthorizeError::WrongRedirectUri)?.clone();
        let (page, scopes, challenge) = self.checked(client).map_err(|problem| {
            let state = self.request.state.clone().filter(|state| state.len() <= LONGEST);
            let redirect_uri = redirect_uri.clone();
            AuthorizeError::Refused(Box::new(RequestRefused { redirect_uri, state, problem }))
        })?;
        let now = unit.now();
        let request = Request {
            client: self.client,
            redirect_uri,
            scopes,
            state: self.request.state.clone(),
            nonce: self.request.nonce.clone().filter(|nonce| !nonce.is_empty()),
            resource: self.request.resource.clone().filter(|resource| !resource.is_empty()),
            challenge,
            now,
            expires_at: now + self.commands.settings().oauth_server.authorization_ttl,
        };
        let id = self.handle.id().0;
        unit.expect_new::<Authorization>(id);
        let command = AuthorizationCommand::Request(Box::new(request));
        unit.tell::<Authorization, AuthorizeError>(id, command).await?;
        Ok(with_query(&page, &[("authorization_id", self.handle.expose())]))
    }
}

impl Requesting<'_> {
    /// What the client is told about, in the order in which it hears of it.
    fn checked(&self, client: &RegisteredClient) -> Result<(String, Scopes, CodeChallenge), RequestProblem> {
        let request = self.request;
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        if !matches!(text(&request.response_type).as_str(), "" | "code") {
            return Err(RequestProblem::ResponseType);
        }
        let (challenge, method) = (text(&request.code_challenge), text(&request.code_challenge_method));
        if challenge.is_empty() || method.is_empty() {
            return Err(RequestProblem::NoChallenge);
        }
        let challenge = CodeChallenge::parse(&challenge, &method).map_err(RequestProblem::Challenge)?;
        let asked = Some(text(&request.scope)).filter(|scope| !scope.trim().is_empty());
        let scope = asked.unwrap_or_else(|| self.commands.settings().oauth_server.default_scope.clone());
        let scopes = Scopes::parse(&scope)
            .map_err(|UnknownScope(scope)| RequestProblem::Scope(scope.chars().take(64).collect()))?;
        let resource = text(&request.resource);
        if !resource.is_empty() && !is_absolute(&resource) {
            return Err(RequestProblem::Resource);
        }
        if [&request.state, &request.nonce, &request.resource].iter().any(|kept| text(kept).len() > LONGEST) {
            return Err(RequestProblem::TooLong);
        }
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(RequestProblem::Grant);
        }
        let page = self.commands.consent_page().ok_or(RequestProblem::NoConsentPage)?;
        Ok((page, scopes, challenge))
    }
}

/// An absolute URI without a fragment (RFC 8707, section 2).
fn is_absolute(resource: &str) -> bool {
    resource.bytes().all(|byte| byte.is_ascii_graphic())
        && Url::parse(resource).is_ok_and(|url| url.has_host() && url.fragment().is_none())
}
