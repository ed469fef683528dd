//! The threads that hash.
//!
//! Hashing is pure CPU work of milliseconds, so it has a few threads of its own, and the threads that
//! serve stay free for cheap requests. The queue in front of them is bounded: what does not fit is
//! refused at once, which the API answers with 503 and `Retry-After`. Memory exists per worker, not per
//! request: however many people sign in at once, it is 19 MiB a worker (at the default cost), and
//! nothing at all once a worker has had no work for a while.

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;

use evident_domain::PasswordHash;
use evident_domain::ports::Entropy;

use super::argon::{self, Argon, SALT_BYTES};
use super::foreign::BigMemory;
use super::{Argon2Cost, HashFormat, Password};

/// How the pool is laid out.
#[derive(Debug, Clone)]
pub struct HasherSettings {
    /// The cost of new hashes.
    pub cost: Argon2Cost,
    /// How many threads; one a core is right.
    pub threads: NonZeroUsize,
    /// How many requests may wait.
    pub queue: usize,
    /// After how long without work a thread gives its memory back.
    pub idle: Duration,
}

impl HasherSettings {
    /// The default cost on a number of threads: 512 may wait, memory goes back after 10 seconds.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { cost: Argon2Cost::default(), threads, queue: 512, idle: Duration::from_secs(10) }
    }
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the right one.
    pub matches: bool,
    /// The password is right, and its hash is not of today's kind and cost: store a new one.
    pub needs_rehash: bool,
}

impl Verdict {
    const NO: Self = Self { matches: false, needs_rehash: false };
}

/// Why nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many wait already.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded,
    /// There was no memory for it, or the work broke off.
    #[error("the password could not be hashed")]
    Failed,
}

/// Why the pool does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The cost is outside what argon2 allows.
    #[error(
        "the argon2 cost is not allowed: memory of at least 8 KiB a lane, at least one pass and one lane"
    )]
    Cost,
    /// Two implementations disagree on this machine.
    #[error("the argon2 self-test failed: this machine computes wrong hashes")]
    SelfTest,
    /// The system gives no thread.
    #[error("no thread for password hashing could be started")]
    Thread,
}

/// Hashes and checks passwords. Clones share the same threads, which end with the last clone.
#[derive(Debug, Clone)]
pub struct Hasher {
    jobs: Sender<Job>,
    taken: Arc<AtomicU64>,
}

enum Job {
    Hash {
        password: Password,
        reply: oneshot::Sender<Result<PasswordHash, HashError>>,
    },
    Verify {
        password: Password,
        stored: Option<PasswordHash>,
        reply: oneshot::Sender<Result<Verdict, HashError>>,
    },
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the cost is not allowed, when the machine fails the self-test, or when there is no thread.
    pub fn start(settings: &HasherSettings, entropy: &Arc<dyn Entropy>) -> Result<Self, StartError> {
        argon::self_test()?;
        let (jobs, queue) = crossbeam_channel::bounded(settings.queue.max(1));
        let big = Arc::new(BigMemory::default());
        for number in 0..settings.threads.get() {
            let mut worker = Worker {
                argon: Argon::new(settings.cost)?,
                entropy: Arc::clone(entropy),
                big: Arc::clone(&big),
            };
            let (queue, idle) = (queue.clone(), settings.idle);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || worker.run(&queue, idle))
                .map_err(|_| StartError::Thread)?;
        }
        Ok(Self { jobs, taken: Arc::default() })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Hash { password, reply })?;
        answer.await.map_err(|_| HashError::Failed)?
    }

    /// Checks a password. `None` stands for an account that does not exist or has no password: it costs
    /// what a check of a hash of today's cost costs, and never matches.
    ///
    /// Hashes of other kinds (imported users) cost what they cost, until they are replaced at the next
    /// sign-in; who times sign-ins may tell such accounts from others until then.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Verify { password, stored, reply })?;
        answer.await.map_err(|_| HashError::Failed)?
    }

    /// How many passwords were taken to be hashed or checked so far. A request costs the same whether its
    /// account is there or not.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn send(&self, job: Job) -> Result<(), HashError> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Overloaded,
            TrySendError::Disconnected(_) => HashError::Failed,
        })
    }
}

struct Worker {
    argon: Argon,
    entropy: Arc<dyn Entropy>,
    big: Arc<BigMemory>,
}

impl Worker {
    fn run(&mut self, queue: &Receiver<Job>, idle: Duration) {
        loop {
            let job = match queue.recv_timeout(idle) {
                Ok(job) => job,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    self.argon.release();
                    match queue.recv() {
                        Ok(job) => job,
                        Err(_) => return,
                    }
                }
            };
            // A job that panics must not take the thread along; its sender sees the reply dropped.
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| self.work(job)));
        }
    }

    fn work(&mut self, job: Job) {
        match job {
            // Nobody waits any more where the client has hung up.
            Job::Hash { reply, .. } if reply.is_closed() => {}
            Job::Verify { reply, .. } if reply.is_closed() => {}
            Job::Hash { password, reply } => {
                let _ = reply.send(self.hash(&password));
            }
            Job::Verify { password, stored, reply } => {
                let _ = reply.send(self.verify(&password, stored));
            }
        }
    }

    fn hash(&mut self, password: &Password) -> Result<PasswordHash, HashError> {
        let mut salt = [0; SALT_BYTES];
        self.entropy.fill(&mut salt);
        self.argon.hash(password, salt)
    }

    fn verify(&mut self, password: &Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError> {
        let Some(Ok(format)) = stored.map(|hash| HashFormat::parse(&hash.0)) else {
            self.argon.pretend(password)?;
            return Ok(Verdict::NO);
        };
        let (matches, current) = match &format {
            HashFormat::Argon2(hash) => {
                (self.argon.matches(password, hash, &self.big)?, self.argon.is_current(hash))
            }
            HashFormat::Bcrypt(hash) => (hash.matches(password)?, false),
            HashFormat::Pbkdf2(hash) => (hash.matches(password), false),
            // These bring their own memory, so ours goes first.
            HashFormat::BetterAuthScrypt(hash) => {
                self.argon.release();
                (hash.matches(password)?, false)
            }
            HashFormat::FirebaseScrypt(hash) => {
                self.argon.release();
                (hash.matches(password, &self.big)?, false)
            }
        };
        Ok(Verdict { matches, needs_rehash: matches && !current })
    }
}
