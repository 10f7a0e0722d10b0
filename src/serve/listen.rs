//! Connections: how many at once, how long they may take, and how they end.

use super::Site;
use super::patient::Patient;
use super::routes::router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Connections at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 400;
/// A connection that does not ask for so long is closed, and one that asks too slowly.
const HEADERS: Duration = Duration::from_secs(5);
/// How long requests may take to end after the server was told to stop.
const FAREWELL: Duration = Duration::from_secs(5);
/// Bytes of a request's headers.
const HEADER_BYTES: usize = 32 * 1024;
/// How often the server looks whether somebody waits for the ledger.
const LOOK: Duration = Duration::from_millis(15);

/// Serves until the process is told to stop.
///
/// # Errors
/// A runtime or listener that cannot be set up.
pub(super) fn run(listener: TcpListener, site: Arc<Site>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(super::WORK + 4)
        .thread_name("volledger-serve")
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(listener, Arc::clone(&site)));
    // Work that is under way ends before the ledger is let go.
    runtime.shutdown_timeout(FAREWELL);
    site.jobs.wait(FAREWELL);
    site.desk.close();
    served
}

async fn serve(listener: TcpListener, site: Arc<Site>) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut stop = Box::pin(told_to_stop()?);
    let (over, mut ended) = watch::channel(false);
    let porter = {
        let desk = Arc::clone(&site.desk);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = ended.changed() => break,
                }
                let desk = Arc::clone(&desk);
                // It waits for requests that are under way.
                let _ = tokio::task::spawn_blocking(move || desk.lend()).await;
            }
        })
    };
    let (graceful, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    let router = router(&site);
    loop {
        let taken = tokio::select! {
            taken = Arc::clone(&room).acquire_owned() => taken,
            () = &mut stop => break,
        };
        let Ok(place) = taken else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many open files, or a peer that is gone: neither ends the server.
                    tracing::debug!(%error, "no connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(Patient::new(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    site.jobs.stop();
    let _ = site.stopping.send(true);
    let _ = over.send(true);
    let _ = tokio::time::timeout(FAREWELL, porter).await;
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(FAREWELL) => {}
    }
    Ok(())
}

/// Ends with SIGINT (Ctrl-C) or SIGTERM.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
