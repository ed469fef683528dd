//! One request on its way through the surface, and its answer.
//!
//! The order is the protocol's: how often one may ask, where the request comes from, what it says, whose
//! session it brings, what it wants. [`run`] does the first two and puts answers and errors into their
//! form; the endpoint asks its [`Call`] for the rest, in that order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use evident_commands::Context;
use evident_domain::{Actor, SessionId, Surface};
use serde::Serialize;
use serde_json::Value;

use super::app::App;
use super::body::{self, Fields, Forms};
use super::cookie_cache;
use super::cookies::CookieJar;
use super::csrf;
use super::error::BetterAuthError;
use crate::gotrue::params::Params;
use crate::http::Origin;
use crate::http::guard::guarded;
use crate::http::limits::CallerKey;

const SET_AUTH_TOKEN: HeaderName = HeaderName::from_static("set-auth-token");

/// What an endpoint comes to.
pub type Reply = Result<Answer, BetterAuthError>;

/// One request.
#[derive(Debug)]
pub struct Call {
    /// The surface.
    pub app: App,
    /// Where it comes from.
    pub origin: Origin,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its query.
    pub params: Params,
    /// The variables of its path.
    pub path: BTreeMap<String, String>,
    /// Its body; null where it has none.
    pub body: Value,
    /// The cookies that go with the answer, whatever it is.
    cookies: Cookies,
}

/// The cookies of an answer. What is set stands once, the last word counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Cookies(Arc<Mutex<Put>>);

#[derive(Debug, Default)]
struct Put {
    all: Vec<SetCookie>,
    /// The session of which a copy goes along, and whether the browser forgets it when it is closed.
    cached: Option<(SessionId, bool)>,
}

/// A cookie that is set or taken away.
#[derive(Debug, Clone)]
struct SetCookie {
    name: Cow<'static, str>,
    value: Option<String>,
    max_age: Option<u64>,
}

impl Cookies {
    fn put(&self, cookie: SetCookie) {
        let mut put = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        put.all.retain(|known| known.name != cookie.name);
        put.all.push(cookie);
    }

    /// The session of which a copy goes along, and whether the browser forgets it when it is closed.
    fn cached(&self) -> Option<(SessionId, bool)> {
        let put = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = put.all.iter().rfind(|cookie| cookie.name == super::session::SESSION_COOKIE);
        put.cached.filter(|_| opened.is_none_or(|cookie| cookie.value.is_some()))
    }

    /// Puts the copy of a session into the answer, and takes the parts away of the one that came.
    async fn put_copy(&self, app: &App, came: Vec<String>) {
        let name = super::session::SESSION_DATA_COOKIE;
        let (mut parts, mut age) = (Vec::new(), None);
        if let Some((session, forgotten)) = self.cached() {
            (parts, age) = cookie_cache::copy(app, session, forgotten).await.unwrap_or_default();
        } else if !self.takes_away(name) {
            return;
        }
        for stale in came.into_iter().filter(|came| parts.iter().all(|(name, _)| name != came)) {
            if !self.takes_away(&stale) {
                self.put(SetCookie { name: stale.into(), value: None, max_age: Some(0) });
            }
        }
        for (name, value) in parts {
            self.put(SetCookie { name: name.into(), value: Some(value), max_age: age });
        }
    }

    fn takes_away(&self, name: &str) -> bool {
        let put = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        put.all.iter().any(|cookie| cookie.name == name && cookie.value.is_none())
    }

    fn write(&self, app: &App, answer: &mut HeaderMap) {
        let Put { all, .. } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if all.is_empty() {
            return;
        }
        let mut jar = CookieJar::new(app.signer(), app.cookies(), &HeaderMap::new());
        for SetCookie { name, value, max_age } in all {
            match value {
                Some(value) => {
                    if name == super::session::SESSION_COOKIE {
                        let signed = app.signer().signed(&value);
                        if let Ok(signed) = HeaderValue::from_str(&signed) {
                            answer.insert(SET_AUTH_TOKEN, signed);
                            answer.insert(
                                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                                HeaderValue::from_static("set-auth-token"),
                            );
                        }
                    }
                    if name.starts_with(super::session::SESSION_DATA_COOKIE) {
                        jar.set_plain(&name, &value, max_age);
                    } else {
                        jar.set(&name, &value, max_age);
                    }
                }
                None => jar.clear(&name),
            }
        }
        jar.write(answer);
    }
}

impl Call {
    /// What events of the request say, when somebody acts.
    pub fn context(&self, actor: Actor) -> Context {
        Context::new(self.origin.provenance(actor, Surface::BetterAuth))
    }

