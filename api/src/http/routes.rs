//! A router that knows its own table: which paths there are, and which methods each takes.
//!
//! axum's router keeps that to itself; the `OpenAPI` document is held against this one.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::MethodRouter;

/// What stands at a path.
#[derive(Debug, Clone)]
pub struct Route<S> {
    router: MethodRouter<S>,
    methods: Vec<Method>,
}

impl<S> Route<S> {
    pub(super) fn new(router: MethodRouter<S>, methods: Vec<Method>) -> Self {
        Self { router, methods }
    }
}

impl<S> From<MethodRouter<S>> for Route<S> {
    /// A route that answers whatever is asked and is no operation of its own, as one that says "not found".
    fn from(router: MethodRouter<S>) -> Self {
        Self { router, methods: Vec::new() }
    }
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path, with `{names}` for its variables.
    pub path: String,
    /// What it takes; nothing where it only refuses.
    pub methods: Vec<Method>,
}

/// axum's router, and its table beside it.
#[derive(Debug, Clone)]
pub struct Router<S> {
    inner: axum::Router<S>,
    table: Vec<Entry>,
}

impl<S: Clone + Send + Sync + 'static> Default for Router<S> {
    fn default() -> Self {
        Self { inner: axum::Router::new(), table: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Router<S> {
    /// Without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this route.
    #[must_use]
    pub fn route(mut self, path: &str, route: impl Into<Route<S>>) -> Self {
        let route = route.into();
        self.table.push(Entry { path: path.to_owned(), methods: route.methods });
        self.inner = self.inner.route(path, route.router);
        self
    }

    /// And those of another.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        self.inner = self.inner.merge(other.inner);
        self
    }

    /// With an answer for every other path.
    #[must_use]
    pub fn fallback<T: 'static>(mut self, handler: impl Handler<T, S>) -> Self {
        self.inner = self.inner.fallback(handler);
        self
    }

    /// The table, in the order of the routes.
    pub fn table(&self) -> &[Entry] {
        &self.table
    }

    /// The router to serve.
    pub fn into_inner(self) -> axum::Router<S> {
        self.inner
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::any;

    use super::super::methods::Methods;
    use super::*;

    #[test]
    fn the_table_names_paths_and_methods() {
        let thing = Methods::new().on(Method::GET, async || "got").on(Method::PUT, async || "put");
        let other = Router::<()>::new().route("/rest", any(async || "nothing"));
        let router = Router::new().route("/thing", thing.or_refuse()).merge(other);
        let entry =
            |path: &str, methods: &[Method]| Entry { path: path.to_owned(), methods: methods.to_vec() };
        assert_eq!(router.table(), [entry("/thing", &[Method::GET, Method::PUT]), entry("/rest", &[])]);
    }
}
