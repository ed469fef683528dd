//! `POST /verify`: codes that people type, and the tokens of links that applications take out of them.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{GivenContact, Verified, Verify, VerifyEnd, VerifyError, VerifyKind, VerifyProof};
use evident_domain::{Actor, Email, Phone};
use serde::Serialize;

use super::app::{App, Bucket};
use super::body::Body;
use super::document::SessionDocument;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

/// What a message was for, as requests name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageType {
    /// `signup` and `invite`: they read the same token.
    SignUp,
    /// `email`: whatever a mail that signs in was for.
    Email,
    /// `sms`
    Sms,
    /// `recovery` and `magiclink`: they read the same token.
    Recovery,
    /// `email_change`
    EmailChange,
    /// `phone_change`
    PhoneChange,
}

impl MessageType {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "signup" | "invite" => Self::SignUp,
            "email" => Self::Email,
            "sms" => Self::Sms,
            "recovery" | "magiclink" => Self::Recovery,
            "email_change" => Self::EmailChange,
            "phone_change" => Self::PhoneChange,
            _ => return None,
        })
    }

    /// Whether messages of this type hold a link.
    pub(super) fn has_link(self) -> bool {
        match self {
            Self::SignUp | Self::Email | Self::Recovery | Self::EmailChange => true,
            Self::Sms | Self::PhoneChange => false,
        }
    }

    /// What the use case takes.
    pub(super) fn kind(self) -> VerifyKind {
        match self {
            Self::SignUp => VerifyKind::SignUp,
            Self::Email => VerifyKind::Email,
            Self::Sms => VerifyKind::Sms,
            Self::Recovery => VerifyKind::Recovery,
            Self::EmailChange => VerifyKind::EmailChange,
            Self::PhoneChange => VerifyKind::PhoneChange,
        }
    }
}

/// Confirms an address or a number and signs in.
pub(super) async fn verify(
    State(app): State<App>,
    incoming: Incoming,
    request: Request,
) -> Result<Response<HttpBody>, GotrueError> {
    app.limit(Bucket::Verify, &incoming)?;
    let body = Body::read(request, app.body_limit(), "VerifyParams").await?;
    let shown = Shown::read(body)?;
    let expired = shown.expired();
    let Some(wanted) = shown.wanted()? else { return Err(expired) };
    match app.commands().verify(&incoming.context(Actor::Visitor), wanted).await {
        Ok(Verified::In(grant)) => reply::session(&grant, &SessionDocument::of(&grant)),
        // A client is never given a code: that is for browsers.
        Ok(Verified::Code(_)) => Err(expired),
        Ok(Verified::Halfway) => reply::json(&HalfwayDocument { code: "200", msg: HALFWAY }),
        Err(error) => Err(refusal(error, expired)),
    }
}

/// What is told when one of two addresses has agreed. The code is a text here, as clients expect it.
#[derive(Serialize)]
struct HalfwayDocument {
    code: &'static str,
    msg: &'static str,
}

pub(super) const HALFWAY: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/// What a caller shows; one of code and link.
#[derive(Debug)]
struct Shown {
    kind: String,
    email: String,
    phone: String,
    token: String,
    token_hash: String,
}

impl Shown {
    /// Reads the body and checks what goes together.
    fn read(mut body: Body) -> Result<Self, GotrueError> {
        let shown = Self {
            kind: body.text_or_empty("type")?,
            email: body.text_or_empty("email")?,
            phone: body.text_or_empty("phone")?,
            token: body.text_or_empty("token")?,
            token_hash: body.text_or_empty("token_hash")?,
        };
        let redirect_to = body.text_or_empty("redirect_to")?;
        let refuse = |message: &'static str| Err(GotrueError::validation(message));
        if shown.kind.is_empty() {
            return refuse("Verify requires a verification type");
        }
        match (shown.token.is_empty(), shown.token_hash.is_empty()) {
            (true, true) | (false, false) => return refuse("Verify requires either a token or a token hash"),
            (true, false)
                if !(shown.email.is_empty() && shown.phone.is_empty() && redirect_to.is_empty()) =>
            {
                return refuse("Only the token_hash and type should be provided");
            }
            (false, true) if shown.email.is_empty() == shown.phone.is_empty() => {
                return refuse("Only an email address or phone number should be provided on verify");
            }
            (true, false) | (false, true) => {}
        }
        if !shown.email.is_empty() && Email::parse(&shown.email).is_err() {
            let code = ErrorCode::ValidationFailed;
            return Err(GotrueError::unprocessable(code, "Invalid email format"));
        }
        if !shown.phone.is_empty() && Phone::parse(&shown.phone).is_err() {
            return Err(GotrueError::phone());
        }
        Ok(shown)
    }

    fn by_link(&self) -> bool {
        !self.token_hash.is_empty()
    }

    /// What is told when it proves nothing.
    fn expired(&self) -> GotrueError {
        if self.by_link() { link_expired() } else { code_expired() }
    }

