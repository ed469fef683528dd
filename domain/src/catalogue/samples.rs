//! One event of every type, with every field filled: for the catalogue, the golden files and the tests
//! of whoever stores or shows events.

mod organization;
mod provider;
mod sso_provider;
mod two_factor;

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use crate::attempt::{AdminRefusal, AttemptEvent, SignInRefusal};
use crate::authorization::AuthorizationEvent;
use crate::client::{AuthMethod, ClientDetails, ClientEvent, GrantType, RedirectUri, Registration};
use crate::consent::ConsentEvent;
use crate::flow::{ChallengeMethod, CodeChallenge, FlowEvent, FlowPurpose, ProviderTokens};
use crate::hold::{HoldEvent, HoldScope};
use crate::publication::LogEvent;
use crate::reading::AuditEvent;
use crate::recipient::{CodePurpose, MessageKind, RecipientEvent};
use crate::session::{AssuranceLevel, AuthenticationMethod, RevocationReason, SessionEvent};
use crate::user::factor::{Authenticator, FactorKind, FactorRemoval};
use crate::user::{SignUpMethod, TokenPurpose, UserEvent};
use crate::{
    ChallengeId, ClientId, Email, Event, FactorId, FlowId, HoldId, IdentityId, Metadata, OrganizationId,
    PasskeyId, PasswordHash, Phone, Scopes, SealedTokens, SessionId, TeamId, Time, TokenHash, TotpSecret,
    UserId,
};

/// One event of every type, in the order of the declarations.
pub fn samples() -> Vec<Event> {
    let user = account().into_iter().chain(contact()).chain(secrets()).chain(profile()).chain(ways_in());
    let user =
        user.chain(factors()).chain(passkeys()).chain(two_factor::samples()).chain(end()).map(Event::User);
    let session = session().into_iter().map(Event::Session);
    let attempt = attempt().into_iter().map(Event::Attempt);
    let organization = organization::samples().into_iter().map(Event::Organization);
    let sso_provider = sso_provider::samples().into_iter().map(Event::SsoProvider);
    let flow = flow().into_iter().map(Event::Flow);
    let recipient = recipient().into_iter().map(Event::Recipient);
    let oauth = client().into_iter().map(Event::Client);
    let oauth = oauth.chain(authorization().into_iter().map(Event::Authorization));
    let oauth = oauth.chain(consent().into_iter().map(Event::Consent));
    let provider = provider::samples().into_iter().map(Event::Provider);
    let flows = flow.chain(recipient).chain(provider).chain(oauth);
    let rest = flows
        .chain(hold().into_iter().map(Event::Hold))
        .chain([reading()])
        .chain(log().map(Event::Log))
        .chain(attempt);
    user.chain(session).chain(organization).chain(sso_provider).chain(rest).collect()
}

fn reading() -> Event {
    Event::Audit(AuditEvent::Read { operation: "GET /audit/events".to_owned() })
}

fn log() -> [LogEvent; 3] {
    let key = |name: &str, id: &str| format!("{name}+{id}+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh");
    let (key, former) = (key("example.com/audit", "5d0f5c94"), key("example.com/audit", "0c1b7fe2"));
    let renamed = key.replacen("audit", "audit/2", 1);
    [
        LogEvent::Pruned { minimum: 768, policy: "https://example.com/retention".to_owned() },
        LogEvent::KeyRotated { key: key.clone(), former, both_until: Time::UNIX_EPOCH },
        LogEvent::Renamed { key: renamed, former: key },
    ]
}

fn hold() -> [HoldEvent; 2] {
    let hold = HoldId(Uuid::from_u128(0x401d_0000_0000_4000_8000_0000_0000_0001));
    let scope = HoldScope::User(UserId(Uuid::from_u128(0xa11e_0000_0000_4000_8000_0000_0000_0001)));
    let by = || "Counsel".to_owned().into();
    [
        HoldEvent::Placed {
            hold,
            scope,
            reason: "Case 26-1138".to_owned().into(),
            by: by(),
            until: Time::from_timestamp_micros(1_800_000_000_000_000),
        },
        HoldEvent::Lifted { hold, scope, by: by() },
    ]
}

fn account() -> [UserEvent; 1] {
    [UserEvent::SignedUp {
        method: SignUpMethod::Password,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: Some(Email::known("ann@example.com").into()),
        phone: Some(Phone::known("15550001111").into()),
        password: Some(password().into()),
        user_metadata: Metadata::default().with("name", "Ann").into(),
        app_metadata: Metadata::default()
            .with("provider", "email")
            .with("providers", json!(["email"]))
            .into(),
        anonymous: false,
    }]
}

