//! The table of built-in providers.

use super::claims;
use super::description::{Call, ClientProof, Description, Extra, Issuer, Place, Source};
use super::userinfo;
use crate::settings::Builtin;

/// Calls that need nothing but the access token.
macro_rules! calls {
    ($($path:literal),+) => { &[$(Call { path: $path, extra: Extra::None }),+] };
}

/// The description of a provider.
pub(super) fn describe(provider: Builtin) -> Description {
    match provider {
        Builtin::Apple => Description {
            scopes: &["email", "name"],
            params: &[("response_mode", "form_post")],
            ..by_id_token(
                provider,
                at("https://appleid.apple.com", "/auth/authorize"),
                at("https://appleid.apple.com", "/auth/token"),
                Issuer {
                    aliases: &["https://account.apple.com"],
                    ..issuer("https://appleid.apple.com", claims::apple)
                },
            )
        },
        Builtin::Azure => Description {
            scopes: &["openid"],
            pkce: true,
            ..by_id_token(
                provider,
                at("https://login.microsoftonline.com/common", "/oauth2/v2.0/authorize"),
                at("https://login.microsoftonline.com/common", "/oauth2/v2.0/token"),
                Issuer {
                    suffix: "/v2.0",
                    ..issuer("https://login.microsoftonline.com/common/v2.0", claims::azure)
                },
            )
        },
        Builtin::Bitbucket => Description {
            scopes: &["account", "email"],
            api: at("https://api.bitbucket.org", "/2.0"),
            source: Source::Calls(calls!["/user", "/user/emails"], userinfo::bitbucket),
            client: ClientProof::Header,
            ..by_calls(
                provider,
                at("https://bitbucket.org", "/site/oauth2/authorize"),
                at("https://bitbucket.org", "/site/oauth2/access_token"),
            )
        },
        Builtin::Discord => Description {
            scopes: &["email", "identify"],
            api: at("https://discord.com", "/api"),
            source: Source::Calls(calls!["/users/@me"], userinfo::discord),
            pkce: true,
            ..by_calls(
                provider,
                at("https://discord.com", "/api/oauth2/authorize"),
                at("https://discord.com", "/api/oauth2/token"),
            )
        },
        Builtin::Facebook => Description {
            scopes: &["email"],
            api: at("https://graph.facebook.com", "/me?fields=email,first_name,last_name,name,picture"),
            source: Source::Calls(&[Call { path: "", extra: Extra::SecretProof }], userinfo::facebook),
            issuer: Some(issuer("https://www.facebook.com", claims::facebook)),
            ..by_calls(
                provider,
                at("https://www.facebook.com", "/dialog/oauth"),
                at("https://graph.facebook.com", "/oauth/access_token"),
            )
        },
        Builtin::Figma => Description {
            scopes: &["current_user:read"],
            api: at("https://api.figma.com", ""),
            source: Source::Calls(calls!["/v1/me"], userinfo::figma),
            client: ClientProof::Header,
            pkce: true,
            ..by_calls(
                provider,
                at("https://www.figma.com", "/oauth"),
                at("https://api.figma.com", "/v1/oauth/token"),
            )
        },
        Builtin::Fly => Description {
            scopes: &["read"],
            api: at("https://api.fly.io", ""),
            source: Source::Calls(calls!["/oauth/token/info"], userinfo::fly),
            ..by_calls(
                provider,
                at("https://api.fly.io", "/oauth/authorize"),
                at("https://api.fly.io", "/oauth/token"),
            )
        },
        Builtin::Github => Description {
            scopes: &["user:email"],
            api: at("https://api.github.com", ""),
            own_api_path: Some("/api/v3"),
            source: Source::Calls(calls!["/user", "/user/emails"], userinfo::github),
            pkce: true,
            ..by_calls(
                provider,
                at("https://github.com", "/login/oauth/authorize"),
                at("https://github.com", "/login/oauth/access_token"),
            )
        },
        Builtin::Gitlab => Description {
            scopes: &["read_user"],
            api: at("https://gitlab.com", ""),
            source: Source::Calls(calls!["/api/v4/user", "/api/v4/user/emails"], userinfo::gitlab),
            client: ClientProof::Header,
            pkce: true,
            ..by_calls(
                provider,
                at("https://gitlab.com", "/oauth/authorize"),
                at("https://gitlab.com", "/oauth/token"),
            )
        },
        Builtin::Google => Description {
            scopes: &["email", "profile"],
            pkce: true,
            ..by_id_token(
                provider,
                at("https://accounts.google.com", "/o/oauth2/v2/auth"),
                at("https://oauth2.googleapis.com", "/token"),
                Issuer {
                    aliases: &["accounts.google.com"],
                    ..issuer("https://accounts.google.com", claims::google)
                },
            )
        },
        Builtin::Kakao => Description {
            scopes: &["account_email", "profile_image", "profile_nickname"],
            api: at("https://kapi.kakao.com", ""),
            source: Source::Calls(calls!["/v2/user/me"], userinfo::kakao),
            issuer: Some(issuer("https://kauth.kakao.com", claims::kakao)),
            ..by_calls(
                provider,
                at("https://kauth.kakao.com", "/oauth/authorize"),
                at("https://kauth.kakao.com", "/oauth/token"),
            )
        },
        // There is no usual place: the owner names one.
        Builtin::Keycloak => Description {
            scopes: &["profile", "email"],
            source: Source::Calls(calls!["/protocol/openid-connect/userinfo"], userinfo::keycloak),
            client: ClientProof::Header,
            pkce: true,
            issuer: Some(issuer("", claims::generic)),
            ..by_calls(
                provider,
                at("", "/protocol/openid-connect/auth"),
                at("", "/protocol/openid-connect/token"),
            )
        },
        Builtin::Linkedin => Description {
            scopes: &["r_emailaddress", "r_liteprofile"],
            api: at("https://api.linkedin.com", ""),
            source: Source::Calls(
                calls![
                    "/v2/me?projection=(id,firstName,lastName,profilePicture(displayImage~:playableStreams))",
                    "/v2/emailAddress?q=members&projection=(elements*(handle~))"
                ],
                userinfo::linkedin,
            ),
            ..by_calls(
                provider,
                at("https://api.linkedin.com", "/oauth/v2/authorization"),
                at("https://api.linkedin.com", "/oauth/v2/accessToken"),
            )
        },
        Builtin::LinkedinOidc => Description {
            scopes: &["openid", "email", "profile"],
            ..by_id_token(
                provider,
                at("https://api.linkedin.com", "/oauth/v2/authorization"),
                at("https://api.linkedin.com", "/oauth/v2/accessToken"),
                Issuer {
                    aliases: &["https://www.linkedin.com"],
                    ..issuer("https://www.linkedin.com/oauth", claims::linkedin)
                },
            )
        },
        Builtin::Notion => Description {
            api: at("https://api.notion.com", ""),
            source: Source::Calls(
                &[Call { path: "/v1/users/me", extra: Extra::Header("notion-version", "2021-08-16") }],
                userinfo::notion,
            ),
            client: ClientProof::Header,
            ..by_calls(
                provider,
                at("https://api.notion.com", "/v1/oauth/authorize"),
                at("https://api.notion.com", "/v1/oauth/token"),
            )
        },
        Builtin::Slack => Description {
            scopes: &["profile", "email", "openid"],
            api: at("https://slack.com", "/api"),
            source: Source::Calls(calls!["/openid.connect.userInfo"], userinfo::slack),
            ..by_calls(
                provider,
                at("https://slack.com", "/oauth/authorize"),
                at("https://slack.com", "/api/oauth.access"),
            )
        },
        Builtin::SlackOidc => Description {
            scopes: &["profile", "email", "openid"],
            api: at("https://slack.com", "/api"),
            source: Source::Calls(calls!["/openid.connect.userInfo"], userinfo::slack),
            ..by_calls(
                provider,
                at("https://slack.com", "/openid/connect/authorize"),
                at("https://slack.com", "/api/openid.connect.token"),
            )
        },
        Builtin::Snapchat => Description {
            scopes: &[
                "https://auth.snapchat.com/oauth2/api/user.external_id",
                "https://auth.snapchat.com/oauth2/api/user.display_name",
                "https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar",
            ],
            api: at("https://kit.snapchat.com", "/v1/me"),
            source: Source::Calls(
                calls!["?query=%7Bme+%7B+externalId+displayName+bitmoji+%7B+avatar+id+%7D+email+%7D+%7D"],
                userinfo::snapchat,
            ),
            issuer: Some(issuer("https://accounts.snapchat.com/accounts/oauth2/token", claims::snapchat)),
            ..by_calls(
                provider,
                at("https://accounts.snapchat.com", "/accounts/oauth2/auth"),
                at("https://accounts.snapchat.com", "/accounts/oauth2/token"),
            )
        },
        Builtin::Spotify => Description {
            scopes: &["user-read-email"],
            api: at("https://api.spotify.com/v1", ""),
            source: Source::Calls(calls!["/me"], userinfo::spotify),
            client: ClientProof::Header,
            pkce: true,
            ..by_calls(
                provider,
                at("https://accounts.spotify.com", "/authorize"),
                at("https://accounts.spotify.com", "/api/token"),
            )
        },
        Builtin::Twitch => Description {
            scopes: &["user:read:email"],
            api: at("https://api.twitch.tv", ""),
            source: Source::Calls(
                &[Call { path: "/helix/users", extra: Extra::ClientId("client-id") }],
                userinfo::twitch,
            ),
            ..by_calls(
                provider,
                at("https://id.twitch.tv", "/oauth2/authorize"),
                at("https://id.twitch.tv", "/oauth2/token"),
            )
        },
        Builtin::Twitter => Description {
            api: at("https://api.twitter.com", "/1.1/account/verify_credentials.json"),
            source: Source::OAuth1(
                Call {
                    path: "?include_entities=false&skip_status=true&include_email=true",
                    extra: Extra::None,
                },
                userinfo::twitter,
            ),
            ..by_calls(
                provider,
                at("https://api.twitter.com", "/oauth/authenticate"),
                at("https://api.twitter.com", "/oauth/access_token"),
            )
        },
        Builtin::VercelMarketplace => by_id_token(
            provider,
            at("https://api.vercel.com", "/oauth/v2/authorization"),
            at("https://api.vercel.com", "/oauth/v2/accessToken"),
            issuer("https://marketplace.vercel.com", claims::vercel),
        ),
        Builtin::Workos => Description {
            api: at("https://api.workos.com", ""),
            source: Source::TokenAnswer(userinfo::workos),
            ..by_calls(
                provider,
                at("https://api.workos.com", "/sso/authorize"),
                at("https://api.workos.com", "/sso/token"),
            )
        },
        Builtin::X => Description {
            scopes: &["users.email", "tweet.read", "users.read", "offline.access"],
            api: at("https://api.x.com", ""),
            source: Source::Calls(
                calls![
                    "/2/users/me?user.fields=id,name,username,confirmed_email,profile_image_url,url,created_at"
                ],
                userinfo::x,
            ),
            client: ClientProof::Header,
            pkce: true,
            ..by_calls(
                provider,
                at("https://x.com", "/i/oauth2/authorize"),
                at("https://api.x.com", "/2/oauth2/token"),
            )
        },
        Builtin::Zoom => Description {
            api: at("https://api.zoom.us", "/v2"),
            source: Source::Calls(calls!["/users/me"], userinfo::zoom),
            client: ClientProof::Header,
            pkce: true,
            ..by_calls(
                provider,
                at("https://zoom.us", "/oauth/authorize"),
                at("https://zoom.us", "/oauth/token"),
            )
        },
    }
}

