//! The log as others check it: tiles, proofs, checkpoints; and what the check finds of every kind of
//! tampering.

use std::io::BufReader;

use evident_domain::publication::LogEvent;
use evident_domain::{Position, SessionId, StreamId, Subject};
use evident_eventstore::archive::{ArchiveHead, ArchiveLine, PrunedPart};
use evident_eventstore::merkle::Frontier;
use evident_eventstore::restore::{GoingOn, LineProblem, RestoreError, restore};
use evident_eventstore::tlog::{
    Checked, Checkpoint, Checkpoints, Finding, Hash, InclusionProof, Problem, SignError, TilePath, TreeHead,
    Trust, WitnessKey, check_archive, check_growth, check_store, entries,
};
use evident_eventstore::{EventStore, Filter, StreamAppend};
use uuid::Uuid;

use crate::support::{Place, change, noon, on_both_databases, refreshed, started, user};

/// Makes a log longer by events of one session.
async fn grow(store: &EventStore, session: u128, events: u64) {
    let id = SessionId(Uuid::from_u128(session));
    for done in 0..events {
        let stream = if done == 0 { started(id, user(1)) } else { refreshed(id, user(1), done) };
        store.append(change(vec![stream])).await.unwrap();
    }
}

async fn checkpoints(store: &EventStore) -> Checkpoints {
    Checkpoints::open(store, || "example.com/log".to_owned()).await.unwrap()
}

async fn trust(store: &EventStore, kept: &[&Checkpoint]) -> Trust {
    Trust {
        keys: checkpoints(store).await.vkeys(),
        checkpoints: kept.iter().map(|checkpoint| checkpoint.text()).collect(),
    }
}

async fn check(store: &EventStore, kept: &[&Checkpoint]) -> Result<Checked, Finding> {
    check_store(store, &trust(store, kept).await, |_, _| ()).await.unwrap()
}

/// The leaves' hashes, by the definition of RFC 6962.
async fn frontier(store: &EventStore, size: u64) -> Frontier {
    let mut frontier = Frontier::default();
    let filter = Filter { last: Some(Position(size)), ..Filter::default() };
    for row in store.sealed_page(Position(0), 10_000, &filter).await.unwrap() {
        frontier.push(&row.event.leaf.to_bytes().unwrap());
    }
    assert_eq!(frontier.size(), size);
    frontier
}

on_both_databases! {
    async fn every_width_of_a_tile_and_every_proof_can_be_had(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        assert_eq!(log.sign().await.unwrap().size, 0);
        grow(&store, 7, 260).await;
        let small = log.sign().await.unwrap();
        grow(&store, 8, 260).await;
        let large = log.sign().await.unwrap();
        assert_eq!((small.size, large.size), (260, 520));
        assert_eq!(large.root.0, frontier(&store, 520).await.root());
        assert_eq!(log.sign().await.unwrap(), large, "nothing new, nothing signed");
        assert_eq!(log.latest().await.unwrap(), Some(large.clone()));
        assert_eq!(log.of_size(260).await.unwrap(), Some(small.clone()));
        assert_eq!(log.of_size(261).await.unwrap(), None);

        let read = async |path: &str| log.tree().read(TilePath::parse(path).unwrap()).await;
        let rows = store.sealed_page(Position(0), 600, &Filter::default()).await.unwrap();
        let leaves: Vec<_> = rows.iter().flat_map(|row| row.stored_hash.clone()).collect();
        assert_eq!(read("tile/0/000").await.unwrap(), &leaves[..8192]);
        assert_eq!(read("tile/0/001.p/4").await.unwrap(), &leaves[8192..8192 + 4 * 32]);
        assert_eq!(read("tile/0/002.p/8").await.unwrap(), &leaves[2 * 8192..]);
        // Both before and after the full tile is kept.
        assert_eq!(read("tile/0/000.p/255").await.unwrap(), &leaves[..255 * 32]);
        let above = read("tile/1/000.p/2").await.unwrap();
        assert_eq!(above[..32], frontier(&store, 256).await.root());
        assert!(read("tile/1/000.p/3").await.is_err());
        assert!(read("tile/0/002.p/9").await.is_err());
        let bundle = read("tile/entries/002.p/8").await.unwrap();
        let leaf = rows[519].event.leaf.to_bytes().unwrap();
        assert_eq!(entries(&bundle).unwrap()[7], leaf);

        let vkey = log.key().vkey();
        for position in [1, 2, 255, 256, 257, 260] {
            for checkpoint in [&small, &large] {
                let hashes = log.tree().inclusion(position - 1, checkpoint.size).await.unwrap();
                let text = InclusionProof::new(position - 1, hashes, checkpoint).to_text();
                let proof = InclusionProof::parse(&text).unwrap();
                let hash = |at: u64| Hash(rows[usize::try_from(at - 1).unwrap()].event.leaf_hash().unwrap());
                let head = proof.verify(&vkey, hash(position)).unwrap();
                assert_eq!((head.size, head.root), (checkpoint.size, checkpoint.root));
                assert!(proof.verify(&vkey, hash(position + 1)).is_err());
            }
        }
        assert!(log.tree().inclusion(520, 520).await.is_err());
        for from in [1, 2, 255, 256, 257, 260, 519, 520] {
            let proof = log.tree().consistency(from, 520).await.unwrap();
            let root = Hash(frontier(&store, from).await.root());
            check_growth(&proof, (from, root), (520, large.root)).unwrap();
            assert!(check_growth(&proof, (from, small.root), (520, large.root)).is_err() || from == 260);
        }
        assert!(log.tree().consistency(521, 520).await.is_err());
        let checked = check(&store, &[&small, &large]).await.unwrap();
        assert_eq!((checked.events, checked.tiles, checked.checkpoints), (520, 2, 5));
    }
}

