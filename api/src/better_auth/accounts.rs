//! The ways in of an account: `GET /list-accounts`, `POST /unlink-account`, and what their providers gave:
//! `POST /get-access-token`, `/refresh-token`, `GET` and `POST /account-info`

use std::collections::BTreeMap;

use evident_commands::external::{KeptTokens, KeptTokensError, OwnIdentity, Renewal, UnlinkError};
use evident_commands::{IdentityRow, UserView};
use evident_domain::IdentityId;
use evident_domain::user::{UserError, WaysInLeft};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::SessionCaller;
use super::body::Fields;
use super::call::{Answer, Call, Reply};
use super::document::moment;
use super::error::BetterAuthError;
use super::routes::Table;

/// What the protocol calls signing in with a password.
const CREDENTIAL: &str = "credential";

pub(super) fn routes(table: Table) -> Table {
    table
        .get("/list-accounts", list)
        .post("/unlink-account", unlink)
        .post("/get-access-token", get_access_token)
        .post("/refresh-token", refresh_token)
        .get("/account-info", info_by_query)
        .post("/account-info", info_by_body)
}

/// One way in.
#[expect(clippy::struct_field_names, reason = "the protocol calls them so")]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    id: String,
    account_id: String,
    provider_id: &'a str,
    /// The same, as it was called before.
    provider: &'a str,
    user_id: String,
    created_at: String,
    updated_at: String,
    scopes: Vec<String>,
    #[serde(skip)]
    identity: Option<&'a IdentityRow>,
}

/// What is kept with the identities.
type Kept = BTreeMap<IdentityId, KeptTokens>;

/// The ways in of an account: a password, and other providers.
fn accounts<'v>(view: &'v UserView, kept: &Kept) -> Vec<Account<'v>> {
    let user = &view.user;
    let own = |identity: &&IdentityRow| matches!(identity.provider.as_str(), "email" | "phone");
    let first = view.identities.iter().find(own);
    let credential = user.has_password.then(|| Account {
        id: first.map_or_else(|| user.id.to_string(), |identity| identity.identity_id.to_string()),
        account_id: user.id.to_string(),
        provider_id: CREDENTIAL,
        provider: CREDENTIAL,
        user_id: user.id.to_string(),
        created_at: moment(first.map_or(user.created_at, |identity| identity.created_at)),
        updated_at: moment(first.map_or(user.updated_at, |identity| identity.updated_at)),
        scopes: Vec::new(),
        identity: None,
    });
    let others = view.identities.iter().filter(|identity| !own(identity)).map(|identity| Account {
        id: identity.identity_id.to_string(),
        account_id: identity.provider_id.clone(),
        provider_id: &identity.provider,
        provider: &identity.provider,
        user_id: user.id.to_string(),
        created_at: moment(identity.created_at),
        updated_at: moment(identity.updated_at),
        scopes: kept.get(&identity.identity_id).map(|kept| kept.scopes.clone()).unwrap_or_default(),
        identity: Some(identity),
    });
    credential.into_iter().chain(others).collect()
}

async fn list(call: Call) -> Reply {
    let caller = call.session().await?;
    let kept = match call.app.commands().kept_tokens(&call.context(caller.actor()), caller.user()).await {
        Ok(kept) => kept,
        Err(KeptTokensError::Failure(failure)) => return Err(failure.into()),
        Err(_) => return Err(BetterAuthError::signed_out()),
    };
    Answer::json(&accounts(caller.view(), &kept))
}

/// Which account is meant: by its id, or, as it was, by its provider and what that one calls the user.
struct Meant {
    provider: Option<String>,
    account: Option<String>,
}

impl Meant {
    fn read(fields: &mut Fields<'_>) -> Self {
        let provider = fields.maybe_text("providerId");
        let account =
            if provider.is_some() { fields.maybe_text("accountId") } else { Some(fields.text("accountId")) };
        Self { provider, account }
    }

