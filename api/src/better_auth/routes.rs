//! Which path leads where, below the base path. Every other path and method is answered 404, with nothing.

use std::collections::BTreeMap;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{Method, header};

use super::app::App;
use super::body::Forms;
use super::call::{Call, Endpoint, Reply, not_there, run};
use super::{
    accounts, admin, anonymous, email_otp, organization, password, phone_number, service, session_endpoints,
    sign_in, sign_up, social, two_factor, user, username, verification,
};
use crate::http::methods::Methods;
use crate::http::routes::Router;

/// The routes of the surface.
pub fn router(app: App) -> axum::Router {
    let routes = table().into_router();
    let described = described(&app, &routes);
    let routes = routes.merge(described);
    routes.fallback(async || not_there()).into_inner().with_state(app)
}

/// Where the document of all of them is.
const DOCUMENT: &str = "/open-api/generate-schema";

/// The document, at a route of its own.
fn described(app: &App, routes: &Router<App>) -> Router<App> {
    let base_path = &app.options().place.base_path;
    let cookie = app.cookies().name(super::session::SESSION_COOKIE);
    // Plain data always writes.
    let text = super::openapi::describe(routes.table(), base_path, &cookie).to_json().unwrap_or_default();
    let show = async move || ([(header::CONTENT_TYPE, "application/json")], text.clone());
    Router::new().route(DOCUMENT, Methods::new().on(Method::GET, show).or_else(async || not_there()))
}

/// Paths and methods of all of them, as the document is held against.
#[cfg(test)]
pub(super) fn entries() -> Vec<crate::http::routes::Entry> {
    table().into_router().table().to_vec()
}

/// All of them.
fn table() -> Table {
    let families: [fn(Table) -> Table; 16] = [
        service::routes,
        sign_up::routes,
        sign_in::routes,
        session_endpoints::routes,
        organization::routes,
        admin::routes,
        two_factor::routes,
        username::routes,
        anonymous::routes,
        phone_number::routes,
        email_otp::routes,
        password::routes,
        verification::routes,
        user::routes,
        accounts::routes,
        social::routes,
    ];
    families.into_iter().fold(Table::default(), |table, family| family(table))
}

/// Paths, and the endpoints of each.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<&'static str, Methods<App>>);

impl Table {
    /// And this endpoint, which is read.
    #[must_use]
    pub(super) fn get<F>(self, path: &'static str, endpoint: impl Fn(Call) -> F + Run) -> Self
    where
        F: Future<Output = Reply> + Send,
    {
        self.on(Method::GET, path, Forms::Json, endpoint)
    }

    /// And this one, which takes JSON.
    #[must_use]
    pub(super) fn post<F>(self, path: &'static str, endpoint: impl Fn(Call) -> F + Run) -> Self
    where
        F: Future<Output = Reply> + Send,
    {
        self.on(Method::POST, path, Forms::Json, endpoint)
    }

    /// And this one, which takes JSON and what HTML forms post.
    #[must_use]
    pub(super) fn post_form<F>(self, path: &'static str, endpoint: impl Fn(Call) -> F + Run) -> Self
    where
        F: Future<Output = Reply> + Send,
    {
        self.on(Method::POST, path, Forms::JsonOrForm, endpoint)
    }

    fn on<F>(
        mut self,
        method: Method,
        path: &'static str,
        forms: Forms,
        endpoint: impl Fn(Call) -> F + Run,
    ) -> Self
    where
        F: Future<Output = Reply> + Send,
    {
        let handler = move |State(app): State<App>,
                            variables: Result<RawPathParams, RawPathParamsRejection>,
                            mut request: Request| {
            let endpoint = endpoint.clone();
            async move {
                let Ok(variables) = variables else { return not_there() };
                let variables =
                    variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                request.extensions_mut().insert(Endpoint(path));
                run(app, request, variables, forms, endpoint).await
            }
        };
        let methods = self.0.remove(path).unwrap_or_default().on(method, handler);
        self.0.insert(path, methods);
        self
    }

    fn into_router(self) -> Router<App> {
        self.0.into_iter().fold(Router::new(), |router, (path, methods)| {
            router.route(path, methods.or_else(async || not_there()))
        })
    }
}

/// What an endpoint has to be so that requests run it.
pub(super) trait Run: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Run for T {}
