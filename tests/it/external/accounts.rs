//! Whose account it is that somebody comes to.

use serde_json::json;

use super::{come_by_gitlab, knows, with_gitlab};
use crate::support::{
    Anonymous, Bearer, FakeProvider, PASSWORD, Reply, ServiceRole, TestServer, fragment_of,
};

#[track_caller]
fn caller(reply: &Reply) -> Bearer {
    Bearer(fragment_of(reply.header("location"))["access_token"].clone())
}

async fn sign_up_and_confirm(server: &TestServer, email: &str) {
    let body = json!({"email": email, "password": PASSWORD});
    server.post(&Anonymous, "/signup", body).await.ok();
    let code = server.mail_to(email, 1).await.code();
    let body = json!({"type": "signup", "email": email, "token": code});
    server.post(&Anonymous, "/verify", body).await.ok();
}

on_both_databases!(a_verified_address_leads_to_its_account_and_the_password_stays, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 4713, "Bob Bell", "bob@example.com", true);
    let server = with_gitlab(&database, &gitlab).start().await;
    sign_up_and_confirm(&server, "bob@example.com").await;
    let bob = server.sign_in("bob@example.com").await;
    let user = server.get(&caller(&come_by_gitlab(&server, "").await), "/user").await.ok();
    assert_eq!(user["id"], bob.id);
    assert_eq!(user["app_metadata"], json!({"provider": "email", "providers": ["email", "gitlab"]}));
    assert_eq!(user["identities"].as_array().unwrap().len(), 2);
    assert_eq!(user["user_metadata"]["full_name"], "Bob Bell");
    server.sign_in("bob@example.com").await;
    // The next time it is a known identity, whatever its address by then.
    knows(&gitlab, 4713, "Bob B.", "bob.new@example.com", true);
    let user = server.get(&caller(&come_by_gitlab(&server, "").await), "/user").await.ok();
    assert_eq!((user["id"].as_str(), &user["email"]), (Some(bob.id.as_str()), &json!("bob@example.com")));
    assert_eq!(user["identities"][1]["email"], "bob.new@example.com");
    assert_eq!(user["user_metadata"]["name"], "Bob B.");
});

on_both_databases!(an_unverified_address_leads_to_nobody_and_a_mail_asks_for_proof, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 1, "Una", "una@example.com", false);
    let server = with_gitlab(&database, &gitlab).with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms").start().await;
    let news = "error=access_denied&error_code=provider_email_needs_verification&error_description=Unverified+email+with+gitlab.+A+confirmation+email+has+been+sent+to+your+gitlab+email";
    let reply = come_by_gitlab(&server, "").await;
    assert_eq!(reply.header("location"), format!("http://localhost:3000/cb?{news}#{news}&sb="));
    let code = server.mail_to("una@example.com", 1).await.code();
    // Again: another mail, no other account.
    come_by_gitlab(&server, "").await;
    server.mail_to("una@example.com", 2).await;
    let users = server.get(&ServiceRole, "/admin/users").await.ok();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    let stale = json!({"type": "signup", "email": "una@example.com", "token": code});
    assert_eq!(server.post(&Anonymous, "/verify", stale).await.error_code(403), "otp_expired");
    let code = server.mail_to("una@example.com", 2).await.code();
    let body = json!({"type": "signup", "email": "una@example.com", "token": code});
    server.post(&Anonymous, "/verify", body).await.ok();
    // Confirmed by mail, the account opens.
    assert!(come_by_gitlab(&server, "").await.header("location").contains("#access_token="));
});

on_both_databases!(an_unverified_address_never_opens_the_account_that_has_it, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 666, "Mallory", "bob@example.com", false);
    let mut server = with_gitlab(&database, &gitlab).start().await;
    sign_up_and_confirm(&server, "bob@example.com").await;
    for autoconfirm in ["false", "true"] {
        server.stop();
        server.set("GOTRUE_MAILER_AUTOCONFIRM", autoconfirm);
        server.start().await;
        let reply = come_by_gitlab(&server, "").await;
        let news = "error_description=Unverified+email+with+gitlab.+Verify+the+email+with+gitlab+in+order+to+sign+in";
        assert!(reply.header("location").contains(news), "{reply:?}");
        let bob = server.sign_in("bob@example.com").await;
        let user = server.get(&bob, "/user").await.ok();
        assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    }
});

on_both_databases!(who_signed_up_with_somebody_else_s_address_loses_the_account, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 5, "Vera Victim", "vera@example.com", true);
    let server = with_gitlab(&database, &gitlab).start().await;
    let body = json!({"email": "vera@example.com", "password": PASSWORD, "data": {"color": "red"}});
    server.post(&Anonymous, "/signup", body).await.ok();
    let link = server.mail_to("vera@example.com", 1).await.link_parameter("token");
    let user = server.get(&caller(&come_by_gitlab(&server, "").await), "/user").await.ok();
    assert_eq!(user["email"], "vera@example.com");
    assert_eq!(user["app_metadata"], json!({"provider": "gitlab", "providers": ["gitlab"]}));
    assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    assert!(user["user_metadata"].get("color").is_none());
    // Neither the password nor the link of the first sign-up opens it.
    assert_eq!(server.try_sign_in("vera@example.com", PASSWORD).await.error_code(400), "invalid_credentials");
    let reply = server.get(&Anonymous, &format!("/verify?type=signup&token={link}")).await;
    assert!(reply.header("location").contains("error_code=otp_expired"));
    server.assert_log_is_whole();
});

