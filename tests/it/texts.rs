//! Text messages by services, and by a webhook of the owner's.

use evident_commands::hooks::{WebhookSecret, signatures};
use serde_json::{Value, json};

use crate::support::{Anonymous, Call, PASSWORD, Peer, Says, TestDatabase, TestServer};

const SECRET: &str = "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

async fn server_with(database: &TestDatabase, peer: &Peer, settings: &[(&str, &str)]) -> TestServer {
    let mut setup = TestServer::on(database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("GOTRUE_SMS_MAX_FREQUENCY", "1ms")
        .with("EVIDENT_SMS_SERVICE_URL", &peer.url(""));
    for (name, value) in settings {
        setup = setup.with(name, value);
    }
    setup.start().await
}

const TWILIO: [(&str, &str); 4] = [
    ("GOTRUE_SMS_PROVIDER", "twilio"),
    ("GOTRUE_SMS_TWILIO_ACCOUNT_SID", "AC1"),
    ("GOTRUE_SMS_TWILIO_AUTH_TOKEN", "hush-hush"),
    ("GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID", "MG1"),
];

fn sign_up(channel: &str) -> Value {
    json!({ "phone": "15005550001", "password": PASSWORD, "channel": channel })
}

fn field(call: &Call, name: &str) -> String {
    call.form().into_iter().find(|(field, _)| field == name).map(|(_, value)| value).unwrap_or_default()
}

on_both_databases!(a_code_travels_by_twilio, async |database| {
    let peer = Peer::that(|_| Says::json(201, &json!({ "sid": "SM1", "status": "queued" }))).await;
    let server = server_with(&database, &peer, &TWILIO).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /2010-04-01/Accounts/AC1/Messages.json", 1).await;
    assert_eq!(call.header("authorization"), "Basic QUMxOmh1c2gtaHVzaA==");
    assert_eq!((field(&call, "To"), field(&call, "From")), ("+15005550001".into(), "MG1".into()));
    let text = field(&call, "Body");
    let code = text.strip_prefix("Your code is ").unwrap();
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": code });
    server.post(&Anonymous, "/verify", verify).await.ok();

    let body = json!({ "phone": "15005550002", "password": PASSWORD, "channel": "whatsapp" });
    server.post(&Anonymous, "/signup", body).await.ok();
    let call = peer.call("POST", 2).await;
    assert_eq!(field(&call, "To"), "whatsapp:+15005550002");
    server.post(&Anonymous, "/signup", sign_up("pigeon")).await.refused(
        400,
        "validation_failed",
        "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio \
         or Twilio Verify is used as the provider.",
    );
    server.assert_log_is_whole();
});

on_both_databases!(a_service_that_fails_fails_no_sign_up_and_no_secret_is_told, async |database| {
    let refused = json!({ "code": 21211, "message": "hush-hush +15005550001" });
    let peer = Peer::that(move |_| Says::json(400, &refused)).await;
    let server = server_with(&database, &peer, &TWILIO).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let code = field(&peer.call("POST", 1).await, "Body");
    let log = async {
        loop {
            let log = server.log_text();
            if log.contains("the text message service twilio answered 400 21211") {
                return log;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let log = tokio::time::timeout(std::time::Duration::from_secs(10), log).await.unwrap();
    for hidden in ["hush-hush", "15005550001", &code] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
});

on_both_databases!(twilio_verify_makes_and_checks_the_codes, async |database| {
    let peer = Peer::that(|call| {
        let good = call.form().contains(&("Code".to_owned(), "424242".to_owned()));
        Says::json(200, &json!({ "sid": "VE1", "status": if good { "approved" } else { "pending" } }))
    })
    .await;
    let server = server_with(
        &database,
        &peer,
        &[
            ("GOTRUE_SMS_PROVIDER", "twilio_verify"),
            ("GOTRUE_SMS_TWILIO_VERIFY_ACCOUNT_SID", "AC1"),
            ("GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN", "hush-hush"),
            ("GOTRUE_SMS_TWILIO_VERIFY_MESSAGE_SERVICE_SID", "VA1"),
            ("GOTRUE_SMS_TEST_OTP", "15005550009:123456"),
        ],
    )
    .await;
    let verify = |phone: &str, code: &str| json!({ "type": "sms", "phone": phone, "token": code });
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.error_code(403);
    assert!(peer.calls("POST").is_empty(), "there is nothing to ask about");

    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /v2/Services/VA1/Verifications", 1).await;
    assert_eq!(call.text(), "To=%2B15005550001&Channel=sms");
    server.post(&Anonymous, "/verify", verify("15005550001", "111111")).await.error_code(403);
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.ok();
    let checks = peer.calls("POST /v2/Services/VA1/VerificationCheck");
    assert_eq!(checks.len(), 2);
    server.post(&Anonymous, "/verify", verify("15005550001", "424242")).await.error_code(403);
    assert_eq!(peer.calls("POST /v2/Services/VA1/VerificationCheck").len(), 2, "the code is used up");

    let body = json!({ "phone": "15005550009", "password": PASSWORD });
    server.post(&Anonymous, "/signup", body).await.ok();
    server.post(&Anonymous, "/verify", verify("15005550009", "123456")).await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(a_signed_webhook_carries_texts, async |database| {
    let peer = Peer::that(|_| Says::status(204)).await;
    let webhook = [
        ("GOTRUE_SMS_PROVIDER", "webhook"),
        ("EVIDENT_SMS_WEBHOOK_URL", &*peer.url("/texts")),
        ("EVIDENT_SMS_WEBHOOK_SECRETS", SECRET),
    ];
    let server = server_with(&database, &peer, &webhook).await;
    server.post(&Anonymous, "/signup", sign_up("sms")).await.ok();
    let call = peer.call("POST /texts", 1).await;
    let secret = [WebhookSecret::parse(SECRET).unwrap()];
    let timestamp = call.header("webhook-timestamp").parse().unwrap();
    let expected = signatures(&secret, call.header("webhook-id"), timestamp, &call.body).unwrap();
    assert_eq!(call.header("webhook-signature"), expected);
    let payload = call.json();
    assert_eq!(payload["id"], call.header("webhook-id"));
    assert_eq!((&payload["to"], &payload["channel"]), (&json!("+15005550001"), &json!("sms")));
    assert_eq!(payload["text"], format!("Your code is {}", payload["code"].as_str().unwrap()));
    let verify = json!({ "type": "sms", "phone": "15005550001", "token": payload["code"] });
    server.post(&Anonymous, "/verify", verify).await.ok();
});
