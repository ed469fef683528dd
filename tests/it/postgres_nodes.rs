//! Several servers on one PostgreSQL, and the log's way through a dump.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, ServiceRole, TestDatabase, TestServer, postgres_program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_writes_the_other_shows_at_once() {
    let Some(database) = TestDatabase::empty_postgres().await else { return };
    let first = TestServer::started(&database).await;
    let second = first.second_node().await;
    for number in 0..10 {
        let (here, there) = if number % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let email = format!("user{number}@example.com");
        let person = here.sign_up(&email).await;
        assert_eq!(there.get(&person, "/user").await.ok()["email"], json!(email));
        there.put(&person, "/user", json!({ "data": { "n": number } })).await.ok();
        assert_eq!(here.get(&person, "/user").await.ok()["user_metadata"]["n"], json!(number));

        let path = format!("/admin/users/{}", person.id);
        there.put(&ServiceRole, &path, json!({ "ban_duration": "1h" })).await.ok();
        assert_eq!(here.get(&person, "/user").await.status, 403);
        here.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
        let again = there.sign_in(&email).await;
        here.post_empty(&again, "/logout").await.no_content();
        assert_eq!(there.get(&again, "/user").await.status, 403);
        assert_eq!(there.try_refresh(&again.refresh_token).await.status, 400);
    }
    first.assert_log_is_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sign_ups_with_one_address_at_once_exactly_one_wins() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let first = TestServer::started(&database).await;
    let second = first.second_node().await;
    for round in 0..5 {
        let body = json!({ "email": format!("ada{round}@example.com"), "password": PASSWORD });
        let servers = [&first, &second].into_iter().cycle().take(8);
        let replies =
            futures::future::join_all(servers.map(|server| server.post(&Anonymous, "/signup", body.clone())))
                .await;
        let winners = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(winners, 1);
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            reply.refused(422, "user_already_exists", "User already registered");
        }
    }
    first.assert_log_is_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_of_one_token_on_two_nodes_rotate_it_once() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let first = TestServer::started(&database).await;
    let second = first.second_node().await;
    let ada = first.sign_up("ada@example.com").await;
    let servers = [&first, &second].into_iter().cycle().take(8);
    let replies =
        futures::future::join_all(servers.map(|server| server.try_refresh(&ada.refresh_token))).await;
    let tokens: BTreeSet<String> =
        replies.iter().map(|reply| reply.ok()["refresh_token"].as_str().unwrap().to_owned()).collect();
    assert_eq!(tokens.len(), 1);
    first.assert_log_is_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_have_no_gap_under_many_writers_on_two_nodes() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let first = TestServer::started(&database).await;
    let second = first.second_node().await;
    let sign_ups = (0..64).map(|number| {
        let server = if number % 2 == 0 { &first } else { &second };
        async move { server.sign_up(&format!("user{number}@example.com")).await }
    });
    let people = futures::future::join_all(sign_ups).await;
    assert_eq!(people.iter().map(|person| &person.id).collect::<BTreeSet<_>>().len(), 64);
    first.assert_log_is_whole();
    assert_eq!(second.head(), first.head());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_and_restore_keeps_the_log_and_its_order() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.sign_in("ada@example.com").await;
    let before = server.evident(&["events", "list", "--json"]).ok();
    let head = server.head();
    server.stop();

    let restored = TestDatabase::empty_postgres().await.unwrap();
    let mut dump = postgres_program("pg_dump")
        .args(["--no-owner", database.url().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let restore = postgres_program("psql")
        .args([restored.url().unwrap(), "-X", "-q", "-v", "ON_ERROR_STOP=1"])
        .stdin(dump.stdout.take().unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(dump.wait().unwrap().success() && restore.success());

    let server = server.node_on(&restored).await;
    assert_eq!(server.evident(&["events", "list", "--json"]).ok(), before);
    server.assert_log_is_whole();
    server.get(&ada, "/user").await.ok();
    server.sign_in("ada@example.com").await;
    let events = server.assert_log(head, &["session.started"]);
    assert_eq!(events[0].position, head + 1);
    server.assert_log_is_whole();
}