on_both_databases! {
    async fn two_nodes_sign_one_tree_and_never_a_smaller_one(place) {
        let store = place.store().await;
        grow(&store, 7, 3).await;
        let (one, two) = (checkpoints(&store).await, checkpoints(&place.store().await).await);
        assert_eq!(one.key().vkey(), two.key().vkey());
        let signed = futures::future::join_all((0..8).map(|n| {
            let log = if n % 2 == 0 { one.clone() } else { two.clone() };
            async move { log.sign().await.unwrap().note }
        }));
        let notes = signed.await;
        assert!(notes.iter().all(|note| *note == notes[0]));
        let kept = Place::rows(&store, "select count(*) from tree_checkpoints").await;
        assert_eq!(kept[0][0].as_int(), Some(1));
        // The name stays what it was at first.
        let later = Checkpoints::open(&store, || "example.org/other".to_owned()).await.unwrap();
        assert_eq!(later.key().origin(), "example.com/log");
    }
}

on_both_databases! {
    async fn what_is_no_continuation_of_what_was_signed_is_not_signed(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 3).await;
        log.sign().await.unwrap();
        grow(&store, 8, 1).await;
        // An event that was changed together with its hash.
        let good = Place::rows(&store, "select leaf_hash from events where position = 2").await[0][0].clone();
        let bad = [vec![9; 32].into(), good.clone()];
        Place::meddle(&store, "update events set leaf_hash = $1 where leaf_hash = $2", &bad).await;
        assert!(matches!(log.sign().await, Err(SignError::Rewritten(3))), "{:?}", log.sign().await);
        let back = [bad[1].clone(), bad[0].clone()];
        Place::meddle(&store, "update events set leaf_hash = $1 where leaf_hash = $2", &back).await;
        assert_eq!(log.sign().await.unwrap().size, 4);
        // A log that is shorter than what was signed.
        let head = Place::rows(&store, "select position, frontier from log_head").await.remove(0);
        let short = frontier(&store, 2).await.to_bytes();
        let sql = "update log_head set position = $1, frontier = $2";
        Place::meddle(&store, sql, &[2.into(), short.into()]).await;
        assert!(matches!(log.sign().await, Err(SignError::Rewritten(4))));
        Place::meddle(&store, sql, &head).await;
        // A head that tells of other events.
        grow(&store, 9, 1).await;
        let mut other = frontier(&store, 4).await;
        other.push(b"another");
        Place::meddle(&store, sql, &[5.into(), other.to_bytes().into()]).await;
        assert!(matches!(log.sign().await, Err(SignError::Disagreement(5))));
    }
}

