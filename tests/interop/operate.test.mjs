// The operations port, the limits and the command line beside a running server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeClient, makeLicense } from '../lib/clients.mjs';
import { Person, authorizationRequest, login, redeem, signInByApi, userinfo } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { databases, startAlone, until } from '../lib/server.mjs';

for (const database of databases) {
  describe(`operating on ${database}`, () => {
    let server;
    before(async () => (server = await startAlone({ database })));
    after(() => server?.stop());

    test('health, readiness and Prometheus metrics are on the operations port and nowhere else', async () => {
      for (const path of ['/healthz', '/readyz', '/metrics']) {
        assert.equal((await fetch(`${server.operations}${path}`)).status, 200, path);
        assert.equal((await fetch(`${server.issuer}${path}`)).status, 404, path);
      }
      await fetch(`${server.issuer}/keys`);
      const text = await (await fetch(`${server.operations}/metrics`)).text();
      assert.match(text, /^# TYPE \w+ counter$/m);
      assert.match(text, /^\w+\{[^}]*\} \d/m);
    });

    test('a client disabled beside the running server gets nothing two seconds later, and its tokens are refused at once', async () => {
      const client = await makeClient(server, { id: 'ended' });
      const person = new Person(server.issuer);
      const { access_token: token } = await login(person, client);
      const request = authorizationRequest(server.issuer, client);
      const { code } = await person.authorize(request.url);
      await server.cli(['client', 'disable', 'ended']);
      assert.equal((await userinfo(server.issuer, token)).status, 401);
      assert.notEqual((await redeem(server.issuer, { ...client, code, verifier: request.verifier })).status, 200);
      await until('the authorization endpoint knows it no more', async () => (await person.get(authorizationRequest(server.issuer, client).url)).status === 400, { within: 3_000 });
    });

    test('an account that is disabled is signed out everywhere at once, and may come back', async () => {
      const client = await makeClient(server, { id: 'for-accounts' });
      const person = new Person(server.issuer);
      const { access_token: token } = await login(person, client);
      const id = (await server.cli(['account', 'list'])).find((account) => JSON.stringify(account).includes(person.wallet.address)).id;
      await server.cli(['account', 'disable', id]);
      assert.equal((await userinfo(server.issuer, token)).status, 401);
      await assert.rejects(login(person, client), /account_disabled/);
      await server.cli(['account', 'enable', id]);
      assert.ok((await login(person, client)).access_token);
    });

    test('what has expired is swept', async () => {
      const swept = await server.cli(['sweep']);
      assert.ok(swept && typeof swept === 'object');
      const { code } = await server.place.run(['doctor']);
      assert.equal(code, 0);
    });
  });
}

describe('limits', () => {
  test('many challenges from one address: 429 with Retry-After, in the shape of the endpoint', async () => {
    const server = await startAlone({ env: { LATCHKEY_LIMITS_CHALLENGES_PER_MINUTE: '5' } });
    try {
      const license = await makeLicense(server);
      const wallet = keyPair();
      const replies = [];
      for (let i = 0; i < 8; i += 1) replies.push(await signInByApi(server.issuer, { ...license, address: wallet.address, sign: wallet.sign }));
      const refused = replies.filter(({ status }) => status === 429);
      assert.ok(refused.length >= 3, `statuses: ${replies.map(({ status }) => status)}`);
      assert.deepEqual(Object.keys(refused[0].body).sort(), ['code', 'error', 'error_description', 'message', 'status']);
      const bare = await fetch(`${server.issuer}/auth/web3/generate_challenge`, { method: 'POST', body: new URLSearchParams({ client_id: license.clientId }) });
      assert.match(bare.headers.get('retry-after') ?? '', /^\d+$/);
    } finally {
      await server.stop();
    }
  });

  test('many wrong client secrets: 429 with Retry-After', async () => {
    const server = await startAlone({ env: { LATCHKEY_LIMITS_FAILURES_PER_MINUTE: '5' } });
    try {
      const client = await makeClient(server);
      const statuses = [];
      let last;
      for (let i = 0; i < 10; i += 1) {
        last = await redeem(server.issuer, { ...client, secret: `${client.secret}${i}`, code: 'none' });
        statuses.push(last.status);
      }
      assert.equal(statuses[0], 401);
      assert.equal(statuses.at(-1), 429, `statuses: ${statuses}`);
      assert.match(last.headers.get('retry-after') ?? '', /^\d+$/);
    } finally {
      await server.stop();
    }
  });
});
