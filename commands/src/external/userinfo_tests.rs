//! What each provider documents as its answer, and what becomes of it.

use serde_json::{Map, Value, json};

use super::claims::{self, Claims};
use super::description::{Source, Told};
use super::profile::{Profile, ProfileError};
use super::table::describe;
use crate::settings::Builtin;

/// Reads what a provider says, as its row of the table does.
fn read(provider: Builtin, token: &Value, answers: &[Value]) -> Result<Profile, ProfileError> {
    let told = Told { api: "https://api.example.com", token, answers };
    match describe(provider).source {
        Source::Calls(calls, read) => {
            assert!(answers.is_empty() || answers.len() == calls.len());
            read(&told)
        }
        Source::TokenAnswer(read) | Source::OAuth1(_, read) => read(&told),
        Source::IdToken => panic!("{provider:?} is read from its ID token"),
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "the tests read better")]
fn becomes(provider: Builtin, answers: &[Value], expected: Value) {
    let profile = read(provider, &Value::Null, answers).unwrap();
    let metadata = json!(profile.metadata().unwrap());
    let mut wanted =
        json!({"iss": "https://api.example.com", "provider_id": expected["sub"], "phone_verified": false});
    for (key, value) in expected.as_object().unwrap() {
        wanted[key] = value.clone();
    }
    assert_eq!(metadata, wanted);
}

fn picture(url: &str) -> Map<String, Value> {
    Map::from_iter([("picture".to_owned(), url.into()), ("avatar_url".to_owned(), url.into())])
}

fn with(mut base: Value, more: Map<String, Value>) -> Value {
    base.as_object_mut().unwrap().extend(more);
    base
}

#[test]
fn bitbucket() {
    let user = json!({"display_name": "Bo Bucket", "uuid": "{1-2}", "avatar": {"href": "https://b/a.png"}});
    let emails = json!({"values": [
        {"email": "old@example.com", "is_primary": false, "is_confirmed": false},
        {"email": "bo@example.com", "is_primary": true, "is_confirmed": true},
    ]});
    let expected = json!({"sub": "{1-2}", "name": "Bo Bucket", "full_name": "Bo Bucket", "email": "bo@example.com",
        "email_verified": true});
    becomes(Builtin::Bitbucket, &[user, emails], with(expected, picture("https://b/a.png")));
}

#[test]
fn discord() {
    let user = |avatar: Value| {
        json!({"id": "80351110224678912", "username": "Nelly", "discriminator": "1337",
        "global_name": "Nell", "avatar": avatar, "verified": true, "email": "nelly@example.com"})
    };
    let expected = json!({"sub": "80351110224678912", "name": "Nelly#1337", "full_name": "Nelly",
        "email": "nelly@example.com", "email_verified": true, "custom_claims": {"global_name": "Nell"}});
    for (avatar, url) in [
        (json!("8342"), "https://cdn.discordapp.com/avatars/80351110224678912/8342.png"),
        (json!("a_8342"), "https://cdn.discordapp.com/avatars/80351110224678912/a_8342.gif"),
        (Value::Null, "https://cdn.discordapp.com/embed/avatars/2.png"),
    ] {
        becomes(Builtin::Discord, &[user(avatar)], with(expected.clone(), picture(url)));
    }
}

#[test]
fn facebook() {
    let user = json!({"id": "77", "email": "fay@example.com", "first_name": "Fay", "last_name": "Book",
        "name": "Fay B.", "picture": {"data": {"url": "https://f/p.jpg"}}});
    let expected = json!({"sub": "77", "name": "Fay Book", "full_name": "Fay Book", "nickname": "Fay B.",
        "slug": "Fay B.", "email": "fay@example.com", "email_verified": true});
    becomes(Builtin::Facebook, &[user], with(expected, picture("https://f/p.jpg")));
}

