//! The words in which a client is registered (RFC 7591 §2, OpenID Connect Registration §2).

use super::words::words;

words! {
    /// What sort of client it is.
    ClientKind {
        /// An ordinary OAuth client.
        Oauth = "oauth",
        /// A developer license: its id is an address, its API keys are key pairs, and in a browser it is a public client.
        License = "license",
    }

    /// How a client proves itself at the token endpoint (RFC 7591 §2, `token_endpoint_auth_method`).
    AuthMethod {
        /// A public client: it has no secret.
        None = "none",
        /// HTTP Basic only (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// In the form only (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// Either way, one at a time: what the command line makes, so that any library's default works.
        ClientSecret = "client_secret",
        /// A JWT signed with a key of its own (RFC 7523 §2.2, OpenID Connect Core §9).
        PrivateKeyJwt = "private_key_jwt",
    }

    /// What `/token` gives tokens for (RFC 6749 §1.3, RFC 8628 §3.4, RFC 8693 §2.1).
    GrantType {
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials",
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }

    /// Whether an authorization request must carry a code challenge (RFC 7636).
    Pkce {
        Required = "required",
        /// Legacy: for apps that send none.
        Optional = "optional",
    }

    /// Which claims tokens carry.
    ClaimsProfile {
        /// Scope claims come from userinfo (OpenID Connect Core §5.4).
        Oidc = "oidc",
        /// Both tokens carry `provider_id`, `email…` and `ethereum_address`, as existing apps of licenses expect.
        Compat = "compat",
    }

    /// What `sub` is made of (OpenID Connect Core §8).
    SubjectType {
        /// The account's id, the same at every app.
        Account = "account",
        /// A value of its own at each app's sector (Core §8.1).
        Pairwise = "pairwise",
        /// The form of earlier deployments: base64url of a protobuf of user id and connector id.
        Connector = "connector",
    }

    /// The algorithm of a signature (RFC 7518 §3.1, RFC 8037 §3.1).
    SigningAlg {
        Rs256 = "RS256",
        Es256 = "ES256",
        EdDsa = "EdDSA",
        Ps256 = "PS256",
    }
}
