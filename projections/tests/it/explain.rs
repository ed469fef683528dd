//! Explanations and differences: what the tables say, and which event says it.

use evident_domain::session::{RevocationReason, SessionEvent};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Metadata, Position, SessionId, StreamId, Subject, UserId};
use evident_projections::{
    Change, Entity, EntityChange, Explanation, ProjectionError, Silent, Until, diff, explain, views,
};
use serde_json::{Value as Json, json};

use crate::support::{World, on_both, session_started};

struct Story {
    ann: UserId,
    bea: UserId,
    session: SessionId,
}

/// Ann signs up (1 to 2), then Bea (3 to 4); Ann signs in (5), becomes an editor (6), is called something
/// else (7), and her session ends (8).
async fn story(world: &World) -> Story {
    let ann = world.sign_up("ann@example.com", "Ann").await;
    let bea = world.sign_up("bea@example.com", "Bea").await;
    let session = SessionId(uuid::Uuid::from_u128(77));
    let now = world.clock.last();
    let started = session_started(ann, now);
    let (subject, stream) = (Subject::User(ann), StreamId::session(session));
    let own = Actor::User { id: ann };
    let appended = world.append(subject.clone(), own.clone(), vec![(stream, 0, vec![started.into()])]);
    appended.await.unwrap();
    let of_ann = StreamId::user(ann);
    let sequence = world.store.load(of_ann).await.unwrap().len() as u64;
    let role = UserEvent::RoleChanged { role: "editor".to_owned() };
    let admin = Actor::Admin { role: "service_role".to_owned(), id: None };
    world.append(subject.clone(), admin, vec![(of_ann, sequence, vec![role.into()])]).await.unwrap();
    let name = Metadata::default().with("full_name", "Ann Lee");
    let renamed = UserEvent::MetadataChanged { patch: name.into() };
    world
        .append(subject.clone(), own.clone(), vec![(of_ann, sequence + 1, vec![renamed.into()])])
        .await
        .unwrap();
    let revoked = SessionEvent::Revoked { reason: RevocationReason::SignedOut };
    world.append(subject, own, vec![(stream, 1, vec![revoked.into()])]).await.unwrap();
    Story { ann, bea, session }
}

async fn head(world: &World) -> u64 {
    world.store.head().await.unwrap().position.0
}

async fn at(world: &World, entity: Entity, position: u64) -> Explanation {
    explain(&world.store, entity, Until::Position(Position(position))).await.unwrap()
}

fn field<'a>(explanation: &'a Explanation, table: &str, name: &str) -> Option<(&'a Json, &'a str, u64)> {
    let row = explanation.rows.iter().find(|row| row.table == table)?;
    let fact = row.fields.get(name)?;
    Some((&fact.value, fact.since.kind, fact.since.position.0))
}

#[test]
fn each_field_names_the_event_that_set_it() {
    on_both(async |on| {
        let world = World::new(on).await;
        let story = story(&world).await;
        let head = head(&world).await;
        let ann = at(&world, Entity::User(story.ann), head).await;
        let is = |name: &str| field(&ann, "users", name).map(|(value, kind, _)| (value.clone(), kind));
        assert_eq!(is("email"), Some((json!("ann@example.com"), "user.signed_up")));
        assert_eq!(is("role"), Some((json!("editor"), "user.role_changed")));
        assert_eq!(is("user_metadata.full_name"), Some((json!("Ann Lee"), "user.metadata_changed")));
        assert_eq!(is("last_sign_in_at").unwrap().1, "session.started");
        assert_eq!(is("banned_until"), None, "what was never set is left out");
        let users = ann.rows.iter().find(|row| row.table == "users").unwrap();
        let role = &users.fields["role"];
        assert_eq!(
            (role.before.as_ref(), role.since.actor.as_str()),
            (Some(&json!("authenticated")), "admin:service_role")
        );
        assert!(ann.rows.iter().any(|row| row.table == "identities"));
        assert!(
            !ann.rows
                .iter()
                .flat_map(|row| row.fields.values())
                .any(|fact| fact.value == json!("bea@example.com"))
        );

        let earlier = at(&world, Entity::User(story.ann), role.since.position.0 - 1).await;
        assert_eq!(field(&earlier, "users", "role").unwrap().0, &json!("authenticated"));
        let session = at(&world, Entity::Session(story.session), head).await;
        assert_eq!(session.rows[0].gone.as_ref().unwrap().kind, "session.revoked");
        assert_eq!(session.rows[0].fields["user_id"].value, json!(story.ann.to_string()));
        let nobody = at(&world, Entity::User(UserId(uuid::Uuid::nil())), head).await;
        assert!(nobody.rows.is_empty());
        let future =
            explain(&world.store, Entity::User(story.bea), Until::Position(Position(head + 1))).await;
        assert!(matches!(future, Err(ProjectionError::NotYet { .. })));
    });
}

