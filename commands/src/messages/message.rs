//! What an outbox row holds: everything that is needed to write the message later.

use std::fmt;
use std::net::IpAddr;

use evident_domain::{Email, Metadata, Phone, Time};
use serde::{Deserialize, Serialize};

use super::LinkType;

/// A message that waits to be sent. Its JSON stands in the outbox until it is delivered, so its names
/// must go on being readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "messages are few and nearly all are mails")]
pub enum Message {
    /// A mail.
    Mail(Mail),
    /// Two mails that belong together.
    MailPair(MailPair),
    /// A text message.
    Sms(Sms),
    /// The news of an account that was made, for the hook that wants to know.
    UserCreated {},
}

/// A message as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// Where the request came from that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
}

/// The two mails of a change of address that both addresses have to agree to. Carriers that send mails
/// send both; a hook hears of them in one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPair {
    /// To the new address.
    pub new: Mail,
    /// To the current one.
    pub current: Mail,
}

/// A mail to one person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Which mail it is.
    pub template: MailTemplate,
    /// Who gets it.
    pub to: Email,
    /// What its template may show.
    #[serde(default)]
    pub fields: MailFields,
}

/// A text message. Its text is written when it is queued (see [`super::Templates::sms_text`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// Who gets it.
    pub to: Phone,
    /// What it says.
    pub text: String,
    /// The code alone, for services that write the text themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// By which way it goes.
    #[serde(default, skip_serializing_if = "SmsChannel::is_default")]
    pub channel: SmsChannel,
    /// What the code is for.
    #[serde(default, skip_serializing_if = "SmsUse::is_default")]
    pub usage: SmsUse,
    /// From when on the code is refused, so that the message is not worth sending any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

impl Sms {
    /// A text message that says something; what else is known of it is set on it.
    pub fn new(to: Phone, text: String) -> Self {
        let (channel, usage) = (SmsChannel::default(), SmsUse::default());
        Self { to, text, code: String::new(), channel, usage, expires_at: None }
    }
}

/// The ways that a text message can go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsChannel {
    /// As a text message.
    #[default]
    Sms,
    /// By WhatsApp, where the service can.
    Whatsapp,
}

impl SmsChannel {
    /// The name on the wire, of ours and of the services.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// The channel of a name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sms, Self::Whatsapp].into_iter().find(|channel| channel.as_str() == name)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the code of a text message is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsUse {
    /// To sign in, to confirm a number, to confirm that one is who signed in.
    #[default]
    Account,
    /// As a second factor.
    SecondFactor,
}

impl SmsUse {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The values that templates know, each under its GoTrue name. What a mail has no use for stays empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailFields {
    /// `SiteURL`: the application's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub site_url: String,
    /// `ConfirmationURL`: the link that proves the address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub confirmation_url: String,
    /// `Email`: the user's current address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// `Token`: the recipient's own code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// `TokenHash`: the code's hash, as it stands in the link.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_hash: String,
    /// `RedirectTo`: where the link leads in the end.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub redirect_to: String,
    /// `Data`: the user's own metadata.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub data: Metadata,
    /// `NewEmail`: the address that is to become the user's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub new_email: String,
    /// `SendingTo`: which of the two addresses of an e-mail change this mail goes to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sending_to: String,
    /// `OldEmail`: the address that was the user's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub old_email: String,
    /// `Phone`: the user's number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// `OldPhone`: the number that was the user's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub old_phone: String,
    /// `Provider`: the sign-in method that was linked or removed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// `FactorType`: the verification method that was added or removed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub factor_type: String,
    /// `Organization`: the organization that somebody is to join.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organization: String,
    /// `Inviter`: who invites.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub inviter: String,
    /// `Role`: what the invited person is to be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
}

/// The mails there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTemplate {
    /// An administrator invites somebody.
    Invite,
    /// A new account's address is to be confirmed.
    Confirmation,
    /// A password was forgotten.
    Recovery,
    /// Sign-in without a password.
    MagicLink,
    /// The address is to change; goes to the new one and to the current one.
    EmailChange,
    /// A code before a sensitive change.
    Reauthentication,
    /// The account is to be deleted.
    DeleteAccount,
    /// The password was changed.
    PasswordChangedNotification,
    /// The address was changed; goes to the old one.
    EmailChangedNotification,
    /// The phone number was changed.
    PhoneChangedNotification,
    /// A sign-in method was linked.
    IdentityLinkedNotification,
    /// A sign-in method was removed.
    IdentityUnlinkedNotification,
    /// A second factor was added.
    MfaFactorEnrolledNotification,
    /// A second factor was removed.
    MfaFactorUnenrolledNotification,
    /// A member of an organization invites somebody.
    OrganizationInvitation,
}

