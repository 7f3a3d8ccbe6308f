//! The claims about a person that an app may ask for: one table, read by userinfo, the `claims` parameter, consent and discovery.
//!
//! It says which scope each belongs to (OpenID Connect Core §5.4). What a claim's value is, says `policy::person_claims`.

use crate::domain::Scope;

macro_rules! claims {
    ($($(#[$doc:meta])* $name:ident = $word:literal in $scope:expr,)*) => {
        /// A claim about a person.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum StandardClaim {
            $($(#[$doc])* $name,)*
        }

        impl StandardClaim {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The scope that covers it, which is also what a person agrees to when it is asked for by name.
            #[must_use]
            pub const fn scope(self) -> &'static str {
                match self { $(Self::$name => $scope,)* }
            }
        }
    };
}

claims! {
    Name = "name" in Scope::PROFILE,
    GivenName = "given_name" in Scope::PROFILE,
    FamilyName = "family_name" in Scope::PROFILE,
    MiddleName = "middle_name" in Scope::PROFILE,
    Nickname = "nickname" in Scope::PROFILE,
    PreferredUsername = "preferred_username" in Scope::PROFILE,
    Profile = "profile" in Scope::PROFILE,
    Picture = "picture" in Scope::PROFILE,
    Website = "website" in Scope::PROFILE,
    Gender = "gender" in Scope::PROFILE,
    Birthdate = "birthdate" in Scope::PROFILE,
    Zoneinfo = "zoneinfo" in Scope::PROFILE,
    Locale = "locale" in Scope::PROFILE,
    UpdatedAt = "updated_at" in Scope::PROFILE,
    Email = "email" in Scope::EMAIL,
    EmailVerified = "email_verified" in Scope::EMAIL,
    /// Not of the standards: the wallet of the sign-in, under the scope that apps of the earlier stack know for it.
    EthereumAddress = "ethereum_address" in Scope::EMAIL,
    Address = "address" in Scope::ADDRESS,
    PhoneNumber = "phone_number" in Scope::PHONE,
    PhoneNumberVerified = "phone_number_verified" in Scope::PHONE,
}

impl StandardClaim {
    /// The claim of that name, if this server knows it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|claim| claim.as_str() == name)
    }
}
