import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.util.URLUtils;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.AuthenticationSuccessResponse;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.Prompt;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** Maven's {@code com.nimbusds:oauth2-oidc-sdk} as a relying party: what an app in Java does, from discovery to logout. */
public final class Client {
    private static final BufferedReader REPLIES = new BufferedReader(new InputStreamReader(System.in));

    public static void main(String[] arguments) throws Exception {
        SSLSocketFactory trusting = trusting(System.getenv("LATCHKEY_CA"));
        HTTPRequest.setDefaultSSLSocketFactory(trusting);
        Issuer issuer = new Issuer(System.getenv("LATCHKEY_ISSUER"));
        ClientSecretBasic client =
                new ClientSecretBasic(new ClientID(System.getenv("LATCHKEY_CLIENT_ID")), new Secret(System.getenv("LATCHKEY_CLIENT_SECRET")));
        URI redirectUri = URI.create(System.getenv("LATCHKEY_REDIRECT_URI"));
        OIDCProviderMetadata server = OIDCProviderMetadata.resolve(issuer);
        List<String> done = new ArrayList<>(List.of("discovery"));

        boolean offline = server.getScopes().contains("offline_access");
        CodeVerifier verifier = new CodeVerifier();
        State state = new State();
        Nonce nonce = new Nonce();
        Scope scope = new Scope("openid", "profile", "email");
        AuthenticationRequest.Builder asked =
                new AuthenticationRequest.Builder(ResponseType.CODE, scope, client.getClientID(), redirectUri)
                        .endpointURI(server.getAuthorizationEndpointURI())
                        .codeChallenge(verifier, CodeChallengeMethod.S256)
                        .state(state)
                        .nonce(nonce);
        if (offline) {
            scope.add("offline_access");
            asked.prompt(new Prompt(Prompt.Type.CONSENT));
        }
        AuthenticationSuccessResponse back = AuthenticationResponseParser.parse(URI.create(open(asked.build().toURI()))).toSuccessResponse();
        must(state.equals(back.getState()) && issuer.equals(back.getIssuer()), "another answer than the one asked for");
        AuthorizationCode code = back.getAuthorizationCode();
        OIDCTokens tokens = tokens(new TokenRequest.Builder(
                server.getTokenEndpointURI(), client, new AuthorizationCodeGrant(code, redirectUri, verifier)).build());
        done.addAll(List.of("code+PKCE", "state"));

        // The SDK's own validator fetches keys by this retriever.
        IDTokenValidator validator = new IDTokenValidator(
                issuer, client.getClientID(), JWSAlgorithm.RS256, server.getJWKSetURI().toURL(),
                new DefaultResourceRetriever(5_000, 5_000, 100_000, true, trusting));
        String subject = validator.validate(tokens.getIDToken(), nonce).getSubject().getValue();
        done.addAll(List.of("nonce", "id token"));
        must(subject.equals(subject(server, tokens.getAccessToken())), "userinfo tells another sub");
        done.add("userinfo");

        AccessToken access = tokens.getAccessToken();
        if (tokens.getRefreshToken() != null) {
            access = tokens(new TokenRequest.Builder(
                    server.getTokenEndpointURI(), client, new RefreshTokenGrant(tokens.getRefreshToken())).build()).getAccessToken();
            must(!access.getValue().equals(tokens.getAccessToken().getValue()), "a refresh gave the same access token");
            must(subject.equals(subject(server, access)), "userinfo tells another sub");
            done.add("refresh");
        }
        if (server.getIntrospectionEndpointURI() != null) {
            TokenIntrospectionRequest request = new TokenIntrospectionRequest(server.getIntrospectionEndpointURI(), client, access);
            TokenIntrospectionResponse told = TokenIntrospectionResponse.parse(request.toHTTPRequest().send());
            must(told.indicatesSuccess() && told.toSuccessResponse().isActive(), "introspection does not know the token");
            must(client.getClientID().equals(told.toSuccessResponse().getClientID()), "introspection names another client");
            done.add("introspection");
        }
        if (server.getRevocationEndpointURI() != null) {
            TokenRevocationRequest request = new TokenRevocationRequest(server.getRevocationEndpointURI(), client, access);
            must(request.toHTTPRequest().send().indicatesSuccess(), "revocation failed");
            must(subject(server, access) == null, "a revoked token still works");
            done.add("revocation");
        }
        State goodbye = new State();
        LogoutRequest leaving = new LogoutRequest(
                server.getEndSessionEndpointURI(), tokens.getIDToken(), URI.create(System.getenv("LATCHKEY_GOODBYE_URI")), goodbye);
        Map<String, List<String>> left = URLUtils.parseParameters(URI.create(open(leaving.toURI())).getRawQuery());
        must(List.of(goodbye.getValue()).equals(left.get("state")), "logout lost the state");
        done.add("logout");
        String words = done.stream().map(step -> '"' + step + '"').collect(Collectors.joining(", "));
        System.out.println("{\"library\": \"" + library() + "\", \"done\": [" + words + "]}");
    }

    private static OIDCTokens tokens(TokenRequest request) throws Exception {
        var response = OIDCTokenResponseParser.parse(request.toHTTPRequest().send());
        must(response.indicatesSuccess(), "the token endpoint refused: " + response.toHTTPResponse().getBody());
        return ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
    }

    /** Whom userinfo tells, or null where it refuses the token with 401. */
    private static String subject(OIDCProviderMetadata server, AccessToken token) throws Exception {
        UserInfoResponse told = UserInfoResponse.parse(new UserInfoRequest(server.getUserInfoEndpointURI(), token).toHTTPRequest().send());
        if (told.indicatesSuccess()) {
            return told.toSuccessResponse().getUserInfo().getSubject().getValue();
        }
        must(told.toErrorResponse().getErrorObject().getHTTPStatusCode() == 401, "userinfo failed");
        return null;
    }

    private static String open(URI address) throws Exception {
        System.out.println("{\"open\": \"" + address + "\"}");
        return REPLIES.readLine();
    }

    private static void must(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    private static SSLSocketFactory trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    private static String library() {
        String jar = new File(OIDCTokens.class.getProtectionDomain().getCodeSource().getLocation().getPath()).getName();
        return "Nimbus " + jar.replace(".jar", "").replaceFirst("-(?=\\d)", " ");
    }
}
