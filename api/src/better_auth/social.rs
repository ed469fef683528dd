//! Other providers: `POST /sign-in/social`, `POST /link-social`, `GET` and `POST /callback/{id}`

use axum::http::{StatusCode, header};
use evident_commands::Grant;
use evident_commands::external::{
    ArrivalError, ArrivalTerms, BeginExternal, BeginExternalError, CameBack, CameBackError, FetchError,
    FinishExternalError, FinishedExternal, IdTokenSignIn, IdTokenSignInError, KeptTokens, Linking,
    ProviderReply, WayBack,
};
use evident_domain::{Actor, FlowId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::anonymous;
use super::app::App;
use super::body::Fields;
use super::call::{Answer, Call, Reply};
use super::error::BetterAuthError;
use super::links;
use super::routes::Table;
use super::sign_in::signed_in;

/// The cookie that says which browser went to the provider.
const STATE_COOKIE: &str = "state";
/// So long it is kept, in seconds.
const STATE_AGE: u64 = 300;
/// The longest text of a provider's that is passed on, in characters.
const LONGEST_NEWS: usize = 500;

pub(super) fn routes(table: Table) -> Table {
    table
        .post("/sign-in/social", sign_in)
        .post("/link-social", link)
        .get("/callback/{id}", come_back)
        .post_form("/callback/{id}", come_back_by_form)
}

/// Providers that the other protocol calls by another name.
fn provider_name(name: &str) -> &str {
    match name {
        "microsoft" => "azure",
        "linkedin" => "linkedin_oidc",
        other => other,
    }
}

/// Where somebody is sent in the end; it travels with the flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Places {
    callback: String,
    error: Option<String>,
    new_user: Option<String>,
    /// The client asks for an account where there is none.
    #[serde(default)]
    sign_up: bool,
}

impl Places {
    fn error(&self, app: &App, code: &str) -> String {
        match &self.error {
            Some(place) => links::with_param(place, "error", code),
            None => links::error_page(app, code),
        }
    }
}

/// What the two ways to a provider have in common.
struct Wish<'a> {
    provider: String,
    places: Places,
    redirects: bool,
    scopes: Vec<String>,
    extra: Vec<(String, String)>,
    id_token: Option<&'a Map<String, Value>>,
}

impl<'a> Wish<'a> {
    fn read(app: &App, fields: &mut Fields<'a>) -> Self {
        let own = || app.settings().site.external_url.clone();
        let provider = fields.text("provider");
        let callback = fields.maybe_text("callbackURL").filter(|url| !url.is_empty()).unwrap_or_else(own);
        let new_user = fields.maybe_text("newUserCallbackURL").filter(|url| !url.is_empty());
        let error = fields.maybe_text("errorCallbackURL").filter(|url| !url.is_empty());
        let redirects = fields.maybe_flag("disableRedirect") != Some(true);
        let scopes = fields.maybe_texts("scopes").unwrap_or_default();
        let sign_up = fields.maybe_flag("requestSignUp") == Some(true);
        let hint = fields.maybe_text("loginHint").map(|hint| ("login_hint".to_owned(), hint));
        let id_token = fields.maybe_object("idToken");
        if id_token.is_some_and(|token| !token.get("token").is_some_and(Value::is_string)) {
            fields.problem("idToken.token", "Invalid input: expected string, received undefined");
        }
        let params = fields.maybe_object("additionalParams").into_iter().flatten();
        let params = params.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let extra = params.chain(hint).collect();
        let places = Places { callback, error, new_user, sign_up };
        Self { provider, places, redirects, scopes, extra, id_token }
    }

