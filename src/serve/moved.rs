//! Tells open pages that the ledger has moved on, as server-sent events.
//!
//! The head is read from its file: neither the ledger nor its lock is touched.

use super::Site;
use super::trouble::Trouble;
use crate::app::outside;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How often the head is looked at for each page.
const LOOK: Duration = Duration::from_millis(400);
/// An idle connection says something, so that one that is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);

/// An event with the position now, and one whenever it has changed; ends with the server.
pub(super) async fn tell(State(site): State<Arc<Site>>) -> Response {
    let Ok(place) = Arc::clone(&site.listeners).try_acquire_owned() else {
        return Trouble::busy().answer(&site, true);
    };
    let stopping = site.stopping.subscribe();
    let told = stream::unfold((site, stopping, place, None), |state| async move {
        let (site, mut stopping, place, last) = state;
        loop {
            // One small file: not worth a thread.
            let now = outside::head(&site.options.directory);
            if now != last
                && let Some(position) = now
            {
                let event = Event::default().data(position.0.to_string());
                return Some((Ok::<_, Infallible>(event), (site, stopping, place, now)));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stopping.changed() => return None,
            }
        }
    });
    Sse::new(told).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}
