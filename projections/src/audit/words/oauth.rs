//! OAuth: clients, their requests, what users granted.

use evident_domain::authorization::AuthorizationEvent;
use evident_domain::client::ClientEvent;
use evident_domain::consent::ConsentEvent;
use serde_json::Value as Json;

use super::{Names, word};

pub(super) fn client(event: &ClientEvent, id: &str) -> String {
    match event {
        ClientEvent::Registered { details, .. } => {
            let name = details.name.as_deref().unwrap_or("without a name");
            format!("the OAuth client {id} ({name}) was registered")
        }
        ClientEvent::Updated { .. } => format!("what is known of the OAuth client {id} changed"),
        ClientEvent::SecretRegenerated { .. } => format!("the OAuth client {id} got a new secret"),
        ClientEvent::Deleted {} => format!("the OAuth client {id} was removed"),
    }
}

pub(super) fn authorization(event: &AuthorizationEvent, names: &Names) -> String {
    match event {
        AuthorizationEvent::Requested { client, .. } => format!("the OAuth client {client} asked for access"),
        AuthorizationEvent::Seen { user, .. } => {
            format!("{} looked at the request of an OAuth client", names.user(*user))
        }
        AuthorizationEvent::Approved { user, .. } => {
            format!("{} let an OAuth client have access", names.user(*user))
        }
        AuthorizationEvent::Denied { user, .. } => {
            format!("{} let an OAuth client have no access", names.user(*user))
        }
        AuthorizationEvent::CodeRedeemed { user, .. } => {
            format!("an OAuth client redeemed the code that {} granted", names.user(*user))
        }
    }
}

pub(super) fn consent(event: &ConsentEvent, names: &Names) -> String {
    match event {
        ConsentEvent::Given { user, client, scopes, .. } => {
            let scopes = match serde_json::to_value(scopes) {
                Ok(Json::Array(scopes)) => scopes.iter().map(word).collect::<Vec<_>>().join(", "),
                _ => String::new(),
            };
            format!("{} granted the OAuth client {client}: {scopes}", names.user(*user))
        }
        ConsentEvent::Revoked { user, client } => {
            format!("{} took back what the OAuth client {client} was granted", names.user(*user))
        }
    }
}
