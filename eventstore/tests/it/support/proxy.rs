//! A way to PostgreSQL that breaks when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::Place;

const WHOLE: u8 = 0;
const ANSWER_LOST: u8 = 1;
const ANSWER_LOST_AND_CLOSED: u8 = 2;
const CLOSED: u8 = 3;

/// A port in front of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    state: Arc<AtomicU8>,
    port: u16,
}

impl Proxy {
    /// Opens one in front of a place's server.
    pub(crate) async fn before(place: &Place) -> Self {
        let target: PgConnectOptions = place.url().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { state: Arc::default(), port: listener.local_addr().unwrap().port() };
        let state = proxy.state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if state.load(Ordering::SeqCst) == CLOSED {
                    continue;
                }
                let (state, target) = (state.clone(), target.clone());
                tokio::spawn(async move {
                    if let Some(folder) = target.get_socket() {
                        let path = folder.join(format!(".s.PGSQL.{}", target.get_port()));
                        relay(client, UnixStream::connect(path).await.unwrap(), &state).await;
                    } else {
                        let server =
                            TcpStream::connect((target.get_host(), target.get_port())).await.unwrap();
                        relay(client, server, &state).await;
                    }
                });
            }
        });
        proxy
    }

    /// The same database, by way of the proxy.
    pub(crate) fn place(&self, place: &Place) -> Place {
        let Place::Postgres(options) = place else { panic!("a proxy is for PostgreSQL") };
        let target: PgConnectOptions = options.url.parse().unwrap();
        let (user, database) = (target.get_username(), target.get_database().unwrap());
        Place::at(format!("postgres://{user}@127.0.0.1:{}/{database}?sslmode=disable", self.port))
    }

    /// The next commit reaches the server; its answer does not come back.
    pub(crate) fn lose_the_next_answer(&self) {
        self.state.store(ANSWER_LOST, Ordering::SeqCst);
    }

    /// As [`Proxy::lose_the_next_answer`], and then the server is out of reach.
    pub(crate) fn lose_the_next_answer_and_close(&self) {
        self.state.store(ANSWER_LOST_AND_CLOSED, Ordering::SeqCst);
    }

    /// Whether there was nothing yet whose answer could be lost.
    pub(crate) fn still_waits(&self) -> bool {
        matches!(self.state.load(Ordering::SeqCst), ANSWER_LOST | ANSWER_LOST_AND_CLOSED)
    }

    /// The server is there again.
    pub(crate) fn reopen(&self) {
        self.state.store(WHOLE, Ordering::SeqCst);
    }
}

async fn relay(client: TcpStream, server: impl AsyncRead + AsyncWrite, state: &AtomicU8) {
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = tokio::io::split(server);
    let asked = async {
        let mut buffer = vec![0; 1 << 16];
        let mut commits = Commits::default();
        while let Ok(count @ 1..) = client_reads.read(&mut buffer).await {
            let part = &buffer[..count];
            let commits = commits.are_asked_for(part);
            let cut = commits && matches!(state.load(Ordering::SeqCst), ANSWER_LOST | ANSWER_LOST_AND_CLOSED);
            if server_writes.write_all(part).await.is_err() {
                return;
            }
            if cut {
                let closed = state.load(Ordering::SeqCst) == ANSWER_LOST_AND_CLOSED;
                state.store(if closed { CLOSED } else { WHOLE }, Ordering::SeqCst);
                return;
            }
        }
    };
    let answered = tokio::io::copy(&mut server_reads, &mut client_writes);
    // Whichever ends first ends both: the other half is dropped with what it holds.
    tokio::select! {
        biased;
        () = asked => {}
        _ = answered => {}
    }
}

/// Sees what asks for a commit: the word itself, or outside of a transaction a statement that moves the
/// head, which commits as it ends.
#[derive(Debug, Default)]
struct Commits {
    in_transaction: bool,
    /// The names of statements that move the head, as they stand in a Bind message.
    moves: Vec<Vec<u8>>,
}

impl Commits {
    fn are_asked_for(&mut self, part: &[u8]) -> bool {
        let has = |what: &[u8]| part.windows(what.len()).any(|window| window == what);
        self.in_transaction |= has(b"begin; select");
        // A Parse message: its type, its length, the statement's name, the statement.
        if part[0] == b'P' && has(b"update log_head set position") {
            self.moves.extend(part[5..].split_inclusive(|byte| *byte == 0).next().map(<[u8]>::to_vec));
        }
        let moves = part[0] == b'B' && self.moves.iter().any(|name| part[6..].starts_with(name));
        let word = has(b"COMMIT\0");
        let asked = word || (moves && !self.in_transaction);
        self.in_transaction &= !(word || has(b"ROLLBACK\0"));
        asked
    }
}
