//! What an event changes: fields of what its stream is about, and their values from then on. What stood
//! there before follows from the events before it in the same stream.
//!
//! Secrets show only that they are there ([`evident_domain::disclosure`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use evident_domain::authorization::AuthorizationEvent;
use evident_domain::catalogue::samples;
use evident_domain::client::ClientEvent;
use evident_domain::consent::ConsentEvent;
use evident_domain::hold::HoldEvent;
use evident_domain::organization::OrganizationEvent;
use evident_domain::provider::ProviderEvent;
use evident_domain::publication::LogEvent;
use evident_domain::session::SessionEvent;
use evident_domain::sso_provider::SsoProviderEvent;
use evident_domain::user::UserEvent;
use evident_domain::{Event, StreamKind};
use serde_json::{Map, Value as Json};

/// A field that an event sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// `email`, `user_metadata.name`, `members.<user>.roles` …
    pub field: String,
    /// Its value from then on, `null` for none. `None` where it cannot be read any more.
    pub value: Option<Json>,
}

impl Effect {
    /// The first word of the field: events that set one field set others with the same.
    fn head(&self) -> &str {
        self.field.split('.').next().unwrap_or_default()
    }
}

/// What an event sets, in the order in which people would tell it.
pub fn effects(event: &Event) -> Vec<Effect> {
    let shown = event.disclosed();
    let mut effects = Effects { payload: shown.fields, erased: shown.erased, list: Vec::new() };
    match event {
        Event::User(event) => of_user(event, &mut effects),
        Event::Session(event) => of_session(event, &mut effects),
        Event::Organization(event) => of_organization(event, &mut effects),
        Event::SsoProvider(event) => of_sso_provider(event, &mut effects),
        Event::Provider(event) => match event {
            ProviderEvent::Registered { .. } => effects.copy(&["identifier", "definition", "client_secret"]),
            ProviderEvent::Changed { client_secret, .. } => {
                effects.copy(&["definition"]);
                if client_secret.is_some() {
                    effects.copy(&["client_secret"]);
                }
            }
            ProviderEvent::Removed {} => effects.clear(&["identifier", "definition", "client_secret"]),
        },
        Event::Client(event) => match event {
            ClientEvent::Registered { .. } => effects.copy(&["registration", "details", "secret"]),
            ClientEvent::Updated { .. } => effects.copy(&["details"]),
            ClientEvent::SecretRegenerated { .. } => effects.copy(&["secret"]),
            ClientEvent::Deleted {} => effects.clear(&["registration", "details", "secret"]),
        },
        Event::Consent(event) => match event {
            ConsentEvent::Given { .. } => effects.copy(&["scopes"]),
            ConsentEvent::Revoked { .. } => effects.clear(&["scopes"]),
        },
        Event::Authorization(event) => {
            let status = match event {
                AuthorizationEvent::Requested { .. } => "requested",
                AuthorizationEvent::Seen { .. } => "seen",
                AuthorizationEvent::Approved { .. } => "approved",
                AuthorizationEvent::Denied { .. } => "denied",
                AuthorizationEvent::CodeRedeemed { .. } => "redeemed",
            };
            effects.put("status", status);
        }
        Event::Hold(event) => match event {
            HoldEvent::Placed { hold, .. } => {
                for part in ["scope", "reason", "until"] {
                    effects.copy_as(format!("holds.{hold}.{part}"), part);
                }
            }
            HoldEvent::Lifted { hold, .. } => {
                for part in ["scope", "reason", "until"] {
                    effects.put(format!("holds.{hold}.{part}"), Json::Null);
                }
            }
        },
        Event::Log(event) => match event {
            LogEvent::Pruned { .. } => effects.copy(&["minimum", "policy"]),
            LogEvent::KeyRotated { .. } => effects.copy(&["key", "both_until"]),
            LogEvent::Renamed { .. } => effects.copy(&["key"]),
        },
        // Steps under way, what was tried in vain, what was read, and what is not there any more: nothing is
        // another after them.
        Event::Flow(_) | Event::Recipient(_) | Event::Attempt(_) | Event::Audit(_) | Event::Dropped(_) => {}
    }
    effects.list
}

