//! The pool as its callers see it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evident_domain::PasswordHash;
use evident_domain::ports::Entropy;

use super::*;

/// Never twice the same, and always the same again.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

fn settings() -> HasherSettings {
    HasherSettings {
        cost: Argon2Cost { memory_kib: 256, passes: 1, lanes: 1 },
        threads: NonZeroUsize::MIN,
        queue: 16,
        idle: Duration::from_millis(5),
    }
}

fn hasher() -> Hasher {
    let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
    Hasher::start(&settings(), &entropy).unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

async fn check(hasher: &Hasher, text: &str, stored: &str) -> Verdict {
    hasher.verify(password(text), Some(PasswordHash(stored.to_owned()))).await.unwrap()
}

const WRONG: Verdict = Verdict { matches: false, needs_rehash: false };
const RIGHT: Verdict = Verdict { matches: true, needs_rehash: false };
const RIGHT_BUT_OLD: Verdict = Verdict { matches: true, needs_rehash: true };

#[tokio::test]
async fn a_hashed_password_is_known_again() {
    let hasher = hasher();
    let hash = hasher.hash(password("correct horse")).await.unwrap();
    assert_eq!(check(&hasher, "correct horse", &hash.0).await, RIGHT);
    assert_eq!(check(&hasher, "correct horsf", &hash.0).await, WRONG);
    assert_eq!(check(&hasher, "", &hash.0).await, WRONG);
}

#[tokio::test]
async fn the_same_password_never_hashes_to_the_same_text() {
    let hasher = hasher();
    let one = hasher.hash(password("correct horse")).await.unwrap();
    assert_ne!(one, hasher.hash(password("correct horse")).await.unwrap());
}

#[tokio::test]
async fn an_account_without_a_password_matches_nothing() {
    let hasher = hasher();
    for text in ["", "correct horse"] {
        assert_eq!(hasher.verify(password(text), None).await, Ok(WRONG));
    }
}

#[tokio::test]
async fn a_hash_of_unknown_format_matches_nothing() {
    let hasher = hasher();
    for stored in ["", "correct horse", "$1$abc$def", "$argon2id$v=19$m=1,t=1,p=1$x$y"] {
        assert_eq!(check(&hasher, "correct horse", stored).await, WRONG, "{stored}");
    }
}

#[tokio::test]
async fn memory_given_back_while_idle_is_taken_again() {
    let hasher = hasher();
    let hash = hasher.hash(password("correct horse")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(check(&hasher, "correct horse", &hash.0).await, RIGHT);
}

#[tokio::test]
async fn imported_hashes_are_verified_and_want_to_be_replaced() {
    let better_auth = "000102030405060708090a0b0c0d0e0f:03bd59c8edfe7b9ffc864e91059baf3878e99552213265cf93da1\
         d9168e044c8b9d13ee168fbc425e0761301ac51b48d9aaa1949d09e5b93ae9d639d0ed705d1";
    let firebase = "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,\
         sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==\
         $42xEC+ixf3L2lw==\
         $lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
    let hasher = hasher();
    for (text, stored) in [
        // crypt(3)
        ("correct horse", "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"),
        ("correct horse", "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"),
        ("correct horse", "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"),
        // libargon2
        (
            "correct horse",
            "$argon2i$v=19$m=256,t=3,p=2$c2FsdHNhbHRzYWx0c2FsdA$8+7lTPMzNN40+XErEa+F3d4KNt4wtWDpQRcXiRPxF2U",
        ),
        (
            "correct horse",
            "$argon2id$v=19$m=128,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$ofyf7QjZHscFlCNkh0O+Vg/Vm+hj+34sj7df/onlUWA",
        ),
        // Node's crypto.scryptSync, over the composed form of the password
        ("p\u{e4}ssw\u{f6}rd \u{2460}\u{fb01}", better_auth),
        ("pa\u{308}sswo\u{308}rd 1fi", better_auth),
        // Firebase's own example
        ("user1password", firebase),
        // Node's crypto.pbkdf2Sync, in PHC form and in passlib's
        (
            "correct horse",
            "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
        ),
        (
            "correct horse",
            "$pbkdf2-sha512$1000$/..../8$G.ZXXlp8zoM0Wh2crOMGNtBJGMohurGRpsFi4/bkNk8uhuN/cGNkX2sPARQsOdpZ/w5q\
             JwxZXo./oEsClNj0Fw",
        ),
    ] {
        assert_eq!(check(&hasher, text, stored).await, RIGHT_BUT_OLD, "{stored}");
        assert_eq!(check(&hasher, "wrong horse", stored).await, WRONG, "{stored}");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
    let slow = Argon2Cost { memory_kib: 8192, passes: 20, lanes: 1 };
    let hasher = Hasher::start(&HasherSettings { cost: slow, queue: 2, ..settings() }, &entropy).unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let hasher = hasher.clone();
        waiting.spawn(async move { hasher.verify(password("correct horse"), None).await });
    }
    let answers = waiting.join_all().await;
    assert!(answers.contains(&Err(HashError::Overloaded)));
    assert!(answers.contains(&Ok(WRONG)));
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_skipped() {
    let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
    let slow = Argon2Cost { memory_kib: 8192, passes: 20, lanes: 1 };
    let hasher = Hasher::start(&HasherSettings { cost: slow, ..settings() }, &entropy).unwrap();
    for _ in 0..12 {
        // Each is in the queue, and its caller is gone.
        let gone = tokio::time::timeout(Duration::ZERO, hasher.verify(password("x"), None)).await;
        assert!(gone.is_err());
    }
    let start = std::time::Instant::now();
    hasher.verify(password("x"), None).await.unwrap();
    let one = {
        let start = std::time::Instant::now();
        hasher.verify(password("x"), None).await.unwrap();
        start.elapsed()
    };
    assert!(start.elapsed() < one * 8, "{:?} {one:?}", start.elapsed());
}
