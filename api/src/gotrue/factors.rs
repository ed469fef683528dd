//! `/factors`: the caller's own second factors.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::messages::SmsChannel;
use evident_commands::webauthn::{CreationOptions, RequestOptions};
use evident_commands::{
    ChallengeFactor, ChallengedFactor, CredentialKind, EnrollFactor, EnrolledFactor, FactorQuestion,
    FactorUse, FactorsError, GivenAnswer, VerifyFactor,
};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;
use evident_domain::user::factor::{FactorError, FactorKind};
use evident_domain::{ChallengeId, FactorId};
use serde::Serialize;
use zeroize::Zeroizing;

use super::access::UserCaller;
use super::app::{App, Bucket};
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::path::Ids;
use super::reply;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The longest name of a factor, and the longest issuer, in bytes: more is nobody's name.
const LONGEST_NAME: usize = 255;

/// Enrolls a factor.
pub(super) async fn enroll(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    request: Request,
) -> Answer {
    caller.check_known()?;
    let mut body = Body::read(request, app.body_limit(), "EnrollFactorParams").await?;
    let session = caller.in_session()?;
    let kind = match body.text_or_empty("factor_type")?.as_str() {
        "totp" => FactorKind::Totp,
        "phone" => FactorKind::Phone,
        "webauthn" => FactorKind::Webauthn,
        _ => return Err(GotrueError::validation("factor_type needs to be totp, phone, or webauthn")),
    };
    let name = short(body.text_or_empty("friendly_name")?, "friendly_name")?;
    let phone = body.text_or_empty("phone")?;
    let wanted = EnrollFactor {
        user: caller.user,
        session,
        kind,
        name: name.clone(),
        issuer: short(body.text_or_empty("issuer")?, "issuer")?,
        phone: phone.clone(),
    };
    let context = incoming.context(caller.actor());
    let refused = |error| refusal(error, InsufficientAal::Enroll, &name);
    let enrolled = app.commands().enroll_factor(&context, wanted).await.map_err(refused)?;
    reply::json(&EnrolmentDocument::of(kind, &name, &phone, &enrolled))
}

pub(super) fn short(text: String, field: &str) -> Result<String, GotrueError> {
    if text.len() > LONGEST_NAME {
        return Err(GotrueError::validation(format!("{field} must be {LONGEST_NAME} bytes or less")));
    }
    Ok(text)
}

/// Asks a factor to show itself.
pub(super) async fn challenge(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    ids: Ids,
    request: Request,
) -> Answer {
    caller.check_known()?;
    let factor: FactorId = ids.get("factor_id")?;
    let row = caller.caller.view.user.factors.iter().find(|row| row.id == factor);
    let kind = row.ok_or_else(factor_not_found)?.kind;
    app.limit(Bucket::Challenge, &incoming)?;
    let mut channel = SmsChannel::default();
    if kind == FactorKind::Phone {
        let mut body = Body::read(request, app.body_limit(), "ChallengeFactorParams").await?;
        let given = body.text_or_empty("channel")?;
        if let Some(known) = SmsChannel::from_name(&given) {
            channel = known;
        } else if !given.is_empty() {
            return Err(GotrueError::validation(
                "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if \
                 Twilio or Twilio Verify is used as the provider.",
            ));
        }
    }
    let wanted = ChallengeFactor { user: caller.user, session: caller.in_session()?, factor, channel };
    let context = incoming.context(caller.actor());
    let asked = app.commands().challenge_factor(&context, wanted).await.map_err(plain_refusal)?;
    reply::json(&ChallengeDocument::of(&asked))
}

/// Takes a factor's answer.
pub(super) async fn verify(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    ids: Ids,
    request: Request,
) -> Answer {
    caller.check_known()?;
    let factor: FactorId = ids.get("factor_id")?;
    let rows = &caller.caller.view.user.factors;
    let kind = rows.iter().find(|row| row.id == factor).ok_or_else(factor_not_found)?.kind;
    app.limit(Bucket::Answer, &incoming)?;
    let mut body = Body::read(request, app.body_limit(), "VerifyFactorParams").await?;
    let challenge = body.uuid("challenge_id")?.map_or(ChallengeId(uuid::Uuid::nil()), ChallengeId);
    let answer = match kind {
        FactorKind::Totp | FactorKind::Phone => {
            GivenAnswer::Code(Zeroizing::new(body.text_or_empty("code")?))
        }
        FactorKind::Webauthn => credential(&mut body)?,
    };
    let session = caller.in_session()?;
    let wanted = VerifyFactor { user: caller.user, session, factor, challenge, answer };
    let context = incoming.context(caller.actor());
    let verified = app.commands().verify_factor(&context, wanted).await;
    let grant = verified.map_err(|error| match error {
        FactorsError::User(UserError::Factor(FactorError::ChallengeExpired)) => {
            let message = format!(
                "MFA challenge {challenge} has expired, verify against another challenge or create a new challenge."
            );
            GotrueError::unprocessable(ErrorCode::MfaChallengeExpired, message)
        }
        other => plain_refusal(other),
    })?;
    reply::json(&SessionDocument::of(&grant))
}