    /// Begins the way to the provider.
    async fn begin(self, call: &Call, actor: Actor, linking: Option<Linking>) -> Reply {
        let name = provider_name(&self.provider).to_owned();
        let request = BeginExternal {
            provider: name,
            scopes: self.scopes,
            extra: self.extra,
            redirect_to: serde_json::to_string(&self.places).map_err(BetterAuthError::internal)?,
            challenge: None,
            invitation: None,
            linking,
            callback: Some(callback_url(&call.app, &self.provider)),
        };
        let url = match call.app.commands().begin_external(&call.context(actor), request).await {
            Ok(url) => url,
            Err(BeginExternalError::Failure(failure)) => return Err(failure.into()),
            Err(_) => return Err(provider_not_found()),
        };
        if let Some(state) = state_of(&url) {
            call.set_cookie(STATE_COOKIE, state, Some(STATE_AGE));
        }
        let answer = Answer::json(&json!({ "url": url, "redirect": self.redirects }))?;
        Ok(if self.redirects { answer.with_header(header::LOCATION, &url) } else { answer })
    }

    /// The ID token that the client got itself, as a sign-in.
    fn with_id_token(
        &self,
        call: &Call,
        token: &Map<String, Value>,
        linking: Option<Linking>,
    ) -> IdTokenSignIn {
        let text = |name: &str| token.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        IdTokenSignIn {
            id_token: Zeroizing::new(text("token")),
            provider: provider_name(&self.provider).to_owned(),
            client_id: String::new(),
            issuer: String::new(),
            nonce: text("nonce"),
            access_token: Zeroizing::new(text("accessToken")),
            aud: call.app.settings().tokens.default_aud.clone(),
            linking,
            tokens: KeptTokens::brought(
                &text("token"),
                &text("accessToken"),
                &text("refreshToken"),
                &self.scopes,
            ),
            plain_nonce: true,
            terms: terms(&call.app, provider_name(&self.provider), self.places.sign_up),
        }
    }
}

/// On which terms somebody comes by a provider; `sign_up` says whether the client asks for an account.
fn terms(app: &App, provider: &str, sign_up: bool) -> ArrivalTerms {
    let account = &app.options().account;
    ArrivalTerms {
        session: app.session_terms(true),
        links_without_session: true,
        same_email: !account.link_different_emails,
        keeps_tokens: account.provider_tokens,
        trusts_address: account.trusted_providers.iter().any(|trusted| provider_name(trusted) == provider),
        no_sign_up: account.implicit_sign_up_disabled && !sign_up,
        no_linking: !account.linking || account.implicit_linking_disabled,
    }
}

fn callback_url(app: &App, provider: &str) -> String {
    format!("{}/callback/{provider}", app.base_url())
}

fn state_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned())
}

fn provider_not_found() -> BetterAuthError {
    BetterAuthError::not_found("PROVIDER_NOT_FOUND", "Provider not found")
}

/// To a provider, or in with an ID token that the client got there.
async fn sign_in(call: Call) -> Reply {
    let mut fields = call.fields();
    let wish = Wish::read(&call.app, &mut fields);
    fields.finish()?;
    let Some(token) = wish.id_token else { return wish.begin(&call, Actor::Visitor, None).await };
    let request = wish.with_id_token(&call, token, None);
    let context = call.context(Actor::Visitor);
    let grant = call.app.commands().sign_in_with_id_token(&context, request).await;
    match grant.map_err(token_refusal)? {
        Some(grant) => signed_in(&call, grant.session, &grant.user, true, None).await,
        None => Err(provider_not_found()),
    }
}

/// To a provider, to link the account there to the one here.
async fn link(call: Call) -> Reply {
    let mut fields = call.fields();
    let wish = Wish::read(&call.app, &mut fields);
    fields.finish()?;
    let caller = call.session().await?;
    if !call.app.options().account.linking {
        let message = "Account not linked - linking not allowed";
        return Err(BetterAuthError::unauthorized("LINKING_NOT_ALLOWED", message));
    }
    let linking = Linking { user: caller.user(), session: Some(caller.session_id()) };
    let Some(token) = wish.id_token else {
        return wish.begin(&call, caller.actor(), Some(linking)).await;
    };
    let request = wish.with_id_token(&call, token, Some(linking));
    match call.app.commands().sign_in_with_id_token(&call.context(caller.actor()), request).await {
        Ok(_) | Err(IdTokenSignInError::Arrival(ArrivalError::AlreadyLinked)) => {
            Answer::json(&json!({ "url": "", "status": true, "redirect": false }))
        }
        Err(error) => Err(token_refusal(error)),
    }
}

