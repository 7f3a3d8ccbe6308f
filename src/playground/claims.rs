//! What each claim means, in one short sentence, for people who see it for the first time.

/// Said of a claim that is not in the table.
pub(super) const OWN: &str = "A claim that no standard in this table names.";

/// Claims whose number is a moment: seconds since 1970 (RFC 7519 §2, `NumericDate`).
pub(super) fn is_moment(claim: &str) -> bool {
    matches!(claim, "exp" | "iat" | "nbf" | "auth_time" | "updated_at")
}

pub(super) fn meaning(claim: &str) -> &'static str {
    match claim {
        // RFC 7519 §4.1, RFC 9068 §2.2
        "iss" => "Who made and signed the token.",
        "sub" => "Who it is about: the person’s identifier at this app.",
        "aud" => "Whom it is for. Anybody else must refuse it.",
        "exp" => "From this moment on it is worth nothing.",
        "nbf" => "Before this moment it is worth nothing.",
        "iat" => "When it was made.",
        "jti" => "The token’s own name, by which it can be ended.",
        "client_id" => "The app that the token was given to.",
        "scope" => "What the app may ask for with it.",
        // OpenID Connect Core §2, §3.1.3.6
        "nonce" => "The random value that the app sent along: ties the token to one sign-in.",
        "auth_time" => "When the person last proved who they are.",
        "amr" => "How they proved it (RFC 8176): swk is a key in software, such as a wallet’s.",
        "acr" => "How strong that proof was.",
        "azp" => "The app that the token was made for, where there are several audiences.",
        "at_hash" => "Half of the access token’s hash: ties both tokens together.",
        "c_hash" => "Half of the code’s hash: ties the token to the code.",
        "sid" => "The sign-in session of this browser, for signing out.",
        // What the apps of licenses read
        "provider_id" => "The way of signing in: web3 is a wallet.",
        "ethereum_address" => "The wallet’s address, with its checksum (EIP-55).",
        "email" => "The person’s e-mail address.",
        "email_verified" => "Whether the server has proved that the address is theirs.",
        // OpenID Connect Core §5.1
        "name" => "The full name as it is shown.",
        "given_name" => "The first name.",
        "family_name" => "The last name.",
        "middle_name" => "The middle name.",
        "nickname" => "What friends say.",
        "preferred_username" => "The name the person likes to be known by; not unique.",
        "profile" => "The address of a page about the person.",
        "picture" => "The address of a picture of the person.",
        "website" => "The person’s web site.",
        "gender" => "The person’s gender.",
        "birthdate" => "The day of birth.",
        "zoneinfo" => "The time zone.",
        "locale" => "The language and region.",
        "updated_at" => "When these facts were last changed.",
        _ => OWN,
    }
}
