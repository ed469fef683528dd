//! How long administrators wait for a page of a million users, for each field and comparison.
//!
//! `cargo run -p evident-projections --example list_rate -- FOLDER`
//! `cargo run -p evident-projections --example list_rate -- postgres://user@host/database`
//!
//! The rows are written straight into the tables; a number as second argument makes as many as that. It prints
//! what takes longer than 20 ms, and how many of all lists do.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::DateTime;
use evident_eventstore::{Contents, Database, Dialect, PostgresOptions};
use evident_projections::views::{self, Comparison, Condition, Direction, DirectoryQuery, UserField};

/// A page may take so long.
const WANTED: Duration = Duration::from_millis(20);
/// Each list is asked for so often; the fastest answer counts, as other programs run, too.
const TIMES: usize = 3;

const FIELDS: [(&str, UserField, [&str; 2]); 16] = [
    ("id", UserField::Id, ["00000000-0000-4000-8000-000000123456", "00000000-0000-4000-8000-00000012"]),
    ("name", UserField::Name, ["name 123456", "name 1234"]),
    ("email", UserField::Email, ["user123456@example.com", "user1234"]),
    ("emailVerified", UserField::EmailVerified, ["true", "false"]),
    ("createdAt", UserField::CreatedAt, ["1700000500000", "1700000999000"]),
    ("updatedAt", UserField::UpdatedAt, ["1700000500000", "1700000999000"]),
    ("twoFactorEnabled", UserField::TwoFactorEnabled, ["true", "false"]),
    ("username", UserField::Username, ["user_123400", "user_1234"]),
    ("displayUsername", UserField::DisplayUsername, ["User_123400", "User_1234"]),
    ("isAnonymous", UserField::IsAnonymous, ["true", "false"]),
    ("phoneNumber", UserField::PhoneNumber, ["+15550123450", "+1555012"]),
    ("phoneNumberVerified", UserField::PhoneNumberVerified, ["true", "false"]),
    ("role", UserField::Role, ["admin", "user"]),
    ("banned", UserField::Banned, ["true", "false"]),
    ("banReason", UserField::BanReason, ["spam", "sp"]),
    ("banExpires", UserField::BanExpires, ["1800000000000", "1900000000000"]),
];

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
    let (mut slow, mut all, mut out) = (0, 0, std::io::stdout());
    for (name, field, _) in FIELDS {
        for (direction_name, direction) in [("asc", Direction::Ascending), ("desc", Direction::Descending)] {
            let query = DirectoryQuery { sort: Some((field, direction)), ..everybody() };
            let took = fastest(&database, &query).await?;
            all += 1;
            slow += u32::from(took > WANTED);
            writeln!(out, "{:>8.1} ms  sorted by {name} {direction_name}", took.as_secs_f64() * 1e3)?;
        }
    }
    for (name, field, values) in FIELDS {
        for (comparison_name, comparison) in COMPARISONS {
            for value in values {
                let values = vec![value.to_owned()];
                let query = DirectoryQuery {
                    conditions: vec![Condition { field, comparison, values }],
                    ..everybody()
                };
                let took = fastest(&database, &query).await?;
                all += 1;
                if took > WANTED {
                    slow += 1;
                    writeln!(out, "{:>8.1} ms  {name} {comparison_name} {value}", took.as_secs_f64() * 1e3)?;
                }
            }
        }
    }
    writeln!(out, "{slow} of {all} lists take longer than {WANTED:?}")?;
    Ok(())
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

async fn fastest(database: &Database, query: &DirectoryQuery) -> Outcome<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..TIMES {
        let start = Instant::now();
        views::directory(database, query).await?;
        best = best.min(start.elapsed());
        if best > 5 * WANTED {
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

/// A second apart from each other, every tenth with a name to sign in by, every hundredth with something else.
async fn fill(database: &Database, users: u32) -> Outcome<()> {
    if !database.query("select id from users limit 1", &[]).await?.is_empty() {
        return Ok(());
    }
    let (numbers, id, yes, no) = match database.dialect() {
        Dialect::Sqlite => (
            format!(
                "with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < {users})"
            ),
            "printf('%012d', n)",
            "1",
            "0",
        ),
        Dialect::Postgres => (
            format!("with numbers(n) as (select n::bigint from generate_series(0, {users} - 1) n)"),
            "lpad(n::text, 12, '0')",
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
         has_password, search, admin_roles, username, display_username, name, two_factor) select \
         '00000000-0000-4000-8000-' || {id}, 'authenticated', 'authenticated', 'user' || n || '@example.com', "
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
    database.query("analyze", &[]).await?;
    Ok(())
}
