//! Refusals that every endpoint of a kind has: without a token, with a bad one, with a body that is no
//! JSON, with one that is too long, for a thing that does not exist.

use reqwest::{Method, RequestBuilder};

use super::Endpoint;
use super::world::World;
use crate::support::{Caller, Reply, ServiceRole};

/// More than a body may have.
const TOO_LONG: usize = 1024 * 1024 + 1;

/// Provokes what is declared and easily provoked; answers the statuses that came.
pub(super) async fn provoke(world: &World, endpoint: &Endpoint) -> Result<Vec<u16>, String> {
    let mut seen = Vec::new();
    let guarded = endpoint.auth == "user" || endpoint.auth == "admin";
    let token = match endpoint.auth.as_str() {
        "user" => world.person().await.bearer(),
        "admin" => ServiceRole.bearer(),
        _ => None,
    };
    let token = token.as_deref();
    if guarded {
        check(endpoint, &send(world, endpoint, None, "{}").await, Some(401), &mut seen)?;
        check(endpoint, &send(world, endpoint, Some("no-token"), "{}").await, Some(403), &mut seen)?;
    }
    if endpoint.auth == "admin" {
        let person = world.person().await.bearer();
        check(endpoint, &send(world, endpoint, person.as_deref(), "{}").await, Some(403), &mut seen)?;
    }
    // A body of a DELETE may be absent, and forms say nothing about JSON.
    if endpoint.body && endpoint.method != "DELETE" && !is_form(endpoint) {
        check(endpoint, &send(world, endpoint, token, "{").await, None, &mut seen)?;
        check(endpoint, &send_too_much(world, endpoint, token).await?, None, &mut seen)?;
    }
    if endpoint.path.contains("/{") {
        check(endpoint, &send(world, endpoint, token, "{}").await, None, &mut seen)?;
    }
    seen.sort_unstable();
    seen.dedup();
    Ok(seen)
}

fn is_form(endpoint: &Endpoint) -> bool {
    matches!(endpoint.path.as_str(), "/callback" | "/sso/saml/acs" | "/oauth/token")
}

/// Whoever is refused early may find the connection closed before the last byte is sent, and asks again.
async fn send_too_much(world: &World, endpoint: &Endpoint, token: Option<&str>) -> Result<Reply, String> {
    let body = format!("\"{}\"", "x".repeat(TOO_LONG));
    for _ in 0..20 {
        // The server may close it without a word, so nothing else goes this way.
        let request = request(world, endpoint, token, &body).header("connection", "close");
        if let Ok(response) = request.send().await {
            return Ok(Reply::read(response).await);
        }
    }
    Err("no answer to a long body".to_owned())
}

async fn send(world: &World, endpoint: &Endpoint, token: Option<&str>, body: &str) -> Reply {
    world.server.send(request(world, endpoint, token, body)).await
}

fn request(world: &World, endpoint: &Endpoint, token: Option<&str>, body: &str) -> RequestBuilder {
    let method: Method = endpoint.method.parse().unwrap();
    let path = [
        ("{identifier}", "custom:nothing"),
        ("{authorization_id}", "nothing"),
        ("{idp_id}", NOBODY),
        ("{user_id}", NOBODY),
        ("{factor_id}", NOBODY),
        ("{passkey_id}", NOBODY),
        ("{identity_id}", NOBODY),
        ("{client_id}", NOBODY),
    ]
    .iter()
    .fold(endpoint.path.clone(), |path, (name, value)| path.replace(name, value));
    let mut request = world.server.request(method.clone(), &path);
    if method != Method::GET {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request
}

const NOBODY: &str = "00000000-0000-4000-8000-000000000404";

/// The answer is a declared refusal (that one, where one is wanted), in the protocol's form.
fn check(endpoint: &Endpoint, reply: &Reply, wanted: Option<u16>, seen: &mut Vec<u16>) -> Result<(), String> {
    let (status, text) = (reply.status, &reply.text);
    if wanted.is_some_and(|wanted| wanted != status) {
        return Err(format!("{wanted:?} was expected, not {status}: {text}"));
    }
    if status < 400 && wanted.is_none() {
        // Nothing was wrong with it after all.
        return Ok(());
    }
    if !endpoint.refusals.contains(&status) {
        return Err(format!("{status} is no refusal of the reference: {text}"));
    }
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
    if json.get("error_code").is_none() && json.get("error").is_none() {
        return Err(format!("not the form of an error: {text}"));
    }
    seen.push(status);
    Ok(())
}
