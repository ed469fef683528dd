//! `POST /token?grant_type=web3`

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::http::Response;
use evident_commands::web3::{Chain, Web3Refusal, Web3SignIn, Web3SignInError};
use evident_domain::Actor;

use super::app::App;
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError, OAuthCode};
use super::incoming::Incoming;
use super::reply;

/// A signed message for a session.
pub(super) async fn sign_in(
    app: &App,
    incoming: &Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    let wallets = &app.settings().web3;
    if !wallets.solana.enabled && !wallets.ethereum.enabled {
        let message = "Web3 provider is disabled";
        return Err(GotrueError::unprocessable(ErrorCode::Web3ProviderDisabled, message));
    }
    let mut body = Body::read(request, app.body_limit(), "Web3GrantParams").await?;
    let chain = Chain::from_name(&body.text_or_empty("chain")?)
        .ok_or_else(|| GotrueError::bad_request(ErrorCode::Web3UnsupportedChain, "Unsupported chain"))?;
    let asked = Web3SignIn {
        chain,
        message: body.text_or_empty("message")?,
        signature: body.text_or_empty("signature")?,
        aud: incoming.aud(app),
    };
    let context = incoming.context(Actor::Visitor);
    let grant = app.commands().web3_sign_in(&context, &asked).await.map_err(|error| refusal(chain, error))?;
    reply::session(&grant, &SessionDocument::of(&grant))
}

fn refusal(chain: Chain, error: Web3SignInError) -> GotrueError {
    let title = chain.title();
    match error {
        Web3SignInError::ChainDisabled => GotrueError::unprocessable(
            ErrorCode::Web3ProviderDisabled,
            format!("{title} Web3 provider is disabled"),
        ),
        Web3SignInError::Message(error) => GotrueError::validation(error.to_string()),
        Web3SignInError::Signature(error) => GotrueError::validation(error.to_string()),
        Web3SignInError::Refused(refusal) => {
            GotrueError::oauth(OAuthCode::InvalidGrant, told(title, refusal))
        }
        Web3SignInError::SignUpDisabled => {
            GotrueError::unprocessable(ErrorCode::SignupDisabled, "Signups not allowed for this instance")
        }
        Web3SignInError::Banned => GotrueError::forbidden(ErrorCode::UserBanned, "User is banned"),
        // The rules say no when the account went while it signed in.
        Web3SignInError::User(_) | Web3SignInError::Session(_) => {
            GotrueError::bad_request(ErrorCode::InvalidCredentials, "Invalid login credentials")
        }
        Web3SignInError::Failure(failure) => failure.into(),
    }
}

fn told(title: &str, refusal: Web3Refusal) -> String {
    match refusal {
        Web3Refusal::Signature => "Signature does not match address in message".to_owned(),
        Web3Refusal::NotHttps => format!("Signed {title} message is using URI which does not use HTTPS"),
        Web3Refusal::Uri => format!(
            "Signed {title} message is using URI which is not allowed on this server, \
             message was signed for another app"
        ),
        Web3Refusal::Domain => format!(
            "Signed {title} message is using a Domain that does not match the one in URI \
             which is not allowed on this server"
        ),
        Web3Refusal::NotYet => format!("Signed {title} message becomes valid in the future"),
        Web3Refusal::Expired => format!("Signed {title} message is expired"),
        Web3Refusal::IssuedLongAgo => format!("{title} message was issued too long ago"),
        Web3Refusal::IssuedInFuture => format!("{title} message was issued too far in the future"),
        Web3Refusal::Replayed => format!("Signed {title} message was used already"),
    }
}
