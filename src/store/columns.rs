//! How the domain's words lie in columns: one encoding each, the same on both engines.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};
use uuid::Uuid;

use crate::domain::{
    AccountId, Address, AssetDid, AuthMethod, BackupState, Ceremony, ChallengeId, ClaimsProfile, ClientId, ClientKind, CodeId, DeviceId,
    Email, EmailCodeId, FamilyId, GrantEnd, GrantId, GrantSource, InteractionId, KeyPurpose, PermissionSet, Pkce, Provider, RedirectUri,
    Scope, SessionId, SigningAlg, SubjectType, Timestamp, TokenHash,
};

// A value whose column has the type of `$column`: it is written by `$write` and read back by `$read`.
macro_rules! column {
    ($($value:ty as $column:ty { $write:expr, $read:expr })*) => {$(
        impl<DB: Database> Type<DB> for $value
        where
            $column: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$column as Type<DB>>::type_info()
            }

            fn compatible(found: &DB::TypeInfo) -> bool {
                <$column as Type<DB>>::compatible(found)
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $value
        where
            $column: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let write: fn(&Self) -> $column = $write;
                <$column as Encode<'q, DB>>::encode(write(self), buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $value
        where
            $column: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let read: fn($column) -> Result<Self, BoxDynError> = $read;
                read(<$column as Decode<'r, DB>>::decode(value)?)
            }
        }
    )*};
}

column! {
    Timestamp as i64 { |moment| moment.micros(), |micros| Ok(Self::from_micros(micros)) }
    TokenHash as Vec<u8> {
        |hash| hash.as_bytes().to_vec(),
        |bytes| Self::from_stored(&bytes).ok_or_else(|| "a hash of another length than 32 bytes".into())
    }
    AccountId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    SessionId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    InteractionId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    ChallengeId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    CodeId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    FamilyId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    DeviceId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    EmailCodeId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    GrantId as Uuid { |id| id.0, |id| Ok(Self(id)) }
    Email as String { |email| email.as_str().to_owned(), |text| Ok(text.parse()?) }
    Provider as String { |provider| provider.as_str().to_owned(), |text| Ok(Self::new(text)) }
    ClientId as String { |id| id.as_str().to_owned(), |text| Ok(text.parse()?) }
    RedirectUri as String { |uri| uri.as_str().to_owned(), |text| Ok(text.parse()?) }
    Scope as String { ToString::to_string, |text| Ok(text.parse()?) }
    Address as String { Self::checksummed, |text| Ok(text.parse()?) }
    AssetDid as String { ToString::to_string, |text| Ok(text.parse()?) }
    PermissionSet as String { ToString::to_string, |text| Ok(text.parse()?) }
    GrantSource as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    BackupState as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    Ceremony as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    GrantEnd as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    ClientKind as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    AuthMethod as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    Pkce as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    ClaimsProfile as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    SubjectType as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    KeyPurpose as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
    SigningAlg as String { |word| word.as_str().to_owned(), |text| Ok(text.parse()?) }
}
