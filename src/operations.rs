//! The operations port: is it alive, is it ready, how is it doing. For the operator's network, not for the world.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::state::State;

/// The recorder of this process's numbers: there can be one only, whoever asks first.
pub fn metrics() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(BUCKETS).ok()?;
            builder.install_recorder().map_err(|reason| tracing::warn!(%reason, "no metrics")).ok()
        })
        .as_ref()
}

/// Sorts what is measured into the histograms, without end: it is kept one by one until then, whether anybody reads it or not.
pub async fn sort_measurements() {
    const PAUSE: Duration = Duration::from_secs(5);
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Some(handle) = metrics() {
            handle.run_upkeep();
        }
    }
}

/// Adds the routes.
pub fn configure(app: &mut ServiceConfig) {
    app.route("/healthz", web::get().to(healthz)).route("/readyz", web::get().to(readyz)).route("/metrics", web::get().to(show_metrics));
}

// Alive: the process answers. A database that is away is no reason to be killed.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(serde_json::json!({ "status": "alive" }))
}

// Ready: the database answers too, so that traffic may come.
async fn readyz(state: Data<Arc<State>>) -> HttpResponse {
    match tokio::time::timeout(Duration::from_secs(3), state.store.ping()).await {
        Ok(Ok(())) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(serde_json::json!({ "status": "ready" })),
        Ok(Err(_)) | Err(_) => HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "2"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(serde_json::json!({ "status": "not ready", "reason": "the database does not answer" })),
    }
}

async fn show_metrics() -> HttpResponse {
    match metrics() {
        Some(handle) => {
            handle.run_upkeep();
            HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(handle.render())
        }
        None => HttpResponse::NotFound().finish(),
    }
}