/// What an authenticator answered.
fn credential(body: &mut Body) -> Result<GivenAnswer, GotrueError> {
    let required = || GotrueError::validation("WebAuthn config required");
    let mut given = body.object("webauthn")?.ok_or_else(required)?.0;
    let kind = match given.get("type").and_then(serde_json::Value::as_str) {
        Some("create") => CredentialKind::Create,
        Some("request") => CredentialKind::Request,
        Some(_) | None => return Err(GotrueError::validation("WebAuthn type must be create or request")),
    };
    match given.remove("credential_response") {
        Some(answer) if !answer.is_null() => Ok(GivenAnswer::Credential(kind, answer)),
        Some(_) | None => Err(GotrueError::validation("credential_response required")),
    }
}

/// Removes a factor.
pub(super) async fn remove(
    State(app): State<App>,
    caller: UserCaller,
    incoming: Incoming,
    ids: Ids,
) -> Answer {
    caller.check_known()?;
    let factor: FactorId = ids.get("factor_id")?;
    let session = caller.in_session()?;
    let context = incoming.context(caller.actor());
    let removed = app.commands().remove_own_factor(&context, caller.user, session, factor).await;
    removed.map_err(|error| refusal(error, InsufficientAal::Unenroll, ""))?;
    reply::json(&RemovalDocument { id: factor })
}

#[derive(Serialize)]
struct RemovalDocument {
    id: FactorId,
}

#[derive(Serialize)]
struct EnrolmentDocument<'a> {
    id: FactorId,
    #[serde(rename = "type")]
    kind: &'static str,
    friendly_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<TotpDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

#[derive(Serialize)]
struct TotpDocument<'a> {
    qr_code: &'a str,
    secret: &'a str,
    uri: &'a str,
}

impl<'a> EnrolmentDocument<'a> {
    fn of(kind: FactorKind, name: &'a str, phone: &'a str, enrolled: &'a EnrolledFactor) -> Self {
        let totp = enrolled.totp.as_ref();
        Self {
            id: enrolled.factor,
            kind: kind.as_str(),
            friendly_name: name,
            totp: totp.map(|totp| TotpDocument {
                qr_code: &totp.picture,
                secret: &totp.secret,
                uri: &totp.uri,
            }),
            phone: (kind == FactorKind::Phone).then_some(phone),
        }
    }
}

#[derive(Serialize)]
struct ChallengeDocument<'a> {
    id: ChallengeId,
    #[serde(rename = "type")]
    kind: &'static str,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    webauthn: Option<QuestionDocument<'a>>,
}

#[derive(Serialize)]
struct QuestionDocument<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    credential_options: PublicKey<'a>,
}

#[derive(Serialize)]
struct PublicKey<'a> {
    #[serde(rename = "publicKey")]
    options: Options<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Options<'a> {
    Create(&'a CreationOptions),
    Request(&'a RequestOptions),
}

impl<'a> ChallengeDocument<'a> {
    fn of(asked: &'a ChallengedFactor) -> Self {
        let webauthn = asked.question.as_ref().map(|question| {
            let (kind, options) = match question {
                FactorQuestion::Create(options) => ("create", Options::Create(options)),
                FactorQuestion::Request(options) => ("request", Options::Request(options)),
            };
            QuestionDocument { kind, credential_options: PublicKey { options } }
        });
        Self {
            id: asked.challenge,
            kind: asked.kind.as_str(),
            expires_at: asked.expires_at.timestamp(),
            webauthn,
        }
    }
}

/// What a session would have to be surer for: the protocol has a status and a text for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InsufficientAal {
    Enroll,
    Unenroll,
}

pub(super) fn factor_not_found() -> GotrueError {
    GotrueError::not_found(ErrorCode::MfaFactorNotFound, "Factor not found")
}

/// Where neither a name nor a surer session can be asked for.
pub(super) fn plain_refusal(error: FactorsError) -> GotrueError {
    refusal(error, InsufficientAal::Unenroll, "")
}

/// As [`plain_refusal`], of a change to a name.
pub(super) fn naming_refusal(error: FactorsError, name: &str) -> GotrueError {
    refusal(error, InsufficientAal::Unenroll, name)
}

