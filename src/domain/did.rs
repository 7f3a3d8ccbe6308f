//! The names of assets: a token of a contract on a chain (`did:erc721`), or an address there (`did:ethr`).
//!
//! Read strictly and shown in one form, so that one asset has one name and two texts never mean the same one by accident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::token_id::is_plain_decimal;
use super::words::words;
use super::{Address, AddressError, TokenId, TokenIdError};

words! {
    /// What kind of name an asset has (Decentralized Identifiers 1.0 §8, "DID method").
    AssetMethod {
        /// A token: chain, contract and token id.
        Erc721 = "erc721",
        /// An address: chain and address.
        Ethr = "ethr",
    }
}

/// The name of an asset. Its text has the checksum of EIP-55; input may be checksummed, or have all letters lower or all upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AssetDid {
    /// `did:erc721:{chain}:{contract}:{token id}`
    Erc721 { chain: ChainId, contract: Address, token_id: TokenId },
    /// `did:ethr:{chain}:{address}`
    Ethr { chain: ChainId, address: Address },
}

/// The number of a chain (EIP-155): 1 to 2^53 − 1, so that JSON numbers hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(u64);

/// Why a text names no asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetDidError {
    #[error("the name of an asset has at most {} characters", AssetDid::LONGEST)]
    TooLong,
    #[error("the name of an asset is did:erc721:{{chain}}:{{contract}}:{{token id}} or did:ethr:{{chain}}:{{address}}")]
    Malformed,
    #[error(transparent)]
    Chain(#[from] ChainIdError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    TokenId(#[from] TokenIdError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain is a decimal number from 1 to 9007199254740991, without leading zeros")]
pub struct ChainIdError;

impl AssetDid {
    /// The longest text that is looked at, in bytes; the longest name has 149.
    pub const LONGEST: usize = 200;

    #[must_use]
    pub const fn method(&self) -> AssetMethod {
        match self {
            Self::Erc721 { .. } => AssetMethod::Erc721,
            Self::Ethr { .. } => AssetMethod::Ethr,
        }
    }

    #[must_use]
    pub const fn chain(&self) -> ChainId {
        match self {
            Self::Erc721 { chain, .. } | Self::Ethr { chain, .. } => *chain,
        }
    }

    /// The contract of the token, or the address that the asset is.
    #[must_use]
    pub const fn contract(&self) -> Address {
        match self {
            Self::Erc721 { contract, .. } => *contract,
            Self::Ethr { address, .. } => *address,
        }
    }

    #[must_use]
    pub const fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Erc721 { token_id, .. } => Some(*token_id),
            Self::Ethr { .. } => None,
        }
    }
}

impl FromStr for AssetDid {
    type Err = AssetDidError;

    fn from_str(text: &str) -> Result<Self, AssetDidError> {
        if text.len() > Self::LONGEST {
            return Err(AssetDidError::TooLong);
        }
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["did", "erc721", chain, contract, token_id] => {
                Ok(Self::Erc721 { chain: chain.parse()?, contract: contract.parse()?, token_id: token_id.parse()? })
            }
            ["did", "ethr", chain, address] => Ok(Self::Ethr { chain: chain.parse()?, address: address.parse()? }),
            _ => Err(AssetDidError::Malformed),
        }
    }
}

impl fmt::Display for AssetDid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Erc721 { chain, contract, token_id } => write!(f, "did:erc721:{chain}:{contract}:{token_id}"),
            Self::Ethr { chain, address } => write!(f, "did:ethr:{chain}:{address}"),
        }
    }
}

impl ChainId {
    const GREATEST: u64 = (1 << 53) - 1;

