//! The scalars of the schema: addresses, moments and numbers of 256 bits.

use async_graphql::{InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};

use crate::domain::{Address, Timestamp, TokenId};

/// An address of 20 bytes, in hex with its checksum (EIP-55).
#[derive(Clone, Copy, Debug)]
pub(super) struct Hex(pub(super) Address);

/// A moment as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Timestamp);

/// A number of up to 256 bits: a number below 2^53, else a text of digits. Either is accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct BigInt(pub(super) TokenId);

/// From here on a JSON number may not be what was written.
const INEXACT: u64 = 1 << 53;

#[Scalar(name = "Address")]
impl ScalarType for Hex {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse().map(Self).map_err(InputValueError::custom)
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[Scalar]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Timestamp::parse_rfc3339(text).map(Self).ok_or_else(|| InputValueError::custom("a moment is written like 2026-01-31T12:00:00Z"))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.rfc3339())
    }
}

#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => {
                let exact = number.as_u64().filter(|number| *number < INEXACT);
                exact.map(|number| Self(number.into())).ok_or_else(|| {
                    InputValueError::custom("a number is whole, not below 0, and below 2^53; write a greater one as text, in quotes")
                })
            }
            Value::String(text) => text.parse().map(Self).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_) | Value::Number(_))
    }

    fn to_value(&self) -> Value {
        match self.0.as_u64().filter(|number| *number < INEXACT) {
            Some(number) => Value::Number(Number::from(number)),
            None => Value::String(self.0.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn a_token_id_is_a_number_or_a_text() {
        let number = |number: u64| Value::Number(Number::from(number));
        let greatest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        for (given, told) in [
            (number(0), Some(number(0))),
            (number(7), Some(number(7))),
            (text("7"), Some(number(7))),
            (number(INEXACT - 1), Some(number(INEXACT - 1))),
            (text("9007199254740992"), Some(text("9007199254740992"))),
            (text(greatest), Some(text(greatest))),
            (number(INEXACT), None),
            (text("115792089237316195423570985008687907853269984665640564039457584007913129639936"), None),
            (Value::Number(Number::from(-1)), None),
            (text("-1"), None),
            (text("1e3"), None),
            (text("seven"), None),
            (Value::Boolean(true), None),
            (Value::Null, None),
        ] {
            assert_eq!(BigInt::parse(given.clone()).ok().map(|read| read.to_value()), told, "{given}");
        }
    }

    #[test]
    fn addresses_and_moments_have_one_form() {
        let address = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
        assert_eq!(Hex::parse(text(&address.to_lowercase())).ok().map(|read| read.to_value()), Some(text(address)));
        assert!(Hex::parse(text(&address.replace("bA57", "ba57"))).is_err());
        assert_eq!(Time::parse(text("2026-01-01T01:00:00+01:00")).ok().map(|read| read.to_value()), Some(text("2026-01-01T00:00:00Z")));
        assert!(Time::parse(text("yesterday")).is_err());
    }
}
