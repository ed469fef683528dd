//! The server: builds the application of its parts, takes connections, and ends in good order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use evident_commands::Commands;
use evident_commands::settings::Secret;
use evident_eventstore::tlog::Checkpoints;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

use crate::config::Settings;
use crate::http::edge::{Edge, edge};
use crate::http::origin::PeerAddress;
use crate::ports::SystemEntropy;
use crate::{audit, better_auth, gotrue};

/// Whoever takes longer to send the head of a request is cut off, and so is who keeps a connection without
/// using it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// So long the requests in flight may take when the server is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// So many connections are served at once; others wait to be accepted.
const CONNECTIONS: usize = 16_384;

/// When no connection can be accepted (no file handles, say), the next try comes after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// All surfaces behind the shared layers. The secret signs the cookies of the Better Auth surface; once
/// `closing` is true, answers that would go on for ever end.
pub fn app(
    commands: Commands,
    checkpoints: Checkpoints,
    settings: &Settings,
    secret: &Secret,
    closing: watch::Receiver<bool>,
) -> Router {
    let external_url = &settings.commands.site.external_url;
    let outermost = || Edge::new(&settings.server, external_url, Arc::new(SystemEntropy));
    let edged = |router: Router, outermost| router.layer(from_fn_with_state(Arc::new(outermost), edge));
    let options = &settings.better_auth;
    let better_auth = better_auth::App::new(commands.clone(), &settings.server, options, secret);
    // Its callers send cookies: not every page may.
    let trusting = outermost().for_trusted(better_auth.origins().clone());
    let audit = audit::router(audit::App::new(commands.clone(), checkpoints, settings, closing));
    let gotrue = gotrue::router(gotrue::App::new(commands, &settings.server), &options.place.base_path);
    // What is not below the base path is the other protocol's, so that no base path clashes with its paths.
    Router::new()
        .route(&format!("{}/", options.place.base_path), any(async || StatusCode::NOT_FOUND))
        .nest(&options.place.base_path, edged(better_auth::router(better_auth), trusting))
        .nest(audit::BASE_PATH, edged(audit, outermost()))
        .fallback_service(edged(gotrue, outermost()))
}

/// Serves until it is asked to stop, and then finishes the requests in flight.
pub async fn serve(
    listener: TcpListener,
    commands: Commands,
    checkpoints: Checkpoints,
    settings: &Settings,
    secret: &Secret,
    shutdown: impl Future<Output = ()>,
) {
    let (close, closing) = watch::channel(false);
    let shutdown = async move {
        shutdown.await;
        // Who follows the log goes on elsewhere, or later.
        let _ = close.send(true);
    };
    serve_app(listener, app(commands, checkpoints, settings, secret, closing), shutdown).await;
}

/// [`serve`] for any application.
pub async fn serve_app(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            connection = accept(&listener, &slots) => {
                if let Some((stream, peer, slot)) = connection {
                    converse(stream, peer, slot, app.clone(), &graceful);
                }
            }
            () = &mut shutdown => break,
        }
    }
    // Nobody new gets in while the others finish.
    drop(listener);
    tracing::info!("stopping: requests in flight are finished");
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves a connection in a task of its own.
fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
    app: Router,
    graceful: &GracefulShutdown,
) {
    // Answers are small and written whole: waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY is not set");
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(PeerAddress(peer));
        app.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // What goes wrong here is the client's: it went away, or never spoke HTTP.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(slot);
    });
}

/// Ends when the process is asked to stop: by SIGTERM, or by SIGINT (Ctrl-C).
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(error) => {
            tracing::error!(%error, "signals cannot be listened to");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}
