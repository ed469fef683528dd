//! One-time codes and links: sending, using, guessing, and what makes them void.

use evident_domain::user::{
    MAX_MISSES, MAX_MISSES_A_DAY, TokenPurpose, UnprovenPassword, UserCommand, UserError, UserEvent,
};
use serde_json::json;

use crate::support::*;

const EVERY_PURPOSE: [TokenPurpose; 9] = [
    TokenPurpose::EmailConfirmation,
    TokenPurpose::PhoneConfirmation,
    TokenPurpose::Invitation,
    TokenPurpose::Recovery,
    TokenPurpose::EmailChangeNew,
    TokenPurpose::EmailChangeCurrent,
    TokenPurpose::PhoneChange,
    TokenPurpose::Reauthentication,
    TokenPurpose::AccountDeletion,
];

fn issue(purpose: TokenPurpose, seconds: i64) -> UserCommand {
    UserCommand::IssueOneTimeToken {
        purpose,
        link: Some(hash("link")),
        code: hash("code"),
        flow: None,
        now: at(seconds),
        expires_at: at(seconds + 3600),
        min_interval_seconds: 60,
    }
}

fn redeemed(purpose: TokenPurpose) -> UserEvent {
    UserEvent::OneTimeTokenRedeemed { purpose }
}

fn missed(purpose: TokenPurpose) -> UserEvent {
    UserEvent::OneTimeTokenMissed { purpose }
}

/// Somebody whose address and number are confirmed already: a redeemed token has no further effect.
fn known() -> Vec<UserEvent> {
    vec![
        came_with(Some("ann@example.com"), Some("15550001111")),
        UserEvent::EmailConfirmed {},
        UserEvent::PhoneConfirmed {},
    ]
}

/// The token for a purpose is void after these events, by code and by link.
fn expect_void(purpose: TokenPurpose, events: &[UserEvent]) {
    for proof in [code("code"), link("link")] {
        given_user(events.to_vec())
            .when(redeem(purpose, proof, at(60)))
            .then_expect_error(UserError::TokenInvalid);
    }
}

#[test]
fn a_token_that_is_sent_is_noted_with_its_end() {
    given_user(known())
        .when(issue(TokenPurpose::Recovery, 0))
        .then_expect_events(vec![issued(TokenPurpose::Recovery)]);
}

#[test]
fn the_next_message_of_a_purpose_waits_for_the_interval() {
    let sent = [known(), vec![issued(TokenPurpose::Recovery)]].concat();
    given_user(sent.clone())
        .when(issue(TokenPurpose::Recovery, 13))
        .then_expect_error(UserError::TooSoon { seconds: 47 });
    given_user(sent.clone())
        .when(UserCommand::IssueOneTimeToken {
            purpose: TokenPurpose::Recovery,
            link: None,
            code: hash("code"),
            flow: None,
            now: at_millis(59_500),
            expires_at: at(3600),
            min_interval_seconds: 60,
        })
        .then_expect_error(UserError::TooSoon { seconds: 0 });
    given_user(sent.clone()).when(issue(TokenPurpose::Reauthentication, 13)).inspect_result().unwrap();
    given_user(sent).when(issue(TokenPurpose::Recovery, 60)).inspect_result().unwrap();
}

#[test]
fn an_interval_beyond_all_numbers_is_no_trouble() {
    given_user([known(), vec![issued(TokenPurpose::Recovery)]].concat())
        .when(UserCommand::IssueOneTimeToken {
            purpose: TokenPurpose::Recovery,
            link: None,
            code: hash("code"),
            flow: None,
            now: at(1),
            expires_at: at(2),
            min_interval_seconds: u64::MAX,
        })
        .then_expect_error(UserError::TooSoon { seconds: u64::MAX / 1000 - 1 });
}

#[test]
fn another_password_lets_the_next_message_go_at_once() {
    let changed = UserEvent::PasswordChanged { password: password("second").into() };
    given_user([known(), vec![issued(TokenPurpose::Recovery), changed]].concat())
        .when(issue(TokenPurpose::Recovery, 1))
        .inspect_result()
        .unwrap();
}

