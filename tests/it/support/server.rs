//! A real `evident serve`: its own data folder, its own port, a plain environment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use super::callers::{Caller, Person};
use super::database::TestDatabase;
use super::reply::Reply;
use super::watchdog;
use super::{JWT_SECRET, PASSWORD};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_evident");

/// How long a server may take until it is healthy: debug builds on busy machines are slow.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What stands before the address in the line that a healthy server prints.
const READY: &str = "evident: ready on ";

/// What every server of the tests is told, unless a test says otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("EVIDENT_SERVER_PORT", "0"),
    ("API_EXTERNAL_URL", "http://localhost:9999"),
    ("GOTRUE_SITE_URL", "http://localhost:3000"),
    ("GOTRUE_URI_ALLOW_LIST", "http://localhost:3000/**"),
    ("GOTRUE_JWT_SECRET", JWT_SECRET),
    ("GOTRUE_JWT_AUD", "authenticated"),
    ("GOTRUE_JWT_DEFAULT_GROUP_NAME", "authenticated"),
    ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
    ("GOTRUE_EXTERNAL_PHONE_ENABLED", "true"),
    ("GOTRUE_SMTP_ADMIN_EMAIL", "admin@example.com"),
    // The tests come from one address and are many.
    ("GOTRUE_RATE_LIMIT_OTP", "1000000000"),
    ("GOTRUE_RATE_LIMIT_VERIFY", "1000000000"),
    ("GOTRUE_RATE_LIMIT_TOKEN_REFRESH", "1000000000"),
    ("GOTRUE_RATE_LIMIT_EMAIL_SENT", "1000000"),
    ("GOTRUE_RATE_LIMIT_SMS_SENT", "1000000"),
    ("EVIDENT_BETTER_AUTH_RATE_LIMIT_ENABLED", "false"),
    // What a password hash costs is not what these tests are about.
    ("EVIDENT_PASSWORD_ARGON2_MEMORY_KIB", "64"),
    ("EVIDENT_PASSWORD_ARGON2_ITERATIONS", "1"),
];

/// What is switched on where everything is.
const EVERYTHING: &[(&str, &str)] = &[
    ("GOTRUE_SMS_AUTOCONFIRM", "true"),
    ("GOTRUE_SMTP_MAX_FREQUENCY", "1ms"),
    ("GOTRUE_SMS_MAX_FREQUENCY", "1ms"),
    ("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true"),
    ("GOTRUE_EXTERNAL_GITHUB_ENABLED", "true"),
    ("GOTRUE_EXTERNAL_GITHUB_CLIENT_ID", "github-client"),
    ("GOTRUE_EXTERNAL_GITHUB_SECRET", "github-secret"),
    ("GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI", "http://localhost:9999/callback"),
    ("GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED", "true"),
    ("GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED", "true"),
    ("GOTRUE_SECURITY_MANUAL_LINKING_ENABLED", "true"),
    ("GOTRUE_MFA_PHONE_ENROLL_ENABLED", "true"),
    ("GOTRUE_MFA_PHONE_VERIFY_ENABLED", "true"),
    ("GOTRUE_MFA_PHONE_MAX_FREQUENCY", "1ms"),
    ("GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED", "true"),
    ("GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED", "true"),
    ("GOTRUE_PASSKEY_ENABLED", "true"),
    ("GOTRUE_WEBAUTHN_RP_ID", "localhost"),
    ("GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", "Evident"),
    ("GOTRUE_WEBAUTHN_RP_ORIGINS", "http://localhost:3000"),
    ("GOTRUE_OAUTH_SERVER_ENABLED", "true"),
    ("GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION", "true"),
    ("GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH", "/oauth/consent"),
    ("GOTRUE_EXPERIMENTAL_SCIM_ENABLED", "true"),
    ("GOTRUE_RATE_LIMIT_ANONYMOUS_USERS", "1000000"),
    ("GOTRUE_RATE_LIMIT_PASSKEY", "1000000"),
    ("GOTRUE_RATE_LIMIT_WEB3", "1000000"),
    ("GOTRUE_RATE_LIMIT_SSO", "1000000"),
    ("GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER", "1000000"),
    ("GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY", "1000000"),
];

/// How a server is to be started.
#[derive(Debug)]
pub(crate) struct ServerSetup {
    database: TestDatabase,
    environment: BTreeMap<String, String>,
}

