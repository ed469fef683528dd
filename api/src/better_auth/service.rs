//! `GET /ok`, `GET /error`

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use super::call::{Answer, Call, Reply};
use super::routes::Table;

pub(super) fn routes(table: Table) -> Table {
    table.get("/ok", ok).get("/error", error)
}

/// Whether the server is there.
async fn ok(_: Call) -> Reply {
    Answer::json(&serde_json::json!({ "ok": true }))
}

/// The page that tells of an error when there is no other place to tell it.
async fn error(call: Call) -> Reply {
    let given = call.params.get("error").unwrap_or_default();
    let known = !given.is_empty()
        && given.len() <= 64
        && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let code = if known { given } else { "UNKNOWN" };
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"UTF-8\"><title>Error</title></head>\n\
         <body><h1>Something went wrong</h1><p>Code: <code>{code}</code></p>\
         <p><a href=\"/\">Return to the application</a></p></body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(page));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    Ok(Answer::raw(response))
}