impl MailTemplate {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Invite,
        Self::Confirmation,
        Self::Recovery,
        Self::MagicLink,
        Self::EmailChange,
        Self::Reauthentication,
        Self::DeleteAccount,
        Self::PasswordChangedNotification,
        Self::EmailChangedNotification,
        Self::PhoneChangedNotification,
        Self::IdentityLinkedNotification,
        Self::IdentityUnlinkedNotification,
        Self::MfaFactorEnrolledNotification,
        Self::MfaFactorUnenrolledNotification,
        Self::OrganizationInvitation,
    ];

    /// The name in settings and in the outbox: `confirmation`, `magic_link` …
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Confirmation => "confirmation",
            Self::Recovery => "recovery",
            Self::MagicLink => "magic_link",
            Self::EmailChange => "email_change",
            Self::Reauthentication => "reauthentication",
            Self::DeleteAccount => "delete_account",
            Self::PasswordChangedNotification => "password_changed_notification",
            Self::EmailChangedNotification => "email_changed_notification",
            Self::PhoneChangedNotification => "phone_changed_notification",
            Self::IdentityLinkedNotification => "identity_linked_notification",
            Self::IdentityUnlinkedNotification => "identity_unlinked_notification",
            Self::MfaFactorEnrolledNotification => "mfa_factor_enrolled_notification",
            Self::MfaFactorUnenrolledNotification => "mfa_factor_unenrolled_notification",
            Self::OrganizationInvitation => "organization_invitation",
        }
    }

    /// The template of a name, in either case (`MAGIC_LINK` as environment variables spell it).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name().eq_ignore_ascii_case(name))
    }

    /// The type of the link in the mail; none for codes and notifications.
    pub fn link_type(self) -> Option<LinkType> {
        match self {
            Self::Invite => Some(LinkType::Invite),
            Self::Confirmation => Some(LinkType::Signup),
            Self::Recovery => Some(LinkType::Recovery),
            Self::MagicLink => Some(LinkType::MagicLink),
            Self::EmailChange => Some(LinkType::EmailChange),
            _ => None,
        }
    }
}

impl fmt::Display for MailTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Addresses, codes and links stay out of logs, so `Debug` shows only which mail it is.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({}, …)", self.template)
    }
}

impl fmt::Debug for MailFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailFields(…)")
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sms(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sms(text: &str) -> Sms {
        Sms::new(Phone::parse("+15550001111").unwrap(), text.to_owned())
    }

    fn recovery() -> Message {
        Message::Mail(Mail {
            template: MailTemplate::Recovery,
            to: Email::parse("ann@example.com").unwrap(),
            fields: MailFields {
                confirmation_url: "https://x.example/verify?token=abc".to_owned(),
                token: "123456".to_owned(),
                data: Metadata::default().with("full_name", "Ann"),
                ..MailFields::default()
            },
        })
    }

    #[test]
    fn an_outbox_row_holds_only_what_the_mail_needs_and_is_read_back_whole() {
        let row = serde_json::to_value(recovery()).unwrap();
        assert_eq!(
            row,
            json!({"kind": "mail", "template": "recovery", "to": "ann@example.com", "fields": {
                "confirmation_url": "https://x.example/verify?token=abc",
                "token": "123456",
                "data": {"full_name": "Ann"},
            }})
        );
        assert_eq!(serde_json::from_value::<Message>(row).unwrap(), recovery());

        let sms = Message::Sms(sms("Hello"));
        let row = serde_json::to_value(&sms).unwrap();
        assert_eq!(row, json!({"kind": "sms", "to": "15550001111", "text": "Hello"}));
        assert_eq!(serde_json::from_value::<Message>(row.clone()).unwrap(), sms);

        let ip = Some("192.0.2.7".parse().unwrap());
        let queued = Queued { message: sms, ip };
        let mut expected = row.clone();
        expected["ip"] = json!("192.0.2.7");
        assert_eq!(serde_json::to_value(&queued).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Queued>(expected).unwrap(), queued);
        assert_eq!(serde_json::from_value::<Queued>(row).unwrap(), Queued { ip: None, ..queued });
    }

    #[test]
    fn debug_shows_no_address_no_code_and_no_link() {
        let sms = Message::Sms(Sms { code: "123456".to_owned(), ..sms("123456") });
        let shown = format!("{:?} {:?}", recovery(), sms);
        for secret in ["ann", "example", "123456", "Ann", "1555"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("recovery"));
    }

    #[test]
    fn every_template_is_found_by_its_name_in_either_case() {
        for template in MailTemplate::ALL {
            assert_eq!(MailTemplate::from_name(template.name()), Some(template));
            assert_eq!(MailTemplate::from_name(&template.name().to_uppercase()), Some(template));
            assert_eq!(serde_json::to_value(template).unwrap(), json!(template.name()));
        }
        assert_eq!(MailTemplate::from_name("welcome"), None);
    }
}
