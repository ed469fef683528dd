//! `GET /list-accounts`, `POST /unlink-account`, tokens of providers.

use serde_json::json;

use crate::support::{Browser, TestServer};

on_both_databases!(a_password_is_an_account_and_the_last_one_stays, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let ann = browser.sign_up("ann@example.com").await;
    let accounts = browser.get("/list-accounts").await.ok();
    let account = &accounts[0];
    assert_eq!(accounts.as_array().unwrap().len(), 1);
    assert_eq!((&account["providerId"], &account["provider"]), (&json!("credential"), &json!("credential")));
    assert_eq!((&account["accountId"], &account["userId"]), (&ann["user"]["id"], &ann["user"]["id"]));
    assert_eq!(account["scopes"], json!([]));

    let unlink = async |body: serde_json::Value| browser.post("/unlink-account", body).await;
    let last = ("FAILED_TO_UNLINK_LAST_ACCOUNT", "You can't unlink your last account");
    unlink(json!({ "accountId": account["id"] })).await.denied(400, last.0, last.1);
    unlink(json!({ "providerId": "credential" })).await.denied(400, last.0, last.1);
    let missing = "[body.accountId] Invalid input: expected string, received undefined";
    unlink(json!({})).await.denied(400, "VALIDATION_ERROR", missing);

    let unknown = browser.post("/get-access-token", json!({ "accountId": "unknown" })).await;
    unknown.denied(400, "ACCOUNT_NOT_FOUND", "Account not found");
    let nobody = Browser::on(&server).post("/refresh-token", json!({ "accountId": "x" })).await;
    assert_eq!((nobody.status, nobody.text.as_str()), (401, ""));
    Browser::on(&server).get("/list-accounts").await.denied(401, "UNAUTHORIZED", "Unauthorized");
});
