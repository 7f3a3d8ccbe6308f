//! The sealing key: what keeps private keys and the server's own secrets unreadable in the database and its backups.
//!
//! In comes a file or a text of the operator's, out goes AES-256-GCM: a random nonce of 12 bytes, the ciphertext, the tag of 16.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use super::KeysError;
use crate::domain::Entropy;

/// 32 bytes that seal everything else; wiped when dropped.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A key's text: 43 characters of base64url without padding, or 64 hexadecimal digits; white space around it is passed over.
    pub fn from_text(text: &str) -> Result<Self, KeysError> {
        let text = text.trim();
        let mut bytes = Zeroizing::new(match text.len() {
            43 => URL_SAFE_NO_PAD.decode(text).map_err(|_| KeysError::MalformedSealingKey)?,
            64 => from_hex(text.as_bytes()).ok_or(KeysError::MalformedSealingKey)?,
            _ => return Err(KeysError::MalformedSealingKey),
        });
        let key = bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeysError::MalformedSealingKey)?;
        bytes.zeroize();
        Ok(Self(key))
    }

    /// Reads a key file (or a mounted secret), which nobody but its owner may be able to read or write.
    pub fn from_file(path: &Path) -> Result<Self, KeysError> {
        let failed = |reason| KeysError::SealingKeyFile { path: path.to_owned(), reason };
        let file = File::open(path).map_err(failed)?;
        // Asked of the open file, so that it cannot be exchanged between the question and the reading.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeysError::LooseSealingKeyFile { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(1_024).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text).map_err(|_| KeysError::MalformedSealingKeyFile(path.to_owned()))
    }

    /// Reads the key file, or makes one of mode 0600 with a new key where there is none.
    ///
    /// Two processes that start at once end with one key: the file appears whole, and the first to put it there wins.
    pub fn from_file_or_new(path: &Path, entropy: &Entropy) -> Result<Self, KeysError> {
        match Self::from_file(path) {
            Err(KeysError::SealingKeyFile { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                create(path, entropy).map_err(|reason| KeysError::SealingKeyFile { path: path.to_owned(), reason })?;
                Self::from_file(path)
            }
            other => other,
        }
    }

    /// Seals `plain`; `aad` names what it is and must be given again to open it.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeysError> {
        let mut sealed = plain.to_vec();
        let nonce = self.cipher()?.seal_in_place_append_tag(Aad::from(aad), &mut sealed).map_err(|_| KeysError::Crypto("seal a secret"))?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    /// Opens what [`Self::seal`] made; `what` is what the operator reads when it does not open.
    ///
    /// # Errors
    /// [`KeysError::WrongSealingKey`] when it was sealed with another key or under another `aad`, or was changed.
    pub fn open(&self, aad: &[u8], sealed: &[u8], what: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let wrong = || KeysError::WrongSealingKey { what: what.to_owned() };
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length = self.cipher()?.open_in_place(nonce, Aad::from(aad), &mut plain).map_err(|_| wrong())?.len();
        plain.truncate(length);
        Ok(plain)
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, KeysError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).map_err(|_| KeysError::Crypto("set up the sealing key"))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

/// Writes a new key beside `path` and links it into place: a link, unlike a rename, never replaces what is there.
fn create(path: &Path, entropy: &Entropy) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let linked = write_draft(&draft, entropy).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.and(removed).and_then(|()| File::open(folder)?.sync_all()),
    }
}

