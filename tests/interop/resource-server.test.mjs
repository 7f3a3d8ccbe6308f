// Resource servers that check asset tokens by themselves: the example, and the ten lines of docs/resource-servers.md as they stand there.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { developer, exchange, grant, importVehicles, startTelemetry, vehicle } from '../lib/assets.mjs';
import { keyPair } from '../lib/keys.mjs';
import { run, startAlone } from '../lib/server.mjs';

/** The code of a language in the document, for this issuer. */
async function snippet(language, issuer) {
  const text = await readFile(resolve(import.meta.dirname, '../../docs/resource-servers.md'), 'utf8');
  const found = text.match(new RegExp('```' + language + '\\n([^]*?)```'));
  assert.ok(found && found[1].includes('https://id.example/assets'), `docs/resource-servers.md has no ${language}`);
  return found[1].replaceAll('https://id.example/assets', issuer);
}

function python() {
  const file = process.env.LATCHKEY_TEST_PYTHON;
  if (!file || !existsSync(file)) throw new Error('LATCHKEY_TEST_PYTHON names no Python with tests/interop/requirements.txt installed: `scripts/test interop` makes one');
  return file;
}

/** Each says whether a token is good for an asset and a permission. */
const CHECKS = {
  async Node(folder, issuer, { token, asset, permission }) {
    const file = join(folder, 'allowed.mjs');
    await writeFile(file, await snippet('js', issuer));
    await symlink(resolve(import.meta.dirname, '../node_modules'), join(folder, 'node_modules')).catch(() => {});
    const { allowed } = await import(`${pathToFileURL(file)}?issuer=${encodeURIComponent(issuer)}`);
    return allowed(token, asset, permission).then(() => true, () => false);
  },

  async Python(folder, issuer, { token, asset, permission }) {
    const file = join(folder, 'allowed.py');
    await writeFile(file, `${await snippet('python', issuer)}\nimport sys\ntry:\n    allowed(*sys.argv[1:])\nexcept (jwt.PyJWTError, PermissionError) as error:\n    sys.exit(f"refused: {error!r}")\n`);
    const { code, stderr } = await run(python(), [file, token, asset, permission]);
    assert.ok(code === 0 || stderr.startsWith('refused: '), stderr);
    return code === 0;
  },
};

