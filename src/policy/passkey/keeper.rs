//! Who keeps a passkey, by the AAGUID that its authenticator gives: a name for people's lists. Nobody vouches for it, and nothing is decided by it.

use uuid::{Uuid, uuid};

/// As their makers publish them.
const KNOWN: &[(Uuid, &str)] = &[
    (uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"), "iCloud Keychain"),
    (uuid!("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"), "Google Password Manager"),
    (uuid!("adce0002-35bc-c60a-648b-0b25f1f05503"), "Chrome on a Mac"),
    (uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96"), "Windows Hello"),
    (uuid!("9ddd1817-af5a-4672-a2b9-3e3dd95000a9"), "Windows Hello"),
    (uuid!("6028b017-b1d4-4c02-b4b3-afcdafc96bb2"), "Windows Hello"),
    (uuid!("53414d53-554e-4700-0000-000000000000"), "Samsung Pass"),
    (uuid!("bada5566-a7aa-401f-bd96-45619a55120d"), "1Password"),
    (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), "Bitwarden"),
    (uuid!("531126d6-e717-415c-9320-3d9aa6981239"), "Dashlane"),
    (uuid!("50726f74-6f6e-5061-7373-50726f746f6e"), "Proton Pass"),
    (uuid!("fdb141b2-5d84-443e-8a35-4698c205a502"), "KeePassXC"),
];

/// The text key `authData` in CBOR.
const KEY: &[u8] = b"\x68authData";
/// Hash of the RP ID, flags and counter come before it (Web Authentication §6.1).
const AAGUID_AT: usize = 37;

/// The name of who keeps it, if it is a known one.
#[must_use]
pub(super) fn of(attestation_object: &[u8]) -> Option<&'static str> {
    let found = aaguid(attestation_object)?;
    KNOWN.iter().find(|(aaguid, _)| *aaguid == found).map(|(_, name)| *name)
}

fn aaguid(attestation_object: &[u8]) -> Option<Uuid> {
    let at = attestation_object.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let value = attestation_object.get(at..)?;
    // RFC 8949 §3: a byte string whose length follows in one byte or in two.
    let data = match value.first()? {
        0x58 => value.get(2..),
        0x59 => value.get(3..),
        _ => None,
    }?;
    Uuid::from_slice(data.get(AAGUID_AT..AAGUID_AT + 16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_keeper_has_a_name_and_anything_else_has_none() {
        let object = |length: &[u8], aaguid: Uuid| {
            [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData", length, &[7; AAGUID_AT], aaguid.as_bytes(), b"and more"].concat()
        };
        let known = KNOWN[3].0;
        assert_eq!(of(&object(b"\x58\x3d", known)), Some("Windows Hello"));
        assert_eq!(of(&object(b"\x59\x00\x3d", known)), Some("Windows Hello"));
        assert_eq!(of(&object(b"\x58\x3d", Uuid::nil())), None);
        assert_eq!(of(&object(b"\x41", known)), None);
        for broken in [&b""[..], b"\x68authData", b"\x68authData\x58", b"\x68authData\x58\x02ab"] {
            assert_eq!(of(broken), None);
        }
    }
}
