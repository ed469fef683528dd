//! The JSON bodies of requests, whatever their content type says.
//!
//! A body is one object. Names are taken as they are written, equal names are refused (a filter in front
//! might read another one than we do), unknown ones are ignored, and `null` counts as absent. What does
//! not read is told in the words of Go's library, which clients know.

use std::fmt;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use evident_domain::Metadata;
use http_body_util::BodyExt as _;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::{ErrorCode, GotrueError};

/// So much of a body that is too long is read and thrown away, in bytes.
const PATIENCE: usize = 4 * 1024 * 1024;

/// A body takes about so many bytes.
const USUAL_SIZE: usize = 512;

/// The fields of a body.
#[derive(Debug)]
pub struct Body {
    fields: Map<String, Value>,
    /// What Supabase Auth calls the whole in its messages.
    name: &'static str,
}

impl Body {
    /// Reads a body of at most `limit` bytes.
    ///
    /// # Errors
    /// When it is longer, or no JSON object.
    pub async fn read(request: Request, limit: usize, name: &'static str) -> Result<Self, GotrueError> {
        Self::parse(&bytes(request, limit).await?, name)
    }

    /// As [`Body::read`], of a request that may have no body.
    ///
    /// # Errors
    /// When there is one and it does not read.
    pub async fn read_optional(
        request: Request,
        limit: usize,
        name: &'static str,
    ) -> Result<Self, GotrueError> {
        let bytes = bytes(request, limit).await?;
        if bytes.is_empty() { Ok(Self { fields: Map::new(), name }) } else { Self::parse(&bytes, name) }
    }

    /// Reads the bytes of a body.
    ///
    /// # Errors
    /// When they are no JSON object, or hold NUL characters, which databases do not take.
    pub fn parse(bytes: &[u8], name: &'static str) -> Result<Self, GotrueError> {
        let Strict(value) =
            serde_json::from_slice(bytes).map_err(|error| bad_json(&syntax_message(bytes, &error)))?;
        if holds_nul(&value) {
            return Err(GotrueError::validation("NUL characters are not allowed"));
        }
        match value {
            Value::Object(fields) => Ok(Self { fields, name }),
            other => Err(bad_json(&format!(
                "json: cannot unmarshal {} into Go value of type api.{name}",
                kind(&other)
            ))),
        }
    }

    /// Takes a text out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&mut self, field: &str) -> Result<Option<String>, GotrueError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, &other, "string")),
        }
    }

    /// Takes a text out; an absent one is empty.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text_or_empty(&mut self, field: &str) -> Result<String, GotrueError> {
        Ok(self.text(field)?.unwrap_or_default())
    }

    /// Takes a switch out; an absent one is off.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, field: &str) -> Result<bool, GotrueError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(on)) => Ok(on),
            Some(other) => Err(self.wrong(field, &other, "bool")),
        }
    }

    /// Takes a switch out; an absent one stands as given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag_or(&mut self, field: &str, absent: bool) -> Result<bool, GotrueError> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(absent),
            Some(_) => self.flag(field),
        }
    }

    /// Takes an object out; one without keys counts as absent.
    ///
    /// # Errors
    /// When it is something else.
    pub fn object(&mut self, field: &str) -> Result<Option<Metadata>, GotrueError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok((!object.is_empty()).then_some(Metadata(object))),
            Some(other) => Err(self.wrong(field, &other, "map[string]interface {}")),
        }
    }

    fn wrong(&self, field: &str, found: &Value, expected: &str) -> GotrueError {
        bad_json(&format!(
            "json: cannot unmarshal {} into Go struct field {}.{field} of type {expected}",
            kind(found),
            self.name
        ))
    }
}

/// Takes a body in. What is too long is read on for a while and thrown away: a client that is still
/// sending when the connection closes would not see the answer.
pub(super) async fn bytes(request: Request, limit: usize) -> Result<Zeroizing<Vec<u8>>, GotrueError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced: Option<usize> = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    // Passwords are in it, so it should not move while it grows, and is wiped in the end.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(USUAL_SIZE).min(limit)));
    let mut body = request.into_body();
    let mut seen = 0_usize;
    while seen <= limit.saturating_add(PATIENCE) {
        let Some(frame) = body.frame().await else {
            return if seen > limit { Err(too_large(limit)) } else { Ok(bytes) };
        };
        let frame = frame.map_err(|_| bad_json("the body broke off"))?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            bytes.extend_from_slice(data);
        }
    }
    Err(too_large(limit))
}

fn too_large(limit: usize) -> GotrueError {
    let message = format!("Request body too large (max {limit} bytes)");
    GotrueError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::RequestEntityTooLarge, message)
}

fn bad_json(detail: &str) -> GotrueError {
    let message = format!("Could not parse request body as JSON: {detail}");
    GotrueError::bad_request(ErrorCode::BadJson, message)
}