fn contact() -> [UserEvent; 8] {
    [
        UserEvent::EmailConfirmed {},
        UserEvent::PhoneConfirmed {},
        UserEvent::EmailChangeRequested { new_email: Email::known("ann@example.net").into() },
        UserEvent::EmailChanged { email: Email::known("ann@example.net").into() },
        UserEvent::EmailAdopted { email: Some(Email::known("ann@example.org").into()), confirmed: true },
        UserEvent::PhoneChangeRequested { new_phone: Phone::known("15550002222").into() },
        UserEvent::PhoneChanged { phone: Phone::known("15550002222").into() },
        UserEvent::PhoneRemoved {},
    ]
}

fn secrets() -> [UserEvent; 9] {
    let purpose = TokenPurpose::EmailConfirmation;
    [
        UserEvent::OneTimeTokenIssued {
            purpose,
            link: Some(TokenHash("9c".repeat(28))),
            code: TokenHash("5e".repeat(32)),
            flow: Some(FlowId(Uuid::from_u128(0xf104_0000_0000_4000_8000_0000_0000_0004))),
            sent_at: minute(1),
            expires_at: minute(61),
        },
        UserEvent::OneTimeTokenMissed { purpose },
        UserEvent::OneTimeTokenRedeemed { purpose },
        UserEvent::PasswordChanged { password: password().into() },
        UserEvent::PasswordRehashed { password: password().into() },
        UserEvent::PasswordRemoved {},
        UserEvent::PasswordWithheld {},
        UserEvent::PasswordProven {},
        UserEvent::Reclaimed {},
    ]
}

fn profile() -> [UserEvent; 5] {
    let plan = Metadata::default().with("plan", "pro").with("trial", json!(null));
    [
        UserEvent::MetadataChanged { patch: Metadata::default().with("name", "Ann Lee").into() },
        UserEvent::AppMetadataChanged { patch: plan.into() },
        UserEvent::RoleChanged { role: "editor".to_owned() },
        UserEvent::Banned { until: Some(minute(1440)), reason: Some("spam".to_owned().into()) },
        UserEvent::Unbanned {},
    ]
}

fn ways_in() -> [UserEvent; 4] {
    let (provider, provider_id) = ("google".to_owned(), "108204268033311374519".to_owned());
    let data = Metadata::default().with("sub", provider_id.clone()).with("email", "ann@example.com");
    [
        UserEvent::IdentityLinked {
            identity: identity(),
            provider: provider.clone(),
            provider_id: provider_id.clone().into(),
            data: data.clone().into(),
        },
        UserEvent::IdentityUpdated {
            identity: identity(),
            data: data.with("name", "Ann Lee").into(),
            signed_in: true,
        },
        UserEvent::IdentityUnlinked { identity: identity(), provider, provider_id: provider_id.into() },
        UserEvent::ProviderTokensKept {
            identity: identity(),
            tokens: SealedTokens("9m2VqYk0Jp3uTz7yXw==".to_owned()).into(),
        },
    ]
}

fn factors() -> [UserEvent; 7] {
    let (factor, challenge) =
        (factor(), ChallengeId(Uuid::from_u128(0xc4a1_1e46_0000_4000_8000_0000_0000_0005)));
    [
        UserEvent::FactorEnrolled {
            factor,
            kind: FactorKind::Phone,
            name: "Ann's phone".to_owned().into(),
            secret: Some(TotpSecret("BwcHBwcHBwcHBwcHc2FtcGxlIG9mIG5vYm9keSdzIHNlY3JldA".to_owned()).into()),
            phone: Some(Phone::known("15550003333").into()),
            at: minute(70),
        },
        UserEvent::FactorChallenged {
            factor,
            challenge,
            session: session_id(),
            ip: Some(IpAddr::from([192, 0, 2, 7]).into()),
            code: Some(TokenHash("5e".repeat(32))),
            at: minute(71),
            expires_at: minute(76),
        },
        UserEvent::FactorChallengeMissed { factor, challenge, at: minute(72) },
        UserEvent::FactorVerified {
            factor,
            challenge,
            session: session_id(),
            step: Some(59_840_940),
            authenticator: Some(authenticator().into()),
            at: minute(73),
        },
        UserEvent::FactorRenamed { factor, name: "Old phone".to_owned().into() },
        UserEvent::FactorPhoneChanged { factor, phone: Phone::known("15550004444").into() },
        UserEvent::FactorRemoved { factor, kind: FactorKind::Phone, reason: FactorRemoval::Unenrolled },
    ]
}

