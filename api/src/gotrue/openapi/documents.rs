//! The documents that several operations share, in the protocol's order of fields.

use crate::http::openapi::table::Field;
use crate::http::openapi::table::Shape;
use crate::http::openapi::table::Shape::{
    Anything, Bool, Either, Fields, Integer, List, Named, Nullable, Object, Text, Time, Uuid, Word,
};

/// Name and shape of each.
pub(super) const DOCUMENTS: &[(&str, Shape)] = &[
    ("User", Fields(USER)),
    ("Identity", Fields(IDENTITY)),
    ("Factor", Fields(FACTOR)),
    ("Session", Fields(SESSION)),
    ("UserList", Fields(&[("users", List(&Named("User"))), ("aud", Text), ("pagination?", Object)])),
    ("GeneratedLink", Fields(GENERATED_LINK)),
    ("Halfway", Fields(&[("code", Text), ("msg", Text)])),
    ("Sent", Fields(&[("message_id?", Text)])),
    ("Empty", Fields(&[])),
    ("Url", Fields(&[("url", Text)])),
    ("Captcha", Fields(&[("captcha_token?", Text)])),
    ("Enrolled", Fields(ENROLLED)),
    ("Challenge", Fields(&[("id", Uuid), ("type", Text), ("expires_at", Integer), ("webauthn?", Object)])),
    ("Passkey", Fields(PASSKEY)),
    ("PasskeyCeremony", Fields(&[("challenge_id", Uuid), ("options", Object), ("expires_at", Integer)])),
    ("SsoProvider", Fields(SSO_PROVIDER)),
    ("CustomProvider", Fields(CUSTOM_PROVIDER)),
    ("OAuthClient", Fields(OAUTH_CLIENT)),
    ("Application", Fields(APPLICATION)),
    ("Grant", Fields(&[("client", Named("Application")), ("scopes", List(&Text)), ("granted_at", Time)])),
    ("Authorization", Fields(AUTHORIZATION)),
    ("Redirection", Fields(&[("redirect_url", Text)])),
    ("OAuthTokens", Fields(OAUTH_TOKENS)),
    ("UserInfo", Fields(USER_INFO)),
    ("AuditEntry", Fields(&[("id", Uuid), ("payload", Object), ("created_at", Time), ("ip_address", Text)])),
    ("Health", Fields(&[("version", Text), ("name", Text), ("description", Text)])),
    ("Settings", Fields(SETTINGS)),
    ("Keys", Fields(&[("keys", List(&Object))])),
    ("Discovery", Fields(DISCOVERY)),
    ("ScimList", Fields(SCIM_LIST)),
    ("OlderError", Fields(OLDER_ERROR)),
    ("NewerError", Fields(NEWER_ERROR)),
    ("OAuthError", Fields(&[("error", Text), ("error_description?", Text)])),
    ("ScimError", Fields(&[("schemas", List(&Text)), ("status", Text), ("detail?", Text)])),
    // By header: without `X-Supabase-Api-Version` from 2024-01-01 on, the older. OAuth's own is for what
    // OAuth describes.
    ("Error", Either(&[Named("OlderError"), Named("NewerError"), Named("OAuthError"), Named("ScimError")])),
];

const USER: &[Field] = &[
    ("id", Uuid),
    ("aud", Text),
    ("role", Text),
    ("email", Text),
    ("email_confirmed_at?", Time),
    ("invited_at?", Time),
    ("phone", Text),
    ("phone_confirmed_at?", Time),
    ("confirmation_sent_at?", Time),
    ("confirmed_at?", Time),
    ("recovery_sent_at?", Time),
    ("new_email?", Text),
    ("email_change_sent_at?", Time),
    ("new_phone?", Text),
    ("phone_change_sent_at?", Time),
    ("reauthentication_sent_at?", Time),
    ("last_sign_in_at?", Time),
    ("app_metadata", Object),
    ("user_metadata", Object),
    ("factors?", List(&Named("Factor"))),
    ("identities", List(&Named("Identity"))),
    ("created_at", Time),
    ("updated_at", Time),
    ("banned_until?", Time),
    ("deleted_at?", Time),
    ("is_anonymous", Bool),
];

const IDENTITY: &[Field] = &[
    ("identity_id", Uuid),
    ("id", Text),
    ("user_id", Uuid),
    ("identity_data?", Object),
    ("provider", Text),
    ("last_sign_in_at?", Time),
    ("created_at", Time),
    ("updated_at", Time),
    ("email?", Text),
];

const FACTOR: &[Field] = &[
    ("id", Uuid),
    ("created_at", Time),
    ("updated_at", Time),
    ("status", Word(&["verified", "unverified"])),
    ("friendly_name?", Text),
    ("factor_type", Word(&["totp", "phone", "webauthn"])),
    ("phone", Text),
    ("last_challenged_at", Nullable(&Time)),
    ("web_authn_aaguid?", Text),
];

const SESSION: &[Field] = &[
    ("access_token", Text),
    ("token_type", Text),
    ("expires_in", Integer),
    ("expires_at", Integer),
    ("refresh_token", Text),
    ("user", Named("User")),
    ("provider_token?", Text),
    ("provider_refresh_token?", Text),
    ("weak_password?", Fields(&[("message", Text), ("reasons", List(&Text))])),
];

