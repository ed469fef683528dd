//! How a value is escaped.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How one value is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::messages) enum Escape {
    /// Text and quoted attributes.
    Html,
    /// An attribute without quotes.
    Bare,
    /// The beginning of an address: only harmless schemes pass.
    UrlStart,
    /// Further on in an address, in front of its query.
    Url,
    /// In the query or fragment of an address.
    UrlQuery,
    /// A style.
    Css,
    /// Comments: nothing is shown.
    Nothing,
}

impl Escape {
    /// The name of the filter that does it; none where the page's own escaping is enough.
    pub(in crate::messages) fn filter(self) -> Option<&'static str> {
        match self {
            Self::Html => None,
            Self::Bare => Some("go_bare"),
            Self::UrlStart => Some("go_url_start"),
            Self::Url => Some("go_url"),
            Self::UrlQuery => Some("go_url_query"),
            Self::Css => Some("go_css"),
            Self::Nothing => Some("go_nothing"),
        }
    }

    /// All that have a filter.
    pub(in crate::messages) const FILTERED: [Self; 6] =
        [Self::Bare, Self::UrlStart, Self::Url, Self::UrlQuery, Self::Css, Self::Nothing];

    /// Escapes a text.
    pub(in crate::messages) fn apply(self, text: &str) -> String {
        match self {
            Self::Html => escape_html(text),
            Self::Bare => escape_bare(text),
            Self::UrlStart if !has_harmless_scheme(text) => REFUSED_URL.to_owned(),
            Self::UrlStart | Self::Url => escape_html(&utf8_percent_encode(text, &NORMALIZED).to_string()),
            Self::UrlQuery => percent_encode(text),
            Self::Css if text.bytes().all(|b| b.is_ascii_alphanumeric() || b" #%.,_-".contains(&b)) => {
                text.to_owned()
            }
            Self::Css => REFUSED.to_owned(),
            Self::Nothing => String::new(),
        }
    }
}

/// What stands in place of an address or a style that was refused; Go's own mark.
const REFUSED: &str = "ZgotmplZ";
const REFUSED_URL: &str = "#ZgotmplZ";

/// All but the characters that RFC 3986 never reserves.
const QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters that have no place in any address; escapes that are there stay.
const NORMALIZED: AsciiSet = QUERY
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'%')
    .remove(b'&')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'?')
    .remove(b'@')
    .remove(b'[')
    .remove(b']');

/// A text as the value of a query parameter.
pub(in crate::messages) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, &QUERY).to_string()
}

/// Escapes text and quoted attribute values.
pub(in crate::messages) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&#34;",
            '\'' => escaped += "&#39;",
            '\0' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn escape_bare(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                escaped.extend(["&#", &u32::from(c).to_string(), ";"]);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether an address is a web or mail address or has no scheme.
fn has_harmless_scheme(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_control() || c.is_whitespace());
    match text.split_once(':') {
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => {
            ["http", "https", "mailto"].iter().any(|harmless| scheme.eq_ignore_ascii_case(harmless))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_value_leaves_no_place_it_was_put_in() {
        let hostile = "\"'> <script>alert(1)</script>&\0`=";
        assert_eq!(
            Escape::Html.apply(hostile),
            "&#34;&#39;&gt; &lt;script&gt;alert(1)&lt;/script&gt;&amp;\u{fffd}`="
        );
        for escape in [Escape::Bare, Escape::UrlStart, Escape::Url, Escape::UrlQuery, Escape::Css] {
            let escaped = escape.apply(hostile);
            assert!(!escaped.contains(['"', '\'', '<', '>', ' ', '`', '\0']), "{escape:?}: {escaped}");
        }
    }

    #[test]
    fn only_harmless_schemes_begin_a_link() {
        for bad in ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "\u{1}vbscript:x"] {
            assert_eq!(Escape::UrlStart.apply(bad), "#ZgotmplZ", "{bad}");
        }
        for good in ["https://a.example/b?c=%2F", "mailto:a@b", "/x:y", "?x:y", "x"] {
            assert_eq!(Escape::UrlStart.apply(good), good);
        }
        assert_eq!(Escape::UrlStart.apply("https://a/?b=1&c='"), "https://a/?b=1&amp;c=%27");
        assert_eq!(Escape::UrlQuery.apply("https://a/?b&c"), "https%3A%2F%2Fa%2F%3Fb%26c");
    }
}
