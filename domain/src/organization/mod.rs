//! An organization: members and their roles, invitations, teams.

mod command;
mod decide;
mod error;
mod event;
mod invitations;
mod members;
mod state;
mod teams;

pub use crate::access::{ADMIN, AccessControl, MEMBER, NoRole, OWNER, Permissions, Roles};
pub use command::{Action, By, Create, FirstTeam, Invite, OrganizationCommand, Policy, Recipient, Update};
pub use error::OrganizationError;
pub use event::OrganizationEvent;
pub use state::{Active, Invitation, Member, Organization, Team, team_member_id};

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::described;
use crate::root::Root;
use crate::{Event, OrganizationId, StreamKind, Subject, Time};

described! {
    /// How a membership ended.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Departure {
        /// The member went.
        Left,
        /// Somebody who may do so removed the member.
        Removed,
        /// The member's account was closed or erased.
        AccountClosed,
    }
}

described! {
    /// Why an invitation was taken back.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum InvitationEnd {
        /// Somebody who may do so took it back.
        Canceled,
        /// The address was invited once more.
        Superseded,
        /// Who invited is no member any more, or may not give such a role any more.
        InviterLostAccess,
        /// The invited person was forgotten.
        RecipientErased,
    }
}

impl Root for Organization {
    const KIND: StreamKind = StreamKind::Organization;

    fn decide(&self, command: OrganizationCommand) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.decided(command)
    }

    fn fold(&mut self, event: &OrganizationEvent) {
        self.take_in(event);
    }

    fn own(event: &Event) -> Option<&OrganizationEvent> {
        if let Event::Organization(event) = event { Some(event) } else { None }
    }

    fn subject(&self, id: Uuid, _: Time) -> Subject {
        Subject::Organization(OrganizationId(id))
    }
}

impl Aggregate for Organization {
    const TYPE: &'static str = "organization";
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = OrganizationError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.decided(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.take_in(&event);
    }
}