/// The types of events that may have set what stands before the fields of some effects.
pub fn setters(kind: StreamKind, effects: &[Effect]) -> Vec<&'static str> {
    static BY_HEAD: OnceLock<BTreeMap<(StreamKind, String), BTreeSet<&'static str>>> = OnceLock::new();
    let by_head = BY_HEAD.get_or_init(|| {
        let mut known: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for sample in samples() {
            for effect in self::effects(&sample) {
                let key = (sample.stream_kind(), effect.head().to_owned());
                known.entry(key).or_default().insert(sample.kind().0);
            }
        }
        known
    });
    let heads: BTreeSet<&str> = effects.iter().map(Effect::head).collect();
    let types = heads.into_iter().filter_map(|head| by_head.get(&(kind, head.to_owned()))).flatten();
    types.copied().collect::<BTreeSet<_>>().into_iter().collect()
}

struct Effects {
    payload: Map<String, Json>,
    erased: Vec<&'static str>,
    list: Vec<Effect>,
}

impl Effects {
    fn put(&mut self, field: impl Into<String>, value: impl Into<Json>) {
        self.list.push(Effect { field: field.into(), value: Some(value.into()) });
    }

    /// A field of the payload under another name.
    fn copy_as(&mut self, field: impl Into<String>, payload: &str) {
        let readable = !self.erased.contains(&payload);
        let value = readable.then(|| self.payload.get(payload).cloned().unwrap_or_default());
        self.list.push(Effect { field: field.into(), value });
    }

    /// Fields of the payload.
    fn copy(&mut self, fields: &[&str]) {
        for field in fields {
            self.copy_as(*field, field);
        }
    }

    /// Fields of the payload that are there: what is not stays as it was.
    fn copy_present(&mut self, fields: &[&str]) {
        for field in fields {
            if self.erased.contains(field) || self.payload.get(*field).is_some_and(|value| !value.is_null()) {
                self.copy(&[field]);
            }
        }
    }

    fn clear(&mut self, fields: &[&str]) {
        for field in fields {
            self.put(*field, Json::Null);
        }
    }

    /// Each key of a patch; `null` removes one.
    fn merge(&mut self, field: &str, payload: &str) {
        match self.payload.get(payload).cloned() {
            Some(Json::Object(patch)) => {
                for (key, value) in patch {
                    self.put(format!("{field}.{key}"), value);
                }
            }
            _ if self.erased.contains(&payload) => {
                self.list.push(Effect { field: field.to_owned(), value: None });
            }
            _ => {}
        }
    }
}

