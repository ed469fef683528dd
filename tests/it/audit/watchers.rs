//! Those who hold the log's checkpoints: receivers, and witnesses that have seen more or other than the log has.

use std::collections::{BTreeMap, BTreeSet};

use super::auditor;
use super::proofs::{Witness, grow, signed, size_of, until};
use crate::support::{Peer, Says, TestDatabase, TestServer};

/// The verifier key of a witness that says no more than the test makes it say.
const WITNESS: &str = "witness.example.com+bc5b89b9+BP+5ewBE1TR35p0XRvLw8L8pnetCdvCE3/7ew4N4qUju";

on_both_databases!(checkpoints_are_posted_and_posted_again_until_they_are_taken, async |database| {
    let receiver = Peer::that(|_| Says::status(500)).await;
    let server = TestServer::on(&database)
        .with("EVIDENT_AUDIT_CHECKPOINTS_TO_URL", &receiver.url("/kept?log=1"))
        .with("EVIDENT_AUDIT_CHECKPOINTS_EVERY", "50ms")
        .start()
        .await;
    let auditor = auditor(&server);
    server.sign_up("ada@example.com").await;
    let head = server.head();
    signed(&server, &auditor, head).await;
    receiver.call("POST /kept?log=1", 2).await;
    assert!(server.log_text().contains("a checkpoint was not written out"));
    receiver.now(|_| Says::status(204));
    let taken = until("the checkpoint", async || {
        let calls = receiver.calls("POST /kept");
        calls.into_iter().rev().find(|call| size_of(call.text()) == head)
    })
    .await;
    assert_eq!(taken.header("content-type"), "text/plain; charset=utf-8");
    assert!(taken.header("authorization").is_empty());
    assert_eq!(server.get(&auditor, "/audit/checkpoint").await.text, taken.text());
    // What is kept elsewhere holds against the log.
    let kept = server.scratch().join("kept.txt");
    std::fs::write(&kept, taken.text()).unwrap();
    let verify = ["audit", "verify", "--without-projections", "--checkpoint", kept.to_str().unwrap()];
    server.evident(&verify).ok();
});

on_both_databases!(a_witness_that_has_seen_more_is_told_of_and_believed, async |database| {
    let witness = Peer::that(|_| Says::plain(409, "text/x.tlog.size", "999999\n")).await;
    let server = TestServer::on(&database)
        .with("EVIDENT_AUDIT_WITNESSES", &format!("{} {WITNESS}", witness.url("")))
        .with("EVIDENT_AUDIT_WITNESS_EVERY", "20ms")
        .start()
        .await;
    let auditor = auditor(&server);
    server.sign_up("ada@example.com").await;
    signed(&server, &auditor, server.head()).await;
    until("the warning", async || {
        let text = "the witness has seen 999999 events of this log, and there are fewer";
        server.log_text().contains(text).then_some(())
    })
    .await;
    let asked = witness.calls("POST /add-checkpoint");
    assert!(asked.iter().all(|call| call.text().starts_with("old 0\n\n")), "it is not asked twice in one go");

    // One that has seen less gets the proof from there on; what it answers then is no signature of its own.
    witness.now(|call| match call.text().starts_with("old 1\n") {
        true => Says::plain(200, "text/plain", "— witness.example.com AAAA\n"),
        false => Says::plain(409, "text/x.tlog.size", "1\n"),
    });
    let proven = until("the proof", async || {
        let calls = witness.calls("POST /add-checkpoint");
        calls.into_iter().find(|call| call.text().starts_with("old 1\n"))
    })
    .await;
    let (proof, checkpoint) = proven.text().split_once("\n\n").unwrap();
    assert!(proof.lines().count() > 1 && size_of(checkpoint) > 1, "{proof}");
    until("the second warning", async || server.log_text().contains("the witness's answer").then_some(()))
        .await;
    witness.now(|_| Says::plain(409, "text/x.tlog.size", "nonsense"));
    // The log goes on without it.
    server.sign_up("bob@example.com").await;
    let text = signed(&server, &auditor, server.head()).await;
    assert!(!text.contains("witness.example.com"), "{text}");
    server.evident(&["audit", "verify"]).ok();
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_ask_the_same_witness_and_post_the_same_checkpoints() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let receiver = Peer::that(|_| Says::status(200)).await;
    let mut server = TestServer::on(&database).prepare();
    let key = server.evident(&["audit", "key"]).ok().trim().to_owned();
    let witness = Witness::start(server.scratch(), "127.0.0.1:0", &[&key]);
    for (name, value) in [
        ("WITNESSES", format!("{} {}", witness.url, witness.key)),
        ("WITNESS_EVERY", "20ms".to_owned()),
        ("CHECKPOINTS_TO_URL", receiver.url("/kept")),
        ("CHECKPOINTS_EVERY", "20ms".to_owned()),
    ] {
        server.set(&format!("EVIDENT_AUDIT_{name}"), &value);
    }
    server.start().await;
    let second = server.second_node().await;
    let auditor = auditor(&server);
    let ada = server.sign_up("ada@example.com").await;
    for round in 0..4 {
        let node = if round % 2 == 0 { &server } else { &second };
        grow(node, &ada.id, 3).await;
        let head = node.head();
        until("the witness", async || {
            let text = node.get(&auditor, "/audit/checkpoint").await.text;
            (size_of(&text) >= head && text.contains("\n— witness.example.com ")).then_some(())
        })
        .await;
    }
    let head = server.head();
    // Both have it posted: whoever receives may get it twice, and never another one.
    let posted = until("the last checkpoint", async || {
        let posted = receiver.calls("POST /kept");
        (posted.iter().filter(|call| size_of(call.text()) == head).count() >= 2).then_some(posted)
    })
    .await;
    let mut notes: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for call in &posted {
        let own = call.text().lines().filter(|line| !line.contains("witness.example.com"));
        notes.entry(size_of(call.text())).or_default().insert(own.collect::<Vec<_>>().join("\n"));
    }
    assert!(notes.values().all(|notes| notes.len() == 1), "{notes:?}");
    for node in [&server, &second] {
        let said = node.log_text();
        for trouble in ["a witness has not signed", "no checkpoint is signed", "was not written out"] {
            assert!(!said.contains(trouble), "{trouble}: {said}");
        }
    }
    server.evident(&["audit", "verify"]).ok();
    drop((server, second));
    database.remove().await;
}
