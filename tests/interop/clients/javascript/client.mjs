// npm `openid-client` as a relying party: what an app in JavaScript does, from discovery to logout. `tests/interop/clients/run.mjs` says how
// the clients and the person at the browser speak with each other.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as oidc from 'openid-client';

const { LATCHKEY_ISSUER: issuer, LATCHKEY_CLIENT_ID: id, LATCHKEY_CLIENT_SECRET: secret, LATCHKEY_REDIRECT_URI: redirectUri, LATCHKEY_GOODBYE_URI: goodbyeUri } = process.env;
const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const open = async (url) => {
  say({ open: url.href });
  return new URL((await replies.next()).value);
};
const must = (holds, what) => {
  if (!holds) throw new Error(what);
};

const done = ['discovery'];
const configuration = await oidc.discovery(new URL(issuer), id, undefined, oidc.ClientSecretBasic(secret), { execute: [oidc.enableNonRepudiationChecks] });
const metadata = configuration.serverMetadata();
const offline = metadata.scopes_supported.includes('offline_access');

const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
const url = oidc.buildAuthorizationUrl(configuration, {
  redirect_uri: redirectUri,
  scope: `openid profile email${offline ? ' offline_access' : ''}`,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
  ...(offline ? { prompt: 'consent' } : {}),
});
const back = await open(url);
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
let tokens = await oidc.authorizationCodeGrant(configuration, back, checks);
done.push('code+PKCE', 'state', 'nonce', 'id token');
const { sub } = tokens.claims();
const idToken = tokens.id_token;
must((await oidc.fetchUserInfo(configuration, tokens.access_token, sub)).sub === sub, 'userinfo tells another sub');
done.push('userinfo');

if (tokens.refresh_token) {
  const refreshed = await oidc.refreshTokenGrant(configuration, tokens.refresh_token);
  must(refreshed.access_token !== tokens.access_token, 'a refresh gave the same access token');
  await oidc.fetchUserInfo(configuration, refreshed.access_token, sub);
  tokens = { ...tokens, ...refreshed };
  done.push('refresh');
}
if (metadata.introspection_endpoint) {
  const told = await oidc.tokenIntrospection(configuration, tokens.access_token);
  must(told.active && told.client_id === id, 'introspection does not know the token');
  done.push('introspection');
}
if (metadata.revocation_endpoint) {
  await oidc.tokenRevocation(configuration, tokens.access_token);
  await oidc.fetchUserInfo(configuration, tokens.access_token, sub).then(
    () => must(false, 'a revoked token still works'),
    (error) => must(error.status === 401, `userinfo answered ${error.status} to a revoked token`),
  );
  done.push('revocation');
}
const goodbye = oidc.randomState();
const left = await open(oidc.buildEndSessionUrl(configuration, { id_token_hint: idToken, post_logout_redirect_uri: goodbyeUri, state: goodbye }));
must(left.searchParams.get('state') === goodbye, 'logout lost the state');
done.push('logout');

const { version } = JSON.parse(readFileSync(new URL('../../../node_modules/openid-client/package.json', import.meta.url)));
say({ library: `openid-client ${version}`, done });
process.exit(0);
