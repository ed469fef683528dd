//! Queries give what a plain look at all users would give.

use evident_domain::ports::Entropy;
use evident_domain::session::{Session, SessionCommand, Start};
use evident_domain::user::UserEvent;
use evident_domain::{Actor, Event, IdentityId, SessionId, StreamId, Subject, UserId};
use evident_projections::views::{self, Direction, PageQuery};

use crate::support::{On, World, on_both, signing_up};

const AUD: &str = "authenticated";

fn query(direction: Direction, offset: usize, limit: u32) -> PageQuery {
    PageQuery { aud: AUD.to_owned(), filter: None, direction, offset: offset as u64, limit }
}

async fn crowd(on: On) -> (World, Vec<UserId>) {
    let world = World::new(on).await;
    let mut users = Vec::new();
    for n in 0..60 {
        users.push(world.sign_up(&format!("user{n}@example.com"), &format!("Name {n} Ünique")).await);
    }
    (world, users)
}

async fn listed(world: &World, query: &PageQuery) -> (Vec<UserId>, u64) {
    let page = views::page(world.store.database(), query).await.unwrap();
    (page.users.iter().map(|view| view.user.id).collect(), page.total)
}

#[test]
fn every_page_is_the_right_part_of_the_whole() {
    on_both(async |on| {
        let world = World::new(on).await;
        let mut oldest_first = Vec::new();
        // Many at the same moment, and very different distances from one moment to the next.
        for n in 0..90 {
            world.clock.skip_micros([0, 3, 1_500_000, 1_200_000_000, 2_000_000_000_000][n % 5]);
            let mut together: Vec<_> = (0..12).map(|_| UserId(world.entropy.uuid())).collect();
            let joining = |id: &UserId| {
                let address = format!("{id}@example.com");
                let events = signing_up(*id, IdentityId(world.entropy.uuid()), &address, "A Name");
                (StreamId::user(*id), 0, events.into_iter().map(Event::User).collect())
            };
            let streams = together.iter().map(joining).collect();
            world.append(Subject::User(together[0]), Actor::Operator, streams).await.unwrap();
            together.sort();
            oldest_first.extend(together);
        }
        let newest_first: Vec<_> = oldest_first.iter().rev().copied().collect();
        for (direction, all) in
            [(Direction::Ascending, &oldest_first), (Direction::Descending, &newest_first)]
        {
            for offset in (0..1_100).step_by(13).chain([499, 500, 501, 1_079, 1_080, 9_999]) {
                let expected: Vec<_> = all.iter().skip(offset).take(7).copied().collect();
                let found = listed(&world, &query(direction, offset, 7)).await;
                assert_eq!(found, (expected, 1_080), "{direction:?} from {offset}");
            }
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let database = world.store.database();
                let page = views::page_after(database, AUD, direction, after, 100).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some((last.user.created_at, last.user.id));
                assert!(page.iter().all(|view| view.identities.len() == 1));
                seen.extend(page.iter().map(|view| view.user.id));
            }
            assert_eq!(&seen, all);
        }
        let other = PageQuery { aud: "other".to_owned(), ..query(Direction::Ascending, 0, 7) };
        assert_eq!(listed(&world, &other).await, (Vec::new(), 0));
    });
}

#[test]
fn erased_users_are_counted_no_more() {
    on_both(async |on| {
        let (world, users) = crowd(on).await;
        let erased = vec![(StreamId::user(users[30]), 2, vec![Event::User(UserEvent::Erased {})])];
        world.append(Subject::User(users[30]), Actor::Operator, erased).await.unwrap();
        let expected: Vec<_> = users[29..35].iter().filter(|id| **id != users[30]).copied().collect();
        assert_eq!(listed(&world, &query(Direction::Ascending, 29, 5)).await, (expected, 59));
        assert_eq!(views::user(world.store.database(), users[30]).await.unwrap(), None);
        let erased = views::erased_subjects(world.store.database(), 0, 10).await.unwrap();
        assert_eq!(erased.into_iter().map(|e| e.subject).collect::<Vec<_>>(), [Subject::User(users[30])]);
    });
}

