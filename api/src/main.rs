//! The `evident` command.

use std::process::ExitCode;

/// For SQLite, too: a rebuild of projections takes a seventh less time than with the system's allocator.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evident_api::cli::run()
}
