//! What may become of a client that changes its registration, by an update or by its document: what must stay, what stays the operator's,
//! and whether people are to be asked again.

use std::collections::BTreeSet;

use super::{Terms, wrong};
use crate::domain::{Held, RedirectUri, SubjectType};
use crate::protocol::error::OAuthError;
use crate::store::ClientRecord;

/// Whether a client may be changed into another: the subjects that it was told must stay what they are, and it must never come to those of
/// another sector by people who signed in to it before.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn check_change(before: &ClientRecord, after: &ClientRecord, terms: Terms) -> Result<(), OAuthError> {
    let form = |client: &ClientRecord| client.subject_type.unwrap_or(terms.subject);
    // A client that is not pairwise may have redirect URIs of several hosts, and its refresh tokens live on.
    if form(before) != form(after) {
        return Err(wrong("subject_type cannot change: people would be others to the app than before; register a new client"));
    }
    let pairwise = form(after) == SubjectType::Pairwise;
    if pairwise && before.sector.is_some() && after.sector() != before.sector {
        return Err(wrong(
            "the sector of a client with pairwise subjects cannot change: keep sector_identifier_uri and the redirect URIs' host, or register a new client",
        ));
    }
    Ok(())
}

/// Whether people would take the client for another one than they agreed to: it has another name, or sends them where it never did. More
/// scopes are no matter here, since each is agreed to.
#[must_use]
pub fn is_another(before: &ClientRecord, after: &ClientRecord) -> bool {
    let known: BTreeSet<&str> = before.redirect_uris.iter().map(RedirectUri::host).collect();
    before.name != after.name || after.redirect_uris.iter().any(|uri| !known.contains(uri.host()))
}

