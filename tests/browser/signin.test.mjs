// Signing in with a wallet on the real page: every turn that a person or a wallet can take has its words and a way on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { claimsOf } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { NEVER, REFUSED, installWallet } from '../lib/wallet.mjs';
import { allow, chooseWallet, openRequest, person, problemTitle, setScene, signInAtApp, tokensOf, wayOn } from './scene.mjs';

const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;

describe('signing in with a wallet', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  test('a wallet found by EIP-6963 signs, and the app gets a code for its owner', async () => {
    const someone = await person(scene);
    const { request, arrival } = await signInAtApp(scene, someone);
    assert.equal(arrival.method, 'GET');
    assert.equal(arrival.parameters.state, request.state);
    assert.equal(arrival.parameters.iss, scene.server.issuer);
    const tokens = await tokensOf(scene, { request, arrival });
    assert.ok(tokens.access_token && tokens.id_token);

    const [message] = someone.wallet.requests.filter(({ method }) => method === 'personal_sign').map(({ params }) => Buffer.from(params[0].slice(2), 'hex').toString());
    assert.match(message, new RegExp(`^localhost:${scene.server.port} wants you to sign in with your Ethereum account:\n${someone.wallet.keys[0].address}\n`));
    assert.match(message, /The Garage/);
    assert.match(message, new RegExp(new URL(scene.app.origin).host));
    assert.match(message, /\nChain ID: 137\n/);
    assert.match(message, /\nExpiration Time: /);
    assert.match(message, /\nRequest ID: /);
    someone.context.clean();
    await someone.context.close();
  });

  test('a wallet that only sets window.ethereum is found too', async () => {
    const someone = await person(scene, { wallet: { announce: false, legacy: true } });
    const back = scene.app.next();
    await openRequest(scene, someone.page);
    await someone.page.locator('#wallets button').click();
    await allow(someone.page);
    assert.ok((await back).parameters.code);
    someone.context.clean();
    await someone.context.close();
  });

  test('each of several wallets is listed by name, and the pressed one is asked', async () => {
    const someone = await person(scene, { wallet: { name: 'First Wallet', rdns: 'test.latchkey.first' } });
    const second = await installWallet(someone.context, { name: 'Second Wallet', rdns: 'test.latchkey.second' });
    await openRequest(scene, someone.page);
    await someone.page.locator('#wallets button').nth(1).waitFor();
    assert.deepEqual(await someone.page.locator('#wallets button').allInnerTexts(), ['First Wallet', 'Second Wallet']);
    await chooseWallet(someone.page, second);
    await someone.page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    assert.equal(someone.wallet.requests.length, 0, 'the other wallet was not asked anything');
    someone.context.clean();
    await someone.context.close();
  });

  test('no wallet: the page says so, and finds one that was installed meanwhile', async () => {
    const someone = await person(scene, { wallet: false });
    await openRequest(scene, someone.page);
    await someone.page.locator('#no-wallet').waitFor();
    assert.match(await someone.page.locator('#no-wallet').innerText(), /No wallet found/);
    const wallet = await installWallet(someone.context);
    await someone.page.locator('#look-again').click();
    await chooseWallet(someone.page, wallet);
    await someone.page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    someone.context.clean();
    await someone.context.close();
  });

  test('a person who refuses to show the address, and then to sign, is told so and can try again', async () => {
    const someone = await person(scene);
    const { page, wallet } = someone;
    wallet.answer = (method) => (method === 'eth_requestAccounts' ? REFUSED : undefined);
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    assert.match(await problemTitle(page), /kept your address/);
    wallet.answer = (method) => (method === 'personal_sign' ? REFUSED : undefined);
    await wayOn(page, 'Try again').click();
    await page.locator('#problem h2', { hasText: 'not signed' }).waitFor();
    wallet.answer = () => undefined;
    await wayOn(page, 'Try again').click();
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    someone.context.clean();
    await someone.context.close();
  });

  test('a wallet that never answers: after a minute the page says where to look, and goes on when the answer comes', async () => {
    const someone = await person(scene);
    const { page, wallet } = someone;
    let answer;
    wallet.answer = (method) => (method === 'personal_sign' ? new Promise((done) => (answer = done)) : undefined);
    await page.clock.install();
    await openRequest(scene, page);
    await page.clock.runFor(500);
    await chooseWallet(page, wallet);
    await page.locator('#signin[data-stage="sign"]').waitFor();
    await page.clock.runFor(61_000);
    assert.match(await problemTitle(page), /Still waiting/);
    answer(undefined);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    someone.context.clean();
    await someone.context.close();
  });

  test('a wallet on another chain: the page names it, switches the wallet and goes on', async () => {
    const someone = await person(scene, { wallet: { chainId: 56 } });
    const { page, wallet } = someone;
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    assert.match(await problemTitle(page), /another network/);
    await wayOn(page, 'Switch to Polygon').click();
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    assert.equal(wallet.chainId, 137);
    someone.context.clean();
    await someone.context.close();
  });

  test('an account changed while the message waits: the page begins again with the new one', async () => {
    const someone = await person(scene);
    const { page, wallet } = someone;
    const other = keyPair();
    let asked;
    const waiting = new Promise((done) => (asked = done));
    wallet.answer = (method) => {
      if (method !== 'personal_sign' || wallet.keys[0] === other) return undefined;
      asked();
      return NEVER;
    };
    const back = scene.app.next();
    const request = await openRequest(scene, page, scene.license);
    await chooseWallet(page, wallet);
    await waiting;
    await wallet.selectAccount(page, other);
    await allow(page);
    const tokens = await tokensOf(scene, { request, arrival: await back }, scene.license);
    assert.equal(claimsOf(tokens.id_token).ethereum_address, other.address);
    someone.context.clean();
    await someone.context.close();
  });

  test('a signature by another account than the one shown is refused in words', async () => {
    const someone = await person(scene);
    const { page, wallet } = someone;
    const other = keyPair();
    wallet.answer = (method, params) => (method === 'personal_sign' ? other.sign(params[0]) : undefined);
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    assert.match(await problemTitle(page), /does not fit the address/);
    wallet.answer = () => undefined;
    await wayOn(page, 'Try again').click();
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    someone.context.clean(EXPECTED_REPLY);
    await someone.context.close();
  });

  test('the back button from the app leads to a page that says how things stand', async () => {
    const someone = await person(scene);
    const { page } = someone;
    await signInAtApp(scene, someone);
    await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.ok(page.url().startsWith(scene.server.issuer));
    assert.match(await page.locator('main').innerText(), /over|finished|already/i);
    someone.context.clean(EXPECTED_REPLY);
    await someone.context.close();
  });

  test('two tabs: signing in in one lets the other go on without signing again', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    const second = await context.newPage();
    await openRequest(scene, second);
    await second.locator('#wallets button').waitFor();
    await signInAtApp(scene, someone);
    const back = scene.app.next();
    await second.locator('#elsewhere a').click();
    const { parameters } = await back;
    assert.ok(parameters.code, 'consent was given in the first tab');
    assert.equal(wallet.requests.filter(({ method }) => method === 'personal_sign').length, 1);
    await page.close();
    context.clean();
    await context.close();
  });

  test('cancel leads back to the app with access_denied', async () => {
    const someone = await person(scene);
    const back = scene.app.next();
    const request = await openRequest(scene, someone.page);
    await someone.page.locator('#cancel button').click();
    const { parameters } = await back;
    assert.equal(parameters.error, 'access_denied');
    assert.equal(parameters.state, request.state);
    assert.equal(parameters.iss, scene.server.issuer);
    someone.context.clean();
    await someone.context.close();
  });

  test('the interaction of another browser is refused', async () => {
    const [one, other] = [await person(scene), await person(scene)];
    await openRequest(scene, one.page);
    await one.page.locator('#signin').waitFor();
    const reply = await other.page.goto(one.page.url());
    assert.ok([400, 403, 404, 410].includes(reply.status()), `answered ${reply.status()}`);
    assert.equal(await other.page.locator('#signin').count(), 0);
    other.context.clean(EXPECTED_REPLY);
    await Promise.all([one.context.close(), other.context.close()]);
  });

  test('`serve` has no throw-away wallet and no playground', async () => {
    const someone = await person(scene, { wallet: false });
    await openRequest(scene, someone.page);
    await someone.page.locator('#no-wallet').waitFor();
    assert.equal(await someone.page.locator('script[src^="/dev/"]').count(), 0);
    for (const path of ['/dev/wallet.js', '/playground', '/playground/start']) {
      const reply = await fetch(`${scene.server.issuer}${path}`);
      assert.equal(reply.status, 404, path);
    }
    someone.context.clean();
    await someone.context.close();
  });
});

describe('a message that is signed too late', () => {
  let scene;
  before(async () => (scene = await setScene({ env: { LATCHKEY_WALLET_CHALLENGE_LIFETIME: '2s' } })));
  after(() => scene?.end());

  test('is refused in words, and a new one signs the person in', async () => {
    const someone = await person(scene);
    const { page, wallet } = someone;
    let slow = true;
    wallet.answer = async (method, params) => {
      if (method === 'personal_sign' && slow) await passed(expirationOf(params[0]));
      return undefined;
    };
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    assert.match(await problemTitle(page), /too old/);
    slow = false;
    await wayOn(page, 'Ask again').click();
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    someone.context.clean(EXPECTED_REPLY);
    await someone.context.close();
  });
});

function expirationOf(message) {
  const text = Buffer.from(message.slice(2), 'hex').toString();
  return Date.parse(text.match(/^Expiration Time: (.*)$/m)[1]);
}

const passed = (moment) => new Promise((done) => setTimeout(done, Math.max(0, moment - Date.now()) + 50));
