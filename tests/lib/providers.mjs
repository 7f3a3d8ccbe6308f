// Providers at which people sign in: npm `oidc-provider` as Google, as Apple (answers by form_post, a JWT of ES256 for a client secret) and
// as one of any house, and a stub of GitHub. They are at 127.0.0.1, the server under test at localhost: another site to a browser.
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';
import { googleCallback, googleConfiguration } from './google.mjs';

const SECRET = 'a-secret-of-latchkey-at-its-providers';
const KINDS = { google: 'Google', apple: 'Apple', house: 'The House', github: 'GitHub' };

/** Starts them: `{ config, mount(issuer), names, origin(id), stop() }`. `config` is for the server's file; `mount` tells them of the server. */
export async function startProviders(ids = Object.keys(KINDS)) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-providers-'));
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keyFile = join(folder, 'AuthKey.p8');
  await writeFile(keyFile, await exportPKCS8(privateKey), { mode: 0o600 });

  const servers = {};
  for (const id of ids) {
    const server = createServer((request, response) => server.handle(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.origin = `http://127.0.0.1:${server.address().port}`;
    servers[id] = server;
  }

  const entry = (id, lines) => ['[[upstreams]]', `id = "${id}"`, 'client_id = "latchkey"', `issuer = "${servers[id].origin}"`, ...lines].join('\n');
  const secret = `client_secret = "${SECRET}"`;
  const lines = {
    google: ['kind = "google"', secret],
    apple: ['kind = "apple"', 'team_id = "TEAM123456"', 'key_id = "KEY1234567"', `private_key_file = "${keyFile}"`],
    house: ['kind = "oidc"', 'name = "The House"', secret],
    github: ['kind = "github"', secret],
  };
  const config = ids.map((id) => `${entry(id, lines[id])}\n\n`).join('');

  return {
    config,
    names: KINDS,
    origin: (id) => servers[id].origin,
    mount(issuer) {
      for (const id of ids) {
        const redirectUri = `${issuer}/upstream/${id}/callback`;
        servers[id].handle = id === 'github' ? github(servers[id].origin, redirectUri) : openid(servers[id].origin, id, redirectUri, publicKey);
      }
    },
    async stop() {
      for (const server of Object.values(servers)) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// Whoever signs in as `ada` is `ada` there, with the address ada@house.example, say.
function openid(issuer, id, redirectUri, publicKey) {
  const [byForm, byGoogle] = [id === 'apple', id === 'google'];
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'latchkey',
        client_secret: SECRET,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: byForm ? 'client_secret_post' : 'client_secret_basic',
      },
    ],
    ...(byForm ? { clientAuthMethods: ['client_secret_post'] } : {}),
    scopes: ['openid', 'email', 'profile', 'name'],
    ...(byGoogle ? googleConfiguration() : {}),
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['name'], name: ['name'] },
    // Into the ID token, as Google and Apple have it.
    conformIdTokenClaims: false,
    cookies: { keys: ['a key of the tests'], names: { session: `${id}_session`, interaction: `${id}_interaction`, resume: `${id}_resume` } },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} of ${id}`, email: `${sub}@${id}.example`, email_verified: !sub.startsWith('un') }),
    }),
  });
  if (byForm) {
    // Apple takes a JWT in the place of the secret.
    provider.Client.prototype.compareClientSecret = async function compareClientSecret(given) {
      const { payload, protectedHeader } = await jwtVerify(given, publicKey, { algorithms: ['ES256'], issuer: 'TEAM123456', subject: this.clientId, audience: issuer });
      return protectedHeader.kid === 'KEY1234567' && payload.exp - payload.iat <= 300;
    };
  }
  provider.on('server_error', (_, error) => console.error(`${id}: ${error.stack}`));
  return byGoogle ? googleCallback(provider) : provider.callback();
}

// The pages and addresses of GitHub that an OAuth app meets.
function github(origin, redirectUri) {
  const codes = new Map();
  const tokens = new Map();
  return async (request, response) => {
    const url = new URL(request.url, origin);
    const say = (body, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const whose = () => tokens.get(request.headers.authorization?.replace('Bearer ', ''));
    switch (url.pathname) {
      case '/login/oauth/authorize': {
        const { redirect_uri: uri, state, code_challenge: challenge } = Object.fromEntries(url.searchParams);
        if (uri !== redirectUri) return say({ error: 'redirect_uri_mismatch' }, 404);
        const code = `${Math.random()}`;
        codes.set(code, challenge);
        const on = (more) => `${uri}?${new URLSearchParams({ state, ...more })}`.replaceAll('&', '&amp;');
        const page = `<!doctype html><html lang="en"><title>GitHub</title><h1>Authorize Latchkey</h1><a href="${on({ code })}">Authorize</a> <a href="${on({ error: 'access_denied' })}">Cancel</a></html>`;
        return response.writeHead(200, { 'content-type': 'text/html' }).end(page);
      }
      case '/login/oauth/access_token': {
        let body = '';
        for await (const part of request) body += part;
        const form = Object.fromEntries(new URLSearchParams(body));
        const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(form.code_verifier));
        const challenge = codes.get(form.code);
        codes.delete(form.code);
        if (form.client_secret !== SECRET) return say({ error: 'incorrect_client_credentials' });
        if (challenge !== Buffer.from(digest).toString('base64url')) return say({ error: 'bad_verification_code' });
        const token = `gho_${Math.random()}`;
        tokens.set(token, 583231);
        return say({ access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
      }
      case '/api/v3/user':
        return whose() ? say({ id: whose(), login: 'octocat', name: 'The Octocat' }) : say({ message: 'Bad credentials' }, 401);
      case '/api/v3/user/emails':
        return whose() ? say([{ email: 'octocat@github.example', primary: true, verified: true, visibility: 'private' }]) : say({}, 401);
      default:
        return say({ message: 'Not Found' }, 404);
    }
  };
}
