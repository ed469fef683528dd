//! Links in mails, as clients of Better Auth know them, and places that browsers are sent on to.

use evident_commands::messages::LinkForm;
use percent_encoding::utf8_percent_encode;
use url::Url;

use super::app::App;
use super::cookies::COMPONENT;

/// `…/verify-email?token=…&callbackURL=…`
pub fn verification(app: &App, callback: Option<&str>) -> LinkForm {
    LinkForm {
        before: format!("{}/verify-email?token=", app.base_url()),
        after: format!("&callbackURL={}", component(callback.filter(|url| !url.is_empty()).unwrap_or("/"))),
        lifetime: app.options().verification.expires_in,
    }
}

/// `…/reset-password/…?callbackURL=…`
pub fn reset(app: &App, redirect_to: Option<&str>) -> LinkForm {
    LinkForm {
        before: format!("{}/reset-password/", app.base_url()),
        after: format!("?callbackURL={}", component(redirect_to.unwrap_or_default())),
        lifetime: app.options().email_password.reset_expires_in,
    }
}

/// `…/delete-user/callback?token=…&callbackURL=…`
pub fn deletion(app: &App, callback: Option<&str>) -> LinkForm {
    LinkForm {
        before: format!("{}/delete-user/callback?token=", app.base_url()),
        after: format!("&callbackURL={}", component(callback.filter(|url| !url.is_empty()).unwrap_or("/"))),
        lifetime: app.options().account.delete_token_expires_in,
    }
}

/// A text as a part of a query.
pub fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// A place, with a parameter more in its query; a path stays a path.
pub fn with_param(place: &str, name: &str, value: &str) -> String {
    let (place, fragment) = place.split_once('#').map_or((place, None), |(place, rest)| (place, Some(rest)));
    let joint = if place.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{place}{joint}{name}={}{fragment}", component(value))
}

/// A place with a parameter more, whole: a path is below the server's own origin.
pub fn absolute(app: &App, place: &str, (name, value): (&str, &str)) -> String {
    let whole = match Url::parse(app.base_url()) {
        Ok(base) if place.starts_with('/') => format!("{}{place}", base.origin().ascii_serialization()),
        _ => place.to_owned(),
    };
    with_param(&whole, name, value)
}

/// The page that tells of an error when the client named none.
pub fn error_page(app: &App, code: &str) -> String {
    let own = || format!("{}/error", app.base_url());
    with_param(&app.options().place.error_url.clone().unwrap_or_else(own), "error", code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_joins_the_query_and_stands_before_the_fragment() {
        assert_eq!(with_param("/a", "error", "X"), "/a?error=X");
        assert_eq!(with_param("/a?b=c", "error", "x y"), "/a?b=c&error=x%20y");
        assert_eq!(with_param("https://x.example/a#top", "token", "t"), "https://x.example/a?token=t#top");
    }
}
