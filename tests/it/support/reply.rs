//! An answer of the server, with the ways in which tests look at it.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
}

impl Reply {
    /// Reads an answer.
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// A header's text, or `""`.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.text) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {} {}", self.status, self.text),
        }
    }

    /// The JSON of a 200.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }

    /// Checks a 204.
    #[track_caller]
    pub(crate) fn no_content(&self) {
        assert_eq!((self.status, self.text.as_str()), (204, ""));
    }

    /// Checks a refusal in the older form of errors, word for word.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.json(), json!({ "code": status, "error_code": code, "msg": message }));
        assert_eq!(self.status, status);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("x-sb-error-code"), code);
    }

    /// Checks a refusal in the newer form of errors, word for word.
    #[track_caller]
    pub(crate) fn refused_in_new_form(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.json(), json!({ "code": code, "message": message }));
        assert_eq!(self.status, status);
        assert_eq!(self.header("x-supabase-api-version"), "2024-01-01");
        assert_eq!(self.header("x-sb-error-code"), code);
    }

    /// The error code of a refusal with this status, for where the text is free.
    #[track_caller]
    pub(crate) fn error_code(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()["error_code"].as_str().unwrap().to_owned()
    }
}
