//! `/admin/sso/providers`, and `/sso` itself.

use serde_json::{Value, json};

use crate::support::{Anonymous, Reply, ServiceRole, TestServer};

const PROVIDERS: &str = "/admin/sso/providers";

fn metadata(entity: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\">\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example.com/sso\"/></IDPSSODescriptor></EntityDescriptor>"
    )
}

fn saml(entity: &str, more: &Value) -> Value {
    let mut body = json!({ "type": "saml", "metadata_xml": metadata(entity) });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn registered(server: &TestServer, entity: &str, more: Value) -> Value {
    let reply = server.post(&ServiceRole, PROVIDERS, saml(entity, &more)).await;
    assert_eq!((reply.status, reply.header("content-type")), (201, "application/json"), "{}", reply.text);
    reply.json()
}

on_both_databases!(a_provider_is_registered_shown_changed_and_removed, async |database| {
    let server = TestServer::started(&database).await;
    let entity = "https://idp.example.com/saml";
    let mapping = json!({ "keys": { "email": { "name": "mail" }, "team": { "names": ["team", "group"], "default": "none" } } });
    let more =
        json!({ "domains": ["Corp.Example.com"], "attribute_mapping": mapping, "resource_id": "corp" });
    let provider = registered(&server, entity, more).await;
    let id = provider["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "resource_id": "corp", "disabled": null,
        "saml": { "entity_id": entity, "metadata_xml": metadata(entity), "attribute_mapping": mapping },
        "domains": [{ "domain": "corp.example.com" }],
        "created_at": provider["created_at"], "updated_at": provider["created_at"]
    });
    assert_eq!(provider, expected);
    for name in [id, &id.to_uppercase(), "resource_corp"] {
        assert_eq!(server.get(&ServiceRole, &format!("{PROVIDERS}/{name}")).await.ok(), expected, "{name}");
    }
    let mut in_list = expected.clone();
    in_list["saml"].as_object_mut().unwrap().remove("metadata_xml");
    for query in ["", "?resource_id=corp", "?resource_id_prefix=co", "?resource_id="] {
        let list = server.get(&ServiceRole, &format!("{PROVIDERS}{query}")).await.ok();
        assert_eq!(list, json!({ "items": [in_list] }), "{query}");
    }
    for query in ["?resource_id=co", "?resource_id_prefix=%25", "?resource_id_prefix=%00"] {
        let list = server.get(&ServiceRole, &format!("{PROVIDERS}{query}")).await.ok();
        assert_eq!(list, json!({ "items": [] }), "{query}");
    }

    let path = format!("{PROVIDERS}/{id}");
    let change = json!({ "domains": ["corp.example.com", "corp.example.org"], "disabled": true,
                         "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" });
    let changed = server.put(&ServiceRole, &path, change).await.ok();
    assert_eq!(
        changed["domains"],
        json!([{ "domain": "corp.example.com" }, { "domain": "corp.example.org" }])
    );
    assert_eq!(changed["disabled"], true);
    assert_eq!(changed["saml"]["name_id_format"], "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
    assert_eq!(changed["saml"]["attribute_mapping"], mapping);
    assert_ne!(changed["updated_at"], provider["updated_at"]);
    let same = server.put(&ServiceRole, &path, json!({ "domains": null })).await.ok();
    assert_eq!(same, changed);
    let none = server.put(&ServiceRole, &path, json!({ "domains": [], "resource_id": "" })).await.ok();
    assert_eq!((&none["domains"], none.get("resource_id")), (&json!([]), None));

    let log = server.get(&ServiceRole, "/admin/audit?query=action:sso").await.ok();
    assert_eq!(log[0]["payload"]["traits"], json!({ "sso_provider_id": id }));
    assert_eq!(server.delete(&ServiceRole, &path, None).await.ok(), none);
    let gone = |reply: Reply| reply.refused(404, "sso_provider_not_found", "SSO Identity Provider not found");
    gone(server.delete(&ServiceRole, &path, None).await);
    gone(server.get(&ServiceRole, &path).await);
    gone(server.put(&ServiceRole, &path, json!({})).await);
    gone(server.get(&ServiceRole, &format!("{PROVIDERS}/resource_corp")).await);
    for odd in ["x", "resource_", "resource_%00", "11111111-1111-4111-8111-111111111111"] {
        gone(server.get(&ServiceRole, &format!("{PROVIDERS}/{odd}")).await);
    }
    // What it held is free again.
    registered(&server, entity, json!({ "domains": ["corp.example.org"], "resource_id": "corp" })).await;
    server.assert_log_is_whole();
});

on_both_databases!(entity_domains_and_name_are_one_providers_own, async |database| {
    let server = TestServer::started(&database).await;
    let entity = "https://idp.example.com/saml";
    let more = json!({ "domains": ["corp.example.com"], "resource_id": "corp" });
    let provider = registered(&server, entity, more).await;
    let id = provider["id"].as_str().unwrap();
    let refused = async |body: Value, status: u16, code: &str, message: &str| {
        server.post(&ServiceRole, PROVIDERS, body).await.refused(status, code, message);
    };
    let domain = json!({ "domains": ["CORP.example.com"] });
    let message = "SAML Identity Provider with this EntityID (https://idp.example.com/saml) already exists";
    refused(saml(entity, &domain), 422, "saml_idp_already_exists", message).await;
    let message =
        format!("SSO Domain 'corp.example.com' is already assigned to an SSO identity provider ({id})");
    refused(saml("https://other.example", &domain), 400, "sso_domain_already_exists", &message).await;
    let other = registered(&server, "https://other.example", json!({})).await;
    let path = format!("{PROVIDERS}/{}", other["id"].as_str().unwrap());
    server.put(&ServiceRole, &path, domain).await.refused(400, "sso_domain_already_exists", &message);
    assert_eq!(
        server.put(&ServiceRole, &path, json!({ "resource_id": "corp" })).await.error_code(422),
        "conflict"
    );
    let stolen = json!({ "metadata_xml": metadata(entity) });
    server.put(&ServiceRole, &path, stolen).await.refused(
        400,
        "saml_entity_id_mismatch",
        "SAML Metadata can be updated only if the EntityID matches for the provider; expected 'https://other.example' but got 'https://idp.example.com/saml'",
    );
    // Of many at once one is registered.
    let body = saml("https://third.example", &json!({}));
    let replies = (0..5).map(|_| server.post(&ServiceRole, PROVIDERS, body.clone()));
    let mut statuses: Vec<_> = futures::future::join_all(replies).await.iter().map(|r| r.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422, 422, 422, 422]);
    server.assert_log_is_whole();
});

