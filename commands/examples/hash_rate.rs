//! Measures password hashing: the bare `argon2` crate, and the pool that the server uses.
//!
//!     cargo run --release -p evident-commands --example hash_rate [THREADS]
//!
//! Both hash at the default cost on the same number of threads (one a core unless told otherwise), one
//! after the other. The pool is asked for more at once than it has threads, as a burst of sign-ins does.

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use evident_commands::password::{Hasher, HasherSettings, Password};
use evident_domain::ports::Entropy;

/// How long each way is measured.
const SPAN: Duration = Duration::from_secs(5);
/// How many sign-ins are under way at once.
const AT_ONCE: usize = 64;

#[derive(Debug)]
struct System;

impl Entropy for System {
    fn fill(&self, buffer: &mut [u8]) {
        // A measurement needs no good salts.
        let _ = getrandom::fill(buffer);
    }
}

/// Hashes a second of the `argon2` crate as it is usually called: new memory for every hash.
fn bare(threads: usize) -> f64 {
    let done = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let argon = argon2::Argon2::default();
                let mut tag = [0; 32];
                while start.elapsed() < SPAN {
                    if argon.hash_password_into(b"correct horse", b"battery staple!!", &mut tag).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    rate(&done, start)
}

/// Hashes a second of the pool.
async fn pooled(hasher: &Hasher) -> f64 {
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (hasher, done) = (hasher.clone(), Arc::clone(&done));
        clients.spawn(async move {
            while start.elapsed() < SPAN {
                let Ok(password) = Password::parse("correct horse".to_owned()) else { return };
                if hasher.verify(password, None).await.is_ok() {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    clients.join_all().await;
    rate(&done, start)
}

#[expect(clippy::cast_precision_loss, reason = "a count of seconds' work is small")]
fn rate(done: &AtomicU64, start: Instant) -> f64 {
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// Resident memory in MiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib / 1024)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let threads = match std::env::args().nth(1) {
        Some(threads) => threads.parse()?,
        None => std::thread::available_parallelism()?,
    };
    let mut settings = HasherSettings::new(threads);
    settings.idle = Duration::from_millis(200);
    let entropy: Arc<dyn Entropy> = Arc::new(System);
    let hasher = Hasher::start(&settings, &entropy)?;

    println!(
        "argon2id m=19456 KiB, t=2, p=1, {threads} threads, code for {:?}",
        argon2_rust::detected_backend()
    );
    // The pool comes first, so that its memory is seen alone.
    let before = resident();
    let pool = pooled(&hasher).await;
    let busy = resident();
    tokio::time::sleep(settings.idle * 3).await;
    let idle = resident();
    let bare = bare(threads.get());
    println!("bare argon2 crate: {bare:7.1} hashes/s, {:6.1} a thread", per_thread(bare, threads));
    println!("pool:              {pool:7.1} hashes/s, {:6.1} a thread", per_thread(pool, threads));
    println!("ratio:             {:7.2}", pool / bare);
    println!(
        "resident MiB:      {} before the pool works, {} with {AT_ONCE} at once, {} when idle again",
        shown(before),
        shown(busy),
        shown(idle)
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "threads are few")]
fn per_thread(rate: f64, threads: NonZeroUsize) -> f64 {
    rate / threads.get() as f64
}

fn shown(mib: Option<u64>) -> String {
    mib.map_or_else(|| "?".to_owned(), |mib| mib.to_string())
}
