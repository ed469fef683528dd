//! Bodies: which kinds are read, and what is wrong with their fields, in the words that clients know.

use axum::http::{HeaderMap, StatusCode, header};
use evident_domain::Metadata;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::BetterAuthError;

/// Which kinds of bodies an endpoint reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// JSON.
    Json,
    /// JSON, and what HTML forms post.
    JsonOrForm,
}

impl Forms {
    const fn names(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonOrForm => "application/x-www-form-urlencoded, application/json",
        }
    }
}

/// Reads a body. One that is empty counts as an empty object where it says no kind.
///
/// # Errors
/// When it is of another kind, or no JSON.
pub(super) fn parse(headers: &HeaderMap, bytes: &[u8], forms: Forms) -> Result<Value, BetterAuthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if bytes.is_empty() && (essence.is_empty() || essence == "application/json") {
        return Ok(Value::Null);
    }
    if essence == "application/json" || essence.ends_with("+json") && essence.starts_with("application/") {
        return serde_json::from_slice(bytes)
            .map_err(|_| BetterAuthError::bad_request("BAD_REQUEST", "Invalid JSON in request body"));
    }
    if forms == Forms::JsonOrForm && essence == "application/x-www-form-urlencoded" {
        let pairs = url::form_urlencoded::parse(bytes).into_owned();
        return Ok(Value::Object(pairs.map(|(name, text)| (name, Value::String(text))).collect()));
    }
    let message =
        format!("Content-Type {} is not allowed. Allowed types: {}", Value::from(kind), forms.names());
    Err(BetterAuthError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message))
}

/// The fields of a body. Whatever is wrong is collected in the order of reading, and told at once by
/// [`Fields::finish`]; until then a faulty field reads as an empty one.
#[derive(Debug)]
pub struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    /// Where the fields stand inside the body: nothing, or `data.`.
    place: String,
    problems: Vec<String>,
}

static NOTHING: Value = Value::Null;

impl<'a> Fields<'a> {
    /// Of a body that was read. None at all is as good as an empty object: what has to be there is missed
    /// by name.
    pub fn of(body: &'a Value) -> Self {
        let mut problems = Vec::new();
        let map = body.as_object();
        if map.is_none() && !body.is_null() {
            problems.push(format!("[body] Invalid input: expected object, received {}", kind(Some(body))));
        }
        Self { map, place: String::new(), problems }
    }

    /// Of an object in a field of the body.
    pub fn inside(object: &'a Value, field: &str) -> Self {
        Self { map: object.as_object(), place: format!("{field}."), problems: Vec::new() }
    }

    /// Takes in what was wrong with the fields of an object inside.
    pub fn take_in(&mut self, inside: Self) {
        self.problems.extend(inside.problems);
    }

