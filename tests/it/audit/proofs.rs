//! The log's proofs: at `/audit`, on the command line, in files, with witnesses, and before a verifier that
//! others wrote.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::auditor;
use crate::support::{Bearer, ServiceRole, TestServer, tlog_verifier};

/// Makes the log longer by as many events.
pub(super) async fn grow(server: &TestServer, user: &str, events: u64) {
    let path = format!("/admin/users/{user}");
    for n in 0..events {
        server.put(&ServiceRole, &path, json!({ "user_metadata": { "n": n } })).await.ok();
    }
}

/// The size of a checkpoint.
pub(super) fn size_of(checkpoint: &str) -> u64 {
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

/// Asks until something is there.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until so many events are signed.
pub(super) async fn signed(server: &TestServer, auditor: &Bearer, head: u64) -> String {
    until("the checkpoint", async || {
        let text = server.get(auditor, "/audit/checkpoint").await.text;
        (size_of(&text) >= head).then_some(text)
    })
    .await
}

fn write(server: &TestServer, name: &str, text: &str) -> String {
    let path = server.scratch().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_databases!(a_checkpoint_follows_every_commit_and_is_written_out, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_AUDIT_CHECKPOINTS_TO_FILE", "kept/{size}.txt")
        .with("EVIDENT_AUDIT_CHECKPOINTS_EVERY", "50ms")
        .with("EVIDENT_AUDIT_ORIGIN", "log.example.com/audit")
        .start()
        .await;
    let auditor = auditor(&server);
    server.sign_up("ada@example.com").await;
    let (head, since) = (server.head(), Instant::now());
    let signed = until("a checkpoint", async || {
        let reply = server.get(&auditor, "/audit/checkpoint").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        (size_of(&reply.text) >= head).then_some(reply)
    })
    .await;
    // A second on a quiet machine.
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert_eq!(signed.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(signed.header("cache-control"), "private, max-age=1");
    assert!(signed.text.starts_with("log.example.com/audit\n"), "{}", signed.text);
    let key = server.evident(&["audit", "key"]).ok();
    assert!(key.starts_with("log.example.com/audit+"), "{key}");
    let file = server.scratch().join(format!("kept/{head}.txt"));
    let kept = until("the file", async || std::fs::read_to_string(&file).ok()).await;
    assert_eq!(size_of(&kept), head);

    // A second node signs what the first one commits, and the other way round; there is one root a size.
    if database.url().is_some() {
        let second = server.second_node().await;
        for (node, other) in [(&server, &second), (&second, &server)] {
            grow(node, &server.sign_in("ada@example.com").await.id, 3).await;
            let head = node.head();
            until("the other node's checkpoint", async || {
                let text = other.get(&auditor, "/audit/checkpoint").await.text;
                (size_of(&text) >= head).then_some(())
            })
            .await;
        }
    }
    server.evident(&["audit", "verify"]).ok();
});

on_both_databases!(tiles_and_proofs_are_served_as_the_formats_say, async |database| {
    let server = TestServer::started(&database).await;
    let auditor = auditor(&server);
    let ada = server.sign_up("ada@example.com").await;
    let head = server.head();
    until("the checkpoint", async || {
        (size_of(&server.get(&auditor, "/audit/checkpoint").await.text) >= head).then_some(())
    })
    .await;
    let width = head;
    for (path, length) in [
        (format!("/audit/tile/0/000.p/{width}"), Some(32 * width)),
        (format!("/audit/tile/entries/000.p/{width}"), None),
    ] {
        let reply = server.send(server.request(reqwest::Method::GET, &path).bearer_auth(&auditor.0)).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), "application/octet-stream");
        assert_eq!(reply.header("cache-control"), "private, max-age=31536000, immutable");
        assert!(length.is_none_or(|length| reply.header("content-length") == length.to_string()));
    }
    for path in [
        "/audit/tile/0/000",
        "/audit/tile/1/000",
        "/audit/tile/0/000.p/255",
        "/audit/tile/0/000.p/0",
        "/audit/tile/0/000.p/01",
        "/audit/tile/0/0",
        "/audit/tile/64/000",
        "/audit/tile/8/0/000",
        "/audit/tile/63/x999/x999/x999/999",
        "/audit/tile/entries/x001/000",
        "/audit/tile/0/..%2f0/000",
        "/audit/tile/",
        "/audit/proof/inclusion?position=1&size=999",
        "/audit/proof/inclusion?position=999",
        "/audit/proof/consistency?from=1&to=999",
    ] {
        let reply = server.get(&auditor, path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
        assert!(reply.json()["error"]["code"].is_string());
    }
    for path in [
        "/audit/proof/inclusion",
        "/audit/proof/inclusion?position=",
        "/audit/proof/inclusion?position=-1",
        "/audit/proof/inclusion?position=1&size=x",
        "/audit/proof/consistency?from=1",
        "/audit/proof/consistency?from=2&to=1",
        "/audit/proof/consistency?from=0&to=1",
        "/audit/proof/consistency?from=99999999999999999999&to=1",
    ] {
        assert_eq!(server.get(&auditor, path).await.status, 400, "{path}");
    }
    assert_eq!(server.get(&auditor, "/audit/proof/inclusion?position=0").await.status, 404);
    for path in ["/audit/checkpoint", "/audit/tile/0/000.p/1", "/audit/proof/inclusion?position=1"] {
        assert_eq!(server.get(&ada, path).await.status, 403, "{path}");
        assert_eq!(server.get(&crate::support::Anonymous, path).await.status, 401, "{path}");
    }
    let proof = server.get(&auditor, "/audit/proof/inclusion?position=1").await;
    assert!(proof.text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n"), "{}", proof.text);
});

on_both_databases!(what_was_changed_is_named_with_its_position, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    grow(&server, &ada.id, 3).await;
    let checkpoint = server.evident(&["audit", "checkpoint"]).ok();
    let kept = write(&server, "kept", &checkpoint);
    let key = server.evident(&["audit", "key"]).ok();
    let verify = |more: &[&str]| server.evident(&[&["audit", "verify", "--json"], more].concat());
    let shown = verify(&["--checkpoint", &kept, "--key", key.trim()]).ok();
    let first: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    assert_eq!((&first["holds"], first["events"].as_u64()), (&json!(true), Some(size_of(&checkpoint))));
    assert!(shown.contains("\"projections\":\"same\""), "{shown}");
    let plain = server.evident(&["audit", "verify"]).ok();
    assert!(plain.contains("the log holds") && plain.contains("claims and tables are the log's"), "{plain}");

    // On a laptop, without the log: an archive, the key and a checkpoint.
    let archive = server.scratch().join("log.jsonl");
    let archive = archive.to_str().unwrap();
    server.evident(&["events", "export", "--into", archive]).ok();
    let laptop = TestServer::on(&crate::support::TestDatabase::sqlite()).prepare();
    let offline = |archive: &str| {
        let word = ["--key", key.trim(), "--checkpoint", &kept];
        laptop.evident(&[&["audit", "verify", "--archive", archive], &word[..]].concat())
    };
    assert!(offline(archive).ok().contains("the log holds"));
    let lines = std::fs::read_to_string(archive).unwrap();
    let short: Vec<&str> = lines.lines().take(3).collect();
    let short = offline(&write(&server, "short", &(short.join("\n") + "\n")));
    assert!(short.code == Some(1) && short.out.contains("the log ends here"), "{short:?}");
    let other = offline(&write(&server, "other", &lines.replacen("admin:service_role", "system", 1)));
    assert!(other.code == Some(1) && other.out.contains("does NOT hold: position "), "{other:?}");
    assert!(!laptop.data().exists(), "nothing else is opened");

    server.database().execute(&server, "UPDATE users SET role = 'service_role'").await;
    let found = verify(&[]);
    assert!(found.code == Some(1) && found.out.contains("\"same\":false"), "{found:?}");
    server.evident(&["projections", "rebuild"]).ok();
    verify(&[]).ok();

    server.database().execute(&server, "UPDATE events SET actor = 'system' WHERE position = 3").await;
    let found = verify(&[]);
    assert_eq!(found.code, Some(1));
    let finding: Value = serde_json::from_str(found.out.trim()).unwrap();
    assert_eq!(
        (finding["holds"].as_bool(), finding["position"].as_u64()),
        (Some(false), Some(3)),
        "{found:?}"
    );
    assert!(finding["id"].is_string() && finding["problem"].is_string());
    let plain = server.evident(&["audit", "verify"]);
    assert!(plain.out.contains("does NOT hold: position 3 ("), "{plain:?}");

    let nonsense = write(&server, "nonsense", "nonsense");
    assert_eq!(verify(&["--checkpoint", &nonsense]).code, Some(1));
    assert_eq!(verify(&["--checkpoint", "/nonexistent"]).code, Some(2));
    assert_eq!(verify(&["--archive", &nonsense]).code, Some(1));
    assert_eq!(verify(&["--archive", "/nonexistent"]).code, Some(1));
});

/// A running witness.
pub(super) struct Witness {
    process: Child,
    pub(super) url: String,
    pub(super) key: String,
}

impl Witness {
    pub(super) fn start(folder: &Path, listen: &str, logs: &[&str]) -> Self {
        let file = folder.join("witness.db");
        let mut command = Command::new(env!("CARGO_BIN_EXE_evident"));
        command.env_clear().current_dir(folder);
        command.args(["witness", "--name", "witness.example.com", "--listen", listen, "--data"]).arg(file);
        for log in logs {
            command.args(["--log", log]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, key, _, _, url] = words.as_slice() else { panic!("{line:?}") };
        Self { process, url: (*url).to_owned(), key: (*key).to_owned() }
    }

    async fn add(&self, body: &str) -> (u16, String, String) {
        let request = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = request.post(format!("{}/add-checkpoint", self.url)).body(body.to_owned());
        let reply = request.send().await.unwrap();
        let kind = reply.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        (reply.status().as_u16(), kind, reply.text().await.unwrap())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

on_both_databases!(witnesses_cosign_and_a_verifier_of_others_accepts_all_of_it, async |database| {
    let mut server = TestServer::on(&database).prepare();
    let key = server.evident(&["audit", "key"]).ok().trim().to_owned();
    let witness = Witness::start(server.scratch(), "127.0.0.1:0", &[&key]);
    server.set("EVIDENT_AUDIT_WITNESSES", &format!("{} {}", witness.url, witness.key));
    server.set("EVIDENT_AUDIT_WITNESS_EVERY", "50ms");
    server.start().await;
    let auditor = auditor(&server);
    let ada = server.sign_up("ada@example.com").await;
    let folder: PathBuf = server.scratch().join("published");
    let into = folder.to_str().unwrap();
    let witnessed = async || {
        let head = server.head();
        until("the witness", async || {
            let text = server.get(&auditor, "/audit/checkpoint").await.text;
            (size_of(&text) >= head && text.contains("\n— witness.example.com ")).then_some(text)
        })
        .await
    };
    let publish = || server.evident(&["audit", "publish", "--into", into, "--json"]).ok();
    let early = witnessed().await;
    publish();
    if let Some(outcome) = tlog_verifier(&["folder", into, &key, &witness.key]).await {
        assert_eq!(outcome.unwrap().trim(), format!("{} entries hold", size_of(&early)));
    }
    assert!(folder.join(format!("content/000.p/{}", size_of(&early))).is_file());

    grow(&server, &ada.id, 260).await;
    let late = witnessed().await;
    let written: Value = serde_json::from_str(&publish()).unwrap();
    assert_eq!(
        (written["from"].as_u64(), written["size"].as_u64()),
        (Some(size_of(&early)), Some(size_of(&late)))
    );
    assert!(folder.join("tile/0/000").is_file() && !folder.join("tile/0/000.p").exists());
    assert_eq!(std::fs::read_to_string(folder.join("content/000")).unwrap().lines().count(), 256);
    let again: Value = serde_json::from_str(&publish()).unwrap();
    assert_eq!(again["files"], json!(1), "only the checkpoint");
    if let Some(outcome) = tlog_verifier(&["folder", into, &key, &witness.key]).await {
        assert_eq!(outcome.unwrap().trim(), format!("{} entries hold", size_of(&late)));
        // What was changed does not pass.
        let tile = folder.join("tile/entries/000");
        let mut bytes = std::fs::read(&tile).unwrap();
        let entry = write(&server, "entry", "");
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        std::fs::write(&entry, &bytes[2..2 + length]).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&tile, &bytes).unwrap();
        assert!(tlog_verifier(&["folder", into, &key]).await.unwrap().is_err());

        let (early_file, late_file) = (write(&server, "early", &early), write(&server, "late", &late));
        let proof = server.get(&auditor, "/audit/proof/inclusion?position=1").await.text;
        let proof = write(&server, "proof", &proof);
        tlog_verifier(&["inclusion", &proof, &key, &entry]).await.unwrap().unwrap();
        assert!(tlog_verifier(&["inclusion", &proof, &key, &late_file]).await.unwrap().is_err());
        let sizes = format!("from={}&to={}", size_of(&early), size_of(&late));
        let growth = server.get(&auditor, &format!("/audit/proof/consistency?{sizes}")).await.text;
        let growth = write(&server, "growth", &growth);
        tlog_verifier(&["growth", &growth, &key, &early_file, &late_file]).await.unwrap().unwrap();
        assert!(tlog_verifier(&["growth", &growth, &key, &late_file, &late_file]).await.unwrap().is_err());
        let printed = server.evident(&["audit", "prove", "1"]).ok();
        let printed = write(&server, "printed", &printed);
        tlog_verifier(&["inclusion", &printed, &key, &entry]).await.unwrap().unwrap();
    }
    // A folder of another log is left alone.
    let other = TestServer::on(&crate::support::TestDatabase::sqlite()).prepare();
    assert_eq!(other.evident(&["audit", "publish", "--into", into]).code, Some(1));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_answers_as_the_specification_has_it() {
    let database = crate::support::TestDatabase::sqlite();
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let key = server.evident(&["audit", "key"]).ok().trim().to_owned();
    let stranger = TestServer::on(&database).prepare();
    let witness = Witness::start(server.scratch(), "127.0.0.1:0", &[&key]);
    let signed = || server.evident(&["audit", "checkpoint"]).ok();
    let first = signed();
    let first_size = size_of(&first);

    assert_eq!(witness.add("nonsense").await.0, 400);
    assert_eq!(witness.add(&format!("old -1\n\n{first}")).await.0, 400);
    assert_eq!(witness.add(&format!("old 999\n\n{first}")).await.0, 400);
    let unknown = stranger.evident(&["audit", "checkpoint"]).ok();
    assert_eq!(witness.add(&format!("old 0\n\n{unknown}")).await.0, 404);
    let forged = first.replacen(&format!("\n{first_size}\n"), &format!("\n{}\n", first_size + 1), 1);
    assert_eq!(witness.add(&format!("old 0\n\n{forged}")).await.0, 403);
    let (status, kind, body) = witness.add(&format!("old 1\n\n{first}")).await;
    assert_eq!((status, kind.as_str(), body.as_str()), (409, "text/x.tlog.size", "0\n"));
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    assert_eq!(witness.add(&format!("old 0\n{hash}\n{first}")).await.0, 422);

    let (status, _, line) = witness.add(&format!("old 0\n\n{first}")).await;
    assert_eq!(status, 200);
    assert!(line.starts_with("— witness.example.com ") && line.lines().count() == 1, "{line}");
    // The same again is fine; the witness was asked twice.
    assert_eq!(witness.add(&format!("old {first_size}\n\n{first}")).await.0, 200);
    assert_eq!(witness.add(&format!("old 0\n\n{first}")).await, (409, kind, format!("{first_size}\n")));

    grow(&server, &ada.id, 5).await;
    let second = signed();
    let size = size_of(&second);
    let proof = server.evident(&["audit", "prove-growth", &first_size.to_string(), &size.to_string()]).ok();
    assert_eq!(witness.add(&format!("old {first_size}\n\n{second}")).await.0, 422);
    // Of many at once nobody rolls the memory back.
    let request = format!("old {first_size}\n{proof}\n{second}");
    let older = format!("old {first_size}\n\n{first}");
    let answers =
        futures::future::join_all([&request, &older, &request, &older].map(|body| witness.add(body)));
    let statuses: Vec<u16> = answers.await.into_iter().map(|answer| answer.0).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count()
            + statuses.iter().filter(|status| **status == 409).count(),
        4,
        "{statuses:?}"
    );

    let origin = first.lines().next().unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(origin.as_bytes());
    let digest = hex::encode(digest);
    let seen = async |witness: &Witness| {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let reply = http.get(format!("{}/{digest}/checkpoint", witness.url)).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.text().await.unwrap()
    };
    assert_eq!(size_of(&seen(&witness).await), size);
    // It remembers across a restart, and keeps its key.
    let was = witness.key.clone();
    drop(witness);
    let witness = Witness::start(server.scratch(), "127.0.0.1:0", &[&key]);
    assert_eq!(witness.key, was);
    assert_eq!(size_of(&seen(&witness).await), size);
    assert_eq!(witness.add(&older).await.0, 409);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let nothing = http.get(format!("{}/00/checkpoint", witness.url)).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
}
