//! What happens at once happens once.

use futures::future::{join, join_all};
use serde_json::json;

use super::{Tokens, in_query, with_oauth};
use crate::support::ServiceRole;

on_both_databases!(a_code_used_in_parallel_opens_one_session_at_most, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let code = server.granted(&ada, &client, "openid email").await;
    let replies = join_all((0..8).map(|_| server.redeem(&client, &code))).await;
    let good: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(good.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.refused_by_oauth("invalid_grant", "Invalid authorization code");
    }
    let count = |kind: &str| server.events().iter().filter(|event| event.kind == kind).count();
    assert_eq!(count("authorization.code_redeemed"), 1);
    // The user's own, and the client's; which ended when the code came again.
    assert_eq!(count("session.started"), 2);
    let tokens = Tokens::of(&good[0].ok());
    assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "session_not_found");
    server.assert_log_is_whole();
});

on_both_databases!(of_a_yes_and_a_no_at_once_one_counts, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    for _ in 0..4 {
        let id = server.asked(&client, "email").await;
        if server.see(&ada, &id).await.ok().get("redirect_url").is_some() {
            let path = format!("/user/oauth/grants?client_id={}", client.id);
            server.delete(&ada, &path, None).await.no_content();
            continue;
        }
        let (yes, no) = join(server.decide(&ada, &id, "approve"), server.decide(&ada, &id, "deny")).await;
        let mut statuses = [yes.status, no.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "{} {}", yes.text, no.text);
    }
});

on_both_databases!(no_session_slips_past_a_grant_that_is_taken_back, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/user/oauth/grants?client_id={}", client.id);
    for _ in 0..4 {
        let code = server.granted(&ada, &client, "email").await;
        let (redeemed, revoked) = join(server.redeem(&client, &code), server.delete(&ada, &path, None)).await;
        revoked.no_content();
        if redeemed.status == 200 {
            let tokens = Tokens::of(&redeemed.ok());
            let reply = server.get(&tokens, "/oauth/userinfo").await;
            assert_eq!(reply.error_code(403), "session_not_found");
            let reply = server.refresh_as(&client, &tokens.refresh_token).await;
            reply.refused_by_oauth("invalid_grant", "Invalid Refresh Token: Refresh Token Not Found");
        } else {
            redeemed.refused_by_oauth("invalid_grant", "Invalid authorization code");
        }
    }
    server.assert_log_is_whole();
});

on_both_databases!(a_client_that_is_being_deleted_gets_nothing_that_lasts, async |database| {
    let server = with_oauth(&database).start().await;
    let ada = server.sign_up("ada@example.com").await;
    for _ in 0..4 {
        let client = server.oauth_client(json!({})).await;
        let code = server.granted(&ada, &client, "email").await;
        let path = format!("/admin/oauth/clients/{}", client.id);
        let (redeemed, deleted) =
            join(server.redeem(&client, &code), server.delete(&ServiceRole, &path, None)).await;
        deleted.no_content();
        if redeemed.status == 200 {
            let tokens = Tokens::of(&redeemed.ok());
            assert_eq!(server.get(&tokens, "/oauth/userinfo").await.error_code(403), "session_not_found");
        } else {
            redeemed.refused_client("invalid client credentials");
        }
    }
});

on_both_databases!(two_users_who_look_at_once_do_not_both_decide, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let (ada, eve) = (server.sign_up("ada@example.com").await, server.sign_up("eve@example.com").await);
    let id = server.asked(&client, "email").await;
    let (first, second) = join(server.see(&ada, &id), server.see(&eve, &id)).await;
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    let (first, second) =
        join(server.decide(&ada, &id, "approve"), server.decide(&eve, &id, "approve")).await;
    let good = if first.status == 200 { first } else { second };
    assert!(in_query(good.ok()["redirect_url"].as_str().unwrap(), "code").is_some());
});
