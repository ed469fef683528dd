//! `evident-bench`: the parts that `bench/run` puts together. Each prints one line a figure:
//! name, per second, and for requests the median and 99th percentile in milliseconds.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so by a panic")]

mod floor;
mod http;
mod load;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Load for a running Evident, and the bare database beside it")]
struct Arguments {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Debug, Subcommand)]
enum Measure {
    /// Sign-ups, sign-ins, refreshes and reads at a running server.
    Load {
        /// Host and port of the server.
        #[arg(long)]
        address: String,
        /// How long each kind of request is made.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// The bare database: how many units (event, claim, row) it commits in batches, one writer.
    Floor {
        /// `sqlite:FILE` or `postgres://…`, an empty database.
        #[arg(long)]
        database: String,
        /// Units in one transaction.
        #[arg(long, default_value_t = 20)]
        batch: u64,
        /// How long.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
}

// One thread: the load is to leave the machine to the server.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    match Arguments::parse().measure {
        Measure::Load { address, seconds } => load::run(&address, seconds).await,
        Measure::Floor { database, batch, seconds } => floor::run(&database, batch, seconds).await,
    }
}
