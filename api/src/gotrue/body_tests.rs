//! How bodies are read.

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
        assert_eq!((error.status(), error.code()), (StatusCode::BAD_REQUEST, ErrorCode::ValidationFailed));
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
