//! Turns a rendered mail into the bytes that travel.

use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{DeliveryError, Failure, Mail, RenderedMail, Slip};

/// Headers that no setting may replace.
const OURS: [&str; 12] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
];

/// Who writes: the sender, and headers that every mail carries.
#[derive(Debug, Clone)]
pub struct Letterhead {
    sender: Mailbox,
    headers: Vec<(HeaderName, String)>,
}

/// Why no mail can be written in this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterheadError {
    /// The sender's address is none.
    #[error("the sender's address {0:?} is no e-mail address, as noreply@example.com is")]
    Sender(String),
    /// The sender's name holds line breaks or other control characters.
    #[error("the sender's name {0:?} holds control characters")]
    Name(String),
    /// A header cannot be set.
    #[error("the mail header {0:?} cannot be set: its name or value is not allowed")]
    Header(String),
}

impl Letterhead {
    /// Takes the sender and further headers; `$messageType` in a header's value becomes the
    /// template's name.
    ///
    /// # Errors
    /// When the address is none, or a name or header would break a mail.
    pub fn new(
        address: &str,
        name: Option<&str>,
        headers: &[(String, String)],
    ) -> Result<Self, LetterheadError> {
        let email: Address = address.parse().map_err(|_| LetterheadError::Sender(address.to_owned()))?;
        if !address.is_ascii() {
            return Err(LetterheadError::Sender(address.to_owned()));
        }
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = name.filter(|name| name.contains(char::is_control)) {
            return Err(LetterheadError::Name(name.to_owned()));
        }
        let headers = headers.iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?;
        Ok(Self { sender: Mailbox::new(name.map(str::to_owned), email), headers })
    }

    /// Writes the letter. The same slip and mail give the same bytes, so that a retry is no second mail.
    pub(super) fn write(
        &self,
        slip: &Slip,
        mail: &Mail,
        rendered: RenderedMail,
    ) -> Result<lettre::Message, DeliveryError> {
        let unwritable = |_| DeliveryError::Permanent(Failure::Recipient);
        let to: Address = mail.to.as_str().parse().map_err(unwritable)?;
        let mut letter = lettre::Message::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(None, to))
            .subject(rendered.subject)
            .date(slip.queued_at.into())
            .message_id(Some(format!("<{}@{}>", slip.id, self.sender.email.domain())))
            // RFC 3834: out-of-office programs do not answer.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        for (name, value) in &self.headers {
            let value = value.replace("$messageType", mail.template.name());
            letter = letter.raw_header(HeaderValue::new(name.clone(), value));
        }
        let html = SinglePart::html(rendered.html);
        match rendered.text {
            Some(text) => letter.multipart(
                MultiPart::alternative()
                    .boundary(format!("part-{}", slip.id.simple()))
                    .singlepart(SinglePart::plain(text))
                    .singlepart(html),
            ),
            None => letter.singlepart(html),
        }
        .map_err(|_| DeliveryError::Permanent(Failure::Unwritable))
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, String), LetterheadError> {
    let refused = || LetterheadError::Header(name.to_owned());
    let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !token || OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) || value.contains(char::is_control) {
        return Err(refused());
    }
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| refused())?;
    Ok((name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{MailFields, MailTemplate};
    use evident_domain::Email;
    use mail_parser::MessageParser;

    fn slip() -> Slip {
        Slip {
            id: uuid::Uuid::from_u128(7),
            queued_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            user: None,
            ip: None,
        }
    }

    fn write(letterhead: &Letterhead, rendered: RenderedMail) -> Vec<u8> {
        let to = Email::parse("ann@example.com").unwrap();
        let mail = Mail { template: MailTemplate::Recovery, to, fields: MailFields::default() };
        letterhead.write(&slip(), &mail, rendered).unwrap().formatted()
    }

    fn rendered(subject: &str) -> RenderedMail {
        RenderedMail { subject: subject.into(), html: "<p>Grüße</p>".into(), text: Some("Grüße".into()) }
    }

    #[test]
    fn a_letter_has_both_parts_and_says_who_when_and_which() {
        let headers = [("X-Kind".to_owned(), "auth-$messageType".to_owned())];
        let letterhead = Letterhead::new("no-reply@example.com", Some("Exämple, Inc."), &headers).unwrap();
        let bytes = write(&letterhead, rendered("Zurück zu dir"));
        assert!(bytes.is_ascii());
        let letter = MessageParser::default().parse(&bytes).unwrap();
        let from = letter.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Exämple, Inc."), Some("no-reply@example.com")));
        assert_eq!(letter.to().unwrap().first().unwrap().address(), Some("ann@example.com"));
        assert_eq!(letter.subject(), Some("Zurück zu dir"));
        assert_eq!(letter.message_id(), Some("00000000-0000-0000-0000-000000000007@example.com"));
        assert_eq!(letter.date().unwrap().to_rfc3339(), "2026-01-02T03:04:05Z");
        assert_eq!(letter.header("X-Kind").unwrap().as_text(), Some("auth-recovery"));
        assert_eq!(letter.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
        assert_eq!(letter.body_html(0).unwrap().trim(), "<p>Grüße</p>");
        assert_eq!(letter.body_text(0).unwrap().trim(), "Grüße");
        assert_eq!(bytes, write(&letterhead, rendered("Zurück zu dir")), "a retry writes the same bytes");
    }

    #[test]
    fn without_a_text_part_the_mail_is_html_alone() {
        let letterhead = Letterhead::new("no-reply@example.com", None, &[]).unwrap();
        let bytes = write(&letterhead, RenderedMail { text: None, ..rendered("x") });
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Content-Type: text/html; charset=utf-8"), "{text}");
        assert!(text.contains("From: no-reply@example.com\r\n"), "{text}");
    }

    #[test]
    fn settings_that_would_break_a_mail_are_refused() {
        for address in ["", "example.com", "a@b\r\nBcc: c@d", "a b@example.com"] {
            assert_eq!(
                Letterhead::new(address, None, &[]).unwrap_err(),
                LetterheadError::Sender(address.to_owned())
            );
        }
        assert!(matches!(
            Letterhead::new("a@b.c", Some("A\r\nBcc: x@y"), &[]),
            Err(LetterheadError::Name(_))
        ));
        for (name, value) in [("Bcc", "x"), ("X Y", "x"), ("", "x"), ("X-Y", "x\r\nBcc: y"), ("X:Y", "x")] {
            let headers = [(name.to_owned(), value.to_owned())];
            assert!(
                matches!(Letterhead::new("a@b.c", None, &headers), Err(LetterheadError::Header(_))),
                "{name}"
            );
        }
    }
}
