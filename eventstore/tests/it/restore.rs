//! Restores: an archive gives the log that it was made of, on either database, or nothing at all.

use std::io::Cursor;

use evident_domain::{Position, SessionId, Subject};
use evident_eventstore::archive::{ArchiveHead, ArchiveLine, SealedContent, SealedEvent};
use evident_eventstore::restore::{GoingOn, RestoreError, restore, settle_keys};
use evident_eventstore::tlog::{Checkpoint, Checkpoints, Trust, WitnessKey, check_store};
use evident_eventstore::{Dialect, EventStore, Filter, KeyFileError, Row, Value};
use uuid::Uuid;

use crate::support::{
    ADDRESS, Place, banned, change, noon, on_both_databases, refreshed, signed_up, started, stream, user,
};

const PASSPHRASE: &str = "a passphrase of some length";

const COLUMNS: &str = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
     position, event_id, occurred_at, actor, subject, salt, content_digest, leaf_hash";

/// Some events of several streams, more than a portion of them.
async fn fill(store: &EventStore) {
    store.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
    store.append(change(vec![stream(user(2), 0, vec![signed_up("bob@example.com")])])).await.unwrap();
    let session = SessionId(Uuid::from_u128(7));
    store.append(change(vec![started(session, user(1))])).await.unwrap();
    store.append(change(vec![refreshed(session, user(1), 1)])).await.unwrap();
    for ten in 0..120 {
        let bans = (0..10).map(|_| banned("spam")).collect();
        store.append(change(vec![stream(user(2), 1 + ten * 10, bans)])).await.unwrap();
    }
}

async fn archive(store: &EventStore) -> Vec<ArchiveLine> {
    let identity = store.log_identity().await.unwrap();
    let mut lines = vec![ArchiveLine::Archive(ArchiveHead::new(identity))];
    for row in store.sealed_page(Position(0), 10_000, &Filter::default()).await.unwrap() {
        let size = row.event.position().0;
        lines.push(ArchiveLine::Event(row.event));
        let checkpoints = store.checkpoints_within(size - 1, size).await.unwrap();
        lines.extend(checkpoints.iter().map(|checkpoint| ArchiveLine::Checkpoint(checkpoint.text())));
    }
    lines
}

/// Signs the log as it is.
async fn sign(store: &EventStore) -> Checkpoint {
    let checkpoints = Checkpoints::open(store, || "auth.example.com/log".to_owned()).await.unwrap();
    checkpoints.sign().await.unwrap()
}

fn text(lines: &[ArchiveLine]) -> String {
    lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
}

async fn take(
    store: &EventStore,
    text: String,
) -> Result<evident_eventstore::restore::Restored, RestoreError> {
    restore(store, Cursor::new(text), GoingOn::AsTheSame, &|_| ()).await
}

/// The log's indexes, as the database tells them.
async fn indexes(store: &EventStore) -> Vec<Row> {
    let sql = match store.database().dialect() {
        Dialect::Sqlite => {
            "select name, sql from sqlite_master where tbl_name = 'events' and type = 'index' order by name"
        }
        Dialect::Postgres => {
            "select indexname::text, indexdef from pg_indexes where schemaname = current_schema() \
             and tablename = 'events' order by 1"
        }
    };
    Place::rows(store, sql).await
}

async fn rows(store: &EventStore) -> Vec<Row> {
    Place::rows(store, &format!("select {COLUMNS} from events order by position")).await
}

on_both_databases! {
    async fn an_archive_gives_the_log_that_it_was_made_of(place) {
        let first = Place::sqlite();
        let from = first.store().await;
        fill(&from).await;
        let lines = archive(&from).await;
        let into = place.store().await;
        let made = indexes(&into).await;
        let restored = take(&into, text(&lines)).await.unwrap();

        assert_eq!(restored.events, 1_204);
        assert!(made.len() > 5);
        assert_eq!(indexes(&into).await, made);
        assert_eq!(rows(&into).await, rows(&from).await);
        assert_eq!(into.head().await.unwrap(), from.head().await.unwrap());
        assert_eq!(restored.root, from.head().await.unwrap().frontier.root());
        assert_eq!(archive(&into).await, lines);
        // And back.
        let back = Place::sqlite();
        let back = back.store().await;
        take(&back, text(&archive(&into).await)).await.unwrap();
        assert_eq!(rows(&back).await, rows(&from).await);

        // Without keys what is personal reads as erased, and the log goes on.
        let ann = into.load(evident_domain::StreamId::user(user(1))).await.unwrap();
        assert!(!format!("{:?}", ann[0].event.to_json().unwrap()).contains("ann@example.com"));
        into.append(change(vec![stream(user(2), 1_201, vec![banned("more")])])).await.unwrap();
        assert_eq!(into.head().await.unwrap().position, Position(1_205));
    }
}

