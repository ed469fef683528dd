//! POST /logout and its scopes.

use crate::support::{Anonymous, Person, TestServer};

const GONE: &str = "Session from session_id claim in JWT does not exist";

/// Ada on three devices.
async fn three_devices(server: &TestServer) -> [Person; 3] {
    let first = server.sign_up("ada@example.com").await;
    [first, server.sign_in("ada@example.com").await, server.sign_in("ada@example.com").await]
}

async fn alive(server: &TestServer, devices: &[Person; 3]) -> [bool; 3] {
    let mut alive = [false; 3];
    for (device, alive) in devices.iter().zip(&mut alive) {
        let reply = server.get(device, "/user").await;
        *alive = reply.status == 200;
        if !*alive {
            reply.refused(403, "session_not_found", GONE);
            server.try_refresh(&device.refresh_token).await.refused(
                400,
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            );
        }
    }
    alive
}

on_both_databases!(by_default_every_session_ends, async |database| {
    let server = TestServer::started(&database).await;
    let bob = server.sign_up("bob@example.com").await;
    for path in ["/logout", "/logout?scope=global", "/logout?scope="] {
        let email = format!("ada{}@example.com", path.len());
        let here = server.sign_up(&email).await;
        let there = server.sign_in(&email).await;
        let before = server.head();
        server.post_empty(&here, path).await.no_content();
        assert_eq!(server.get(&here, "/user").await.status, 403, "{path}");
        assert_eq!(server.get(&there, "/user").await.status, 403, "{path}");
        let events = server.assert_log(before, &["session.revoked", "session.revoked"]);
        assert_eq!(events[0].request_id, events[1].request_id);
        assert_eq!(events[0].actor, format!("user:{}", here.id));
    }
    server.get(&bob, "/user").await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(local_ends_this_session_only, async |database| {
    let server = TestServer::started(&database).await;
    let devices = three_devices(&server).await;
    server.post_empty(&devices[1], "/logout?scope=local").await.no_content();
    assert_eq!(alive(&server, &devices).await, [true, false, true]);
});

on_both_databases!(others_ends_all_but_this, async |database| {
    let server = TestServer::started(&database).await;
    let devices = three_devices(&server).await;
    server.post_empty(&devices[1], "/logout?scope=others").await.no_content();
    assert_eq!(alive(&server, &devices).await, [false, true, false]);
});

on_both_databases!(what_is_no_sign_out_is_refused, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.post_empty(&Anonymous, "/logout").await.refused(
        401,
        "no_authorization",
        "This endpoint requires a valid Bearer token",
    );
    server.post_empty(&ada, "/logout?scope=everything").await.refused(
        400,
        "validation_failed",
        "Unsupported logout scope \"everything\"",
    );
    server.get(&ada, "/user").await.ok();
    server.post_empty(&ada, "/logout").await.no_content();
    server.post_empty(&ada, "/logout").await.refused(403, "session_not_found", GONE);
});