#[test]
fn figma() {
    let user = json!({"id": "5", "email": "fi@example.com", "handle": "Fi Gma", "img_url": "https://i/1"});
    becomes(
        Builtin::Figma,
        &[user],
        json!({"sub": "5", "name": "Fi Gma", "full_name": "Fi Gma", "avatar_url": "https://i/1",
            "email": "fi@example.com", "email_verified": true}),
    );
}

#[test]
fn fly() {
    let user = json!({"resource_owner_id": "r1", "user_id": "u1", "user_name": "Flo", "email": "flo@example.com",
        "organizations": [{"id": "o1", "role": "admin"}], "scope": ["read"], "application": {"uid": "a"},
        "expires_in": 60, "created_at": 1});
    becomes(
        Builtin::Fly,
        &[user],
        json!({"sub": "u1", "full_name": "Flo", "email": "flo@example.com", "email_verified": true,
            "custom_claims": {"resource_owner_id": "r1", "organizations": [{"id": "o1", "role": "admin"}],
                "scope": ["read"], "application": {"uid": "a"}, "created_at": 1}}),
    );
}

#[test]
fn github() {
    let user = json!({"id": 1, "login": "octocat", "name": "monalisa octocat", "avatar_url": "https://g/1",
        "email": "public@example.com"});
    let emails =
        json!([{"email": "octocat@example.com", "verified": true, "primary": true, "visibility": "public"}]);
    becomes(
        Builtin::Github,
        &[user.clone(), emails],
        json!({"sub": "1", "name": "monalisa octocat", "full_name": "monalisa octocat",
            "preferred_username": "octocat", "user_name": "octocat", "avatar_url": "https://g/1",
            "email": "octocat@example.com", "email_verified": true}),
    );
    // The public address is nobody's word.
    let profile = read(Builtin::Github, &Value::Null, &[user, json!([])]).unwrap();
    assert_eq!(profile.primary(), None);
}

#[test]
fn gitlab() {
    let user = |confirmed: Value| {
        json!({"id": 1, "name": "John", "email": "john@example.com",
        "confirmed_at": confirmed, "avatar_url": "https://l/1"})
    };
    let more = json!([{"id": 1, "email": "other@example.com"}]);
    for (confirmed, verified) in [(json!("2012-05-23T09:05:22Z"), true), (Value::Null, false)] {
        let expected = json!({"sub": "1", "name": "John", "full_name": "John", "email": "john@example.com",
            "email_verified": verified});
        becomes(Builtin::Gitlab, &[user(confirmed), more.clone()], with(expected, picture("https://l/1")));
    }
}

#[test]
fn kakao() {
    let user = |valid: bool| {
        json!({"id": 123_456_789, "kakao_account": {"profile": {"nickname": "Ka",
        "profile_image_url": "https://k/1"}, "email": "ka@example.com", "is_email_valid": valid,
        "is_email_verified": true}})
    };
    for valid in [true, false] {
        becomes(
            Builtin::Kakao,
            &[user(valid)],
            json!({"sub": "123456789", "name": "Ka", "full_name": "Ka", "preferred_username": "Ka",
                "user_name": "Ka", "avatar_url": "https://k/1", "email": "ka@example.com",
                "email_verified": valid}),
        );
    }
}

#[test]
fn keycloak() {
    let user = json!({"sub": "kc-1", "name": "Vera Vane", "email": "vera@example.com", "email_verified": true,
        "preferred_username": "vera", "department": "sales"});
    becomes(
        Builtin::Keycloak,
        &[user],
        json!({"sub": "kc-1", "name": "Vera Vane", "full_name": "Vera Vane", "email": "vera@example.com",
            "email_verified": true, "custom_claims": {"department": "sales"}}),
    );
}

