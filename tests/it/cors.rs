//! What browsers ask before they call, and read after.

use reqwest::Method;
use serde_json::json;

use crate::support::{Anonymous, Reply, TestServer};

async fn preflight(server: &TestServer, path: &str, method: &str, headers: &str) -> Reply {
    let request = server
        .request(Method::OPTIONS, path)
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers);
    server.send(request).await
}

on_both_databases!(a_browser_client_may_call_from_anywhere, async |database| {
    let server = TestServer::started(&database).await;
    for path in ["/token?grant_type=password", "/auth/v1/token?grant_type=password"] {
        let headers = "apikey,authorization,content-type,x-client-info,x-supabase-api-version";
        let reply = preflight(&server, path, "POST", headers).await;
        reply.no_content();
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(reply.header("access-control-allow-methods").contains("POST"));
        let allowed = reply.header("access-control-allow-headers").to_lowercase();
        for header in headers.split(',') {
            assert!(allowed.contains(header), "{header} is not in {allowed}");
        }
    }
});

on_both_databases!(what_is_not_allowed_is_not_answered_for, async |database| {
    let mut server = TestServer::started(&database).await;
    for (method, headers) in [("POST", "x-something-else"), ("TRACE", "content-type")] {
        let reply = preflight(&server, "/user", method, headers).await;
        reply.no_content();
        assert_eq!(reply.header("access-control-allow-headers"), "", "{method} {headers}");
    }
    server.stop();
    server.set("GOTRUE_CORS_ALLOWED_HEADERS", "x-something-else");
    server.start().await;
    let reply = preflight(&server, "/user", "POST", "x-something-else").await;
    assert_eq!(reply.header("access-control-allow-headers").to_lowercase(), "x-something-else");
});

on_both_databases!(answers_can_be_read_and_so_can_their_headers, async |database| {
    let server = TestServer::started(&database).await;
    let refused = server.request(Method::GET, "/user").header("origin", "http://localhost:3000");
    let accepted = server
        .request(Method::POST, "/signup")
        .header("origin", "http://localhost:3000")
        .json(&json!({ "email": "ada@example.com", "password": crate::support::PASSWORD }));
    for request in [refused, accepted] {
        let reply = server.send(request).await;
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        let exposed = reply.header("access-control-expose-headers").to_lowercase();
        for header in ["x-total-count", "link", "x-supabase-api-version"] {
            assert!(exposed.contains(header), "{header} is not in {exposed}");
        }
        assert!(reply.header("vary").contains("Origin"));
    }
    let plain = server.get(&Anonymous, "/health").await;
    plain.ok();
    assert_eq!(plain.header("x-content-type-options"), "nosniff");
});
