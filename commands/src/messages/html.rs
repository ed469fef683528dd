//! Where in an HTML page a template's value lands, and how it is escaped there.
//!
//! A value in a link's address needs other escaping than one in a paragraph; `<a href="{{ .Data.x }}">`
//! must not become a `javascript:` link because a user named himself so. The scanner follows the fixed
//! text of a template and says at each value which [`Escape`] fits, as Go's `html/template` does.

mod escape;

pub(super) use escape::{Escape, escape_html, percent_encode};

/// A value stands where none can be shown safely, or the branches of a condition end in different places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misplaced {
    /// Inside a script, an event attribute or a tag.
    #[error(
        "no value can stand here safely: inside a script, an on… attribute, or a tag outside of attribute values"
    )]
    Value,
    /// The branches do not meet.
    #[error("the branches end in different places of the page (an open tag, quote or link)")]
    Branches,
}

/// Follows the fixed text of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scanner {
    place: Place,
    /// The element whose tag or raw text is open, in lower case; else empty.
    element: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Text,
    Comment,
    TagName,
    Tag,
    AttributeName(String),
    AfterName(String),
    BeforeValue(String),
    Value {
        quote: Option<char>,
        attribute: Attribute,
    },
    /// Inside `script`, `style`, `title` or `textarea`.
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Plain,
    Url(UrlPart),
    Style,
    Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UrlPart {
    Nothing,
    BeforeQuery,
    Query,
}

impl Scanner {
    /// At the beginning of a page.
    pub(super) fn new() -> Self {
        Self { place: Place::Text, element: String::new() }
    }

    /// Goes on over fixed text.
    pub(super) fn feed(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = match self.place {
                Place::Text => self.in_text(rest),
                Place::Comment => self.until(rest, "-->", Place::Text),
                Place::Raw => self.in_raw(rest),
                _ => {
                    self.in_tag(c);
                    &rest[c.len_utf8()..]
                }
            };
        }
    }

    /// The escape for a value that stands here.
    pub(super) fn escape(&mut self) -> Result<Escape, Misplaced> {
        if let Place::BeforeValue(name) = &self.place {
            self.place = Place::Value { quote: None, attribute: Attribute::of(name) };
        }
        match &mut self.place {
            Place::Text => Ok(Escape::Html),
            Place::Comment => Ok(Escape::Nothing),
            Place::Raw => match self.element.as_str() {
                "script" => Err(Misplaced::Value),
                "style" => Ok(Escape::Css),
                _ => Ok(Escape::Html),
            },
            Place::Value { quote, attribute } => match attribute {
                Attribute::Plain if quote.is_some() => Ok(Escape::Html),
                Attribute::Plain => Ok(Escape::Bare),
                Attribute::Url(part @ UrlPart::Nothing) => {
                    *part = UrlPart::BeforeQuery;
                    Ok(Escape::UrlStart)
                }
                Attribute::Url(UrlPart::BeforeQuery) => Ok(Escape::Url),
                Attribute::Url(UrlPart::Query) => Ok(Escape::UrlQuery),
                Attribute::Style => Ok(Escape::Css),
                Attribute::Event => Err(Misplaced::Value),
            },
            _ => Err(Misplaced::Value),
        }
    }

    /// Where two branches go on together.
    pub(super) fn join(self, other: &Self) -> Result<Self, Misplaced> {
        use Attribute::Url;
        use UrlPart::{BeforeQuery, Nothing};
        if self == *other {
            return Ok(self);
        }
        if self.element != other.element {
            return Err(Misplaced::Branches);
        }
        let place = match (&self.place, &other.place) {
            (
                Place::Value { quote, attribute: Url(Nothing | BeforeQuery) },
                Place::Value { quote: same, attribute: Url(Nothing | BeforeQuery) },
            ) if quote == same => Place::Value { quote: *quote, attribute: Url(Nothing) },
            (one, two) if one.is_between_attributes() && two.is_between_attributes() => Place::Tag,
            _ => return Err(Misplaced::Branches),
        };
        Ok(Self { place, element: self.element })
    }

    fn in_text<'t>(&mut self, rest: &'t str) -> &'t str {
        let Some(start) = rest.find('<') else { return "" };
        let rest = &rest[start..];
        if rest.starts_with("<!--[if") || (rest.starts_with("<!") && !rest.starts_with("<!--")) {
            // Mail programs read what stands in a conditional comment, so it is no comment here.
            return self.until(rest, ">", Place::Text);
        }
        if let Some(rest) = rest.strip_prefix("<!--") {
            self.place = Place::Comment;
            return rest;
        }
        let after = &rest[1..];
        let name = after.strip_prefix('/').unwrap_or(after);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.place = Place::TagName;
            self.element.clear();
            if after.starts_with('/') {
                // A closing tag opens nothing: its name is not collected.
                self.place = Place::Tag;
            }
            return name;
        }
        after
    }

    fn in_raw<'t>(&mut self, rest: &'t str) -> &'t str {
        let closing = format!("</{}", self.element);
        let found = rest.to_ascii_lowercase().find(&closing);
        match found {
            Some(start) => {
                self.element.clear();
                self.place = Place::Tag;
                &rest[start + closing.len()..]
            }
            None => "",
        }
    }

    fn until<'t>(&mut self, rest: &'t str, end: &str, then: Place) -> &'t str {
        match rest.split_once(end) {
            Some((_, rest)) => {
                self.place = then;
                rest
            }
            None => "",
        }
    }

    fn in_tag(&mut self, c: char) {
        let space = c.is_ascii_whitespace();
        if c == '>' && !matches!(self.place, Place::Value { quote: Some(_), .. }) {
            let raw = matches!(self.element.as_str(), "script" | "style" | "title" | "textarea");
            if raw {
                self.place = Place::Raw;
            } else {
                self.place = Place::Text;
                self.element.clear();
            }
            return;
        }
        match &mut self.place {
            Place::TagName if space || c == '/' => self.place = Place::Tag,
            Place::TagName => self.element.push(c.to_ascii_lowercase()),
            Place::AfterName(_) | Place::BeforeValue(_) if space => {}
            Place::Tag if space || c == '/' => {}
            Place::AttributeName(name) | Place::AfterName(name) if c == '=' => {
                self.place = Place::BeforeValue(std::mem::take(name));
            }
            Place::AttributeName(name) if space => self.place = Place::AfterName(std::mem::take(name)),
            Place::AttributeName(_) if c == '/' => self.place = Place::Tag,
            Place::AttributeName(name) => name.push(c.to_ascii_lowercase()),
            Place::Tag | Place::AfterName(_) => {
                self.place = Place::AttributeName(c.to_ascii_lowercase().to_string());
            }
            Place::BeforeValue(name) => {
                let mut attribute = Attribute::of(name);
                let quote = matches!(c, '"' | '\'').then_some(c);
                if quote.is_none() {
                    attribute.advance(c);
                }
                self.place = Place::Value { quote, attribute };
            }
            Place::Value { quote, attribute } => match quote {
                Some(quote) if *quote == c => self.place = Place::Tag,
                None if space => self.place = Place::Tag,
                _ => attribute.advance(c),
            },
            Place::Text | Place::Comment | Place::Raw => {}
        }
    }
}

