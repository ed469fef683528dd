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
use url::form_urlencoded;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::error::{ErrorCode, GotrueError, OAuthCode};

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

    /// As [`Body::read`], of a request that may bring a form instead.
    ///
    /// # Errors
    /// When it is neither, or a field of the form comes twice (RFC 6749, section 3.2).
    pub async fn read_form_or_json(
        request: Request,
        limit: usize,
        name: &'static str,
    ) -> Result<Self, GotrueError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::read(request, limit, name).await;
        }
        let bytes = bytes(request, limit).await?;
        let mut fields = Map::new();
        for (field, value) in form_urlencoded::parse(&bytes) {
            let value = Value::String(value.into_owned());
            if holds_nul(&value) {
                return Err(GotrueError::validation("NUL characters are not allowed"));
            }
            if fields.insert(field.into_owned(), value).is_some() {
                let message = "request parameters must not be included more than once";
                return Err(GotrueError::oauth(OAuthCode::InvalidRequest, message));
            }
        }
        Ok(Self { fields, name })
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

    /// Takes an id out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn uuid(&mut self, field: &str) -> Result<Option<Uuid>, GotrueError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let unreadable = || bad_json(&format!("uuid: incorrect UUID length {} in string", text.len()));
        Uuid::try_parse(&text).map(Some).map_err(|_| unreadable())
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

    /// Takes a value of any form out; `null` counts as absent.
    pub fn value(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    /// Takes an object out, also one without keys.
    ///
    /// # Errors
    /// When it is something else.
    pub fn maybe_object(&mut self, field: &str) -> Result<Option<Metadata>, GotrueError> {
        let given = matches!(self.fields.get(field), Some(Value::Object(_)));
        Ok(self.object(field)?.or_else(|| given.then(Metadata::default)))
    }

    /// Takes a switch out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn maybe_flag(&mut self, field: &str) -> Result<Option<bool>, GotrueError> {
        let given = self.fields.get(field).is_some_and(|value| !value.is_null());
        let on = self.flag(field)?;
        Ok(given.then_some(on))
    }

    /// Takes a list of texts out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, GotrueError> {
        let values = match self.fields.remove(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(self.wrong(field, &other, "[]string")),
        };
        let text = |value| match value {
            Value::String(text) => Ok(text),
            other => Err(self.wrong(field, &other, "string")),
        };
        values.into_iter().map(text).collect::<Result<_, _>>().map(Some)
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
#[path = "body_tests.rs"]
mod tests;
