//! The configuration as its owners write it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ConfigError, ConfigFile, Configuration, Settings, Sources, markdown};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Configuration, ConfigError> {
    Settings::load(&Sources { environment: environment(pairs), ..Sources::default() })
}

fn line(pairs: &[(&str, &str)]) -> String {
    load(pairs).unwrap_err().to_string()
}

#[test]
fn nothing_has_to_be_written() {
    let settings = load(&[]).unwrap().settings;
    assert_eq!(settings.server.port, 9999);
    assert_eq!(settings.commands.site.external_url, "http://127.0.0.1:9999");
    assert_eq!(settings.commands.site.site_url, settings.commands.site.external_url);
    assert_eq!(settings.commands.tokens.default_aud, "authenticated");
    assert_eq!(settings.commands.sessions.reuse_interval_seconds, 10);
    assert!(settings.database.url.is_none());
}

#[test]
fn later_sources_win() {
    let file = ConfigFile { path: "evident.toml".to_owned(), text: "[server]\nport = 1".to_owned() };
    let mut sources = Sources { file: Some(file), ..Sources::default() };
    let port = |sources: &Sources| Settings::load(sources).unwrap().settings.server.port;
    assert_eq!(port(&sources), 1);
    sources.environment = environment(&[("PORT", "2")]);
    assert_eq!(port(&sources), 2);
    sources.environment = environment(&[("PORT", "2"), ("EVIDENT_SERVER_PORT", "3")]);
    assert_eq!(port(&sources), 3);
    sources.overrides = vec![("server.port".to_owned(), "4".to_owned())];
    assert_eq!(port(&sources), 4);
}

#[test]
fn a_bad_value_is_one_line_with_the_key_as_it_was_written_and_an_example() {
    let line = line(&[("GOTRUE_JWT_EXP", "soon")]);
    assert_eq!(line, "GOTRUE_JWT_EXP: \"soon\" is no whole number of seconds; for example 3600");
    for (name, value) in [
        ("PORT", "99999"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "perhaps"),
        ("GOTRUE_SMTP_MAX_FREQUENCY", "a minute"),
        ("EVIDENT_MASTER_KEY", "too short"),
        ("DATABASE_URL", "mysql://localhost/app"),
        ("GOTRUE_SESSIONS_TIMEBOX", "-1s"),
    ] {
        let line = self::line(&[(name, value)]);
        assert!(line.starts_with(name), "{line}");
        assert!(line.contains("for example"), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[test]
fn no_secret_stands_in_an_error_line() {
    let line = line(&[("EVIDENT_MASTER_KEY", "hunter2hunter2hunter2")]);
    assert!(!line.contains("hunter2"), "{line}");
}

#[test]
fn a_key_of_the_file_that_nobody_knows_is_refused_with_a_near_one() {
    let text = "[mail]\nautoconfrim = true".to_owned();
    let file = ConfigFile { path: "evident.toml".to_owned(), text };
    let error = Settings::load(&Sources { file: Some(file), ..Sources::default() }).unwrap_err();
    assert!(error.to_string().contains("did you mean"), "{error}");
}

#[test]
fn what_supabase_auth_starts_with_starts_here_with_warnings() {
    let Configuration { settings, warnings } = load(&[
        ("GOTRUE_JWT_SECRET", "short"),
        ("GOTRUE_DB_DRIVER", "postgres"),
        ("GOTRUE_NOBODY_KNOWS_THIS", "1"),
        ("GOTRUE_EXTERNAL_GOOGLE_ENABLED", "true"),
        ("GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID", ""),
        ("GOTRUE_COOKIE_KEY", "x"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "1"),
        ("GOTRUE_SMTP_MAX_FREQUENCY", "1m30s"),
        ("GOTRUE_JWT_EXP", "0"),
        ("GOTRUE_SMS_TEST_OTP", "15005550009:123456"),
        ("GOTRUE_URI_ALLOW_LIST", "https://supabase.io/docs,myapp://callback"),
    ])
    .unwrap();
    assert!(settings.commands.sign_up.mail_autoconfirm);
    assert_eq!(settings.commands.mail.max_frequency, Duration::from_secs(90));
    assert_eq!(settings.commands.tokens.access_token_lifetime_seconds, 3600, "zero counts as not set");
    assert_eq!(settings.commands.sms.test_otp["15005550009"], "123456");
    assert_eq!(settings.commands.site.redirect_allow_list.len(), 2);
    let text = warnings.join("\n");
    assert!(text.contains("GOTRUE_NOBODY_KNOWS_THIS"), "{text}");
    assert!(text.contains("GOTRUE_JWT_SECRET"), "{text}");
    assert!(!text.contains("short\""), "{text}");
}

#[test]
fn secrets_do_not_show_themselves() {
    let settings = load(&[
        ("GOTRUE_JWT_SECRET", "hunter2-hunter2-hunter2-hunter2-hunter2"),
        ("DATABASE_URL", "postgres://me:hunter2@localhost/app"),
        ("GOTRUE_SMTP_PASS", "hunter2"),
    ])
    .unwrap()
    .settings;
    assert!(!format!("{settings:?}").contains("hunter2"));
}

/// `UPDATE_DOCS=1` writes the page anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test is asked by its own variable")]
fn the_page_of_settings_is_printed_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(path, markdown()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), markdown(), "run with UPDATE_DOCS=1");
}
