//! Lists of users as administrators ask for them.

use evident_domain::access::Roles;
use evident_domain::ports::Clock;
use evident_domain::user::UserEvent;
use evident_domain::user::username::{Username, UsernameRules};
use evident_domain::{Actor, Event, StreamId, Subject, UserId};
use evident_projections::views::{self, Comparison, Condition, Direction, DirectoryQuery, UserField};

use crate::directory_model::FIELDS;
use crate::rosters::never;
use crate::support::{On, World, on_both};

const USERS: usize = 30;

/// Thirty people; every tenth is an administrator, the fifth is kept out, and two have names.
async fn crowd(on: On) -> (World, Vec<UserId>) {
    let world = World::new(on).await;
    let mut users = Vec::new();
    for n in 0..USERS {
        // The names run against the order of creation.
        users.push(world.sign_up(&format!("user{n}@example.com"), &format!("Name {:02}", USERS - n)).await);
    }
    let username = |text| Some(Username::parse(text, &UsernameRules::default()).unwrap().into());
    for n in (0..USERS).step_by(10) {
        happened(&world, users[n], UserEvent::AdminRolesChanged { roles: Roles::one("admin") }).await;
    }
    let reason = Some("spam".to_owned().into());
    happened(&world, users[5], UserEvent::Banned { until: None, reason }).await;
    let over = Some(Clock::now(&*world.clock) - chrono::TimeDelta::days(1));
    happened(&world, users[6], UserEvent::Banned { until: over, reason: None }).await;
    for (n, name) in [(7, "seven"), (8, "eight")] {
        let display_username = Some(name.to_uppercase().into());
        happened(&world, users[n], UserEvent::UsernameChanged { username: username(name), display_username })
            .await;
    }
    happened(&world, users[9], UserEvent::MailFactorEnabled {}).await;
    for (n, user) in users.iter().enumerate() {
        let name = serde_json::json!({"name": format!("Name {:02}", USERS - n)});
        let patch = serde_json::from_value::<evident_domain::Metadata>(name).unwrap().into();
        happened(&world, *user, UserEvent::MetadataChanged { patch }).await;
    }
    (world, users)
}

pub(crate) async fn happened(world: &World, user: UserId, event: UserEvent) {
    let version = world.store.load(StreamId::user(user)).await.unwrap().len() as u64;
    let streams = vec![(StreamId::user(user), version, vec![Event::User(event)])];
    world.append(Subject::User(user), Actor::Operator, streams).await.unwrap();
}

pub(crate) fn all(world: &World) -> DirectoryQuery {
    DirectoryQuery {
        aud: "authenticated".to_owned(),
        conditions: Vec::new(),
        sort: None,
        offset: 0,
        limit: 100,
        now: Clock::now(&*world.clock),
        default_role: "user".to_owned(),
    }
}

fn that(field: UserField, comparison: Comparison, values: &[&str]) -> Condition {
    Condition { field, comparison, values: values.iter().map(|text| (*text).to_owned()).collect() }
}

async fn listed(world: &World, users: &[UserId], query: &DirectoryQuery) -> (Vec<usize>, u64) {
    let page = views::directory(world.store.database(), &never(), query).await.unwrap();
    let place = |id| users.iter().position(|user| *user == id).unwrap();
    (page.users.iter().map(|view| place(view.user.id)).collect(), page.total)
}

