// Five relying parties against one server by https with a private authority: a line for each of them.
//
// A client is a program. It gets LATCHKEY_ISSUER, LATCHKEY_CA (a file), LATCHKEY_CLIENT_ID, LATCHKEY_CLIENT_SECRET, LATCHKEY_REDIRECT_URI and
// LATCHKEY_GOODBYE_URI. It prints `{"open": URL}` to have a person open that address, and reads the address where they ended; at its end it
// prints `{"library": …, "done": […]}`. What it must have done follows from discovery: what the server offers and the library knows.
//
// scripts/interop calls this with the folder of the authority and its certificate, and a command for each language in INTEROP_<LANGUAGE>.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Person } from '../../lib/flow.mjs';
import { freePorts, makePlace } from '../../lib/server.mjs';
import { formsOf } from '../../lib/visitor.mjs';

const WITHIN_MS = 120_000;
const REDIRECT_URI = 'https://app.example/callback';
const GOODBYE_URI = 'https://app.example/goodbye';
/** RFC 6749 §2.3.1 has both halves of Basic form-encoded, so a secret may hold anything; Authlib sends it as it is. */
const SECRET = 'a secret of the clients: with + and % and / in it';
const SECRETS = { python: 'a-secret-of-letters-and-digits-0123456789' };

const ALWAYS = ['discovery', 'code+PKCE', 'state', 'nonce', 'id token', 'userinfo', 'logout'];
const LANGUAGES = ['javascript', 'python', 'rust', 'go', 'java'];
/** What the libraries of these languages have no words for. */
const UNKNOWN_TO = { go: ['introspection', 'revocation'] };

const [authorityFolder, ...chosen] = process.argv.slice(2);
const authority = join(authorityFolder, 'ca.pem');

/** What a client of that language must do at a server with these metadata. */
function wanted(language, metadata) {
  const offered = [
    ...ALWAYS,
    ...(metadata.scopes_supported.includes('offline_access') ? ['refresh'] : []),
    ...(metadata.introspection_endpoint ? ['introspection'] : []),
    ...(metadata.revocation_endpoint ? ['revocation'] : []),
  ];
  return offered.filter((step) => !UNKNOWN_TO[language]?.includes(step));
}

/** Opens an address of the server as a person does, agrees to what is asked, and says where they ended. */
async function open(person, address) {
  if (new URL(address).pathname.endsWith('/auth')) {
    const answer = await person.authorize(address);
    return `${REDIRECT_URI}?${new URLSearchParams(answer)}`;
  }
  let reply = await person.get(address);
  for (let step = 0; step < 5; step += 1) {
    const next = reply.headers.get('location');
    if (next && !next.startsWith('/') && !next.startsWith(person.issuer)) return next;
    const form = next ? undefined : formsOf(reply.text).find(({ action }) => action.endsWith('/logout/confirm'));
    if (!next && !form) throw new Error(`neither a redirect nor a question: ${reply.status} ${reply.text.slice(0, 500)}`);
    reply = next ? await person.get(next) : await person.post(form.action, form.fields);
  }
  throw new Error(`no end of redirects from ${address}`);
}

/** Runs one client to its end: `{ library, done }`, or the reason why not. */
async function runClient(language, issuer) {
  const command = process.env[`INTEROP_${language.toUpperCase()}`];
  if (!command) throw new Error('nothing says how it is run');
  const child = spawn('bash', ['-c', `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: authority,
      LATCHKEY_CA: authority,
      LATCHKEY_ISSUER: issuer,
      LATCHKEY_CLIENT_ID: `app-in-${language}`,
      LATCHKEY_CLIENT_SECRET: SECRETS[language] ?? SECRET,
      LATCHKEY_REDIRECT_URI: REDIRECT_URI,
      LATCHKEY_GOODBYE_URI: GOODBYE_URI,
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS);
  const person = new Person(issuer);
  const ended = once(child, 'close');
  let [told, result] = ['', undefined];
  child.stderr.setEncoding('utf8').on('data', (part) => (told += part));
  child.stdin.on('error', () => {});
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line);
      if (message.open) child.stdin.write(`${await open(person, message.open)}\n`);
      else result = message;
    }
  } finally {
    clearTimeout(timer);
    if (!result) child.stdin.end();
  }
  const [code] = await ended;
  if (code !== 0 || !result) throw new Error(told.trim() || `it ended with ${code}`);
  return result;
}

const [port, operations] = await freePorts(2);
const issuer = `https://localhost:${port}`;
const place = await makePlace({
  env: { LATCHKEY_TLS_CERTIFICATE_FILE: join(authorityFolder, 'server.pem'), LATCHKEY_TLS_KEY_FILE: join(authorityFolder, 'server-key.pem') },
});
let [passed, failed] = [0, 0];
try {
  const server = await place.start({ ports: [port, operations], issuer });
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  for (const language of chosen.length > 0 ? chosen : LANGUAGES) {
    const names = ['--id', `app-in-${language}`, '--name', `The app in ${language}`, '--secret', SECRETS[language] ?? SECRET];
    await place.cli(['client', 'create', ...names, '--redirect-uri', REDIRECT_URI, '--post-logout-redirect-uri', GOODBYE_URI]);
    const begin = performance.now();
    try {
      const { library, done } = await runClient(language, issuer);
      const missing = wanted(language, metadata).filter((step) => !done.includes(step));
      if (missing.length > 0) throw new Error(`${library} did not do: ${missing.join(', ')}`);
      console.log(`${language.padEnd(10)} ${library}  ok: ${done.join(', ')}  (${((performance.now() - begin) / 1_000).toFixed(1)} s)`);
      passed += 1;
    } catch (error) {
      console.log(`${language.padEnd(10)} failed: ${error.message.replaceAll('\n', '\n           ')}`);
      failed += 1;
    }
  }
  if (failed > 0) console.log(server.words());
} finally {
  await place.end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
