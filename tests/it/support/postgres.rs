//! A private PostgreSQL cluster for one run of the tests: made from the installed programs, reached
//! through a socket in a folder of its own, gone when the run ends.

use std::fmt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::watchdog::Watchdog;

/// What the cluster can do without, so that tests are quick: none of them cuts the power.
const SETTINGS: &str = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n\
    max_wal_size = '64MB'\nmin_wal_size = '32MB'\n\
    listen_addresses = ''\nmax_connections = 400\nshared_buffers = '64MB'\nlog_min_messages = warning\n";

/// Bytes that a cluster may need in memory: a run of the store's tests leaves some hundred databases until its end.
const ROOM: u64 = 4 << 30;

/// Where databases can be made.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// URL of a database, with `{}` in place of its name.
    url: String,
    /// The folder of `psql` and `pg_dump`, where known.
    pub(crate) programs: Option<PathBuf>,
    watchdog: Option<Watchdog>,
}

impl Cluster {
    /// The cluster of this run: the one that `EVIDENT_TEST_POSTGRES_URL` names, or a private one, made at
    /// the first call. `None` where neither is to be had.
    pub(crate) fn of_this_run() -> Option<&'static Self> {
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        CLUSTER
            .get_or_init(|| match Self::given() {
                Some(given) => Some(given),
                None => match Self::private() {
                    Ok(cluster) => Some(cluster),
                    Err(reason) => {
                        super::say_aloud(&format!("no PostgreSQL for the tests: {reason}"));
                        None
                    }
                },
            })
            .as_ref()
    }

    /// Whether it goes with this run, and all that is in it.
    pub(crate) fn is_private(&self) -> bool {
        self.watchdog.is_some()
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url.replace("{}", database)
    }

    fn given() -> Option<Self> {
        let given = std::env::var("EVIDENT_TEST_POSTGRES_URL").ok()?;
        let (base, query) = given.split_once('?').map_or((given.as_str(), None), |(b, q)| (b, Some(q)));
        let server = base.split_once("://").map_or(base, |(_, rest)| rest);
        let server = server.split_once('/').map_or(server, |(server, _)| server);
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Some(Self {
            url: format!("postgres://{server}/{{}}{query}"),
            programs: find_programs(),
            watchdog: None,
        })
    }

    fn private() -> Result<Self, Failure> {
        let programs = find_programs().ok_or(Failure::NotInstalled)?;
        let owner = Owner::find()?;
        let folder = tempfile::Builder::new()
            .prefix("evident-pg-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(home())?
            .keep();
        owner.give(&folder)?;
        let data = folder.join("data");
        let pg_ctl = programs.join("pg_ctl");
        // From here on the folder and whatever runs in it go when the process does.
        let stop = format!(
            "{} {} -D {} -m immediate stop; rm -rf {}",
            owner.prefix().join(" "),
            pg_ctl.display(),
            data.display(),
            folder.display()
        );
        let watchdog = Watchdog::start(&["sh", "-c", &stop]);

        owner.run(
            &programs.join("initdb"),
            &["-D", text(&data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"],
        )?;
        let settings = format!("{SETTINGS}unix_socket_directories = '{}'\n", folder.display());
        append(&data.join("postgresql.conf"), &settings)?;
        let log = folder.join("log");
        owner.run(&pg_ctl, &["-D", text(&data), "-l", text(&log), "-w", "-t", "60", "start"])?;
        Ok(Self {
            url: format!("postgres://postgres@localhost/{{}}?host={}", folder.display()),
            programs: Some(programs),
            watchdog: Some(watchdog),
        })
    }
}

/// Why there is no private cluster.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("its programs (initdb, pg_ctl) are not installed")]
    NotInstalled,
    #[error("PostgreSQL refuses to run as root, and there is no other account to run it as")]
    NoAccount,
    #[error("{program} said: {said}")]
    Program { program: PathBuf, said: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Who runs the cluster: PostgreSQL refuses root.
struct Owner {
    /// Account, user and group id; none when we are somebody else than root already.
    account: Option<(String, u32, u32)>,
}

impl Owner {
    fn find() -> Result<Self, Failure> {
        // The owner of our own entry in /proc is who we are.
        if std::fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(Self { account: None });
        }
        let accounts = std::fs::read_to_string("/etc/passwd")?;
        let account = ["postgres", "nobody"].into_iter().find_map(|name| {
            let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut ids = line.split(':').skip(2).map(str::parse);
            Some((name.to_owned(), ids.next()?.ok()?, ids.next()?.ok()?))
        });
        account.map(|account| Self { account: Some(account) }).ok_or(Failure::NoAccount)
    }

    fn give(&self, folder: &Path) -> std::io::Result<()> {
        match &self.account {
            Some((_, user, group)) => chown(folder, Some(*user), Some(*group)),
            None => Ok(()),
        }
    }

    /// The words in front of a command that make it the account's.
    fn prefix(&self) -> Vec<String> {
        match &self.account {
            Some((_, user, group)) => vec![
                "setpriv".to_owned(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ],
            None => vec!["env".to_owned()],
        }
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Result<(), Failure> {
        let prefix = self.prefix();
        let output = Command::new(&prefix[0])
            .args(&prefix[1..])
            .arg(program)
            .args(arguments)
            .current_dir("/")
            .env("LC_ALL", "C")
            // A server that inherited our pipes would keep them open.
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::Program { program: program.to_owned(), said })
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("account", &self.account).finish()
    }
}

/// Where the cluster lies: in memory where there is room for it. It makes and removes hundreds of files for each
/// test, which takes file systems on a disk more time than all else that a test does.
fn home() -> PathBuf {
    let is_roomy = |folder: &Path| {
        let told = Command::new("df").args(["--output=fstype,avail", "--block-size=1"]).arg(folder).output();
        let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default();
        let Some((kind, bytes)) = told.lines().nth(1).and_then(|line| line.trim().split_once(' ')) else {
            return false;
        };
        kind == "tmpfs" && bytes.trim().parse::<u64>().is_ok_and(|bytes| bytes >= ROOM)
    };
    let memory = PathBuf::from("/dev/shm");
    if is_roomy(&memory) { memory } else { std::env::temp_dir() }
}

/// The folder with `initdb`: of the newest version under `/usr/lib/postgresql`, or on the `PATH`.
fn find_programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let packaged = versions.into_iter().rev().map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged.chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
}

fn append(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    std::fs::OpenOptions::new().append(true).open(file)?.write_all(text.as_bytes())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
