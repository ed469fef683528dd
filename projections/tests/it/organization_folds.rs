//! The folds of organizations by themselves: these events, then these rows.

use chrono::DateTime;
use evident_domain::organization::{
    Departure, InvitationEnd, OrganizationEvent, Permissions, Roles, team_member_id,
};
use evident_domain::{
    Actor, Email, EventId, InvitationId, MemberId, Metadata, OrganizationId, OrganizationRoleId, Personal,
    Position, Provenance, Recorded, StreamId, Subject, Surface, TeamId, Time, UserId,
};
use evident_projections::Fold;
use evident_projections::folds::{
    InvitationRow, InvitationStatus, MemberRow, OrganizationRoleRow, OrganizationRow, Parts, TeamMemberRow,
    TeamRow,
};
use uuid::Uuid;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
const ANN: UserId = UserId(Uuid::from_u128(2));
const BEA: UserId = UserId(Uuid::from_u128(3));
const INVITATION: InvitationId = InvitationId(Uuid::from_u128(4));
const TEAM: TeamId = TeamId(Uuid::from_u128(5));
const ROLE: OrganizationRoleId = OrganizationRoleId(Uuid::from_u128(6));

fn at(n: usize) -> Time {
    DateTime::from_timestamp(1_795_000_000 + i64::try_from(n).unwrap(), 0).unwrap()
}

/// Folds events, which happen a second apart, the first at second 1, sealed for somebody.
fn fold_for<F: Fold>(subject: &Subject, events: impl IntoIterator<Item = OrganizationEvent>) -> Option<F> {
    let mut group: Option<F> = None;
    for (n, event) in (1..).zip(events) {
        let event = Recorded {
            position: Position(n as u64),
            id: EventId(Uuid::from_u128(n as u128)),
            stream: StreamId::organization(ACME),
            sequence: n as u64,
            occurred_at: at(n),
            subject: Some(subject.clone()),
            provenance: Provenance::internal(Actor::User { id: ANN }, Surface::Gotrue, Uuid::nil()),
            event: event.into(),
        };
        for key in F::keys(&event) {
            group = F::apply(group, &event, &key);
        }
    }
    // What a fold writes it reads back.
    let rows = group.as_ref().map(|group| group.rows(&ACME.to_string())).unwrap_or_default();
    assert_eq!(F::from_rows(rows).unwrap(), group);
    group
}

fn fold<F: Fold>(events: impl IntoIterator<Item = OrganizationEvent>) -> Option<F> {
    fold_for(&Subject::Organization(ACME), events)
}

/// Ann makes the organization (event 1), then more happens (2 …).
fn acme(more: impl IntoIterator<Item = OrganizationEvent>) -> Vec<OrganizationEvent> {
    let created = OrganizationEvent::Created {
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        logo: Some("https://example.com/a.png".to_owned()),
        metadata: Some(Metadata::default().with("plan", "pro")),
        user: ANN,
        member: MemberId(ANN.0),
        roles: Roles::one("owner"),
    };
    std::iter::once(created).chain(more).collect()
}

fn joined(user: UserId, role: &str) -> OrganizationEvent {
    let roles = Roles::parse([role]).unwrap();
    OrganizationEvent::MemberAdded { member: MemberId(user.0), user, roles, invitation: None }
}

fn left(user: UserId) -> OrganizationEvent {
    OrganizationEvent::MemberRemoved { member: MemberId(user.0), user, departure: Departure::Left }
}

fn invited(email: Personal<Email>) -> OrganizationEvent {
    OrganizationEvent::MemberInvited {
        invitation: INVITATION,
        email,
        roles: Roles::parse(["admin,member"]).unwrap(),
        teams: vec![TEAM],
        inviter: ANN,
        at: at(50),
        expires_at: at(100),
    }
}

fn bea() -> Personal<Email> {
    Email::parse("bea@example.com").unwrap().into()
}

fn team() -> OrganizationEvent {
    OrganizationEvent::TeamCreated { team: TEAM, name: "Crew".to_owned() }
}

