//! The addresses that apps know: one table, read by the routes and by the metadata, so that neither can say what the other does not do.

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $path:literal $(as $member:literal)?,)*) => {
        /// An address of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint {
            $($(#[$doc])* $name,)*
        }

        impl Endpoint {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its path, behind the issuer.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }

            /// The member of the metadata that names it (OpenID Connect Discovery §3, RFC 8414 §2), if one does.
            #[must_use]
            pub const fn member(self) -> Option<&'static str> {
                match self { $(Self::$name => endpoints!(@ $($member)?),)* }
            }
        }
    };
    (@ $member:literal) => { Some($member) };
    (@) => { None };
}

endpoints! {
    /// OpenID Connect Discovery §4.
    Discovery = "/.well-known/openid-configuration",
    /// RFC 8414 §3.
    ServerMetadata = "/.well-known/oauth-authorization-server",
    /// RFC 6749 §3.1.
    Authorization = "/auth" as "authorization_endpoint",
    /// RFC 6749 §3.2.
    Token = "/token" as "token_endpoint",
    /// RFC 9126 §2.
    PushedAuthorizationRequest = "/par" as "pushed_authorization_request_endpoint",
    /// RFC 8628 §3.1.
    DeviceAuthorization = "/device/code" as "device_authorization_endpoint",
    /// The page at which a person types a device's code (RFC 8628 §3.3).
    DeviceVerification = "/device",
    /// RFC 7009 §2.
    Revocation = "/token/revoke" as "revocation_endpoint",
    /// RFC 7662 §2.
    Introspection = "/token/introspect" as "introspection_endpoint",
    /// OpenID Connect Core §5.3.
    UserInfo = "/userinfo" as "userinfo_endpoint",
    /// RFC 9728 §3.1: "by inserting a well-known URI string into the protected resource's resource identifier between the host component
    /// and the path".
    UserInfoResource = "/.well-known/oauth-protected-resource/userinfo",
    /// RFC 7517 §5.
    Keys = "/keys" as "jwks_uri",
    /// The same under the name that many look for.
    JwksJson = "/.well-known/jwks.json",
    /// The keys of asset tokens and receipts (RFC 7517 §5).
    AssetKeys = "/assets/keys",
    /// The metadata of their issuer, where OpenID Connect Discovery §4 puts them.
    AssetDiscovery = "/assets/.well-known/openid-configuration",
    /// The same where RFC 8414 §3 puts them: "between the host component and the path component".
    AssetServerMetadata = "/.well-known/oauth-authorization-server/assets",
    /// An app's token for one of an asset that was shared with it.
    Exchange = "/v1/tokens/exchange",
    /// RFC 9728 §3.1: the exchange, as a protected resource.
    ExchangeResource = "/.well-known/oauth-protected-resource/v1/tokens/exchange",
    /// What owners share, and what apps have been given.
    Grants = "/v1/grants",
    /// RFC 9728 §3.1.
    GrantsResource = "/.well-known/oauth-protected-resource/v1/grants",
    /// What owners have.
    Assets = "/v1/assets",
    /// RFC 9728 §3.1.
    AssetsResource = "/.well-known/oauth-protected-resource/v1/assets",
    /// AuthZEN Authorization API 1.0 §6.
    AuthZen = "/access/v1/evaluation",
    /// AuthZEN Authorization API 1.0 §7.
    AuthZenBatch = "/access/v1/evaluations",
    /// AuthZEN Authorization API 1.0 §9.1.
    AuthZenConfiguration = "/.well-known/authzen-configuration",
    /// RFC 9728 §3.1: the decisions, as a protected resource.
    AuthZenResource = "/.well-known/oauth-protected-resource/access/v1/evaluation",
    /// The JSON interfaces, in OpenAPI 3.1.
    OpenApi = "/openapi.json",
    /// What there is, whose it is and with whom it is shared, by GraphQL.
    Identity = "/query",
    /// RFC 9728 §3.1: the same, as a protected resource.
    IdentityResource = "/.well-known/oauth-protected-resource/query",
    /// RP-Initiated Logout §2.
    Logout = "/logout" as "end_session_endpoint",
    /// RFC 7591 §3; what it answers with lies below it (RFC 7592).
    Registration = "/register" as "registration_endpoint",
}