    /// Notes that an object is missing that has to be there, and gives an empty one in its place.
    pub fn missing_object(&mut self, name: &str) -> &'a Value {
        self.mistyped(name, "object");
        &NOTHING
    }

    /// A field as it is; none where it is missing.
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        self.map.and_then(|map| map.get(name))
    }

    /// All fields, for endpoints that take more than they know.
    pub fn all(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.map.into_iter().flatten()
    }

    /// Notes that something is wrong with a field.
    pub fn problem(&mut self, name: &str, problem: &str) {
        self.problems.push(format!("[body.{}{name}] {problem}", self.place));
    }

    fn mistyped(&mut self, name: &str, expected: &str) {
        let received = kind(self.raw(name));
        self.problem(name, &format!("Invalid input: expected {expected}, received {received}"));
    }

    /// A text that has to be there.
    pub fn text(&mut self, name: &str) -> String {
        match self.raw(name) {
            Some(Value::String(text)) => text.clone(),
            _ => {
                self.mistyped(name, "string");
                String::new()
            }
        }
    }

    /// A text that has to be there and is forgotten after use.
    pub fn secret(&mut self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.text(name))
    }

    /// A text that may be missing.
    pub fn maybe_text(&mut self, name: &str) -> Option<String> {
        match self.raw(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.mistyped(name, "string");
                None
            }
        }
    }

    /// A text that may be missing, or `null`, which says that nothing stands there from now on.
    pub fn nullable_text(&mut self, name: &str) -> Option<Option<String>> {
        match self.raw(name) {
            Some(Value::Null) => Some(None),
            _ => self.maybe_text(name).map(Some),
        }
    }

    /// A switch that may be missing.
    pub fn maybe_flag(&mut self, name: &str) -> Option<bool> {
        match self.raw(name) {
            None => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.mistyped(name, "boolean");
                None
            }
        }
    }

    /// A number that may be missing.
    pub fn maybe_number(&mut self, name: &str) -> Option<f64> {
        match self.raw(name) {
            None => None,
            Some(Value::Number(number)) => number.as_f64(),
            Some(_) => {
                self.mistyped(name, "number");
                None
            }
        }
    }

    /// An object that may be missing.
    pub fn maybe_object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        match self.raw(name) {
            None => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => {
                self.mistyped(name, "object");
                None
            }
        }
    }

    /// An object of whatever fields, which may be missing.
    pub fn maybe_record(&mut self, name: &str) -> Option<Metadata> {
        match self.raw(name) {
            None => None,
            Some(Value::Object(object)) => Some(Metadata(object.clone())),
            Some(_) => {
                self.mistyped(name, "record");
                None
            }
        }
    }

    /// A list of texts that may be missing.
    pub fn maybe_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let Some(Value::Array(items)) = self.raw(name) else {
            if self.raw(name).is_some() {
                self.mistyped(name, "array");
            }
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text.clone()),
                other => {
                    let received = kind(Some(other));
                    self.problem(
                        &format!("{name}.{at}"),
                        &format!("Invalid input: expected string, received {received}"),
                    );
                }
            }
        }
        Some(texts)
    }

    /// A mail address that has to be there.
    pub fn email(&mut self, name: &str) -> String {
        let known = self.problems.len();
        let text = self.text(name);
        if self.problems.len() == known && !is_email(&text) {
            self.problem(name, "Invalid email address");
        }
        text
    }

    /// Tells what was wrong.
    ///
    /// # Errors
    /// When anything was.
    pub fn finish(self) -> Result<(), BetterAuthError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(BetterAuthError::validation(self.problems.join("; ")))
        }
    }
}

/// Whether a text reads as a mail address.
pub fn is_email(text: &str) -> bool {
    evident_domain::Email::parse(text).is_ok()
}

/// What JavaScript calls the kind of a value.
pub(super) fn kind(value: Option<&Value>) -> &'static str {
    match value.unwrap_or(&NOTHING) {
        Value::Null if value.is_none() => "undefined",
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_at_once_in_the_order_of_reading() {
        let body = json!({ "email": 42, "password": true, "rememberMe": "no", "scopes": ["a", 1] });
        let mut fields = Fields::of(&body);
        fields.text("email");
        fields.text("password");
        fields.text("name");
        fields.maybe_flag("rememberMe");
        fields.maybe_texts("scopes");
        let error = fields.finish().unwrap_err();
        assert_eq!(error.code(), Some("VALIDATION_ERROR"));
        assert_eq!(
            error.message(),
            "[body.email] Invalid input: expected string, received number; \
             [body.password] Invalid input: expected string, received boolean; \
             [body.name] Invalid input: expected string, received undefined; \
             [body.rememberMe] Invalid input: expected boolean, received string; \
             [body.scopes.1] Invalid input: expected string, received number"
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_refused_and_none_at_all_is_an_empty_one() {
        for body in [json!([]), json!("x"), json!(1)] {
            assert!(Fields::of(&body).finish().is_err(), "{body}");
        }
        assert!(Fields::of(&Value::Null).finish().is_ok());
    }

    #[test]
    fn json_is_read_and_forms_only_where_they_may_come() {
        let of = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            headers
        };
        let json = of("application/json; charset=utf-8");
        assert_eq!(parse(&json, b"{\"a\":1}", Forms::Json).unwrap(), json!({ "a": 1 }));
        let broken = parse(&json, b"{not json", Forms::Json).unwrap_err();
        assert_eq!((broken.status().as_u16(), broken.message()), (400, "Invalid JSON in request body"));
        let form = of("application/x-www-form-urlencoded");
        assert_eq!(parse(&form, b"a=b+c", Forms::JsonOrForm).unwrap(), json!({ "a": "b c" }));
        assert_eq!(parse(&form, b"a=b", Forms::Json).unwrap_err().status().as_u16(), 415);
        let text = parse(&of("text/plain"), b"hello", Forms::JsonOrForm).unwrap_err();
        assert_eq!(
            text.message(),
            "Content-Type \"text/plain\" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json"
        );
        assert_eq!(parse(&HeaderMap::new(), b"", Forms::Json).unwrap(), Value::Null);
    }
}
