//! Ends what the tests started, however the test process ends: by return, by panic or by a signal.
//!
//! A shell waits on a pipe whose other end only this process holds. When the process is gone the pipe
//! closes, and the shell ends the servers that are still noted and runs its last command.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

/// `up PID` and `down PID` keep the list; the end of the input ends the list. Signals that reach the whole
/// process group (Ctrl-C) must not end the shell before its work is done.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
alive=" "
while read -r word pid; do
    case "$word" in
        up) alive="$alive$pid " ;;
        down) alive="${alive%% "$pid" *} ${alive#* "$pid" }" ;;
    esac
done
for pid in $alive; do kill -KILL "$pid"; done
"$@"
"#;

static SERVERS: Mutex<Option<Watchdog>> = Mutex::new(None);

/// A shell that outlives this process for a moment.
#[derive(Debug)]
pub(super) struct Watchdog {
    input: ChildStdin,
    _shell: Child,
}

impl Watchdog {
    /// Starts one that runs `last` (a program and its arguments) when this process is gone.
    pub(super) fn start(last: &[&str]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .args(last)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = shell.stdin.take().unwrap();
        Self { input, _shell: shell }
    }

    fn note(&mut self, word: &str, pid: u32) {
        // A watchdog that is gone is no reason to fail a test.
        writeln!(self.input, "{word} {pid}").unwrap_or_default();
    }
}

/// Notes a server that runs.
pub(super) fn server_started(pid: u32) {
    let mut servers = SERVERS.lock().unwrap();
    servers.get_or_insert_with(|| Watchdog::start(&["true"])).note("up", pid);
}

/// Notes a server that was ended.
pub(super) fn server_ended(pid: u32) {
    if let Some(watchdog) = SERVERS.lock().unwrap().as_mut() {
        watchdog.note("down", pid);
    }
}
