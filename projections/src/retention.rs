//! What is dropped from the log, and what of the tables goes with it, so that a rebuild gives the same rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{Months, NaiveDate, TimeDelta};
use evident_domain::attempt::AttemptEvent;
use evident_domain::hold::{HoldScope, Holds};
use evident_domain::retention::{RetentionClass, superseded};
use evident_domain::{Event, Position, Root, StreamId, Subject, Time, TokenHash};
use evident_eventstore::retention::{drop_contents, failed_sign_ins, hold_back_writers};
use evident_eventstore::{DatabaseError, EventStore, Row, StoreError, Tables, Transaction, Value};

use crate::ProjectionError;
use crate::fold::Fold;
use crate::folds::SignInFailures;
use crate::lease::Lease;

/// Drops all failed sign-ins of accounts, by the hash that they are counted under, and the counts with them.
/// Says how many.
///
/// # Errors
/// When the database fails.
pub async fn drop_failed_sign_ins(store: &EventStore, accounts: &[TokenHash]) -> Result<u64, StoreError> {
    if accounts.is_empty() {
        return Ok(0);
    }
    // Writers remember the counts of late: they look again, on every node.
    let mut lock = store.lock_head().await?;
    let mut dropped = 0;
    for account in accounts {
        dropped += drop_account(lock.tables(), account).await?;
    }
    lock.commit().await?;
    Ok(dropped)
}

async fn drop_account(tables: &mut dyn Tables, account: &TokenHash) -> Result<u64, StoreError> {
    let positions: Vec<_> =
        failed_sign_ins(tables, account).await?.into_iter().map(|(position, _)| position).collect();
    tables.delete(&SignInFailures::TABLE, std::slice::from_ref(&account.0)).await?;
    drop_contents(tables, &positions).await
}

/// How long contents stay, by class; what has no age stays for ever. What is younger than a day stays always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// What sessions tell while they are used.
    pub session: Option<Duration>,
    /// What was tried and refused.
    pub attempt: Option<Duration>,
    /// Codes and redirects.
    pub flow: Option<Duration>,
    /// The keys of periods, from the end of the period: with them goes what belongs to nobody known.
    pub period: Option<Duration>,
}

impl Policy {
    /// The age at which the contents of a class are dropped.
    pub fn age(&self, class: RetentionClass) -> Option<Duration> {
        match class {
            RetentionClass::Durable => None,
            RetentionClass::Session => self.session,
            RetentionClass::Attempt => self.attempt,
            RetentionClass::Flow => self.flow,
        }
        .map(|age| age.max(DAY))
    }

    /// Whether anything is ever dropped.
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

const DAY: Duration = Duration::from_secs(86_400);
/// Events that are looked at in one transaction.
const BATCH: u32 = 500;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Contents that were dropped, by class.
    pub dropped: BTreeMap<RetentionClass, u64>,
    /// Periods whose keys were destroyed.
    pub periods: Vec<String>,
    /// A hold keeps everything: nothing was done.
    pub held: bool,
}

/// How far retention has come in a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The class.
    pub class: String,
    /// Up to here everything was looked at.
    pub position: u64,
    /// Contents that were dropped since the beginning.
    pub dropped: u64,
    /// When it last ran.
    pub ran_at: Time,
}

