//! Long lists are what a plain look at all users gives, whichever index finds them.

use std::cmp::Ordering;

use chrono::DateTime;
use evident_eventstore::{Dialect, Value};
use evident_projections::Roster;
use evident_projections::views::{self, Comparison, Condition, Direction, DirectoryQuery, UserField};

use crate::rosters::{kept, never};
use crate::support::{On, World, on_both};

/// More than lists gather before they count.
const USERS: i64 = 2_600;
const NOW: i64 = 1_700_000_000_000_000;
const ROLE: &str = "member";

/// All there are.
pub(crate) const FIELDS: [UserField; 16] = [
    UserField::Id,
    UserField::Name,
    UserField::Email,
    UserField::EmailVerified,
    UserField::CreatedAt,
    UserField::UpdatedAt,
    UserField::TwoFactorEnabled,
    UserField::Username,
    UserField::DisplayUsername,
    UserField::IsAnonymous,
    UserField::PhoneNumber,
    UserField::PhoneNumberVerified,
    UserField::Role,
    UserField::Banned,
    UserField::BanReason,
    UserField::BanExpires,
];

const COMPARISONS: [Comparison; 11] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
    Comparison::In,
    Comparison::NotIn,
    Comparison::Contains,
    Comparison::StartsWith,
    Comparison::EndsWith,
];

/// Which users to show of those that are found.
const PAGES: [(u64, u32); 7] =
    [(0, 30), (1_100, 30), (2_050, 100), (1_000, 10), (0, 10_000), (2, 3), (2_300, 200)];

/// A field's value; nothing stands before or behind everything, as the database has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Flag(bool),
    Moment(i64),
    Text(String),
}

#[derive(Debug)]
struct Person {
    id: String,
    cells: Vec<Option<Cell>>,
}

/// Somebody for each number; some are of another audience, and some are closed.
fn person(n: i64) -> (Person, bool, Vec<Value>) {
    let id = format!("{:08x}-0000-4000-8000-{n:012}", (n * 2_654_435_761) & 0xffff_ffff);
    let created = NOW + n * 3_500_000;
    let each = |of: i64, except: i64| (n % of != except).then_some(n);
    let name = format!("name {}", n % 40);
    let email =
        each(15, 4).map(|n| format!("user{n}@{}.example", if n % 9 == 0 { "small" } else { "large" }));
    let verified = each(8, 3).map(|n| created + n);
    let updated = created + (n % 100) * 50_000_000;
    let username = each(10, 7).map(|n| format!("user_{}", n * 7919 % USERS));
    let phone = each(12, 5).map(|n| format!("1555{n}"));
    let phone_verified = (n % 12 != 5 && n % 3 == 0).then_some(created);
    let roles = match n % 10 {
        0 => Some("admin".to_owned()),
        1 => Some("member".to_owned()),
        2 => Some("zealot".to_owned()),
        _ => None,
    };
    let banned_until = each(9, 0).map(|n| NOW + (n % 7 - 2) * 1_000_000);
    let reason = banned_until.map(|_| if n % 5 == 0 { "spam" } else { "scam" }.to_owned());
    let closed = n % 50 == 11;
    let text = |text: Option<String>| text.map(Cell::Text);
    let moment = |micros: Option<i64>| micros.map(Cell::Moment);
    let cells = vec![
        Some(Cell::Text(id.clone())),
        Some(Cell::Text(name.clone())),
        text(email.clone()),
        Some(Cell::Flag(verified.is_some())),
        moment(Some(created)),
        moment(Some(updated)),
        Some(Cell::Flag(n % 6 != 0)),
        text(username.clone()),
        text(username.clone().map(|name| name.to_uppercase())),
        Some(Cell::Flag(n % 700 == 0)),
        text(phone.clone()),
        Some(Cell::Flag(phone_verified.is_some())),
        text(Some(roles.clone().unwrap_or_else(|| ROLE.to_owned()))),
        Some(Cell::Flag(banned_until.is_some_and(|until| until > NOW))),
        text(reason.clone()),
        moment(banned_until),
    ];
    let aud = if n % 400 == 1 { "other" } else { "authenticated" };
    let search = format!("{}\n", email.clone().unwrap_or_default());
    let maybe_text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let maybe_time = |micros: Option<i64>| micros.map_or(Value::Null, Value::Int);
    let row = vec![
        id.clone().into(),
        aud.into(),
        maybe_text(email),
        maybe_time(verified),
        maybe_text(phone),
        maybe_time(phone_verified),
        created.into(),
        updated.into(),
        maybe_time(banned_until),
        maybe_text(reason),
        (n % 700 == 0).into(),
        search.into(),
        maybe_text(roles),
        maybe_text(username.clone()),
        maybe_text(username.map(|name| name.to_uppercase())),
        name.into(),
        (n % 6 != 0).into(),
        maybe_time(closed.then_some(created)),
    ];
    (Person { id, cells }, !closed && aud == "authenticated", row)
}

