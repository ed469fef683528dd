//! The official clients for JavaScript and Python, unmodified, against a running server.

use crate::support::{
    Caller, ES256_KEY, NodeClient, ServiceRole, TestServer, key_set, python_program, succeeds,
};

/// The script and the client's lock file.
const OFFICIAL: NodeClient = NodeClient { folder: "js", package: "@supabase/auth-js" };

async fn drive(server: &TestServer) {
    let key = ServiceRole.bearer().unwrap();
    let data = server.data().to_str().unwrap();
    let environment = [("EVIDENT_SERVICE_ROLE_KEY", key.as_str()), ("EVIDENT_DATA", data)];
    OFFICIAL.run(server, "drive.mjs", &environment).await;
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