/// Back by a form that the browser sent: once more by a link, so that cookies come along.
async fn come_back_by_form(call: Call) -> Reply {
    let provider = call.path.get("id").map(String::as_str).unwrap_or_default();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.body.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            query.append_pair(name, value);
        }
    }
    let place = callback_url(&call.app, &links::component(provider));
    Answer::redirect(&format!("{place}?{}", query.finish()))
}

/// Back from a provider. Whatever happens, the browser is sent on.
async fn come_back(call: Call) -> Reply {
    let Some(state) = call.params.get("state").filter(|state| !state.is_empty()) else {
        return Answer::redirect(&links::error_page(&call.app, "state_not_found"));
    };
    let mismatch = || Answer::redirect(&links::error_page(&call.app, "state_mismatch"));
    let Ok(flow) = Uuid::try_parse(state) else { return mismatch() };
    let back = match call.app.commands().came_back(&call.context(Actor::Visitor), FlowId(flow)).await {
        Ok(back) => back,
        Err(CameBackError::Failure(failure)) => return Err(failure.into()),
        Err(_) => return mismatch(),
    };
    let Ok(places) = serde_json::from_str::<Places>(back.redirect_to()) else { return mismatch() };
    // Another browser went there: what it would bring back is not for this one.
    if call.cookie(STATE_COOKIE).as_deref() != Some(state) {
        return Answer::redirect(&places.error(&call.app, "state_mismatch"));
    }
    call.clear_cookie(STATE_COOKIE);
    if let Some(error) = call.params.get("error").filter(|error| !error.is_empty()) {
        let short = |text: &str| text.chars().take(LONGEST_NEWS).collect::<String>();
        let place = places.error(&call.app, &short(error));
        return Answer::redirect(&match call.params.get("error_description") {
            Some(text) => links::with_param(&place, "error_description", &short(text)),
            None => place,
        });
    }
    match finish(&call, &back, places.sign_up).await {
        Ok(FinishedExternal::In(grant, _)) => {
            let new = is_new(&call, &grant).await?;
            anonymous::become_known(&call, grant.user.view.user.id).await?;
            call.open_session(grant.session, true);
            Answer::redirect(places.new_user.as_ref().filter(|_| new).unwrap_or(&places.callback))
        }
        Ok(FinishedExternal::Linked | FinishedExternal::Code(_)) | Err(Refused::AlreadyThere) => {
            Answer::redirect(&places.callback)
        }
        Err(Refused::Told(code)) => Answer::redirect(&places.error(&call.app, code)),
        Err(Refused::Inside(error)) => Err(error),
    }
}

/// An account that came to be with its session, in one command, is a new one.
async fn is_new(call: &Call, grant: &Grant) -> Result<bool, BetterAuthError> {
    let sessions = call.app.commands().sessions_of(grant.user.view.user.id).await?;
    let session = sessions.iter().find(|session| session.id == grant.session);
    Ok(session.is_some_and(|session| session.created_at == grant.user.view.user.created_at))
}