on_both_databases! {
    async fn whatever_is_changed_in_an_event_is_found_and_named(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 5).await;
        log.sign().await.unwrap();
        let id = store.page(Position(2), 1, &Filter::default()).await.unwrap()[0].id;
        check(&store, &[]).await.unwrap();
        for (column, value) in [
            ("aggregate_type", "'user'"),
            ("aggregate_type", "'nonsense'"),
            ("aggregate_id", "'00000000-0000-0000-0000-00000000beef'"),
            ("aggregate_id", "'nonsense'"),
            ("sequence", "77"),
            ("event_type", "'session.revoked'"),
            ("event_version", "'9.9'"),
            ("payload", "'{\"type\":\"Refreshed\"}'"),
            ("payload", "'null'"),
            ("metadata", "'{}'"),
            ("position", "99"),
            ("event_id", "'00000000-0000-0000-0000-00000000beef'"),
            ("event_id", "'nonsense'"),
            ("occurred_at", "occurred_at + 1"),
            ("actor", "'admin:service_role'"),
            // PostgreSQL takes no such text.
            ("actor", if place.is_postgres() { "''" } else { "cast(x'ff' as text)" }),
            ("subject", "'user:00000000-0000-0000-0000-00000000beef'"),
            ("subject", "null"),
            ("salt", "leaf_hash"),
            ("salt", "substr(salt, 1, 0)"),
            ("content_digest", "leaf_hash"),
            ("leaf_hash", "content_digest"),
        ] {
            let backup = "create table original as select * from events where position = 3";
            Place::meddle(&store, backup, &[]).await;
            let edit = format!("update events set {column} = {value} where position = 3");
            Place::meddle(&store, &edit, &[]).await;
            let found = check(&store, &[]).await.expect_err(&edit);
            assert_eq!(found.position, Position(3), "{edit}: {found}");
            assert!(found.id.is_none_or(|named| named == id || column == "event_id"), "{edit}: {found}");
            let nameless = matches!(found.problem, Problem::Missing | Problem::Damaged(_));
            assert!(nameless || found.id.is_some(), "{edit}: {found}");
            for restore in [
                "delete from events where position in (3, 99)",
                "insert into events select * from original",
                "drop table original",
            ] {
                Place::meddle(&store, restore, &[]).await;
            }
            check(&store, &[]).await.unwrap();
        }
    }
}

on_both_databases! {
    async fn contents_may_be_missing_only_where_retention_drops_them(place) {
        let store = place.store().await;
        grow(&store, 7, 3).await;
        let drop = |position: u64| {
            format!(
                "update events set salt = substr(salt, 1, 0), payload = 'null', metadata = '{{}}' \
                 where position = {position}"
            )
        };
        // A refreshed session is chatter; that it was started is a fact.
        Place::meddle(&store, &drop(2), &[]).await;
        assert_eq!(check(&store, &[]).await.unwrap().dropped, 1);
        Place::meddle(&store, &drop(1), &[]).await;
        let found = check(&store, &[]).await.unwrap_err();
        assert_eq!((found.position, found.problem), (Position(1), Problem::ContentMissing));
    }
}

