//! The roster: what lists of users look at, of all users, in memory.
//!
//! The tables answer most lists out of an index in a few milliseconds, but not all: a page in the middle of a
//! million users is far from both ends of every index, and a text inside others is in none. The roster is made
//! where such lists are asked for, and given back when nobody asks any more. It holds what lists are sorted
//! and narrowed by ([`columns`]), a hundred bytes a user, and gives the ids of a page ([`select`]); the users
//! themselves come from the tables.
//!
//! A list shows what was committed before it was asked for, on whichever node. Before the roster answers it
//! looks where the log ends, and reads those users again who were touched since ([`reading`]). Their rows may
//! be newer than that: then the next look reads them once more. What it cannot follow, as when the table of
//! users was built anew, ends it: the tables answer, and the roster is made again.
//!
//! Nothing of somebody who was erased stays in it: the texts are overwritten as soon as the log tells, a second
//! later at most.

mod bits;
mod columns;
mod ids;
mod moments;
mod order;
mod reading;
mod select;
mod texts;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use evident_domain::UserId;
use evident_eventstore::{Database, DatabaseError};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::sleep;

use crate::views::{Asked, DirectoryQuery};

use columns::{Columns, Person};
use reading::{Built, Head, PIECE, Pieces};

/// Lists that are worked out at the same time.
const AT_ONCE: usize = 2;

/// When a roster is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Of so many users at most; of none where it is 0.
    pub users: u32,
    /// Where the tables took longer than this for a list.
    pub slow: Duration,
    /// For so many ticks without a question.
    pub idle: u32,
    /// From one look at the log to the next while nobody asks.
    pub tick: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { users: 2_000_000, slow: Duration::from_millis(20), idle: 300, tick: Duration::from_secs(1) }
    }
}

/// What lists of users look at, where it is kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keeping: Keeping,
    state: watch::Sender<State>,
    questions: Arc<Semaphore>,
}

#[derive(Debug)]
enum State {
    Absent,
    Loading,
    Kept(Arc<Kept>),
}

/// Users in memory.
#[derive(Debug)]
struct Kept {
    columns: RwLock<Columns>,
    built: Built,
    /// Up to here they are what the log makes of them.
    position: AtomicU64,
    catching_up: Mutex<()>,
    /// Ticks since the last question.
    idle: AtomicU32,
}

/// Why a roster is not kept any longer, or not at all.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("there are more users than the settings allow for")]
    TooMany,
    #[error("the table of users was built anew")]
    Rebuilt,
    #[error("too much happened since")]
    FarBehind,
    #[error("an event tells nobody whom it touches")]
    Nobody,
    #[error("the thread that worked on it failed")]
    Broken,
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Slots and places in texts are numbers of 32 bits.
#[derive(Debug, thiserror::Error)]
#[error("the users take more room than there are numbers for")]
struct TooLarge;

impl Roster {
    /// Nobody yet.
    pub fn new(keeping: Keeping) -> Self {
        let state = watch::Sender::new(State::Absent);
        Self(Arc::new(Inner { keeping, state, questions: Arc::new(Semaphore::new(AT_ONCE)) }))
    }

    /// The ids of those on a page in order, and how many there are on all pages; none where no roster is kept.
    pub(crate) async fn page(
        &self,
        database: &Database,
        query: &DirectoryQuery,
        asked: &[Asked],
    ) -> Option<(Vec<UserId>, u64)> {
        let kept = self.kept()?;
        kept.idle.store(0, Ordering::Relaxed);
        match self.answer(&kept, database, query, asked).await {
            Ok(page) => Some(page),
            Err(lost) => {
                self.end(&kept, &lost);
                None
            }
        }
    }

