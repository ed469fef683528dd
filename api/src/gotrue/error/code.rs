//! The machine's words for what went wrong.

macro_rules! codes {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The machine's word for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it; the protocol's reference explains them")]
        pub enum ErrorCode { $($variant),* }

        impl ErrorCode {
            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

codes! {
    AnonymousProviderDisabled = "anonymous_provider_disabled",
    BadCodeVerifier = "bad_code_verifier",
    BadJson = "bad_json",
    BadJwt = "bad_jwt",
    BadOauthCallback = "bad_oauth_callback",
    BadOauthState = "bad_oauth_state",
    Conflict = "conflict",
    CurrentPasswordInvalid = "current_password_invalid",
    CurrentPasswordRequired = "current_password_required",
    CustomProviderNotFound = "custom_provider_not_found",
    EmailConflictIdentityNotDeletable = "email_conflict_identity_not_deletable",
    CaptchaFailed = "captcha_failed",
    EmailAddressInvalid = "email_address_invalid",
    EmailAddressNotAuthorized = "email_address_not_authorized",
    EmailExists = "email_exists",
    EmailNotConfirmed = "email_not_confirmed",
    EmailProviderDisabled = "email_provider_disabled",
    FeatureDisabled = "feature_disabled",
    FlowStateAlreadyUsed = "flow_state_already_used",
    FlowStateExpired = "flow_state_expired",
    FlowStateNotFound = "flow_state_not_found",
    InsufficientAal = "insufficient_aal",
    InvalidCredentials = "invalid_credentials",
    MfaChallengeExpired = "mfa_challenge_expired",
    MfaFactorNameConflict = "mfa_factor_name_conflict",
    MfaFactorNotFound = "mfa_factor_not_found",
    MfaIpAddressMismatch = "mfa_ip_address_mismatch",
    MfaPhoneEnrollNotEnabled = "mfa_phone_enroll_not_enabled",
    MfaPhoneVerifyNotEnabled = "mfa_phone_verify_not_enabled",
    MfaTotpEnrollNotEnabled = "mfa_totp_enroll_not_enabled",
    MfaTotpVerifyNotEnabled = "mfa_totp_verify_not_enabled",
    MfaVerificationFailed = "mfa_verification_failed",
    MfaVerifiedFactorExists = "mfa_verified_factor_exists",
    MfaWebauthnEnrollNotEnabled = "mfa_webauthn_enroll_not_enabled",
    MfaWebauthnVerifyNotEnabled = "mfa_webauthn_verify_not_enabled",
    IdentityAlreadyExists = "identity_already_exists",
    IdentityNotFound = "identity_not_found",
    InviteNotFound = "invite_not_found",
    ManualLinkingDisabled = "manual_linking_disabled",
    HookPayloadInvalidContentType = "hook_payload_invalid_content_type",
    HookPayloadOverSizeLimit = "hook_payload_over_size_limit",
    HookTimeout = "hook_timeout",
    HookTimeoutAfterRetry = "hook_timeout_after_retry",
    MfaVerificationRejected = "mfa_verification_rejected",
    NoAuthorization = "no_authorization",
    NotAdmin = "not_admin",
    OauthProviderNotSupported = "oauth_provider_not_supported",
    OauthAuthorizationNotFound = "oauth_authorization_not_found",
    OauthClientNotFound = "oauth_client_not_found",
    OauthConsentNotFound = "oauth_consent_not_found",
    OauthDynamicClientRegistrationDisabled = "oauth_dynamic_client_registration_disabled",
    OtpDisabled = "otp_disabled",
    OtpExpired = "otp_expired",
    OverCustomProviderQuota = "over_custom_provider_quota",
    OverEmailSendRateLimit = "over_email_send_rate_limit",
    OverRequestRateLimit = "over_request_rate_limit",
    OverSmsSendRateLimit = "over_sms_send_rate_limit",
    PasskeyDisabled = "passkey_disabled",
    PhoneExists = "phone_exists",
    PhoneNotConfirmed = "phone_not_confirmed",
    PhoneProviderDisabled = "phone_provider_disabled",
    ProviderDisabled = "provider_disabled",
    ProviderEmailNeedsVerification = "provider_email_needs_verification",
    ReauthenticationNeeded = "reauthentication_needed",
    ReauthenticationNotValid = "reauthentication_not_valid",
    RefreshTokenAlreadyUsed = "refresh_token_already_used",
    RefreshTokenNotFound = "refresh_token_not_found",
    RequestEntityTooLarge = "request_entity_too_large",
    RequestTimeout = "request_timeout",
    SamePassword = "same_password",
    SamlEntityIdMismatch = "saml_entity_id_mismatch",
    SamlIdpAlreadyExists = "saml_idp_already_exists",
    SamlMetadataFetchFailed = "saml_metadata_fetch_failed",
    SamlProviderDisabled = "saml_provider_disabled",
    SessionExpired = "session_expired",
    SessionNotFound = "session_not_found",
    SignupDisabled = "signup_disabled",
    TooManyEnrolledMfaFactors = "too_many_enrolled_mfa_factors",
    TooManyPasskeys = "too_many_passkeys",
    SingleIdentityNotDeletable = "single_identity_not_deletable",
    UnexpectedAudience = "unexpected_audience",
    SsoDomainAlreadyExists = "sso_domain_already_exists",
    SsoProviderNotFound = "sso_provider_not_found",
    UnexpectedFailure = "unexpected_failure",
    Unknown = "unknown",
    UserAlreadyExists = "user_already_exists",
    UserBanned = "user_banned",
    UserNotFound = "user_not_found",
    ValidationFailed = "validation_failed",
    WeakPassword = "weak_password",
    WebauthnChallengeExpired = "webauthn_challenge_expired",
    WebauthnChallengeNotFound = "webauthn_challenge_not_found",
    WebauthnCredentialExists = "webauthn_credential_exists",
    WebauthnVerificationFailed = "webauthn_verification_failed",
    Web3ProviderDisabled = "web3_provider_disabled",
    Web3UnsupportedChain = "web3_unsupported_chain",
}

/// OAuth's words for what went wrong (RFC 6749, section 5.2; RFC 8707, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; the standards explain them")]
pub enum OAuthCode {
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidTarget,
    UnsupportedGrantType,
}

impl OAuthCode {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}