describe('a resource server', () => {
  const [good, other] = [vehicle(1), vehicle(2)];
  let server, app, token, folder, telemetry;
  before(async () => {
    server = await startAlone({ database: 'sqlite' });
    folder = await mkdtemp(join(tmpdir(), 'latchkey-snippets-'));
    await importVehicles(server, [1, 2], keyPair().address);
    app = await developer(server, server.issuer);
    await grant(server, 1, app.clientId, 'GetNonLocationHistory', 'GetCurrentLocation');
    const { status, body } = await exchange(server.issuer, app.token, 1, ['GetNonLocationHistory', 'GetCurrentLocation']);
    assert.equal(status, 200, JSON.stringify(body));
    token = body.token;
    telemetry = await startTelemetry({ server: server.issuer });
  });
  after(async () => {
    await telemetry?.stop();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  /** Tokens that are not good, each by one thing. */
  function bad() {
    const [header, payload, signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return {
      'no token': 'x',
      'a developer token': app.token,
      'another asset in it': `${header}.${part({ ...claims, asset: other })}.${signature}`,
      'no signature': `${part({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      'another kid': `${part({ alg: 'RS256', typ: 'at+jwt', kid: 'x' })}.${payload}.${signature}`,
    };
  }

  for (const [language, check] of Object.entries(CHECKS)) {
    test(`in ${language}, as the document has it, takes a good token and no other`, async () => {
      const issuer = `${server.issuer}/assets`;
      const ask = (more) => check(folder, issuer, { token, asset: good, permission: 'privilege:GetCurrentLocation', ...more });
      assert.equal(await ask({}), true);
      assert.equal(await ask({ asset: other }), false, 'another asset');
      assert.equal(await ask({ permission: 'privilege:ExecuteCommands' }), false, 'another permission');
      for (const [what, text] of Object.entries(bad())) assert.equal(await ask({ token: text }), false, what);
    });

    test(`in ${language} looks at issuer, audience, type and time`, async () => {
      await withIssuer(async (issuer, sign) => {
        const ask = async (...how) => check(folder, issuer, { token: await sign(...how), asset: good, permission: 'p' });
        assert.equal(await ask(), true);
        for (const claims of [{ iss: 'https://other.example' }, { aud: ['other'] }, { exp: 1 }, { exp: undefined }, { nbf: 4_000_000_000 }]) {
          assert.equal(await ask(claims), false, JSON.stringify(claims));
        }
        assert.equal(await ask({}, { typ: 'grant-receipt+jwt' }), false, 'a receipt');
      });
    });
  }

  test('in Rust serves what the token is for, and says why it does not', async () => {
    const metadata = `resource_metadata="${telemetry.address}/.well-known/oauth-protected-resource"`;
    const ask = (kind, text, asset = good) => telemetry.get(`/vehicles/${asset}/${kind}`, text);
    const served = await ask('location', token);
    assert.deepEqual([served.status, served.body.asset, typeof served.body.location.latitude], [200, good, 'number']);
    assert.equal((await ask('history', token, good.toLowerCase())).status, 200, 'a DID in any case');
    const none = await ask('location');
    assert.deepEqual([none.status, none.challenge], [401, `Bearer ${metadata}`]);
    const by_query = await telemetry.get(`/vehicles/${good}/location?access_token=${token}`);
    assert.deepEqual([by_query.status, by_query.challenge], [401, `Bearer ${metadata}`]);
    for (const [what, text] of Object.entries(bad())) {
      const { status, challenge, body } = await ask('location', text);
      assert.deepEqual([status, body.error], [401, 'invalid_token'], what);
      assert.ok(challenge.startsWith('Bearer error="invalid_token", error_description="') && challenge.endsWith(metadata), challenge);
    }
    for (const refused of [await ask('location', token, other), await ask('locations', token)]) {
      assert.deepEqual([refused.status, refused.body.error], [403, 'insufficient_scope']);
      assert.match(refused.challenge, /scope="privilege:Get(Current)?Location(History)?"/);
      assert.ok(refused.challenge.endsWith(metadata));
    }
    const { body } = await telemetry.get('/.well-known/oauth-protected-resource');
    assert.deepEqual([body.resource, body.authorization_servers, body.bearer_methods_supported], [telemetry.address, [server.issuer], ['header']]);
    assert.ok(body.scopes_supported.includes('privilege:GetLocationHistory'));
  });

  test('in Rust looks at issuer, audience, type and time', async () => {
    await withIssuer(async (issuer, sign) => {
      const own = await startTelemetry({ server: issuer.replace(/\/assets$/, '') });
      try {
        const status = async (...how) => (await own.get(`/vehicles/${good}/location`, await sign({ permissions: ['privilege:GetCurrentLocation'], ...how[0] }, how[1]))).status;
        assert.equal(await status(), 200);
        for (const claims of [{ iss: 'https://other.example' }, { aud: ['other'] }, { exp: 1 }, { exp: undefined }, { nbf: 4_000_000_000 }]) {
          assert.equal(await status(claims), 401, JSON.stringify(claims));
        }
        assert.equal(await status({}, { typ: 'grant-receipt+jwt' }), 401, 'a receipt');
      } finally {
        await own.stop();
      }
    });
  });

  test('in Rust fetches keys once, and for whatever tokens name not more often than once a minute', async () => {
    await withIssuer(async (issuer, sign, fetched) => {
      const own = await startTelemetry({ server: issuer.replace(/\/assets$/, '') });
      try {
        const status = async (header) => (await own.get(`/vehicles/${good}/location`, await sign({ permissions: ['privilege:GetCurrentLocation'] }, header))).status;
        for (let round = 0; round < 3; round += 1) assert.equal(await status(), 200);
        assert.equal(fetched(), 1);
        for (let round = 0; round < 5; round += 1) assert.equal(await status({ kid: `unknown-${round}` }), 401);
        assert.equal(fetched(), 1);
      } finally {
        await own.stop();
      }
    });
  });
});

/** An issuer of the test's own, which signs what it is told to: `look(issuer, sign(claims, header), fetched())`. */
async function withIssuer(look) {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] };
  let fetches = 0;
  const http = createServer((request, response) => {
    if (request.url === '/assets/keys') fetches += 1;
    const body = request.url === '/assets/keys' ? keys : { issuer, jwks_uri: `${issuer}/keys` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const issuer = `http://127.0.0.1:${http.address().port}/assets`;
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: issuer, aud: ['dimo.zone'], iat: now, nbf: now, exp: now + 600, asset: vehicle(1), permissions: ['p'] };
  const sign = (claims = {}, header = {}) =>
    new SignJWT(JSON.parse(JSON.stringify({ ...usual, ...claims }))).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'one', ...header }).sign(privateKey);
  try {
    await look(issuer, sign, () => fetches);
  } finally {
    http.closeAllConnections();
    await new Promise((done) => http.close(done));
  }
}
