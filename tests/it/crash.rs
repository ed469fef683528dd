//! The server is killed in the middle of its work, again and again. What it had acknowledged is there
//! afterwards, and nothing is there by halves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{PASSWORD, ServiceRole, TestServer};

/// How often the server is killed, on each database.
const ROUNDS: u64 = 20;

/// How many clients sign up and refresh at once.
const CLIENTS: usize = 8;

/// What the server has said yes to.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Addresses with an account.
    sign_ups: Vec<String>,
    /// By address, the newest refresh token that was handed out.
    refresh_tokens: BTreeMap<String, String>,
}

fn refresh_token(session: &Value) -> String {
    session["refresh_token"].as_str().unwrap().to_owned()
}

/// Signs up and refreshes until the server is gone.
async fn work(http: reqwest::Client, url: String, name: String, acknowledged: Arc<Mutex<Acknowledged>>) {
    let ask = async |path: &str, body: Value| -> Option<Value> {
        let response = http.post(format!("{url}{path}")).json(&body).send().await.ok()?;
        // Only a whole answer counts as one.
        let status = response.status();
        let body: Value = response.json().await.ok()?;
        assert!(status == 200 || status == 503, "{status} {body}");
        (status == 200).then_some(body)
    };
    for number in 0.. {
        let email = format!("{name}-{number}@example.com");
        let Some(session) = ask("/signup", json!({ "email": email, "password": PASSWORD })).await else {
            return;
        };
        let mut token = refresh_token(&session);
        {
            let mut acknowledged = acknowledged.lock().unwrap();
            acknowledged.sign_ups.push(email.clone());
            acknowledged.refresh_tokens.insert(email.clone(), token.clone());
        }
        for _ in 0..3 {
            let next = ask("/token?grant_type=refresh_token", json!({ "refresh_token": token })).await;
            let Some(session) = next else { return };
            token = refresh_token(&session);
            acknowledged.lock().unwrap().refresh_tokens.insert(email.clone(), token.clone());
        }
    }
}

/// What each request that signed somebody up left in the log.
fn sign_ups_in_the_log(server: &TestServer) -> Vec<Vec<String>> {
    let mut requests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in server.events() {
        requests.entry(event.request_id).or_default().push(event.kind);
    }
    requests.into_values().filter(|kinds| kinds[0] == "user.signed_up").collect()
}

on_both_databases!(a_killed_server_loses_nothing_that_it_acknowledged, async |database| {
    let mut server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let whole = sign_ups_in_the_log(&server).remove(0);
    let mut all = 1;
    for round in 0..ROUNDS {
        let acknowledged = Arc::<Mutex<Acknowledged>>::default();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("r{round}-c{client}");
                tokio::spawn(work(
                    server.http().clone(),
                    server.url().to_owned(),
                    name,
                    Arc::clone(&acknowledged),
                ))
            })
            .collect();
        // At another moment each time: between nothing at all and full load.
        tokio::time::sleep(Duration::from_millis(30 + round * 37 % 300)).await;
        server.kill_9();
        for client in clients {
            client.await.unwrap();
        }
        server.start().await;

        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        all += acknowledged.sign_ups.len();
        for email in &acknowledged.sign_ups {
            server.sign_in(email).await;
        }
        for (email, token) in &acknowledged.refresh_tokens {
            let reply = server.try_refresh(token).await;
            assert_eq!(reply.status, 200, "round {round}, {email}: {}", reply.text);
        }
        server.evident(&["projections", "verify"]).ok();
    }
    assert!(all > 20, "only {all} sign-ups in {ROUNDS} rounds: no load");
    let total = server.get(&ServiceRole, "/admin/users?per_page=1").await;
    assert!(total.header("x-total-count").parse::<usize>().unwrap() >= all);
    for sign_up in sign_ups_in_the_log(&server) {
        assert_eq!(sign_up, whole, "half a command");
    }
    server.assert_log_is_whole();
});

on_both_databases!(a_server_that_is_asked_to_end_answers_what_it_has_begun, async |database| {
    let mut server = TestServer::started(&database).await;
    let acknowledged = Arc::<Mutex<Acknowledged>>::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let name = format!("c{client}");
            tokio::spawn(work(
                server.http().clone(),
                server.url().to_owned(),
                name,
                Arc::clone(&acknowledged),
            ))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let status = server.stop();
    assert!(status.success(), "{status}");
    for client in clients {
        client.await.unwrap();
    }
    server.start().await;
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    let users = server.get(&ServiceRole, "/admin/users?per_page=1").await;
    let users: usize = users.header("x-total-count").parse().unwrap();
    assert_eq!(users, acknowledged.sign_ups.len(), "each sign-up that was done was also answered");
    server.assert_log_is_whole();
});
