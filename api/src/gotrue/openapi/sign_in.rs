//! Signing up and in: passwords, codes, links, grants.

use utoipa::openapi::path::HttpMethod::{Get, Post};

use crate::http::openapi::table::Answer::{Html, Json, Redirect};
use crate::http::openapi::table::Auth::MaybeUser;
use crate::http::openapi::table::Body;
use crate::http::openapi::table::Shape::{Bool, Either, Email, Fields, Named, Object, Text, Uuid, Word};
use crate::http::openapi::table::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation(Post, "/signup", "signUp", "Signs up by e-mail or phone, or anonymously")
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("email?", Email),
            ("phone?", Text),
            ("password?", Text),
            ("data?", Object),
            ("channel?", Word(&["sms", "whatsapp"])),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(200, Json(Either(&[Named("Session"), Named("User")])))])
        .refuses(&[400, 413, 422, 429]),
    operation(
        Post,
        "/token",
        "token",
        "Exchanges a password, a refresh token, a code or a proof for a session",
    )
    .by(MaybeUser)
    .query(&[("grant_type", Word(&["password", "refresh_token", "pkce", "id_token", "web3"]))])
    .body(Body::Json(Either(&[
        Fields(&[
            ("email?", Email),
            ("phone?", Text),
            ("password?", Text),
            ("gotrue_meta_security?", Named("Captcha")),
        ]),
        Fields(&[("refresh_token", Text)]),
        Fields(&[("auth_code", Uuid), ("code_verifier", Text)]),
        Fields(&[
            ("id_token", Text),
            ("provider?", Text),
            ("client_id?", Text),
            ("issuer?", Text),
            ("nonce?", Text),
            ("access_token?", Text),
            ("link_identity?", Bool),
            ("gotrue_meta_security?", Named("Captcha")),
        ]),
        Fields(&[
            ("message", Text),
            ("signature", Text),
            ("chain", Word(&["solana", "ethereum"])),
            ("gotrue_meta_security?", Named("Captcha")),
        ]),
    ])))
    .answers(&[(200, Json(Named("Session")))])
    .refuses(&[400, 403, 404, 409, 413, 422, 429]),
    operation(Post, "/verify", "verify", "Redeems a code or the token of a link")
        .body(Body::Json(Fields(&[
            (
                "type",
                Word(&[
                    "signup",
                    "invite",
                    "recovery",
                    "magiclink",
                    "email",
                    "email_change",
                    "sms",
                    "phone_change",
                ]),
            ),
            ("token?", Text),
            ("token_hash?", Text),
            ("email?", Email),
            ("phone?", Text),
            ("redirect_to?", Text),
        ])))
        .answers(&[(200, Json(Either(&[Named("Session"), Named("Halfway")])))])
        .refuses(&[400, 403, 413, 422, 429]),
    operation(Get, "/verify", "openLink", "Opens a link of a mail and sends on to the application")
        .query(&[
            ("token", Text),
            ("type", Word(&["signup", "invite", "recovery", "magiclink", "email_change", "email"])),
            ("redirect_to?", Text),
        ])
        .answers(&[(200, Html), (303, Redirect)])
        .refuses(&[400, 429]),
    operation(Post, "/otp", "sendOneTimeCode", "Sends a one-time code or link")
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("email?", Email),
            ("phone?", Text),
            ("create_user?", Bool),
            ("data?", Object),
            ("channel?", Word(&["sms", "whatsapp"])),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(200, Json(Named("Sent")))])
        .refuses(&[400, 413, 422, 429]),
    operation(Post, "/magiclink", "sendMagicLink", "Sends a link that signs in")
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("email", Email),
            ("data?", Object),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(200, Json(Named("Empty")))])
        .refuses(&[400, 413, 422, 429]),
    operation(Post, "/recover", "recover", "Sends a link for who forgot the password")
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("email", Email),
            ("code_challenge?", Text),
            ("code_challenge_method?", Word(&["s256", "plain"])),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(200, Json(Named("Empty")))])
        .refuses(&[400, 413, 429]),
    operation(Post, "/resend", "resend", "Sends a code or link again")
        .query(&[("redirect_to?", Text)])
        .body(Body::Json(Fields(&[
            ("type", Word(&["signup", "email_change", "sms", "phone_change"])),
            ("email?", Email),
            ("phone?", Text),
            ("code_challenge?", Text),
            ("code_challenge_method?", Text),
            ("gotrue_meta_security?", Named("Captcha")),
        ])))
        .answers(&[(200, Json(Named("Sent")))])
        .refuses(&[400, 413, 422, 429]),
];
