//! How long administrators wait for a page of a million users, for each field and comparison.
//!
//! `cargo run -p evident-projections --example list_rate -- FOLDER`
//! `cargo run -p evident-projections --example list_rate -- postgres://user@host/database`
//!
//! The rows are written straight into the tables; a number as second argument makes as many as that. It asks the
//! tables, then reads all users into memory and asks them. It prints what takes longer than 20 ms, and for each
//! kind of list how many do not, the median and the slowest; and what the users in memory take.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::DateTime;
use evident_eventstore::{Contents, Database, Dialect, PostgresOptions};
use evident_projections::views::{self, Comparison, Condition, Direction, DirectoryQuery, UserField};
use evident_projections::{Keeping, Roster};

/// A page may take so long.
const WANTED: Duration = Duration::from_millis(20);
/// Each list is asked for so often; the fastest answer counts, as other programs run, too.
const TIMES: usize = 5;

/// Fields, and what they are compared with: a whole value, the beginning of some, and the middle of all.
const FIELDS: [(&str, UserField, &[&str]); 16] = [
    ("id", UserField::Id, &["00fdae40-0000-4000-8000-000000123456", "1234", "8"]),
    ("name", UserField::Name, &["name 123456", "name 1234", "name 5"]),
    ("email", UserField::Email, &["user123456@example.com", "user1234", "user5"]),
    ("emailVerified", UserField::EmailVerified, FLAG),
    ("createdAt", UserField::CreatedAt, &["1700123456000", "1700000999000", "1700500000000"]),
    ("updatedAt", UserField::UpdatedAt, &["1700123456500", "1700000999000", "1700500000000"]),
    ("twoFactorEnabled", UserField::TwoFactorEnabled, FLAG),
    ("username", UserField::Username, &["user_123400", "user_1234", "user_5"]),
    ("displayUsername", UserField::DisplayUsername, &["User_123400", "User_1234", "User_5"]),
    ("isAnonymous", UserField::IsAnonymous, FLAG),
    ("phoneNumber", UserField::PhoneNumber, &["+1555123450", "+15551234", "+15555"]),
    ("phoneNumberVerified", UserField::PhoneNumberVerified, FLAG),
    ("role", UserField::Role, &["admin", "user"]),
    ("banned", UserField::Banned, FLAG),
    ("banReason", UserField::BanReason, &["spam", "sp"]),
    ("banExpires", UserField::BanExpires, &["1800000000000", "1900000000000"]),
];
const FLAG: &[&str] = &["true", "false"];

const COMPARISONS: [(&str, Comparison); 11] = [
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
    ("in", Comparison::In),
    ("not_in", Comparison::NotIn),
    ("contains", Comparison::Contains),
    ("starts_with", Comparison::StartsWith),
    ("ends_with", Comparison::EndsWith),
];

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let target = std::env::args().nth(1).ok_or("say a folder or a PostgreSQL URL")?;
    let users = std::env::args().nth(2).map_or(Ok(1_000_000), |number| number.parse())?;
    let database = open(&target).await?;
    fill(&database, users).await?;
    let mut out = std::io::stdout();
    let roster = Roster::new(Keeping { users: 0, ..Keeping::default() });
    writeln!(out, "from the tables:\n")?;
    lists(&database, &roster, users).await?;
    let before = resident()?;
    let start = Instant::now();
    let roster = Roster::new(Keeping { users, ..Keeping::default() });
    roster.load(&database);
    roster.settled().await;
    writeln!(
        out,
        "\nfrom memory: read in {}, {:.1} MB, the process grew from {before:.1} MB to {:.1} MB\n",
        ms(start.elapsed()),
        megabytes(roster.bytes()),
        resident()?
    )?;
    lists(&database, &roster, users).await?;
    writeln!(out, "\nin the end the process has {:.1} MB", resident()?)?;
    Ok(())
}

/// Megabytes of memory that this process has; 0 where the system does not tell.
fn resident() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).map_or(Ok(0), str::parse::<usize>)?;
    Ok(megabytes(kib * 1_024))
}

#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Asks for all lists and prints how long they took.
async fn lists(database: &Database, roster: &Roster, users: u32) -> Outcome<()> {
    let mut classes = Vec::new();
    for (place, offset) in [("first", 0), ("middle", u64::from(users / 2)), ("last", u64::from(users - 200))]
    {
        let mut class = Class::new(&format!("sorted, {place} page"));
        for (name, field, _) in FIELDS {
            for (way, direction) in [("asc", Direction::Ascending), ("desc", Direction::Descending)] {
                let query = DirectoryQuery { sort: Some((field, direction)), offset, ..everybody() };
                class.add(
                    &format!("{place} page by {name} {way}"),
                    fastest(database, roster, &query).await?,
                )?;
            }
        }
        classes.push(class);
    }
    for (comparison_name, comparison) in COMPARISONS {
        let mut class = Class::new(comparison_name);
        for (name, field, values) in FIELDS {
            for value in values {
                let values = vec![(*value).to_owned()];
                let query = DirectoryQuery {
                    conditions: vec![Condition { field, comparison, values }],
                    ..everybody()
                };
                let took = fastest(database, roster, &query).await?;
                class.add(&format!("{name} {comparison_name} {value}"), took)?;
            }
        }
        classes.push(class);
    }
    let mut out = std::io::stdout();
    writeln!(out, "\n| lists | within {WANTED:?} | median | slowest |\n|---|---|---|---|")?;
    for class in &mut classes {
        class.took.sort_unstable();
        let (median, slowest) = (class.took[class.took.len() / 2], class.took[class.took.len() - 1]);
        let (quick, all) = (class.quick(), class.took.len());
        writeln!(out, "| {} | {quick} of {all} | {} | {} |", class.name, ms(median), ms(slowest))?;
    }
    let (quick, all): (usize, usize) =
        classes.iter().fold((0, 0), |(quick, all), class| (quick + class.quick(), all + class.took.len()));
    writeln!(out, "\n{quick} of {all} lists take {WANTED:?} or less")?;
    Ok(())
}