#[test]
fn linkedin() {
    let name = |name: &str| json!({"localized": {"en_US": name}, "preferredLocale": {"country": "US", "language": "en"}});
    let user = json!({"id": "yrZCpj2Z12", "firstName": name("Bob"), "lastName": name("Smith"),
        "profilePicture": {"displayImage~": {"elements": [{"identifiers": [{"identifier": "https://i/1"}]}]}}});
    let emails = json!({"elements": [{"handle": "urn", "handle~": {"emailAddress": "bob@example.com"}}]});
    let expected = json!({"sub": "yrZCpj2Z12", "name": "Bob Smith", "full_name": "Bob Smith",
        "email": "bob@example.com", "email_verified": true});
    becomes(Builtin::Linkedin, &[user, emails], with(expected, picture("https://i/1")));
}

#[test]
fn notion() {
    let user = json!({"object": "user", "bot": {"owner": {"type": "user", "user": {"id": "n-1", "name": "No",
        "avatar_url": "https://n/1", "person": {"email": "no@example.com"}}}}});
    let expected = json!({"sub": "n-1", "name": "No", "full_name": "No", "email": "no@example.com",
        "email_verified": true});
    becomes(Builtin::Notion, &[user], with(expected, picture("https://n/1")));
}

#[test]
fn slack() {
    let user = |verified: bool| {
        json!({"ok": true, "sub": "U1", "https://slack.com/user_id": "U1",
        "https://slack.com/team_id": "T1", "email": "sl@example.com", "email_verified": verified, "name": "Sl",
        "picture": "https://s/1"})
    };
    for provider in [Builtin::Slack, Builtin::SlackOidc] {
        for verified in [true, false] {
            let expected = json!({"sub": "U1", "name": "Sl", "full_name": "Sl", "email": "sl@example.com",
                "email_verified": verified, "custom_claims": {"https://slack.com/team_id": "T1"}});
            becomes(provider, &[user(verified)], with(expected, picture("https://s/1")));
        }
    }
}

#[test]
fn snapchat() {
    let user = json!({"data": {"me": {"externalId": "ex1", "displayName": "Sn", "bitmoji": {"avatar": "https://b/1"},
        "email": "sn@example.com"}}});
    let expected = json!({"iss": "https://accounts.snapchat.com/accounts/oauth2/token", "sub": "ex1", "name": "Sn",
        "full_name": "Sn", "slug": "Sn", "email": "sn@example.com", "email_verified": true});
    becomes(Builtin::Snapchat, &[user], with(expected, picture("https://b/1")));
}

#[test]
fn spotify_does_not_vouch_for_addresses() {
    let user = json!({"display_name": "Sp", "id": "wizzler", "email": "sp@example.com",
        "images": [{"url": "https://s/1", "height": 300, "width": 300}]});
    let expected = json!({"sub": "wizzler", "name": "Sp", "full_name": "Sp", "email": "sp@example.com",
        "email_verified": false});
    becomes(Builtin::Spotify, &[user], with(expected, picture("https://s/1")));
}

#[test]
fn twitch() {
    let user = json!({"data": [{"id": "141981764", "login": "twitchdev", "display_name": "TwitchDev", "type": "",
        "broadcaster_type": "partner", "description": "Supporting", "profile_image_url": "https://t/1",
        "offline_image_url": "https://t/2", "view_count": 5_980_557, "email": "tw@example.com"}]});
    let expected = json!({"sub": "141981764", "name": "twitchdev", "full_name": "twitchdev",
        "nickname": "TwitchDev", "slug": "TwitchDev", "email": "tw@example.com", "email_verified": true,
        "custom_claims": {"broadcaster_type": "partner", "description": "Supporting", "type": "",
            "offline_image_url": "https://t/2", "view_count": 5_980_557}});
    becomes(Builtin::Twitch, &[user], with(expected, picture("https://t/1")));
}

#[test]
fn twitter() {
    let user = json!({"id": 38_895_958, "id_str": "38895958", "name": "Sean Cook", "screen_name": "theSeanCook",
        "profile_image_url_https": "https://t/1", "email": "sean@example.com"});
    let expected = json!({"sub": "38895958", "name": "Sean Cook", "full_name": "Sean Cook",
        "preferred_username": "theSeanCook", "user_name": "theSeanCook", "email": "sean@example.com",
        "email_verified": true});
    becomes(Builtin::Twitter, &[user], with(expected, picture("https://t/1")));
}