/// Fills the tables as the folds would.
async fn crowd(on: On) -> (World, Vec<Person>) {
    let world = World::new(on).await;
    let mut people = Vec::new();
    let mut transaction = world.store.database().transaction().await.unwrap();
    for n in 0..USERS {
        let (person, is_listed, row) = person(n);
        let mut given = Vec::new();
        let places = row.into_iter().map(|value| {
            if value == Value::Null {
                // It would need a type.
                return "null".to_owned();
            }
            given.push(value);
            format!("${}", given.len())
        });
        let places = places.collect::<Vec<_>>().join(", ");
        let no = if on == On::Sqlite { "0" } else { "false" };
        let sql = format!(
            "insert into users (id, aud, email, email_confirmed_at, phone, phone_confirmed_at, created_at, \
             updated_at, banned_until, ban_reason, is_anonymous, search, admin_roles, username, \
             display_username, name, two_factor, deleted_at, role, app_metadata, user_metadata, has_password) \
             values ({places}, '', '{{}}', '{{}}', {no})"
        );
        evident_eventstore::Tables::execute(&mut transaction, &sql, &given).await.unwrap();
        if is_listed {
            people.push(person);
        }
    }
    let level = |level: i64, start: &str, those: &str| {
        format!(
            "insert into user_counts (bucket, aud, level, start, users) select '{level}:' || {start} || ':' \
             || aud, aud, {level}, {start}, count(*) from users where {those} group by aud, 1, 4"
        )
    };
    let mut counters = Vec::new();
    for bits in [40, 34, 28, 22] {
        counters.push(level(bits, &format!("((created_at >> {bits}) << {bits})"), "true"));
    }
    for (at, those) in [
        (-1, "email_confirmed_at is not null"),
        (-2, "phone_confirmed_at is not null"),
        (-3, "two_factor"),
        (-4, "is_anonymous"),
    ] {
        counters.push(level(at, "0", those));
    }
    for sql in counters {
        evident_eventstore::Tables::execute(&mut transaction, &sql, &[]).await.unwrap();
    }
    transaction.commit().await.unwrap();
    (world, people)
}

