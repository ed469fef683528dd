//! Providers, sign-ins under way, messages, and what was refused.

use evident_domain::attempt::{AdminRefusal, AttemptEvent, SignInRefusal};
use evident_domain::flow::FlowEvent;
use evident_domain::hold::HoldEvent;
use evident_domain::provider::ProviderEvent;
use evident_domain::publication::LogEvent;
use evident_domain::recipient::RecipientEvent;
use evident_domain::sso_provider::SsoProviderEvent;

use super::{Names, list, moment, shown, word};

pub(super) fn provider(event: &ProviderEvent, id: &str) -> String {
    match event {
        ProviderEvent::Registered { identifier, .. } => {
            format!("the provider {identifier} was registered to sign in with")
        }
        ProviderEvent::Changed { .. } => format!("the provider {id} was described anew"),
        ProviderEvent::Removed {} => format!("the provider {id} was removed"),
    }
}

pub(super) fn sso_provider(event: &SsoProviderEvent, id: &str) -> String {
    match event {
        SsoProviderEvent::Registered { entity_id, .. } => {
            format!("the identity provider {entity_id} was registered")
        }
        SsoProviderEvent::MetadataReplaced { .. } => format!("the identity provider {id} has other metadata"),
        SsoProviderEvent::AttributesMapped { .. } => {
            format!("attributes of the identity provider {id} are read in another way")
        }
        SsoProviderEvent::NameIdFormatChosen { .. } => {
            format!("the identity provider {id} is asked for names of another form")
        }
        SsoProviderEvent::DomainsChanged { added, removed } => format!(
            "domains of the identity provider {id} changed: {} came, {} went",
            or_none(&list(added.iter().map(String::as_str))),
            or_none(&list(removed.iter().map(String::as_str))),
        ),
        SsoProviderEvent::Renamed { .. } => format!("the identity provider {id} is called something else"),
        SsoProviderEvent::Disabled {} => format!("nobody may sign in by the identity provider {id} for now"),
        SsoProviderEvent::Enabled {} => format!("the identity provider {id} may be used again"),
        SsoProviderEvent::Removed {} => format!("the identity provider {id} was removed"),
    }
}

fn or_none(list: &str) -> &str {
    if list.is_empty() { "none" } else { list }
}

pub(super) fn flow(event: &FlowEvent, names: &Names) -> String {
    match event {
        FlowEvent::Started { purpose, provider, .. } => match provider {
            Some(provider) => format!("a sign-in through {provider} began ({})", word(purpose)),
            None => format!("a sign-in in steps began ({})", word(purpose)),
        },
        FlowEvent::Returned { .. } => "somebody came back from a provider".to_owned(),
        FlowEvent::Authenticated { user, method, .. } => {
            format!("{} showed who they are ({method}), and a code awaits the client", names.user(*user))
        }
        FlowEvent::Redeemed { user, .. } => {
            format!("the client fetched the session of {}", names.user(*user))
        }
        FlowEvent::Answered { user, accepted, .. } => {
            let who = user.map_or_else(|| "somebody unknown".to_owned(), |user| names.user(user));
            let how = if *accepted { "was good" } else { "was refused" };
            format!("the answer of a passkey of {who} {how}")
        }
    }
}

pub(super) fn recipient(event: &RecipientEvent) -> String {
    match event {
        RecipientEvent::MessageAskedFor { kind, .. } => {
            format!("a message was asked for at an address ({})", word(kind))
        }
        RecipientEvent::Answered {} => "whoever has an address answered a message".to_owned(),
        RecipientEvent::CodeIssued { purpose, .. } => {
            format!("a code for an address was made ({})", word(purpose))
        }
        RecipientEvent::CodeMissed { purpose } => {
            format!("a wrong code was given for an address ({})", word(purpose))
        }
        RecipientEvent::CodeExhausted { purpose } => {
            format!("too many wrong codes were given for an address ({})", word(purpose))
        }
        RecipientEvent::CodeRedeemed { purpose } => {
            format!("the code of an address was used ({})", word(purpose))
        }
    }
}

pub(super) fn hold(event: &HoldEvent) -> String {
    match event {
        HoldEvent::Placed { scope, reason, by, until, .. } => {
            let until = until.map_or_else(String::new, |until| format!(" until {}", moment(until)));
            format!("{} ordered that {scope} is kept{until}: {}", shown(by), shown(reason))
        }
        HoldEvent::Lifted { scope, by, .. } => {
            format!("{} said that {scope} need not be kept any longer", shown(by))
        }
    }
}

pub(super) fn log(event: &LogEvent) -> String {
    match event {
        LogEvent::Pruned { minimum, policy } => {
            format!("the log hands out entries from number {minimum} on, as {policy} says")
        }
        LogEvent::KeyRotated { key, both_until, .. } => {
            let until = moment(*both_until);
            format!("the log is signed by the key {key}, and until {until} by the one before it, too")
        }
        LogEvent::Renamed { key, former } => {
            format!("the log goes on by itself: its key is {key}, no longer {former}")
        }
    }
}

pub(super) fn attempt(event: &AttemptEvent, names: &Names) -> String {
    match event {
        AttemptEvent::SignInFailed { identifier, user, reason, .. } => {
            let whose = user.map(|user| format!(", the account of {}", names.user(user)));
            let whose = whose.unwrap_or_default();
            format!("a sign-in as {}{whose} was refused: {}", shown(identifier), refused(*reason))
        }
        AttemptEvent::SignUpRepeated { user, provider } => {
            format!("somebody signed up with the {provider} of {}, which is taken", names.user(*user))
        }
        AttemptEvent::AdminDenied { operation, reason } => {
            format!("a call of {operation} was refused: {}", denied(*reason))
        }
        AttemptEvent::RefreshTokenReused { user, .. } => {
            format!("a used refresh token of {} was presented again", names.user(*user))
        }
        AttemptEvent::AuthenticatorSuspected { user, .. } => {
            format!("somebody may have a copy of an authenticator of {}", names.user(*user))
        }
    }
}

const fn refused(reason: SignInRefusal) -> &'static str {
    match reason {
        SignInRefusal::UnknownAccount => "nobody has it",
        SignInRefusal::WrongPassword => "wrong password",
        SignInRefusal::Banned => "the account is banned",
        SignInRefusal::NotConfirmed => "it is not confirmed",
        SignInRefusal::InvalidToken => "the code or link is wrong, used or too old",
        SignInRefusal::RejectedByHook => "a hook refused",
    }
}

const fn denied(reason: AdminRefusal) -> &'static str {
    match reason {
        AdminRefusal::NoToken => "there was no token",
        AdminRefusal::BadToken => "the token is not good",
        AdminRefusal::NotAdmin => "the token's role may not",
    }
}