#[test]
fn code_and_link_are_both_good() {
    for proof in [code("code"), link("link")] {
        given_user([known(), vec![issued(TokenPurpose::Recovery)]].concat())
            .when(redeem(TokenPurpose::Recovery, proof, at(60)))
            .then_expect_events(vec![redeemed(TokenPurpose::Recovery)]);
    }
}

#[test]
fn a_link_is_no_code_and_a_code_no_link() {
    let sent = [known(), vec![issued(TokenPurpose::Recovery)]].concat();
    given_user(sent.clone())
        .when(redeem(TokenPurpose::Recovery, link("code"), at(60)))
        .then_expect_error(UserError::TokenInvalid);
    given_user(sent)
        .when(redeem(TokenPurpose::Recovery, code("link"), at(60)))
        .then_expect_events(vec![missed(TokenPurpose::Recovery)]);
}

#[test]
fn a_code_without_a_link_has_no_link() {
    let code_only = UserEvent::OneTimeTokenIssued {
        purpose: TokenPurpose::PhoneConfirmation,
        link: None,
        code: hash("code"),
        flow: None,
        sent_at: at(0),
        expires_at: at(60),
    };
    given_user([known(), vec![code_only]].concat())
        .when(redeem(TokenPurpose::PhoneConfirmation, link(""), at(1)))
        .then_expect_error(UserError::TokenInvalid);
}

#[test]
fn a_token_is_good_until_its_end_and_not_a_moment_longer() {
    let sent = [known(), vec![issued(TokenPurpose::Recovery)]].concat();
    given_user(sent.clone())
        .when(redeem(TokenPurpose::Recovery, code("code"), at_millis(3_599_999)))
        .then_expect_events(vec![redeemed(TokenPurpose::Recovery)]);
    for proof in [code("code"), link("link"), code("wrong")] {
        given_user(sent.clone())
            .when(redeem(TokenPurpose::Recovery, proof, at(3600)))
            .then_expect_error(UserError::TokenInvalid);
    }
}

#[test]
fn a_token_is_good_for_its_purpose_only() {
    let sent = [known(), vec![issued(TokenPurpose::Recovery)]].concat();
    given_user(sent.clone())
        .when(redeem(TokenPurpose::EmailConfirmation, code("code"), at(60)))
        .then_expect_error(UserError::TokenInvalid);
    given_user(sent)
        .when(UserCommand::Redeem {
            purposes: vec![TokenPurpose::EmailConfirmation, TokenPurpose::Recovery],
            proof: code("code"),
            password: UnprovenPassword::Stays,
            now: at(60),
        })
        .then_expect_events(vec![redeemed(TokenPurpose::Recovery)]);
}

#[test]
fn a_token_is_good_once() {
    for purpose in EVERY_PURPOSE {
        expect_void(purpose, &[known(), vec![issued(purpose), redeemed(purpose)]].concat());
    }
}

#[test]
fn the_next_token_of_a_purpose_supersedes_the_one_before() {
    let next = UserEvent::OneTimeTokenIssued {
        purpose: TokenPurpose::Recovery,
        link: Some(hash("next link")),
        code: hash("next code"),
        flow: None,
        sent_at: at(10),
        expires_at: at(3600),
    };
    let sent = [known(), vec![issued(TokenPurpose::Recovery), next]].concat();
    given_user(sent.clone())
        .when(redeem(TokenPurpose::Recovery, link("link"), at(60)))
        .then_expect_error(UserError::TokenInvalid);
    given_user(sent.clone())
        .when(redeem(TokenPurpose::Recovery, code("code"), at(60)))
        .then_expect_events(vec![missed(TokenPurpose::Recovery)]);
    given_user(sent)
        .when(redeem(TokenPurpose::Recovery, code("next code"), at(60)))
        .then_expect_events(vec![redeemed(TokenPurpose::Recovery)]);
}

