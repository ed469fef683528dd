//! The page that asks whoever opens a link of a mail whether to go on. Programs that look at mails open links,
//! too, and would use them up; they press no buttons.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use super::params::Params;

/// The parameter that the button adds.
const ASKED: &str = "asked";

/// Whether the button was pressed.
pub(super) fn was_pressed(params: &Params) -> bool {
    params.get(ASKED).is_some()
}

/// The page. Its form sends the link's parameters back to where it came from.
pub(super) fn page(params: &Params) -> Response<Body> {
    let mut page = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
                    <meta name=\"viewport\" content=\"width=device-width\"><title>Continue?</title></head>\
                    <body><h1>Continue?</h1><p>You opened a link of a mail.</p><form method=\"get\">"
        .to_owned();
    for (name, value) in params.iter().chain([(ASKED, "yes")]) {
        // Writing to a string cannot fail.
        let _ =
            write!(page, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value));
    }
    page.push_str("<button>Continue</button></form></body></html>\n");
    let mut response = Response::new(Body::from(page));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// A text as it stands in a page and in an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn whatever_a_link_says_stays_in_its_place() {
        let params = Params::parse("token=abc&redirect_to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
        assert!(!was_pressed(&params));
        let bytes = page(&params).into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("name=\"token\" value=\"abc\""), "{text}");
        assert!(text.contains("value=\"&#34;&gt;&lt;script&gt;"), "{text}");
        assert!(!text.contains("<script"), "{text}");
        assert!(was_pressed(&Params::parse("token=abc&asked=yes")));
    }
}
