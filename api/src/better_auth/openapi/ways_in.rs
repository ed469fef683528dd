//! Other ways in: names, nobody's name, phone numbers, codes by mail.

use utoipa::openapi::path::HttpMethod::Post;

use crate::http::openapi::table::Answer::Json;
use crate::http::openapi::table::Auth::{MaybeUser, User};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Either, Fields, Named, Text, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/sign-in/username", "signInUsername", "Sign in username")
        .body(Body::Json(Fields(&[
            ("username", Text),
            ("password", Text),
            ("rememberMe?", Bool),
            ("callbackURL?", Text),
        ])))
        .answers(&[(200, Json(Either(&[Named("Arrived"), Named("Halfway")])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/sign-in/anonymous", "signInAnonymous", "Sign in anonymous")
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/sign-in/phone-number", "signInPhoneNumber", "Sign in phone number")
        .body(Body::Json(Fields(&[("phoneNumber", Text), ("password", Text), ("rememberMe?", Bool)])))
        .answers(&[(200, Json(Either(&[Named("Arrived"), Named("Halfway")])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/phone-number/send-otp", "phoneNumberSendOtp", "Phone number send otp")
        .body(Body::Json(Fields(&[("phoneNumber", Text)])))
        .answers(&[(200, Json(Fields(&[("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/phone-number/verify", "phoneNumberVerify", "Phone number verify")
        .by(MaybeUser)
        .body(Body::Json(Fields(&[
            ("phoneNumber", Text),
            ("code", Text),
            ("disableSession?", Bool),
            ("updatePhoneNumber?", Bool),
        ])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/phone-number/forget-password",
        "phoneNumberForgetPassword",
        "Phone number forget password",
    )
    .body(Body::Json(Fields(&[("phoneNumber", Text)])))
    .answers(&[(200, Json(Fields(&[("status", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/phone-number/request-password-reset",
        "phoneNumberRequestPasswordReset",
        "Phone number request password reset",
    )
    .body(Body::Json(Fields(&[("phoneNumber", Text)])))
    .answers(&[(200, Json(Fields(&[("status", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/phone-number/reset-password",
        "phoneNumberResetPassword",
        "Phone number reset password",
    )
    .body(Body::Json(Fields(&[("otp", Text), ("phoneNumber", Text), ("newPassword", Text)])))
    .answers(&[(200, Json(Fields(&[("status", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/email-otp/send-verification-otp",
        "emailOtpSendVerificationOtp",
        "Email otp send verification otp",
    )
    .body(Body::Json(Fields(&[
        ("email", Text),
        ("type", Word(&["email-verification", "sign-in", "forget-password"])),
    ])))
    .answers(&[(200, Json(Fields(&[("success", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/email-otp/verify-email", "emailOtpVerifyEmail", "Email otp verify email")
        .body(Body::Json(Fields(&[("email", Text), ("otp", Text)])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/sign-in/email-otp", "signInEmailOtp", "Sign in email otp")
        .body(Body::Json(Fields(&[("email", Text), ("otp", Text), ("name?", Text), ("image?", Text)])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/forget-password/email-otp", "forgetPasswordEmailOtp", "Forget password email otp")
        .body(Body::Json(Fields(&[("email", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/email-otp/reset-password", "emailOtpResetPassword", "Email otp reset password")
        .body(Body::Json(Fields(&[("email", Text), ("otp", Text), ("password", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/is-username-available", "isUsernameAvailable", "Is username available")
        .body(Body::Json(Fields(&[("username", Text)])))
        .answers(&[(200, Json(Fields(&[("available?", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/delete-anonymous-user", "deleteAnonymousUser", "Delete anonymous user")
        .by(User)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/email-otp/check-verification-otp",
        "emailOtpCheckVerificationOtp",
        "Email otp check verification otp",
    )
    .body(Body::Json(Fields(&[("email", Text), ("type", Text), ("otp", Text)])))
    .answers(&[(200, Json(Fields(&[("success", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/email-otp/request-password-reset",
        "emailOtpRequestPasswordReset",
        "Email otp request password reset",
    )
    .body(Body::Json(Fields(&[("email", Text)])))
    .answers(&[(200, Json(Fields(&[("success", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(
        Post,
        "/email-otp/request-email-change",
        "emailOtpRequestEmailChange",
        "Email otp request email change",
    )
    .by(User)
    .body(Body::Json(Fields(&[("newEmail", Text), ("otp?", Text)])))
    .answers(&[(200, Json(Fields(&[("success", Bool)])))])
    .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/email-otp/change-email", "emailOtpChangeEmail", "Email otp change email")
        .by(User)
        .body(Body::Json(Fields(&[("newEmail", Text), ("otp", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
];
