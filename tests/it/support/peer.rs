//! Another server, as tests need one: it keeps what it is asked and answers what the test says.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;

/// How long a request may be on its way that leaves after the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// What the other server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `POST /path?query`
    pub(crate) line: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) body: Bytes,
}

impl Call {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// A header's text, or `""`.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What the other server says.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    pause: Duration,
}

impl Says {
    /// A status and a body of some type.
    pub(crate) fn plain(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into(), pause: Duration::ZERO }
    }

    /// A status and JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::plain(status, "application/json", body.to_string())
    }

    /// A status alone.
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), pause: Duration::ZERO }
    }

    /// With a header more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// After a while.
    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

type Answering = dyn Fn(&Call) -> Says + Send + Sync;

#[derive(Clone)]
struct Inner {
    calls: Arc<Mutex<Vec<Call>>>,
    answering: Arc<Mutex<Box<Answering>>>,
}

/// The other server. It ends with the test.
pub(crate) struct Peer {
    inner: Inner,
    url: String,
}

impl Peer {
    /// A server that answers so.
    pub(crate) async fn that(says: impl Fn(&Call) -> Says + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner { calls: Arc::default(), answering: Arc::new(Mutex::new(Box::new(says))) };
        let app = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { inner, url }
    }

    /// Answers otherwise from now on.
    pub(crate) fn now(&self, says: impl Fn(&Call) -> Says + Send + Sync + 'static) {
        *self.inner.answering.lock().unwrap() = Box::new(says);
    }

    /// An address of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What it was asked so far, of requests whose line begins so.
    pub(crate) fn calls(&self, line: &str) -> Vec<Call> {
        let calls = self.inner.calls.lock().unwrap();
        calls.iter().filter(|call| call.line.starts_with(line)).cloned().collect()
    }

    /// The newest such request, once there are as many as `number`.
    pub(crate) async fn call(&self, line: &str, number: usize) -> Call {
        let since = Instant::now();
        loop {
            let mut calls = self.calls(line);
            if calls.len() >= number {
                return calls.pop().unwrap();
            }
            assert!(since.elapsed() < LIMIT, "{} of {number} calls of {line}", calls.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(State(inner): State<Inner>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let call = Call { line: format!("{} {}", parts.method, parts.uri), headers: parts.headers, body };
    let says = (inner.answering.lock().unwrap())(&call);
    inner.calls.lock().unwrap().push(call);
    tokio::time::sleep(says.pause).await;
    let mut response = Response::builder().status(says.status);
    for (name, value) in says.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(says.body)).unwrap()
}