on_both_databases! {
    async fn events_that_are_taken_out_put_in_or_put_elsewhere_are_found(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 6).await;
        log.sign().await.unwrap();
        let columns = "aggregate_type, event_type, event_version, payload, metadata, event_id, occurred_at, \
                       actor, subject, salt, content_digest, leaf_hash";
        let copy = format!(
            "insert into events (aggregate_id, sequence, position, {columns}) select aggregate_id, 70, 7, \
             {columns} from events where position = 2"
        );
        for (edits, position, what) in [
            (vec!["delete from events where position = 4"], 4, "taken out"),
            (vec!["delete from events where position = 1"], 1, "the first taken out"),
            (vec!["delete from events where position > 4"], 5, "the end cut off"),
            (vec![copy.as_str()], 7, "put behind"),
            (
                vec![
                    "update events set position = 100 where position = 3",
                    "update events set position = 3 where position = 4",
                    "update events set position = 4 where position = 100",
                ],
                3,
                "put elsewhere",
            ),
            (
                vec![
                    "delete from events where position = 6",
                    "update log_head set position = 5",
                ],
                6,
                "the end cut off, the head with it",
            ),
        ] {
            for sql in ["create table original as select * from events", "create table head as select * from log_head"] {
                Place::meddle(&store, sql, &[]).await;
            }
            for edit in edits {
                Place::meddle(&store, edit, &[]).await;
            }
            if what.ends_with("with it") {
                let short = frontier(&store, 5).await.to_bytes();
                Place::meddle(&store, "update log_head set frontier = $1", &[short.into()]).await;
            }
            let found = check(&store, &[]).await.expect_err(what);
            assert_eq!(found.position, Position(position), "{what}: {found}");
            for sql in [
                "delete from events",
                "insert into events select * from original",
                "drop table original",
                "delete from log_head",
                "insert into log_head select * from head",
                "drop table head",
            ] {
                Place::meddle(&store, sql, &[]).await;
            }
            check(&store, &[]).await.unwrap();
        }
    }
}

on_both_databases! {
    async fn a_log_that_was_written_anew_is_caught_by_a_checkpoint_that_somebody_kept(place) {
        let store = place.store().await;
        grow(&store, 7, 2).await;
        let log = checkpoints(&store).await;
        let early = log.sign().await.unwrap();
        grow(&store, 8, 3).await;
        let kept = log.sign().await.unwrap();
        // The owner cuts the log behind the second event and writes another end, hashes and all.
        for sql in [
            "delete from events where position > 2",
            "delete from tree_checkpoints where size > 2",
        ] {
            Place::meddle(&store, sql, &[]).await;
        }
        let short = frontier(&store, 2).await.to_bytes();
        Place::meddle(&store, "update log_head set position = 2, frontier = $1, writer_epoch = writer_epoch + 1", &[short.into()]).await;
        let store = place.store().await;
        grow(&store, 9, 3).await;
        let log = checkpoints(&store).await;
        log.sign().await.unwrap();
        check(&store, &[]).await.unwrap();
        let found = check(&store, &[&early, &kept]).await.unwrap_err();
        assert_eq!(found.position, Position(3), "{found}");
        assert_eq!(found.problem, Problem::Root { size: 5, after: 2 });
        // A longer log that somebody has kept a checkpoint of.
        grow(&store, 10, 1).await;
        let longer = log.sign().await.unwrap();
        let other = Place::sqlite();
        let cut = other.store().await;
        grow(&cut, 9, 1).await;
        let trust = Trust { keys: log.vkeys(), checkpoints: vec![longer.text()] };
        let found = check_store(&cut, &trust, |_, _| ()).await.unwrap().unwrap_err();
        assert_eq!((found.position, found.problem), (Position(2), Problem::CutOff(6)));
    }
}

on_both_databases! {
    async fn tiles_and_checkpoints_that_were_changed_are_found(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 300).await;
        let checkpoint = log.sign().await.unwrap();
        let mut tile = Place::rows(&store, "select hashes from tree_tiles").await[0][0].as_bytes().unwrap().to_vec();
        tile[9 * 32] ^= 1;
        let other = log.key().sign(300, [1; 32]).unwrap();
        let another_key = evident_eventstore::tlog::LogKey::new("example.com/log", &[3; 32].into()).unwrap();
        let forged = another_key.sign(300, checkpoint.root.0).unwrap();
        for (sql, params, position) in [
            ("update tree_tiles set hashes = $1", vec![tile.into()], 10),
            ("update tree_tiles set root = $1", vec![vec![1; 32].into()], 256),
            ("delete from tree_tiles", vec![], 1),
            ("update tree_tiles set number = 5", vec![], 1),
            ("insert into tree_tiles select level, 5, hashes, root from tree_tiles", vec![], 301),
            ("update tree_checkpoints set root = $1", vec![vec![1; 32].into()], 300),
            ("update tree_checkpoints set root = $1", vec![vec![1; 3].into()], 0),
            ("update tree_checkpoints set note = $1", vec![other.as_str().into()], 300),
            ("update tree_checkpoints set note = $1", vec![forged.as_str().into()], 300),
            ("update tree_checkpoints set note = 'nonsense'", vec![], 0),
            ("update tree_checkpoints set size = 299", vec![], 299),
            ("update tree_checkpoints set size = 301", vec![], 301),
        ] {
            for sql in ["create table tiles as select * from tree_tiles", "create table kept as select * from tree_checkpoints"] {
                Place::meddle(&store, sql, &[]).await;
            }
            Place::meddle(&store, sql, &params).await;
            let found = check(&store, &[]).await.expect_err(sql);
            assert_eq!(found.position, Position(position), "{sql}: {found}");
            for sql in [
                "delete from tree_tiles",
                "insert into tree_tiles select * from tiles",
                "drop table tiles",
                "delete from tree_checkpoints",
                "insert into tree_checkpoints select * from kept",
                "drop table kept",
            ] {
                Place::meddle(&store, sql, &[]).await;
            }
            check(&store, &[]).await.unwrap();
        }
    }
}

