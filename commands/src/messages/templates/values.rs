//! What templates see: the values, and filters that print and escape them as Go does.

use std::collections::BTreeMap;

use evident_domain::Metadata;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::ValueKind};

use crate::messages::{
    MailFields, go,
    html::{self, Escape},
};

/// An environment in which templates behave as Go's do: what is missing is empty, and HTML is escaped.
pub(super) fn environment() -> Environment<'static> {
    let mut parts = Environment::new();
    parts.set_undefined_behavior(UndefinedBehavior::Chainable);
    parts.set_keep_trailing_newline(true);
    parts.set_auto_escape_callback(|part| if part == "html" { AutoEscape::Html } else { AutoEscape::None });
    parts.set_formatter(|out, state, value| {
        let text = plain(value);
        if state.auto_escape() == AutoEscape::Html && !value.is_safe() {
            out.write_str(&html::escape_html(&text))?;
        } else {
            out.write_str(&text)?;
        }
        Ok(())
    });
    for escape in Escape::FILTERED {
        if let Some(name) = escape.filter() {
            parts.add_filter(name, move |value: &Value| Value::from_safe_string(escape.apply(&plain(value))));
        }
    }
    parts.add_filter("go_percent_encode", |value: &Value| html::percent_encode(&plain(value)));
    parts.add_filter("go_len", |value: &Value| value.len().unwrap_or_default());
    parts.add_filter("go_each", each);
    parts
}

/// A value as Go prints it: nothing for what is missing, `true` and `false` in lower case.
fn plain(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Bool => value.is_true().to_string(),
        _ => value.to_string(),
    }
}

/// What Go's `range` visits: the items of a list, the values of an object by key.
fn each(value: &Value) -> Vec<Value> {
    let Ok(items) = value.try_iter() else { return Vec::new() };
    match value.kind() {
        ValueKind::Map => items.filter_map(|key| value.get_item(&key).ok()).collect(),
        ValueKind::Seq | ValueKind::Iterable => items.collect(),
        _ => Vec::new(),
    }
}

/// The values under their GoTrue names; Go's templates find them below the dot as well.
pub(super) fn values(fields: &MailFields) -> Value {
    let texts = [
        ("SiteURL", &fields.site_url),
        ("ConfirmationURL", &fields.confirmation_url),
        ("Email", &fields.email),
        ("Token", &fields.token),
        ("TokenHash", &fields.token_hash),
        ("RedirectTo", &fields.redirect_to),
        ("NewEmail", &fields.new_email),
        ("SendingTo", &fields.sending_to),
        ("OldEmail", &fields.old_email),
        ("Phone", &fields.phone),
        ("OldPhone", &fields.old_phone),
        ("Provider", &fields.provider),
        ("FactorType", &fields.factor_type),
        ("Organization", &fields.organization),
        ("Inviter", &fields.inviter),
        ("Role", &fields.role),
    ];
    let mut values: BTreeMap<String, Value> =
        texts.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect();
    values.insert("Data".to_owned(), Value::from_serialize(&fields.data));
    with_dot(values)
}

pub(super) fn sms_values(code: &str) -> Value {
    with_dot(BTreeMap::from([("Code".to_owned(), Value::from(code))]))
}

fn with_dot(mut values: BTreeMap<String, Value>) -> Value {
    let dot = Value::from(values.clone());
    values.insert(go::ROOT.to_owned(), dot);
    Value::from(values)
}

/// Something to try a template out with.
pub(super) fn sample() -> MailFields {
    let text = |text: &str| text.to_owned();
    MailFields {
        site_url: text("https://app.example.com"),
        confirmation_url: text("https://auth.example.com/verify?token=0&type=signup"),
        email: text("ann@example.com"),
        token: text("123456"),
        token_hash: text("0"),
        redirect_to: text("https://app.example.com"),
        data: Metadata::default().with("full_name", "Ann"),
        new_email: text("ann@example.org"),
        sending_to: text("ann@example.org"),
        old_email: text("ann@example.net"),
        phone: text("15550001111"),
        old_phone: text("15550002222"),
        provider: text("github"),
        factor_type: text("totp"),
        organization: text("Acme"),
        inviter: text("Ann"),
        role: text("member"),
    }
}