/// Why somebody comes back with nothing.
enum Refused {
    /// They are told by a word.
    Told(&'static str),
    /// What they wanted is there already.
    AlreadyThere,
    /// Something of ours failed.
    Inside(BetterAuthError),
}

async fn finish(call: &Call, back: &CameBack, sign_up: bool) -> Result<FinishedExternal, Refused> {
    let provider = call.path.get("id").map(String::as_str).unwrap_or_default();
    if provider_name(provider) != back.provider() {
        return Err(Refused::Told("state_mismatch"));
    }
    let param = |name| call.params.get(name).unwrap_or_default().to_owned();
    let code = Some(param("code")).filter(|code| !code.is_empty()).unwrap_or_else(|| param("oauth_verifier"));
    if code.is_empty() {
        return Err(Refused::Told("no_code"));
    }
    let user = Some(param("user")).filter(|user| !user.is_empty());
    let reply = ProviderReply { code, token: param("oauth_token"), user };
    let way = WayBack {
        callback: Some(callback_url(&call.app, provider)),
        terms: terms(&call.app, back.provider(), sign_up),
    };
    let (context, aud) = (call.context(Actor::Visitor), &call.app.settings().tokens.default_aud);
    let finished = call.app.commands().finish_external(&context, back, aud, reply, way).await;
    finished.map_err(|error| match error {
        FinishExternalError::Failure(failure)
        | FinishExternalError::Arrival(ArrivalError::Failure(failure)) => Refused::Inside(failure.into()),
        FinishExternalError::Provider(_) => Refused::Told("oauth_provider_not_found"),
        FinishExternalError::Fetch(FetchError::Code) => Refused::Told("invalid_code"),
        FinishExternalError::Fetch(FetchError::Profile) => Refused::Told("unable_to_get_user_info"),
        FinishExternalError::Unverified { .. } | FinishExternalError::LinkedUnverified => {
            Refused::Told("email_not_verified")
        }
        FinishExternalError::Arrival(ArrivalError::AlreadyLinked) => Refused::AlreadyThere,
        FinishExternalError::Arrival(error) => Refused::Told(arrival_word(&error)),
    })
}

fn arrival_word(error: &ArrivalError) -> &'static str {
    match error {
        ArrivalError::SignUpDisabled => "signup_disabled",
        ArrivalError::Banned => "BANNED_USER",
        ArrivalError::NoEmail => "email_not_found",
        ArrivalError::LinkedToAnother => "account_already_linked_to_different_user",
        ArrivalError::DifferentEmail => "email_does_not_match",
        ArrivalError::AlreadyLinked | ArrivalError::EmailTaken => "account_not_linked",
        ArrivalError::Flow(_) => "state_mismatch",
        ArrivalError::Profile(_) => "unable_to_get_user_info",
        ArrivalError::UserGone | ArrivalError::InvitationOver | ArrivalError::InvitedAnother => {
            "unable_to_link_account"
        }
        ArrivalError::User(_) => "unable_to_create_user",
        ArrivalError::Session(_) => "unable_to_create_session",
        ArrivalError::Failure(_) => "internal_server_error",
    }
}

fn token_refusal(error: IdTokenSignInError) -> BetterAuthError {
    let invalid = || BetterAuthError::unauthorized("INVALID_TOKEN", "Invalid token");
    match error {
        IdTokenSignInError::NoProvider
        | IdTokenSignInError::NotAllowed(_)
        | IdTokenSignInError::Disabled(_) => provider_not_found(),
        IdTokenSignInError::Provider(_) => {
            BetterAuthError::not_found("ID_TOKEN_NOT_SUPPORTED", "id_token not supported")
        }
        IdTokenSignInError::Bad
        | IdTokenSignInError::Audience(_)
        | IdTokenSignInError::NonceMissing
        | IdTokenSignInError::NonceMismatch => invalid(),
        IdTokenSignInError::Unverified { .. } | IdTokenSignInError::LinkedUnverified => {
            BetterAuthError::unauthorized("USER_EMAIL_NOT_FOUND", "User email not found")
        }
        IdTokenSignInError::Arrival(error) => match error {
            ArrivalError::Failure(failure) => failure.into(),
            ArrivalError::Banned => BetterAuthError::banned(),
            ArrivalError::LinkedToAnother | ArrivalError::AlreadyLinked => BetterAuthError::new(
                StatusCode::CONFLICT,
                "SOCIAL_ACCOUNT_ALREADY_LINKED",
                "Social account already linked",
            ),
            ArrivalError::DifferentEmail => BetterAuthError::unauthorized(
                "LINKING_DIFFERENT_EMAILS_NOT_ALLOWED",
                "Account not linked - different emails not allowed",
            ),
            other => {
                BetterAuthError::unauthorized("OAUTH_LINK_ERROR", arrival_word(&other).replace('_', " "))
            }
        },
        IdTokenSignInError::Failure(failure) => failure.into(),
    }
}
