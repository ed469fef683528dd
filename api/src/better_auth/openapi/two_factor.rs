//! Second steps of a sign-in.

use utoipa::openapi::path::HttpMethod::Post;

use crate::http::openapi::table::Answer::Json;
use crate::http::openapi::table::Auth::{MaybeUser, User};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Fields, List, Named, Text, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/two-factor/enable", "twoFactorEnable", "Two factor enable")
        .by(User)
        .body(Body::Json(Fields(&[
            ("password", Text),
            ("issuer?", Text),
            ("method?", Word(&["totp", "otp"])),
        ])))
        .answers(&[(200, Json(Fields(&[("totpURI", Text), ("backupCodes?", List(&Text))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/two-factor/disable", "twoFactorDisable", "Two factor disable")
        .by(User)
        .body(Body::Json(Fields(&[("password", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/two-factor/get-totp-uri", "twoFactorGetTotpUri", "Two factor get totp uri")
        .by(User)
        .body(Body::Json(Fields(&[("password", Text)])))
        .answers(&[(200, Json(Fields(&[("totpURI", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/two-factor/verify-totp", "twoFactorVerifyTotp", "Two factor verify totp")
        .by(MaybeUser)
        .body(Body::Json(Fields(&[("code", Text), ("trustDevice?", Bool)])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/two-factor/send-otp", "twoFactorSendOtp", "Two factor send otp")
        .by(MaybeUser)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/two-factor/verify-otp", "twoFactorVerifyOtp", "Two factor verify otp")
        .by(MaybeUser)
        .body(Body::Json(Fields(&[("code", Text), ("trustDevice?", Bool)])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/two-factor/verify-backup-code",
        "twoFactorVerifyBackupCode",
        "Two factor verify backup code",
    )
    .by(MaybeUser)
    .body(Body::Json(Fields(&[("code", Text), ("disableSession?", Bool), ("trustDevice?", Bool)])))
    .answers(&[(200, Json(Named("Arrived")))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/two-factor/generate-backup-codes",
        "twoFactorGenerateBackupCodes",
        "Two factor generate backup codes",
    )
    .by(User)
    .body(Body::Json(Fields(&[("password", Text)])))
    .answers(&[(200, Json(Fields(&[("status", Bool), ("backupCodes?", List(&Text))])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
];
