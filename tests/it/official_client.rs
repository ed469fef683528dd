//! The official clients for JavaScript and Python, unmodified, against a running server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{
    Caller, ES256_KEY, ServiceRole, TestServer, key_set, missing, python_program, say_aloud, succeeds,
};

/// The folder with the script and the client's lock file.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/js")
}

/// Whether the client is there; installs it at the first call where it is not.
fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !there("node") || !there("npm") {
            return false;
        }
        if folder().join("node_modules/@supabase/auth-js").is_dir() {
            return true;
        }
        let output = Command::new("npm").arg("ci").current_dir(folder()).output().unwrap();
        if !output.status.success() {
            say_aloud(&format!("npm ci: {}", String::from_utf8_lossy(&output.stderr)));
        }
        output.status.success()
    })
}

async fn drive(server: &TestServer) {
    if !tokio::task::spawn_blocking(installed).await.unwrap() {
        missing("node or the official client is not here, so its test did not run");
        return;
    }
    let mut command = Command::new("node");
    command
        .arg("drive.mjs")
        .current_dir(folder())
        .env("EVIDENT_URL", server.url())
        .env("EVIDENT_DATA", server.data())
        .env("EVIDENT_SERVICE_ROLE_KEY", ServiceRole.bearer().unwrap());
    succeeds(command).await;
    server.assert_log_is_whole();
}

on_both_databases!(official_client_js, async |database| {
    drive(&TestServer::on(&database).with_everything().start().await).await;
});

on_both_databases!(official_client_js_checks_asymmetric_tokens_itself, async |database| {
    let setup = TestServer::on(&database).with_everything();
    drive(&setup.with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[])).start().await).await;
});

async fn drive_python(server: &TestServer) {
    let Some(mut command) = python_program(server, "python").await else { return };
    command.arg("drive.py");
    succeeds(command).await;
    server.assert_log_is_whole();
}

on_both_databases!(official_client_python, async |database| {
    drive_python(&TestServer::on(&database).with_everything().start().await).await;
});

on_both_databases!(official_client_python_checks_asymmetric_tokens_itself, async |database| {
    let setup = TestServer::on(&database).with_everything();
    drive_python(&setup.with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[])).start().await).await;
});
