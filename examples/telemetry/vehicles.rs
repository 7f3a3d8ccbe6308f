//! Made-up data: the same vehicle always tells the same.

use serde_json::{Value, json};

/// Speed and charge, by the hour.
pub(crate) fn history(did: &str) -> Value {
    let hour = |hour: u32| json!({ "hour": hour, "speed": number(did, hour, 0, 130), "charge": number(did, hour, 20, 100) });
    (0..4).map(hour).collect()
}

/// Where it is.
pub(crate) fn location(did: &str) -> Value {
    place(did, 0)
}

/// Where it was, by the hour.
pub(crate) fn locations(did: &str) -> Value {
    (0..4).map(|hour| place(did, hour)).collect()
}

fn place(did: &str, hour: u32) -> Value {
    let degrees = |salt: u32, from: u32, to: u32| f64::from(number(did, hour + salt, from * 1_000, to * 1_000)) / 1_000.0;
    json!({ "hour": hour, "latitude": degrees(100, 40, 50), "longitude": degrees(200, 5, 15) })
}

// Any number between the two, by what is given (FNV-1a).
fn number(did: &str, salt: u32, from: u32, to: u32) -> u32 {
    let seed = did.bytes().chain(salt.to_be_bytes()).fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    from + seed % (to - from)
}
