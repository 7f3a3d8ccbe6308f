//! The modules of the OpenID Foundation's conformance plans, each as a test with the module's id in its name: `docs/conformance.md` has
//! the table, and `scripts/conformance` compares the two. What a module sends is what these tests send: no PKCE unless it says so.

#[path = "conformance/suite.rs"]
mod suite;

#[path = "conformance/answers.rs"]
mod answers;

#[path = "conformance/discovery.rs"]
mod discovery;

#[path = "conformance/happy.rs"]
mod happy;

#[path = "conformance/hints.rs"]
mod hints;

#[path = "conformance/objects.rs"]
mod objects;

#[path = "conformance/redirects.rs"]
mod redirects;

#[path = "conformance/scopes.rs"]
mod scopes;

#[path = "conformance/sessions.rs"]
mod sessions;

/// Makes both tests of a module: `query` as the basic plan walks it, on SQLite, and `form_post` as the form-post plan does, on Postgres.
#[macro_export]
macro_rules! module {
    ($name:ident, |$suite:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn body($suite: &$crate::conformance::suite::Suite<'_>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn query() {
                let world = $crate::world::World::new($crate::world::Engine::Sqlite, &[]).await;
                body(&$crate::conformance::suite::Suite::new(&world, $crate::conformance::suite::Mode::Query).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn form_post() {
                let world = $crate::world::World::new($crate::world::Engine::Postgres, &[]).await;
                body(&$crate::conformance::suite::Suite::new(&world, $crate::conformance::suite::Mode::FormPost).await).await;
            }
        }
    };
}