const fn at(base: &'static str, path: &'static str) -> Place {
    Place { base, path }
}

const fn issuer(name: &'static str, read: claims::Reader) -> Issuer {
    Issuer { name, aliases: &[], suffix: "", read }
}

/// What most rows have in common.
const fn by_calls(provider: Builtin, authorize: Place, token: Place) -> Description {
    Description {
        provider,
        scopes: &[],
        authorize,
        token,
        api: at(authorize.base, ""),
        own_api_path: None,
        source: Source::IdToken,
        client: ClientProof::Form,
        params: &[],
        pkce: false,
        issuer: None,
    }
}

/// A row whose profile stands in the ID token.
const fn by_id_token(provider: Builtin, authorize: Place, token: Place, issuer: Issuer) -> Description {
    let mut row = by_calls(provider, authorize, token);
    row.issuer = Some(issuer);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_a_row_and_its_places_are_encrypted() {
        for provider in Builtin::ALL {
            let row = describe(*provider);
            assert_eq!(row.provider, *provider);
            for place in [row.authorize, row.token, row.api] {
                assert!(place.base.starts_with("https://") || *provider == Builtin::Keycloak, "{row:?}");
            }
            assert!(!matches!(row.source, Source::IdToken) || row.issuer.is_some(), "{row:?}");
        }
    }
}