    fn find<'a, 'v>(&self, accounts: &'a [Account<'v>]) -> Result<&'a Account<'v>, BetterAuthError> {
        let fits = |account: &&Account<'_>| {
            let provider = self.provider.as_ref().is_none_or(|provider| provider == account.provider_id);
            let id = self.account.as_ref().is_none_or(|id| *id == account.id || *id == account.account_id);
            provider && id
        };
        accounts.iter().find(fits).ok_or_else(not_found)
    }
}

fn not_found() -> BetterAuthError {
    BetterAuthError::bad_request("ACCOUNT_NOT_FOUND", "Account not found")
}

fn last_one() -> BetterAuthError {
    let message = "You can't unlink your last account";
    BetterAuthError::bad_request("FAILED_TO_UNLINK_LAST_ACCOUNT", message)
}

/// Takes a way in away; one stays, unless the owner says otherwise. The account decides, and says first that it
/// is the last one: whatever is not found is for it an identity that nobody has.
async fn unlink(call: Call) -> Reply {
    let mut fields = call.fields();
    let meant = Meant::read(&mut fields);
    fields.finish()?;
    let caller = call.fresh_session().await?;
    let any = call.app.options().account.unlink_all;
    let leaving = if any { WaysInLeft::Nothing } else { WaysInLeft::OneToSignInBy };
    let accounts = accounts(caller.view(), &Kept::new());
    let (context, session) = (call.context(caller.actor()), Some(caller.session_id()));
    let (commands, user) = (call.app.commands(), caller.user());
    let done = match meant.find(&accounts) {
        Ok(Account { identity: None, .. }) => {
            commands.remove_password(&context, user, session, leaving).await
        }
        found => {
            let identity = found.ok().and_then(|account| account.identity).map(|row| row.identity_id);
            let identity = identity.unwrap_or(IdentityId(Uuid::nil()));
            commands.unlink_identity(&context, user, session, identity, leaving).await
        }
    };
    match done {
        Ok(()) => Answer::status(),
        Err(UnlinkError::User(UserError::IdentityNotFound)) => Err(not_found()),
        Err(UnlinkError::User(UserError::NotFound) | UnlinkError::Session(_)) => {
            Err(BetterAuthError::signed_out())
        }
        Err(UnlinkError::User(_)) => Err(last_one()),
        Err(UnlinkError::Failure(failure)) => Err(failure.into()),
    }
}

/// Whoever is signed in; these endpoints say nothing to others.
async fn bare_session(call: &Call) -> Result<SessionCaller, BetterAuthError> {
    call.find_session().await?.ok_or_else(|| BetterAuthError::signed_out().bare())
}

/// The account that a request means, and what its provider handed out.
async fn tokens(call: &Call, renewal: Renewal) -> Result<(Value, KeptTokens), BetterAuthError> {
    let mut fields = call.fields();
    let meant = Meant::read(&mut fields);
    fields.finish()?;
    let caller = bare_session(call).await?;
    let accounts = accounts(caller.view(), &Kept::new());
    let account = meant.find(&accounts)?;
    let identity = account.identity.ok_or_else(|| no_provider(account.provider_id))?.identity_id;
    let own = OwnIdentity { user: caller.user(), session: Some(caller.session_id()), identity };
    let context = call.context(caller.actor());
    let tokens = call.app.commands().provider_access(&context, own, renewal).await;
    let tokens = tokens.map_err(|error| refusal(error, renewal, account.provider_id))?;
    Ok((json!({ "providerId": account.provider_id, "accountId": account.id }), tokens))
}

fn no_provider(provider: &str) -> BetterAuthError {
    let message = format!("Provider {provider} is not supported.");
    BetterAuthError::bad_request("PROVIDER_NOT_SUPPORTED", message)
}