on_both_databases!(what_describes_no_provider_is_refused, async |database| {
    let server = TestServer::started(&database).await;
    let dtd = format!("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>{}", metadata("&a;"));
    for (body, code, message) in [
        (json!({}), "validation_failed", "Only 'saml' supported for SSO provider type"),
        (json!({ "type": "oidc" }), "validation_failed", "Only 'saml' supported for SSO provider type"),
        (json!({ "type": "saml" }), "validation_failed", "Either metadata_xml or metadata_url must be set"),
        (
            json!({ "type": "saml", "metadata_xml": "<x/>", "metadata_url": "https://x.example" }),
            "validation_failed",
            "Only one of metadata_xml or metadata_url needs to be set",
        ),
        (
            json!({ "type": "saml", "metadata_url": "http://idp.example.com/md" }),
            "validation_failed",
            "metadata_url is not a HTTPS URL",
        ),
        (
            json!({ "type": "saml", "metadata_url": "md" }),
            "validation_failed",
            "metadata_url is not a valid URL",
        ),
        (
            json!({ "type": "saml", "metadata_url": "https://127.0.0.1:1/md" }),
            "saml_metadata_fetch_failed",
            "SAML Metadata could not be fetched from metadata_url: the address may not be called",
        ),
        (
            json!({ "type": "saml", "metadata_xml": "no XML" }),
            "validation_failed",
            "SAML Metadata is not a valid XML document",
        ),
        (
            json!({ "type": "saml", "metadata_xml": dtd }),
            "validation_failed",
            "SAML Metadata is not a valid XML document",
        ),
        (
            saml("https://x.example", &json!({ "domains": ["not a domain"] })),
            "validation_failed",
            "SSO Domain 'not a domain' is not valid",
        ),
        (
            saml(
                "https://x.example",
                &json!({ "attribute_mapping": { "keys": { "email": { "name": 7 } } } }),
            ),
            "validation_failed",
            "attribute_mapping is not valid",
        ),
    ] {
        server.post(&ServiceRole, PROVIDERS, body).await.refused(400, code, message);
    }
    for body in [saml("https://x.example", &json!({ "domains": "x" })), json!({ "type": 7 })] {
        assert_eq!(server.post(&ServiceRole, PROVIDERS, body).await.error_code(400), "bad_json");
    }
    let odd = saml("https://x.example", &json!({ "name_id_format": "mine" }));
    assert_eq!(server.post(&ServiceRole, PROVIDERS, odd).await.error_code(400), "validation_failed");
    assert_eq!(server.get(&ServiceRole, PROVIDERS).await.ok(), json!({ "items": [] }));
    let ada = server.sign_up("ada@example.com").await;
    server.get(&ada, PROVIDERS).await.refused(403, "not_admin", "User not allowed");
    assert_eq!(server.post(&Anonymous, &format!("{PROVIDERS}/"), json!({})).await.status, 401);
});

on_both_databases!(nobody_signs_in_by_saml, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_SAML_ENABLED", "true").start().await;
    assert!(server.log_text().contains("GOTRUE_SAML_ENABLED: signing in by SAML is not available"));
    registered(&server, "https://idp.example.com/saml", json!({ "domains": ["corp.example.com"] })).await;
    let off = |reply: Reply| reply.refused(404, "saml_provider_disabled", "SAML 2.0 is disabled");
    off(server.post(&Anonymous, "/sso", json!({ "domain": "corp.example.com" })).await);
    off(server.post(&Anonymous, "/auth/v1/sso/saml/acs", json!({})).await);
    off(server.get(&Anonymous, "/sso/saml/metadata").await);
    off(server.get(&Anonymous, "/sso/nothing").await);
    assert_eq!(server.get(&Anonymous, "/settings").await.ok()["saml_enabled"], false);
});
