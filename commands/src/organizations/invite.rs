//! Inviting somebody into an organization.

use std::time::Duration;

use evident_domain::organization::{Action, By, Invite, Organization, OrganizationEvent};
use evident_domain::user::Account;
use evident_domain::{Email, InvitationId, OrganizationId, Subject, TeamId};

use super::{InvitationRow, OrganizationCaller, OrganizationError, OrganizationFailure, Roles};
use crate::Commands;
use crate::contact::Contact;
use crate::execute::UseCase;
use crate::messages::{Mail, MailFields, MailTemplate, Message};
use crate::unit::{Context, Unit};

/// The time in which only so many invitations go to one address.
const TIME_OF_INVITATIONS: Duration = Duration::from_secs(3600);

/// Somebody who is to be invited.
#[derive(Debug, Clone)]
pub struct InviteMember {
    /// Where to.
    pub organization: OrganizationId,
    /// Who: whoever has this address.
    pub email: String,
    /// The names of the roles that come with it.
    pub roles: Vec<String>,
    /// The teams that come with it.
    pub teams: Vec<TeamId>,
    /// An open invitation is sent once more, and is good for longer.
    pub resend: bool,
}

impl Commands {
    /// Invites somebody, and sends them a mail.
    ///
    /// # Errors
    /// When the caller may not, the person belongs there or is invited already, or there are too many
    /// invitations.
    pub async fn invite_member(
        &self,
        context: &Context,
        caller: OrganizationCaller,
        request: InviteMember,
    ) -> Result<InvitationRow, OrganizationFailure> {
        let email = Email::parse(&request.email)?;
        let case = InviteCase { commands: self, caller, request: &request, email };
        let id = self.execute(context, &case).await?;
        let row = self.invitation_row(id).await?;
        Ok(row.ok_or(OrganizationError::InvitationNotFound)?)
    }

    /// Where the mail of an invitation leads.
    fn invitation_link(&self, id: InvitationId) -> String {
        let path = self.settings().organizations.invitation_url.replace("{id}", &id.to_string());
        if path.starts_with('/') {
            format!("{}{path}", self.settings().site.site_url.trim_end_matches('/'))
        } else {
            path
        }
    }
}

struct InviteCase<'a> {
    commands: &'a Commands,
    caller: OrganizationCaller,
    request: &'a InviteMember,
    email: Email,
}

impl UseCase for InviteCase<'_> {
    type Output = InvitationId;
    type Error = OrganizationFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<InvitationId, OrganizationFailure> {
        let (commands, request, now) = (self.commands, self.request, unit.now());
        let settings = &commands.settings().organizations;
        let by = By::User(self.caller.user);
        let contact = Contact::Email(self.email.clone());
        let owner = contact.owner(unit.store()).await?;
        let roles = Roles::parse(request.roles.iter().map(String::as_str))?;
        let invite = Action::Invite(Invite {
            invitation: InvitationId(unit.store().entropy().uuid()),
            email: self.email.clone(),
            owner,
            roles: roles.clone(),
            teams: if settings.teams.enabled { request.teams.clone() } else { Vec::new() },
            resend: request.resend,
            now,
            expires_at: now + settings.invitation_lifetime,
        });
        let events = commands.tell_with_roles(unit, by, request.organization, invite, &roles).await?;
        let id = events.iter().find_map(|event| match event {
            OrganizationEvent::MemberInvited { invitation, .. }
            | OrganizationEvent::InvitationExtended { invitation, .. } => Some(*invitation),
            _ => None,
        });
        let id = id.ok_or(OrganizationError::InvitationNotFound)?;
        // The address is its owner's, where it is known whose it is: then it goes with them. Else it has a key
        // of its own, for whoever turns out to have it.
        let mut subject = Subject::Invitation(id);
        if let Some(owner) = owner {
            let account = unit.user(owner).await?.account();
            if account.is_some_and(|account| contact.is_confirmed_in(account)) {
                subject = Subject::User(owner);
            }
        }
        unit.seal_for::<Organization>(request.organization.0, subject.clone());
        commands.check_recipient(&self.email)?;
        commands.invite_recipient::<OrganizationFailure>(unit, &contact, TIME_OF_INVITATIONS).await?;
        let mail = self.mail(unit, id).await?;
        unit.send_naming(subject, self.caller.user, Message::Mail(mail));
        Ok(id)
    }
}

impl InviteCase<'_> {
    async fn mail(&self, unit: &mut Unit<'_>, id: InvitationId) -> Result<Mail, OrganizationFailure> {
        let inviter = unit.user(self.caller.user).await?.account();
        let inviter = inviter.map(called).ok_or(OrganizationFailure::NoAccount)?;
        let organization = unit.read::<Organization>(self.request.organization.0).await?;
        let organization = organization.active().ok_or(OrganizationError::NotFound)?;
        let role = organization.invitations.get(&id).map(|open| open.roles.to_string()).unwrap_or_default();
        let site_url = self.commands.settings().site.site_url.clone();
        Ok(Mail {
            template: MailTemplate::OrganizationInvitation,
            to: self.email.clone(),
            fields: MailFields {
                confirmation_url: self.commands.invitation_link(id),
                email: self.email.to_string(),
                sending_to: self.email.to_string(),
                redirect_to: site_url.clone(),
                site_url,
                organization: organization.name.clone(),
                inviter,
                role,
                ..MailFields::default()
            },
        })
    }
}

/// What a person is called in mails to others.
fn called(account: &Account) -> String {
    let name = ["name", "full_name"].into_iter().find_map(|key| account.user_metadata.text(key));
    let name = name.filter(|name| !name.trim().is_empty()).map(str::to_owned);
    let email = || account.email.as_ref().map(|email| email.value.to_string());
    name.or_else(email).unwrap_or_default()
}
