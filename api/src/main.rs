//! The `evident` command.

use std::process::ExitCode;

/// A request makes and drops hundreds of small values, on whichever thread it happens to be.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evident_api::cli::run()
}
