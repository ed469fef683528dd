//! Second factors and passkeys.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Patch, Post};

use crate::http::openapi::table::Answer::{Empty, Json};
use crate::http::openapi::table::Auth::User;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Fields, List, Named, Object, Text, Uuid, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/factors", "enrollFactor", "Begins to enroll a factor")
        .by(User)
        .body(Body::Json(Fields(&[
            ("factor_type", Word(&["totp", "phone", "webauthn"])),
            ("friendly_name?", Text),
            ("issuer?", Text),
            ("phone?", Text),
        ])))
        .answers(&[(200, Json(Named("Enrolled")))])
        .refuses(&[400, 401, 403, 413, 422]),
    operation(Post, "/factors/{factor_id}/challenge", "challengeFactor", "Asks a factor for its proof")
        .by(User)
        .body(Body::OptionalJson(Fields(&[("channel?", Word(&["sms", "whatsapp"])), ("webauthn?", Object)])))
        .answers(&[(200, Json(Named("Challenge")))])
        .refuses(&[400, 401, 403, 404, 413, 422, 429]),
    operation(
        Post,
        "/factors/{factor_id}/verify",
        "verifyFactor",
        "Gives the proof, and gets a stronger session",
    )
    .by(User)
    .body(Body::Json(Fields(&[("challenge_id", Uuid), ("code?", Text), ("webauthn?", Object)])))
    .answers(&[(200, Json(Named("Session")))])
    .refuses(&[400, 401, 403, 404, 413, 422, 429]),
    operation(Delete, "/factors/{factor_id}", "unenrollFactor", "Removes a factor")
        .by(User)
        .answers(&[(200, Json(Fields(&[("id", Uuid)])))])
        .refuses(&[400, 401, 403, 404, 422]),
    operation(Post, "/passkeys/authentication/options", "beginPasskeySignIn", "Begins a sign-in by passkey")
        .body(Body::OptionalJson(Fields(&[("gotrue_meta_security?", Named("Captcha"))])))
        .answers(&[(200, Json(Named("PasskeyCeremony")))])
        .refuses(&[400, 404, 413, 429]),
    operation(
        Post,
        "/passkeys/authentication/verify",
        "finishPasskeySignIn",
        "Finishes a sign-in by passkey",
    )
    .body(Body::Json(Fields(&[("challenge_id", Uuid), ("credential", Object)])))
    .answers(&[(200, Json(Named("Session")))])
    .refuses(&[400, 403, 404, 413]),
    operation(Post, "/passkeys/registration/options", "beginPasskey", "Begins to register a passkey")
        .by(User)
        .answers(&[(200, Json(Named("PasskeyCeremony")))])
        .refuses(&[400, 401, 403, 404, 422]),
    operation(
        Post,
        "/passkeys/registration/verify",
        "finishPasskey",
        "Finishes the registration of a passkey",
    )
    .by(User)
    .body(Body::Json(Fields(&[("challenge_id", Uuid), ("credential", Object)])))
    .answers(&[(200, Json(Named("Passkey")))])
    .refuses(&[400, 401, 403, 404, 413, 422]),
    operation(Get, "/passkeys", "listPasskeys", "Lists the caller's passkeys")
        .by(User)
        .answers(&[(200, Json(List(&Named("Passkey"))))])
        .refuses(&[401, 403, 404]),
    operation(Patch, "/passkeys/{passkey_id}", "renamePasskey", "Names a passkey")
        .by(User)
        .body(Body::Json(Fields(&[("friendly_name", Text)])))
        .answers(&[(200, Json(Named("Passkey")))])
        .refuses(&[400, 401, 403, 404, 413]),
    operation(Delete, "/passkeys/{passkey_id}", "removePasskey", "Removes a passkey")
        .by(User)
        .answers(&[(204, Empty)])
        .refuses(&[400, 401, 403, 404]),
];