on_both_databases! {
    async fn keys_that_did_not_travel_count_as_destroyed_and_no_others_are_made(place) {
        let first = Place::sqlite();
        let from = first.store().await;
        fill(&from).await;
        let store = place.store().await;
        take(&store, text(&archive(&from).await)).await.unwrap();
        settle_keys(&store).await.unwrap();
        store.append(change(vec![stream(user(2), 1_201, vec![banned("a new reason")])])).await.unwrap();
        store.append(change(vec![stream(user(3), 0, vec![signed_up("cat@example.com")])])).await.unwrap();
        let all = store.page(Position(0), 10_000, &Filter::default()).await.unwrap();
        let json = |at: usize| all[at].event.to_json().unwrap().to_string();
        assert!(json(1).contains("$erased") && json(1_204).contains("$erased"), "{}", json(1_204));
        assert!(json(1_205).contains("cat@example.com"));
        // Where nothing was restored, nothing is done.
        settle_keys(&store).await.unwrap();
        assert!(!store.vault().find_keys([&Subject::User(user(3))]).await.unwrap().is_empty());
    }
}

on_both_databases! {
    async fn only_an_empty_log_takes_an_archive(place) {
        let store = place.store().await;
        fill(&store).await;
        let before = rows(&store).await;
        let refused = take(&store, text(&archive(&store).await)).await;
        assert!(matches!(refused, Err(RestoreError::NotEmpty(Position(1_204)))), "{refused:?}");
        assert_eq!(rows(&store).await, before);
    }
}

type Tamper = fn(&mut Vec<ArchiveLine>);

fn event(lines: &mut [ArchiveLine], line: usize) -> &mut SealedEvent {
    match &mut lines[line - 1] {
        ArchiveLine::Event(event) => event,
        _ => panic!("no event stands there"),
    }
}

fn content(lines: &mut [ArchiveLine], line: usize) -> &mut SealedContent {
    event(lines, line).content.as_mut().unwrap()
}

on_both_databases! {
    async fn whatever_was_tampered_with_is_refused_by_its_line_and_leaves_nothing(place) {
        let first = Place::sqlite();
        let from = first.store().await;
        fill(&from).await;
        let whole = archive(&from).await;
        sign(&from).await;
        let mut signed = archive(&from).await;
        let head = signed.pop().unwrap();
        let own = signed[0].clone();
        let tampered: [(u64, Tamper); 12] = [
            (6, |lines| content(lines, 6).payload.push(' ')),
            (6, |lines| content(lines, 6).metadata.push(' ')),
            (6, |lines| content(lines, 6).salt[0] ^= 1),
            (6, |lines| event(lines, 6).leaf.content.replace_range(0..1, "z")),
            (6, |lines| drop(lines.remove(5))),
            (7, |lines| { let twice = lines[5].clone(); lines.insert(6, twice); }),
            (6, |lines| lines.swap(5, 6)),
            (2, |lines| drop(lines.drain(1..3))),
            (1, |lines| drop(lines.remove(0))),
            (4, |lines| { let head = lines[0].clone(); lines.insert(3, head); }),
            // What only the tree can tell: the checkpoint behind the last event does.
            (1_206, |lines| event(lines, 900).leaf.time += 1),
            (1_206, |lines| event(lines, 900).leaf.actor = "operator".into()),
        ];
        let store = place.store().await;
        for (line, tamper) in tampered {
            let mut lines = whole.clone();
            lines[0] = own.clone();
            lines.push(head.clone());
            tamper(&mut lines);
            let refused = take(&store, text(&lines)).await;
            assert!(matches!(refused, Err(RestoreError::Line { line: found, .. }) if found == line), "{line}: {refused:?}");
            assert_eq!(rows(&store).await, Vec::<Row>::new());
            assert_eq!(store.head().await.unwrap().position, Position(0));
        }
        let mut cut = text(&whole);
        cut.truncate(cut.len() - 40);
        let refused = take(&store, cut).await;
        assert!(matches!(refused, Err(RestoreError::Line { line: 1_205, .. })), "{refused:?}");
        let mut gap = whole.clone();
        event(&mut gap, 900).leaf.sequence += 5_000;
        let refused = take(&store, text(&gap)).await;
        assert!(matches!(refused, Err(RestoreError::Stream(_))), "{refused:?}");
        assert_eq!(rows(&store).await, Vec::<Row>::new());

        let mut forged = whole.clone();
        forged[0] = own;
        let ArchiveLine::Checkpoint(note) = &head else { panic!("{head:?}") };
        let (text_of_note, signature) = note.split_at(note.len() - 8);
        forged.push(ArchiveLine::Checkpoint(format!("{text_of_note}AAAA{}", &signature[4..])));
        let refused = take(&store, text(&forged)).await;
        assert!(matches!(refused, Err(RestoreError::Line { line: 1_206, .. })), "{refused:?}");
        signed.push(head);
        assert_eq!(take(&store, text(&signed)).await.unwrap().checkpoints, 1);
    }
}

