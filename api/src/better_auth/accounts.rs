//! The ways in of an account: `GET /list-accounts`, `POST /unlink-account`, and what their providers gave:
//! `POST /get-access-token`, `/refresh-token`, `GET` and `POST /account-info`

use evident_commands::external::UnlinkError;
use evident_commands::{IdentityRow, UserView};
use evident_domain::user::UserError;
use serde::Serialize;
use serde_json::{Value, json};

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
    scopes: [String; 0],
    #[serde(skip)]
    identity: Option<&'a IdentityRow>,
}

/// The ways in of an account: a password, and other providers.
fn accounts(view: &UserView) -> Vec<Account<'_>> {
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
        scopes: [],
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
        scopes: [],
        identity: Some(identity),
    });
    credential.into_iter().chain(others).collect()
}

async fn list(call: Call) -> Reply {
    let caller = call.session().await?;
    Answer::json(&accounts(caller.view()))
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

/// Takes a way in away; one stays.
async fn unlink(call: Call) -> Reply {
    let mut fields = call.fields();
    let meant = Meant::read(&mut fields);
    fields.finish()?;
    let caller = call.fresh_session().await?;
    let accounts = accounts(caller.view());
    if accounts.len() < 2 && !call.app.options().account.unlink_all {
        return Err(last_one());
    }
    let (context, session) = (call.context(caller.actor()), Some(caller.session_id()));
    let done = match meant.find(&accounts)?.identity {
        Some(identity) => {
            call.app.commands().unlink_identity(&context, caller.user(), session, identity.identity_id).await
        }
        None => call.app.commands().remove_password(&context, caller.user(), session).await,
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

/// Tokens of providers are not kept: there is none to give.
async fn get_access_token(call: Call) -> Reply {
    let mut fields = call.fields();
    let meant = Meant::read(&mut fields);
    fields.finish()?;
    let caller = bare_session(&call).await?;
    meant.find(&accounts(caller.view()))?;
    let message = "Failed to get a valid access token";
    Err(BetterAuthError::bad_request("FAILED_TO_GET_ACCESS_TOKEN", message))
}

/// Nor is there one to refresh.
async fn refresh_token(call: Call) -> Reply {
    let mut fields = call.fields();
    let meant = Meant::read(&mut fields);
    fields.finish()?;
    let caller = bare_session(&call).await?;
    if meant.find(&accounts(caller.view()))?.identity.is_none() {
        let message = "Provider credential does not support token refreshing.";
        return Err(BetterAuthError::bad_request("TOKEN_REFRESH_NOT_SUPPORTED", message));
    }
    Err(BetterAuthError::bad_request("REFRESH_TOKEN_NOT_FOUND", "Refresh token not found"))
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

/// What a provider told of the user when they last came by it.
async fn info(call: &Call, account: &str) -> Reply {
    let caller = call.session().await?;
    let meant = Meant { provider: None, account: Some(account.to_owned()) };
    let accounts = accounts(caller.view());
    let account = meant.find(&accounts)?;
    let identity = account.identity.ok_or_else(not_found)?;
    let data = identity.data();
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
