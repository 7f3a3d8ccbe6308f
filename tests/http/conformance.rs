//! The modules of the OpenID Foundation's conformance plans, each as a test with the module's id in its name: `docs/conformance.md` has
//! the table, and `scripts/conformance` compares the two. What a module sends is what these tests send: no PKCE unless it says so.

#[path = "conformance/suite.rs"]
mod suite;

#[path = "conformance/answers.rs"]
mod answers;

#[path = "conformance/backchannel.rs"]
mod backchannel;

#[path = "conformance/claims.rs"]
mod claims;

#[path = "conformance/discovery.rs"]
mod discovery;

#[path = "conformance/happy.rs"]
mod happy;

#[path = "conformance/dynamic.rs"]
mod dynamic;

#[path = "conformance/hints.rs"]
mod hints;

#[path = "conformance/logout.rs"]
mod logout;

#[path = "conformance/objects.rs"]
mod objects;

#[path = "conformance/redirects.rs"]
mod redirects;

#[path = "conformance/refresh.rs"]
mod refresh;

#[path = "conformance/registering.rs"]
mod registering;

#[path = "conformance/scopes.rs"]
mod scopes;

#[path = "conformance/sessions.rs"]
mod sessions;

#[path = "conformance/third_party.rs"]
mod third_party;

/// Makes both tests of a module: `query` as the basic plan walks it, on SQLite, and `form_post` as the form-post plan does, on Postgres.
#[macro_export]
macro_rules! module {
    ($name:ident, |$suite:ident| $body:block) => {
        async fn $name($suite: &$crate::conformance::suite::Suite<'_>) $body

        mod $name {
            use $crate::conformance::suite::{Mode, Suite};
            use $crate::world::{Engine, World};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn query() {
                let world = World::new(Engine::Sqlite, &[]).await;
                super::$name(&Suite::new(&world, Mode::Query).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn form_post() {
                let world = World::new(Engine::Postgres, &[]).await;
                super::$name(&Suite::new(&world, Mode::FormPost).await).await;
            }
        }
    };
}
