//! Accounts: how they begin, change and end.

use evident_domain::user::{SignUpMethod, TokenPurpose, UserEvent};

use super::{factors, list, moment, shown};

pub(super) fn sentence(event: &UserEvent, who: &str) -> String {
    match event {
        UserEvent::SignedUp { method, .. } => format!("{who} {}", signed_up(*method)),
        UserEvent::EmailConfirmed {} => format!("the address of {who} was confirmed"),
        UserEvent::PhoneConfirmed {} => format!("the number of {who} was confirmed"),
        UserEvent::EmailChangeRequested { new_email } => {
            format!("{who} is to have the address {}, once it is confirmed", shown(new_email))
        }
        UserEvent::EmailChanged { email } => format!("the address of {who} became {}", shown(email)),
        UserEvent::EmailAdopted { email: Some(email), .. } => {
            format!("{who} took the address {} from an identity", shown(email))
        }
        UserEvent::EmailAdopted { email: None, .. } => {
            format!("{who} lost the address that came with an identity")
        }
        UserEvent::PhoneChangeRequested { new_phone } => {
            format!("{who} is to have the number {}, once it is confirmed", shown(new_phone))
        }
        UserEvent::PhoneChanged { phone } => format!("the number of {who} became {}", shown(phone)),
        UserEvent::PhoneRemoved {} => format!("the number of {who} was removed"),
        UserEvent::OneTimeTokenIssued { purpose, .. } => {
            format!("a code or link was sent to {who} {}", to(*purpose))
        }
        UserEvent::OneTimeTokenMissed { purpose } => {
            format!("a wrong code was given for {who} {}", to(*purpose))
        }
        UserEvent::OneTimeTokenRedeemed { purpose } => {
            format!("{who} used the code or link {}", to(*purpose))
        }
        UserEvent::PasswordChanged { .. } => format!("{who} got a new password"),
        UserEvent::PasswordRehashed { .. } => {
            format!("the password of {who} was stored under today's hash function")
        }
        UserEvent::PasswordRemoved {} => {
            format!("the password of {who} was removed: whoever set it had not shown who they are")
        }
        UserEvent::PasswordWithheld {} => {
            format!("the password of {who} opens nothing until its owner shows who they are")
        }
        UserEvent::PasswordProven {} => format!("the password of {who} opens the account again"),
        UserEvent::Reclaimed {} => {
            format!("the owner of the address took over the account of {who}; what others had set up is void")
        }
        UserEvent::MetadataChanged { .. } => format!("the user data of {who} changed"),
        UserEvent::AppMetadataChanged { .. } => format!("the application's data on {who} changed"),
        UserEvent::RoleChanged { role } if role.is_empty() => format!("{who} has no role any more"),
        UserEvent::RoleChanged { role } => format!("{who} got the role {role}"),
        UserEvent::Banned { until, reason } => {
            let until = until.map_or_else(|| "without end".to_owned(), |at| format!("until {}", moment(at)));
            let reason = reason.as_ref().map(|reason| match reason.known() {
                Some(reason) => format!(" ({reason})"),
                None => " (reason erased)".to_owned(),
            });
            format!("{who} was banned {until}{}", reason.unwrap_or_default())
        }
        UserEvent::Unbanned {} => format!("the ban of {who} was lifted"),
        UserEvent::IdentityLinked { provider, .. } => format!("{who} may sign in by {provider}"),
        UserEvent::IdentityUpdated { signed_in, .. } => identity_updated(who, *signed_in),
        UserEvent::IdentityUnlinked { provider, .. } => format!("{who} may sign in by {provider} no longer"),
        UserEvent::ProviderTokensKept { .. } => {
            format!("what a provider handed out for calling it in the name of {who} was kept")
        }
        UserEvent::AdminRolesChanged { roles } => {
            format!("{who} got the roles {} among administrators of users", list(roles.iter()))
        }
        UserEvent::UsernameChanged { username: Some(username), .. } => {
            let username = username.known().map_or("(erased)", |name| name.as_str());
            format!("{who} is called {username} from now on")
        }
        UserEvent::UsernameChanged { username: None, .. } => format!("{who} has no user name any more"),
        UserEvent::Deleted { .. } => format!("the account of {who} was closed"),
        UserEvent::Erased {} => format!("{who} was erased: nothing that tells of the person can be read"),
        UserEvent::FactorEnrolled { .. }
        | UserEvent::FactorChallenged { .. }
        | UserEvent::FactorChallengeMissed { .. }
        | UserEvent::FactorVerified { .. }
        | UserEvent::FactorRenamed { .. }
        | UserEvent::FactorPhoneChanged { .. }
        | UserEvent::FactorRemoved { .. }
        | UserEvent::PasskeyAdded { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::PasskeyRenamed { .. }
        | UserEvent::PasskeyRemoved { .. }
        | UserEvent::MailFactorEnabled {}
        | UserEvent::TwoFactorDisabled {}
        | UserEvent::BackupCodesIssued { .. }
        | UserEvent::SecondStepBegun { .. }
        | UserEvent::SecondStepCodeSent { .. }
        | UserEvent::SecondStepMissed { .. }
        | UserEvent::SecondStepExhausted { .. }
        | UserEvent::SecondStepTaken { .. }
        | UserEvent::DeviceTrusted { .. } => factors::sentence(event, who),
    }
}

fn identity_updated(who: &str, signed_in: bool) -> String {
    if signed_in {
        format!("{who} came in by an identity, whose provider told its data anew")
    } else {
        format!("the data of an identity of {who} changed")
    }
}

const fn signed_up(method: SignUpMethod) -> &'static str {
    match method {
        SignUpMethod::Password => "signed up with a password",
        SignUpMethod::Admin => "got an account",
        SignUpMethod::Invited => "was invited",
        SignUpMethod::Imported => "was imported from another system",
        SignUpMethod::OneTimeToken => "signed up by a code or link",
        SignUpMethod::External => "signed up through another provider",
        SignUpMethod::Anonymous => "came without a name",
    }
}

const fn to(purpose: TokenPurpose) -> &'static str {
    match purpose {
        TokenPurpose::EmailConfirmation => "to confirm the address",
        TokenPurpose::PhoneConfirmation => "to confirm the number",
        TokenPurpose::Invitation => "to accept an invitation",
        TokenPurpose::Recovery => "to sign in or recover the account",
        TokenPurpose::EmailChangeNew => "to confirm another address, at that address",
        TokenPurpose::EmailChangeCurrent => "to confirm another address, at the present one",
        TokenPurpose::PhoneChange => "to confirm another number",
        TokenPurpose::Reauthentication => "to show again who they are",
        TokenPurpose::AccountDeletion => "to delete the account",
    }
}
