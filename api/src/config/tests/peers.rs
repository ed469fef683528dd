//! Environments that run Supabase Auth run Evident.

use std::time::Duration;

use evident_commands::settings::MessageRate;
use evident_commands::tokens::{KeyKind, generate_jwk};

use super::{Configuration, line, load};
use crate::ports::SystemEntropy;

/// The lines of an environment file.
fn pairs(lines: &str) -> Vec<(&str, &str)> {
    lines.lines().filter_map(|line| line.trim().split_once('=')).collect()
}

/// A warning about a name that nobody knows.
fn unknown(configuration: &Configuration) -> Vec<&String> {
    configuration.warnings.iter().filter(|warning| warning.contains("there is no such setting")).collect()
}

const DOCKER: &str = "
    GOTRUE_JWT_SECRET=37c304f8-51aa-419a-a1af-06154e63707a
    GOTRUE_JWT_EXP=3600
    GOTRUE_DB_DRIVER=postgres
    DB_NAMESPACE=auth
    GOTRUE_API_HOST=0.0.0.0
    PORT=9999
    DATABASE_URL=postgres://postgres:postgres@db:5432/postgres?sslmode=disable
    API_EXTERNAL_URL=http://localhost:9999
    GOTRUE_SITE_URL=http://localhost:9999
    GOTRUE_URI_ALLOW_LIST=https://supabase.io/docs
    GOTRUE_DISABLE_SIGNUP=false
    GOTRUE_MAILER_AUTOCONFIRM=false
    GOTRUE_EXTERNAL_PHONE_ENABLED=true
    GOTRUE_SMS_PROVIDER=twilio
    GOTRUE_SMS_TWILIO_ACCOUNT_SID=
    GOTRUE_SMS_TWILIO_AUTH_TOKEN=
    GOTRUE_EXTERNAL_GOOGLE_ENABLED=true
    GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID=
    GOTRUE_EXTERNAL_GOOGLE_SECRET=
    GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED=true
    GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED=true
    GOTRUE_SMTP_HOST=mail
    GOTRUE_SMTP_PORT=2500
    GOTRUE_SMTP_USER=GOTRUE_SMTP_USER
    GOTRUE_SMTP_PASS=GOTRUE_SMTP_PASS
    GOTRUE_SMTP_ADMIN_EMAIL=admin@email.com
    GOTRUE_MAILER_SUBJECTS_CONFIRMATION=Please confirm
    GOTRUE_COOKIE_KEY=cookies
    GOTRUE_OPERATOR_TOKEN=super-secret-operator-token
    GOTRUE_LOG_LEVEL=debug
    LOG_LEVEL=debug
";

