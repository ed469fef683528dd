//! The document of the protocol, and the page on which people read it.

use crate::support::{Anonymous, TestServer};

on_both_databases!(the_document_is_served_and_can_be_browsed, async |database| {
    let server = TestServer::started(&database).await;
    let document = server.get(&Anonymous, "/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/signup"]["post"]["responses"]["200"].is_object());
    assert_eq!(document["servers"][1]["url"], "/auth/v1");

    let moved = server.get(&Anonymous, "/swagger").await;
    assert_eq!((moved.status, moved.header("location")), (308, "swagger/"));
    let page = server.get(&Anonymous, "/swagger/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(!page.text.contains("<script>"), "the policy lets no inline script run");
    let mut files = 0;
    for link in page.text.split(['"', '\'']).filter_map(|word| word.strip_prefix("./")) {
        let file = server.get(&Anonymous, &format!("/swagger/{link}")).await;
        assert_eq!(file.status, 200, "{link}");
        files += 1;
    }
    assert!(files >= 4, "styles and scripts: {}", page.text);
    let start = server.get(&Anonymous, "/swagger/swagger-initializer.js").await;
    assert!(start.text.contains("../openapi.json"), "{}", start.text);
    assert_eq!(server.get(&Anonymous, "/swagger/../Cargo.toml").await.status, 404);
    assert_eq!(server.get(&Anonymous, "/swagger/nothing").await.status, 404);
    assert_eq!(server.post_empty(&Anonymous, "/openapi.json").await.status, 405);
});