on_both_databases! {
    async fn checkpoints_go_on_where_the_logs_own_key_is_and_nowhere_else(place) {
        let first = Place::sqlite();
        let from = first.store().await;
        from.append(change(vec![stream(user(1), 0, vec![signed_up("ann@example.com")])])).await.unwrap();
        let witnessed = sign(&from).await;
        let log = Checkpoints::open(&from, String::new).await.unwrap();
        let witness = WitnessKey::new("witness.example", &[9; 32].into()).unwrap();
        let line = witness.cosign(&witnessed.note, noon()).unwrap();
        log.keep_cosignature(1, &witness.witness().vkey(), &line).await.unwrap();
        fill_more(&from).await;
        sign(&from).await;
        let lines = archive(&from).await;
        let checkpoints = from.checkpoints_within(0, 100).await.unwrap();
        assert_eq!(checkpoints.iter().map(|checkpoint| checkpoint.size).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(checkpoints[0].cosignatures, [line]);
        let mut keys = Vec::new();
        from.vault().export_keys(&mut keys, PASSPHRASE, true).await.unwrap();

        let into = place.store().await;
        assert_eq!(sign(&into).await.size, 0, "it has been signed before, empty");
        into.vault().import_keys(&mut Cursor::new(keys), PASSPHRASE).await.unwrap();
        take(&into, text(&lines)).await.unwrap();
        assert_eq!(archive(&into).await, lines);
        into.append(change(vec![stream(user(1), 1, vec![banned("spam")])])).await.unwrap();
        assert_eq!(sign(&into).await.size, 4, "the same log goes on");
        let trust = Trust { keys: log.vkeys(), checkpoints: vec![checkpoints[1].text()] };
        assert_eq!(check_store(&into, &trust, |_, _| ()).await.unwrap().unwrap().events, 4);

        let other = Place::sqlite();
        let other = other.store().await;
        take(&other, text(&lines)).await.unwrap();
        assert_eq!(other.checkpoints_within(0, 100).await.unwrap(), []);
        assert_eq!(sign(&other).await.size, 3, "another log, signed with another key");
        let (name, keys) = other.log_identity().await.unwrap().unwrap();
        assert!(!keys.contains(&log.key().vkey()));
        // The same name was proposed to it, and it did not take it.
        assert!(name.starts_with("auth.example.com/log/"), "{name}");

        // Also where the key came along, it is another log, if that is asked for.
        let anew = Place::sqlite();
        let anew = anew.store().await;
        let mut keys = Vec::new();
        from.vault().export_keys(&mut keys, PASSPHRASE, true).await.unwrap();
        assert_eq!(sign(&anew).await.size, 0, "under the same name, while it was empty");
        anew.vault().import_keys(&mut Cursor::new(keys), PASSPHRASE).await.unwrap();
        let archive = Cursor::new(text(&lines));
        restore(&anew, archive, GoingOn::AsAnother, &|_| ()).await.unwrap();
        assert_eq!(anew.checkpoints_within(0, 100).await.unwrap(), []);
        let first = sign(&anew).await;
        assert!(!first.note.contains("— auth.example.com/log "), "{}", first.note);
        let (name, own) = anew.log_identity().await.unwrap().unwrap();
        assert!(name.starts_with("auth.example.com/log/") && own.len() == 1, "{name}");
        let public = |vkey: &str| vkey.splitn(3, '+').nth(2).unwrap().to_owned();
        assert_ne!(public(&own[0]), public(&log.key().vkey()), "nor with the same key");
    }
}

/// Two events more.
async fn fill_more(store: &EventStore) {
    let session = SessionId(Uuid::from_u128(7));
    store.append(change(vec![started(session, user(1))])).await.unwrap();
    store.append(change(vec![refreshed(session, user(1), 1)])).await.unwrap();
}

on_both_databases! {
    async fn keys_travel_under_a_passphrase_and_open_the_restored_log(place) {
        let first = Place::sqlite();
        let from = first.store().await;
        fill(&from).await;
        from.vault().server_key("pepper", || b"a secret of the server".to_vec()).await.unwrap();
        from.forget(&Subject::User(user(2))).await.unwrap();
        let mut file = Vec::new();
        let moved = from.vault().export_keys(&mut file, PASSPHRASE, true).await.unwrap();
        assert_eq!((moved.subjects, moved.destroyed, moved.server), (2, 1, 1));
        let text_of_file = String::from_utf8(file.clone()).unwrap();
        assert!(!text_of_file.contains("a secret of the server"));

        let into = place.store().await;
        let refused = into.vault().import_keys(&mut Cursor::new(&file), "another passphrase").await;
        assert!(matches!(refused, Err(KeyFileError::DoesNotOpen(2))), "{refused:?}");
        let lines: Vec<&str> = text_of_file.lines().collect();
        let without = |line: usize| {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != line);
            kept.flat_map(|(_, line)| [*line, "\n"]).collect::<String>()
        };
        for line in 1..lines.len() {
            let refused = into.vault().import_keys(&mut Cursor::new(without(line)), PASSPHRASE).await;
            assert!(matches!(refused, Err(KeyFileError::NotWhole)), "{line}: {refused:?}");
        }
        let renamed = text_of_file.replace(&user(1).to_string(), &user(3).to_string());
        let refused = into.vault().import_keys(&mut Cursor::new(renamed), PASSPHRASE).await;
        assert!(matches!(refused, Err(KeyFileError::DoesNotOpen(2))), "{refused:?}");
        assert!(into.vault().find_keys([&Subject::User(user(1))]).await.unwrap().is_empty(), "all or none");

        assert_eq!(into.vault().import_keys(&mut Cursor::new(&file), PASSPHRASE).await.unwrap(), moved);
        take(&into, text(&archive(&from).await)).await.unwrap();
        let all = into.page(Position(0), 10, &Filter::default()).await.unwrap();
        let json = |at: usize| all[at].event.to_json().unwrap().to_string();
        assert!(json(0).contains("ann@example.com"));
        assert_eq!(all[0].provenance.ip.as_ref().unwrap().known().unwrap().to_string(), ADDRESS);
        assert!(!json(1).contains("bob@example.com"), "who was forgotten stays so");
        let pepper = into.vault().server_key("pepper", || b"another".to_vec()).await.unwrap();
        assert_eq!(pepper.as_slice(), b"a secret of the server");
        // A key that was destroyed here does not come back.
        into.forget(&Subject::User(user(1))).await.unwrap();
        into.vault().import_keys(&mut Cursor::new(&file), PASSPHRASE).await.unwrap();
        assert!(into.vault().find_keys([&Subject::User(user(1))]).await.unwrap().is_empty());
        assert!(matches!(
            from.vault().export_keys(&mut Vec::new(), "short", false).await,
            Err(KeyFileError::ShortPassphrase)
        ));
    }
}

on_both_databases! {
    async fn what_retention_dropped_is_restored_as_dropped(place) {
        let store = place.store().await;
        fill(&store).await;
        let dropped = "update events set payload = 'null', metadata = '{}', salt = $1 where position = 3";
        Place::meddle(&store, dropped, &[Value::Bytes(Vec::new())]).await;
        let lines = archive(&store).await;
        let other = Place::sqlite();
        let other = other.store().await;
        take(&other, text(&lines)).await.unwrap();
        assert_eq!(rows(&other).await, rows(&store).await);
        assert_eq!(archive(&other).await, lines);
    }
}
