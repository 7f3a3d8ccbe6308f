// npm `openid-client` as a relying party of the running program: discovery, PKCE, nonce, RFC 9207, userinfo.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oidc from 'openid-client';
import { REDIRECT, makeClient, makePublicClient } from '../lib/clients.mjs';
import { Person } from '../lib/flow.mjs';
import { databases, startAlone } from '../lib/server.mjs';

const CONFIG = ['RS256', 'ES256', 'EdDSA']
  .map((alg) => `[[clients]]\nid = "from-file-${alg}"\nname = "From the file"\npublic = true\nredirect_uris = ["${REDIRECT}"]\nsigning_alg = "${alg}"\n`)
  .join('\n');

for (const database of databases) {
  describe(`openid-client on ${database}`, () => {
    let server;
    before(async () => (server = await startAlone({ database, config: CONFIG })));
    after(() => server?.stop());

    const flow = async (configuration, parameters = {}) => {
      const verifier = oidc.randomPKCECodeVerifier();
      const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: REDIRECT,
        scope: 'openid email profile',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...parameters,
      });
      const answer = await new Person(server.issuer).authorize(url.href, { redirectUri: REDIRECT });
      const back = new URL(`${REDIRECT}?${new URLSearchParams(answer)}`);
      const tokens = await oidc.authorizationCodeGrant(configuration, back, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        ...(parameters.max_age === undefined ? {} : { maxAge: Number(parameters.max_age) }),
        idTokenExpected: true,
      });
      const subject = tokens.claims().sub;
      return { tokens, info: await oidc.fetchUserInfo(configuration, tokens.access_token, subject), subject };
    };

    const discover = (id, metadata, authentication) =>
      oidc.discovery(new URL(server.issuer), id, metadata, authentication, { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] });

    for (const [how, authentication] of [['client_secret_basic', oidc.ClientSecretBasic], ['client_secret_post', oidc.ClientSecretPost]]) {
      test(`a confidential client by ${how}`, async () => {
        const client = await makeClient(server, { id: how });
        const configuration = await discover(how, undefined, authentication(client.secret));
        assert.equal(configuration.serverMetadata().authorization_response_iss_parameter_supported, true);
        const { tokens, info, subject } = await flow(configuration);
        assert.equal(info.sub, subject);
        assert.equal(tokens.token_type, 'bearer');
        assert.ok(tokens.expiresIn() > 3_000 && tokens.expiresIn() <= 3_600);
      });
    }

    test('a public client, with max_age and form_post', async () => {
      const { clientId } = await makePublicClient(server);
      const { tokens } = await flow(await discover(clientId, undefined, oidc.None()), { max_age: '300', response_mode: 'form_post' });
      assert.ok(Math.abs(Date.now() / 1000 - tokens.claims().auth_time) < 60);
    });

    for (const alg of ['RS256', 'ES256', 'EdDSA']) {
      test(`a client of the configuration file that asks for ${alg}`, async () => {
        const configuration = await discover(`from-file-${alg}`, { id_token_signed_response_alg: alg === 'EdDSA' ? 'EdDSA' : alg }, oidc.None());
        const { tokens } = await flow(configuration);
        const header = JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url'));
        assert.equal(header.alg, alg);
      });
    }

    test('an answer of another issuer is refused by the library, so ours says who it is', async () => {
      const { clientId } = await makePublicClient(server, { id: 'mixed-up' });
      const configuration = await discover(clientId, undefined, oidc.None());
      const back = new URL(`${REDIRECT}?code=x&state=s&iss=https://other.example`);
      await assert.rejects(oidc.authorizationCodeGrant(configuration, back, { expectedState: 's', pkceCodeVerifier: 'v'.repeat(43) }), ({ cause }) => /"iss"/.test(cause.message));
    });
  });
}
