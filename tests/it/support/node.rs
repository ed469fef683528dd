//! Clients that others wrote, run by node.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use super::{TestServer, missing, say_aloud};

/// A package under `tests/clients`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeClient {
    /// Its folder.
    pub(crate) folder: &'static str,
    /// What it drives.
    pub(crate) package: &'static str,
}

impl NodeClient {
    fn path(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients").join(self.folder)
    }

    /// Whether the client is there; installs it at the first call where it is not.
    fn installed(self) -> bool {
        static INSTALLED: LazyLock<Mutex<BTreeMap<&'static str, bool>>> = LazyLock::new(Mutex::default);
        *INSTALLED.lock().unwrap().entry(self.folder).or_insert_with(|| self.install())
    }

    fn install(self) -> bool {
        let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !there("node") || !there("npm") {
            return false;
        }
        if self.path().join("node_modules").join(self.package).is_dir() {
            return true;
        }
        let output = Command::new("npm").arg("ci").current_dir(self.path()).output().unwrap();
        if !output.status.success() {
            say_aloud(&format!("npm ci: {}", String::from_utf8_lossy(&output.stderr)));
        }
        output.status.success()
    }

    /// Runs a script against a server; it must end well, and leave the log whole.
    pub(crate) async fn run(self, server: &TestServer, script: &str, environment: &[(&str, &str)]) {
        if !tokio::task::spawn_blocking(move || self.installed()).await.unwrap() {
            missing(&format!("node or {} is not here, so its test did not run", self.package));
            return;
        }
        let mut command = Command::new("node");
        command.arg(script).current_dir(self.path()).env("EVIDENT_URL", server.url());
        command.envs(environment.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        server.assert_log_is_whole();
    }
}