fn in_team(user: UserId) -> OrganizationEvent {
    OrganizationEvent::TeamMemberAdded { team: TEAM, user }
}

fn updated(logo: Option<&str>, metadata: Option<Metadata>) -> OrganizationEvent {
    let (name, slug) = (Some("Acme Ltd".to_owned()), Some("acme-ltd".to_owned()));
    OrganizationEvent::Updated { name, slug, logo: logo.map(str::to_owned), metadata }
}

#[test]
fn an_organization_has_a_row_until_it_ends() {
    let row: OrganizationRow = fold(acme([])).unwrap();
    assert_eq!((row.id, row.name.as_str(), row.slug.as_str()), (ACME, "Acme", "acme"));
    assert_eq!(row.metadata.as_deref(), Some(r#"{"plan":"pro"}"#));
    assert_eq!((row.logo.as_deref(), row.created_at), (Some("https://example.com/a.png"), at(1)));
    let row: OrganizationRow = fold(acme([updated(None, None)])).unwrap();
    assert_eq!((row.name.as_str(), row.slug.as_str()), ("Acme Ltd", "acme-ltd"));
    assert!(row.logo.is_some() && row.metadata.is_some());
    let row: OrganizationRow = fold(acme([updated(Some(""), Some(Metadata::default()))])).unwrap();
    assert_eq!((row.logo, row.metadata), (None, None));
    let all = [joined(BEA, "member"), invited(bea()), team(), in_team(BEA), OrganizationEvent::Deleted {}];
    assert_eq!(fold::<OrganizationRow>(acme(all.clone())), None);
    assert_eq!(fold::<Parts<MemberRow>>(acme(all.clone())), None);
    assert_eq!(fold::<Parts<InvitationRow>>(acme(all.clone())), None);
    assert_eq!(fold::<Parts<TeamRow>>(acme(all.clone())), None);
    assert_eq!(fold::<Parts<TeamMemberRow>>(acme(all)), None);
}

#[test]
fn members_come_with_their_roles_and_go() {
    let Parts(rows): Parts<MemberRow> = fold(acme([joined(BEA, "member")])).unwrap();
    assert_eq!(rows[&ANN.0].role, "owner");
    assert_eq!((rows[&BEA.0].role.as_str(), rows[&BEA.0].created_at), ("member", at(2)));
    let roles = Roles::parse(["member,admin"]).unwrap();
    let changed = OrganizationEvent::MemberRoleChanged { member: MemberId(BEA.0), user: BEA, roles };
    let Parts(rows): Parts<MemberRow> = fold(acme([joined(BEA, "member"), changed])).unwrap();
    assert_eq!(rows[&BEA.0].role, "member,admin");
    let Parts(rows): Parts<MemberRow> = fold(acme([joined(BEA, "member"), left(BEA)])).unwrap();
    assert_eq!(rows.into_keys().collect::<Vec<_>>(), [ANN.0]);
}

#[test]
fn an_invitation_keeps_its_row_with_what_became_of_it() {
    let after = |event| {
        let Parts(rows): Parts<InvitationRow> = fold(acme([invited(bea()), event])).unwrap();
        rows[&INVITATION.0].clone()
    };
    let extended = OrganizationEvent::InvitationExtended { invitation: INVITATION, expires_at: at(200) };
    let row = after(extended);
    assert_eq!((row.status, row.email.as_str()), (InvitationStatus::Pending, "bea@example.com"));
    assert_eq!((row.created_at, row.expires_at, row.role.as_str()), (at(50), at(200), "admin,member"));
    assert!(row.is_open(at(199)) && !row.is_open(at(200)));
    let row = after(OrganizationEvent::InvitationAccepted { invitation: INVITATION, user: BEA });
    assert_eq!((row.status, row.user_id), (InvitationStatus::Accepted, Some(BEA)));
    let row = after(OrganizationEvent::InvitationRejected { invitation: INVITATION, user: BEA });
    assert_eq!((row.status, row.user_id), (InvitationStatus::Rejected, Some(BEA)));
    for end in [InvitationEnd::Canceled, InvitationEnd::Superseded, InvitationEnd::InviterLostAccess] {
        let row = after(OrganizationEvent::InvitationCanceled { invitation: INVITATION, end });
        assert_eq!((row.status, row.user_id), (InvitationStatus::Canceled, None));
    }
}

#[test]
fn an_invitation_of_somebody_who_is_forgotten_leaves_no_row_readable_or_not() {
    let end = InvitationEnd::RecipientErased;
    let forgotten = || OrganizationEvent::InvitationCanceled { invitation: INVITATION, end };
    for email in [bea(), Personal::Erased] {
        let accepted = OrganizationEvent::InvitationAccepted { invitation: INVITATION, user: BEA };
        assert_eq!(fold::<Parts<InvitationRow>>(acme([invited(email), accepted, forgotten()])), None);
    }
}

#[test]
fn an_invitation_tells_whom_it_means_where_that_is_known() {
    let subject = Subject::User(BEA);
    let Parts(rows): Parts<InvitationRow> = fold_for(&subject, [invited(bea())]).unwrap();
    assert_eq!(rows[&INVITATION.0].user_id, Some(BEA));
    let Parts(rows): Parts<InvitationRow> = fold([invited(bea())]).unwrap();
    assert_eq!(rows[&INVITATION.0].user_id, None);
}

#[test]
fn teams_and_who_is_in_them() {
    let Parts(rows): Parts<TeamRow> = fold(acme([team()])).unwrap();
    assert_eq!(rows[&TEAM.0].updated_at, None, "it came with the organization");
    let later = acme([joined(BEA, "member"), team()]);
    let Parts(rows): Parts<TeamRow> = fold(later.clone()).unwrap();
    assert_eq!((rows[&TEAM.0].created_at, rows[&TEAM.0].updated_at), (at(3), Some(at(3))));
    let renamed = OrganizationEvent::TeamRenamed { team: TEAM, name: "Ground".to_owned() };
    let Parts(rows): Parts<TeamRow> = fold(later.clone().into_iter().chain([renamed])).unwrap();
    assert_eq!((rows[&TEAM.0].name.as_str(), rows[&TEAM.0].updated_at), ("Ground", Some(at(4))));

    let with_bea = || later.clone().into_iter().chain([in_team(BEA)]);
    let Parts(rows): Parts<TeamMemberRow> = fold(with_bea()).unwrap();
    let row = &rows[&team_member_id(TEAM, BEA)];
    assert_eq!((row.team_id, row.user_id, row.created_at), (TEAM, BEA, at(4)));
    let out = OrganizationEvent::TeamMemberRemoved { team: TEAM, user: BEA };
    for end in [out, left(BEA), OrganizationEvent::TeamRemoved { team: TEAM }] {
        assert_eq!(fold::<Parts<TeamMemberRow>>(with_bea().chain([end])), None);
    }
}

#[test]
fn a_role_of_its_own_has_a_row_until_it_is_deleted() {
    let defined = |name: &str| OrganizationEvent::RoleDefined {
        role: ROLE,
        name: name.to_owned(),
        permissions: Permissions::of(&[("invitation", &["create"])]),
    };
    let Parts(rows): Parts<OrganizationRoleRow> = fold(acme([defined("scout")])).unwrap();
    assert_eq!((rows[&ROLE.0].created_at, rows[&ROLE.0].updated_at), (at(2), None));
    let Parts(rows): Parts<OrganizationRoleRow> = fold(acme([defined("scout"), defined("guide")])).unwrap();
    let row = &rows[&ROLE.0];
    assert_eq!((row.role.as_str(), row.created_at, row.updated_at), ("guide", at(2), Some(at(3))));
    let deleted = OrganizationEvent::RoleDeleted { role: ROLE, name: "scout".to_owned() };
    assert_eq!(fold::<Parts<OrganizationRoleRow>>(acme([defined("scout"), deleted])), None);
}
