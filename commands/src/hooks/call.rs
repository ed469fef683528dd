//! One call of a hook: signed, bounded in time and size, repeated where that may help.

use std::time::Duration;

use evident_domain::ports::{Clock, Entropy};
use reqwest::header::{self, HeaderMap};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::HookError;
use super::signature::signatures;
use crate::outbound::{Answer, Chosen, Outbound, OutboundError};

/// So long a hook may take, all attempts together.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// So often a hook is tried.
const ATTEMPTS: u32 = 3;
/// The pause after a connection that did not come about.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 200 * 1024;

/// Calls an endpoint and gives its output; none where it has nothing to say.
pub(super) async fn call(
    outbound: &Outbound,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    endpoint: &Endpoint,
    body: Vec<u8>,
) -> Result<Option<Value>, HookError> {
    let attempts = async {
        let mut attempt = 1;
        loop {
            let outcome = attempt_call(outbound, clock, entropy, endpoint, body.clone()).await;
            let (error, pause) = match outcome {
                Ok(answer) if !asks_for_patience(&answer) => return read(&answer),
                Ok(_) => (HookError::Unavailable, Duration::ZERO),
                Err(OutboundError::TimedOut) => return Err(HookError::TimedOut),
                Err(OutboundError::TooLong) => return Err(HookError::TooLarge),
                Err(_) => (HookError::Unreachable, PAUSE),
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::time::timeout(TIME_LIMIT, attempts).await.unwrap_or(Err(HookError::TimedOut))
}

async fn attempt_call(
    outbound: &Outbound,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    endpoint: &Endpoint,
    body: Vec<u8>,
) -> Result<Answer, OutboundError> {
    let (id, timestamp) = (entropy.uuid().to_string(), clock.now().timestamp());
    let mut request = outbound
        .request(Method::POST, &endpoint.url, Chosen::ByOwner)?
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header("webhook-id", &id)
        .header("webhook-timestamp", timestamp);
    if let Some(signature) = signatures(&endpoint.secrets, &id, timestamp, &body) {
        request = request.header("webhook-signature", signature);
    }
    outbound.send_up_to(request.body(body), LONGEST_ANSWER).await
}

/// Whether the hook asks to be tried again; when, it may say, and nobody could wait so long.
fn asks_for_patience(answer: &Answer) -> bool {
    matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
        && answer.headers.contains_key(header::RETRY_AFTER)
}

fn read(answer: &Answer) -> Result<Option<Value>, HookError> {
    match answer.status {
        StatusCode::OK | StatusCode::ACCEPTED => {
            check_content_type(&answer.headers)?;
            output(&answer.body).map(Some)
        }
        StatusCode::NO_CONTENT => Ok(None),
        StatusCode::BAD_REQUEST => Err(HookError::BadRequest),
        StatusCode::UNAUTHORIZED => Err(HookError::Unauthorized),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(HookError::Unavailable),
        other => Err(HookError::Status(other.as_u16())),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), HookError> {
    let value = headers.get(header::CONTENT_TYPE).ok_or(HookError::NoContentType)?;
    let text = value.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => Ok(()),
        "" => Err(HookError::NoContentType),
        _ => Err(HookError::ContentType(media_type)),
    }
}

/// What a hook says when it refuses.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    http_code: Option<i64>,
    message: Option<String>,
}

fn output(body: &[u8]) -> Result<Value, HookError> {
    let output: Value = serde_json::from_slice(body).map_err(|_| HookError::NotJson)?;
    let refusal = match &output {
        Value::Object(fields) => fields.get("error"),
        Value::Null => None,
        _ => return Err(HookError::NotJson),
    };
    let refusal: Option<Refusal> =
        refusal.map(Option::deserialize).transpose().map_err(|_| HookError::NotJson)?.flatten();
    match refusal {
        Some(Refusal { http_code, message: Some(message) }) if !message.is_empty() => {
            // A refusal is no success, whatever the number says.
            let status = http_code.and_then(|code| u16::try_from(code).ok());
            Err(HookError::Refused { status: status.filter(|code| (400..600).contains(code)), message })
        }
        _ => Ok(output),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, content_type: Option<&'static str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.as_bytes().to_vec() }
    }

    fn json_answer(body: &str) -> Result<Option<Value>, HookError> {
        read(&answer(200, Some("application/json; charset=utf-8"), body))
    }

    #[test]
    fn only_json_is_an_answer() {
        assert_eq!(json_answer(r#"{"claims":{}}"#), Ok(Some(json!({"claims": {}}))));
        assert_eq!(json_answer("null"), Ok(Some(Value::Null)));
        for broken in ["", "{", "[]", "\"x\"", r#"{"error":"no"}"#, r#"{"error":{"http_code":"403"}}"#] {
            assert_eq!(json_answer(broken), Err(HookError::NotJson), "{broken}");
        }
        assert_eq!(json_answer(&"[".repeat(100_000)), Err(HookError::NotJson));
        let plain = answer(200, Some("text/plain; charset=utf-8"), "{}");
        assert_eq!(read(&plain), Err(HookError::ContentType("text/plain".to_owned())));
        assert_eq!(read(&answer(202, None, "{}")), Err(HookError::NoContentType));
        assert_eq!(read(&answer(204, None, "")), Ok(None));
    }

    #[test]
    fn a_refusal_has_a_message_and_maybe_a_status() {
        let refused = |status, message: &str| Err(HookError::Refused { status, message: message.to_owned() });
        assert_eq!(json_answer(r#"{"error":{"http_code":403,"message":"no"}}"#), refused(Some(403), "no"));
        assert_eq!(json_answer(r#"{"error":{"message":"no"}}"#), refused(None, "no"));
        for code in ["200", "0", "99999", "-1"] {
            let body = format!(r#"{{"error":{{"http_code":{code},"message":"no"}}}}"#);
            assert_eq!(json_answer(&body), refused(None, "no"), "{code}");
        }
        for ignored in [r#"{"error":{"http_code":403}}"#, r#"{"error":{}}"#, r#"{"error":null}"#] {
            assert!(json_answer(ignored).is_ok(), "{ignored}");
        }
    }

    #[test]
    fn other_statuses_say_what_is_wrong_with_the_hook() {
        for (status, error) in [
            (201, HookError::Status(201)),
            (302, HookError::Status(302)),
            (400, HookError::BadRequest),
            (401, HookError::Unauthorized),
            (418, HookError::Status(418)),
            (429, HookError::Unavailable),
            (500, HookError::Status(500)),
            (503, HookError::Unavailable),
        ] {
            let body = r#"{"error":{"http_code":403,"message":"not read"}}"#;
            assert_eq!(read(&answer(status, Some("application/json"), body)), Err(error), "{status}");
        }
    }
}