#[test]
fn workos_tells_it_with_the_token() {
    let token = json!({"access_token": "t", "profile": {"id": "prof_1", "connection_id": "conn_1",
        "organization_id": "org_1", "connection_type": "OktaSAML", "email": "todd@example.com",
        "first_name": "Todd", "last_name": "Rundgren"}});
    let profile = read(Builtin::Workos, &token, &[]).unwrap();
    assert_eq!(
        json!(profile.metadata().unwrap()),
        json!({"iss": "https://api.example.com", "sub": "prof_1", "provider_id": "prof_1", "name": "Todd Rundgren",
            "full_name": "Todd Rundgren", "email": "todd@example.com", "email_verified": true,
            "phone_verified": false, "custom_claims": {"connection_id": "conn_1", "organization_id": "org_1"}})
    );
}

#[test]
fn x() {
    let user = json!({"data": {"id": "2244994945", "name": "X Dev", "username": "XDevelopers",
        "confirmed_email": "x@example.com", "profile_image_url": "https://x/1", "url": "https://t.co/1",
        "created_at": "2013-12-14T04:35:55.000Z"}});
    let expected = json!({"sub": "2244994945", "name": "X Dev", "full_name": "X Dev",
        "preferred_username": "XDevelopers", "user_name": "XDevelopers", "profile": "https://x.com/XDevelopers",
        "website": "https://t.co/1", "email": "x@example.com", "email_verified": true,
        "custom_claims": {"created_at": "2013-12-14T04:35:55.000Z"}});
    becomes(Builtin::X, &[user], with(expected, picture("https://x/1")));
}

#[test]
fn zoom_s_passwords_need_a_confirmed_address() {
    for (login_type, verified, good) in
        [(json!("100"), 0, false), (json!("100"), 1, true), (json!(1), 0, true), (json!(100), 0, false)]
    {
        let user = json!({"id": "z1", "first_name": "Zo", "last_name": "Om", "email": "zo@example.com",
            "verified": verified, "login_type": login_type, "pic_url": "https://z/1"});
        let expected = json!({"sub": "z1", "name": "Zo Om", "full_name": "Zo Om", "email": "zo@example.com",
            "email_verified": good});
        becomes(Builtin::Zoom, &[user], with(expected, picture("https://z/1")));
    }
}

#[test]
fn what_has_no_name_for_the_user_is_nobody() {
    for provider in Builtin::ALL {
        if matches!(describe(*provider).source, Source::IdToken) {
            continue;
        }
        for answer in
            [json!({}), json!([]), Value::Null, json!("x"), json!({"id": {}, "uuid": 1, "data": []})]
        {
            let nobody = read(*provider, &answer, &[]);
            assert_eq!(nobody, Err(ProfileError::NoSubject), "{provider:?} {answer}");
        }
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "the tests read better")]
fn claims_become(read: claims::Reader, claims: Value, own_tenant: bool, expected: Value) {
    let Value::Object(all) = claims else { panic!("no object") };
    let profile = read(&Claims { all: &all, own_tenant }).unwrap();
    let mut wanted = json!({"phone_verified": false, "iss": all["iss"]});
    for (key, value) in expected.as_object().unwrap() {
        wanted[key] = value.clone();
    }
    assert_eq!(json!(profile.metadata().unwrap()), wanted);
}

#[test]
fn google_s_claims() {
    let claims = json!({"iss": "https://accounts.google.com", "sub": "110", "email": "g@example.com",
        "email_verified": true, "name": "Goo", "picture": "https://g/1", "hd": "example.com", "aud": "c"});
    let expected = json!({"sub": "110", "provider_id": "110", "name": "Goo", "full_name": "Goo",
        "email": "g@example.com", "email_verified": true, "custom_claims": {"hd": "example.com"}});
    claims_become(claims::google, claims, false, with(expected, picture("https://g/1")));
}

