//! How often the hot verbs go to Postgres and back: a proxy between the store and the server counts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use latchkey::domain::FamilyId;
use latchkey::store::{DatabaseSettings, Store};

use super::harness::{Engine, Fresh};
use super::made::{agree, api_challenge, asset, at, client, client_id, code, did, hash, person, session, uuid};
use super::refresh::{FAMILY, family, using};

/// Counts the turns of a conversation: each time the client speaks after the server has.
#[derive(Default)]
struct Trips {
    count: AtomicUsize,
    server_spoke: AtomicBool,
}

fn pump(mut from: TcpStream, mut to: TcpStream, heard: impl Fn()) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        heard();
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// A way to `server` that counts; the port of this side.
fn proxy(server: String, trips: &Arc<Trips>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let trips = Arc::clone(trips);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (to_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (up, down) = (Arc::clone(&trips), Arc::clone(&trips));
            std::thread::spawn(move || {
                pump(client, to_server, || {
                    if up.server_spoke.swap(false, Ordering::SeqCst) {
                        up.count.fetch_add(1, Ordering::SeqCst);
                    }
                });
            });
            std::thread::spawn(move || pump(server, to_client, || down.server_spoke.store(true, Ordering::SeqCst)));
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hot_verbs_are_one_round_trip() {
    let fresh = Fresh::new(Engine::Postgres).await;
    let url = url::Url::parse(&fresh.url).unwrap();
    let trips = Arc::new(Trips::default());
    let port = proxy(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)), &trips);
    let mut through = url.clone();
    through.set_port(Some(port)).unwrap();
    let store = Store::open(&DatabaseSettings { url: through.into(), max_connections: 1 }).await.unwrap();

    let account = person(&store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(&store, account, "app").await;
    store.start_session(&session(1, account), &hash("cookie"), None).await.unwrap();
    let app = client_id("app");
    store.import_assets(vec![asset(1, None)], false, at(0)).await.unwrap();
    store.put_code(&code(9, "app", account), &hash("of a family")).await.unwrap();
    store.redeem_code_for_family(&hash("of a family"), &app, at(1), |_| Some(family("0", None))).await.unwrap().unwrap();
    // In the first round each statement is prepared; the second one is what every later request costs.
    for round in 0..2_u8 {
        let word = hash(&round.to_string());
        let mut costs = Vec::new();
        let mut before = trips.count.load(Ordering::SeqCst);
        let mut cost = |verb| {
            let now = trips.count.load(Ordering::SeqCst);
            costs.push((verb, now - before));
            before = now;
        };
        assert!(store.put_code(&code(round, "app", account), &word).await.unwrap());
        cost("put_code");
        store.redeem_code(&word, &app, at(1)).await.unwrap().unwrap();
        cost("redeem_code");
        store.person_token(code(round, "app", account).id, at(2)).await.unwrap().unwrap();
        cost("person_token");
        let (presented, next) = (round.to_string(), (round + 1).to_string());
        store.refresh(using(&presented, Some(&next), 2)).await.unwrap().unwrap();
        cost("refresh");
        store.family_token(FamilyId(uuid(FAMILY)), uuid(1), at(2), at(0)).await.unwrap().unwrap();
        cost("family_token");
        store.living_refresh_token(FamilyId(uuid(FAMILY)), &app, &hash(&next), at(2), at(0)).await.unwrap().unwrap();
        cost("living_refresh_token");
        store.standing(&hash("cookie"), &app, at(2)).await.unwrap().unwrap();
        cost("standing");
        let named = latchkey::store::Bearer::Named(app.clone());
        for asset in [1, 9] {
            let facts = store.exchange_facts(&named, &did(asset), at(2)).await.unwrap().unwrap();
            assert_eq!(facts.asset.is_some(), asset == 1);
            cost("exchange_facts");
        }
        store.client(&app).await.unwrap().unwrap();
        cost("client");
        store.put_api_challenge(&api_challenge(round, "app"), &word).await.unwrap();
        cost("put_api_challenge");
        store.take_api_challenge(&word, at(1), at(3_600)).await.unwrap();
        cost("take_api_challenge");
        store.wallet_token(api_challenge(round, "app").id, at(2)).await.unwrap();
        cost("wallet_token");
        if round == 1 {
            assert!(costs.iter().all(|(_, trips)| *trips == 1), "{costs:?}");
        }
    }
    store.close().await;
    fresh.end().await;
}
