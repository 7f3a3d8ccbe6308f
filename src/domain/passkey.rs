//! Words about passkeys (Web Authentication).

use super::words::words;

words! {
    /// What an authenticator is asked to do (Web Authentication §4).
    Ceremony {
        /// To make a passkey.
        Registration = "registration",
        /// To sign with one.
        Authentication = "authentication",
    }

    /// Where the private key of a passkey may be (Web Authentication §6.1.3, "Credential Backup State").
    BackupState {
        /// It never leaves the authenticator: a single-device credential.
        DeviceBound = "device_bound",
        /// It may be copied to other devices of its person, and has not been yet.
        Eligible = "eligible",
        BackedUp = "backed_up",
    }
}