const GENERATED_LINK: &[Field] = &[
    ("id", Uuid),
    ("aud", Text),
    ("role", Text),
    ("email", Text),
    ("phone", Text),
    ("app_metadata", Object),
    ("user_metadata", Object),
    ("identities", List(&Named("Identity"))),
    ("created_at", Time),
    ("updated_at", Time),
    ("is_anonymous", Bool),
    ("action_link", Text),
    ("email_otp", Text),
    ("hashed_token", Text),
    ("verification_type", Text),
    ("redirect_to", Text),
];

const ENROLLED: &[Field] = &[
    ("id", Uuid),
    ("type", Word(&["totp", "phone", "webauthn"])),
    ("friendly_name", Text),
    ("totp?", Fields(&[("qr_code", Text), ("secret", Text), ("uri", Text)])),
    ("phone?", Text),
];

const PASSKEY: &[Field] =
    &[("id", Uuid), ("friendly_name?", Text), ("created_at", Time), ("last_used_at?", Time)];

const SSO_PROVIDER: &[Field] = &[
    ("id", Uuid),
    ("resource_id?", Text),
    ("disabled", Nullable(&Bool)),
    ("saml", Object),
    ("domains", List(&Object)),
    ("created_at", Time),
    ("updated_at", Time),
];

const CUSTOM_PROVIDER: &[Field] = &[
    ("id", Uuid),
    ("provider_type", Word(&["oauth2", "oidc"])),
    ("identifier", Text),
    ("name", Text),
    ("client_id", Text),
    ("acceptable_client_ids", List(&Text)),
    ("scopes", List(&Text)),
    ("pkce_enabled", Bool),
    ("attribute_mapping", Object),
    ("custom_claims_allowlist", List(&Text)),
    ("authorization_params", Object),
    ("enabled", Bool),
    ("email_optional", Bool),
    ("issuer?", Text),
    ("discovery_url?", Text),
    ("skip_nonce_check", Bool),
    ("discovery_document?", Object),
    ("authorization_url?", Text),
    ("token_url?", Text),
    ("userinfo_url?", Text),
    ("jwks_uri?", Text),
    ("created_at", Time),
    ("updated_at", Time),
];

const OAUTH_CLIENT: &[Field] = &[
    ("client_id", Uuid),
    ("client_secret?", Text),
    ("client_type", Word(&["public", "confidential"])),
    ("redirect_uris", List(&Text)),
    ("token_endpoint_auth_method", Text),
    ("grant_types", List(&Text)),
    ("response_types", List(&Text)),
    ("client_name?", Text),
    ("client_uri?", Text),
    ("logo_uri?", Text),
    ("registration_type", Text),
    ("created_at", Time),
    ("updated_at", Time),
];

const APPLICATION: &[Field] = &[("id", Uuid), ("name?", Text), ("uri?", Text), ("logo_uri?", Text)];

const AUTHORIZATION: &[Field] = &[
    ("authorization_id", Text),
    ("redirect_uri", Text),
    ("client", Named("Application")),
    ("user", Fields(&[("id", Uuid), ("email", Text)])),
    ("scope", Text),
];

const OAUTH_TOKENS: &[Field] = &[
    ("access_token", Text),
    ("token_type", Text),
    ("expires_in", Integer),
    ("refresh_token", Text),
    ("id_token?", Text),
];

const USER_INFO: &[Field] = &[
    ("sub", Uuid),
    ("email?", Text),
    ("email_verified?", Bool),
    ("name?", Text),
    ("picture?", Text),
    ("preferred_username?", Text),
    ("updated_at?", Anything),
    ("user_metadata?", Object),
    ("phone?", Text),
    ("phone_verified?", Bool),
];

const SETTINGS: &[Field] = &[
    ("external", Object),
    ("disable_signup", Bool),
    ("mailer_autoconfirm", Bool),
    ("phone_autoconfirm", Bool),
    ("sms_provider", Text),
    ("saml_enabled", Bool),
    ("saml_private_key_next_configured", Bool),
    ("passkeys_enabled", Bool),
];

const DISCOVERY: &[Field] = &[
    ("issuer", Text),
    ("authorization_endpoint", Text),
    ("token_endpoint", Text),
    ("jwks_uri", Text),
    ("userinfo_endpoint", Text),
    ("registration_endpoint?", Text),
    ("scopes_supported", List(&Text)),
    ("response_types_supported", List(&Text)),
    ("response_modes_supported", List(&Text)),
    ("grant_types_supported", List(&Text)),
    ("subject_types_supported", List(&Text)),
    ("id_token_signing_alg_values_supported", List(&Text)),
    ("token_endpoint_auth_methods_supported", List(&Text)),
    ("claims_supported", List(&Text)),
    ("code_challenge_methods_supported", List(&Text)),
];

const SCIM_LIST: &[Field] = &[
    ("schemas", List(&Text)),
    ("totalResults", Integer),
    ("startIndex", Integer),
    ("itemsPerPage", Integer),
    ("Resources?", List(&Object)),
];

const OLDER_ERROR: &[Field] = &[
    ("code", Integer),
    ("error_code", Text),
    ("msg", Text),
    ("error_id?", Uuid),
    ("weak_password?", Fields(&[("reasons", List(&Text))])),
];

const NEWER_ERROR: &[Field] =
    &[("code", Text), ("message", Text), ("weak_password?", Fields(&[("reasons", List(&Text))]))];
