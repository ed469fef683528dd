//! A certified OpenID Connect client, as others wrote it.

use serde_json::json;

use super::{CALLBACK, with_oauth};
use crate::support::{NodeClient, ServiceRole};

const OPENID: NodeClient = NodeClient { folder: "openid", package: "openid-client" };

on_both_databases!(a_certified_openid_client_signs_people_in, async |database| {
    let server = with_oauth(&database).start().await;
    let ada = server.sign_up("ada@example.com").await;
    let mut clients = Vec::new();
    for method in ["client_secret_basic", "client_secret_post", "none"] {
        let body = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": method });
        clients.push(server.post(&ServiceRole, "/admin/oauth/clients", body).await.json());
    }
    let environment = [
        ("EVIDENT_ISSUER", "http://localhost:9999"),
        ("EVIDENT_USER_TOKEN", ada.access_token.as_str()),
        ("EVIDENT_CLIENTS", &json!(clients).to_string()),
    ];
    OPENID.run(&server, "drive.mjs", &environment).await;
});
