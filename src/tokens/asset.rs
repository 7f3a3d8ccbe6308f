//! Asset tokens: minted from what was granted, with the keys of their own issuer.

use crate::domain::{AssetDid, ClientId, KeyPurpose, SigningAlg, Timestamp};
use crate::keys::{KeysError, TokenKind, VerifiedClaims};
use crate::policy::asset_claims::{Actor, AssetClaims, Minting};
use crate::policy::grants::Granted;
use crate::state::State;
use crate::tokens::AssetTokenId;

/// For whom a client acts (RFC 8693 §1.1, delegation): its own token, and that of the other one.
#[derive(Clone, Copy, Debug)]
pub struct OnBehalf<'a> {
    pub actor: &'a VerifiedClaims,
    pub subject: &'a VerifiedClaims,
}

/// The token, and when it ends.
pub fn for_asset(
    state: &State,
    client: &ClientId,
    (asset, granted): (AssetDid, &Granted),
    audience: &[String],
    id: AssetTokenId,
    on_behalf: Option<OnBehalf<'_>>,
    now: Timestamp,
) -> Result<(String, Timestamp), KeysError> {
    let minting = Minting {
        issuer: state.keys.issuer(KeyPurpose::Assets),
        lifetime: state.config.assets.token_lifetime,
        vocabulary: &state.config.vocabulary,
        now,
    };
    let mut claims = AssetClaims::of(minting, client, asset, granted, audience, id.jti());
    if let Some(OnBehalf { actor, subject }) = on_behalf {
        claims = claims.on_behalf(subject.sub(), Actor { sub: actor.sub(), act: subject.as_map().get("act") });
    }
    let ends = Timestamp::from_seconds(claims.exp);
    Ok((state.keys.sign(TokenKind::AssetToken, SigningAlg::Rs256, &claims)?, ends))
}