#[test]
fn an_explanation_says_what_the_table_says() {
    on_both(async |on| {
        let world = World::new(on).await;
        let story = story(&world).await;
        let row = views::user(world.store.database(), story.ann).await.unwrap().unwrap().user;
        let ann = at(&world, Entity::User(story.ann), head(&world).await).await;
        let value = |name: &str| field(&ann, "users", name).map(|(value, ..)| value.clone());
        assert_eq!(value("email"), row.email.map(|email| json!(email)));
        assert_eq!(value("role"), Some(json!(row.role)));
    });
}

async fn changes(world: &World, from: u64, to: u64) -> Vec<EntityChange> {
    let mut changes = Vec::new();
    let moments = (Until::Position(Position(from)), Until::Position(Position(to)));
    let mut show = |change| {
        changes.push(change);
        Ok(())
    };
    diff(&world.store, moments, world.folder.path(), &Silent, &mut show).await.unwrap();
    changes
}

#[test]
fn a_difference_tells_what_came_went_and_changed() {
    on_both(async |on| {
        let world = World::new(on).await;
        let story = story(&world).await;
        let head = head(&world).await;
        let session = world.store.load(StreamId::session(story.session)).await.unwrap();
        let (began, ended) = (session[0].position.0, session[1].position.0);
        assert_eq!(ended, head);

        // While the session lived: Ann changed, the session came.
        let found = changes(&world, began - 1, ended - 1).await;
        let of = |entity: &str| found.iter().filter(|change| change.entity == entity).collect::<Vec<_>>();
        let [ann] = of("user")[..] else { panic!("{found:?}") };
        assert_eq!(ann.id, story.ann.to_string());
        let Change::Changed(fields) = &ann.change else { panic!("{ann:?}") };
        assert_eq!(fields["role"], (json!("authenticated"), json!("editor")));
        assert_eq!(fields["user_metadata.full_name"], (json!("Ann"), json!("Ann Lee")));
        assert!(!fields.contains_key("email"));
        assert!(matches!(of("session")[..], [EntityChange { change: Change::Created(_), .. }]));
        assert!(of("identity").is_empty());

        let found = changes(&world, ended - 1, ended).await;
        assert!(
            matches!(&found[..], [EntityChange { entity: "session", change: Change::Deleted(_), .. }]),
            "{found:?}"
        );
        let everything = changes(&world, 0, head).await;
        assert!(
            everything.iter().all(|change| matches!(change.change, Change::Created(_))),
            "{everything:?}"
        );
        assert_eq!(everything.iter().filter(|change| change.entity == "user").count(), 2);
        assert!(everything.iter().any(|change| change.id == story.bea.to_string()));
        assert_eq!(changes(&world, head, head).await, []);
        assert_eq!(
            std::fs::read_dir(world.folder.path())
                .unwrap()
                .filter(|entry| {
                    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("evident-diff")
                })
                .count(),
            0,
            "nothing readable is left behind"
        );
        let backwards = (Until::Position(Position(head)), Until::Position(Position(1)));
        let refused = diff(&world.store, backwards, world.folder.path(), &Silent, &mut |_| Ok(())).await;
        assert!(matches!(refused, Err(ProjectionError::Backwards { .. })));
    });
}