/// Lists of one kind, and how long each took.
struct Class {
    name: String,
    took: Vec<Duration>,
}

impl Class {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), took: Vec::new() }
    }

    /// Prints what takes longer than wanted.
    fn add(&mut self, list: &str, took: Duration) -> Outcome<()> {
        if took > WANTED {
            writeln!(std::io::stdout(), "{:>10}  {list}", ms(took))?;
        }
        self.took.push(took);
        Ok(())
    }

    fn quick(&self) -> usize {
        self.took.iter().filter(|took| **took <= WANTED).count()
    }
}

fn ms(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

fn everybody() -> DirectoryQuery {
    DirectoryQuery {
        aud: "authenticated".to_owned(),
        conditions: Vec::new(),
        sort: None,
        offset: 0,
        limit: 100,
        now: DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default(),
        default_role: "user".to_owned(),
    }
}

async fn fastest(database: &Database, roster: &Roster, query: &DirectoryQuery) -> Outcome<Duration> {
    let mut best = Duration::MAX;
    for time in 0..TIMES {
        let start = Instant::now();
        views::directory(database, roster, query).await?;
        best = best.min(start.elapsed());
        if time > 0 && best > 5 * WANTED {
            break;
        }
    }
    Ok(best)
}

async fn open(target: &str) -> Outcome<Database> {
    if !target.starts_with("postgres") {
        return Ok(Database::open_sqlite(&Path::new(target).join("list_rate.db"), Contents::Log).await?);
    }
    let options = PostgresOptions {
        url: target.to_owned(),
        schema: "list_rate".to_owned(),
        max_connections: 2,
        acquire_timeout: Duration::from_secs(10),
    };
    Ok(Database::open_postgres(&options, Contents::Log).await?)
}

/// A second apart from each other, with ids in no order; half of them have confirmed their address, every tenth
/// has a number, every hundredth a name to sign in by, few of them something else; 50 accounts in a million are
/// closed.
async fn fill(database: &Database, users: u32) -> Outcome<()> {
    if !database.query("select id from users limit 1", &[]).await?.is_empty() {
        return Ok(());
    }
    let (numbers, id, yes, no) = match database.dialect() {
        Dialect::Sqlite => (
            format!(
                "with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < {users})"
            ),
            "printf('%08x-0000-4000-8000-%012d', (n * 2654435761) & 4294967295, n)",
            "1",
            "0",
        ),
        Dialect::Postgres => (
            format!("with numbers(n) as (select n::bigint from generate_series(0, {users} - 1) n)"),
            "lpad(to_hex((n * 2654435761) & 4294967295), 8, '0') || '-0000-4000-8000-' || lpad(n::text, 12, '0')",
            "true",
            "false",
        ),
    };
    let created = "1700000000000000 + n * 1000000";
    let some = |each: u32, rest: u32, then: &str, other: &str| {
        format!("case when n % {each} = {rest} then {then} else {other} end")
    };
    let mut sql = format!(
        "{numbers} insert into users (id, aud, role, email, email_confirmed_at, phone, phone_confirmed_at, \
         app_metadata, user_metadata, created_at, updated_at, banned_until, ban_reason, is_anonymous, \
         has_password, search, admin_roles, username, display_username, name, two_factor, deleted_at) select \
         {id}, 'authenticated', 'authenticated', 'user' || n || '@example.com', "
    );
    let columns = [
        some(2, 0, created, "null"),
        some(10, 0, "'1555' || n", "null"),
        some(20, 0, created, "null"),
        "'{}'".to_owned(),
        "'{}'".to_owned(),
        created.to_owned(),
        format!("{created} + 500000"),
        some(1000, 1, "253402300799000000", "null"),
        some(1000, 1, "'spam'", "null"),
        some(1000, 2, yes, no),
        yes.to_owned(),
        "'user' || n || '@example.com' || char_of_line || 'name ' || n".to_owned(),
        some(10_000, 3, "'admin'", "null"),
        some(100, 0, "'user_' || n", "null"),
        some(100, 0, "'User_' || n", "null"),
        "'name ' || n".to_owned(),
        some(1000, 4, yes, no),
        some(20_000, 5, created, "null"),
    ];
    let line = if database.dialect() == Dialect::Sqlite { "char(10)" } else { "chr(10)" };
    write!(sql, "{} from numbers", columns.join(", ").replace("char_of_line", line))?;
    database.query(&sql, &[]).await?;
    for level in [40, 34, 28, 22] {
        let start = format!("((created_at >> {level}) << {level})");
        let counted = format!(
            "insert into user_counts (bucket, aud, level, start, users) select '{level}:' || {start} || \
             ':' || aud, aud, {level}, {start}, count(*) from users group by aud, {start}"
        );
        database.query(&counted, &[]).await?;
    }
    for (level, column) in [
        (-1, "email_confirmed_at is not null"),
        (-2, "phone_confirmed_at is not null"),
        (-3, "two_factor"),
        (-4, "is_anonymous"),
    ] {
        let counted = format!(
            "insert into user_counts (bucket, aud, level, start, users) select '{level}:0:' || aud, aud, \
             {level}, 0, count(*) from users where {column} group by aud"
        );
        database.query(&counted, &[]).await?;
    }
    // PostgreSQL does so by itself after a while; SQLite is never told more than it knows.
    if database.dialect() == Dialect::Postgres {
        database.query("vacuum analyze", &[]).await?;
    }
    Ok(())
}
