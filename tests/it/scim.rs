//! SCIM's documents of discovery.

use serde_json::json;

use crate::support::{Anonymous, TestServer};

on_both_databases!(scim_clients_find_out_that_there_is_nothing_yet, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_EXPERIMENTAL_SCIM_ENABLED", "true").start().await;
    let read = async |path: &str| {
        let reply = server.get(&Anonymous, path).await;
        assert_eq!(reply.header("content-type"), "application/scim+json", "{path}");
        (reply.status, reply.json())
    };
    let (status, config) = read("/scim/v2/ServiceProviderConfig").await;
    assert_eq!(status, 200);
    assert_eq!(
        config,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": { "supported": false },
            "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
            "filter": { "supported": false, "maxResults": 0 },
            "changePassword": { "supported": false },
            "sort": { "supported": false },
            "etag": { "supported": false },
            "authenticationSchemes": [{
                "type": "oauthbearertoken", "name": "OAuth Bearer Token",
                "description": "Authentication scheme using the OAuth Bearer Token Standard",
                "specUri": "http://www.rfc-editor.org/info/rfc6750", "primary": true
            }],
            "meta": { "resourceType": "ServiceProviderConfig",
                      "location": "http://localhost:9999/scim/v2/ServiceProviderConfig" }
        })
    );
    let empty = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                        "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [] });
    let error = |status: &str, detail: &str| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail, "status": status });
    for path in ["/scim/v2/ResourceTypes", "/auth/v1/scim/v2/Schemas"] {
        assert_eq!(read(path).await, (200, empty.clone()));
        let filtered = read(&format!("{path}?filter=id%20eq%20%22x%22")).await;
        assert_eq!(filtered, (403, error("403", "Filtering is not supported on this endpoint")));
    }
    for path in ["/scim/v2/Users", "/scim/v2", "/scim/v2/", "/scim/v2/Schemas/x"] {
        assert_eq!(read(path).await, (404, error("404", "Endpoint or resource does not exist")));
    }
    assert_eq!(server.post(&Anonymous, "/scim/v2/Schemas", json!({})).await.status, 405);
});

on_both_databases!(scim_is_off_unless_it_is_switched_on, async |database| {
    let server = TestServer::started(&database).await;
    for path in ["/scim/v2/Schemas", "/scim/v2/Users", "/scim/v2"] {
        let reply = server.get(&Anonymous, path).await;
        reply.refused(404, "feature_disabled", "SCIM server is disabled");
    }
    let reply = server.post(&Anonymous, "/scim/v2/Schemas", json!({})).await;
    reply.refused(404, "feature_disabled", "SCIM server is disabled");
});