#[test]
fn a_wrong_code_counts_against_every_token_it_could_have_been_meant_for() {
    let purposes = vec![TokenPurpose::EmailConfirmation, TokenPurpose::Recovery, TokenPurpose::Invitation];
    let sent = vec![issued(TokenPurpose::EmailConfirmation), issued(TokenPurpose::Recovery)];
    given_user([known(), sent].concat())
        .when(UserCommand::Redeem {
            purposes,
            proof: code("wrong"),
            password: UnprovenPassword::Stays,
            now: at(60),
        })
        .then_expect_events(vec![missed(TokenPurpose::EmailConfirmation), missed(TokenPurpose::Recovery)]);
}

#[test]
fn a_wrong_link_counts_against_nothing() {
    given_user([known(), vec![issued(TokenPurpose::Recovery)]].concat())
        .when(redeem(TokenPurpose::Recovery, link("wrong"), at(60)))
        .then_expect_error(UserError::TokenInvalid);
}

#[test]
fn where_no_token_is_there_is_nothing_to_miss() {
    given_user(known())
        .when(redeem(TokenPurpose::Recovery, code("code"), at(60)))
        .then_expect_error(UserError::TokenInvalid);
}

#[test]
fn after_too_many_misses_the_right_code_is_wrong_too() {
    let purpose = TokenPurpose::Recovery;
    let almost = vec![missed(purpose); MAX_MISSES as usize - 1];
    let sent = [known(), vec![issued(purpose)], almost].concat();
    given_user(sent.clone())
        .when(redeem(purpose, code("code"), at(60)))
        .then_expect_events(vec![redeemed(purpose)]);
    expect_void(purpose, &[sent, vec![missed(purpose)]].concat());
}

#[test]
fn a_new_token_starts_counting_anew() {
    let purpose = TokenPurpose::Recovery;
    let misses = || vec![missed(purpose); MAX_MISSES as usize - 1];
    given_user([known(), vec![issued(purpose)], misses(), vec![issued(purpose)], misses()].concat())
        .when(redeem(purpose, code("code"), at(60)))
        .then_expect_events(vec![redeemed(purpose)]);
}

#[test]
fn using_one_token_voids_all_others() {
    for other in EVERY_PURPOSE {
        let sent = vec![issued(TokenPurpose::Recovery), issued(other), redeemed(TokenPurpose::Recovery)];
        expect_void(other, &[known(), sent].concat());
    }
}

#[test]
fn one_half_of_an_address_change_leaves_the_other_half_good() {
    let (new, current) = (TokenPurpose::EmailChangeNew, TokenPurpose::EmailChangeCurrent);
    for (first, second) in [(new, current), (current, new)] {
        let sent = [known(), vec![issued(first), issued(second), redeemed(first)]].concat();
        expect_void(first, &sent);
        given_user(sent)
            .when(redeem(second, code("code"), at(60)))
            .then_expect_events(vec![redeemed(second)]);
    }
}

#[test]
fn a_reauthentication_uses_up_its_own_code_only() {
    let sent = vec![
        issued(TokenPurpose::Reauthentication),
        issued(TokenPurpose::EmailChangeNew),
        redeemed(TokenPurpose::Reauthentication),
    ];
    given_user([known(), sent].concat())
        .when(redeem(TokenPurpose::EmailChangeNew, code("code"), at(60)))
        .then_expect_events(vec![redeemed(TokenPurpose::EmailChangeNew)]);
}

#[test]
fn whatever_changes_who_may_come_in_voids_every_token() {
    let changes = [
        UserEvent::PasswordChanged { password: password("second").into() },
        UserEvent::EmailConfirmed {},
        UserEvent::PhoneConfirmed {},
        UserEvent::EmailChanged { email: email("new@example.com").into() },
        UserEvent::PhoneChanged { phone: phone("15550002222").into() },
    ];
    for change in changes {
        for purpose in EVERY_PURPOSE {
            expect_void(purpose, &[known(), vec![issued(purpose), change.clone()]].concat());
        }
    }
}

#[test]
fn the_same_password_under_another_hash_voids_nothing() {
    let rehashed = UserEvent::PasswordRehashed { password: password("first again").into() };
    given_user([known(), vec![issued(TokenPurpose::Recovery), rehashed]].concat())
        .when(redeem(TokenPurpose::Recovery, code("code"), at(60)))
        .then_expect_events(vec![redeemed(TokenPurpose::Recovery)]);
}

