//! Passkeys: adding, using, renaming, removing.

use evident_domain::session::AssuranceLevel;
use evident_domain::user::factor::{Authenticator, FactorError, FactorKind};
use evident_domain::user::passkey::PasskeyCommand;
use evident_domain::user::{UserCommand, UserError, UserEvent};
use evident_domain::{ChallengeId, Metadata, PasskeyId, TotpSecret};
use uuid::Uuid;

use crate::support::*;

const LAPTOP: PasskeyId = PasskeyId(Uuid::from_u128(70));

fn key(id: &str) -> Authenticator {
    Authenticator { credential_id: id.to_owned(), aaguid: Uuid::nil(), key: Metadata::default() }
}

fn added(id: &str) -> UserEvent {
    UserEvent::PasskeyAdded {
        passkey: LAPTOP,
        name: "Passkey".to_owned().into(),
        authenticator: key(id).into(),
    }
}

fn add(id: &str, aal: AssuranceLevel) -> UserCommand {
    UserCommand::Passkey(PasskeyCommand::Add {
        passkey: LAPTOP,
        name: "Passkey".to_owned(),
        authenticator: key(id),
        aal,
        limit: 2,
    })
}

/// Ann has a second factor.
fn protected() -> Vec<UserEvent> {
    let challenge = ChallengeId(Uuid::from_u128(71));
    vec![
        signed_up(),
        UserEvent::FactorEnrolled {
            factor: APP,
            kind: FactorKind::Totp,
            name: String::new().into(),
            secret: Some(TotpSecret("SECRET".to_owned()).into()),
            phone: None,
            at: at(0),
        },
        UserEvent::FactorVerified {
            factor: APP,
            challenge,
            session: SESSION,
            step: Some(1),
            authenticator: None,
            at: at(1),
        },
    ]
}

#[track_caller]
fn refused(given: Vec<UserEvent>, command: UserCommand, error: FactorError) {
    given_user(given).when(command).then_expect_error(UserError::Factor(error));
}

#[test]
fn a_passkey_is_added_once_and_up_to_the_limit() {
    given_user(vec![signed_up()]).when(add("a", AssuranceLevel::Aal1)).then_expect_events(vec![added("a")]);
    refused(vec![signed_up(), added("a")], add("a", AssuranceLevel::Aal1), FactorError::PasskeyExists);
    let full = vec![signed_up(), added("a"), added("b")];
    refused(full, add("c", AssuranceLevel::Aal1), FactorError::TooManyPasskeys);
}

#[test]
fn who_has_a_second_factor_shows_it_before_passkeys_change() {
    let given = [protected(), vec![added("a")]].concat();
    let aal = AssuranceLevel::Aal1;
    let rename = PasskeyCommand::Rename { passkey: LAPTOP, name: "x".to_owned(), aal };
    let remove = PasskeyCommand::Remove { passkey: LAPTOP, aal: Some(aal) };
    for command in [add("b", aal), UserCommand::Passkey(rename), UserCommand::Passkey(remove)] {
        refused(given.clone(), command, FactorError::InsufficientAal);
    }
    let by_admin = UserCommand::Passkey(PasskeyCommand::Remove { passkey: LAPTOP, aal: None });
    let removed = UserEvent::PasskeyRemoved { passkey: LAPTOP, credential_id: "a".to_owned().into() };
    given_user(given).when(by_admin).then_expect_events(vec![removed]);
}

#[test]
fn using_one_keeps_its_counter() {
    let counted = Authenticator { key: Metadata::default().with("counter", 9), ..key("a") };
    let used = UserEvent::PasskeyUsed { passkey: LAPTOP, authenticator: counted.clone().into(), at: at(9) };
    let command = PasskeyCommand::Use { passkey: LAPTOP, authenticator: counted.clone(), now: at(9) };
    given_user(vec![signed_up(), added("a")])
        .when(UserCommand::Passkey(command.clone()))
        .then_expect_events(vec![used.clone()]);
    assert_eq!(account_after(&[signed_up(), added("a"), used]).passkeys[0].authenticator, counted);
    refused(vec![signed_up()], UserCommand::Passkey(command), FactorError::PasskeyNotFound);
}
