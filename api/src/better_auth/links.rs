//! Links in mails, as clients of Better Auth know them.

use evident_commands::messages::LinkForm;
use percent_encoding::utf8_percent_encode;

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

/// A text as a part of a query.
pub fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}