#[test]
fn a_code_for_one_new_address_does_not_confirm_another() {
    let asked = || UserEvent::EmailChangeRequested { new_email: email("new@example.com").into() };
    for purpose in [TokenPurpose::EmailChangeNew, TokenPurpose::EmailChangeCurrent] {
        expect_void(purpose, &[known(), vec![asked(), issued(purpose), asked()]].concat());
    }
    let asked = || UserEvent::PhoneChangeRequested { new_phone: phone("15550002222").into() };
    let purpose = TokenPurpose::PhoneChange;
    expect_void(purpose, &[known(), vec![asked(), issued(purpose), asked()]].concat());
}

#[test]
fn what_proves_the_address_confirms_it() {
    for purpose in [TokenPurpose::EmailConfirmation, TokenPurpose::Invitation, TokenPurpose::Recovery] {
        given_user(vec![
            signed_up(),
            UserEvent::PasswordRemoved {},
            linked(email_identity()),
            issued(purpose),
        ])
        .when(redeem(purpose, link("link"), at(60)))
        .then_expect_events(vec![
            redeemed(purpose),
            UserEvent::EmailConfirmed {},
            UserEvent::IdentityUpdated {
                identity: EMAIL_IDENTITY,
                data: email_data("ann@example.com", true).into(),
                signed_in: false,
            },
            metadata_changed(json!({"email_verified": true})),
        ]);
    }
}

#[test]
fn what_proves_the_number_confirms_it() {
    let purpose = TokenPurpose::PhoneConfirmation;
    given_user(vec![came_with(None, Some("15550001111")), issued(purpose)])
        .when(redeem(purpose, code("code"), at(30)))
        .then_expect_events(vec![redeemed(purpose), UserEvent::PhoneConfirmed {}]);
}

#[test]
fn what_proves_something_else_confirms_nothing() {
    for purpose in [
        TokenPurpose::EmailChangeNew,
        TokenPurpose::EmailChangeCurrent,
        TokenPurpose::PhoneChange,
        TokenPurpose::Reauthentication,
        TokenPurpose::AccountDeletion,
    ] {
        given_user(vec![came_with(Some("ann@example.com"), Some("15550001111")), issued(purpose)])
            .when(redeem(purpose, code("code"), at(60)))
            .then_expect_events(vec![redeemed(purpose)]);
    }
}

#[test]
fn too_many_wrong_codes_within_a_day_close_that_way_whatever_is_sent_next() {
    let purpose = TokenPurpose::Recovery;
    let sent = |seconds| UserEvent::OneTimeTokenIssued {
        purpose,
        link: Some(hash("link")),
        code: hash("code"),
        flow: None,
        sent_at: at(seconds),
        expires_at: at(seconds + 3600),
    };
    let mut events = known();
    for round in 0..MAX_MISSES_A_DAY / MAX_MISSES {
        events.push(sent(i64::from(round) * 60));
        events.extend(vec![missed(purpose); MAX_MISSES as usize]);
    }
    let next = 3600;
    events.push(sent(next));
    for guess in ["code", "wrong"] {
        given_user(events.clone())
            .when(redeem(purpose, code(guess), at(next + 1)))
            .then_expect_error(UserError::TokenInvalid);
    }
    given_user(events.clone())
        .when(redeem(purpose, link("link"), at(next + 1)))
        .then_expect_events(vec![redeemed(purpose)]);
    let day = 24 * 3600;
    events.push(sent(day));
    given_user(events)
        .when(redeem(purpose, code("code"), at(day + 1)))
        .then_expect_events(vec![redeemed(purpose)]);
}

#[test]
fn an_invitation_voids_the_confirmation_of_a_sign_up_before_it() {
    let sent = vec![signed_up(), issued(TokenPurpose::EmailConfirmation), issued(TokenPurpose::Invitation)];
    expect_void(TokenPurpose::EmailConfirmation, &sent);
}