/// The archive of a log, as lines.
async fn archive(store: &EventStore) -> Vec<ArchiveLine> {
    let log = checkpoints(store).await;
    let head = ArchiveHead::new(Some((log.key().origin().to_owned(), log.vkeys())));
    let mut lines = vec![ArchiveLine::Archive(head)];
    for row in store.sealed_page(Position(0), 1000, &Filter::default()).await.unwrap() {
        let size = row.event.position().0;
        lines.push(ArchiveLine::Event(row.event));
        if let Some(checkpoint) = log.of_size(size).await.unwrap() {
            lines.push(ArchiveLine::Checkpoint(checkpoint.text()));
        }
    }
    lines
}

/// The archive without what is before an event.
async fn pruned(store: &EventStore, events: u64) -> Vec<ArchiveLine> {
    let mut lines = archive(store).await;
    let first = |line: &ArchiveLine| matches!(line, ArchiveLine::Event(event) if event.position().0 > events);
    let rest = lines.split_off(lines.iter().position(first).unwrap());
    let ArchiveLine::Archive(head) = &mut lines[0] else { panic!("no head") };
    let frontier = checkpoints(store).await.tree().frontier(events).await.unwrap().to_bytes();
    head.pruned = Some(PrunedPart { events, frontier });
    lines.truncate(1);
    lines.extend(rest);
    lines
}

fn check_lines(lines: &[ArchiveLine], trust: &Trust) -> Result<Checked, Finding> {
    let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    check_archive(|| Ok(BufReader::new(text.as_bytes())), trust, |_| ()).unwrap()
}

