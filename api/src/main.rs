//! The `evident` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    evident_api::cli::run()
}
