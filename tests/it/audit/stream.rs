//! The log as it grows: nothing missed, nothing twice.

use std::time::Duration;

use serde_json::Value;

use super::auditor;
use crate::support::{Bearer, ServiceRole, TestServer};

/// So long a test waits for what should come at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A reader that follows the log.
struct Follower {
    response: reqwest::Response,
    pending: String,
    /// The id that a browser would give when it comes again.
    last_id: Option<u64>,
}

impl Follower {
    async fn connect(server: &TestServer, reader: &Bearer, query: &str, last_id: Option<u64>) -> Self {
        let mut request = server.request(reqwest::Method::GET, &format!("/audit/stream{query}"));
        request = request.bearer_auth(&reader.0);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, pending: String::new(), last_id }
    }

    /// The next entry; none when the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.pending.find("\n\n") {
                let block: String = self.pending.drain(..end + 2).collect();
                let mut data = None;
                for line in block.lines() {
                    if let Some(id) = line.strip_prefix("id: ") {
                        self.last_id = Some(id.parse().unwrap());
                    } else if let Some(text) = line.strip_prefix("data: ") {
                        data = Some(serde_json::from_str::<Value>(text).unwrap());
                    }
                }
                if let Some(data) = data {
                    assert_eq!(data["position"].as_u64(), self.last_id);
                    return Some(data);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            match chunk.expect("the stream says nothing") {
                Ok(Some(bytes)) => self.pending.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Positions up to one, as they come.
    async fn until(&mut self, last: u64) -> Vec<u64> {
        let mut found = Vec::new();
        while found.last() != Some(&last) {
            found.push(self.next().await.expect("the stream ended")["position"].as_u64().unwrap());
        }
        found
    }
}

on_both_databases!(a_reader_that_comes_and_goes_under_many_writers_misses_nothing, async |database| {
    let server = TestServer::started(&database).await;
    let server = std::sync::Arc::new(server);
    let other = match server.database().url() {
        Some(_) => std::sync::Arc::new(server.second_node().await),
        None => server.clone(),
    };
    let reader = auditor(&server);
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let node = if writer % 2 == 0 { server.clone() } else { other.clone() };
            tokio::spawn(async move {
                for n in 0..8 {
                    node.sign_up(&format!("w{writer}-{n}@example.com")).await;
                }
            })
        })
        .collect();
    // Reads a little, goes, and comes again behind the last that it has: now here, now there.
    let (mut found, mut last_id) = (Vec::new(), None);
    for turn in 0..12_u32 {
        let node = if turn % 2 == 0 { &server } else { &other };
        let mut follower = Follower::connect(node, &reader, "?after=0", last_id).await;
        for _ in 0..7 {
            found.push(follower.next().await.unwrap()["position"].as_u64().unwrap());
        }
        last_id = follower.last_id;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let head = server.head();
    let mut follower = Follower::connect(&server, &reader, "?after=0", last_id).await;
    found.extend(follower.until(head).await);
    assert_eq!(found, (1..=head).collect::<Vec<_>>());
});

on_both_databases!(a_stream_begins_at_the_head_and_keeps_to_its_filter, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let reader = auditor(&server);
    let mut follower = Follower::connect(&server, &reader, "?type=user.*", None).await;
    let bob = server.sign_up("bob@example.com").await;
    let entry = follower.next().await.unwrap();
    assert_eq!((&entry["type"], &entry["subject"]), (&"user.signed_up".into(), &bob.subject().into()));
    assert_eq!(entry["summary"], "bob@example.com signed up with a password");

    // What somebody writes at the command line comes, too: another process has done it.
    let mut follower = Follower::connect(&server, &reader, "?type=user.banned&after=0", None).await;
    let ban = serde_json::json!({ "ban_duration": "1h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", bob.id), ban).await.ok();
    assert_eq!(follower.next().await.unwrap()["subject"], bob.subject());
});

on_both_databases!(reading_the_stream_does_not_feed_it, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let reader = auditor(&server);
    let mut follower = Follower::connect(&server, &reader, "?after=0", None).await;
    let mut more = Follower::connect(&server, &reader, "?after=0", None).await;
    // That both began is noted; then both read all of it, and the next event of all is the one that is made now.
    let head = server.head();
    follower.until(head).await;
    more.until(head).await;
    let bob = server.sign_up("bob@example.com").await;
    let next = follower.next().await.unwrap();
    assert_eq!((next["position"].as_u64(), &next["type"]), (Some(head + 1), &"user.signed_up".into()));
    assert_eq!(next["subject"], bob.subject());
});

on_both_databases!(so_many_may_follow_and_who_goes_makes_room, async |database| {
    let server = TestServer::started(&database).await;
    let reader = auditor(&server);
    let connect = || Follower::connect(&server, &reader, "", None);
    let mut followers = Vec::new();
    while followers.len() < 256 {
        followers.extend(futures::future::join_all((0..32).map(|_| connect())).await);
    }
    let refused = server.get(&reader, "/audit/stream").await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &"overloaded".into()));
    assert_eq!(refused.header("retry-after"), "1");
    // All others are served, and hear of what happens.
    let ada = server.sign_up("ada@example.com").await;
    for follower in [0, 255] {
        let entry: &mut Follower = &mut followers[follower];
        assert_eq!(entry.next().await.unwrap()["subject"], ada.subject());
    }
    drop(followers.pop());
    let since = std::time::Instant::now();
    loop {
        let request = server.request(reqwest::Method::GET, "/audit/stream").bearer_auth(&reader.0);
        match request.send().await.unwrap().status().as_u16() {
            200 => break,
            status => assert_eq!(status, 503),
        }
        assert!(since.elapsed() < PATIENCE, "the place of who has gone stays taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
});

on_both_databases!(a_stream_ends_with_the_server_at_once, async |database| {
    let mut server = TestServer::started(&database).await;
    let reader = auditor(&server);
    let mut follower = Follower::connect(&server, &reader, "", None).await;
    let since = std::time::Instant::now();
    let waits = tokio::spawn(async move { follower.next().await });
    let status = tokio::task::block_in_place(|| server.stop());
    assert!(status.success());
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert_eq!(waits.await.unwrap(), None);
});