#[test]
fn a_filter_is_literal_and_knows_no_case() {
    on_both(async |on| {
        let (world, users) = crowd(on).await;
        let filtered = |filter: &str, offset| PageQuery {
            filter: Some(filter.to_owned()),
            ..query(Direction::Ascending, offset, 2)
        };
        let found = async |filter: &str, offset| listed(&world, &filtered(filter, offset)).await;
        assert_eq!(found("USER17@", 0).await, (vec![users[17]], 1));
        assert_eq!(found("e 17 ü", 0).await, (vec![users[17]], 1));
        assert_eq!(found("r5", 0).await, (vec![users[5], users[50]], 11));
        assert_eq!(found("r5", 10).await, (vec![users[59]], 11));
        assert_eq!(found("R5", 20).await, (vec![], 11));
        assert_eq!(found("ÜNIQUE", 1).await, (users[1..3].to_vec(), 60));
        for nothing in ["%", "user_7", "m\nn", "com\nname", &"x".repeat(5_000), "\0"] {
            assert_eq!(found(nothing, 0).await, (vec![], 0), "{nothing:?}");
        }
        assert_eq!(found("", 0).await.1, 60);
    });
}

#[test]
fn a_session_comes_with_its_user_and_identities_in_one_read() {
    on_both(async |on| {
        let world = World::new(on).await;
        let user = world.sign_up("ann@example.com", "Ann").await;
        let id = SessionId(world.entropy.uuid());
        let now = evident_domain::ports::Clock::now(&*world.clock);
        let start = Start {
            user,
            method: "password".to_owned(),
            not_after: None,
            slides: false,
            client: None,
            impersonator: None,
            now,
        };
        let events = Session::default().decide(SessionCommand::Start(start)).unwrap();
        let streams = vec![(StreamId::session(id), 0, events.into_iter().map(Event::Session).collect())];
        world.append(Subject::User(user), Actor::Visitor, streams).await.unwrap();

        let database = world.store.database();
        let view = views::session_with_user(database, id).await.unwrap().unwrap();
        assert_eq!((view.session.id, view.session.user_id, view.user.user.id), (id, user, user));
        assert_eq!(view.user.user.last_sign_in_at, Some(now));
        assert_eq!(view.user.identities.len(), 1);
        assert_eq!(views::user(database, user).await.unwrap().unwrap(), view.user);
        assert_eq!(views::live_sessions(database, user).await.unwrap(), [id]);
        assert_eq!(views::session(database, id).await.unwrap(), Some(view.session));
        let nobody = SessionId(world.entropy.uuid());
        assert_eq!(views::session_with_user(database, nobody).await.unwrap(), None);
    });
}

/// What a search on PostgreSQL rests on.
#[test]
fn the_pieces_of_a_text_are_all_that_have_three_letters() {
    const LETTERS: [char; 10] = ['a', 'b', ' ', 'ä', '€', '𝄞', '\n', '\\', '&', '\u{1}'];
    on_both(async |on| {
        if on == On::Sqlite {
            return;
        }
        let world = World::new(on).await;
        for length in 0..240 {
            // Of every third text the sign that PostgreSQL separates the pieces by may be part.
            let some = if length % 3 == 0 { LETTERS.len() } else { LETTERS.len() - 1 };
            let letter = |_| LETTERS[usize::try_from(world.entropy.uuid().as_u128() % some as u128).unwrap()];
            let letters: Vec<char> = (0..length / 6).map(letter).collect();
            let text: String = letters.iter().collect();
            let mut expected: Vec<String> = letters.windows(3).map(|piece| piece.iter().collect()).collect();
            let sql = "select array_to_json(search_pieces($1))::text";
            let found = world.store.database().query(sql, &[text.clone().into()]).await.unwrap();
            let mut found: Vec<String> = serde_json::from_str(found[0][0].as_text().unwrap()).unwrap();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{text:?}");
        }
    });
}
