//! Tables are rebuilt while people sign up, sign in, refresh and are banned: nobody notices, nothing is
//! lost; nor when the rebuild is killed in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{PASSWORD, ServiceRole, TestServer};

/// How many clients are at work.
const CLIENTS: usize = 8;

/// One who does things until told to stop; everything must go well, and be seen at once.
struct Client {
    http: reqwest::Client,
    url: String,
    admin: String,
    name: String,
}

/// What a client has done: addresses that can come in, and those that were banned.
#[derive(Debug, Default)]
struct Done {
    welcome: Vec<String>,
    banned: Vec<String>,
}

impl Client {
    async fn ask(&self, method: reqwest::Method, path: &str, token: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    async fn ok(&self, method: reqwest::Method, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, token, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn live(self, stop: Arc<AtomicBool>) -> Done {
        use reqwest::Method;
        let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        let mut done = Done::default();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let email = format!("{}-{number}@example.com", self.name);
            let credentials = json!({ "email": email, "password": PASSWORD });
            self.ok(Method::POST, "/signup", "", credentials.clone()).await;
            let mut session =
                self.ok(Method::POST, "/token?grant_type=password", "", credentials.clone()).await;
            for turn in 0..3 {
                let refresh = json!({ "refresh_token": text(&session, "refresh_token") });
                session = self.ok(Method::POST, "/token?grant_type=refresh_token", "", refresh).await;
                let token = text(&session, "access_token");
                let change = json!({ "data": { "turn": turn } });
                self.ok(Method::PUT, "/user", &token, change).await;
                let seen = self.ok(Method::GET, "/user", &token, Value::Null).await;
                assert_eq!(seen["user_metadata"]["turn"], turn, "a stale row: {seen}");
            }
            if number % 3 != 1 {
                done.welcome.push(email);
                continue;
            }
            let path = format!("/admin/users/{}", text(&session["user"], "id"));
            self.ok(Method::PUT, &path, &self.admin, json!({ "ban_duration": "1h" })).await;
            let token = text(&session, "access_token");
            let (status, answer) = self.ask(Method::GET, "/user", &token, Value::Null).await;
            assert_eq!(status, 403, "whoever is banned is out at once: {answer}");
            let (status, answer) =
                self.ask(Method::POST, "/token?grant_type=password", "", credentials).await;
            assert_eq!(status, 400, "{answer}");
            done.banned.push(email);
        }
        done
    }
}

/// Clients at work.
struct Busy {
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<Done>>,
}

impl Busy {
    fn on(server: &TestServer, round: &str) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let admin = server.evident(&["users", "create-admin-token"]).ok().trim().to_owned();
        let client = |number| Client {
            http: server.http().clone(),
            url: server.url().to_owned(),
            admin: admin.clone(),
            name: format!("{round}-c{number}"),
        };
        let clients = (0..CLIENTS).map(|number| tokio::spawn(client(number).live(stop.clone()))).collect();
        Self { stop, clients }
    }

    /// Lets them end what they do, and sees that all of it is there.
    async fn end(self, server: &TestServer) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut welcome, mut banned) = (0, 0);
        for client in self.clients {
            let done = client.await.unwrap();
            for email in done.welcome {
                server.sign_in(&email).await;
                welcome += 1;
            }
            for email in done.banned {
                assert_eq!(server.try_sign_in(&email, PASSWORD).await.status, 400, "{email}");
                banned += 1;
            }
        }
        assert!(welcome > 0, "no load: {welcome} welcome, {banned} banned");
        server.evident(&["projections", "verify"]).ok();
    }
}

on_both_databases!(nobody_notices_a_rebuild, async |database| {
    let server = TestServer::started(&database).await;
    let before = server.sign_up("ada@example.com").await;
    let busy = Busy::on(&server, "r");
    for _ in 0..3 {
        let mut rebuild = server.begin_evident(&["projections", "rebuild"]);
        let status = loop {
            if let Some(status) = rebuild.try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert!(status.success(), "{status}");
        server.get(&before, "/user").await.ok();
    }
    busy.end(&server).await;
    server.assert_log_is_whole();
});

on_both_databases!(a_killed_rebuild_harms_nobody_and_the_next_goes_on, async |database| {
    let server = TestServer::started(&database).await;
    let busy = Busy::on(&server, "k");
    for round in 0..6 {
        let mut rebuild = server.begin_evident(&["projections", "rebuild"]);
        // At another moment each time: from the start of the process to the swap.
        let end = Instant::now() + Duration::from_millis(100 + round * 300);
        while Instant::now() < end && rebuild.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rebuild.kill().unwrap();
        rebuild.wait().unwrap();
        // Nobody waits here until the dead one counts as dead.
        server.database().execute(&server, "DELETE FROM projection_rebuild").await;
    }
    server.evident(&["projections", "rebuild"]).ok();
    busy.end(&server).await;
    let total = server.get(&ServiceRole, "/admin/users?per_page=1").await;
    assert!(total.header("x-total-count").parse::<usize>().unwrap() > 0);
    server.assert_log_is_whole();
});

on_both_databases!(tables_of_another_fold_are_rebuilt_at_the_start_or_not_served, async |database| {
    let mut server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.database().execute(&server, "UPDATE users SET role = 'stale'").await;
    server.database().execute(&server, "UPDATE projections SET version = 0 WHERE name = 'users'").await;
    server.database().execute(&server, "DELETE FROM projections WHERE name = 'sessions'").await;
    server.kill_9();
    let status = server.evident(&["projections", "status"]).ok();
    assert_eq!(status.matches("to be rebuilt").count(), 2, "{status}");

    server.set("EVIDENT_PROJECTIONS_REBUILD_AT_START", "never");
    let refused = server.refused_start();
    assert!(refused.code == Some(1) && refused.err.contains("users, sessions"), "{refused:?}");
    server.unset("EVIDENT_PROJECTIONS_REBUILD_AT_START");
    server.start().await;
    assert_eq!(server.get(&ada, "/user").await.ok()["role"], "authenticated");

    let status = server.evident(&["projections", "status", "--json"]).ok();
    let of = |text: &str, name: &str| -> Value {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|line| line["name"] == name).unwrap()
    };
    let users = of(&status, "users");
    assert_eq!((users["current"].as_bool(), users["rows"].as_u64()), (Some(true), Some(1)), "{users}");
    let verified = server.evident(&["projections", "verify", "--json"]).ok();
    assert_eq!(of(&verified, "users")["digest"], users["digest"], "nothing happened since");

    server.database().execute(&server, "UPDATE users SET role = 'stale'").await;
    let found = server.evident(&["projections", "verify"]);
    let said = format!(r#"users {}: role is "stale", and "authenticated" by the log"#, ada.id);
    assert!(found.code == Some(1) && found.out.contains(&said), "{found:?}");
});
