//! `evident serve`: the server.

use std::sync::Arc;

use clap::Args;
use evident_commands::OutboxWorker;
use evident_eventstore::EventStore;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::CliError;
use crate::bootstrap::{self, StartError};
use crate::config::Configuration;
use crate::retention::Pruning;
use crate::{proofs, server};

/// Run the server.
#[derive(Debug, Args)]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, configuration: &Configuration) -> Result<(), CliError> {
        for warning in &configuration.warnings {
            tracing::warn!("{warning}");
        }
        let settings = &configuration.settings;
        let commands = bootstrap::open_commands(settings).await?;
        let port = bootstrap::message_port(settings, &commands)?;
        let secret = bootstrap::cookie_secret(settings, commands.store()).await?;
        let checkpoints = bootstrap::checkpoints(settings, commands.store()).await?;
        let address = format!("{}:{}", settings.server.host, settings.server.port);
        let problem = |cause| StartError::Listen { address: address.clone(), cause };
        let listener = TcpListener::bind(&address).await.map_err(problem)?;
        let bound = listener.local_addr().map_err(problem)?;

        let (stop, stopped) = watch::channel(false);
        let worker = OutboxWorker::new(commands.store().clone(), Arc::new(port));
        let worker = tokio::spawn(worker.run(stopped.clone()));
        let proofs = proofs::start(checkpoints.clone(), commands.outbound(), &settings.proofs, &stopped);
        let pruning = Pruning::of(&settings.proofs);
        let work = crate::retention::work(commands.clone(), settings.retention, pruning, stopped.clone());
        tokio::spawn(work);
        tokio::spawn(crate::retention::forget_with_others(commands.clone(), stopped));
        // Whoever started the server may wait for this line.
        println!("evident: ready on http://{bound}");
        tracing::info!(address = %bound, database = ?commands.store().database().dialect(), "ready");

        tokio::spawn(clear_leftovers(commands.store().clone()));
        server::serve(listener, commands.clone(), checkpoints, settings, &secret, server::shutdown_signal())
            .await;

        // The server has answered its last request; what is in the outbox stays there for the next start.
        let _ = stop.send(true);
        let _ = worker.await;
        for work in proofs {
            let _ = work.await;
        }
        commands.store().database().close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Removes tables that a crashed rebuild left behind.
async fn clear_leftovers(store: EventStore) {
    if let Err(error) = evident_projections::clear_leftovers(&store, evident_projections::PATIENCE).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what a crashed rebuild left is still there"
        );
    }
}
