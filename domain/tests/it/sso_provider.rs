//! Identity providers of organizations.

use cqrs_es::test::TestFramework;
use evident_domain::sso_provider::{
    Change, Register, SsoProvider, SsoProviderCommand, SsoProviderError, SsoProviderEvent,
};
use evident_domain::{Claim, ClaimChange, ClaimKind, Metadata};

type Framework = TestFramework<SsoProvider>;

fn register() -> Register {
    Register {
        entity_id: "https://idp.example.com/saml".to_owned(),
        metadata_xml: "<xml/>".to_owned(),
        metadata_url: None,
        attribute_mapping: Metadata::default(),
        name_id_format: None,
        domains: vec!["a.example".to_owned(), "b.example".to_owned()],
        resource_id: Some("corp".to_owned()),
        disabled: None,
    }
}

fn registered() -> SsoProviderEvent {
    let Register { entity_id, metadata_xml, domains, resource_id, .. } = register();
    SsoProviderEvent::Registered {
        entity_id,
        metadata_xml,
        metadata_url: None,
        attribute_mapping: Metadata::default(),
        name_id_format: None,
        domains,
        resource_id,
        disabled: None,
    }
}

fn change(change: Change) -> SsoProviderCommand {
    SsoProviderCommand::Change(Box::new(change))
}

fn taken(kind: ClaimKind, value: &str) -> ClaimChange {
    ClaimChange::Take(Claim { kind, value: value.to_owned() })
}

#[test]
fn a_provider_is_registered_once() {
    let command = SsoProviderCommand::Register(Box::new(register()));
    Framework::with(())
        .given_no_previous_events()
        .when(command.clone())
        .then_expect_events(vec![registered()]);
    Framework::with(())
        .given(vec![registered()])
        .when(command)
        .then_expect_error(SsoProviderError::AlreadyRegistered);
}

#[test]
fn a_change_is_an_event_for_each_thing_that_becomes_another() {
    let mapping = Metadata::default().with("keys", serde_json::json!({}));
    let all = Change {
        metadata: Some(("https://idp.example.com/saml".to_owned(), "<new/>".to_owned(), None)),
        attribute_mapping: Some(mapping.clone()),
        name_id_format: Some(Some("persistent".to_owned())),
        domains: Some(vec!["b.example".to_owned(), "c.example".to_owned()]),
        resource_id: Some(None),
        disabled: Some(true),
    };
    let events = vec![
        SsoProviderEvent::MetadataReplaced { metadata_xml: "<new/>".to_owned(), metadata_url: None },
        SsoProviderEvent::AttributesMapped { attribute_mapping: mapping },
        SsoProviderEvent::NameIdFormatChosen { name_id_format: Some("persistent".to_owned()) },
        SsoProviderEvent::DomainsChanged {
            added: vec!["c.example".to_owned()],
            removed: vec!["a.example".to_owned()],
        },
        SsoProviderEvent::Renamed { resource_id: None },
        SsoProviderEvent::Disabled {},
    ];
    Framework::with(())
        .given(vec![registered()])
        .when(change(all.clone()))
        .then_expect_events(events.clone());
    let given = std::iter::once(registered()).chain(events).collect::<Vec<_>>();
    Framework::with(()).given(given.clone()).when(change(all)).then_expect_events(vec![]);
    let enable = change(Change { disabled: Some(false), ..Change::default() });
    Framework::with(()).given(given).when(enable).then_expect_events(vec![SsoProviderEvent::Enabled {}]);
}

#[test]
fn nothing_said_is_nothing_changed() {
    Framework::with(()).given(vec![registered()]).when(change(Change::default())).then_expect_events(vec![]);
}

#[test]
fn the_metadata_stay_those_of_the_same_provider() {
    let metadata = Some(("https://evil.example".to_owned(), "<new/>".to_owned(), None));
    Framework::with(())
        .given(vec![registered()])
        .when(change(Change { metadata, ..Change::default() }))
        .then_expect_error(SsoProviderError::EntityMismatch {
            expected: "https://idp.example.com/saml".to_owned(),
            given: "https://evil.example".to_owned(),
        });
}

#[test]
fn a_removed_provider_is_no_more() {
    Framework::with(())
        .given(vec![registered()])
        .when(SsoProviderCommand::Remove)
        .then_expect_events(vec![SsoProviderEvent::Removed {}]);
    for command in [SsoProviderCommand::Remove, change(Change::default())] {
        Framework::with(())
            .given(vec![registered(), SsoProviderEvent::Removed {}])
            .when(command.clone())
            .then_expect_error(SsoProviderError::NotFound);
        Framework::with(())
            .given_no_previous_events()
            .when(command)
            .then_expect_error(SsoProviderError::NotFound);
    }
}

#[test]
fn entity_domains_and_name_are_the_providers_own() {
    assert_eq!(
        registered().claims(),
        [
            taken(ClaimKind::SsoEntity, "https://idp.example.com/saml"),
            taken(ClaimKind::SsoDomain, "a.example"),
            taken(ClaimKind::SsoDomain, "b.example"),
            taken(ClaimKind::SsoResource, "corp"),
        ]
    );
    let moved = SsoProviderEvent::DomainsChanged {
        added: vec!["c.example".to_owned()],
        removed: vec!["a.example".to_owned()],
    };
    let given_back = Claim { kind: ClaimKind::SsoDomain, value: "a.example".to_owned() };
    assert_eq!(moved.claims(), [ClaimChange::Release(given_back), taken(ClaimKind::SsoDomain, "c.example")]);
    let unnamed = SsoProviderEvent::Renamed { resource_id: None };
    assert_eq!(unnamed.claims(), [ClaimChange::ReleaseKind(ClaimKind::SsoResource)]);
    assert_eq!(SsoProviderEvent::Removed {}.claims(), [ClaimChange::ReleaseAll]);
}
