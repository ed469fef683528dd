//! What people do: sign up, sign in, stay signed in, look at themselves. Each client has a connection of
//! its own and asks again as soon as it is answered.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::http::Connection;

const PASSWORD: &str = "correct horse battery";

/// Somebody who signed up.
#[derive(Debug, Clone)]
struct Account {
    email: String,
    access_token: String,
    refresh_token: String,
}

/// Measures everything at one server.
pub(crate) async fn run(address: &str, seconds: u64) {
    let accounts = RefCell::new(Vec::new());
    sign_up(address, seconds, &accounts).await;
    let accounts = accounts.take();
    assert!(accounts.len() >= 16, "too few sign-ups to go on: {}", accounts.len());
    sign_in(address, seconds, &accounts).await;
    refresh(address, seconds, &accounts).await;
    get_user(address, seconds, &accounts).await;
    health(address, seconds).await;
}

async fn sign_up(address: &str, seconds: u64, accounts: &RefCell<Vec<Account>>) {
    let number = Cell::new(0_u64);
    measure("sign-up", 16, seconds, async |_, watch| {
        let mut connection = Connection::open(address).await;
        while watch.goes_on() {
            number.set(number.get() + 1);
            let email = format!("user{}@example.com", number.get());
            let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
            let answer = watch.time(connection.post("/signup", &body)).await;
            if answer.status == 200 {
                accounts.borrow_mut().push(account(email, &answer.json()));
            } else {
                watch.refused(&answer);
            }
        }
    })
    .await;
}

async fn sign_in(address: &str, seconds: u64, accounts: &[Account]) {
    measure("sign-in", 16, seconds, async |client, watch| {
        let mut connection = Connection::open(address).await;
        for account in accounts.iter().cycle().skip(client) {
            if !watch.goes_on() {
                break;
            }
            let body = format!("{{\"email\":\"{}\",\"password\":\"{PASSWORD}\"}}", account.email);
            let answer = watch.time(connection.post("/token?grant_type=password", &body)).await;
            if answer.status != 200 {
                watch.refused(&answer);
            }
        }
    })
    .await;
}

async fn refresh(address: &str, seconds: u64, accounts: &[Account]) {
    measure("refresh", 16, seconds, async |client, watch| {
        let mut connection = Connection::open(address).await;
        let mut token = accounts[client].refresh_token.clone();
        while watch.goes_on() {
            let body = format!("{{\"refresh_token\":\"{token}\"}}");
            let answer = watch.time(connection.post("/token?grant_type=refresh_token", &body)).await;
            if answer.status == 200 {
                answer.json()["refresh_token"].as_str().unwrap().clone_into(&mut token);
            } else {
                watch.refused(&answer);
            }
        }
    })
    .await;
}

async fn get_user(address: &str, seconds: u64, accounts: &[Account]) {
    measure("get-user", 32, seconds, async |client, watch| {
        let mut connection = Connection::open(address).await;
        for account in accounts.iter().cycle().skip(client) {
            if !watch.goes_on() {
                break;
            }
            let answer = watch.time(connection.get("/user", Some(&account.access_token))).await;
            if answer.status != 200 {
                watch.refused(&answer);
            }
        }
    })
    .await;
}

async fn health(address: &str, seconds: u64) {
    measure("health", 32, seconds, async |_, watch| {
        let mut connection = Connection::open(address).await;
        while watch.goes_on() {
            let answer = watch.time(connection.get("/health", None)).await;
            if answer.status != 200 {
                watch.refused(&answer);
            }
        }
    })
    .await;
}

fn account(email: String, session: &serde_json::Value) -> Account {
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    Account { email, access_token: text("access_token"), refresh_token: text("refresh_token") }
}

/// Times the requests of one kind.
#[derive(Debug)]
struct Watch {
    until: Instant,
    times: RefCell<Vec<Duration>>,
    refused: Cell<u64>,
}

impl Watch {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    async fn time<T>(&self, request: impl Future<Output = T>) -> T {
        let since = Instant::now();
        let answer = request.await;
        self.times.borrow_mut().push(since.elapsed());
        answer
    }

    fn refused(&self, answer: &crate::http::Answer) {
        if self.refused.replace(self.refused.get() + 1) == 0 {
            eprintln!("refused: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
    }
}

/// Runs clients side by side and prints their figures. Refused requests do not count.
async fn measure(name: &str, clients: usize, seconds: u64, client: impl AsyncFn(usize, &Watch)) {
    let since = Instant::now();
    let watch = Watch {
        until: since + Duration::from_secs(seconds),
        times: RefCell::new(Vec::new()),
        refused: Cell::new(0),
    };
    let mut running: FuturesUnordered<_> = (0..clients).map(|number| client(number, &watch)).collect();
    while running.next().await.is_some() {}
    let elapsed = since.elapsed().as_secs_f64();
    let mut times = watch.times.take();
    times.sort_unstable();
    let refused = watch.refused.get();
    let done = u32::try_from(times.len() as u64 - refused).unwrap();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!("{name} {:.0} {:.2} {:.2}", f64::from(done) / elapsed, at(50), at(99));
    if refused > 0 {
        eprintln!("{name}: {refused} requests were refused");
    }
}
