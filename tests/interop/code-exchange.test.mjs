// The sample that apps of licenses are written after: the browser goes to /auth without PKCE, plain `curl` redeems the code.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeLicense, makeLicenseKey } from '../lib/clients.mjs';
import { Person, authorizationRequest, claimsOf, signInByApi, userinfo } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { databases, run, startAlone } from '../lib/server.mjs';

for (const database of databases) {
  describe(`apps of licenses on ${database}`, () => {
    let server;
    before(async () => (server = await startAlone({ database })));
    after(() => server?.stop());

    const sample = (license) =>
      `${server.issuer}/auth?client_id=${license.clientId}&redirect_uri=${encodeURIComponent(license.redirectUri)}&scope=openid email&response_type=code`;

    test('the code-exchange sample with --pkce optional gives the four members', async () => {
      const license = await makeLicense(server, { more: ['--pkce', 'optional'] });
      const person = new Person(server.issuer);
      const { code } = await person.authorize(sample(license), license);
      const { code: exit, stdout, stderr } = await run('curl', [
        ...['--silent', '--show-error', '--include', '--location', `${server.issuer}/token`],
        ...['--header', 'Content-Type: application/x-www-form-urlencoded'],
        ...['--data-urlencode', `client_id=${license.clientId}`],
        ...['--data-urlencode', 'grant_type=authorization_code'],
        ...['--data-urlencode', `code=${code}`],
        ...['--data-urlencode', `redirect_uri=${license.redirectUri}`],
      ]);
      assert.equal(exit, 0, stderr);
      const [head, text] = stdout.split('\r\n\r\n');
      assert.match(head, /^HTTP\/1.1 200/);
      assert.match(head, /cache-control: no-store/i);
      const body = JSON.parse(text);
      assert.deepEqual(Object.keys(body).filter((name) => name !== 'scope').sort(), ['access_token', 'expires_in', 'id_token', 'token_type']);
      assert.equal(body.token_type, 'bearer');
      for (const claims of [claimsOf(body.access_token), claimsOf(body.id_token)]) {
        assert.equal(claims.iss, server.issuer);
        assert.equal(claims.aud, license.clientId);
        assert.equal(claims.provider_id, 'web3');
        assert.equal(claims.email_verified, false);
        assert.equal(claims.ethereum_address, person.wallet.address);
      }
      assert.ok(claimsOf(body.id_token).at_hash && claimsOf(body.id_token).c_hash);
    });

    test('`domain` stands for redirect_uri', async () => {
      const license = await makeLicense(server, { alias: 'older', more: ['--pkce', 'optional'] });
      const answer = await new Person(server.issuer).authorize(sample(license).replace('redirect_uri=', 'domain='), license);
      assert.ok(answer.code);
    });

    test('a license that was not made so must send PKCE', async () => {
      const license = await makeLicense(server, { alias: 'strict' });
      const person = new Person(server.issuer);
      assert.equal((await person.authorize(sample(license), license)).error, 'invalid_request');
      assert.ok((await person.authorize(authorizationRequest(server.issuer, license).url)).code);
    });

    test('a person’s wallet signs in by the API, and a developer by the license’s key', async () => {
      const license = await makeLicense(server, { alias: 'api' });
      const wallet = keyPair();
      const person = await signInByApi(server.issuer, { ...license, address: wallet.address, sign: wallet.sign });
      assert.equal(person.status, 200, JSON.stringify(person.body));
      assert.equal(claimsOf(person.body.access_token).ethereum_address, wallet.address);
      assert.ok(person.body.expires_in <= 3_600);
      assert.match(person.headers.get('cache-control'), /no-store/);

      const key = await makeLicenseKey(server, license);
      const developer = await signInByApi(server.issuer, { ...license, address: license.clientId, sign: key.sign });
      assert.equal(developer.status, 200, JSON.stringify(developer.body));
      const claims = claimsOf(developer.body.access_token);
      assert.deepEqual([claims.aud, claims.ethereum_address, claims.provider_id], [license.clientId, license.clientId, 'web3']);
      assert.ok(developer.body.expires_in > 13 * 86_400 && developer.body.expires_in <= 14 * 86_400);
      assert.equal((await userinfo(server.issuer, developer.body.access_token)).status, 200);

      const stranger = await signInByApi(server.issuer, { ...license, address: license.clientId, sign: wallet.sign });
      assert.deepEqual([stranger.status >= 400, stranger.body.message], [true, 'Could not verify signature.']);
      assert.deepEqual(Object.keys(stranger.body).sort(), ['code', 'error', 'error_description', 'message', 'status']);
    });

    test('a disabled license gets nothing, and what it held is refused at once', async () => {
      const license = await makeLicense(server, { alias: 'ended' });
      const key = await makeLicenseKey(server, license);
      const signIn = () => signInByApi(server.issuer, { ...license, address: license.clientId, sign: key.sign });
      const { body } = await signIn();
      await server.cli(['license', 'disable', license.clientId]);
      assert.equal((await userinfo(server.issuer, body.access_token)).status, 401);
      // A client may be remembered for two seconds at most; what it is given is checked when it is made.
      assert.ok((await signIn()).status >= 400);
    });
  });
}