#[tokio::test]
async fn an_archive_is_checked_without_the_log() {
    let place = Place::sqlite();
    let store = place.store().await;
    let log = checkpoints(&store).await;
    grow(&store, 7, 3).await;
    log.sign().await.unwrap();
    grow(&store, 8, 2).await;
    let last = log.sign().await.unwrap();
    let lines = archive(&store).await;
    let trust = trust(&store, &[&last]).await;
    let checked = check_lines(&lines, &trust).unwrap();
    assert_eq!((checked.events, checked.checkpoints, checked.root), (5, 3, last.root));
    let nobody = Trust::default();
    assert_eq!(check_lines(&lines, &nobody).unwrap().checkpoints, 2);

    let event = |edit: fn(&mut evident_eventstore::archive::SealedEvent)| {
        let mut lines = lines.clone();
        let ArchiveLine::Event(event) = &mut lines[2] else { panic!("no event") };
        edit(event);
        lines
    };
    let without = |at: std::ops::Range<usize>| {
        let mut lines = lines.clone();
        lines.drain(at);
        lines
    };
    let swapped = |a, b| {
        let mut lines = lines.clone();
        lines.swap(a, b);
        lines
    };
    let doubled = || {
        let mut lines = lines.clone();
        lines.insert(2, lines[2].clone());
        lines
    };
    // Head, 1, 2, 3, checkpoint, 4, 5, checkpoint.
    for (lines, position, what) in [
        (event(|event| event.leaf.time += 1), 1, "a time"),
        (event(|event| event.leaf.actor = "system".into()), 1, "an actor"),
        (event(|event| event.leaf.subject = None), 1, "a subject"),
        (event(|event| event.leaf.kind = "user.banned".into()), 1, "a type"),
        (event(|event| event.leaf.version = "7.0".into()), 1, "a version"),
        (event(|event| event.leaf.id.0 = Uuid::nil()), 1, "an id"),
        (event(|event| event.leaf.position = Position(9)), 2, "a position"),
        (event(|event| event.leaf.sequence = 9), 2, "a sequence"),
        (event(|event| event.leaf.stream = "nonsense".to_owned()), 2, "a stream"),
        (event(|event| event.leaf.content = "00".to_owned()), 2, "a digest"),
        (event(|event| event.content.as_mut().unwrap().payload.push(' ')), 2, "a payload"),
        (event(|event| event.content.as_mut().unwrap().metadata.push(' ')), 2, "metadata"),
        (event(|event| event.content.as_mut().unwrap().salt[0] ^= 1), 2, "a salt"),
        (without(2..3), 2, "an event taken out"),
        (without(5..8), 4, "the end cut off"),
        (without(0..1), 1, "no head"),
        (swapped(2, 3), 2, "two events swapped"),
        (swapped(3, 4), 2, "a checkpoint elsewhere"),
        (doubled(), 3, "an event twice"),
    ] {
        let found = check_lines(&lines, &trust).expect_err(what);
        assert_eq!(found.position, Position(position), "{what}: {found}");
    }
    // Another key than the log's: nothing of it holds.
    let other = Place::sqlite();
    let other = checkpoints(&other.store().await).await.key().vkey();
    let found = check_lines(&lines, &Trust { keys: vec![other], checkpoints: Vec::new() }).unwrap_err();
    assert!(matches!(found.problem, Problem::Checkpoint { size: 3, .. }), "{found}");
    assert!(TreeHead::open(&last.text(), &log.key().vkey()).is_ok());

    for text in ["", "nonsense\n", "{\"archive\":{\"format\":9,\"origin\":null,\"key\":null}}\n"] {
        let outcome = check_archive(|| Ok(BufReader::new(text.as_bytes())), &nobody, |_| ()).unwrap();
        assert_eq!(outcome.unwrap_err().position, Position(1), "{text:?}");
    }
}

on_both_databases! {
    async fn what_is_left_of_a_pruned_log_is_checked_and_not_restored(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 300).await;
        let early = log.sign().await.unwrap();
        grow(&store, 8, 300).await;
        let late = log.sign().await.unwrap();
        for size in [0, 1, 255, 256, 300, 512, 599, 600] {
            assert_eq!(log.tree().frontier(size).await.unwrap(), frontier(&store, size).await, "{size}");
        }
        let lines = pruned(&store, 512).await;
        let all = Trust { keys: log.vkeys(), checkpoints: vec![early.text(), late.text()] };
        let checked = check_lines(&lines, &all).unwrap();
        assert_eq!((checked.events, checked.pruned, checked.checkpoints), (600, 512, 2));
        assert_eq!((checked.uncompared, checked.root), (1, late.root));
        // A checkpoint just over the part that is left out is compared with it.
        let exact = check_lines(&pruned(&store, 300).await, &all).unwrap();
        assert_eq!((exact.pruned, exact.uncompared, exact.checkpoints), (300, 0, 3));

        let found = |lines: &[ArchiveLine]| check_lines(lines, &all).unwrap_err().problem;
        let mut missing = lines.clone();
        missing.remove(3);
        assert_eq!(found(&missing), Problem::Missing);
        let mut other = lines.clone();
        let ArchiveLine::Archive(head) = &mut other[0] else { panic!("no head") };
        head.pruned.as_mut().unwrap().frontier[5] ^= 1;
        assert!(matches!(found(&other), Problem::Root { size: 600, .. }));
        let ArchiveLine::Archive(head) = &mut other[0] else { panic!("no head") };
        head.pruned.as_mut().unwrap().frontier.pop();
        assert!(matches!(found(&other), Problem::Damaged(_)));
        let mut renumbered = lines.clone();
        let ArchiveLine::Event(event) = &mut renumbered[3] else { panic!("no event") };
        event.leaf.sequence += 1;
        assert!(matches!(found(&renumbered), Problem::Sequence { .. }));

        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let empty = Place::sqlite().store().await;
        let refused = restore(&empty, std::io::Cursor::new(text), GoingOn::AsTheSame, &|_| ()).await.unwrap_err();
        assert!(matches!(
            refused,
            RestoreError::Line { line: 1, problem: LineProblem::Pruned(512) }
        ), "{refused}");
    }
}

