//! The `OpenAPI` document is the truth: a fuzzer reads it, asks for what it allows and for what it does not,
//! and finds no fault of the server, no status, no kind of content and no document that it does not name.

use crate::support::{TestServer, python_program, succeeds};

/// The same questions at every run.
const SEED: &str = "20260820";

/// So many for each operation, unless `EVIDENT_TEST_FUZZ_EXAMPLES` says otherwise.
const EXAMPLES: &str = "12";

/// What is looked at. That everything wrong is refused is not among it: unknown fields are ignored by the
/// protocol, and a number as a text may be an address.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

on_both_databases!(a_fuzzer_finds_nothing_that_the_document_does_not_say, async |database| {
    fuzz(&TestServer::on(&database).with_everything().start().await, "/openapi.json").await;
});

on_both_databases!(nor_that_the_document_of_better_auth_does_not_say, async |database| {
    let server = TestServer::on(&database)
        .with_everything()
        .with("EVIDENT_BETTER_AUTH_RATE_LIMIT_ENABLED", "false")
        .with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", "root@example.com")
        .with("EVIDENT_BETTER_AUTH_DELETE_USER_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_TEAMS_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_OWN_ROLES_ENABLED", "true")
        .start()
        .await;
    fuzz(&server, "/api/auth/open-api/generate-schema").await;
});

async fn fuzz(server: &TestServer, document: &str) {
    let Some(mut command) = python_program(server, "schemathesis").await else { return };
    let examples = std::env::var("EVIDENT_TEST_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    // What it keeps between runs goes with the test.
    let folder = command.get_current_dir().unwrap().canonicalize().unwrap();
    command
        .current_dir(server.scratch())
        .env("SCHEMATHESIS_HOOKS", "fuzz_hooks")
        .arg("--config-file")
        .arg(folder.join("fuzz.toml"))
        .args(["run", &format!("{}{document}", server.url())])
        .args(["--phases", "coverage,fuzzing", "--checks", CHECKS])
        .args(["--seed", SEED, "--max-examples", &examples])
        // A machine that is busy with other tests is no finding.
        .args(["--suppress-health-check", "all", "--request-timeout", "60"])
        // One at a time: the same order at every run, and Python 3.11 fails now and then where two threads parse
        // source at once ("AST constructor recursion depth mismatch").
        .args(["--workers", "1", "--continue-on-failure", "--no-shrink", "--no-color"]);
    succeeds(command).await;
    server.assert_log_is_whole();
}