#[test]
fn every_comparison_finds_whom_it_should() {
    use Comparison::{
        Contains, EndsWith, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual, NotIn,
        StartsWith,
    };
    use UserField::{
        BanExpires, BanReason, Banned, CreatedAt, DisplayUsername, Email, EmailVerified, Id, IsAnonymous,
        Name, PhoneNumber, PhoneNumberVerified, Role, TwoFactorEnabled, UpdatedAt, Username,
    };
    on_both(async |on| {
        let (world, users) = crowd(on).await;
        let everybody: Vec<_> = (0..USERS).collect();
        let but = |few: &[usize]| -> Vec<usize> {
            everybody.iter().copied().filter(|n| !few.contains(n)).collect()
        };
        let id = users[3].to_string();
        let created = views::user(world.store.database(), users[10]).await.unwrap().unwrap().user.created_at;
        let moment = created.to_rfc3339();
        let far = "2999-01-01T00:00:00.000Z";
        let cases = [
            (that(Email, Equal, &["USER3@example.com"]), vec![3]),
            (that(Email, NotEqual, &["user3@example.com"]), but(&[3])),
            (that(Email, In, &["user3@example.com", "user4@example.com", "x"]), vec![3, 4]),
            (that(Email, NotIn, &["user3@example.com", "user4@example.com"]), but(&[3, 4])),
            (that(Email, Contains, &["r2"]), vec![2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]),
            (that(Email, Contains, &["SER2@"]), vec![2]),
            (that(Email, StartsWith, &["user2@"]), vec![2]),
            (that(Email, StartsWith, &["ser2@"]), vec![]),
            (that(Email, EndsWith, &["9@example.com"]), vec![9, 19, 29]),
            (that(Email, Contains, &["%"]), vec![]),
            (that(Email, Contains, &["user_"]), vec![]),
            (that(Email, Contains, &["'; drop table users; --"]), vec![]),
            (that(Email, Equal, &["\0"]), vec![]),
            (that(Name, Contains, &["AME 07"]), vec![23]),
            (that(Name, StartsWith, &["name 0"]), (21..USERS).collect()),
            (that(Name, Equal, &["Name 30"]), vec![0]),
            (that(Name, Less, &["name 03"]), vec![28, 29]),
            (that(Name, GreaterOrEqual, &["name 29"]), vec![0, 1]),
            (that(Id, Equal, &[id.as_str()]), vec![3]),
            (that(Role, Equal, &["admin"]), vec![0, 10, 20]),
            (that(Role, NotEqual, &["admin"]), but(&[0, 10, 20])),
            (that(Role, Equal, &["user"]), but(&[0, 10, 20])),
            (that(Role, NotEqual, &["user"]), vec![0, 10, 20]),
            (that(Role, Contains, &["min"]), vec![0, 10, 20]),
            (that(Role, In, &["admin", "user"]), everybody.clone()),
            (that(Banned, Equal, &["true"]), vec![5]),
            (that(Banned, Equal, &["false"]), but(&[5])),
            (that(Banned, NotEqual, &["true"]), but(&[5])),
            (that(Banned, In, &["true", "false"]), everybody.clone()),
            (that(Banned, NotIn, &["true", "false"]), vec![]),
            (that(Banned, Equal, &["maybe"]), vec![]),
            (that(Banned, Greater, &["true"]), vec![]),
            (that(BanReason, Equal, &["spam"]), vec![5]),
            (that(BanExpires, Greater, &[far]), vec![5]),
            (that(BanExpires, Less, &[far]), vec![6]),
            (that(Username, Equal, &["SEVEN"]), vec![7]),
            (that(Username, NotEqual, &["seven"]), but(&[7])),
            (that(DisplayUsername, Equal, &["EIGHT"]), vec![8]),
            (that(TwoFactorEnabled, Equal, &["true"]), vec![9]),
            (that(TwoFactorEnabled, Equal, &["false"]), but(&[9])),
            (that(IsAnonymous, Equal, &["false"]), everybody.clone()),
            (that(IsAnonymous, Equal, &["true"]), vec![]),
            (that(EmailVerified, Equal, &["false"]), everybody.clone()),
            (that(EmailVerified, Equal, &["true"]), vec![]),
            (that(PhoneNumberVerified, Equal, &["true"]), vec![]),
            (that(PhoneNumber, Equal, &["+1555"]), vec![]),
            (that(CreatedAt, Equal, &[moment.as_str()]), vec![10]),
            (that(CreatedAt, LessOrEqual, &[moment.as_str()]), (0..=10).collect()),
            (that(CreatedAt, Greater, &[moment.as_str()]), (11..USERS).collect()),
            (that(CreatedAt, Less, &["yesterday"]), vec![]),
            (that(UpdatedAt, Less, &[far]), everybody.clone()),
        ];
        for (condition, expected) in cases {
            let query = DirectoryQuery { conditions: vec![condition.clone()], ..all(&world) };
            let total = expected.len() as u64;
            assert_eq!(listed(&world, &users, &query).await, (expected, total), "{condition:?}");
        }
        let both = vec![that(Role, Equal, &["user"]), that(Email, Contains, &["r2"])];
        let query = DirectoryQuery { conditions: both, offset: 1, limit: 2, ..all(&world) };
        assert_eq!(listed(&world, &users, &query).await, (vec![21, 22], 10));
    });
}

#[test]
fn lists_are_sorted_by_any_field_and_leave_out_closed_accounts() {
    on_both(async |on| {
        let (world, users) = crowd(on).await;
        let sorted = |field, direction, offset, limit| DirectoryQuery {
            sort: Some((field, direction)),
            offset,
            limit,
            ..all(&world)
        };
        let found = async |query: DirectoryQuery| listed(&world, &users, &query).await;
        let (up, down) = (Direction::Ascending, Direction::Descending);
        assert_eq!(found(all(&world)).await, ((0..USERS).collect(), 30));
        assert_eq!(found(sorted(UserField::CreatedAt, down, 1, 2)).await, (vec![28, 27], 30));
        assert_eq!(found(sorted(UserField::Name, up, 0, 3)).await, (vec![29, 28, 27], 30));
        assert_eq!(found(sorted(UserField::Name, down, 2, 2)).await, (vec![2, 3], 30));
        assert_eq!(found(sorted(UserField::Email, up, 0, 4)).await, (vec![0, 10, 11, 12], 30));
        assert_eq!(found(sorted(UserField::Role, up, 0, 3)).await.0.len(), 3);
        for field in FIELDS {
            let (mut order, total) = found(sorted(field, down, 0, 100)).await;
            order.sort_unstable();
            assert_eq!((order, total), ((0..USERS).collect(), 30), "{field:?}");
        }
        let gone = UserEvent::Deleted {
            email_digest: "x".to_owned(),
            phone_digest: String::new(),
            identities: Vec::new(),
        };
        happened(&world, users[29], gone).await;
        assert_eq!(found(sorted(UserField::CreatedAt, down, 0, 1)).await, (vec![28], 29));
        assert_eq!(found(sorted(UserField::Name, up, 0, 1)).await, (vec![28], 29));
        let admins = vec![that(UserField::Role, Comparison::Equal, &["user"])];
        assert_eq!(found(DirectoryQuery { conditions: admins, ..all(&world) }).await.1, 26);
        assert_eq!(found(sorted(UserField::Name, up, 50, 10)).await, (vec![], 29));
    });
}