/// What a field is compared with: for few, for many, and in the middle.
fn values(field: UserField) -> Vec<String> {
    let millis = |n: i64| ((NOW + n * 3_500_000) / 1_000).to_string();
    let texts: &[&str] = match field {
        UserField::Id => &["80000000-0000-4000-8000-000000000000", "e", "0"],
        UserField::Name => &["name 1", "ame", "Name 3"],
        UserField::Email => &["user77@large.example", "large.example", "user2", "@SMALL.example", "ar"],
        UserField::Username => &["user_14", "user_", "USER_2", "9"],
        UserField::DisplayUsername => &["USER_14", "USER_", "5"],
        UserField::PhoneNumber => &["+155577", "1555", "+15552", "7"],
        UserField::Role => &["member", "admin", "m", "zealot", "e"],
        UserField::BanReason => &["spam", "scam", "am", "s"],
        UserField::BanExpires => &["1700000000000", "1700000001000", "x"],
        UserField::CreatedAt | UserField::UpdatedAt => {
            return [0, 77, 300, 1_300, 2_590].map(millis).to_vec();
        }
        _ => &["true", "false"],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn cell(field: UserField, text: &str) -> Option<Cell> {
    Some(match field {
        UserField::CreatedAt | UserField::UpdatedAt | UserField::BanExpires => {
            Cell::Moment(text.parse::<i64>().ok()? * 1_000)
        }
        UserField::Name | UserField::Email | UserField::Username | UserField::Id => {
            Cell::Text(text.to_lowercase())
        }
        UserField::PhoneNumber => Cell::Text(text.trim_start_matches('+').to_owned()),
        UserField::DisplayUsername | UserField::Role | UserField::BanReason => Cell::Text(text.to_owned()),
        _ => Cell::Flag(text == "true"),
    })
}

fn holds(value: Option<&Cell>, comparison: Comparison, wanted: &Cell) -> bool {
    let Some(value) = value else {
        return matches!(comparison, Comparison::NotEqual | Comparison::NotIn);
    };
    match (comparison, value, wanted) {
        (Comparison::Equal | Comparison::In, ..) => value == wanted,
        (Comparison::NotEqual | Comparison::NotIn, ..) => value != wanted,
        (_, Cell::Flag(_), _) => false,
        (Comparison::Less, ..) => value < wanted,
        (Comparison::LessOrEqual, ..) => value <= wanted,
        (Comparison::Greater, ..) => value > wanted,
        (Comparison::GreaterOrEqual, ..) => value >= wanted,
        (Comparison::Contains, Cell::Text(value), Cell::Text(wanted)) => value.contains(wanted),
        (Comparison::StartsWith, Cell::Text(value), Cell::Text(wanted)) => value.starts_with(wanted),
        (Comparison::EndsWith, Cell::Text(value), Cell::Text(wanted)) => value.ends_with(wanted),
        _ => false,
    }
}

fn place(field: UserField) -> usize {
    FIELDS.iter().position(|known| *known == field).unwrap()
}

/// The page that a plain look gives.
fn expected(people: &[Person], query: &DirectoryQuery, dialect: Dialect) -> (Vec<String>, u64) {
    let matches = |person: &&Person| {
        query.conditions.iter().all(|condition| {
            let wanted: Option<Vec<_>> =
                condition.values.iter().map(|text| cell(condition.field, text)).collect();
            let value = person.cells[place(condition.field)].as_ref();
            let holds = |wanted: &Cell| holds(value, condition.comparison, wanted);
            wanted.is_some_and(|wanted| match condition.comparison {
                Comparison::In => wanted.iter().any(holds),
                _ => wanted.iter().all(holds),
            })
        })
    };
    let (field, direction) = query.sort.unwrap();
    let mut found: Vec<_> = people.iter().filter(matches).collect();
    let order = |a: &Option<Cell>, b: &Option<Cell>| match (a, b, dialect) {
        (None, Some(_), Dialect::Postgres) => Ordering::Greater,
        (Some(_), None, Dialect::Postgres) => Ordering::Less,
        _ => a.cmp(b),
    };
    found.sort_by(|a, b| order(&a.cells[place(field)], &b.cells[place(field)]).then_with(|| a.id.cmp(&b.id)));
    if direction == Direction::Descending {
        found.reverse();
    }
    let shown = found.iter().skip(usize::try_from(query.offset).unwrap()).take(query.limit as usize);
    (shown.map(|person| person.id.clone()).collect(), found.len() as u64)
}

/// Asks the tables, and all users in memory.
async fn check(world: &World, rosters: &[Roster; 2], people: &[Person], query: &DirectoryQuery) {
    let database = world.store.database();
    let expected = expected(people, query, database.dialect());
    for roster in rosters {
        let page = views::directory(database, roster, query).await.unwrap();
        let shown: Vec<_> = page.users.iter().map(|view| view.user.id.to_string()).collect();
        assert!(
            (&shown, page.total) == (&expected.0, expected.1),
            "{query:?}, in memory: {}: {} of {} are shown, not {} of {}; the first: {:?}, not {:?}",
            roster.is_kept(),
            shown.len(),
            page.total,
            expected.0.len(),
            expected.1,
            shown.first(),
            expected.0.first(),
        );
    }
}

#[test]
fn every_list_is_what_a_plain_look_at_all_users_gives() {
    on_both(async |on| {
        let (world, people) = crowd(on).await;
        let rosters = [never(), kept(&world).await];
        // Each condition takes the next order and page, so that all come together with all kinds.
        let sorts = FIELDS
            .iter()
            .flat_map(|field| [(*field, Direction::Ascending), (*field, Direction::Descending)].into_iter());
        let mut sorts = sorts.clone().cycle().zip(PAGES.iter().cycle());
        let mut query = |conditions| {
            let (sort, (offset, limit)) = sorts.next().unwrap();
            DirectoryQuery {
                aud: "authenticated".to_owned(),
                conditions,
                sort: Some(sort),
                offset: *offset,
                limit: *limit,
                now: DateTime::from_timestamp_micros(NOW).unwrap(),
                default_role: ROLE.to_owned(),
            }
        };
        for _ in 0..FIELDS.len() * 2 * 3 {
            check(&world, &rosters, &people, &query(Vec::new())).await;
        }
        for field in FIELDS {
            for comparison in COMPARISONS {
                for value in values(field) {
                    let condition = Condition { field, comparison, values: vec![value] };
                    check(&world, &rosters, &people, &query(vec![condition])).await;
                }
            }
        }
        for field in FIELDS {
            for comparison in [Comparison::In, Comparison::NotIn] {
                for of in [0, 2, 9] {
                    let values = values(field).into_iter().take(of).collect();
                    let condition = Condition { field, comparison, values };
                    check(&world, &rosters, &people, &query(vec![condition])).await;
                }
            }
        }
        for (n, field) in FIELDS.into_iter().enumerate() {
            for (m, comparison) in COMPARISONS.into_iter().enumerate() {
                let other = FIELDS[(n + m + 1) % FIELDS.len()];
                let one = Condition { field, comparison, values: values(field)[..1].to_vec() };
                let two = Condition {
                    field: other,
                    comparison: COMPARISONS[(n + m) % 2],
                    values: values(other)[..1].to_vec(),
                };
                check(&world, &rosters, &people, &query(vec![one, two])).await;
            }
        }
        let nobody = DirectoryQuery { aud: "nobody".to_owned(), ..query(Vec::new()) };
        check(&world, &rosters, &[], &nobody).await;
        assert_eq!(rosters.map(|roster| roster.is_kept()), [false, true]);
    });
}