on_both_databases!(a_session_that_was_let_in_unverified_ends_when_the_owner_comes, async |database| {
    let (gitlab, github) = (FakeProvider::start().await, FakeProvider::start().await);
    knows(&gitlab, 666, "Mallory", "vera@example.com", false);
    github.says("POST /login/oauth/access_token", &json!({"access_token": "t"}));
    github.says("GET /api/v3/user", &json!({"id": 5, "login": "vera"}));
    github.says(
        "GET /api/v3/user/emails",
        &json!([{"email": "vera@example.com", "primary": true, "verified": true}]),
    );
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS", "true")
        .with("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_GITHUB_CLIENT_ID", "github-client")
        .with("GOTRUE_EXTERNAL_GITHUB_SECRET", "github-secret")
        .with("GOTRUE_EXTERNAL_GITHUB_URL", github.url())
        .start()
        .await;
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256";
    let mallory = caller(&come_by_gitlab(&server, "").await);
    let kept_code = come_by_gitlab(&server, challenge).await.header("location").to_owned();
    server.get(&mallory, "/user").await.ok();
    let way = server.way_to("provider=github").await;
    let state = crate::support::query_of(&way, "state");
    let reply = server.get(&Anonymous, &format!("/callback?code=x&state={state}")).await;
    let user = server.get(&caller(&reply), "/user").await.ok();
    assert_eq!(user["app_metadata"]["providers"], json!(["github"]));
    assert_eq!(server.get(&mallory, "/user").await.error_code(403), "session_not_found");
    let code = kept_code.split("code=").nth(1).unwrap();
    let body = json!({"auth_code": code, "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"});
    let redeemed = server.post(&Anonymous, "/token?grant_type=pkce", body).await;
    assert_eq!(redeemed.error_code(404), "flow_state_not_found");
});

on_both_databases!(closed_sign_ups_and_missing_addresses_are_told, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 1, "Igor", "igor@example.com", true);
    let mut server = with_gitlab(&database, &gitlab).with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let reply = come_by_gitlab(&server, "").await;
    let news = "error=access_denied&error_code=signup_disabled&error_description=Signups+not+allowed+for+this+instance";
    assert_eq!(reply.header("location"), format!("http://localhost:3000/cb?{news}#{news}&sb="));
    server.stop();
    server.unset("GOTRUE_DISABLE_SIGNUP");
    server.start().await;
    knows(&gitlab, 2, "Nemo", "", false);
    let reply = come_by_gitlab(&server, "").await;
    let news = "error=server_error&error_code=unexpected_failure&error_description=Error+getting+user+email+from+external+provider";
    assert_eq!(reply.header("location"), format!("http://localhost:3000/cb?{news}#{news}&sb="));
    server.stop();
    server.set("GOTRUE_EXTERNAL_GITLAB_EMAIL_OPTIONAL", "true");
    server.start().await;
    let user = server.get(&caller(&come_by_gitlab(&server, "").await), "/user").await.ok();
    assert_eq!((&user["email"], &user["is_anonymous"]), (&json!(""), &json!(false)));
});

on_both_databases!(an_invitation_is_accepted_by_coming_from_a_provider, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 8, "Ina Invited", "other@example.com", true);
    let server = with_gitlab(&database, &gitlab).with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let body = json!({"email": "ina@example.com", "data": {"seat": 7}});
    server.post(&ServiceRole, "/invite", body).await.ok();
    let token = server.mail_to("ina@example.com", 1).await.link_parameter("token");
    let invited = format!("&invite_token={token}");
    // Somebody else's address at the provider does not accept it.
    let reply = come_by_gitlab(&server, &invited).await;
    let news = "error_description=Invited+email+does+not+match+emails+from+external+provider";
    assert!(reply.header("location").contains(news), "{reply:?}");
    knows(&gitlab, 8, "Ina Invited", "ina@example.com", true);
    let way = server.way_to(&format!("provider=gitlab{invited}")).await;
    assert!(!way.as_str().contains(&token), "the provider does not get the invitation");
    let user = server.get(&caller(&come_by_gitlab(&server, &invited).await), "/user").await.ok();
    assert_eq!(user["email"], "ina@example.com");
    assert!(user["email_confirmed_at"].is_string());
    assert_eq!(user["app_metadata"], json!({"provider": "gitlab", "providers": ["gitlab"]}));
    assert_eq!(user["user_metadata"]["name"], "Ina Invited");
    // It is good once.
    let reply = server.get(&Anonymous, &format!("/authorize?provider=gitlab{invited}")).await;
    reply.refused(404, "user_not_found", "User identified by token not found");
    server.assert_log_is_whole();
});

on_both_databases!(a_hook_that_refuses_a_newcomer_is_told_in_the_redirect, async |database| {
    let (gitlab, hook) = (FakeProvider::start().await, FakeProvider::start().await);
    knows(&gitlab, 1, "Igor", "igor@example.com", true);
    let refusal = json!({"error": {"http_code": 403, "message": "not from there"}});
    hook.says("POST /before", &refusal);
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED", "true")
        .with("GOTRUE_HOOK_BEFORE_USER_CREATED_URI", &format!("{}/before", hook.url()))
        .start()
        .await;
    let reply = come_by_gitlab(&server, "").await;
    assert_eq!(reply.status, 302, "{}", reply.text);
    let location = reply.header("location");
    assert!(location.starts_with("http://localhost:3000/cb?error=access_denied"), "{location}");
    assert!(location.contains("error_description=not+from+there"), "{location}");
    let users = server.get(&ServiceRole, "/admin/users").await.ok();
    assert_eq!(users["users"], json!([]));
});