    /// `None` for 0 and for numbers that JSON does not hold exactly.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number >= 1 && number <= Self::GREATEST { Some(Self(number)) } else { None }
    }

    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for ChainId {
    type Err = ChainIdError;

    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        if !is_plain_decimal(text) {
            return Err(ChainIdError);
        }
        text.parse().ok().and_then(Self::new).ok_or(ChainIdError)
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for AssetDid {
    type Error = AssetDidError;

    fn try_from(text: String) -> Result<Self, AssetDidError> {
        text.parse()
    }
}

impl From<AssetDid> for String {
    fn from(did: AssetDid) -> Self {
        did.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTRACT: &str = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";

    fn erc721(chain: &str, contract: &str, token_id: &str) -> Result<AssetDid, AssetDidError> {
        format!("did:erc721:{chain}:{contract}:{token_id}").parse()
    }

    #[test]
    fn a_name_has_one_form() {
        let shown = format!("did:erc721:137:{CONTRACT}:7");
        for contract in [CONTRACT.to_owned(), CONTRACT.to_lowercase(), format!("0x{}", CONTRACT[2..].to_uppercase())] {
            assert_eq!(erc721("137", &contract, "7").unwrap().to_string(), shown);
            let ethr: AssetDid = format!("did:ethr:137:{contract}").parse().unwrap();
            assert_eq!(ethr.to_string(), format!("did:ethr:137:{CONTRACT}"));
        }
        let did = erc721("137", CONTRACT, "7").unwrap();
        assert_eq!((did.method(), did.chain().get(), did.contract().to_string().as_str()), (AssetMethod::Erc721, 137, CONTRACT));
        assert_eq!(did.token_id().and_then(|id| id.as_u64()), Some(7));
        assert_eq!(serde_json::to_value(did).unwrap(), serde_json::json!(shown));
        assert_eq!(serde_json::from_value::<AssetDid>(serde_json::json!(shown)).unwrap(), did);
    }

    #[test]
    fn the_token_id_is_read_as_strictly() {
        for text in ["", "-1", "1e3", "07", "seven", &"9".repeat(78)] {
            assert_eq!(erc721("137", CONTRACT, text), Err(AssetDidError::TokenId(TokenIdError)), "{text}");
        }
        let greatest = TokenId::from_be_bytes([255; 32]);
        assert_eq!(erc721("137", CONTRACT, &greatest.to_string()).unwrap().token_id(), Some(greatest));
    }

    #[test]
    fn chains_are_numbers_that_json_holds() {
        for (text, fits) in [
            ("1", true),
            ("137", true),
            ("9007199254740991", true),
            ("9007199254740992", false),
            ("18446744073709551616", false),
            ("0", false),
            ("", false),
            ("0137", false),
            ("-137", false),
            ("+137", false),
            ("0x89", false),
            ("polygon", false),
        ] {
            assert_eq!(text.parse::<ChainId>().is_ok(), fits, "{text}");
            assert_eq!(erc721(text, CONTRACT, "7").err(), (!fits).then_some(AssetDidError::Chain(ChainIdError)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mistyped = CONTRACT.replace("bA57", "ba57");
        for (text, wrong) in [
            (String::new(), AssetDidError::Malformed),
            ("did".to_owned(), AssetDidError::Malformed),
            (CONTRACT.to_owned(), AssetDidError::Malformed),
            (format!("did:erc20:137:{CONTRACT}:7"), AssetDidError::Malformed),
            (format!("DID:erc721:137:{CONTRACT}:7"), AssetDidError::Malformed),
            (format!("did:ERC721:137:{CONTRACT}:7"), AssetDidError::Malformed),
            (format!(" did:erc721:137:{CONTRACT}:7"), AssetDidError::Malformed),
            (format!("did:erc721:137:{CONTRACT}"), AssetDidError::Malformed),
            (format!("did:erc721:137:{CONTRACT}:7:8"), AssetDidError::Malformed),
            (format!("did:erc721:137:{CONTRACT}:7:"), AssetDidError::Malformed),
            (format!("did:ethr:137:{CONTRACT}:7"), AssetDidError::Malformed),
            (format!("did:ethr:{CONTRACT}"), AssetDidError::Malformed),
            (format!("did:erc721:137:{CONTRACT}:7#owner"), AssetDidError::TokenId(TokenIdError)),
            (format!("did:erc721:137:{mistyped}:7"), AssetDidError::Address(AddressError::Checksum)),
            (format!("did:ethr:137:{}", &CONTRACT[..41]), AssetDidError::Address(AddressError::Malformed)),
            (format!("did:ethr:137:{CONTRACT}#controller"), AssetDidError::Address(AddressError::Malformed)),
            (format!("did:ethr:137:{}", CONTRACT.replace("0x", "0X")), AssetDidError::Address(AddressError::Malformed)),
            (format!("did:erc721:137:{CONTRACT}:{}", "7".repeat(200)), AssetDidError::TooLong),
        ] {
            assert_eq!(text.parse::<AssetDid>(), Err(wrong), "{text}");
        }
    }

    prop_compose! {
        fn any_did()(chain in 1..=ChainId::GREATEST, contract in any::<[u8; 20]>(), token_id in any::<[u8; 32]>(), token in any::<bool>())
            -> AssetDid {
            let (chain, address) = (ChainId(chain), Address::from_bytes(contract));
            if token { AssetDid::Erc721 { chain, contract: address, token_id: TokenId::from_be_bytes(token_id) } } else { AssetDid::Ethr { chain, address } }
        }
    }

    proptest! {
        #[test]
        fn text_and_back(did in any_did()) {
            let text = did.to_string();
            prop_assert!(text.len() <= AssetDid::LONGEST);
            prop_assert_eq!(text.parse::<AssetDid>(), Ok(did));
            prop_assert_eq!(text.replace(&did.contract().to_string(), &did.contract().to_string().to_lowercase()).parse::<AssetDid>(), Ok(did));
        }

        #[test]
        fn what_is_read_is_shown_in_one_form(text in "(did|DID)?:?(erc721|ethr|erc20)?:?[0-9]{0,4}:?(0x[0-9a-f]{40})?:?[0-9e.+ -]{0,4}") {
            if let Ok(did) = text.parse::<AssetDid>() {
                prop_assert!(did.to_string().eq_ignore_ascii_case(&text));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,220}") {
            let _ = (text.parse::<AssetDid>(), text.parse::<ChainId>());
        }
    }
}