fn of_user(event: &UserEvent, effects: &mut Effects) {
    match event {
        UserEvent::SignedUp { .. } => {
            effects.put("account", "open");
            effects.copy_present(&["email", "phone", "password"]);
            effects.copy(&["role", "aud", "anonymous"]);
            effects.merge("user_metadata", "user_metadata");
            effects.merge("app_metadata", "app_metadata");
        }
        UserEvent::EmailConfirmed {} => effects.put("email_confirmed", true),
        UserEvent::PhoneConfirmed {} => effects.put("phone_confirmed", true),
        UserEvent::EmailChangeRequested { .. } => effects.copy(&["new_email"]),
        UserEvent::EmailChanged { .. } => {
            effects.copy(&["email"]);
            effects.clear(&["new_email"]);
        }
        UserEvent::EmailAdopted { .. } => {
            effects.copy(&["email"]);
            effects.copy_as("email_confirmed", "confirmed");
        }
        UserEvent::PhoneChangeRequested { .. } => effects.copy(&["new_phone"]),
        UserEvent::PhoneChanged { .. } => {
            effects.copy(&["phone"]);
            effects.clear(&["new_phone"]);
        }
        UserEvent::PhoneRemoved {} => effects.clear(&["phone"]),
        UserEvent::PasswordChanged { .. } => effects.copy(&["password"]),
        UserEvent::PasswordRemoved {} | UserEvent::Reclaimed {} => effects.clear(&["password"]),
        UserEvent::PasswordWithheld {} => effects.put("password_withheld", true),
        UserEvent::PasswordProven {} => effects.put("password_withheld", false),
        UserEvent::MetadataChanged { .. } => effects.merge("user_metadata", "patch"),
        UserEvent::AppMetadataChanged { .. } => effects.merge("app_metadata", "patch"),
        UserEvent::RoleChanged { .. } => effects.copy(&["role"]),
        UserEvent::Banned { until, .. } => {
            effects.put("banned", true);
            match until {
                Some(_) => effects.copy_as("banned_until", "until"),
                None => effects.put("banned_until", "without end"),
            }
            effects.copy_as("ban_reason", "reason");
        }
        UserEvent::Unbanned {} => {
            effects.put("banned", false);
            effects.clear(&["banned_until", "ban_reason"]);
        }
        UserEvent::IdentityLinked { identity, .. } => {
            effects.copy_as(format!("identities.{identity}.provider"), "provider");
            effects.copy_as(format!("identities.{identity}.provider_id"), "provider_id");
        }
        UserEvent::IdentityUnlinked { identity, .. } => {
            effects.put(format!("identities.{identity}.provider"), Json::Null);
            effects.put(format!("identities.{identity}.provider_id"), Json::Null);
        }
        UserEvent::AdminRolesChanged { .. } => effects.copy_as("admin_roles", "roles"),
        UserEvent::UsernameChanged { .. } => effects.copy(&["username", "display_username"]),
        UserEvent::Deleted { .. } => {
            effects.put("account", "closed");
            effects.clear(&["email", "phone", "password"]);
        }
        UserEvent::Erased {} => effects.put("account", "erased"),
        UserEvent::FactorEnrolled { .. }
        | UserEvent::FactorVerified { .. }
        | UserEvent::FactorRenamed { .. }
        | UserEvent::FactorPhoneChanged { .. }
        | UserEvent::FactorRemoved { .. }
        | UserEvent::PasskeyAdded { .. }
        | UserEvent::PasskeyRenamed { .. }
        | UserEvent::PasskeyRemoved { .. }
        | UserEvent::MailFactorEnabled {}
        | UserEvent::TwoFactorDisabled {}
        | UserEvent::BackupCodesIssued { .. } => of_factors(event, effects),
        // Codes, challenges and proofs that come and go.
        UserEvent::OneTimeTokenIssued { .. }
        | UserEvent::OneTimeTokenMissed { .. }
        | UserEvent::OneTimeTokenRedeemed { .. }
        | UserEvent::PasswordRehashed { .. }
        | UserEvent::IdentityUpdated { .. }
        | UserEvent::ProviderTokensKept { .. }
        | UserEvent::FactorChallenged { .. }
        | UserEvent::FactorChallengeMissed { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::SecondStepBegun { .. }
        | UserEvent::SecondStepCodeSent { .. }
        | UserEvent::SecondStepMissed { .. }
        | UserEvent::SecondStepExhausted { .. }
        | UserEvent::SecondStepTaken { .. }
        | UserEvent::DeviceTrusted { .. } => {}
    }
}

fn of_factors(event: &UserEvent, effects: &mut Effects) {
    match event {
        UserEvent::FactorEnrolled { factor, phone, .. } => {
            effects.copy_as(format!("factors.{factor}.kind"), "kind");
            effects.copy_as(format!("factors.{factor}.name"), "name");
            if phone.is_some() {
                effects.copy_as(format!("factors.{factor}.phone"), "phone");
            }
            effects.put(format!("factors.{factor}.verified"), false);
        }
        UserEvent::FactorVerified { factor, .. } => effects.put(format!("factors.{factor}.verified"), true),
        UserEvent::FactorRenamed { factor, .. } => effects.copy_as(format!("factors.{factor}.name"), "name"),
        UserEvent::FactorPhoneChanged { factor, .. } => {
            effects.copy_as(format!("factors.{factor}.phone"), "phone");
        }
        UserEvent::FactorRemoved { factor, .. } => {
            for part in ["kind", "name", "phone", "verified"] {
                effects.put(format!("factors.{factor}.{part}"), Json::Null);
            }
        }
        UserEvent::PasskeyAdded { passkey, .. } | UserEvent::PasskeyRenamed { passkey, .. } => {
            effects.copy_as(format!("passkeys.{passkey}.name"), "name");
        }
        UserEvent::PasskeyRemoved { passkey, .. } => {
            effects.put(format!("passkeys.{passkey}.name"), Json::Null);
        }
        UserEvent::MailFactorEnabled {} => effects.put("codes_by_mail", true),
        UserEvent::TwoFactorDisabled {} => {
            effects.put("codes_by_mail", false);
            effects.put("backup_codes", 0);
        }
        UserEvent::BackupCodesIssued { codes } => effects.put("backup_codes", codes.len()),
        _ => {}
    }
}

fn of_session(event: &SessionEvent, effects: &mut Effects) {
    match event {
        SessionEvent::Started { .. } => {
            effects.put("session", "live");
            effects.copy(&["user", "aal"]);
            effects.copy_present(&["not_after", "client", "scopes", "impersonator"]);
        }
        SessionEvent::SteppedUp { .. } | SessionEvent::SteppedDown { .. } => effects.copy(&["aal"]),
        SessionEvent::Extended { .. } => effects.copy(&["not_after"]),
        SessionEvent::ActiveOrganizationChanged { .. } => {
            effects.copy(&["organization"]);
            effects.clear(&["team"]);
        }
        SessionEvent::ActiveTeamChanged { .. } => effects.copy(&["team"]),
        SessionEvent::FieldsChanged { .. } => effects.merge("fields", "fields"),
        SessionEvent::Revoked { .. } => effects.put("session", "over"),
        SessionEvent::Refreshed { .. } | SessionEvent::RefreshRepeated { .. } => {}
    }
}

fn of_organization(event: &OrganizationEvent, effects: &mut Effects) {
    let invitation = |id: &dyn std::fmt::Display, part: &str| format!("invitations.{id}.{part}");
    match event {
        OrganizationEvent::Created { user, .. } => {
            effects.put("organization", "open");
            effects.copy(&["name", "slug"]);
            effects.copy_present(&["logo", "metadata"]);
            effects.copy_as(format!("members.{user}.roles"), "roles");
        }
        OrganizationEvent::Updated { .. } => effects.copy_present(&["name", "slug", "logo", "metadata"]),
        OrganizationEvent::Deleted {} => effects.put("organization", "gone"),
        OrganizationEvent::MemberAdded { user, .. } | OrganizationEvent::MemberRoleChanged { user, .. } => {
            effects.copy_as(format!("members.{user}.roles"), "roles");
        }
        OrganizationEvent::MemberRemoved { user, .. } => {
            effects.put(format!("members.{user}.roles"), Json::Null);
        }
        OrganizationEvent::MemberInvited { invitation: id, .. } => {
            effects.put(invitation(id, "status"), "open");
            for part in ["email", "roles", "expires_at"] {
                effects.copy_as(invitation(id, part), part);
            }
        }
        OrganizationEvent::InvitationExtended { invitation: id, .. } => {
            effects.copy_as(invitation(id, "expires_at"), "expires_at");
        }
        OrganizationEvent::InvitationAccepted { invitation: id, .. } => {
            effects.put(invitation(id, "status"), "accepted");
        }
        OrganizationEvent::InvitationRejected { invitation: id, .. } => {
            effects.put(invitation(id, "status"), "rejected");
        }
        OrganizationEvent::InvitationCanceled { invitation: id, .. } => {
            effects.put(invitation(id, "status"), "canceled");
        }
        OrganizationEvent::TeamCreated { team, .. } | OrganizationEvent::TeamRenamed { team, .. } => {
            effects.copy_as(format!("teams.{team}.name"), "name");
        }
        OrganizationEvent::TeamRemoved { team } => effects.put(format!("teams.{team}.name"), Json::Null),
        OrganizationEvent::TeamMemberAdded { team, user } => {
            effects.put(format!("teams.{team}.members.{user}"), true);
        }
        OrganizationEvent::TeamMemberRemoved { team, user } => {
            effects.put(format!("teams.{team}.members.{user}"), Json::Null);
        }
        OrganizationEvent::RoleDefined { name, .. } => {
            effects.copy_as(format!("roles.{name}"), "permissions");
        }
        OrganizationEvent::RoleDeleted { name, .. } => effects.put(format!("roles.{name}"), Json::Null),
    }
}

fn of_sso_provider(event: &SsoProviderEvent, effects: &mut Effects) {
    match event {
        SsoProviderEvent::Registered { domains, disabled, .. } => {
            effects.copy(&["entity_id", "metadata_xml"]);
            effects.copy_present(&["metadata_url", "name_id_format", "resource_id"]);
            effects.copy(&["attribute_mapping"]);
            for domain in domains {
                effects.put(format!("domains.{domain}"), true);
            }
            effects.put("disabled", disabled.unwrap_or_default());
        }
        SsoProviderEvent::MetadataReplaced { .. } => effects.copy(&["metadata_xml", "metadata_url"]),
        SsoProviderEvent::AttributesMapped { .. } => effects.copy(&["attribute_mapping"]),
        SsoProviderEvent::NameIdFormatChosen { .. } => effects.copy(&["name_id_format"]),
        SsoProviderEvent::DomainsChanged { added, removed } => {
            for domain in removed {
                effects.put(format!("domains.{domain}"), Json::Null);
            }
            for domain in added {
                effects.put(format!("domains.{domain}"), true);
            }
        }
        SsoProviderEvent::Renamed { .. } => effects.copy(&["resource_id"]),
        SsoProviderEvent::Disabled {} => effects.put("disabled", true),
        SsoProviderEvent::Enabled {} => effects.put("disabled", false),
        SsoProviderEvent::Removed {} => {
            effects.clear(&["entity_id", "metadata_xml", "metadata_url", "attribute_mapping", "resource_id"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use evident_domain::{Metadata, Personal};
    use serde_json::json;

    use super::*;

    fn of(event: UserEvent) -> Vec<(String, Option<Json>)> {
        effects(&Event::from(event)).into_iter().map(|effect| (effect.field, effect.value)).collect()
    }

    #[test]
    fn a_patch_sets_each_of_its_keys() {
        let patch = Metadata::default().with("name", "Ann").with("age", Json::Null);
        let found = of(UserEvent::MetadataChanged { patch: patch.into() });
        let field = |key: &str| format!("user_metadata.{key}");
        assert_eq!(found, [(field("age"), Some(Json::Null)), (field("name"), Some(json!("Ann")))]);
        let found = of(UserEvent::MetadataChanged { patch: Personal::Erased });
        assert_eq!(found, [("user_metadata".to_owned(), None)]);
    }

    #[test]
    fn a_password_shows_only_that_it_is_there() {
        let password = evident_domain::PasswordHash("$argon2id$secret".to_owned());
        let found = of(UserEvent::PasswordChanged { password: password.into() });
        assert_eq!(found, [("password".to_owned(), Some(json!("(hash)")))]);
    }

    #[test]
    fn who_may_have_set_a_field_is_known() {
        let changed = effects(&Event::from(UserEvent::Unbanned {}));
        assert_eq!(setters(StreamKind::User, &changed), ["user.banned", "user.unbanned"]);
        let roles = effects(&Event::from(UserEvent::RoleChanged { role: "x".to_owned() }));
        assert_eq!(setters(StreamKind::User, &roles), ["user.role_changed", "user.signed_up"]);
        assert_eq!(setters(StreamKind::Session, &changed), Vec::<&str>::new());
    }
}