fn passkeys() -> [UserEvent; 4] {
    let passkey = PasskeyId(Uuid::from_u128(0x9a55_4e40_0000_4000_8000_0000_0000_0006));
    [
        UserEvent::PasskeyAdded {
            passkey,
            name: "Passkey".to_owned().into(),
            authenticator: authenticator().into(),
        },
        UserEvent::PasskeyUsed { passkey, authenticator: authenticator().into(), at: minute(80) },
        UserEvent::PasskeyRenamed { passkey, name: "Ann's laptop".to_owned().into() },
        UserEvent::PasskeyRemoved { passkey, credential_id: authenticator().credential_id.into() },
    ]
}

fn end() -> [UserEvent; 2] {
    [
        UserEvent::Deleted {
            email_digest: "4Vgw1Zc8mBq0yS7nQe2xKt".to_owned(),
            phone_digest: "7hT0pLr3uXa5Dd9".to_owned(),
            identities: vec![(identity(), "Qm6sJv1fGz8kRb4wNy3cPo".to_owned())],
        },
        UserEvent::Erased {},
    ]
}

fn session() -> [SessionEvent; 10] {
    [
        SessionEvent::Started {
            user: user(),
            amr: vec![AuthenticationMethod { method: "password".to_owned(), at: minute(2) }],
            aal: AssuranceLevel::Aal1,
            not_after: Some(minute(1442)),
            started_at: minute(2),
            client: Some(client_id()),
            scopes: Some(scopes()),
            slides: true,
            impersonator: Some(admin()),
        },
        SessionEvent::Refreshed { generation: 1, at: minute(62) },
        SessionEvent::RefreshRepeated { presented: 0, generation: 1, at: minute(63) },
        SessionEvent::SteppedUp {
            method: "totp".to_owned(),
            at: minute(64),
            aal: AssuranceLevel::Aal2,
            factor: Some(factor()),
        },
        SessionEvent::SteppedDown {
            factor: factor(),
            method: "totp".to_owned(),
            at: minute(65),
            aal: AssuranceLevel::Aal1,
        },
        SessionEvent::Extended { not_after: minute(2882), at: minute(1442) },
        SessionEvent::ActiveOrganizationChanged {
            organization: Some(OrganizationId(Uuid::from_u128(0x0a6a_0000_0000_4000_8000_0000_0000_0008))),
        },
        SessionEvent::ActiveTeamChanged {
            team: Some(TeamId(Uuid::from_u128(0x7ea3_0000_0000_4000_8000_0000_0000_0006))),
        },
        SessionEvent::FieldsChanged { fields: Metadata::default().with("theme", "dark").into() },
        SessionEvent::Revoked { reason: RevocationReason::SignedOut },
    ]
}

fn flow() -> [FlowEvent; 5] {
    [
        FlowEvent::Started {
            purpose: FlowPurpose::External,
            provider: Some("google".to_owned()),
            challenge: Some(challenge()),
            redirect_to: "https://app.example.com/welcome".to_owned().into(),
            linking: Some(user()),
            session: Some(session_id()),
            kept: Some("hj9Xq2mVw7".to_owned().into()),
            started_at: minute(5),
            expires_at: minute(10),
        },
        FlowEvent::Returned { at: minute(6) },
        FlowEvent::Authenticated {
            user: user(),
            credentials: 0,
            method: "oauth".to_owned(),
            tokens: Some(
                ProviderTokens {
                    access_token: "ya29.sample".to_owned(),
                    refresh_token: Some("1//sample".to_owned()),
                }
                .into(),
            ),
            at: minute(6),
            code_expires_at: minute(11),
        },
        FlowEvent::Redeemed { user: user(), at: minute(7) },
        FlowEvent::Answered { user: Some(user()), accepted: true, at: minute(8) },
    ]
}

fn recipient() -> [RecipientEvent; 6] {
    let purpose = CodePurpose::SignIn;
    [
        RecipientEvent::MessageAskedFor { kind: MessageKind::Access, at: minute(8) },
        RecipientEvent::Answered {},
        RecipientEvent::CodeIssued { purpose, code: hash(), at: minute(8), expires_at: minute(13) },
        RecipientEvent::CodeMissed { purpose },
        RecipientEvent::CodeExhausted { purpose },
        RecipientEvent::CodeRedeemed { purpose },
    ]
}

