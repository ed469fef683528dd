//! The core: signing up and in by address and password, sessions, the account, other providers.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::{Html, Json, Redirect};
use crate::http::openapi::table::Auth::{MaybeUser, User};
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Either, Email, Fields, List, Named, Nullable, Object, Text};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/sign-up/email", "signUpEmail", "Sign up email")
        .body(Body::FormOrJson(Fields(&[
            ("name", Text),
            ("email", Text),
            ("password", Text),
            ("image?", Text),
            ("callbackURL?", Text),
            ("rememberMe?", Bool),
        ])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/sign-in/email", "signInEmail", "Sign in email")
        .body(Body::FormOrJson(Fields(&[
            ("email", Text),
            ("password", Text),
            ("callbackURL?", Text),
            ("rememberMe?", Bool),
        ])))
        .answers(&[(200, Json(Either(&[Named("Arrived"), Named("Halfway")])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/sign-in/social", "signInSocial", "Sign in social")
        .body(Body::Json(Fields(&[
            ("provider", Text),
            ("callbackURL?", Text),
            ("newUserCallbackURL?", Text),
            ("errorCallbackURL?", Text),
            ("disableRedirect?", Bool),
            ("scopes?", List(&Text)),
            ("requestSignUp?", Bool),
            ("loginHint?", Text),
            ("idToken?", Object),
            ("additionalParams?", Object),
            ("additionalData?", Object),
        ])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/get-session", "getSession", "Get session")
        .query(&[("disableCookieCache?", Bool), ("disableRefresh?", Bool)])
        .answers(&[(200, Json(Nullable(&Named("SignedIn"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/sign-out", "signOut", "Sign out")
        .by(MaybeUser)
        .body(Body::OptionalJson(Fields(&[("callbackURL?", Text), ("disableRedirect?", Bool)])))
        .answers(&[(200, Json(Fields(&[("success", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/list-sessions", "listSessions", "List sessions")
        .by(User)
        .answers(&[(200, Json(List(&Named("Session"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/revoke-session", "revokeSession", "Revoke session")
        .by(User)
        .body(Body::Json(Fields(&[("token", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/revoke-sessions", "revokeSessions", "Revoke sessions")
        .by(User)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/revoke-other-sessions", "revokeOtherSessions", "Revoke other sessions")
        .by(User)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/forget-password", "forgetPassword", "Forget password")
        .body(Body::Json(Fields(&[("email", Text), ("redirectTo?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool), ("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/request-password-reset", "requestPasswordReset", "Request password reset")
        .body(Body::Json(Fields(&[("email", Text), ("redirectTo?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool), ("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/reset-password/{token}", "resetPasswordByToken", "Reset password")
        .query(&[("callbackURL", Text)])
        .answers(&[(302, Redirect)])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/reset-password", "resetPassword", "Reset password")
        .query(&[("token?", Text)])
        .body(Body::Json(Fields(&[("newPassword", Text), ("token?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/change-password", "changePassword", "Change password")
        .by(User)
        .body(Body::Json(Fields(&[
            ("currentPassword", Text),
            ("newPassword", Text),
            ("revokeOtherSessions?", Bool),
        ])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/verify-email", "verifyEmail", "Verify email")
        .query(&[("token", Text), ("callbackURL?", Text)])
        .answers(&[(200, Json(Object)), (302, Redirect)])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/send-verification-email", "sendVerificationEmail", "Send verification email")
        .body(Body::Json(Fields(&[("email", Email), ("callbackURL?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/change-email", "changeEmail", "Change email")
        .by(User)
        .body(Body::Json(Fields(&[("newEmail", Email), ("callbackURL?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool), ("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/update-user", "updateUser", "Update user")
        .by(User)
        .body(Body::OptionalJson(Fields(&[("name?", Text), ("image?", Nullable(&Text))])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/delete-user", "deleteUser", "Delete user")
        .by(User)
        .body(Body::OptionalJson(Fields(&[("callbackURL?", Text), ("password?", Text), ("token?", Text)])))
        .answers(&[(200, Json(Fields(&[("success", Bool), ("message?", Text)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/delete-user/callback", "deleteUserCallback", "Delete user callback")
        .by(User)
        .query(&[("token", Text), ("callbackURL?", Text)])
        .answers(&[(200, Json(Fields(&[("success", Bool), ("message?", Text)]))), (302, Redirect)])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Get, "/list-accounts", "listAccounts", "List accounts")
        .by(User)
        .answers(&[(200, Json(List(&Named("Account"))))])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/link-social", "linkSocial", "Link social")
        .by(User)
        .body(Body::Json(Fields(&[
            ("provider", Text),
            ("callbackURL?", Text),
            ("scopes?", List(&Text)),
            ("errorCallbackURL?", Text),
            ("requestSignUp?", Bool),
            ("disableRedirect?", Bool),
            ("idToken?", Object),
            ("additionalParams?", Object),
        ])))
        .answers(&[(200, Json(Named("Arrived")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/unlink-account", "unlinkAccount", "Unlink account")
        .by(User)
        .body(Body::Json(Fields(&[("providerId", Text), ("accountId?", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/refresh-token", "refreshToken", "Refresh token")
        .by(User)
        .body(Body::Json(Fields(&[("providerId", Text), ("accountId?", Text), ("userId?", Text)])))
        .answers(&[(200, Json(Named("Tokens")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/get-access-token", "getAccessToken", "Get access token")
        .by(User)
        .body(Body::Json(Fields(&[("providerId", Text), ("accountId?", Text), ("userId?", Text)])))
        .answers(&[(200, Json(Named("Tokens")))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/account-info", "accountInfo", "Account info")
        .by(User)
        .body(Body::Json(Fields(&[("accountId", Text)])))
        .answers(&[(200, Json(Object))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/ok", "ok", "Ok").answers(&[(200, Json(Fields(&[("ok", Bool)])))]).refuses(&[429]),
    operation(Get, "/error", "error", "Error")
        .query(&[("error?", Text), ("error_description?", Text)])
        .answers(&[(200, Html)])
        .refuses(&[429]),
    operation(Get, "/callback/{id}", "callbackBack", "Callback")
        .query(&[
            ("code?", Text),
            ("state?", Text),
            ("error?", Text),
            ("error_description?", Text),
            ("device_id?", Text),
            ("user?", Text),
            ("iss?", Text),
        ])
        .answers(&[(302, Redirect)])
        .refuses(&[400, 401, 403, 404, 429]),
    operation(Post, "/get-session", "getSessionPost", "Get session")
        .query(&[("disableCookieCache?", Bool), ("disableRefresh?", Bool)])
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Nullable(&Named("SignedIn"))))])
        .refuses(&[400, 401, 403, 404, 405, 413, 415, 422, 429]),
    operation(Post, "/update-session", "updateSession", "Update session")
        .by(User)
        .body(Body::OptionalJson(Fields(&[])))
        .answers(&[(200, Json(Fields(&[("session", Named("Session"))])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Post, "/verify-password", "verifyPassword", "Verify password")
        .by(User)
        .body(Body::Json(Fields(&[("password", Text)])))
        .answers(&[(200, Json(Fields(&[("status", Bool)])))])
        .refuses(&[400, 401, 403, 404, 413, 415, 422, 429]),
    operation(Get, "/account-info", "accountInfoRead", "Account info")
        .by(User)
        .query(&[("accountId?", Text)])
        .answers(&[(200, Json(Object))])
        .refuses(&[400, 401, 403, 404, 429]),
];