fn refusal(error: KeptTokensError, renewal: Renewal, provider: &str) -> BetterAuthError {
    match error {
        KeptTokensError::NoProvider => no_provider(provider),
        KeptTokensError::NeverRefreshes => {
            let message = format!("Provider {provider} does not support token refreshing.");
            BetterAuthError::bad_request("TOKEN_REFRESH_NOT_SUPPORTED", message)
        }
        KeptTokensError::NoRefreshToken => {
            BetterAuthError::bad_request("REFRESH_TOKEN_NOT_FOUND", "Refresh token not found")
        }
        KeptTokensError::Refused | KeptTokensError::NoAccessToken | KeptTokensError::NoProfile => {
            let (code, message) = match renewal {
                Renewal::Always => ("FAILED_TO_REFRESH_ACCESS_TOKEN", "Failed to refresh access token"),
                Renewal::WhenDue => ("FAILED_TO_GET_ACCESS_TOKEN", "Failed to get a valid access token"),
            };
            BetterAuthError::bad_request(code, message)
        }
        KeptTokensError::User(UserError::IdentityNotFound) => not_found(),
        KeptTokensError::User(_) | KeptTokensError::Session(_) => BetterAuthError::signed_out().bare(),
        KeptTokensError::Failure(failure) => failure.into(),
    }
}

/// A good access token of a provider.
async fn get_access_token(call: Call) -> Reply {
    let (_, tokens) = tokens(&call, Renewal::WhenDue).await?;
    let mut answer = json!({ "accessToken": tokens.access_token, "scopes": tokens.scopes });
    answer["accessTokenExpiresAt"] = tokens.access_expires_at.map(moment).into();
    if let Some(id_token) = &tokens.id_token {
        answer["idToken"] = id_token.as_str().into();
    }
    Answer::json(&answer)
}

/// Another access token of a provider.
async fn refresh_token(call: Call) -> Reply {
    let (mut answer, tokens) = tokens(&call, Renewal::Always).await?;
    answer["accessToken"] = tokens.access_token.as_deref().into();
    answer["refreshToken"] = tokens.refresh_token.as_deref().into();
    answer["accessTokenExpiresAt"] = tokens.access_expires_at.map(moment).into();
    answer["refreshTokenExpiresAt"] = tokens.refresh_expires_at.map(moment).into();
    answer["scope"] = tokens.scopes.join(",").into();
    answer["idToken"] = tokens.id_token.as_deref().into();
    // As it was before.
    answer["tokenType"] = "Bearer".into();
    answer["scopes"] = tokens.scopes.as_slice().into();
    Answer::json(&answer)
}

async fn info_by_query(call: Call) -> Reply {
    let account = call.required_param("accountId")?.to_owned();
    info(&call, &account).await
}

async fn info_by_body(call: Call) -> Reply {
    let mut fields = call.fields();
    let account = fields.text("accountId");
    fields.finish()?;
    info(&call, &account).await
}

/// What a provider tells of the user; what it told when they last came by it, where nothing is kept to ask with.
async fn info(call: &Call, account: &str) -> Reply {
    let caller = call.session().await?;
    let meant = Meant { provider: None, account: Some(account.to_owned()) };
    let accounts = accounts(caller.view(), &Kept::new());
    let account = meant.find(&accounts)?;
    let identity = account.identity.ok_or_else(not_found)?;
    let own = OwnIdentity {
        user: caller.user(),
        session: Some(caller.session_id()),
        identity: identity.identity_id,
    };
    let data = match call.app.commands().provider_says(&call.context(caller.actor()), own).await {
        Ok(Some(data)) => data,
        Ok(None) | Err(KeptTokensError::NoAccessToken) => identity.data(),
        Err(KeptTokensError::NoProvider) => {
            let message = "Account is not associated with a configured social provider.";
            return Err(BetterAuthError::bad_request("PROVIDER_NOT_CONFIGURED", message));
        }
        Err(KeptTokensError::NoProfile) => {
            return Err(BetterAuthError::unauthorized("FAILED_TO_GET_USER_INFO", "Failed to get user info"));
        }
        Err(error) => return Err(refusal(error, Renewal::WhenDue, account.provider_id)),
    };
    let text = |keys: &[&str]| keys.iter().find_map(|key| data.text(key));
    Answer::json(&json!({
        "user": {
            "id": identity.provider_id,
            "name": text(&["full_name", "name"]),
            "email": text(&["email"]),
            "image": text(&["avatar_url", "picture"]),
            "emailVerified": data.0.get("email_verified") == Some(&Value::Bool(true)),
        },
        "data": data,
        "account": {
            "id": account.id,
            "providerId": account.provider_id,
            "accountId": account.account_id,
        },
    }))
}
