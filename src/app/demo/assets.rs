//! The demo's assets: vehicles and a manufacturer under the names that samples and SDKs use, an owner for them, and what the demo license
//! was granted on them. What is there stays as a developer has left it.

use crate::config::Config;
use crate::domain::{Address, AssetDid, ClientId, Entropy, EventFilter, GrantId, GrantSource, Owner, PermissionSet, Timestamp};
use crate::store::{Actor, AssetImport, AssetsImported, GrantOutcome, GrantPage, Granting, NewGrant, Store};

/// The vehicle that is shared with the demo license.
pub(super) const SHARED: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";
/// The manufacturer that is shared with it, and how far.
const MANUFACTURER: &str = "did:ethr:137:0x90C4D6113Ec88dd4BDf12f26DB2b3998fd13A144";
const OF_MANUFACTURER: &str = "privilege:ManufacturerDeviceDefinitionInsert privilege:ManufacturerMintDevice";

/// The contracts of vehicles that the data SDKs know: on Polygon, and on its test chain.
const CONTRACTS: [&str; 2] =
    ["did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF", "did:erc721:80002:0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8"];

/// The vehicles of either contract, from token id 1 on.
const VEHICLES: [(&str, &str, i64, &str); 8] = [
    ("Ford", "Bronco", 2022, "ICE"),
    ("Ford", "Mustang Mach-E", 2023, "BEV"),
    ("Tesla", "Model 3", 2021, "BEV"),
    ("Toyota", "RAV4", 2024, "HEV"),
    ("Kia", "EV6", 2023, "BEV"),
    ("Volvo", "XC90", 2022, "PHEV"),
    ("Tesla", "Model Y", 2024, "BEV"),
    ("BMW", "320i", 2020, "ICE"),
];

/// The token id of the vehicle that is shared, under both contracts.
const SHARED_TOKEN: usize = 7;

/// Stores what is not there yet.
pub(super) async fn prepare(
    config: &Config,
    store: &Store,
    license: &ClientId,
    owner: Address,
    now: Timestamp,
    entropy: &Entropy,
) -> Result<(), String> {
    let explain = |reason: &dyn std::fmt::Display| format!("the demo assets cannot be stored: {reason}");
    let mut missing = Vec::new();
    for asset in all(owner).map_err(|reason| explain(&reason))? {
        if store.asset(&asset.did).await.map_err(|reason| explain(&reason))?.is_none() {
            missing.push(asset);
        }
    }
    match store.import_assets(missing, false, now).await.map_err(|reason| explain(&reason))? {
        AssetsImported::All(_) => {}
        AssetsImported::OtherOwners(_) => return Err(explain(&"somebody else is storing them")),
    }
    let expires_at = now.plus(config.assets.longest_grant);
    for (did, permissions, events) in shares(config).map_err(|reason| explain(&reason))? {
        if permissions.is_empty() || !wants_grant(store, license, did, owner).await.map_err(|reason| explain(&reason))? {
            continue;
        }
        let grant = NewGrant {
            id: GrantId(entropy.uuid(now)),
            asset: Some((did, 0)),
            grantee: license.clone(),
            permissions,
            events,
            effective_at: now,
            expires_at,
            template: None,
            purpose: Some("To try things with".to_owned()),
        };
        let granting = Granting { by: Actor::Operator, source: GrantSource::Operator, visit: None, replaces: false };
        match store.create_grants(granting, vec![grant], now).await.map_err(|reason| explain(&reason))? {
            // A license that was disabled, or an asset that was passed on a moment ago, is as somebody wants it.
            GrantOutcome::Made(_) | GrantOutcome::NotTheirs(_) | GrantOutcome::NoGrantee(_) | GrantOutcome::TooMany(_) => {}
        }
    }
    Ok(())
}

// Whether the asset is as it was made, and the license never had anything on it: what was ended stays ended.
async fn wants_grant(store: &Store, license: &ClientId, did: AssetDid, owner: Address) -> Result<bool, crate::store::StoreError> {
    let untouched = store.asset(&did).await?.is_some_and(|asset| asset.owner == Some(Owner::Address(owner)) && asset.epoch == 0);
    let page = GrantPage { asset: Some(did), grantee: Some(license.clone()), limit: 1, ..GrantPage::default() };
    Ok(untouched && store.grants(&page).await?.is_empty())
}

fn all(owner: Address) -> Result<Vec<AssetImport>, crate::domain::AssetDidError> {
    let asset = |did: AssetDid| AssetImport {
        did,
        owner: Some(Owner::Address(owner)),
        make: None,
        model: None,
        year: None,
        powertrain: None,
        name: None,
        attributes: None,
        minted_at: None,
        claim: None,
    };
    let mut assets = vec![AssetImport { name: Some("Demo manufacturer".to_owned()), ..asset(MANUFACTURER.parse()?) }];
    for contract in CONTRACTS {
        for (token, (make, model, year, powertrain)) in (1..).zip(VEHICLES) {
            assets.push(AssetImport {
                make: Some(make.to_owned()),
                model: Some(model.to_owned()),
                year: Some(year),
                powertrain: Some(powertrain.to_owned()),
                name: Some(format!("Demo {model}")),
                ..asset(format!("{contract}:{token}").parse()?)
            });
        }
    }
    Ok(assets)
}

// What the license is granted where it has nothing yet: of the vehicle everything, of the manufacturer what the sample asks for.
fn shares(config: &Config) -> Result<Vec<(AssetDid, PermissionSet, Vec<EventFilter>)>, String> {
    let mut shares = Vec::new();
    for contract in CONTRACTS {
        let did: AssetDid = format!("{contract}:{SHARED_TOKEN}").parse().map_err(|reason| format!("{reason}"))?;
        shares.push((did, config.vocabulary.known(did.method()).clone(), vec![EventFilter::any()]));
    }
    let did: AssetDid = MANUFACTURER.parse().map_err(|reason| format!("{reason}"))?;
    let wanted: PermissionSet = OF_MANUFACTURER.parse().map_err(|reason| format!("{reason}"))?;
    shares.push((did, wanted.intersection(config.vocabulary.known(did.method())), Vec::new()));
    Ok(shares)
}