#[test]
fn the_docker_set_up_of_the_official_client_loads() {
    let configuration = load(&pairs(DOCKER)).unwrap();
    assert!(unknown(&configuration).is_empty(), "{:?}", configuration.warnings);
    let text = configuration.warnings.join("\n");
    for name in ["GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID", "GOTRUE_EXTERNAL_GOOGLE_SECRET", "GOTRUE_SMS_TWILIO_*"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    let settings = configuration.settings;
    assert_eq!(settings.database.schema, "evident", "the peer's own tables stand in its schema");
    assert_eq!(settings.commands.mail.smtp.connection().unwrap().port, 2500);
    assert_eq!(settings.commands.tokens.default_aud, "authenticated");
    assert_eq!(settings.commands.mail.texts.confirmation.subject.as_deref(), Some("Please confirm"));
    assert_eq!(settings.log.level, "debug");
}

#[test]
fn so_do_its_further_servers() {
    let signer = generate_jwk(KeyKind::Hs256, &SystemEntropy);
    let verifier = generate_jwk(KeyKind::Es256, &SystemEntropy);
    let verifier = verifier.replace(r#""sign","#, "");
    let keys = format!("[{},{verifier}]", *signer);
    let mut autoconfirm = pairs(DOCKER);
    autoconfirm.extend([
        ("GOTRUE_JWT_KEYS", keys.as_str()),
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
        ("GOTRUE_SMS_AUTOCONFIRM", "true"),
        ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
    ]);
    let settings = load(&autoconfirm).unwrap().settings;
    assert!(settings.commands.sign_up.mail_autoconfirm && settings.commands.sign_up.sms_autoconfirm);
    assert!(settings.signing.keys.is_some());

    let mut closed = pairs(DOCKER);
    closed.extend([
        ("GOTRUE_DISABLE_SIGNUP", "true"),
        ("GOTRUE_EXTERNAL_EMAIL_ENABLED", "false"),
        ("GOTRUE_EXTERNAL_PHONE_ENABLED", "false"),
    ]);
    let sign_up = load(&closed).unwrap().settings.commands.sign_up;
    assert!(sign_up.disabled && !sign_up.email_enabled && !sign_up.phone_enabled);
}

const COMMON: &str = "
    API_EXTERNAL_URL=http://localhost:9999
    GOTRUE_SITE_URL=http://localhost:3000
    GOTRUE_JWT_SECRET=super-secret-jwt-token-with-at-least-32-characters-long
    GOTRUE_JWT_EXP=3600
    GOTRUE_JWT_AUD=authenticated
    GOTRUE_JWT_DEFAULT_GROUP_NAME=authenticated
    GOTRUE_SMTP_ADMIN_EMAIL=admin@example.com
    GOTRUE_SMTP_SENDER_NAME=Example
    GOTRUE_SMTP_MAX_FREQUENCY=3s
    GOTRUE_MAILER_OTP_EXP=3600
    GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL=10
    GOTRUE_RATE_LIMIT_EMAIL_SENT=1000
    GOTRUE_RATE_LIMIT_SMS_SENT=1000
    GOTRUE_MAILER_TEMPLATES_INVITE=http://localhost:7350/mail/code-and-link.html
    GOTRUE_MAILER_TEMPLATES_CONFIRMATION=http://localhost:7350/mail/code-and-link.html
    GOTRUE_MAILER_TEMPLATES_RECOVERY=http://localhost:7350/mail/code-and-link.html
    GOTRUE_MAILER_TEMPLATES_EMAIL_CHANGE=http://localhost:7350/mail/code-and-link.html
    GOTRUE_MAILER_TEMPLATES_MAGIC_LINK=http://localhost:7350/mail/code-and-link.html
";

const MAIN: &str = "
    GOTRUE_JWT_ISSUER=http://localhost:9999
    GOTRUE_URI_ALLOW_LIST=http://localhost:3000/**,https://app.example.com/*
    GOTRUE_MAILER_AUTOCONFIRM=false
    GOTRUE_EXTERNAL_PHONE_ENABLED=true
    GOTRUE_SMS_MAX_FREQUENCY=3s
    GOTRUE_SMS_OTP_EXP=600
    GOTRUE_SMS_TEST_OTP=15005550009:123456
    GOTRUE_HOOK_SEND_SMS_ENABLED=true
    GOTRUE_HOOK_SEND_SMS_URI=http://localhost:7350/hooks/send-sms
    GOTRUE_HOOK_SEND_SMS_SECRETS=v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED=true
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED=true
    GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION=true
    GOTRUE_MFA_PHONE_ENROLL_ENABLED=true
    GOTRUE_MFA_PHONE_VERIFY_ENABLED=true
    GOTRUE_MFA_PHONE_MAX_FREQUENCY=3s
    GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED=true
    GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED=true
    GOTRUE_PASSKEY_ENABLED=true
    GOTRUE_WEBAUTHN_RP_ID=localhost
    GOTRUE_WEBAUTHN_RP_DISPLAY_NAME=Example
    GOTRUE_WEBAUTHN_RP_ORIGINS=http://localhost:3000
    GOTRUE_EXTERNAL_GITLAB_ENABLED=true
    GOTRUE_EXTERNAL_GITLAB_CLIENT_ID=gitlab-client
    GOTRUE_EXTERNAL_GITLAB_SECRET=gitlab-secret
    GOTRUE_EXTERNAL_KEYCLOAK_ENABLED=true
    GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID=keycloak-client
    GOTRUE_EXTERNAL_KEYCLOAK_SECRET=keycloak-secret
    GOTRUE_EXTERNAL_KEYCLOAK_REDIRECT_URI=http://localhost:9999/callback
    GOTRUE_EXTERNAL_KEYCLOAK_URL=http://localhost:7350/realms/demo
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED=true
    GOTRUE_SAML_ENABLED=true
    GOTRUE_OAUTH_SERVER_ENABLED=true
    GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION=true
    GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH=/oauth/consent
    GOTRUE_EXPERIMENTAL_SCIM_ENABLED=true
    GOTRUE_RATE_LIMIT_HEADER=X-Forwarded-For
    GOTRUE_RATE_LIMIT_VERIFY=30
";

const AUTO: &str = "
    GOTRUE_MAILER_AUTOCONFIRM=true
    GOTRUE_SMS_AUTOCONFIRM=true
    GOTRUE_EXTERNAL_PHONE_ENABLED=true
    GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=2
    GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL=0
    GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD=true
    GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED=true
    GOTRUE_CUSTOM_OAUTH_ENABLED=false
    GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED=true
    GOTRUE_HOOK_BEFORE_USER_CREATED_URI=http://localhost:7350/hooks/before-user-created
    GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED=true
    GOTRUE_HOOK_SEND_EMAIL_ENABLED=true
    GOTRUE_HOOK_PASSWORD_VERIFICATION_ATTEMPT_ENABLED=true
";

const CLOSED: &str = "
    GOTRUE_DISABLE_SIGNUP=true
    GOTRUE_EXTERNAL_EMAIL_ENABLED=false
    GOTRUE_EXTERNAL_PHONE_ENABLED=false
    GOTRUE_MFA_TOTP_ENROLL_ENABLED=false
    GOTRUE_PASSWORD_REQUIRED_CHARACTERS=abcdefghijklmnopqrstuvwxyz:0123456789
    GOTRUE_PASSWORD_MIN_LENGTH=10
    GOTRUE_SECURITY_CAPTCHA_ENABLED=true
    GOTRUE_SECURITY_CAPTCHA_PROVIDER=hcaptcha
    GOTRUE_SECURITY_CAPTCHA_SECRET=0x0000000000000000000000000000000000000000
    GOTRUE_RATE_LIMIT_EMAIL_SENT=1
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED=false
";

#[test]
fn the_servers_of_the_recorded_exchanges_load() {
    let signer = generate_jwk(KeyKind::Es256, &SystemEntropy);
    let keys = format!("[{}]", *signer);
    let mut main = pairs(COMMON);
    main.extend(pairs(MAIN));
    main.push(("GOTRUE_JWT_KEYS", &keys));
    let configuration = load(&main).unwrap();
    assert!(unknown(&configuration).is_empty(), "{:?}", configuration.warnings);
    let settings = configuration.settings;
    assert_eq!(settings.commands.tokens.issuer.as_deref(), Some("http://localhost:9999"));
    assert_eq!(settings.commands.mail.max_frequency, Duration::from_secs(3));
    assert_eq!(settings.commands.sms.otp_exp_seconds, 600);
    assert_eq!(settings.commands.rate_limits.email_sent, MessageRate::PerHour(1000));
    assert_eq!(settings.commands.rate_limits.header.as_deref(), Some("x-forwarded-for"));
    assert!(settings.commands.security.update_password_require_reauthentication);

    let mut auto = pairs(COMMON);
    auto.extend(pairs(AUTO));
    let configuration = load(&auto).unwrap();
    assert!(unknown(&configuration).is_empty(), "{:?}", configuration.warnings);
    let sessions = &configuration.settings.commands.sessions;
    assert_eq!(sessions.reuse_interval_seconds, 0, "a written zero is kept");

    let mut closed = pairs(COMMON);
    closed.extend(pairs(CLOSED));
    let configuration = load(&closed).unwrap();
    assert!(unknown(&configuration).is_empty(), "{:?}", configuration.warnings);
    let password = &configuration.settings.commands.password;
    assert_eq!(password.min_length, 10);
    assert_eq!(password.required_characters, ["abcdefghijklmnopqrstuvwxyz", "0123456789"]);
}

#[test]
fn a_guard_that_does_nothing_here_yet_is_told_apart() {
    let environment =
        format!("{CLOSED}\nGOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL=https://check.example.com");
    let configuration = load(&pairs(&environment)).unwrap();
    let guards = configuration.warnings.iter().find(|warning| warning.contains("protect accounts")).unwrap();
    assert!(guards.contains("GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL"), "{guards}");
    assert!(!guards.contains("GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED"), "{guards}");
}

#[test]
fn a_misspelt_variable_is_a_warning_with_a_near_one() {
    let warnings =
        load(&[("GOTRUE_MAILER_AUTOCONFRIM", "1"), ("EVIDENT_SERVER_PROT", "1")]).unwrap().warnings;
    let text = warnings.join("\n");
    assert!(text.contains("did you mean GOTRUE_MAILER_AUTOCONFIRM?"), "{text}");
    assert!(text.contains("did you mean EVIDENT_SERVER_PORT?"), "{text}");
}

#[test]
fn nobody_is_confirmed_at_once_and_let_in_unverified() {
    let line = line(&[
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
        ("GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS", "true"),
    ]);
    assert_eq!(
        line,
        "GOTRUE_MAILER_AUTOCONFIRM and GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS cannot both be on; \
         switch one off"
    );
}