/// How far retention has come.
///
/// # Errors
/// When the database fails.
pub async fn progress(store: &EventStore) -> Result<Vec<Progress>, StoreError> {
    let sql = "select class, position, dropped, ran_at from retention_progress order by class";
    let rows = store.database().query(sql, &[]).await?;
    let read = |row: &Row| {
        let int = |i: usize| row.get(i).and_then(Value::as_int);
        Some(Progress {
            class: row.first()?.as_text()?.to_owned(),
            position: u64::try_from(int(1)?).ok()?,
            dropped: u64::try_from(int(2)?).ok()?,
            ran_at: Time::from_timestamp_micros(int(3)?)?,
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// Drops what has had its time, batch by batch, up to the moment `now`. One run at a time, on however many
/// nodes, and none beside a rebuild, whose new tables would still know what is dropped meanwhile.
///
/// # Errors
/// [`ProjectionError::Busy`] when another is running; and when the database fails: what is dropped by then
/// stays so, and the next run goes on.
pub async fn run(
    store: &EventStore,
    policy: &Policy,
    now: Time,
    patience: Duration,
) -> Result<Report, ProjectionError> {
    let mut report = Report::default();
    let pruned = pruned_before(store).await?;
    if policy.is_idle() && pruned.is_none() {
        return Ok(report);
    }
    let mut lease = Lease::acquire(store.database(), patience).await?;
    let outcome = run_with(store, &Ages { policy, pruned, now }, &mut lease, &mut report).await;
    lease.release().await?;
    outcome.map(|()| report)
}

async fn run_with(
    store: &EventStore,
    ages: &Ages<'_>,
    lease: &mut Lease,
    report: &mut Report,
) -> Result<(), ProjectionError> {
    let (policy, now) = (ages.policy, ages.now);
    for class in RetentionClass::DROPPABLE {
        let Some(before) = ages.before(class) else { continue };
        loop {
            let holds = Standing::load(store, now).await?;
            if holds.everything() {
                report.held = true;
                return Ok(());
            }
            match batch(store, class, before, now, &holds, lease).await? {
                Step::Done => break,
                Step::More(dropped) => *report.dropped.entry(class).or_default() += dropped,
                // Somebody placed or lifted a hold in between: looked at once more.
                Step::Again => {}
            }
        }
    }
    let Some(age) = policy.period.map(|age| age.max(DAY)) else { return Ok(()) };
    for subject in store.vault().subjects("period").await.map_err(StoreError::from)? {
        let Subject::Period(period) = &subject else { continue };
        let ended = period_end(period).is_some_and(|end| end + span(age) <= now);
        if ended && !Standing::load(store, now).await?.everything() {
            lease.keep_alive().await?;
            store.forget(&subject).await?;
            report.periods.push(period.clone());
        }
    }
    Ok(())
}

/// What is old enough to go.
struct Ages<'a> {
    policy: &'a Policy,
    /// Up to this moment the log is no longer handed out.
    pruned: Option<Time>,
    now: Time,
}

impl Ages<'_> {
    /// Up to which moment contents of a class go: those that had their time, and those of the pruned part.
    fn before(&self, class: RetentionClass) -> Option<Time> {
        let aged = self.policy.age(class).and_then(|age| self.now.checked_sub_signed(span(age)));
        let youngest = self.now.checked_sub_signed(span(DAY))?;
        let pruned = self.pruned.map(|pruned| pruned.min(youngest));
        aged.max(pruned)
    }
}

/// When the last event happened that is no longer handed out.
async fn pruned_before(store: &EventStore) -> Result<Option<Time>, StoreError> {
    match store.pruning().await?.minimum {
        0 => Ok(None),
        minimum => Ok(store.time_of(Position(minimum)).await?.and_then(Time::from_timestamp_micros)),
    }
}

/// How many contents a pruning of so many of the oldest events would drop at most: those that nothing needs.
///
/// # Errors
/// When the database fails.
pub async fn contents_within(store: &EventStore, events: u64) -> Result<u64, StoreError> {
    let types: Vec<&str> = RetentionClass::DROPPABLE.iter().flat_map(|class| class.types()).collect();
    store.contents_of(&types, Position(events)).await
}

fn span(age: Duration) -> TimeDelta {
    TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX)
}

/// The first moment after a period.
fn period_end(period: &str) -> Option<Time> {
    let first = NaiveDate::parse_from_str(&format!("{period}-01"), "%Y-%m-%d").ok()?;
    Some(first.checked_add_months(Months::new(1))?.and_hms_opt(0, 0, 0)?.and_utc())
}

/// The holds that stand, and the version of their register.
struct Standing {
    version: u64,
    scopes: BTreeMap<String, HoldScope>,
}

impl Standing {
    async fn load(store: &EventStore, now: Time) -> Result<Self, StoreError> {
        let (mut holds, mut version) = (Holds::default(), 0);
        for recorded in store.load(StreamId::holds()).await? {
            version = recorded.sequence;
            if let Some(event) = Holds::own(&recorded.event) {
                Root::fold(&mut holds, event);
            }
        }
        let scopes = holds.at(now).map(|(id, hold)| (id.to_string(), hold.scope)).collect();
        Ok(Self { version, scopes })
    }

    fn everything(&self) -> bool {
        self.scopes.values().any(|scope| *scope == HoldScope::Everything)
    }

    fn keeps(&self, subject: Option<&str>) -> bool {
        let Some(subject) = subject else { return false };
        self.scopes.values().any(|scope| scope.to_string() == subject)
    }

    /// Tells one state from another: with other holds the log is looked at from its beginning.
    fn name(&self) -> String {
        self.scopes.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Whether the register is as it was read. The writers are held back.
    async fn still(&self, transaction: &mut Transaction) -> Result<bool, DatabaseError> {
        let sql = "select count(*) from events where aggregate_type = 'hold'";
        let rows = transaction.query(sql, &[]).await?;
        let count = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
        Ok(count.and_then(|count| u64::try_from(count).ok()) == Some(self.version))
    }
}

enum Step {
    Done,
    More(u64),
    Again,
}

async fn batch(
    store: &EventStore,
    class: RetentionClass,
    before: Time,
    now: Time,
    holds: &Standing,
    lease: &mut Lease,
) -> Result<Step, ProjectionError> {
    let after = cursor(store, class, holds).await?;
    let mut types: Vec<_> = class.types().collect();
    if class == RetentionClass::Session {
        // The end of a session sets free what it told before.
        types.push("session.revoked");
    }
    let candidates = store.candidates(&types, after, before, BATCH).await?;
    let last = candidates.last().map_or(after, |candidate| candidate.position);
    let mut choice = Choice::default();
    let free: Vec<_> =
        candidates.iter().filter(|candidate| !holds.keeps(candidate.subject.as_deref())).collect();
    match class {
        RetentionClass::Durable => {}
        RetentionClass::Flow => choice.positions.extend(free.iter().map(|candidate| candidate.position)),
        RetentionClass::Session => {
            let streams: BTreeSet<_> = free.iter().map(|candidate| candidate.stream).collect();
            for stream in streams {
                let events = store.load(stream).await?;
                choice.positions.extend(superseded(&events, before).iter().map(|event| event.position));
            }
        }
        RetentionClass::Attempt => {
            let positions: Vec<_> = free.iter().map(|candidate| candidate.position).collect();
            for recorded in store.at(&positions).await? {
                match &recorded.event {
                    // What is counted goes with its count, all at once.
                    Event::Attempt(AttemptEvent::SignInFailed { account, .. }) => {
                        choice.accounts.insert(account.0.clone());
                    }
                    _ => choice.positions.push(recorded.position),
                }
            }
        }
    }
    let mut transaction = store.database().transaction().await?;
    hold_back_writers(&mut transaction).await?;
    lease.beat(&mut transaction).await?;
    if !holds.still(&mut transaction).await? {
        return Ok(Step::Again);
    }
    let mut dropped = drop_contents(&mut transaction, &choice.positions).await?;
    for account in choice.accounts {
        dropped += drop_idle_account(&mut transaction, &TokenHash(account), before, holds).await?;
    }
    let sql = "insert into retention_progress (class, position, holds, dropped, ran_at) \
               values ($1, $2, $3, $4, $5) on conflict (class) do update set position = excluded.position, \
               holds = excluded.holds, dropped = retention_progress.dropped + excluded.dropped, \
               ran_at = excluded.ran_at";
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let row = [
        class.as_str().into(),
        number(last.0),
        holds.name().into(),
        number(dropped),
        now.timestamp_micros().into(),
    ];
    transaction.execute(sql, &row).await?;
    transaction.commit().await?;
    let full = u32::try_from(candidates.len()) == Ok(BATCH);
    Ok(if full || dropped > 0 { Step::More(dropped) } else { Step::Done })
}

/// What a batch drops.
#[derive(Default)]
struct Choice {
    positions: Vec<Position>,
    accounts: BTreeSet<String>,
}

/// From where to go on: from the beginning where other holds count than at the last run.
async fn cursor(store: &EventStore, class: RetentionClass, holds: &Standing) -> Result<Position, StoreError> {
    let sql = "select position from retention_progress where class = $1 and holds = $2";
    let rows = store.database().query(sql, &[class.as_str().into(), holds.name().into()]).await?;
    let position = rows.first().and_then(|row| row.first()).and_then(Value::as_int);
    Ok(Position(position.and_then(|at| u64::try_from(at).ok()).unwrap_or_default()))
}

/// Drops the failed sign-ins of an account that was left alone since, with their count. Of one that is still
/// tried all stay: the count rests on them.
async fn drop_idle_account(
    transaction: &mut Transaction,
    account: &TokenHash,
    before: Time,
    holds: &Standing,
) -> Result<u64, StoreError> {
    let rows =
        transaction.select(&SignInFailures::TABLE, "account", std::slice::from_ref(&account.0)).await?;
    let counted = SignInFailures::from_rows(rows)?;
    if counted.is_some_and(|counted| counted.last_at >= before) {
        return Ok(0);
    }
    let events = failed_sign_ins(transaction, account).await?;
    if events.iter().any(|(_, subject)| holds.keeps(subject.as_deref())) {
        return Ok(0);
    }
    drop_account(transaction, account).await
}