/// What the app wishes, but for what an operator has set meanwhile: that stays as it is, and so does his word.
// RFC 7592 §2.2: "The authorization server MAY … replace any of the client's requested metadata values with suitable substitutes": the
// answer shows what is there.
#[must_use]
pub fn keep_held(before: &ClientRecord, wished: ClientRecord) -> ClientRecord {
    let mut after = ClientRecord { operator: before.operator.clone(), ..wished };
    let (kept, now) = (&before.metadata, &mut after.metadata);
    for held in &before.operator.held {
        match held {
            Held::ClientName => after.name.clone_from(&before.name),
            Held::RedirectUris => after.redirect_uris.clone_from(&before.redirect_uris),
            Held::PostLogoutRedirectUris => after.post_logout_redirect_uris.clone_from(&before.post_logout_redirect_uris),
            Held::BackchannelLogoutUri => after.backchannel_logout_uri.clone_from(&before.backchannel_logout_uri),
            Held::TokenEndpointAuthMethod => {
                after.auth_method = before.auth_method;
                (now.jwks, now.jwks_uri) = (kept.jwks.clone(), kept.jwks_uri.clone());
                now.token_endpoint_auth_signing_alg = kept.token_endpoint_auth_signing_alg;
            }
            Held::GrantTypes => now.grant_types.clone_from(&kept.grant_types),
            Held::Scope => now.scope.clone_from(&kept.scope),
            Held::RequirePushedAuthorizationRequests => {
                now.require_pushed_authorization_requests = kept.require_pushed_authorization_requests;
            }
            Held::Pkce => after.pkce = before.pkce,
            Held::ClaimsProfile => after.claims_profile = before.claims_profile,
            Held::SubjectType => after.subject_type = before.subject_type,
            Held::SigningAlg => after.signing_alg = before.signing_alg,
            Held::AccessTokenLifetime => after.access_token = before.access_token,
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{ClaimsProfile, ClientMetadata, Pkce};
    use crate::policy::registration::tests::{TERMS, decide};
    use crate::store::ClientSource;

    #[test]
    fn who_is_another_in_peoples_eyes() {
        let client = |name: &str, uris: &[&str]| {
            decide(ClientSource::Registration, &json!({ "client_name": name, "redirect_uris": uris }), TERMS).unwrap()
        };
        let before = client("App", &["https://app.example/a", "https://other.example/a"]);
        for (name, uris, another) in [
            ("App", &["https://app.example/a", "https://other.example/a"][..], false),
            ("App", &["https://app.example/b"], false),
            ("app", &["https://app.example/a"], true),
            ("App", &["https://app.example/a", "https://app.example:8443/a"], true),
            ("App", &["https://evil.example/a"], true),
        ] {
            assert_eq!(is_another(&before, &client(name, uris)), another, "{name} {uris:?}");
        }
        let more = ClientRecord {
            metadata: ClientMetadata { scope: Some("openid".parse().unwrap()), ..before.metadata.clone() },
            ..before.clone()
        };
        assert!(!is_another(&before, &more));
    }

    // Each part that can be held stays what it was, alone; nothing else of the record of before does.
    #[test]
    fn what_an_operator_has_set_stays() {
        use std::fmt::Write as _;
        let before = json!({
            "redirect_uris": ["https://before.example/cb"], "post_logout_redirect_uris": ["https://before.example/bye"],
            "backchannel_logout_uri": "https://before.example/ended", "client_name": "Before", "scope": "openid",
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://before.example/keys",
            "token_endpoint_auth_signing_alg": "ES256", "grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"], "subject_type": "pairwise",
            "require_pushed_authorization_requests": true, "id_token_signed_response_alg": "EdDSA",
        });
        let wished = json!({ "redirect_uris": ["https://wished.example/cb"], "client_name": "Wished" });
        let decided = |members: &Value| decide(ClientSource::Registration, members, TERMS).unwrap();
        let wished = decided(&wished);
        let lines = |client: &ClientRecord| format!("{client:#?}").lines().map(str::to_owned).collect::<Vec<_>>();
        let all = serde_json::json!([
            "client_name",
            "redirect_uris",
            "post_logout_redirect_uris",
            "backchannel_logout_uri",
            "token_endpoint_auth_method",
            "grant_types",
            "scope",
            "require_pushed_authorization_requests",
            "pkce",
            "claims_profile",
            "subject_type",
            "signing_alg",
            "access_token_lifetime",
        ]);
        let all: Vec<Held> = serde_json::from_value(all).unwrap();
        let mut table = String::new();
        for held in all {
            let mut before = decided(&before);
            (before.pkce, before.claims_profile) = (Pkce::Required, ClaimsProfile::Compat);
            before.access_token = Duration::from_mins(10);
            before.operator.held = [held].into();
            let mut after = keep_held(&before, wished.clone());
            assert_eq!(after.operator, before.operator);
            after.operator = wished.operator.clone();
            let plain = lines(&wished);
            let changed = lines(&after).into_iter().filter(|line| !plain.contains(line)).collect::<Vec<_>>();
            assert!(!changed.is_empty(), "{held:?} is not kept");
            writeln!(table, "{held:?}\n{}", changed.join("\n")).unwrap();
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn pairwise_subjects_stay_what_they_are() {
        let one = json!({ "redirect_uris": ["https://a.example/cb"], "subject_type": "pairwise" });
        let other = json!({ "redirect_uris": ["https://b.example/cb"], "subject_type": "pairwise" });
        let public = json!({ "redirect_uris": ["https://b.example/cb"] });
        let client = |members: &Value| decide(ClientSource::Registration, members, TERMS).unwrap();
        assert!(check_change(&client(&one), &client(&one), TERMS).is_ok());
        assert!(check_change(&client(&one), &client(&other), TERMS).is_err());
        assert!(check_change(&client(&one), &client(&public), TERMS).is_err());
        assert!(check_change(&client(&public), &client(&one), TERMS).is_err(), "nor may it come to the subjects of a sector later");
        let elsewhere = json!({ "redirect_uris": ["https://c.example/cb"] });
        assert!(check_change(&client(&public), &client(&elsewhere), TERMS).is_ok());
        assert!(check_change(&client(&one), &client(&public), Terms { subject: SubjectType::Pairwise, ..TERMS }).is_err());
    }
}
