//! Events of a registered provider.

use std::collections::BTreeMap;

use serde_json::json;

use crate::Metadata;
use crate::provider::{ProviderDefinition, ProviderEvent, ProviderKind, SealedSecret};

pub(super) fn samples() -> [ProviderEvent; 3] {
    let secret = || SealedSecret("9m2VqYk0Jp3uTz7yXw==".to_owned());
    let renamed = ProviderDefinition { name: "Intranet 2".to_owned(), ..definition() };
    [
        ProviderEvent::Registered {
            identifier: "custom:intranet".to_owned(),
            definition: definition(),
            client_secret: secret(),
        },
        ProviderEvent::Changed { definition: renamed, client_secret: Some(secret()) },
        ProviderEvent::Removed {},
    ]
}

fn definition() -> ProviderDefinition {
    let url = |path: &str| Some(format!("https://login.example.com/{path}"));
    ProviderDefinition {
        kind: ProviderKind::Oidc,
        name: "Intranet".to_owned(),
        client_id: "evident".to_owned(),
        acceptable_client_ids: vec!["evident-app".to_owned()],
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        pkce_enabled: true,
        attribute_mapping: Metadata::default().with("name", "display_name").with("verified", json!(true)),
        custom_claims_allowlist: vec!["department".to_owned()],
        authorization_params: BTreeMap::from([("prompt".to_owned(), "login".to_owned())]),
        enabled: true,
        email_optional: false,
        issuer: url(""),
        discovery_url: url(".well-known/openid-configuration"),
        skip_nonce_check: false,
        authorization_url: url("authorize"),
        token_url: url("token"),
        userinfo_url: url("userinfo"),
        jwks_uri: url("keys"),
    }
}
