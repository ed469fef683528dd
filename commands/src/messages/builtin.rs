//! The mails as they read when nobody has written others.

use super::MailTemplate;

/// The text message with a code when no other is set.
pub(super) const SMS: &str = "Your code is {{ .Code }}";

/// One built-in mail: a heading, a sentence, maybe a link, maybe a closing sentence. Subject and
/// sentences are templates; they hold no markup, so that the HTML part and the text part say the same.
struct Wording {
    subject: &'static str,
    heading: &'static str,
    sentence: &'static str,
    link: Option<&'static str>,
    closing: Option<&'static str>,
}

const IGNORE: Option<&str> = Some("If you did not ask for this, you can safely ignore this mail.");
const NOT_YOU: Option<&str> = Some("If this was not you, please contact support right away.");

/// The subject of a built-in mail.
pub(super) fn subject(template: MailTemplate) -> &'static str {
    wording(template).subject
}

/// The HTML part of a built-in mail.
pub(super) fn html(template: MailTemplate) -> String {
    let Wording { heading, sentence, link, closing, .. } = wording(template);
    let mut html = format!("<h2>{heading}</h2>\n\n<p>{sentence}</p>\n");
    if let Some(caption) = link {
        html.extend(["<p><a href=\"{{ .ConfirmationURL }}\">", caption, "</a></p>\n"]);
    }
    if let Some(closing) = closing {
        html.extend(["<p>", closing, "</p>\n"]);
    }
    html
}

/// The text part of a built-in mail.
pub(super) fn text(template: MailTemplate) -> String {
    let Wording { heading, sentence, link, closing, .. } = wording(template);
    let mut text = format!("{heading}\n\n{sentence}\n");
    if link.is_some() {
        text += "\n{{ .ConfirmationURL }}\n";
    }
    if let Some(closing) = closing {
        text.extend(["\n", closing, "\n"]);
    }
    text
}

fn wording(template: MailTemplate) -> Wording {
    match template {
        MailTemplate::Invite => Wording {
            subject: "You've been invited",
            heading: "You've been invited",
            sentence: "You have been invited to join {{ .SiteURL }}. Follow this link to accept:",
            link: Some("Accept invitation"),
            closing: None,
        },
        MailTemplate::Confirmation => Wording {
            subject: "Confirm your email address",
            heading: "Confirm your email address",
            sentence: "Welcome! Follow this link to confirm that {{ .Email }} is your address:",
            link: Some("Confirm email address"),
            closing: None,
        },
        MailTemplate::Recovery => Wording {
            subject: "Reset your password",
            heading: "Reset your password",
            sentence: "Follow this link to choose a new password:",
            link: Some("Reset password"),
            closing: IGNORE,
        },
        MailTemplate::MagicLink => Wording {
            subject: "Your sign-in link",
            heading: "Your sign-in link",
            sentence: "Follow this link to sign in:",
            link: Some("Sign in"),
            closing: None,
        },
        MailTemplate::EmailChange => Wording {
            subject: "Confirm your new email address",
            heading: "Confirm your new email address",
            sentence: "Follow this link to change your email address\
                       {{ if .Email }} from {{ .Email }}{{ end }} to {{ .NewEmail }}:",
            link: Some("Confirm new email address"),
            closing: IGNORE,
        },
        MailTemplate::Reauthentication => Wording {
            subject: "{{ .Token }} is your verification code",
            heading: "Confirm that it is you",
            sentence: "Enter this code to go on: {{ .Token }}",
            link: None,
            closing: None,
        },
        MailTemplate::DeleteAccount => Wording {
            subject: "Confirm that you want to delete your account",
            heading: "Delete your account",
            sentence: "Follow this link to delete your account {{ .Email }} for good:",
            link: Some("Delete my account"),
            closing: Some("If you did not ask for this, please change your password."),
        },
        MailTemplate::PasswordChangedNotification => Wording {
            subject: "Your password was changed",
            heading: "Your password was changed",
            sentence: "The password of your account {{ .Email }} has just been changed.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::EmailChangedNotification => Wording {
            subject: "Your email address was changed",
            heading: "Your email address was changed",
            sentence: "The email address of your account was changed from {{ .OldEmail }} to {{ .Email }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::PhoneChangedNotification => Wording {
            subject: "Your phone number was changed",
            heading: "Your phone number was changed",
            sentence: "The phone number of your account {{ .Email }} was changed\
                       {{ if .OldPhone }} from {{ .OldPhone }}{{ end }} to {{ .Phone }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::IdentityLinkedNotification => Wording {
            subject: "A new sign-in method was linked to your account",
            heading: "A new sign-in method was linked to your account",
            sentence: "One can now sign in to your account {{ .Email }} with {{ .Provider }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::IdentityUnlinkedNotification => Wording {
            subject: "A sign-in method was removed from your account",
            heading: "A sign-in method was removed from your account",
            sentence: "One can no longer sign in to your account {{ .Email }} with {{ .Provider }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::MfaFactorEnrolledNotification => Wording {
            subject: "A new verification method was added to your account",
            heading: "A new verification method was added to your account",
            sentence: "Your account {{ .Email }} now has another way to verify that it is you: {{ .FactorType }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::MfaFactorUnenrolledNotification => Wording {
            subject: "A verification method was removed from your account",
            heading: "A verification method was removed from your account",
            sentence: "Your account {{ .Email }} can no longer be verified with this method: {{ .FactorType }}.",
            link: None,
            closing: NOT_YOU,
        },
        MailTemplate::OrganizationInvitation => Wording {
            subject: "{{ .Inviter }} invited you to {{ .Organization }}",
            heading: "You have been invited",
            sentence: "{{ .Inviter }} invited you to join {{ .Organization }}. \
                       Follow this link, signed in with this address:",
            link: Some("Accept invitation"),
            closing: Some("If you do not know what this is about, you can safely ignore this mail."),
        },
    }
}