on_both_databases! {
    async fn old_checkpoints_are_thinned_and_their_trees_stay_proven(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        let witness = WitnessKey::new("witness.example.com", &zeroize::Zeroizing::new([8; 32])).unwrap();
        let minute = 60_000_000_i64;
        // Six in two hours long ago, and two of today.
        let times = [0, 20, 59, 60, 90, 119].map(|minutes| minutes * minute);
        let mut signed = Vec::new();
        for n in 0..8 {
            grow(&store, 70 + n, 2).await;
            signed.push(log.sign().await.unwrap());
        }
        for (checkpoint, at) in signed.iter().zip(times) {
            let size = i64::try_from(checkpoint.size).unwrap();
            Place::meddle(&store, "update tree_checkpoints set signed_at = $1 where size = $2", &[at.into(), size.into()])
                .await;
        }
        let line = witness.cosign(&signed[1].note, noon()).unwrap();
        log.keep_cosignature(4, &witness.witness().vkey(), &line).await.unwrap();

        let before = noon() - chrono::TimeDelta::days(7);
        assert_eq!(log.thin(before).await.unwrap(), 3);
        let mut left = Vec::new();
        for checkpoint in &signed {
            left.extend(log.of_size(checkpoint.size).await.unwrap().map(|left| left.size));
        }
        // The last of each hour, the one that a witness has signed, and those of today.
        assert_eq!(left, [4, 6, 12, 14, 16]);
        assert_eq!(log.thin(before).await.unwrap(), 0);
        assert_eq!(log.of_size(4).await.unwrap().unwrap().cosignatures, [line]);
        // What was thinned is proven all the same, and whoever kept it is right.
        let newest = log.latest().await.unwrap().unwrap();
        for thinned in [&signed[0], &signed[3], &signed[4]] {
            let proof = log.tree().consistency(thinned.size, newest.size).await.unwrap();
            check_growth(&proof, (thinned.size, thinned.root), (newest.size, newest.root)).unwrap();
        }
        let kept: Vec<_> = signed.iter().collect();
        assert_eq!(check(&store, &kept).await.unwrap().checkpoints, 5 + 8);
        grow(&store, 99, 1).await;
        assert_eq!(log.sign().await.unwrap().size, 17, "and the log goes on");
    }
}

/// Tells the log of another key.
async fn tell(store: &EventStore, event: LogEvent) {
    let expected = store.load(StreamId::log()).await.unwrap().len() as u64;
    let stream = StreamAppend {
        stream: StreamId::log(),
        expected,
        subject: Subject::Server,
        events: vec![event.into()],
    };
    store.append(change(vec![stream])).await.unwrap();
}

