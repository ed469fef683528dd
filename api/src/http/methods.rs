//! Routes that take certain methods and no others: `HEAD` and `OPTIONS` are none of them.

use axum::body::Body;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::routing::{MethodFilter, MethodRouter, any};

use super::routes::Route;

/// The methods of one path.
#[derive(Debug, Clone)]
pub struct Methods<S> {
    router: MethodRouter<S>,
    allowed: Vec<Method>,
}

impl<S: Clone + Send + Sync + 'static> Default for Methods<S> {
    fn default() -> Self {
        Self { router: MethodRouter::new(), allowed: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Methods<S> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    #[must_use]
    pub fn on<T: 'static>(mut self, method: Method, handler: impl Handler<T, S>) -> Self {
        if let Ok(filter) = MethodFilter::try_from(method.clone()) {
            self.router = self.router.on(filter, handler);
            self.allowed.push(method);
        }
        self
    }

    /// The route; another method is answered 405.
    pub fn or_refuse(self) -> Route<S> {
        let answer = Refusal(self.allowed.clone());
        let handler = move || {
            let answer = answer.clone();
            async move { answer.into_response() }
        };
        self.or_else(handler)
    }

    /// The route; another method is answered by a handler, which may look at who asks first.
    pub fn or_else<T: 'static>(self, handler: impl Handler<T, S>) -> Route<S> {
        // axum would answer HEAD wherever there is a GET, and write an `Allow` of its own wherever there is
        // none: `any` keeps it from that.
        let router = any(handler.clone()).on(MethodFilter::HEAD, handler).merge(self.router);
        Route::new(router, self.allowed)
    }

    /// What another method is told.
    pub fn refusal(&self) -> Refusal {
        Refusal(self.allowed.clone())
    }
}

/// 405, and what would be taken.
#[derive(Debug, Clone)]
pub struct Refusal(Vec<Method>);

impl Refusal {
    /// The answer: no body, and a line of `Allow` for each method, as Go's routers write it.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        for method in self.0 {
            if let Ok(value) = HeaderValue::from_str(method.as_str()) {
                response.headers_mut().append(header::ALLOW, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::super::routes::Router;
    use super::*;

    async fn ask(method: Method) -> (u16, Vec<String>) {
        let route = Methods::new().on(Method::GET, async || "got").on(Method::PUT, async || "put");
        let app = Router::<()>::new().route("/thing", route.or_refuse()).into_inner();
        let request = Request::builder().method(method).uri("/thing").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let allowed = response.headers().get_all(header::ALLOW).iter();
        (response.status().as_u16(), allowed.map(|value| value.to_str().unwrap().to_owned()).collect())
    }

    #[tokio::test]
    async fn a_method_of_the_path_is_served() {
        assert_eq!(ask(Method::GET).await, (200, vec![]));
        assert_eq!(ask(Method::PUT).await, (200, vec![]));
    }

    #[tokio::test]
    async fn who_is_refused_for_another_reason_hears_nothing_of_methods() {
        let route = Methods::new().on(Method::GET, async || "got");
        let route = route.or_else(async || StatusCode::UNAUTHORIZED);
        let app = Router::<()>::new().route("/thing", route).into_inner();
        let request = Request::builder().method(Method::POST).uri("/thing").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(!response.headers().contains_key(header::ALLOW));
    }

    #[tokio::test]
    async fn another_one_hears_what_would_be_taken() {
        let refused = (405, vec!["GET".to_owned(), "PUT".to_owned()]);
        for method in [Method::HEAD, Method::OPTIONS, Method::POST, Method::TRACE] {
            assert_eq!(ask(method.clone()).await, refused, "{method}");
        }
    }
}