impl Place {
    fn is_between_attributes(&self) -> bool {
        matches!(self, Self::Tag | Self::AttributeName(_) | Self::AfterName(_))
    }
}

impl Attribute {
    fn of(name: &str) -> Self {
        let local = name.rsplit(':').next().unwrap_or(name);
        match local {
            "href" | "src" | "action" | "formaction" | "background" | "cite" | "poster" | "data"
            | "longdesc" | "manifest" | "ping" | "srcset" | "usemap" => Self::Url(UrlPart::Nothing),
            "style" => Self::Style,
            _ if local.starts_with("on") => Self::Event,
            _ => Self::Plain,
        }
    }

    fn advance(&mut self, c: char) {
        if let Self::Url(part) = self {
            match c {
                '?' | '#' => *part = UrlPart::Query,
                c if *part == UrlPart::Nothing && !c.is_ascii_whitespace() => *part = UrlPart::BeforeQuery,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_the_end_of(page: &str) -> Result<Escape, Misplaced> {
        let mut scanner = Scanner::new();
        scanner.feed(page);
        scanner.escape()
    }

    #[test]
    fn the_place_of_a_value_decides_its_escape() {
        for (page, escape) in [
            ("", Escape::Html),
            ("<p>1 < 2 and ", Escape::Html),
            ("<a href=\"x?y\">", Escape::Html),
            ("<img alt='", Escape::Html),
            ("<img alt=", Escape::Bare),
            ("<a class=b href=\"", Escape::UrlStart),
            ("<A HREF = '", Escape::UrlStart),
            ("<a href=", Escape::UrlStart),
            ("<a href=\"https://a/", Escape::Url),
            ("<a href=\"https://a/?b=", Escape::UrlQuery),
            ("<a href=\"https://a/#", Escape::UrlQuery),
            ("<p style=\"color:", Escape::Css),
            ("<style>p{color:", Escape::Css),
            ("<style>p{}</style><p>", Escape::Html),
            ("<title>", Escape::Html),
            ("<!-- <p>", Escape::Nothing),
            ("<!-- <p> --><p>", Escape::Html),
            ("<!--[if mso]><a href=\"", Escape::UrlStart),
            ("<!--[if mso]><p><![endif]--><p>", Escape::Html),
            ("<!DOCTYPE html><body>", Escape::Html),
        ] {
            assert_eq!(at_the_end_of(page), Ok(escape), "{page}");
        }
        for page in ["<", "<a ", "<a hr", "</", "<script>x=", "<script type=a>if (a<b) {", "<a onclick=\""] {
            assert_eq!(at_the_end_of(page), Err(Misplaced::Value), "{page}");
        }
    }

    #[test]
    fn branches_meet_or_are_refused() {
        let after = |page: &str| {
            let mut scanner = Scanner::new();
            scanner.feed(page);
            scanner
        };
        assert!(after("<p>a").join(&after("<b>")).is_ok_and(|mut s| s.escape() == Ok(Escape::Html)));
        assert!(after("<a ").join(&after("<a selected")).is_ok());
        let mut start = after("<a href='").join(&after("<a href='/x")).unwrap();
        assert_eq!(start.escape(), Ok(Escape::UrlStart));
        assert_eq!(after("<a href='").join(&after("<a href='x'>")), Err(Misplaced::Branches));
        assert_eq!(after("<a href='x?").join(&after("<a href='x")), Err(Misplaced::Branches));
    }
}
