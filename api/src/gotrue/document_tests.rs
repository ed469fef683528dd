use evident_commands::UserRow;
use evident_domain::Email;
use serde_json::json;
use uuid::Uuid;

use super::*;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn ann() -> UserView {
    let id = UserId("18a19021-05b8-4c33-83cb-1cba1023c094".parse().unwrap());
    let user = UserRow {
        id,
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
        email: Some("ann@example.com".to_owned()),
        email_confirmed_at: None,
        invited_at: None,
        phone: None,
        phone_confirmed_at: None,
        confirmation_sent_at: Some(at("2026-11-21T02:43:51.868186Z")),
        recovery_sent_at: None,
        new_email: None,
        email_change_sent_at: None,
        new_phone: None,
        phone_change_sent_at: None,
        reauthentication_sent_at: None,
        last_sign_in_at: None,
        app_metadata: r#"{"provider":"email","providers":["email"]}"#.to_owned(),
        user_metadata: r#"{"full_name":"Ann Archer"}"#.to_owned(),
        created_at: at("2026-11-21T02:43:51.860387Z"),
        updated_at: at("2026-11-21T02:43:51.92Z"),
        banned_until: None,
        ban_reason: Some("not for her eyes".to_owned()),
        deleted_at: None,
        is_anonymous: false,
        has_password: true,
        search: "ann@example.com".to_owned(),
        factors: Vec::new(),
        passkeys: Vec::new(),
        admin_roles: Some("admin".to_owned()),
        username: None,
        display_username: None,
        name: String::new(),
        mail_factor: false,
        two_factor: false,
    };
    let identity = IdentityRow {
        identity_id: IdentityId("2103c941-c08d-4cf9-bd3f-17b5d5a72e86".parse().unwrap()),
        user_id: id,
        provider: "email".to_owned(),
        provider_id: id.to_string(),
        identity_data: r#"{"email":"ann@example.com"}"#.to_owned(),
        email: Some("ann@example.com".to_owned()),
        last_sign_in_at: Some(at("2026-11-21T02:43:51.865228Z")),
        created_at: at("2026-11-21T02:43:51Z"),
        updated_at: at("2026-11-21T02:43:51Z"),
        position: 1,
    };
    UserView { user, identities: vec![identity] }
}

fn write(document: impl Serialize) -> String {
    serde_json::to_string(&document).unwrap()
}

#[test]
fn a_user_is_written_key_by_key_as_the_peer_does() {
    assert_eq!(
        write(UserDocument::of(&ann())),
        r#"{"id":"18a19021-05b8-4c33-83cb-1cba1023c094","aud":"authenticated","role":"authenticated","email":"ann@example.com","phone":"","confirmation_sent_at":"2026-11-21T02:43:51.868186Z","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{"full_name":"Ann Archer"},"identities":[{"identity_id":"2103c941-c08d-4cf9-bd3f-17b5d5a72e86","id":"18a19021-05b8-4c33-83cb-1cba1023c094","user_id":"18a19021-05b8-4c33-83cb-1cba1023c094","identity_data":{"email":"ann@example.com"},"provider":"email","last_sign_in_at":"2026-11-21T02:43:51.865228Z","created_at":"2026-11-21T02:43:51Z","updated_at":"2026-11-21T02:43:51Z","email":"ann@example.com"}],"created_at":"2026-11-21T02:43:51.860387Z","updated_at":"2026-11-21T02:43:51.92Z","is_anonymous":false}"#
    );
}

#[test]
fn every_key_has_its_place() {
    let mut view = ann();
    let moment = at("2026-01-02T03:04:05Z");
    let user = &mut view.user;
    for slot in [
        &mut user.email_confirmed_at,
        &mut user.invited_at,
        &mut user.confirmation_sent_at,
        &mut user.recovery_sent_at,
        &mut user.email_change_sent_at,
        &mut user.phone_change_sent_at,
        &mut user.reauthentication_sent_at,
        &mut user.last_sign_in_at,
        &mut user.banned_until,
        &mut user.deleted_at,
    ] {
        *slot = Some(moment);
    }
    user.phone_confirmed_at = Some(at("2026-01-01T00:00:00Z"));
    user.phone = Some("15005550001".to_owned());
    user.new_email = Some("new@example.com".to_owned());
    user.new_phone = Some("15005550002".to_owned());
    let text = write(UserDocument::of(&view));
    let keys = [
        "id",
        "aud",
        "role",
        "email",
        "email_confirmed_at",
        "invited_at",
        "phone",
        "phone_confirmed_at",
        "confirmation_sent_at",
        "confirmed_at",
        "recovery_sent_at",
        "new_email",
        "email_change_sent_at",
        "new_phone",
        "phone_change_sent_at",
        "reauthentication_sent_at",
        "last_sign_in_at",
        "app_metadata",
        "user_metadata",
        "identities",
        "created_at",
        "updated_at",
        "banned_until",
        "deleted_at",
        "is_anonymous",
    ];
    let mut from = 0;
    for key in keys {
        let found = text[from..].find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in {text}"));
        from += found;
        if key == "identities" {
            from += text[from..].find(']').unwrap();
        }
    }
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value.as_object().unwrap().len(), keys.len());
    assert_eq!(value["confirmed_at"], "2026-01-01T00:00:00Z", "the earlier of both");
}

#[test]
fn an_identity_without_data_or_address_lacks_the_keys() {
    let mut view = ann();
    let identity = &mut view.identities[0];
    identity.identity_data = "{}".to_owned();
    identity.email = None;
    identity.last_sign_in_at = None;
    let value = json!(UserDocument::of(&view));
    let keys: Vec<&String> = value["identities"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["created_at", "id", "identity_id", "provider", "updated_at", "user_id"]);
    view.identities.clear();
    assert_eq!(json!(UserDocument::of(&view))["identities"], json!([]));
}

#[test]
fn a_pretended_user_tells_nothing() {
    let pretended = Pretended {
        id: UserId(Uuid::from_u128(9)),
        contact: Contact::Email(Email::parse("Ann@example.com").unwrap()),
        data: Metadata::default().with("full_name", "Mallory"),
        now: at("2026-11-21T02:43:56.238386Z"),
        aud: "authenticated".to_owned(),
        role: "authenticated".to_owned(),
    };
    assert_eq!(
        write(UserDocument::pretended(&pretended)),
        r#"{"id":"00000000-0000-0000-0000-000000000009","aud":"authenticated","role":"authenticated","email":"ann@example.com","phone":"","confirmation_sent_at":"2026-11-21T02:43:56.238386Z","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{"full_name":"Mallory"},"identities":[],"created_at":"2026-11-21T02:43:56.238386Z","updated_at":"2026-11-21T02:43:56.238386Z","is_anonymous":false}"#
    );
}

#[test]
fn a_list_shows_whole_users() {
    let text = write(UserListDocument::of(&[ann()], "authenticated"));
    assert!(text.starts_with(r#"{"users":[{"id":"18a1"#) && text.ends_with(r#"}],"aud":"authenticated"}"#));
    assert!(text.contains(r#""identities":[{"identity_id""#));
    assert_eq!(write(UserListDocument::of(&[], "a")), r#"{"users":[],"aud":"a"}"#);
}