impl ServerSetup {
    /// With a setting more, or another value of one.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without a setting that the tests' servers have by default.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// With everything switched on that can be.
    pub(crate) fn with_everything(self) -> Self {
        EVERYTHING.iter().fold(self, |setup, (name, value)| setup.with(name, value))
    }

    /// With accounts that have to show their address first, by a mail that holds the code beside the link.
    pub(crate) fn with_confirmation(self) -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
        self.with("GOTRUE_MAILER_AUTOCONFIRM", "false").with("GOTRUE_MAILER_TEMPLATES_CONFIRMATION", template)
    }

    /// The same for all mails, which may follow each other at once.
    pub(crate) fn with_mails(self) -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/templates/code-and-link.html");
        self.with_confirmation()
            .with("GOTRUE_MAILER_TEMPLATES_RECOVERY", template)
            .with("GOTRUE_MAILER_TEMPLATES_MAGIC_LINK", template)
            .with("GOTRUE_MAILER_TEMPLATES_INVITE", template)
            .with("GOTRUE_MAILER_TEMPLATES_EMAIL_CHANGE", template)
            .with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms")
            .with("GOTRUE_SMS_MAX_FREQUENCY", "1ms")
    }

    /// Starts it and waits until it is healthy.
    pub(crate) async fn start(self) -> TestServer {
        let mut server = self.prepare();
        server.start().await;
        server
    }

    /// Makes the data folder and the environment, and starts nothing.
    pub(crate) fn prepare(mut self) -> TestServer {
        let folder = tempfile::Builder::new().prefix("evident-it-").tempdir().unwrap();
        let data = folder.path().join("data");
        self.environment.insert("EVIDENT_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned());
        if let Some(url) = self.database.url() {
            self.environment.insert("DATABASE_URL".to_owned(), url.to_owned());
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        TestServer {
            database: self.database,
            environment: self.environment,
            folder,
            data,
            http,
            running: None,
        }
    }
}

/// A process and where it answers.
#[derive(Debug)]
struct Running {
    process: Child,
    url: String,
}

/// A server of one test. It is ended when the value goes.
#[derive(Debug)]
pub(crate) struct TestServer {
    database: TestDatabase,
    environment: BTreeMap<String, String>,
    folder: TempDir,
    data: PathBuf,
    http: reqwest::Client,
    running: Option<Running>,
}

impl TestServer {
    /// A server to be set up.
    pub(crate) fn on(database: &TestDatabase) -> ServerSetup {
        let environment = DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ServerSetup { database: database.clone(), environment: environment.collect() }
    }

    /// A server with the tests' defaults.
    pub(crate) async fn started(database: &TestDatabase) -> Self {
        Self::on(database).start().await
    }

    /// Starts the process and waits for the line that says it is healthy.
    pub(crate) async fn start(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut process =
            self.in_environment(PROGRAM).arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        watchdog::server_started(process.id());
        let output = process.stdout.take().unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix(READY) {
                    tell.send(url.trim().to_owned()).unwrap_or_default();
                }
            }
        });
        let ready = tokio::task::spawn_blocking(move || told.recv_timeout(START_LIMIT)).await.unwrap();
        if let Ok(url) = ready {
            self.running = Some(Running { process, url });
        } else {
            process.kill().unwrap_or_default();
            let status = process.wait().unwrap();
            watchdog::server_ended(process.id());
            panic!("the server did not become healthy ({status}); it said:\n{}", self.log_text());
        }
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill_9(&mut self) {
        let mut running = self.running.take().unwrap();
        running.process.kill().unwrap();
        running.process.wait().unwrap();
        watchdog::server_ended(running.process.id());
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().unwrap();
        let pid = running.process.id();
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
        assert!(sent.success());
        let since = Instant::now();
        loop {
            if let Some(status) = running.process.try_wait().unwrap() {
                watchdog::server_ended(pid);
                return status;
            }
            if since.elapsed() > Duration::from_secs(20) {
                running.process.kill().unwrap();
                running.process.wait().unwrap();
                watchdog::server_ended(pid);
                panic!("the server did not end within 20 s of SIGTERM; it said:\n{}", self.log_text());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Another server on the same database, with the same keys: a second node.
    pub(crate) async fn second_node(&self) -> Self {
        self.node_on(&self.database).await
    }

    /// A server with the same keys on another database.
    pub(crate) async fn node_on(&self, database: &TestDatabase) -> Self {
        let setup = ServerSetup { database: database.clone(), environment: self.environment.clone() };
        let key = self.master_key();
        setup.with("EVIDENT_MASTER_KEY_FILE", key.to_str().unwrap()).start().await
    }

    /// Changes a setting for the next start and for commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Forgets a setting for the next start and for commands.
    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The file of the master key, made on first start.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.data.join("master.key")
    }

    /// A folder that goes with the test.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// The database.
    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// What the server wrote to its standard error.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.running.as_ref().expect("the server does not run").url
    }

    /// The HTTP client, for work that goes on while the server is changed.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A request of any form.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    /// Sends a request and reads the answer whole.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        match request.send().await {
            Ok(response) => Reply::read(response).await,
            Err(error) => panic!("no answer: {error:?}; the server said:\n{}", self.log_text()),
        }
    }

    async fn call(&self, caller: &impl Caller, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(token) = caller.bearer() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// GET
    pub(crate) async fn get(&self, caller: &impl Caller, path: &str) -> Reply {
        self.call(caller, Method::GET, path, None).await
    }

    /// POST with a JSON body
    pub(crate) async fn post(&self, caller: &impl Caller, path: &str, body: Value) -> Reply {
        self.call(caller, Method::POST, path, Some(body)).await
    }

    /// POST without a body
    pub(crate) async fn post_empty(&self, caller: &impl Caller, path: &str) -> Reply {
        self.call(caller, Method::POST, path, None).await
    }

    /// PUT with a JSON body
    pub(crate) async fn put(&self, caller: &impl Caller, path: &str, body: Value) -> Reply {
        self.call(caller, Method::PUT, path, Some(body)).await
    }

    /// DELETE, with a JSON body where there is one
    pub(crate) async fn delete(&self, caller: &impl Caller, path: &str, body: Option<Value>) -> Reply {
        self.call(caller, Method::DELETE, path, body).await
    }

    /// Signs a person up who is signed in at once (autoconfirm).
    pub(crate) async fn sign_up(&self, email: &str) -> Person {
        let body = serde_json::json!({ "email": email, "password": PASSWORD });
        Person::of_session(&self.post(&super::Anonymous, "/signup", body).await.ok())
    }

    /// Signs a person in by password.
    pub(crate) async fn sign_in(&self, email: &str) -> Person {
        Person::of_session(&self.try_sign_in(email, PASSWORD).await.ok())
    }

    /// Asks for a session by password.
    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> Reply {
        let body = serde_json::json!({ "email": email, "password": password });
        self.post(&super::Anonymous, "/token?grant_type=password", body).await
    }

    /// Asks for the next tokens.
    pub(crate) async fn try_refresh(&self, refresh_token: &str) -> Reply {
        let body = serde_json::json!({ "refresh_token": refresh_token });
        self.post(&super::Anonymous, "/token?grant_type=refresh_token", body).await
    }

    /// Runs `evident serve` where it should refuse to start.
    pub(crate) fn refused_start(&self) -> CommandOutput {
        let mut command = self.in_environment("timeout");
        command.args(["--kill-after=5", "10", PROGRAM, "serve"]);
        CommandOutput::of(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Runs `evident …` in the server's environment.
    pub(crate) fn evident(&self, arguments: &[&str]) -> CommandOutput {
        // A command that should have ended must not hold up the tests for ever.
        let mut command = self.in_environment("timeout");
        command.args(["--kill-after=5", "60", PROGRAM]).args(arguments);
        CommandOutput::of(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Begins to run `evident …` in the server's environment; whoever asked looks after it.
    pub(crate) fn begin_evident(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.in_environment(PROGRAM);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }

    fn in_environment(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder.path()).envs(&self.environment);
        for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.process.kill().unwrap_or_default();
            running.process.wait().map(drop).unwrap_or_default();
            watchdog::server_ended(running.process.id());
        }
        if std::thread::panicking() {
            super::say_aloud(&format!("the server of the failed test said:\n{}", self.log_text()));
        }
    }
}

/// What a command printed.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl CommandOutput {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The standard output of a command that went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "out: {}\nerr: {}", self.out, self.err);
        self.out
    }

    /// The one line that a command prints which refuses to work with its settings; none where it did
    /// anything else.
    pub(crate) fn one_line_of_refusal(&self) -> Option<&str> {
        let only = self.err.lines().next().filter(|_| self.err.lines().count() == 1);
        only.filter(|_| self.code == Some(2) && self.out.is_empty())
    }
}