    async fn answer(
        &self,
        kept: &Arc<Kept>,
        database: &Database,
        query: &DirectoryQuery,
        asked: &[Asked],
    ) -> Result<(Vec<UserId>, u64), Lost> {
        kept.catch_up(database).await?;
        let slot = self.0.questions.clone().acquire_owned().await.map_err(|_| Lost::Broken)?;
        let (kept, query, asked, dialect) = (kept.clone(), query.clone(), asked.to_vec(), database.dialect());
        let page = on_a_thread(move || {
            let _slot = slot;
            let columns = kept.columns.read().map_err(|_| Lost::Broken)?;
            Ok(columns.page(&query, &asked, dialect))
        });
        page.await
    }

    /// Hears how long the tables took for a list, and has the roster made where that was too long.
    pub(crate) fn hear(&self, database: &Database, took: Duration) {
        if took > self.0.keeping.slow {
            self.load(database);
        }
    }

    /// Begins to read all users, unless they are read already or shall not be. Lists are answered from the
    /// tables meanwhile.
    pub fn load(&self, database: &Database) {
        let begins = |state: &mut State| {
            let begins = matches!(state, State::Absent) && self.0.keeping.users > 0;
            if begins {
                *state = State::Loading;
            }
            begins
        };
        if self.0.state.send_if_modified(begins) {
            let (roster, database) = (self.clone(), database.clone());
            tokio::spawn(async move {
                match Kept::read(&database, roster.0.keeping.users).await {
                    Ok(kept) => roster.keep(kept, &database),
                    Err(lost) => {
                        tracing::debug!(%lost, "lists of users are not kept in memory");
                        roster.0.state.send_replace(State::Absent);
                    }
                }
            });
        }
    }

    /// Waits until all users are read, where they are being read.
    pub async fn settled(&self) {
        // The roster holds the other side itself.
        let _ = self.0.state.subscribe().wait_for(|state| !matches!(state, State::Loading)).await;
    }

    /// Whether users are in memory.
    pub fn is_kept(&self) -> bool {
        self.kept().is_some()
    }

    /// The bytes that they take; while a list is worked out or users are taken in it may be a few more.
    pub fn bytes(&self) -> usize {
        self.kept()
            .and_then(|kept| kept.columns.read().map(|columns| columns.bytes()).ok())
            .unwrap_or_default()
    }

    /// What is done from time to time while users are kept: reads what happened meanwhile, reads all anew where much
    /// did, and gives the memory back where nobody asked for long.
    pub async fn tick(&self, database: &Database) {
        let Some(kept) = self.kept() else { return };
        if kept.idle.fetch_add(1, Ordering::Relaxed) >= self.0.keeping.idle {
            self.0.state.send_replace(State::Absent);
            return;
        }
        match self.look_after(&kept, database).await {
            Ok(None) => {}
            Ok(Some(anew)) => {
                anew.idle.store(kept.idle.load(Ordering::Relaxed), Ordering::Relaxed);
                self.keep(anew, database);
            }
            Err(lost) => self.end(&kept, &lost),
        }
    }

    /// The same users read anew, where that is worth it.
    async fn look_after(&self, kept: &Arc<Kept>, database: &Database) -> Result<Option<Arc<Kept>>, Lost> {
        kept.catch_up(database).await?;
        let (users, is_worn) = {
            let columns = kept.columns.read().map_err(|_| Lost::Broken)?;
            (columns.users() as u64, columns.is_worn())
        };
        if users > u64::from(self.0.keeping.users) {
            return Err(Lost::TooMany);
        }
        if is_worn { Kept::read(database, self.0.keeping.users).await.map(Some) } else { Ok(None) }
    }

    fn kept(&self) -> Option<Arc<Kept>> {
        match &*self.0.state.borrow() {
            State::Kept(kept) => Some(kept.clone()),
            State::Absent | State::Loading => None,
        }
    }

    fn keep(&self, kept: Arc<Kept>, database: &Database) {
        let of = Arc::downgrade(&kept);
        self.0.state.send_replace(State::Kept(kept));
        tokio::spawn(look_after(self.0.keeping.tick, Arc::downgrade(&self.0), of, database.clone()));
    }