on_both_databases! {
    async fn a_new_key_takes_over_and_those_before_it_stay_known(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        let another_node = checkpoints(&place.store().await).await;
        grow(&store, 7, 3).await;
        let first = log.sign().await.unwrap();
        let old = log.key().vkey();
        let new = log.prepare_key("example.com/log").await.unwrap().vkey();
        grow(&store, 8, 1).await;
        let prepared = log.sign().await.unwrap();
        assert!(TreeHead::open(&prepared.note, &new).is_err(), "it signs once the log says so");

        let later = noon() + chrono::TimeDelta::hours(1);
        tell(&store, LogEvent::KeyRotated { key: new.clone(), former: old.clone(), both_until: later }).await;
        let both = another_node.sign().await.unwrap();
        for key in [&old, &new] {
            assert_eq!(TreeHead::open(&both.note, key).unwrap().size, 5);
        }
        assert_eq!(log.sign().await.unwrap(), both, "whichever node it is");
        assert_eq!(log.vkeys(), [new.clone(), old.clone()]);

        let third = log.prepare_key("example.com/log").await.unwrap().vkey();
        let over = noon() - chrono::TimeDelta::hours(1);
        tell(&store, LogEvent::KeyRotated { key: third.clone(), former: new.clone(), both_until: over }).await;
        let alone = log.sign().await.unwrap();
        assert!(TreeHead::open(&alone.note, &third).is_ok() && TreeHead::open(&alone.note, &new).is_err());
        assert_eq!(log.vkeys(), [third.clone(), new.clone(), old.clone()]);
        check(&store, &[&first, &prepared, &both, &alone]).await.unwrap();
        let trust = |keys: &[&String]| Trust {
            keys: keys.iter().map(|key| (*key).clone()).collect(),
            checkpoints: Vec::new(),
        };
        let found = check_store(&store, &trust(&[&third]), |_, _| ()).await.unwrap().unwrap_err();
        assert!(matches!(found.problem, Problem::Checkpoint { size: 3, .. }), "{found}");

        // An archive names all of them, and whoever goes by some of them sees which checkpoint is not theirs.
        let lines = archive(&store).await;
        assert_eq!(check_lines(&lines, &trust(&[])).unwrap().keys, log.vkeys());
        check_lines(&lines, &trust(&[&old, &third])).unwrap();
        let found = check_lines(&lines, &trust(&[&old])).unwrap_err();
        assert!(matches!(found.problem, Problem::Checkpoint { size: 6, .. }), "{found}");
        // With the keys it goes on elsewhere, signed by the newest.
        let mut keys = Vec::new();
        store.vault().export_keys(&mut keys, "a passphrase of some length", true).await.unwrap();
        let elsewhere = Place::sqlite();
        let elsewhere = elsewhere.store().await;
        elsewhere.vault().import_keys(&mut keys.as_slice(), "a passphrase of some length").await.unwrap();
        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        restore(&elsewhere, std::io::Cursor::new(text), GoingOn::AsTheSame, &|_| ()).await.unwrap();
        grow(&elsewhere, 99, 1).await;
        let gone_on = checkpoints(&elsewhere).await.sign().await.unwrap();
        assert_eq!(TreeHead::open(&gone_on.note, &third).unwrap().size, 7);
    }
}

on_both_databases! {
    async fn a_log_that_got_another_name_signs_under_no_other(place) {
        let store = place.store().await;
        let log = checkpoints(&store).await;
        grow(&store, 7, 3).await;
        let signed = log.sign().await.unwrap();
        let old = log.key().vkey();
        let renamed = log.prepare_key("example.com/copy").await.unwrap().vkey();
        assert!(log.had_name("example.com/log").await.unwrap());
        assert!(!log.had_name("example.com/copy").await.unwrap());
        tell(&store, LogEvent::Renamed { key: renamed.clone(), former: old.clone() }).await;
        let next = log.sign().await.unwrap();
        assert_eq!(TreeHead::open(&next.note, &renamed).unwrap().origin, "example.com/copy");
        assert!(!next.note.contains("example.com/log"));
        assert_eq!(log.of_size(signed.size).await.unwrap(), None, "that one is the other log's");
        assert_eq!(log.vkeys(), std::slice::from_ref(&renamed));
        for name in ["example.com/log", "example.com/copy"] {
            assert!(log.had_name(name).await.unwrap(), "{name}");
        }
        assert_eq!(checkpoints(&store).await.key().vkey(), renamed, "also after a start");
        check(&store, &[&next]).await.unwrap();

        // An archive of it, restored without keys, is a third log: it takes neither name.
        let text: String = archive(&store)
            .await
            .iter()
            .map(|line| serde_json::to_string(line).unwrap() + "\n")
            .collect();
        for proposed in ["example.com/log", "example.com/copy"] {
            let third = Place::sqlite();
            let third = third.store().await;
            restore(&third, std::io::Cursor::new(text.clone()), GoingOn::AsTheSame, &|_| ()).await.unwrap();
            let third = Checkpoints::open(&third, || proposed.to_owned()).await.unwrap();
            third.sign().await.unwrap();
            let key = third.key();
            assert!(key.origin().starts_with(&format!("{proposed}/")), "{}", key.origin());
        }
    }
}
