//! Another key for the log, and another name: who checks it goes on, and no size is ever signed twice.

use super::auditor;
use super::proofs::{Witness, grow, signed, size_of, until};
use crate::support::{ServiceRole, TestDatabase, TestServer, tlog_verifier};

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn write(server: &TestServer, name: &str, text: &str) -> String {
    let path = server.scratch().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_databases!(a_key_is_rotated_while_the_server_signs_and_witnesses_follow, async |database| {
    let mut server =
        TestServer::on(&database).with("EVIDENT_AUDIT_ORIGIN", "log.example.com/audit").prepare();
    let old = server.evident(&["audit", "key"]).ok().trim().to_owned();
    let witness = Witness::start(server.scratch(), "127.0.0.1:0", &[&old]);
    server.set("EVIDENT_AUDIT_WITNESSES", &format!("{} {}", witness.url, witness.key));
    server.set("EVIDENT_AUDIT_WITNESS_EVERY", "50ms");
    server.start().await;
    let auditor = auditor(&server);
    let ada = server.sign_up("ada@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    let early = signed(&server, &auditor, server.head()).await;
    let early_file = write(&server, "early", &early);
    let folder = server.scratch().join("published");
    let into = folder.to_str().unwrap();
    server.evident(&["audit", "publish", "--into", into]).ok();
    server.delete(&ServiceRole, &format!("/admin/users/{}", bob.id), None).await.ok();
    let certificate = write(&server, "certificate", &server.evident(&["users", "certificate", &bob.id]).ok());

    let rotated = lines(&server.evident(&["audit", "rotate-key", "--both-days", "1"]).ok());
    let new = rotated[0].clone();
    assert!(new.starts_with("log.example.com/audit+") && new != old, "{rotated:?}");
    assert_eq!(lines(&server.evident(&["audit", "key"]).ok()), [new.clone()]);
    assert_eq!(lines(&server.evident(&["audit", "key", "--all"]).ok()), [new.clone(), old.clone()]);
    let log = server.get(&auditor, "/audit/log").await.ok();
    assert_eq!((&log["key"], &log["former_keys"][0]), (&new.clone().into(), &old.clone().into()));
    let again = server.evident(&["audit", "rotate-key"]);
    assert!(again.code == Some(1) && again.err.contains("two keys sign already"), "{again:?}");

    // The server goes on with both; the witness, who knows the old one, goes on, too.
    grow(&server, &ada.id, 3).await;
    let head = server.head();
    let both = until("the witness", async || {
        let text = server.get(&auditor, "/audit/checkpoint").await.text;
        (size_of(&text) >= head && text.contains("\n— witness.example.com ")).then_some(text)
    })
    .await;
    assert_eq!(both.matches("\n— log.example.com/audit ").count(), 2, "{both}");
    drop(witness);
    let both_file = write(&server, "both", &both);
    let verify = |keys: &[&String], checkpoint: &str| {
        let mut command = vec!["audit", "verify", "--without-projections", "--checkpoint", checkpoint];
        keys.iter().for_each(|key| command.extend(["--key", key.as_str()]));
        server.evident(&command)
    };
    verify(&[], &early_file).ok();
    verify(&[&old, &new], &early_file).ok();
    let refused = verify(&[&new], &early_file);
    assert!(refused.code == Some(1) && refused.out.contains("not signed by the log's key"), "{refused:?}");
    server.evident(&["audit", "publish", "--into", into]).ok();
    for key in [&old, &new] {
        if let Some(outcome) = tlog_verifier(&["folder", into, key]).await {
            outcome.unwrap();
        }
    }
    verify(&[&old], &both_file).ok();
    // What the old key signed is good still.
    server.evident(&["users", "certificate", "--check", &certificate]).ok();
    server.evident(&["users", "certificate", "--check", &certificate, "--key", &old]).ok();
    let wrong = server.evident(&["users", "certificate", "--check", &certificate, "--key", &new]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    // The archive names both, offline.
    let archive = server.scratch().join("log.jsonl").to_str().unwrap().to_owned();
    server.evident(&["events", "export", "--into", &archive]).ok();
    let laptop = TestServer::on(&TestDatabase::sqlite()).prepare();
    let checked = laptop.evident(&["audit", "verify", "--archive", &archive]).ok();
    assert!(checked.contains(&old) && checked.contains(&new), "{checked}");
    server.assert_log_is_whole();
});

on_both_databases!(a_copy_that_goes_on_by_itself_signs_under_a_name_of_its_own, async |database| {
    let passphrase = ("EVIDENT_KEYS_PASSPHRASE", "twelve and more characters");
    let origin = ("EVIDENT_AUDIT_ORIGIN", "log.example.com/audit");
    let set_up = |database: &TestDatabase| {
        TestServer::on(database).with(passphrase.0, passphrase.1).with(origin.0, origin.1)
    };
    let server = set_up(&TestDatabase::sqlite()).start().await;
    server.sign_up("ada@example.com").await;
    let key = |server: &TestServer| server.evident(&["audit", "key"]).ok().trim().to_owned();
    let old = key(&server);
    let path = |name: &str| server.scratch().join(name).to_str().unwrap().to_owned();
    let (archive, keys) = (path("log.jsonl"), path("keys"));
    server.evident(&["audit", "checkpoint"]).ok();
    server.evident(&["events", "export", "--into", &archive]).ok();
    server.evident(&["export", "keys", "--server-keys", "--into", &keys]).ok();

    // Whether it ever ran before or not, and whether the key came along or not.
    let mut copy = set_up(&database).prepare();
    copy.evident(&["audit", "checkpoint"]).ok();
    copy.evident(&["import", "events", &archive, "--keys", &keys, "--as-another"]).ok();
    let own = key(&copy);
    assert!(own.starts_with("log.example.com/audit/"), "{own}");
    assert_ne!(own.rsplit('+').next(), old.rsplit('+').next(), "with another key");
    copy.start().await;
    let reader = auditor(&copy);
    copy.sign_in("ada@example.com").await;
    let text = signed(&copy, &reader, copy.head()).await;
    assert!(!text.contains("\n— log.example.com/audit "), "{text}");
    copy.evident(&["audit", "verify"]).ok();

    // A backup that was put in place behind the server's back says it by command, while it serves.
    let refused = copy.evident(&["audit", "rename", "--origin", "log.example.com/audit"]);
    assert!(refused.code == Some(2) && refused.err.contains("already"), "{refused:?}");
    assert_eq!(copy.evident(&["audit", "rename", "--origin", "a b"]).code, Some(2));
    let renamed = lines(&copy.evident(&["audit", "rename", "--origin", "log.example.com/third"]).ok());
    assert!(renamed[0].starts_with("log.example.com/third+"), "{renamed:?}");
    copy.sign_in("ada@example.com").await;
    let text = signed(&copy, &reader, copy.head()).await;
    assert!(text.starts_with("log.example.com/third\n"), "{text}");
    assert_eq!(text.matches("\n— log.example.com").count(), 1, "{text}");
    copy.evident(&["audit", "verify"]).ok();
    let told = copy.events().into_iter().find(|event| event.kind == "log.renamed").unwrap();
    assert_eq!(told.actor, "operator");

    // With the key and without another word it is the same log.
    let same = set_up(&TestDatabase::sqlite()).prepare();
    same.evident(&["import", "events", &archive, "--keys", &keys]).ok();
    assert_eq!(key(&same), old);
});
