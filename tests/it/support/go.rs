//! A verifier of the log that is made of what others wrote: the packages of Go's checksum database.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{missing, say_aloud};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/tlog")
}

/// The program; built at the first call.
fn built() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tlog-verifier");
            let mut build = Command::new("go");
            // The packages' sums stand in go.sum, and no other toolchain is fetched.
            build.args(["build", "-o"]).arg(&program).arg(".").current_dir(folder());
            let output = build.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-buildvcs=false").output().ok()?;
            if !output.status.success() {
                say_aloud(&format!("go build: {}", String::from_utf8_lossy(&output.stderr)));
            }
            output.status.success().then_some(program)
        })
        .as_deref()
}

/// Runs the verifier: what it prints, or what it complains of. `None`, said aloud, where there is no Go.
pub(crate) async fn tlog_verifier(arguments: &[&str]) -> Option<Result<String, String>> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || {
        let output = Command::new(built()?).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Some(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    };
    let outcome = tokio::task::spawn_blocking(run).await.unwrap();
    if outcome.is_none() {
        missing("Go or what the log's verifier needs is not here, so its test did not run");
    }
    outcome
}
