//! Keyrings on a real SQLite file: the first start, replicas, rotation along its timeline.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::keys::KeyState::{self, Active, Next, Retired};
use crate::store::DatabaseSettings;

const ISSUER: &str = "https://id.example.org";
const ASSET_ISSUER: &str = "https://id.example.org/assets";
const START: Timestamp = Timestamp::from_seconds(1_767_225_600);
const AHEAD: Duration = Duration::from_mins(10);
const LIFETIME: Duration = Duration::from_hours(24);
const RECEIPTS: Duration = Duration::from_hours(365 * 24);
const QUARTER: Duration = Duration::from_hours(90 * 24);

/// The lines of keys: four algorithms for signing in, one for assets.
const LINES: usize = 5;

/// A database of this test's own, removed at the end.
struct Place {
    folder: PathBuf,
    clock: Clock,
}

impl Place {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-keyring-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let place = Self { folder, clock: Clock::fixed(START) };
        place.store().await.migrate().await.unwrap();
        place
    }

    async fn store(&self) -> Store {
        let url = format!("sqlite://{}", self.folder.join("latchkey.db").display());
        Store::open(&DatabaseSettings { url, max_connections: 4 }).await.unwrap()
    }

    /// One process more on this database.
    async fn replica(&self) -> Keyring {
        self.replica_with(sealing()).await.unwrap()
    }

    async fn replica_with(&self, sealing: SealingKey) -> Result<Keyring, KeysError> {
        let settings = KeySettings {
            issuer: ISSUER.to_owned(),
            asset_issuer: ASSET_ISSUER.to_owned(),
            publish_ahead: AHEAD,
            token_lifetime_max: LIFETIME,
            receipt_lifetime_max: RECEIPTS,
        };
        Keyring::open(&self.store().await, sealing, settings, self.clock.clone(), Entropy::System).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn sealing() -> SealingKey {
    SealingKey::from_text(&"5a".repeat(32)).unwrap()
}

fn claims(ring: &Keyring) -> Value {
    let now = ring.now().seconds();
    json!({"iss": ISSUER, "sub": "s", "aud": "app", "client_id": "app", "exp": now + 86_400, "iat": now, "jti": "c_1"})
}

fn token(ring: &Keyring, alg: SigningAlg) -> String {
    ring.sign(TokenKind::AccessToken, alg, &claims(ring)).unwrap()
}

async fn verified(ring: &Keyring, token: &str) -> Result<(), TokenRefusal> {
    ring.verify(TokenKind::AccessToken, token).await.map(|_| ())
}

fn kid(token: &str) -> String {
    UnverifiedToken::parse(token).unwrap().kid().unwrap().to_owned()
}

/// The states of the keys of `alg` for signing in, oldest first.
fn states(ring: &Keyring, alg: SigningAlg) -> Vec<KeyState> {
    states_of(ring, KeyPurpose::Signin, alg)
}

fn states_of(ring: &Keyring, purpose: KeyPurpose, alg: SigningAlg) -> Vec<KeyState> {
    ring.list().into_iter().filter(|key| key.purpose == purpose && key.alg == alg).map(|key| key.state).collect()
}

/// The published sets of all purposes.
fn sets(ring: &Keyring) -> Vec<Arc<Jwks>> {
    KeyPurpose::ALL.iter().map(|purpose| ring.jwks(*purpose)).collect()
}

fn published(ring: &Keyring) -> Vec<String> {
    published_of(ring, KeyPurpose::Signin)
}

fn published_of(ring: &Keyring, purpose: KeyPurpose) -> Vec<String> {
    let document: Value = serde_json::from_str(&ring.jwks(purpose).body).unwrap();
    document["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_first_start_makes_two_keys_of_each_algorithm_and_they_stay() {
    let place = Place::new("first").await;
    let ring = place.replica().await;
    for &alg in SigningAlg::ALL {
        assert_eq!(states(&ring, alg), [Active, Next]);
        let token = token(&ring, alg);
        assert_eq!(verified(&ring, &token).await, Ok(()));
        // A next key is published, though it signs nothing yet.
        assert!(published(&ring).contains(&kid(&token)));
    }
    assert_eq!(published(&ring).len(), 2 * SigningAlg::ALL.len());
    let again = place.replica().await;
    assert_eq!(again.list(), ring.list());
    assert_eq!(sets(&again), sets(&ring));
    assert_eq!(again.pairwise_secret(), ring.pairwise_secret());
    assert_ne!(again.pairwise_secret(), [0; 32]);
    assert!(!format!("{ring:?}").contains("sealed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_have_the_same_keys() {
    let place = Place::new("together").await;
    let (one, two, three) = tokio::join!(place.replica(), place.replica(), place.replica());
    for ring in [&one, &two, &three] {
        ring.reload().await.unwrap();
        assert_eq!(sets(ring), sets(&one));
        assert_eq!(ring.pairwise_secret(), one.pairwise_secret());
        for &alg in SigningAlg::ALL {
            assert_eq!(states(ring, alg), [Active, Next]);
            assert_eq!(verified(&one, &token(ring, alg)).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn another_sealing_key_is_refused_and_changes_nothing() {
    let place = Place::new("wrong").await;
    let ring = place.replica().await;
    let other = SealingKey::from_text(&"ab".repeat(32)).unwrap();
    let problem = place.replica_with(other).await.unwrap_err().to_string();
    assert_eq!(
        problem,
        "the sealing key does not open the secret of pairwise subjects in the database: it was sealed with another key. \
         Start with the sealing key that this database was first used with"
    );
    let before = ring.list();
    ring.reload().await.unwrap();
    assert_eq!(ring.list(), before);
}

#[tokio::test]
async fn a_rotation_publishes_before_it_signs_and_keeps_what_tokens_need() {
    let place = Place::new("timeline").await;
    let ring = place.replica().await;
    let first = token(&ring, SigningAlg::Es256);

    // The next keys are as young as the database: they may only sign once everyone can have seen them.
    let rotated = ring.rotate().await.unwrap();
    assert_eq!(rotated.iter().filter(|key| key.purpose == KeyPurpose::Signin).map(|key| key.alg).collect::<Vec<_>>(), SigningAlg::ALL);
    for key in rotated.iter().filter(|key| key.purpose == KeyPurpose::Signin) {
        assert_eq!((key.active_from, key.retire_at), (START.plus(AHEAD), START.plus(AHEAD + LIFETIME + Duration::from_mins(5))));
        assert!(published(&ring).contains(&key.kid));
    }
    assert_eq!(states(&ring, SigningAlg::Es256), [Active, Next, Next]);
    assert_eq!(kid(&token(&ring, SigningAlg::Es256)), kid(&first));
    // A second one would overtake it.
    assert_eq!(ring.rotate().await.unwrap(), []);

    place.clock.advance(AHEAD.saturating_sub(Duration::from_secs(1)));
    assert_eq!(kid(&token(&ring, SigningAlg::Es256)), kid(&first));
    let last_of_the_first = token(&ring, SigningAlg::Es256);

    // The moment itself needs no reload and no database.
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(states(&ring, SigningAlg::Es256), [Retired, Active, Next]);
    let second = token(&ring, SigningAlg::Es256);
    assert_eq!(kid(&second), rotated.iter().find(|key| key.alg == SigningAlg::Es256).unwrap().kid);
    assert_eq!(verified(&ring, &last_of_the_first).await, Ok(()));

    // Until its last token is dead the old key is published; then it is gone, swept or not.
    place.clock.advance(LIFETIME.saturating_sub(Duration::from_secs(2)));
    ring.reload().await.unwrap();
    assert!(published(&ring).contains(&kid(&first)));
    assert_eq!(verified(&ring, &last_of_the_first).await, Ok(()));
    place.clock.advance(Duration::from_mins(6));
    assert_eq!(verified(&ring, &last_of_the_first).await, Err(TokenRefusal::UnknownKey));
    ring.reload().await.unwrap();
    assert_eq!(states(&ring, SigningAlg::Es256), [Active, Next]);
    assert!(!published(&ring).contains(&kid(&first)));
    assert_eq!(place.store().await.sweep(ring.now()).await.unwrap().signing_keys, 4);

    // A next key that has been published for long takes over at once.
    let rotated = ring.rotate().await.unwrap();
    assert_eq!(rotated[0].active_from, ring.now());
    assert_eq!(states(&ring, SigningAlg::Es256), [Retired, Active, Next]);
}

#[tokio::test]
async fn a_rotation_comes_when_it_is_due() {
    let place = Place::new("due").await;
    let ring = place.replica().await;
    place.clock.advance(QUARTER.saturating_sub(Duration::from_secs(1)));
    assert_eq!(ring.rotate_if_due(QUARTER).await.unwrap(), []);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(ring.rotate_if_due(QUARTER).await.unwrap().len(), LINES);
    assert_eq!(ring.rotate_if_due(QUARTER).await.unwrap(), []);
    place.clock.advance(QUARTER);
    assert_eq!(ring.rotate_if_due(QUARTER).await.unwrap().len(), LINES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_rotate_at_once_rotate_once() {
    let place = Place::new("race").await;
    let rings = [place.replica().await, place.replica().await, place.replica().await, place.replica().await];
    for round in 1..=3 {
        place.clock.advance(QUARTER);
        let mut tasks = tokio::task::JoinSet::new();
        for ring in rings.clone() {
            tasks.spawn(async move { if round == 1 { ring.rotate().await } else { ring.rotate_if_due(QUARTER).await } });
        }
        let mut rotated: Vec<(KeyPurpose, SigningAlg)> = Vec::new();
        while let Some(done) = tasks.join_next().await {
            rotated.extend(done.unwrap().unwrap().iter().map(|key| (key.purpose, key.alg)));
        }
        rotated.sort();
        let once = KeyPurpose::ALL.iter().flat_map(|purpose| algorithms(*purpose).iter().map(|alg| (*purpose, *alg)));
        assert_eq!(rotated, once.collect::<Vec<_>>(), "each line once");
        for ring in &rings {
            ring.reload().await.unwrap();
            for &alg in SigningAlg::ALL {
                // The key before last is gone: a quarter is longer than any token's life.
                assert_eq!(states(ring, alg), [Retired, Active, Next]);
            }
            // Receipts live for a year, so the keys that signed them are there still.
            let kept = vec![Retired; round].into_iter().chain([Active, Next]).collect::<Vec<_>>();
            assert_eq!(states_of(ring, KeyPurpose::Assets, SigningAlg::Rs256), kept);
            assert_eq!(sets(ring), sets(&rings[0]));
        }
    }
}

#[tokio::test]
async fn a_rotation_cut_short_is_finished_later() {
    let place = Place::new("cut").await;
    let ring = place.replica().await;
    place.clock.advance(QUARTER);
    // As a process does that is killed between the promotion and the making of a new next key.
    let step = rotation::promotions(ring.set(KeyPurpose::Signin).times(), SigningAlg::ALL, ring.now(), AHEAD, LIFETIME).remove(0);
    assert!(place.store().await.promote_signing_key(&step.next, step.active_from, &step.old, step.retire_at).await.unwrap());
    ring.reload().await.unwrap();
    assert_eq!(states(&ring, step.alg), [Retired, Active]);
    assert_eq!(ring.rotate_if_due(2 * QUARTER).await.unwrap(), []);
    assert_eq!(states(&ring, step.alg), [Retired, Active, Next]);
}

#[tokio::test]
async fn a_key_that_another_replica_made_is_found() {
    let place = Place::new("unknown").await;
    let (one, two) = (place.replica().await, place.replica().await);
    // Two rotations on the one; the other hears of none of them.
    for _ in 0..2 {
        place.clock.advance(QUARTER);
        assert!(!one.rotate().await.unwrap().is_empty());
    }
    let token = token(&one, SigningAlg::EdDsa);
    assert!(!published(&two).contains(&kid(&token)));
    assert_eq!(verified(&two, &token).await, Ok(()));
    assert_eq!(sets(&two), sets(&one));
}

#[tokio::test]
async fn a_stranger_makes_us_look_once_in_ten_seconds() {
    let place = Place::new("stranger").await;
    let (one, two) = (place.replica().await, place.replica().await);
    let elsewhere = Place::new("elsewhere").await;
    let stranger = token(&elsewhere.replica().await, SigningAlg::EdDsa);
    place.clock.advance(QUARTER);
    assert_eq!(verified(&two, &stranger).await, Err(TokenRefusal::UnknownKey));
    // It has just looked: what changes now it does not see before its time.
    one.rotate().await.unwrap();
    let before = sets(&two);
    place.clock.advance(LOOK_AGAIN.saturating_sub(Duration::from_secs(1)));
    assert_eq!(verified(&two, &stranger).await, Err(TokenRefusal::UnknownKey));
    assert_eq!(sets(&two), before);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(verified(&two, &stranger).await, Err(TokenRefusal::UnknownKey));
    assert_eq!(sets(&two), sets(&one));
    assert_ne!(sets(&two), before);
}

/// Claims that are right for every kind but for their issuer.
fn claims_of(ring: &Keyring, issuer: &str) -> Value {
    let now = ring.now().seconds();
    json!({
        "iss": issuer, "sub": "s", "aud": ["app"], "client_id": "app", "exp": now + 600, "nbf": now, "iat": now, "jti": "e_1", "sid": "v",
        "asset": "did:ethr:1:0x", "permissions": ["a"], "cloud_events": {"events": []}, "contract_address": "0x", "privilege_ids": [1],
        "source": "consent", "events": {},
    })
}

#[tokio::test]
async fn a_token_of_one_surface_never_passes_at_the_other() {
    use TokenKind::{AccessToken, AssetToken, GrantReceipt, IdToken, IdTokenHint, LogoutToken};
    let place = Place::new("surfaces").await;
    let ring = place.replica().await;
    let (signin, assets) = ([AccessToken, IdToken, LogoutToken], [AssetToken, GrantReceipt]);
    let issuer = |kind| if assets.contains(&kind) { ASSET_ISSUER } else { ISSUER };
    for kind in signin.into_iter().chain(assets) {
        let token = ring.sign(kind, SigningAlg::Rs256, &claims_of(&ring, issuer(kind))).unwrap();
        for other in [AccessToken, IdToken, IdTokenHint, LogoutToken, AssetToken, GrantReceipt] {
            let same = other == kind || (kind, other) == (IdToken, IdTokenHint);
            let refusal = match (same, assets.contains(&kind) == assets.contains(&other)) {
                (true, _) => None,
                (false, true) => Some(TokenRefusal::WrongType),
                // The other surface does not even know the key.
                (false, false) => Some(TokenRefusal::UnknownKey),
            };
            assert_eq!(ring.verify(other, &token).await.err(), refusal, "{kind:?} as {other:?}");
        }
        // Nor is one signed in the name of the other.
        let wrong = if issuer(kind) == ISSUER { ASSET_ISSUER } else { ISSUER };
        let refused = ring.sign(kind, SigningAlg::Rs256, &claims_of(&ring, wrong));
        assert!(matches!(refused, Err(KeysError::Claims("iss"))), "{kind:?}");
    }
    // Consumers of asset tokens know one algorithm, and are shown keys of no other.
    for alg in [SigningAlg::Es256, SigningAlg::EdDsa, SigningAlg::Ps256] {
        assert!(matches!(ring.sign(AssetToken, alg, &claims_of(&ring, ASSET_ISSUER)), Err(KeysError::NoActiveKey(_))));
    }
    assert_eq!(states_of(&ring, KeyPurpose::Assets, SigningAlg::Rs256), [Active, Next]);
    assert_eq!(published_of(&ring, KeyPurpose::Assets).len(), 2);
    assert!(published_of(&ring, KeyPurpose::Assets).iter().all(|kid| !published(&ring).contains(kid)));
    assert_eq!((ring.issuer(KeyPurpose::Signin), ring.issuer(KeyPurpose::Assets)), (ISSUER, ASSET_ISSUER));
}

#[tokio::test]
async fn a_receipt_is_verified_as_long_as_a_grant_may_last_and_when_it_is_over() {
    let place = Place::new("receipts").await;
    let ring = place.replica().await;
    place.clock.advance(Duration::from_hours(1));
    let receipt = ring.sign(TokenKind::GrantReceipt, SigningAlg::Rs256, &claims_of(&ring, ASSET_ISSUER)).unwrap();
    let asset = ring.sign(TokenKind::AssetToken, SigningAlg::Rs256, &claims_of(&ring, ASSET_ISSUER)).unwrap();
    assert_eq!(ring.rotate().await.unwrap().len(), LINES);
    place.clock.advance(RECEIPTS);
    ring.reload().await.unwrap();
    // Its own time is over, which takes nothing from the proof; a token is dead.
    assert!(ring.verify(TokenKind::GrantReceipt, &receipt).await.is_ok());
    assert_eq!(ring.verify(TokenKind::AssetToken, &asset).await.err(), Some(TokenRefusal::Expired));
    place.clock.advance(Duration::from_mins(5));
    assert_eq!(ring.verify(TokenKind::GrantReceipt, &receipt).await.err(), Some(TokenRefusal::UnknownKey));
}

#[tokio::test]
async fn a_database_that_is_gone_stops_neither_signing_nor_checking() {
    let place = Place::new("gone").await;
    let ring = place.replica().await;
    ring.0.store.close().await;
    assert!(matches!(ring.reload().await, Err(KeysError::Store(_))));
    place.clock.advance(Duration::from_mins(1));
    let mine = token(&ring, SigningAlg::Rs256);
    assert_eq!(verified(&ring, &mine).await, Ok(()));
    let elsewhere = Place::new("gone-elsewhere").await;
    let stranger = token(&elsewhere.replica().await, SigningAlg::EdDsa);
    assert_eq!(verified(&ring, &stranger).await, Err(TokenRefusal::UnknownKey));
}
