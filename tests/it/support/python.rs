//! The official Python client and the fuzzer, in an environment of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::{Caller, ServiceRole, TestServer, missing, say_aloud};

/// The folder with the scripts and the locked requirements.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/python")
}

/// Whether everything is there; makes the environment where it is not, or is of other requirements.
fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let wanted = std::fs::read_to_string(folder().join("requirements.txt")).unwrap();
        let note = folder().join(".venv/requirements.txt");
        if std::fs::read_to_string(&note).is_ok_and(|there| there == wanted) {
            return true;
        }
        let run = |program: &Path, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).current_dir(folder()).output();
            let well = output.as_ref().is_ok_and(|output| output.status.success());
            if let Ok(Output { stderr, .. }) = output
                && !well
            {
                say_aloud(&format!("{}: {}", program.display(), String::from_utf8_lossy(&stderr)));
            }
            well
        };
        let made = run(Path::new("python3"), &["-m", "venv", "--clear", ".venv"]);
        let locked = ["install", "--quiet", "--require-hashes", "--no-deps", "-r", "requirements.txt"];
        made && run(&folder().join(".venv/bin/pip"), &locked) && std::fs::write(&note, wanted).is_ok()
    })
}

/// A program of the environment, told where the server is; `None`, said aloud, where there is no Python.
pub(crate) async fn python_program(server: &TestServer, program: &str) -> Option<Command> {
    if !tokio::task::spawn_blocking(installed).await.unwrap() {
        missing("Python or what its clients need is not here, so their test did not run");
        return None;
    }
    let mut command = Command::new(folder().join(".venv/bin").join(program));
    command
        .current_dir(folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", folder().canonicalize().unwrap())
        .env("EVIDENT_URL", server.url())
        .env("EVIDENT_DATA", server.data())
        .env("EVIDENT_SERVICE_ROLE_KEY", ServiceRole.bearer().unwrap());
    Some(command)
}

/// Runs it to its end; what it printed is shown where it failed.
pub(crate) async fn succeeds(mut command: Command) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    say_aloud_when_asked(&text(&output.stdout));
}

/// With `EVIDENT_TEST_VERBOSE` also what went well is shown.
fn say_aloud_when_asked(text: &str) {
    if std::env::var_os("EVIDENT_TEST_VERBOSE").is_some() {
        say_aloud(text);
    }
}