    /// The use case's request; none where nothing could be proven.
    fn wanted(self) -> Result<Option<Verify>, GotrueError> {
        let kind = MessageType::parse(&self.kind);
        if self.by_link() {
            let Some(kind) = kind.filter(|kind| kind.has_link()) else {
                return Err(GotrueError::validation("Invalid email verification type"));
            };
            let proof = VerifyProof::LinkToken(self.token_hash);
            return Ok(Some(Verify { kind: kind.kind(), proof, end: VerifyEnd::Client }));
        }
        // A code by text belongs to a number, all others to an address.
        let fits = |kind: &VerifyKind| match kind {
            VerifyKind::Sms | VerifyKind::PhoneChange => self.email.is_empty(),
            VerifyKind::SignUp | VerifyKind::Email | VerifyKind::Recovery | VerifyKind::EmailChange => {
                self.phone.is_empty()
            }
        };
        let kind = kind.map(MessageType::kind).filter(fits);
        let contact = GivenContact { email: self.email, phone: self.phone };
        let proof = VerifyProof::Code { contact, code: self.token };
        Ok(kind.map(|kind| Verify { kind, proof, end: VerifyEnd::Client }))
    }
}

pub(super) fn link_expired() -> GotrueError {
    GotrueError::forbidden(ErrorCode::OtpExpired, "Email link is invalid or has expired")
}

fn code_expired() -> GotrueError {
    GotrueError::forbidden(ErrorCode::OtpExpired, "Token has expired or is invalid")
}

/// What went wrong; `expired` is told of whatever is not good.
pub(super) fn refusal(error: VerifyError, expired: GotrueError) -> GotrueError {
    match error {
        VerifyError::Invalid => expired,
        VerifyError::EmailTaken => GotrueError::email_exists(),
        VerifyError::PhoneTaken => GotrueError::phone_exists(),
        VerifyError::Banned => GotrueError::forbidden(ErrorCode::UserBanned, "User is banned"),
        VerifyError::Flow(_) => GotrueError::bad_request(
            ErrorCode::FlowStateNotFound,
            "No associated flow state found. 422: No valid flow state found for user.",
        ),
        VerifyError::Session(error) => GotrueError::internal(error),
        VerifyError::Failure(failure) => failure.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<Verify>, (u16, String)> {
        let told = |error: GotrueError| (error.status().as_u16(), error.message().to_owned());
        Shown::read(Body::parse(body.as_bytes(), "VerifyParams").unwrap())
            .and_then(Shown::wanted)
            .map_err(told)
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (body, status, message) in [
            (r#"{"token":"123456","email":"bob@example.com"}"#, 400, "Verify requires a verification type"),
            (r#"{"type":"signup"}"#, 400, "Verify requires either a token or a token hash"),
            (
                r#"{"type":"signup","token":"1","token_hash":"a"}"#,
                400,
                "Verify requires either a token or a token hash",
            ),
            (
                r#"{"type":"signup","token":"123456"}"#,
                400,
                "Only an email address or phone number should be provided on verify",
            ),
            (
                r#"{"type":"signup","token_hash":"a","email":"bob@example.com"}"#,
                400,
                "Only the token_hash and type should be provided",
            ),
            (r#"{"type":"signup","token":"123456","email":"bob@"}"#, 422, "Invalid email format"),
            (
                r#"{"type":"sms","token":"123456","phone":"x"}"#,
                400,
                "Invalid phone number format (E.164 required)",
            ),
            (r#"{"type":"nonsense","token_hash":"abc"}"#, 400, "Invalid email verification type"),
            (r#"{"type":"sms","token_hash":"abc"}"#, 400, "Invalid email verification type"),
        ] {
            assert_eq!(read(body).unwrap_err(), (status, message.to_owned()), "{body}");
        }
    }

    #[test]
    fn codes_and_links_are_told_apart() {
        let code = read(r#"{"type":"signup","token":"495321","email":"bob@example.com"}"#).unwrap().unwrap();
        assert_eq!(code.kind, VerifyKind::SignUp);
        assert!(matches!(code.proof, VerifyProof::Code { .. }));
        let link = read(r#"{"type":"email","token_hash":"abc"}"#).unwrap().unwrap();
        assert_eq!(link.kind, VerifyKind::Email);
        assert!(matches!(link.proof, VerifyProof::LinkToken(_)));
        let text = read(r#"{"type":"sms","token":"495321","phone":"+1 555 000 1111"}"#).unwrap().unwrap();
        assert_eq!(text.kind, VerifyKind::Sms);
        let change =
            read(r#"{"type":"phone_change","token":"495321","phone":"15550001111"}"#).unwrap().unwrap();
        assert_eq!(change.kind, VerifyKind::PhoneChange);
        let change = read(r#"{"type":"email_change","token_hash":"abc"}"#).unwrap().unwrap();
        assert_eq!(change.kind, VerifyKind::EmailChange);
    }

    #[test]
    fn what_can_prove_nothing_is_no_request() {
        for body in [
            r#"{"type":"nonsense","token":"495321","email":"bob@example.com"}"#,
            r#"{"type":"phone_change","token":"495321","email":"bob@example.com"}"#,
            r#"{"type":"sms","token":"495321","email":"bob@example.com"}"#,
            r#"{"type":"signup","token":"495321","phone":"15550001111"}"#,
        ] {
            assert!(read(body).unwrap().is_none(), "{body}");
        }
    }
}