/// What Go calls a value's kind.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Go's words for JSON that breaks off or breaks a rule.
fn syntax_message(bytes: &[u8], error: &serde_json::Error) -> String {
    const PLACES: [(&str, &str); 7] = [
        ("expected value", "looking for beginning of value"),
        ("key must be a string", "looking for beginning of object key string"),
        ("trailing comma", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
        ("trailing characters", "after top-level value"),
    ];
    if error.classify() == Category::Eof {
        return "unexpected end of JSON input".to_owned();
    }
    let message = error.to_string();
    let place = PLACES.iter().find(|(ours, _)| message.starts_with(ours));
    let found = bytes
        .split(|byte| *byte == b'\n')
        .nth(error.line().saturating_sub(1))
        .and_then(|line| line.get(error.column().saturating_sub(1)));
    match (place, found) {
        (Some((_, place)), Some(byte)) => {
            format!("invalid character '{}' {place}", std::ascii::escape_default(*byte))
        }
        // The library's own words, without the place; they never hold a value.
        _ => message.split(" at line ").next().unwrap_or("invalid JSON").to_owned(),
    }
}

/// A JSON value in which no object has a name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("an object has a name twice"));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request as HttpRequest;
    use serde_json::json;

    use super::*;

    fn parse(text: &[u8]) -> Result<Body, GotrueError> {
        Body::parse(text, "SignupParams")
    }

    #[track_caller]
    fn detail(text: &[u8]) -> String {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadJson);
        let message = error.message();
        message.strip_prefix("Could not parse request body as JSON: ").expect(message).to_owned()
    }

    #[test]
    fn fields_are_taken_by_name_and_null_counts_as_absent() {
        let mut body =
            parse(br#"{"email":"a","on":true,"data":{"b":1},"none":null,"empty":{},"more":[1]}"#).unwrap();
        assert_eq!(body.text("email").unwrap().as_deref(), Some("a"));
        assert_eq!(body.text("none").unwrap(), None);
        assert_eq!(body.text_or_empty("absent").unwrap(), "");
        assert!(body.flag("on").unwrap());
        assert!(!body.flag("none").unwrap());
        assert_eq!(json!(body.object("data").unwrap()), json!({ "b": 1 }));
        assert_eq!(body.object("empty").unwrap(), None);
        assert_eq!(body.object("none").unwrap(), None);
    }

    #[test]
    fn a_wrong_type_is_told_in_gos_words() {
        let mut body = parse(br#"{"email":42,"on":"x","data":[],"phone":{}}"#).unwrap();
        let errors = [
            body.text("email").unwrap_err(),
            body.flag("on").unwrap_err(),
            body.object("data").unwrap_err(),
            body.text("phone").unwrap_err(),
        ];
        let message = "Could not parse request body as JSON: json: cannot unmarshal";
        for (error, end) in errors.iter().zip([
            "number into Go struct field SignupParams.email of type string",
            "string into Go struct field SignupParams.on of type bool",
            "array into Go struct field SignupParams.data of type map[string]interface {}",
            "object into Go struct field SignupParams.phone of type string",
        ]) {
            assert_eq!(error.message(), format!("{message} {end}"));
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (text, message) in [
            (&b""[..], "unexpected end of JSON input"),
            (b"{", "unexpected end of JSON input"),
            (b"{not json", "invalid character 'n' looking for beginning of object key string"),
            (b"x", "invalid character 'x' looking for beginning of value"),
            (b"{}x", "invalid character 'x' after top-level value"),
            (b"{} {}", "invalid character '{' after top-level value"),
            (b"{\"a\"1}", "invalid character '1' after object key"),
            (b"{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            (b"{\"a\":[1 2]}", "invalid character '2' after array element"),
            (b"{\n\"a\":x}", "invalid character 'x' looking for beginning of value"),
            (b"\xff", "invalid character '\\xff' looking for beginning of value"),
            (b"null", "json: cannot unmarshal null into Go value of type api.SignupParams"),
            (b"[]", "json: cannot unmarshal array into Go value of type api.SignupParams"),
            (b"\"x\"", "json: cannot unmarshal string into Go value of type api.SignupParams"),
        ] {
            assert_eq!(detail(text), message, "{:?}", String::from_utf8_lossy(text));
        }
        assert_eq!(detail(b"{\"a\":\"\xc3\x28\"}"), "invalid unicode code point");
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth_and_names_are_exact() {
        assert_eq!(detail(br#"{"email":"a","email":"b"}"#), "an object has a name twice");
        assert_eq!(detail(br#"{"data":{"x":[{"a":1,"a":2}]}}"#), "an object has a name twice");
        assert_eq!(parse(br#"{"EMAIL":"a"}"#).unwrap().text("email").unwrap(), None);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{{\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(detail(deep.as_bytes()), "recursion limit exceeded");
    }

    #[test]
    fn nul_characters_are_refused_wherever_they_stand() {
        for text in [r#"{"a":"\u0000"}"#, r#"{"a\u0000":1}"#, r#"{"a":[{"b":["x\u0000y"]}]}"#] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                (error.status(), error.code()),
                (StatusCode::BAD_REQUEST, ErrorCode::ValidationFailed)
            );
        }
    }

    #[tokio::test]
    async fn a_long_body_is_refused_after_it_was_read() {
        for length in [101, 100_000, 100 + PATIENCE + 1] {
            let body = axum::body::Body::from(" ".repeat(length));
            let request = HttpRequest::builder().body(body).unwrap();
            let error = Body::read(request, 100, "SignupParams").await.unwrap_err();
            assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
            assert_eq!(error.message(), "Request body too large (max 100 bytes)");
        }
        let fits = HttpRequest::builder().body(axum::body::Body::from(format!("{:100}", "{}"))).unwrap();
        assert!(Body::read(fits, 100, "x").await.is_ok());
        let nothing = HttpRequest::builder().body(axum::body::Body::empty()).unwrap();
        assert!(Body::read_optional(nothing, 100, "x").await.is_ok());
    }
}
