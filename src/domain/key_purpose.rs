//! What signing keys are for: each purpose has an issuer, a line of keys and a published set of its own.

use super::words::words;

words! {
    /// What a signing key is for.
    KeyPurpose {
        /// Access tokens, ID tokens and all that is about signing in.
        Signin = "signin",
        /// Asset tokens, and the receipts of grants.
        Assets = "assets",
    }
}