    fn end(&self, lost: &Arc<Kept>, why: &Lost) {
        tracing::debug!(lost = %why, "lists of users are not kept in memory any longer");
        self.0.state.send_if_modified(|state| {
            let is_it = matches!(state, State::Kept(kept) if Arc::ptr_eq(kept, lost));
            if is_it {
                *state = State::Absent;
            }
            is_it
        });
    }
}

/// Ticks for as long as these users are kept, and anybody could ask for them.
async fn look_after(tick: Duration, roster: Weak<Inner>, of: Weak<Kept>, database: Database) {
    loop {
        sleep(tick).await;
        let Some(roster) = roster.upgrade().map(Roster) else { return };
        let is_it = |kept: &Arc<Kept>| of.upgrade().is_some_and(|of| Arc::ptr_eq(kept, &of));
        if !roster.kept().as_ref().is_some_and(is_it) {
            return;
        }
        roster.tick(&database).await;
    }
}

impl Kept {
    /// Reads all users.
    async fn read(database: &Database, most: u32) -> Result<Arc<Self>, Lost> {
        if reading::count(database).await? > u64::from(most) {
            return Err(Lost::TooMany);
        }
        let Head { position, built } = Head::read(database).await?;
        let mut columns = Columns::new();
        let mut pieces = Pieces::of(database).await?;
        while let Some(people) = pieces.next(database).await? {
            for person in &people {
                columns.push(person)?;
            }
        }
        let sorted = on_a_thread(move || {
            columns.sort();
            Ok(columns)
        });
        let columns = RwLock::new(sorted.await?);
        let position = AtomicU64::new(position);
        let kept =
            Arc::new(Self { columns, built, position, catching_up: Mutex::new(()), idle: AtomicU32::new(0) });
        kept.catch_up(database).await?;
        Ok(kept)
    }

    /// Takes in everything that was committed before this was called.
    async fn catch_up(self: &Arc<Self>, database: &Database) -> Result<(), Lost> {
        let head = Head::read(database).await?;
        if head.built != self.built {
            return Err(Lost::Rebuilt);
        }
        if self.knows(head.position) {
            return Ok(());
        }
        // A task of its own: who asked may go away, and what was read must not be taken in behind what somebody
        // else reads later.
        let (kept, database) = (self.clone(), database.clone());
        let taking_in = tokio::spawn(async move { kept.take_in(&database, head.position).await });
        taking_in.await.map_err(|_| Lost::Broken)?
    }

    fn knows(&self, position: u64) -> bool {
        self.position.load(Ordering::Acquire) >= position
    }

    /// Takes in what happened up to a position.
    async fn take_in(self: &Arc<Self>, database: &Database, to: u64) -> Result<(), Lost> {
        let one = self.catching_up.lock().await;
        if self.knows(to) {
            return Ok(());
        }
        let touched = reading::touched(database, self.position.load(Ordering::Acquire), to).await?;
        for ids in touched.chunks(PIECE) {
            let changes = reading::changes(database, ids).await?;
            self.clone().apply(changes).await?;
        }
        self.position.store(to, Ordering::Release);
        drop(one);
        Ok(())
    }

    async fn apply(self: Arc<Self>, changes: Vec<(u128, Option<Person>)>) -> Result<(), Lost> {
        let applied =
            on_a_thread(move || Ok(self.columns.write().map_err(|_| Lost::Broken)?.apply(changes)?));
        applied.await
    }
}

/// Work of milliseconds, for which nothing else should have to wait.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Lost> + Send + 'static,
) -> Result<T, Lost> {
    #[expect(clippy::disallowed_methods, reason = "a roster works on little at once; nothing is hashed here")]
    let work = tokio::task::spawn_blocking(work);
    work.await.map_err(|_| Lost::Broken)?
}
