//! Signing in through others. A provider that says no is as good as one that says yes for the form of the
//! redirects; sign-ins that go well are tested against a real one.

use super::row::{Row, by};
use super::world::{World, parameter};
use crate::support::{Anonymous, Reply};

pub(super) const ROWS: &[Row] = &[
    Row::of("GET /authorize", by!(authorize)),
    Row::of("GET /callback", by!(callback))
        .but("A refused code of the provider is not repeated in the error."),
    Row::of("POST /callback", by!(callback_form)),
    Row::answering("POST /sso", 404, by!(sso)).but(SAML),
    Row::answering("GET /sso/saml/metadata", 404, by!(metadata)).but(SAML),
    Row::answering("POST /sso/saml/acs", 404, by!(assertion)).but(SAML),
];

/// Signatures in XML are taken from a well-kept library or not at all.
const SAML: &str =
    "SAML sign-in is always off, and answers as there when it is off: `saml_provider_disabled`.";

async fn authorize(world: &World) -> Reply {
    let path = "/authorize?provider=github&redirect_to=http://localhost:3000/welcome";
    let reply = world.server.get(&Anonymous, path).await;
    assert!(reply.header("location").starts_with("https://github.com/login/oauth/authorize?"));
    reply
}

async fn state(world: &World) -> String {
    parameter(authorize(world).await.header("location"), "state")
}

async fn callback(world: &World) -> Reply {
    let path = format!("/callback?state={}&error=access_denied", state(world).await);
    let reply = world.server.get(&Anonymous, &path).await;
    assert!(reply.header("location").starts_with("http://localhost:3000/welcome"));
    reply
}

async fn callback_form(world: &World) -> Reply {
    let form = [("state", state(world).await), ("error", "access_denied".to_owned())];
    let request = world.server.request(reqwest::Method::POST, "/callback").form(&form);
    world.server.send(request).await
}

async fn sso(world: &World) -> Reply {
    world.server.post(&Anonymous, "/sso", serde_json::json!({ "domain": "example.com" })).await
}

async fn metadata(world: &World) -> Reply {
    world.server.get(&Anonymous, "/sso/saml/metadata").await
}

async fn assertion(world: &World) -> Reply {
    let request = world.server.request(reqwest::Method::POST, "/sso/saml/acs");
    world.server.send(request.form(&[("SAMLResponse", "PHg+")])).await
}
