//! OAuth clients: registered once, changed within the rules, gone for good.

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use evident_domain::client::{
    AuthMethod, Client, ClientCommand, ClientDetails, ClientDraft, ClientError, ClientEvent, ClientType,
    DetailsError, GrantType, Page, RedirectUriError, Registration,
};

use crate::support::*;

fn given(events: Vec<ClientEvent>) -> AggregateTestExecutor<Client> {
    TestFramework::with(()).given(events)
}

fn draft() -> ClientDraft {
    ClientDraft {
        name: Some("Photo Book".to_owned()),
        redirect_uris: Some(vec!["https://photos.example.com/cb".to_owned()]),
        ..ClientDraft::default()
    }
}

fn details() -> ClientDetails {
    ClientDetails::new(draft()).unwrap()
}

fn public() -> ClientDetails {
    ClientDetails::new(ClientDraft { auth_method: Some(AuthMethod::None), ..draft() }).unwrap()
}

fn registered(details: ClientDetails, secret: Option<&str>) -> ClientEvent {
    ClientEvent::Registered {
        registration: Registration::Manual,
        details,
        secret: secret.map(hash),
        registered_at: at(0),
    }
}

fn register(details: ClientDetails) -> ClientCommand {
    ClientCommand::Register { registration: Registration::Manual, details, secret: hash("one"), now: at(0) }
}

#[test]
fn a_client_is_registered_once_and_keeps_a_secret_only_if_it_can() {
    given(vec![]).when(register(details())).then_expect_events(vec![registered(details(), Some("one"))]);
    given(vec![]).when(register(public())).then_expect_events(vec![registered(public(), None)]);
    given(vec![registered(public(), None)])
        .when(register(details()))
        .then_expect_error(ClientError::AlreadyRegistered);
}

#[test]
fn a_client_that_says_nothing_of_itself_is_confidential_and_may_use_both_grants() {
    let details = details();
    assert_eq!(details.auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(details.client_type(), ClientType::Confidential);
    assert_eq!(details.grant_types, GrantType::ALL);
    let said = ClientDraft { client_type: Some(ClientType::Public), ..draft() };
    assert_eq!(ClientDetails::new(said).unwrap().auth_method, AuthMethod::None);
    let nothing = ClientDraft { grant_types: Some(Vec::new()), ..draft() };
    assert_eq!(ClientDetails::new(nothing).unwrap().grant_types, GrantType::ALL);
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let refused = |draft: ClientDraft| ClientDetails::new(draft).unwrap_err();
    let uris = |uris: Vec<String>| ClientDraft { redirect_uris: Some(uris), ..draft() };
    assert_eq!(refused(ClientDraft { redirect_uris: None, ..draft() }), DetailsError::NoRedirectUri);
    assert_eq!(refused(uris(Vec::new())), DetailsError::NoRedirectUri);
    let many = (0..11).map(|n| format!("https://photos.example.com/{n}")).collect();
    assert_eq!(refused(uris(many)), DetailsError::TooManyRedirectUris);
    assert_eq!(
        refused(uris(vec!["http://evil.com/cb".to_owned()])),
        DetailsError::RedirectUri {
            uri: "http://evil.com/cb".to_owned(),
            problem: RedirectUriError::Insecure
        }
    );
    assert_eq!(refused(ClientDraft { name: Some("ä".repeat(1025)), ..draft() }), DetailsError::NameTooLong);
    for bad in ["javascript:alert(1)", "photos.example.com", "https://a b", "data:text/html,x"] {
        let uri = Some(bad.to_owned());
        assert_eq!(
            refused(ClientDraft { uri: uri.clone(), ..draft() }),
            DetailsError::Page(Page::Client),
            "{bad}"
        );
        assert_eq!(
            refused(ClientDraft { logo_uri: uri, ..draft() }),
            DetailsError::Page(Page::Logo),
            "{bad}"
        );
    }
    let said = ClientDraft {
        client_type: Some(ClientType::Public),
        auth_method: Some(AuthMethod::ClientSecretBasic),
        ..draft()
    };
    assert_eq!(
        refused(said),
        DetailsError::Inconsistent {
            client_type: ClientType::Public,
            auth_method: AuthMethod::ClientSecretBasic
        }
    );
}

#[test]
fn a_change_replaces_what_it_names_and_nothing_else() {
    let named = ClientDraft { name: Some("Photo Books".to_owned()), ..ClientDraft::default() };
    let changed = ClientDetails { name: Some("Photo Books".to_owned()), ..details() };
    given(vec![registered(details(), Some("one"))])
        .when(ClientCommand::Update { draft: named, now: at(1) })
        .then_expect_events(vec![ClientEvent::Updated { details: changed, at: at(1) }]);
    given(vec![registered(details(), Some("one"))])
        .when(ClientCommand::Update { draft: draft(), now: at(1) })
        .then_expect_events(vec![]);
}

#[test]
fn what_a_client_can_keep_never_changes() {
    for (details, method) in [(public(), AuthMethod::ClientSecretBasic), (details(), AuthMethod::None)] {
        let client_type = details.client_type();
        let other = ClientDraft { auth_method: Some(method), ..ClientDraft::default() };
        given(vec![registered(details, None)])
            .when(ClientCommand::Update { draft: other, now: at(1) })
            .then_expect_error(DetailsError::Inconsistent { client_type, auth_method: method }.into());
    }
}

#[test]
fn a_secret_is_replaced_where_there_is_one() {
    let again = || ClientCommand::RegenerateSecret { secret: hash("two"), now: at(1) };
    given(vec![registered(details(), Some("one"))])
        .when(again())
        .then_expect_events(vec![ClientEvent::SecretRegenerated { secret: hash("two"), at: at(1) }]);
    given(vec![registered(public(), None)]).when(again()).then_expect_error(ClientError::Public);
}

#[test]
fn a_client_that_is_gone_takes_no_command() {
    given(vec![registered(details(), Some("one"))])
        .when(ClientCommand::Delete)
        .then_expect_events(vec![ClientEvent::Deleted {}]);
    for command in [
        ClientCommand::Delete,
        ClientCommand::Update { draft: draft(), now: at(2) },
        ClientCommand::RegenerateSecret { secret: hash("two"), now: at(2) },
    ] {
        let gone = vec![registered(details(), Some("one")), ClientEvent::Deleted {}];
        given(gone).when(command.clone()).then_expect_error(ClientError::NotFound);
        given(vec![]).when(command).then_expect_error(ClientError::NotFound);
    }
    given(vec![registered(details(), Some("one")), ClientEvent::Deleted {}])
        .when(register(details()))
        .then_expect_error(ClientError::AlreadyRegistered);
}
