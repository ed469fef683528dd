//! The configuration as its owners write it.

mod peers;
mod shape;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ConfigError, ConfigFile, Configuration, MasterKeySource, Settings, Sources, markdown};

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

fn with_file(text: &str) -> Result<Configuration, ConfigError> {
    let file = ConfigFile { path: "evident.toml".to_owned(), text: text.to_owned() };
    Settings::load(&Sources { file: Some(file), ..Sources::default() })
}

#[test]
fn the_file_has_lists_tables_and_numbers() {
    let settings = with_file(
        r#"
        data_dir = "/var/lib/evident"
        [site]
        redirect_allow_list = ["https://{a,b}.example.com/**", "myapp://callback"]
        [tokens]
        lifetime_seconds = 60
        [mail]
        max_frequency = "5s"
        headers = { X-Tag = ["a", "b"] }
        [sms.test_otp]
        15005550009 = 123456
        "#,
    )
    .unwrap()
    .settings;
    let commands = &settings.commands;
    assert_eq!(commands.site.redirect_allow_list, ["https://{a,b}.example.com/**", "myapp://callback"]);
    assert_eq!(commands.tokens.access_token_lifetime_seconds, 60);
    assert_eq!(commands.mail.max_frequency, Duration::from_secs(5));
    assert_eq!(commands.mail.headers.len(), 2);
    assert_eq!(commands.sms.test_otp["15005550009"], "123456");
    assert!(matches!(&settings.master_key, MasterKeySource::DataFolder(path)
        if path.as_path() == std::path::Path::new("/var/lib/evident/master.key")));
}

#[test]
fn each_thing_that_can_be_wrong_with_the_file_is_one_line() {
    for (text, expected) in [
        (
            "[mail]\nautoconfirm = \"perhaps\"",
            "evident.toml: mail.autoconfirm: \"perhaps\" is neither true nor false; for example true",
        ),
        ("port = 1", "evident.toml: port: there is no such setting"),
        ("mail = 3", "evident.toml: mail: there is no such setting"),
        ("[mial]\n", "evident.toml: mial: there is no such setting"),
        (
            "[mail]\nautoconfirm = [[true]]",
            "evident.toml: mail.autoconfirm: the value is nested deeper than any setting; for example true",
        ),
        (
            "[server]\nport = [1, 2]",
            "evident.toml: server.port: [\"1\", \"2\"] is more than one value; for example 9999",
        ),
    ] {
        assert_eq!(with_file(text).unwrap_err().to_string(), expected);
    }
    let syntax = with_file("[mail]\nautoconfirm =\n").unwrap_err().to_string();
    assert!(syntax.starts_with("evident.toml: line 2: "), "{syntax}");
    assert!(!syntax.contains('\n'), "{syntax}");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let error = Settings::from_process(Some(std::path::Path::new("/nowhere/evident.toml")), &[]).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/evident.toml: the configuration file cannot be read"));
}

#[test]
fn a_key_of_the_command_line_that_nobody_knows_is_refused() {
    let overrides = vec![("server.prot".to_owned(), "1".to_owned())];
    let error = Settings::load(&Sources { overrides, ..Sources::default() }).unwrap_err();
    assert_eq!(error.to_string(), "server.prot: there is no such setting; did you mean server.port?");
}

#[test]
fn an_empty_value_leaves_what_a_lower_source_says() {
    let settings =
        load(&[("EVIDENT_SERVER_PORT", " "), ("GOTRUE_API_PORT", ""), ("PORT", "7")]).unwrap().settings;
    assert_eq!(settings.server.port, 7);
}

#[test]
fn what_a_higher_source_replaces_may_be_wrong() {
    let settings = load(&[
        ("EVIDENT_DATABASE_URL", "postgres://localhost/evident"),
        ("DATABASE_URL", "mysql://localhost/shop"),
    ])
    .unwrap()
    .settings;
    assert_eq!(settings.database.url.unwrap().expose(), "postgres://localhost/evident");
}

#[test]
fn the_master_key_comes_from_one_place() {
    let key = ("EVIDENT_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let file = ("EVIDENT_MASTER_KEY_FILE", "/run/secrets/key");
    assert!(matches!(load(&[key]).unwrap().settings.master_key, MasterKeySource::Given(_)));
    assert!(matches!(load(&[file]).unwrap().settings.master_key, MasterKeySource::File(_)));
    assert!(line(&[key, file]).starts_with("EVIDENT_MASTER_KEY and EVIDENT_MASTER_KEY_FILE: "));
}

#[test]
fn what_depends_on_other_settings_follows_them() {
    let settings = load(&[("PORT", "8000"), ("GOTRUE_RATE_LIMIT_ANONYMOUS_USERS", "7")]).unwrap().settings;
    assert_eq!(settings.commands.site.external_url, "http://127.0.0.1:8000");
    assert_eq!(settings.commands.rate_limits.anonymous_users.burst, 7);
    let settings = load(&[("BETTER_AUTH_URL", "https://auth.example.com")]).unwrap().settings;
    assert_eq!(settings.commands.site.site_url, "https://auth.example.com");
}

#[test]
fn a_part_that_would_refuse_a_value_later_refuses_it_at_the_start() {
    for (name, value) in [
        ("API_EXTERNAL_URL", "auth.example.com"),
        ("GOTRUE_SITE_URL", "nowhere"),
        ("GOTRUE_URI_ALLOW_LIST", "https://{a,b.example.com"),
        ("GOTRUE_SMTP_ADMIN_EMAIL", "nobody"),
        ("GOTRUE_MAILER_URLPATHS_RECOVERY", "ftp://example.com/"),
        ("EVIDENT_PASSWORD_ARGON2_PARALLELISM", "255"),
    ] {
        let line = match name {
            "EVIDENT_PASSWORD_ARGON2_PARALLELISM" => {
                line(&[(name, value), ("EVIDENT_PASSWORD_ARGON2_MEMORY_KIB", "1024")])
            }
            _ => line(&[(name, value)]),
        };
        let blamed = if name.ends_with("PARALLELISM") { "EVIDENT_PASSWORD_ARGON2_MEMORY_KIB" } else { name };
        assert!(line.starts_with(&format!("{blamed}: ")), "{line}");
        assert!(line.contains("; for example ") && !line.contains('\n'), "{line}");
    }
}

#[test]
fn fields_that_the_owner_adds_are_declared_well() {
    let set = |name, value| line(&[(name, value)]);
    for bad in [
        "[]",
        r#"{"a":{"type":"text"}}"#,
        r#"{"a b":{"type":"string"}}"#,
        r#"{"1a":{"type":"string"}}"#,
        r#"{"a":{"type":"number","defaultValue":"1"}}"#,
        r#"{"userId":{"type":"string"}}"#,
    ] {
        let line = set("EVIDENT_BETTER_AUTH_SESSION_FIELDS", bad);
        assert!(line.starts_with("EVIDENT_BETTER_AUTH_SESSION_FIELDS: "), "{line}");
    }
    let line = set("EVIDENT_BETTER_AUTH_USER_FIELDS", r#"{"full_name":{"type":"string"}}"#);
    assert!(line.contains("\"full_name\" is there already"), "{line}");
    let good = r#"{"a_1":{"type":["x","y"],"required":false}}"#;
    assert!(load(&[("EVIDENT_BETTER_AUTH_USER_FIELDS", good)]).is_ok());
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