fn write_draft(draft: &Path, entropy: &Entropy) -> io::Result<()> {
    let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*Zeroizing::new(entropy.bytes::<32>())));
    text.push('\n');
    // A draft that a crash left behind would be in the way; it never was a key.
    match fs::remove_file(draft) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => return Err(reason),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    // Keys will be sealed with it at once: it must be on the disk before they are.
    file.sync_all()
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn key() -> SealingKey {
        SealingKey::from_text(TEXT).unwrap()
    }

    /// A folder of this test's own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("latchkey-sealing-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn both_texts_of_a_key_are_one_key() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let sealed = key().seal(b"aad", b"plain").unwrap();
        for text in [hex.to_owned(), hex.to_uppercase(), format!(" {TEXT}\n")] {
            assert_eq!(SealingKey::from_text(&text).unwrap().open(b"aad", &sealed, "it").unwrap().as_slice(), b"plain");
        }
        for text in ["", "short", &TEXT[1..], &format!("{TEXT}="), &"g".repeat(64), &"é".repeat(32), &"+".repeat(43)] {
            assert!(matches!(SealingKey::from_text(text), Err(KeysError::MalformedSealingKey)), "{text}");
        }
    }

    #[test]
    fn what_is_sealed_opens_with_its_own_key_and_name_alone() {
        let sealed = key().seal(b"aad", b"plain").unwrap();
        assert_ne!(sealed, key().seal(b"aad", b"plain").unwrap(), "each sealing has its own nonce");
        let other = SealingKey::from_text(&"ab".repeat(32)).unwrap();
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        for (key, aad, sealed) in [
            (&other, b"aad".as_slice(), sealed.as_slice()),
            (&key(), b"daa", &sealed),
            (&key(), b"aad", &changed),
            (&key(), b"aad", &sealed[..11]),
        ] {
            let problem = key.open(aad, sealed, "the signing key k1").unwrap_err().to_string();
            assert_eq!(
                problem,
                "the sealing key does not open the signing key k1 in the database: it was sealed with another key. \
                 Start with the sealing key that this database was first used with"
            );
        }
    }

    #[test]
    fn a_new_key_file_is_its_owners_alone_and_stays() {
        let folder = Folder::new("new");
        let path = folder.0.join("deep/sealing.key");
        let made = SealingKey::from_file_or_new(&path, &Entropy::System).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        let again = SealingKey::from_file_or_new(&path, &Entropy::System).unwrap();
        assert_eq!(made.0, again.0);
        // The loser of a race keeps the winner's key.
        create(&path, &Entropy::System).unwrap();
        assert_eq!(SealingKey::from_file(&path).unwrap().0, made.0);
    }

    #[test]
    fn a_key_file_that_others_can_use_is_refused() {
        let folder = Folder::new("loose");
        let path = folder.0.join("sealing.key");
        SealingKey::from_file_or_new(&path, &Entropy::System).unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o610, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let problem = SealingKey::from_file_or_new(&path, &Entropy::System).unwrap_err().to_string();
            let path = path.display();
            assert_eq!(
                problem,
                format!("the sealing key file {path} can be used by others than its owner (mode {mode:04o}): run `chmod 600 {path}`")
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(SealingKey::from_file(&path).is_ok());
    }

    #[test]
    fn a_key_file_without_a_key_is_refused_and_kept() {
        let folder = Folder::new("empty");
        let path = folder.0.join("sealing.key");
        let missing = SealingKey::from_file(&path).unwrap_err().to_string();
        assert!(missing.contains(&path.display().to_string()) && missing.contains("No such file"), "{missing}");
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        assert!(matches!(SealingKey::from_file_or_new(&path, &Entropy::System), Err(KeysError::MalformedSealingKeyFile(_))));
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_sentence() {
        let folder = Folder::new("blocked");
        fs::write(folder.0.join("file"), b"").unwrap();
        let problem = SealingKey::from_file_or_new(&folder.0.join("file/sealing.key"), &Entropy::System).unwrap_err().to_string();
        assert!(problem.contains("sealing.key cannot be used: Not a directory"), "{problem}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(sealed in prop::collection::vec(any::<u8>(), 0..100), text in "\\PC{0,70}") {
            prop_assert!(key().open(b"aad", &sealed, "it").is_err());
            let _ = SealingKey::from_text(&text);
        }

        #[test]
        fn there_and_back(aad in prop::collection::vec(any::<u8>(), 0..50), plain in prop::collection::vec(any::<u8>(), 0..3_000)) {
            let sealed = key().seal(&aad, &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + 28);
            let opened = key().open(&aad, &sealed, "it").unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
        }
    }
}