fn refusal(error: FactorsError, level: InsufficientAal, name: &str) -> GotrueError {
    match error {
        FactorsError::Disabled(kind, usage) => disabled(kind, usage),
        FactorsError::PhoneRequired => {
            GotrueError::validation("Phone number required to enroll Phone factor")
        }
        FactorsError::Phone(_) => GotrueError::phone(),
        FactorsError::IssuerTooLong => GotrueError::validation("issuer is too long for a QR code"),
        FactorsError::CodeRequired => GotrueError::validation("Code needs to be non-empty"),
        FactorsError::CredentialRequired => GotrueError::validation("WebAuthn config required"),
        FactorsError::CredentialMalformed => GotrueError::validation("Invalid credential_response"),
        FactorsError::WrongAnswer(kind) => {
            let message = match kind {
                FactorKind::Totp => "Invalid TOTP code entered",
                FactorKind::Phone => "Invalid MFA Phone code entered",
                FactorKind::Webauthn => "Failed to validate WebAuthn MFA response",
            };
            GotrueError::unprocessable(ErrorCode::MfaVerificationFailed, message)
        }
        FactorsError::User(UserError::Factor(error)) => rule(error, level, name),
        FactorsError::User(UserError::NotFound) => {
            GotrueError::forbidden(ErrorCode::UserNotFound, "User from sub claim in JWT does not exist")
        }
        FactorsError::User(error) => GotrueError::internal(error),
        FactorsError::Session(SessionError::NotFound) => {
            let message = "Session from session_id claim in JWT does not exist";
            GotrueError::forbidden(ErrorCode::SessionNotFound, message)
        }
        FactorsError::Session(error) => GotrueError::internal(error),
        FactorsError::Failure(failure) => failure.into(),
    }
}

fn rule(error: FactorError, level: InsufficientAal, name: &str) -> GotrueError {
    match error {
        FactorError::NotFound => factor_not_found(),
        FactorError::NameTaken => {
            let message = format!("A factor with the friendly name \"{name}\" for this user already exists");
            GotrueError::unprocessable(ErrorCode::MfaFactorNameConflict, message)
        }
        FactorError::TooMany => GotrueError::unprocessable(
            ErrorCode::TooManyEnrolledMfaFactors,
            "Maximum number of verified factors reached, unenroll to continue",
        ),
        FactorError::PhoneVerified => GotrueError::unprocessable(
            ErrorCode::MfaVerifiedFactorExists,
            "A verified phone factor already exists, unenroll the existing factor to continue",
        ),
        FactorError::InsufficientAal => match level {
            InsufficientAal::Enroll => {
                GotrueError::forbidden(ErrorCode::InsufficientAal, "AAL2 required to enroll a new factor")
            }
            InsufficientAal::Unenroll => GotrueError::unprocessable(
                ErrorCode::InsufficientAal,
                "AAL2 required to unenroll verified factor",
            ),
        },
        FactorError::TooSoon { seconds } => GotrueError::too_soon(ErrorCode::OverSmsSendRateLimit, seconds),
        FactorError::ChallengeNotFound => GotrueError::unprocessable(
            ErrorCode::MfaFactorNotFound,
            "MFA factor with the provided challenge ID not found",
        ),
        FactorError::ChallengeMismatch | FactorError::ChallengeExpired => GotrueError::unprocessable(
            ErrorCode::MfaIpAddressMismatch,
            "Challenge and verify IP addresses mismatch.",
        ),
        FactorError::WrongKind => GotrueError::validation("WebAuthn config required"),
        FactorError::Locked { seconds } => {
            GotrueError::too_many_requests(std::time::Duration::from_secs(seconds))
        }
        FactorError::PasskeyNotFound
        | FactorError::TooManyPasskeys
        | FactorError::PasskeyExists
        | FactorError::AlreadyEnabled
        | FactorError::NotEnabled
        | FactorError::AppNotEnabled
        | FactorError::NoBackupCodes
        | FactorError::StepNotFound
        | FactorError::CodeNotSent => GotrueError::internal(error),
    }
}

fn disabled(kind: FactorKind, usage: FactorUse) -> GotrueError {
    let (name, enroll, verify) = match kind {
        FactorKind::Totp => ("TOTP", ErrorCode::MfaTotpEnrollNotEnabled, ErrorCode::MfaTotpVerifyNotEnabled),
        FactorKind::Phone => {
            ("Phone", ErrorCode::MfaPhoneEnrollNotEnabled, ErrorCode::MfaPhoneVerifyNotEnabled)
        }
        FactorKind::Webauthn => {
            ("WebAuthn", ErrorCode::MfaWebauthnEnrollNotEnabled, ErrorCode::MfaWebauthnVerifyNotEnabled)
        }
    };
    let (code, what) = match usage {
        FactorUse::Enroll => (enroll, "enroll"),
        FactorUse::Verify => (verify, "verification"),
    };
    GotrueError::unprocessable(code, format!("MFA {what} is disabled for {name}"))
}