fn client() -> [ClientEvent; 4] {
    let details = |name: &str| ClientDetails {
        name: Some(name.to_owned()),
        uri: Some("https://photos.example.com".to_owned()),
        logo_uri: Some("https://photos.example.com/logo.png".to_owned()),
        redirect_uris: redirect_uri().into_iter().collect(),
        grant_types: GrantType::ALL.to_vec(),
        auth_method: AuthMethod::ClientSecretBasic,
    };
    [
        ClientEvent::Registered {
            registration: Registration::Manual,
            details: details("Photo Book"),
            secret: Some(TokenHash("3d".repeat(32))),
            registered_at: minute(8),
        },
        ClientEvent::Updated { details: details("Photo Books"), at: minute(9) },
        ClientEvent::SecretRegenerated { secret: TokenHash("a1".repeat(32)), at: minute(10) },
        ClientEvent::Deleted {},
    ]
}

fn authorization() -> Vec<AuthorizationEvent> {
    let requested = redirect_uri().map(|redirect_uri| AuthorizationEvent::Requested {
        client: client_id(),
        redirect_uri,
        scopes: scopes(),
        state: Some("st-1".to_owned().into()),
        nonce: Some("no-1".to_owned().into()),
        resource: Some("https://api.example.com".to_owned()),
        challenge: challenge(),
        requested_at: minute(11),
        expires_at: minute(21),
    });
    let rest = [
        AuthorizationEvent::Seen { user: user(), at: minute(12) },
        AuthorizationEvent::Approved {
            user: user(),
            authenticated_at: minute(2),
            at: minute(13),
            code_expires_at: minute(18),
        },
        AuthorizationEvent::Denied { user: user(), at: minute(13) },
        AuthorizationEvent::CodeRedeemed {
            user: user(),
            session: SessionId(Uuid::from_u128(0x5e55_1011_0000_4000_8000_0000_0000_0004)),
            at: minute(14),
        },
    ];
    requested.into_iter().chain(rest).collect()
}

fn consent() -> [ConsentEvent; 2] {
    [
        ConsentEvent::Given { user: user(), client: client_id(), scopes: scopes(), given_at: minute(13) },
        ConsentEvent::Revoked { user: user(), client: client_id() },
    ]
}

fn attempt() -> [AttemptEvent; 5] {
    [
        AttemptEvent::SignInFailed {
            account: TokenHash("b7".repeat(32)),
            identifier: "ann@example.com".to_owned().into(),
            user: Some(user()),
            reason: SignInRefusal::WrongPassword,
            at: minute(3),
        },
        AttemptEvent::SignUpRepeated { user: user(), provider: "email".to_owned() },
        AttemptEvent::AdminDenied {
            operation: "POST /admin/users".to_owned(),
            reason: AdminRefusal::NotAdmin,
        },
        AttemptEvent::RefreshTokenReused { user: user(), session: session_id(), presented: 0, generation: 2 },
        AttemptEvent::AuthenticatorSuspected {
            user: user(),
            credential_id: authenticator().credential_id.into(),
            at: minute(90),
        },
    ]
}

/// A moment of the day on which the samples happen.
fn minute(minute: i64) -> Time {
    Time::from_timestamp_micros(1_795_226_118_540_517 + minute * 60_000_000).unwrap_or_default()
}

fn client_id() -> ClientId {
    ClientId(Uuid::from_u128(0xc11e_0000_0000_4000_8000_0000_0000_0005))
}

fn redirect_uri() -> Option<RedirectUri> {
    RedirectUri::parse("https://photos.example.com/cb").ok()
}

fn scopes() -> Scopes {
    Scopes::parse("openid email").unwrap_or_default()
}

fn challenge() -> CodeChallenge {
    CodeChallenge {
        method: ChallengeMethod::S256,
        value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
    }
}

fn admin() -> UserId {
    UserId(Uuid::from_u128(0x0add_0000_0000_4000_8000_0000_0000_0009))
}

fn user() -> UserId {
    UserId(Uuid::from_u128(0x0a11_a11a_0000_4000_8000_0000_0000_0001))
}

fn session_id() -> SessionId {
    SessionId(Uuid::from_u128(0x5e55_1011_0000_4000_8000_0000_0000_0002))
}

fn factor() -> FactorId {
    FactorId(Uuid::from_u128(0xfac7_0400_0000_4000_8000_0000_0000_0004))
}

fn authenticator() -> Authenticator {
    Authenticator {
        credential_id: "2Qwsf20MBGmNgj8xZnov3A".to_owned(),
        aaguid: Uuid::nil(),
        key: Metadata::default().with("cred", json!({"counter": 1})),
    }
}

fn identity() -> IdentityId {
    IdentityId(Uuid::from_u128(0x1de0_7170_0000_4000_8000_0000_0000_0003))
}

fn hash() -> TokenHash {
    TokenHash("5e".repeat(32))
}

fn password() -> PasswordHash {
    PasswordHash("$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxlLXNhbHQ$c2FtcGxlLWhhc2gtb2Ytbm9ib2R5".to_owned())
}
