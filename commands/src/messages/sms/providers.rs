//! The text message services that are known: where they are, what they want to be told, how they answer.

use serde_json::Value;

use super::super::SmsChannel;
use crate::settings::SmsAccount;

/// A text message service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsProvider {
    /// Twilio's messages.
    Twilio,
    /// Twilio Verify: it makes and checks the codes itself.
    TwilioVerify,
    /// MessageBird.
    MessageBird,
    /// Textlocal.
    Textlocal,
    /// Vonage.
    Vonage,
}

/// What a service is told and how it answers.
pub(super) struct Description {
    pub(super) provider: SmsProvider,
    /// Its address.
    pub(super) base: &'static str,
    /// Where messages go; `{account}` and `{sender}` are the owner's.
    pub(super) path: &'static str,
    pub(super) auth: Auth,
    /// The form for a message.
    pub(super) fields: &'static [Field],
    /// Where in the answer the message's id stands (RFC 6901).
    pub(super) message_id: &'static str,
    /// What in an answer with a good status says that it failed all the same.
    pub(super) failed: &'static [Failed],
    /// Where the number of an error stands.
    pub(super) error: &'static [&'static str],
    /// How codes are checked, by a service that makes them.
    pub(super) check: Option<Check>,
}

/// How a service knows the owner.
#[derive(Debug, Clone, Copy)]
pub(super) enum Auth {
    /// User name and password (RFC 7617): account and secret.
    Basic,
    /// `Authorization: AccessKey <key>`
    AccessKey,
    /// By fields of the form.
    InForm,
}

/// A field of a form, and what is in it.
pub(super) type Field = (&'static str, Holds);

/// What is in a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    /// The number, digits alone.
    Digits,
    /// The number with `+`.
    Number,
    /// The number as WhatsApp's: `whatsapp:+…`
    WhatsappNumber,
    /// Who sends: a number, a name, or a pool of numbers.
    Sender,
    /// The same; a number becomes WhatsApp's.
    WhatsappSender,
    /// What the message says.
    Text,
    /// The code alone.
    Code,
    /// The code as a variable of a template: `{"1":"123456"}`
    CodeVariable,
    /// The id of that template.
    Template,
    /// `sms` or `whatsapp`.
    Channel,
    /// `unicode` for texts beyond ASCII, else `text`.
    Encoding,
    /// The owner's account.
    Account,
    /// The owner's secret.
    Secret,
    /// Always this.
    Always(&'static str),
}

/// What in an answer says that it failed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failed {
    /// There is this value.
    If(&'static str, &'static str),
    /// There is something else than this value.
    Unless(&'static str, &'static str),
    /// There is a zero.
    IfZero(&'static str),
}

impl Failed {
    pub(super) fn is_in(self, body: &Value) -> bool {
        match self {
            Self::If(pointer, value) => body.pointer(pointer).and_then(Value::as_str) == Some(value),
            Self::Unless(pointer, value) => body.pointer(pointer).and_then(Value::as_str) != Some(value),
            Self::IfZero(pointer) => body.pointer(pointer).and_then(Value::as_i64) == Some(0),
        }
    }
}

/// How codes are checked.
pub(super) struct Check {
    pub(super) path: &'static str,
    pub(super) fields: &'static [Field],
    /// Where the verdict stands, and what says yes.
    pub(super) verdict: (&'static str, &'static str),
}

impl SmsProvider {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Twilio, Self::TwilioVerify, Self::MessageBird, Self::Textlocal, Self::Vonage];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::TwilioVerify => "twilio_verify",
            Self::MessageBird => "messagebird",
            Self::Textlocal => "textlocal",
            Self::Vonage => "vonage",
        }
    }

    /// The service of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    pub(super) fn description(self) -> &'static Description {
        match self {
            Self::Twilio => &TWILIO,
            Self::TwilioVerify => &TWILIO_VERIFY,
            Self::MessageBird => &MESSAGEBIRD,
            Self::Textlocal => &TEXTLOCAL,
            Self::Vonage => &VONAGE,
        }
    }
}

