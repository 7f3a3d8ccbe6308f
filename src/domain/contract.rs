//! Contracts on a chain, as older requests name assets: by contract and token id alone.

use std::fmt;
use std::str::FromStr;

use super::{Address, AddressError, ChainId, ChainIdError};

/// A contract of assets, and the chain on which it is. Its text is `137:0x…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    pub chain: ChainId,
    pub address: Address,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    #[error("a contract is the number of its chain, a colon and its address, like 137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF")]
    Malformed,
    #[error(transparent)]
    Chain(#[from] ChainIdError),
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl FromStr for Contract {
    type Err = ContractError;

    fn from_str(text: &str) -> Result<Self, ContractError> {
        let (chain, address) = text.split_once(':').ok_or(ContractError::Malformed)?;
        Ok(Self { chain: chain.parse()?, address: address.parse()? })
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chain, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_is_on_a_chain() {
        let text = "137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
        assert_eq!(text.parse::<Contract>().unwrap().to_string(), text);
        for (text, wrong) in [
            ("0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF", ContractError::Malformed),
            ("0:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF", ContractError::Chain(ChainIdError)),
            ("137:0xbA57", ContractError::Address(AddressError::Malformed)),
        ] {
            assert_eq!(text.parse::<Contract>(), Err(wrong), "{text}");
        }
    }
}
