// Consent in Chromium, under the pages' final CSP: `form-action` also judges the redirect after a form.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authorizationRequest, claimsOf } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { allow, chooseWallet, deny, openRequest, person, setScene, signInAtApp, tokensOf } from './scene.mjs';

describe('consent', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  test('names the app, where it leads and each scope, and is remembered', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    const first = scene.app.next();
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    const words = await page.locator('main').innerText();
    assert.match(words, /The Garage/);
    assert.match(words, new RegExp(new URL(scene.app.origin).host));
    assert.ok((await page.locator('.grants li').count()) >= 2, 'openid and email each have a line');
    await allow(page);
    assert.ok((await first).parameters.code);

    const second = scene.app.next();
    await openRequest(scene, page);
    assert.ok((await second).parameters.code, 'no page came in between');
    assert.equal(wallet.requests.filter(({ method }) => method === 'personal_sign').length, 1);
    context.clean();
    await context.close();
  });

  test('is asked again when the app asks for more, and says so', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone, scene.client, { scope: 'openid' });
    const back = scene.app.next();
    await openRequest(scene, page, scene.client, { scope: 'openid profile' });
    await page.getByRole('heading', { name: 'asks for more' }).waitFor();
    await allow(page);
    assert.ok((await back).parameters.code);
    const less = scene.app.next();
    await openRequest(scene, page, scene.client, { scope: 'openid' });
    assert.ok((await less).parameters.code, 'less than was allowed needs no page');
    context.clean();
    await context.close();
  });

  test('denied leads back with access_denied, and is not remembered', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    const back = scene.app.next();
    const request = await openRequest(scene, page);
    await chooseWallet(page, wallet);
    await deny(page);
    const { parameters } = await back;
    assert.deepEqual([parameters.error, parameters.state, parameters.iss, parameters.code], ['access_denied', request.state, scene.server.issuer, undefined]);
    await openRequest(scene, page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    context.clean();
    await context.close();
  });

  test('form_post: the answer is posted to the app by the page itself', async () => {
    const someone = await person(scene);
    const { context } = someone;
    const { request, arrival } = await signInAtApp(scene, someone, scene.client, { response_mode: 'form_post' });
    assert.equal(arrival.method, 'POST');
    assert.equal(arrival.parameters.state, request.state);
    assert.equal(arrival.parameters.iss, scene.server.issuer);
    assert.ok((await tokensOf(scene, { request, arrival })).id_token);

    const again = scene.app.next();
    // The page may be left for the app before it has loaded, which the driver calls an interruption.
    await openRequest(scene, someone.page, scene.client, { response_mode: 'form_post' }).catch((error) => {
      if (!/interrupted by another navigation/.test(error.message)) throw error;
    });
    assert.equal((await again).method, 'POST', 'without any page of consent too');
    context.clean();
    await context.close();
  });

  test('form_post without script: a visible button does it', async () => {
    const someone = await person(scene);
    await signInAtApp(scene, someone);
    const state = await someone.context.storageState();
    const plain = await scene.browser.newContext({ javaScriptEnabled: false, storageState: state });
    const page = await plain.newPage();
    const back = scene.app.next();
    await openRequest(scene, page, scene.client, { response_mode: 'form_post' });
    await page.getByRole('button', { name: 'Continue' }).click();
    assert.equal((await back).method, 'POST');
    await Promise.all([plain.close(), someone.context.close()]);
  });

  test('“not you?” lets another account sign in, and the code is that account’s', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    const back = scene.app.next();
    const request = await openRequest(scene, page, scene.license);
    await chooseWallet(page, wallet);
    const other = keyPair();
    await page.getByRole('button', { name: /Not you/ }).click();
    await page.locator('#wallets button').waitFor();
    wallet.keys = [other];
    await chooseWallet(page, wallet);
    await allow(page);
    const tokens = await tokensOf(scene, { request, arrival: await back }, scene.license);
    const claims = claimsOf(tokens.id_token);
    assert.equal(claims.ethereum_address, other.address);
    assert.equal(claims.provider_id, 'web3');
    assert.equal(claims.email_verified, false);
    context.clean();
    await context.close();
  });

  test('prompt=none answers without a page: login_required, consent_required, a code', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    const quiet = async (more = {}) => {
      const back = scene.app.next();
      await openRequest(scene, page, scene.client, { prompt: 'none', ...more });
      const { parameters } = await back;
      return parameters.error ?? (parameters.code ? 'a code' : 'nothing');
    };
    assert.equal(await quiet(), 'login_required');
    await openRequest(scene, page);
    await chooseWallet(page, wallet);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    assert.equal(await quiet(), 'consent_required');
    const back = scene.app.next();
    await openRequest(scene, page);
    await allow(page);
    await back;
    assert.equal(await quiet(), 'a code');
    context.clean();
    await context.close();
  });

  test('prompt=login asks for a new signature of a person who is signed in', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    await signInAtApp(scene, someone);
    const back = scene.app.next();
    await openRequest(scene, page, scene.client, { prompt: 'login' });
    await chooseWallet(page, wallet);
    assert.ok((await back).parameters.code);
    assert.equal(wallet.requests.filter(({ method }) => method === 'personal_sign').length, 2);
    context.clean();
    await context.close();
  });

  test('an authorization request by a cross-site POST finds the person signed in', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone);
    const { url } = authorizationRequest(scene.server.issuer, scene.client);
    const back = scene.app.next();
    await page.goto(scene.app.origin);
    await page.evaluate((target) => {
      const { origin, pathname, searchParams } = new URL(target);
      const form = Object.assign(document.createElement('form'), { method: 'post', action: origin + pathname });
      for (const [name, value] of searchParams) form.append(Object.assign(document.createElement('input'), { name, value }));
      document.body.append(form);
      form.submit();
    }, url);
    assert.ok((await back).parameters.code);
    context.clean();
    await context.close();
  });
});