impl Description {
    /// The form for a message by some channel.
    pub(super) fn fields_for(&self, channel: SmsChannel, account: &SmsAccount) -> &'static [Field] {
        match (self.provider, channel) {
            (SmsProvider::Twilio, SmsChannel::Whatsapp) if account.template.is_some() => {
                TWILIO_WHATSAPP_TEMPLATE
            }
            (SmsProvider::Twilio, SmsChannel::Whatsapp) => TWILIO_WHATSAPP_TEXT,
            _ => self.fields,
        }
    }
}

static TWILIO: Description = Description {
    provider: SmsProvider::Twilio,
    base: "https://api.twilio.com",
    path: "/2010-04-01/Accounts/{account}/Messages.json",
    auth: Auth::Basic,
    fields: &[
        ("To", Holds::Number),
        ("Channel", Holds::Channel),
        ("From", Holds::Sender),
        ("Body", Holds::Text),
    ],
    message_id: "/sid",
    failed: &[Failed::If("/status", "failed"), Failed::If("/status", "undelivered")],
    error: &["/code", "/error_code"],
    check: None,
};

const TWILIO_WHATSAPP_TEMPLATE: &[Field] = &[
    ("To", Holds::WhatsappNumber),
    ("Channel", Holds::Channel),
    ("From", Holds::WhatsappSender),
    ("ContentSid", Holds::Template),
    ("ContentVariables", Holds::CodeVariable),
];

const TWILIO_WHATSAPP_TEXT: &[Field] = &[
    ("To", Holds::WhatsappNumber),
    ("Channel", Holds::Channel),
    ("From", Holds::WhatsappSender),
    ("Body", Holds::Text),
];

static TWILIO_VERIFY: Description = Description {
    provider: SmsProvider::TwilioVerify,
    base: "https://verify.twilio.com",
    path: "/v2/Services/{sender}/Verifications",
    auth: Auth::Basic,
    fields: &[("To", Holds::Number), ("Channel", Holds::Channel)],
    message_id: "/sid",
    failed: &[Failed::If("/status", "canceled")],
    error: &["/code"],
    check: Some(Check {
        path: "/v2/Services/{sender}/VerificationCheck",
        fields: &[("To", Holds::Number), ("Code", Holds::Code)],
        verdict: ("/status", "approved"),
    }),
};

static MESSAGEBIRD: Description = Description {
    provider: SmsProvider::MessageBird,
    base: "https://rest.messagebird.com",
    path: "/messages",
    auth: Auth::AccessKey,
    fields: &[
        ("originator", Holds::Sender),
        ("body", Holds::Text),
        ("recipients", Holds::Digits),
        ("type", Holds::Always("sms")),
        ("datacoding", Holds::Always("unicode")),
    ],
    message_id: "/id",
    failed: &[Failed::IfZero("/recipients/totalSentCount")],
    error: &["/errors/0/code"],
    check: None,
};

static TEXTLOCAL: Description = Description {
    provider: SmsProvider::Textlocal,
    base: "https://api.textlocal.in",
    path: "/send",
    auth: Auth::InForm,
    fields: &[
        ("sender", Holds::Sender),
        ("apikey", Holds::Secret),
        ("message", Holds::Text),
        ("numbers", Holds::Digits),
    ],
    message_id: "/messages/0/id",
    failed: &[Failed::Unless("/status", "success")],
    error: &["/errors/0/code"],
    check: None,
};

static VONAGE: Description = Description {
    provider: SmsProvider::Vonage,
    base: "https://rest.nexmo.com",
    path: "/sms/json",
    auth: Auth::InForm,
    fields: &[
        ("from", Holds::Sender),
        ("to", Holds::Digits),
        ("text", Holds::Text),
        ("api_key", Holds::Account),
        ("api_secret", Holds::Secret),
        ("type", Holds::Encoding),
    ],
    message_id: "/messages/0/message-id",
    failed: &[Failed::Unless("/messages/0/status", "0")],
    error: &["/messages/0/status"],
    check: None,
};
