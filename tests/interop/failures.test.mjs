// What goes wrong around a server: each has a clear sentence, exit 1 and nothing half-started; and what goes away may come back.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeClient } from '../lib/clients.mjs';
import { Person, authorizationRequest, login, redeem, userinfo } from '../lib/flow.mjs';
import { ownCluster } from '../lib/postgres.mjs';
import { databases, freePorts, makePlace, startAlone, until } from '../lib/server.mjs';

/** `serve` on a place must end by itself: exit 1, one sentence that fits, no port left open, no panic. */
async function mustRefuse(place, pattern, { env = {}, args = [] } = {}) {
  const [port, operations] = await freePorts(2);
  const ports = { LATCHKEY_SERVER_LISTEN: `127.0.0.1:${port}`, LATCHKEY_SERVER_OPERATIONS_LISTEN: `127.0.0.1:${operations}`, LATCHKEY_SERVER_ISSUER: `http://localhost:${port}` };
  const { code, signal, stdout, stderr } = await place.run(['serve', ...args], { env: { ...ports, ...env } });
  const said = `${stdout}${stderr}`;
  assert.equal(code, 1, `exit ${code ?? signal}: ${said}`);
  assert.match(said, pattern);
  assert.doesNotMatch(said, /panicked|RUST_BACKTRACE|Os \{|Error\(/);
  return said;
}

async function withPlace(options, use) {
  const place = await makePlace(options);
  try {
    await use(place);
  } finally {
    await place.end();
  }
}

describe('a server that cannot start says why', () => {
  for (const [what, name] of [['its port', 'LATCHKEY_SERVER_LISTEN'], ['its operations port', 'LATCHKEY_SERVER_OPERATIONS_LISTEN']]) {
    test(`${what} is taken`, () =>
      withPlace({}, async (place) => {
        const holder = createServer().listen(0, '127.0.0.1');
        await once(holder, 'listening');
        const { port } = holder.address();
        try {
          const said = await mustRefuse(place, /in use|taken/i, { env: { [name]: `127.0.0.1:${port}` } });
          assert.match(said, new RegExp(String(port)));
        } finally {
          holder.close();
        }
      }));
  }

  test('the data folder cannot be made', () =>
    withPlace({}, async (place) => {
      const file = join(place.folder, 'a-file');
      await writeFile(file, '');
      place.flags.splice(place.flags.indexOf('--data') + 1, 1, join(file, 'data'));
      place.flags.splice(place.flags.indexOf('--database'), 2);
      await mustRefuse(place, new RegExp(`${file}/data`));
    }));

  test('the data folder is there and cannot be written', () =>
    withPlace({}, async (place) => {
      // Root may write everywhere but where the kernel itself says no.
      const folder = process.getuid() === 0 ? '/sys/kernel' : place.data;
      if (folder === place.data) await mkdir(folder, { mode: 0o500 });
      place.flags.splice(place.flags.indexOf('--data') + 1, 1, folder);
      place.flags.splice(place.flags.indexOf('--database'), 2);
      await mustRefuse(place, new RegExp(folder));
    }));

  test('the database’s URL is of no kind that it knows', () => withPlace({ database: 'mysql://localhost/latchkey' }, (place) => mustRefuse(place, /mysql|sqlite:\/\/.*postgres:\/\//)));

  test('nobody listens where the database should be', () =>
    withPlace({ database: 'postgres://nobody@127.0.0.1:1/none' }, async (place) => {
      const said = await mustRefuse(place, /127\.0\.0\.1:1|database/i);
      assert.doesNotMatch(said, /nobody@/, 'the URL may hold a password');
    }));

  test('there is no such database', { skip: databases.includes('postgres') ? false : 'no Postgres' }, async () => {
    const url = new URL(process.env.LATCHKEY_TEST_POSTGRES);
    url.pathname = '/there_is_none';
    await withPlace({ database: url.href }, (place) => mustRefuse(place, /there_is_none/));
  });

  test('the sealing key’s file may be read by others', () =>
    withPlace({}, async (place) => {
      const server = await place.start();
      await server.stop();
      const file = join(place.data, 'sealing.key');
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      await chmod(file, 0o644);
      await mustRefuse(place, /sealing\.key.*(0?600|permission|read by)/is);
      await chmod(file, 0o600);
      await (await place.start()).stop();
    }));

  test('the sealing key is another one than the keys were sealed with', () =>
    withPlace({}, async (place) => {
      await (await place.start()).stop();
      await mustRefuse(place, /sealing key/i, { env: { LATCHKEY_KEYS_SEALING_KEY: randomBytes(32).toString('base64url') } });
    }));

  test('the configuration has several mistakes: all are told at once', () =>
    withPlace({ config: '[server]\nlisten = "nowhere"\nlissen = "x"\n[tokens]\naccess_token = "2d"\n[[clients]]\nid = "a b"\nname = "A"\npublic = true\nredirect_uris = ["https://*.example"]\n[[clients]]\nid = "b"\nname = "B"\nsecret = "short"\nredirect_uris = ["https://b.example/cb"]\n' }, async (place) => {
      const { code, stderr } = await place.run(['serve']);
      assert.equal(code, 1);
      for (const path of ['server.listen', 'server.lissen', 'tokens.access_token', 'clients[0].id', 'clients[0].redirect_uris', 'clients[1].secret']) assert.ok(stderr.includes(path), `${path} in ${stderr}`);
    }));
});

describe('a server in trouble', () => {
  test('Postgres stops and starts again: 503 with Retry-After meanwhile, then all is well', { skip: databases.includes('postgres') ? false : 'no Postgres' }, async () => {
    const [port] = await freePorts(1);
    const cluster = await ownCluster(port);
    try {
      await withPlace({ database: cluster.url }, async (place) => {
        const server = await place.start();
        const client = await makeClient(place);
        const person = new Person(server.issuer);
        const { access_token: token } = await login(person, client);
        await cluster.stop();
        const gone = await until('userinfo says 503', async () => {
          const reply = await userinfo(server.issuer, token);
          return reply.status === 503 && reply;
        });
        assert.match(gone.headers.get('retry-after') ?? '', /^\d+$/);
        assert.doesNotMatch(JSON.stringify(gone.body), /postgres|sqlx|127\.0\.0\.1/i, 'the detail is for the log');
        const page = await person.get(authorizationRequest(server.issuer, client).url);
        assert.equal(page.status, 503);
        assert.match(page.headers.get('retry-after') ?? '', /^\d+$/);
        assert.match(page.text, /<h1/);
        assert.equal((await fetch(`${server.operations}/readyz`)).status, 503);
        assert.equal((await fetch(`${server.operations}/healthz`)).status, 200, 'the process itself is well');

        await cluster.start();
        await until('ready again', async () => (await fetch(`${server.operations}/readyz`)).ok, { within: 20_000 });
        await until('the token counts again', async () => (await userinfo(server.issuer, token)).status === 200);
        assert.ok((await login(person, client)).access_token);
      });
    } finally {
      await cluster.end();
    }
  });

  test('asked to stop, it finishes the request in flight and takes no new ones', async () => {
    const server = await startAlone();
    try {
      const client = await makeClient(server);
      const request = authorizationRequest(server.issuer, client);
      const { code } = await new Person(server.issuer).authorize(request.url);
      const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, code_verifier: request.verifier, client_id: client.clientId, client_secret: client.secret }).toString();
      const socket = connect(server.port, '127.0.0.1');
      await once(socket, 'connect');
      const head = `POST /token HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.write(head + body.slice(0, 20));
      await until('the server has begun to read', () => socket.bytesWritten > head.length);
      await fetch(`${server.issuer}/keys`); // a whole request later, the half one has arrived too
      server.child.kill('SIGTERM');
      await until('no new connection is taken', () => new Promise((answer) => {
        const probe = connect(server.port, '127.0.0.1', () => answer(false));
        probe.on('connect', () => probe.destroy()).on('error', () => answer(true));
      }));
      const answered = new Promise((done) => socket.on('data', (part) => done(part.toString())));
      socket.write(body.slice(20));
      assert.match(await answered, /^HTTP\/1\.1 200 /);
      socket.end();
      assert.deepEqual(await server.ended, { code: 0, signal: null });
    } finally {
      await server.stop();
    }
  });

  for (const database of databases) {
    test(`the log of a whole sign-in on ${database} holds no secret`, async () => {
      const server = await startAlone({ database, env: { LATCHKEY_LOG_FILTER: 'debug', LATCHKEY_LOG_FORMAT: 'json' } });
      try {
        const client = await makeClient(server);
        const person = new Person(server.issuer);
        const request = authorizationRequest(server.issuer, client);
        const { code } = await person.authorize(request.url);
        const { body } = await redeem(server.issuer, { ...client, code, verifier: request.verifier });
        await redeem(server.issuer, { ...client, code, verifier: request.verifier });
        const { headers } = await userinfo(server.issuer, body.access_token);
        const secrets = { code, secret: client.secret, verifier: request.verifier, token: body.access_token, idToken: body.id_token, ...Object.fromEntries(person.cookies) };
        const line = await until('the log has the last request', () => server.words().split('\n').find((one) => one.includes('"/userinfo"')));
        assert.equal(JSON.parse(line).span.id, headers.get('x-request-id'), 'under the id that the client was told');
        for (const [name, secret] of Object.entries(secrets)) assert.ok(!server.words().includes(secret), `${name} is in the log`);
      } finally {
        await server.stop();
      }
    });
  }
});