#[test]
fn apple_s_claims_write_switches_as_texts() {
    let claims = json!({"iss": "https://appleid.apple.com", "sub": "001.a", "email": "a@privaterelay.appleid.com",
        "email_verified": "true", "is_private_email": "true", "auth_time": 7});
    claims_become(
        claims::apple,
        claims,
        false,
        json!({"sub": "001.a", "provider_id": "001.a", "email": "a@privaterelay.appleid.com",
            "email_verified": true, "custom_claims": {"is_private_email": true, "auth_time": 7}}),
    );
}

#[test]
fn microsoft_s_addresses_count_only_where_somebody_answers_for_them() {
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    for (tenant, owner, own_tenant, verified) in [
        ("t-1", Value::Null, false, false),
        ("t-1", json!("1"), false, true),
        ("t-1", json!(true), false, true),
        ("t-1", json!(false), true, false),
        ("t-1", Value::Null, true, true),
        (personal, Value::Null, false, true),
    ] {
        let mut claims = json!({"iss": "https://i", "sub": "s", "oid": "o", "tid": tenant, "email": "m@example.com",
            "name": "Mi", "preferred_username": "mi", "aud": "c", "exp": 1});
        let mut custom = json!({"oid": "o", "tid": tenant, "email": "m@example.com"});
        if !owner.is_null() {
            claims["xms_edov"] = owner.clone();
            custom["xms_edov"] = owner;
        }
        let expected = json!({"sub": "s", "provider_id": "s", "full_name": "Mi", "preferred_username": "mi",
            "email": "m@example.com", "email_verified": verified, "custom_claims": custom});
        claims_become(claims::azure, claims, own_tenant, expected);
    }
}

#[test]
fn other_issuers_claims() {
    let base = |more: Value| with(json!({"iss": "https://i", "sub": "s"}), more.as_object().unwrap().clone());
    let known =
        |more: Value| with(json!({"sub": "s", "provider_id": "s"}), more.as_object().unwrap().clone());
    claims_become(
        claims::facebook,
        base(json!({"email": "f@example.com", "name": "F", "picture": "https://f"})),
        false,
        known(json!({"email": "f@example.com", "email_verified": true, "name": "F", "picture": "https://f"})),
    );
    claims_become(
        claims::kakao,
        base(json!({"email": "k@example.com", "nickname": "K"})),
        false,
        known(
            json!({"email": "k@example.com", "email_verified": true, "name": "K", "preferred_username": "K"}),
        ),
    );
    claims_become(
        claims::linkedin,
        base(
            json!({"email": "l@example.com", "email_verified": "true", "given_name": "Li", "family_name": "N",
            "locale": "en_US"}),
        ),
        false,
        known(json!({"email": "l@example.com", "email_verified": true, "name": "Li N", "given_name": "Li",
            "family_name": "N", "locale": "en_US"})),
    );
    claims_become(
        claims::snapchat,
        base(json!({"email": "s@example.com", "name": "S"})),
        false,
        known(json!({"email": "s@example.com", "email_verified": true, "name": "S"})),
    );
    claims_become(
        claims::vercel,
        base(json!({"user_email": "v@example.com", "user_name": "V", "global_user_id": "g"})),
        false,
        json!({"sub": "global_user_id:g", "provider_id": "global_user_id:g", "email": "v@example.com",
            "email_verified": true, "name": "V"}),
    );
    claims_become(
        claims::generic,
        base(json!({"aud": "c", "exp": 2, "iat": 1, "email": "o@example.com", "name": "O", "nonce": "n"})),
        false,
        json!({"sub": "s", "aud": ["c"], "exp": 2, "iat": 1, "email": "o@example.com", "email_verified": false,
            "name": "O"}),
    );
}