    /// The fields of the body, for reading with what is wrong with them.
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.body)
    }

    /// A parameter of the query that has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required_param(&self, name: &str) -> Result<&str, BetterAuthError> {
        self.params.get(name).ok_or_else(|| {
            let problem = "Invalid input: expected string, received undefined";
            BetterAuthError::validation(format!("[query.{name}] {problem}"))
        })
    }

    /// Whether a switch of the query is on: any text but the empty one is.
    pub fn flag_param(&self, name: &str) -> bool {
        self.params.get(name).is_some_and(|text| !text.is_empty())
    }

    /// The value of a signed cookie that came with the request.
    pub fn cookie(&self, name: &str) -> Option<String> {
        CookieJar::new(self.app.signer(), self.app.cookies(), &self.headers).get(name)
    }

    /// Puts a signed cookie into the answer; without an age it goes with the browser's window.
    pub fn set_cookie(&self, name: &'static str, value: impl Into<String>, max_age: Option<u64>) {
        self.cookies.put(SetCookie { name: name.into(), value: Some(value.into()), max_age });
    }

    /// Lets a copy of a session go along with the answer, where the owner has them sent.
    pub fn cache_session(&self, session: SessionId, remembered: bool) {
        let mut put = self.cookies.0.lock().unwrap_or_else(PoisonError::into_inner);
        put.cached = Some((session, !remembered));
    }

    /// Takes a cookie away from the browser.
    pub fn clear_cookie(&self, name: &'static str) {
        self.cookies.put(SetCookie { name: name.into(), value: None, max_age: Some(0) });
    }
}

/// An answer that went well.
#[derive(Debug)]
pub struct Answer(Response<Body>);

impl Answer {
    /// 200 with a document.
    ///
    /// # Errors
    /// When the document does not write, which ours always do.
    pub fn json(document: &impl Serialize) -> Reply {
        let bytes = serde_json::to_vec(document).map_err(BetterAuthError::internal)?;
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Nearly every answer tells of somebody.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        Ok(Self(response))
    }

    /// `{"status":true}`
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn status() -> Reply {
        Self::json(&serde_json::json!({ "status": true }))
    }

    /// `{"success":true}`
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn success() -> Reply {
        Self::json(&serde_json::json!({ "success": true }))
    }

    /// 302 to another place.
    ///
    /// # Errors
    /// When the place cannot stand in a header.
    pub fn redirect(location: &str) -> Reply {
        let location = HeaderValue::from_str(location).map_err(BetterAuthError::internal)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, location);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(Self(response))
    }

    /// Another answer as it is: a page, say.
    pub fn raw(response: Response<Body>) -> Self {
        Self(response)
    }

    /// With a header more.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(name, value);
        }
        self
    }
}

/// 404 without anything, as for every path and method that there is not.
pub(super) fn not_there() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Takes a request through to its endpoint, and the answer back.
pub(super) async fn run<F>(
    app: App,
    request: Request,
    path: BTreeMap<String, String>,
    forms: Forms,
    endpoint: impl FnOnce(Call) -> F,
) -> Response<Body>
where
    F: Future<Output = Reply>,
{
    let cookies = Cookies::default();
    let came = CookieJar::new(app.signer(), app.cookies(), request.headers());
    let came = came.parts(super::session::SESSION_DATA_COOKIE);
    let work = async {
        let call = admit(&app, request, path, forms, cookies.clone()).await?;
        endpoint(call).await
    };
    let reply = match guarded(app.time_limit(), work).await {
        Ok(reply) => reply,
        Err(fault) => Err(fault.into()),
    };
    let mut response = match reply {
        Ok(Answer(response)) => response,
        Err(error) => {
            let error = error.in_words_of(&app.settings().plugins.administration.ban_message);
            axum::response::IntoResponse::into_response(error)
        }
    };
    cookies.put_copy(&app, came).await;
    cookies.write(&app, response.headers_mut());
    response
}

/// What comes before the endpoint: limits, the body, where the request comes from.
async fn admit(
    app: &App,
    request: Request,
    path: BTreeMap<String, String>,
    forms: Forms,
    cookies: Cookies,
) -> Result<Call, BetterAuthError> {
    let (parts, body) = request.into_parts();
    let origin = Origin::of(&parts);
    let header = app.settings().rate_limits.header.as_deref();
    let header = header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    let caller = CallerKey::of(&origin.facts, &parts.headers, header.as_ref());
    app.limits().check(caller, route(&parts), app.now())?;
    let params = Params::parse(parts.uri.query().unwrap_or_default());
    let text = match parts.method {
        Method::GET => None,
        _ => Some(read(body, app.body_limit()).await?),
    };
    let value = match text {
        None => Value::Null,
        Some(bytes) => body::parse(&parts.headers, &bytes, forms)?,
    };
    csrf::check(app, &parts, &params, &value, route(&parts))?;
    Ok(Call { app: app.clone(), origin, headers: parts.headers, params, path, body: value, cookies })
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, BetterAuthError> {
    let bytes = to_bytes(body, limit).await.map_err(|_| {
        let message = "Request body is too large or broken off";
        BetterAuthError::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    })?;
    Ok(bytes.to_vec())
}

/// The path as the table of routes has it, below the base path.
fn route(parts: &Parts) -> &str {
    parts.extensions.get::<Endpoint>().map_or("", |endpoint| endpoint.0)
}

/// The path of an endpoint as the table has it; the route puts it into the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint(pub(super) &'static str);
