//! Linking identities by hand, and removing them.

use serde_json::json;

use super::{knows, with_gitlab};
use crate::support::{Anonymous, Caller, FakeProvider, Reply, TestServer, query_of};

/// Begins to link; gives the `state` to come back with.
async fn begin(server: &TestServer, caller: &impl Caller) -> String {
    let path = "/user/identities/authorize?provider=gitlab&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Faccount&skip_http_redirect=true";
    let url = server.get(caller, path).await.ok()["url"].as_str().unwrap().to_owned();
    query_of(&url::Url::parse(&url).unwrap(), "state")
}

async fn link(server: &TestServer, caller: &impl Caller) -> Reply {
    let state = begin(server, caller).await;
    server.get(&Anonymous, &format!("/callback?code=vera-1&state={state}")).await
}

on_both_databases!(an_identity_is_linked_and_unlinked_by_hand, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 9, "Vera Vane", "vera.work@example.com", true);
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "true")
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .start()
        .await;
    let (vera, bob) = (server.sign_up("vera@example.com").await, server.sign_up("bob@example.com").await);
    let reply = server.get(&vera, "/user/identities/authorize?provider=gitlab").await;
    assert_eq!(reply.status, 302);
    let unknown = server.get(&vera, "/user/identities/authorize?provider=nowhere").await;
    unknown.refused(400, "validation_failed", "Unsupported provider: Provider nowhere could not be found");
    assert_eq!(server.get(&Anonymous, "/user/identities/authorize?provider=gitlab").await.status, 401);

    let before = server.get(&vera, "/user").await.ok();
    let reply = link(&server, &vera).await;
    assert!(reply.header("location").starts_with("http://localhost:3000/account#access_token="), "{reply:?}");
    let user = server.get(&vera, "/user").await.ok();
    assert_eq!(user["user_metadata"], before["user_metadata"]);
    assert_eq!(user["app_metadata"], json!({"provider": "email", "providers": ["email", "gitlab"]}));
    assert_eq!(user["email"], "vera@example.com");
    let (own, other) = (&user["identities"][0]["identity_id"], &user["identities"][1]["identity_id"]);

    for (caller, message) in
        [(&vera, "Identity+is+already+linked"), (&bob, "Identity+is+already+linked+to+another+user")]
    {
        let news =
            format!("error=server_error&error_code=identity_already_exists&error_description={message}");
        let location = format!("http://localhost:3000/account?{news}#{news}&sb=");
        assert_eq!(link(&server, caller).await.header("location"), location);
    }

    let unlink = |caller, id: &str| {
        let path = format!("/user/identities/{}", id.trim_matches('"'));
        let server = &server;
        async move { server.delete(caller, &path, None).await }
    };
    unlink(&bob, &other.to_string()).await.refused(
        422,
        "single_identity_not_deletable",
        "User must have at least 1 identity after unlinking",
    );
    unlink(&vera, "abc").await.refused(404, "validation_failed", "identity_id must be an UUID");
    unlink(&vera, "5a22e0a7-7822-4d54-b293-92173d462ab8").await.refused(
        422,
        "identity_not_found",
        "Identity doesn't exist",
    );
    assert_eq!(unlink(&vera, &own.to_string()).await.ok(), json!({}));
    let user = server.get(&vera, "/user").await.ok();
    assert_eq!(user["email"], "vera.work@example.com");
    assert_eq!(user["app_metadata"], json!({"provider": "gitlab", "providers": ["gitlab"]}));
    unlink(&vera, &other.to_string()).await.refused(
        422,
        "single_identity_not_deletable",
        "User must have at least 1 identity after unlinking",
    );
    // The old address is free again.
    server.sign_up("vera@example.com").await;
    server.assert_log_is_whole();
});

on_both_databases!(of_racing_requests_one_leaves_the_last_identity, async |database| {
    let gitlab = FakeProvider::start().await;
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "true")
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .start()
        .await;
    for round in 0..3_u32 {
        knows(&gitlab, 100 + round, "Ann", &format!("ann{round}@example.net"), true);
        let ann = server.sign_up(&format!("ann{round}@example.com")).await;
        link(&server, &ann).await;
        let user = server.get(&ann, "/user").await.ok();
        let ids: Vec<String> =
            (0..2).map(|n| user["identities"][n]["identity_id"].as_str().unwrap().to_owned()).collect();
        let path = |n: usize| format!("/user/identities/{}", ids[n]);
        let (one, two) = (path(0), path(1));
        let (one, two) = tokio::join!(server.delete(&ann, &one, None), server.delete(&ann, &two, None));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        let user = server.get(&ann, "/user").await.ok();
        assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    }
});

on_both_databases!(where_linking_is_off_nobody_links, async |database| {
    let gitlab = FakeProvider::start().await;
    let server = with_gitlab(&database, &gitlab).with("GOTRUE_MAILER_AUTOCONFIRM", "true").start().await;
    let dana = server.sign_up("dana@example.com").await;
    let reply = server.get(&dana, "/user/identities/authorize?provider=gitlab").await;
    reply.refused(404, "manual_linking_disabled", "Manual linking is disabled");
    let reply = server.delete(&dana, "/user/identities/7ba0efe6-cb1a-41c1-87ab-218796228996", None).await;
    reply.refused(404, "manual_linking_disabled", "Manual linking is disabled");
});

on_both_databases!(what_a_session_began_to_link_is_not_linked_once_it_has_ended, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 666, "Mallory", "mallory@example.net", true);
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "true")
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .start()
        .await;
    let vera = server.sign_up("vera@example.com").await;
    let thief = server.sign_in("vera@example.com").await;
    let state = begin(&server, &thief).await;
    // Vera takes a new password, and the thief's session ends.
    server.put(&vera, "/user", json!({ "password": "a new password of hers" })).await.ok();
    let reply = server.get(&Anonymous, &format!("/callback?code=vera-1&state={state}")).await;
    let location = reply.header("location");
    assert!(location.contains("error_code=session_not_found"), "{location}");
    assert!(!location.contains("access_token"), "{location}");
    let user = server.get(&vera, "/user").await.ok();
    assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    server.assert_log_is_whole();
});

on_both_databases!(ways_in_that_come_and_go_are_told_by_mail, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 9, "Vera Vane", "vera.work@example.com", true);
    let server = with_gitlab(&database, &gitlab)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "true")
        .with("GOTRUE_SMS_AUTOCONFIRM", "true")
        .with("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_IDENTITY_LINKED_ENABLED", "true")
        .with("GOTRUE_MAILER_NOTIFICATIONS_IDENTITY_UNLINKED_ENABLED", "true")
        .with("GOTRUE_MAILER_SUBJECTS_IDENTITY_LINKED_NOTIFICATION", "{{ .Provider }} came")
        .with("GOTRUE_MAILER_SUBJECTS_IDENTITY_UNLINKED_NOTIFICATION", "{{ .Provider }} went")
        .start()
        .await;
    let vera = server.sign_up("vera@example.com").await;
    link(&server, &vera).await;
    let mail = server.mail_to("vera@example.com", 1).await;
    assert!(mail.text.contains("Subject: gitlab came"), "{}", mail.text);
    let user = server.get(&vera, "/user").await.ok();
    let path = format!("/user/identities/{}", user["identities"][1]["identity_id"].as_str().unwrap());
    server.delete(&vera, &path, None).await.ok();
    let mail = server.mail_to("vera@example.com", 2).await;
    assert!(mail.text.contains("Subject: gitlab went"), "{}", mail.text);
    server.put(&vera, "/user", json!({ "phone": "15005550001" })).await.ok();
    let mail = server.mail_to("vera@example.com", 3).await;
    assert!(mail.text.contains("Subject: phone came"), "{}", mail.text);
});
