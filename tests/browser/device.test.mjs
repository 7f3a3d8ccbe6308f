// Connecting a device in Chromium: the page for its code, the consent that names it, and the playground that acts as one. Every page of it
// in light and dark, on a phone and on a desktop. LATCHKEY_TEST_PICTURES names a folder for pictures of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { violations } from '../lib/look.mjs';
import { allow, chooseWallet, deny, person, setScene } from './scene.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;

describe('a device without a browser', () => {
  let scene;
  before(async () => {
    scene = await setScene({ mode: 'dev', env: { LATCHKEY_DEVICES_INTERVAL: '1s' } });
    await scene.server.cli(['client', 'create', '--id', 'tv', '--name', 'Garage on your television', '--public', '--grant-type', GRANT, 'refresh_token']);
  });
  after(() => scene?.end());

  const post = async (path, form) => {
    const reply = await fetch(`${scene.server.issuer}${path}`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: reply.status, body: await reply.json() };
  };
  const ask = async (scope = 'openid email') => (await post('/device/code', { client_id: 'tv', scope })).body;
  const poll = (codes) => post('/token', { grant_type: GRANT, client_id: 'tv', device_code: codes.device_code });
  /** Polls as a device does, until there is an answer. */
  const answer = async (codes) => {
    for (;;) {
      const { status, body } = await poll(codes);
      if (!['authorization_pending', 'slow_down'].includes(body.error)) return { status, body };
      await new Promise((done) => setTimeout(done, 7_000));
    }
  };

  test('its code is typed with the keyboard alone, and the device goes on', async () => {
    const { page, wallet, context } = await person(scene);
    const codes = await ask();
    await page.goto(`${scene.server.issuer}/device`);
    const field = page.getByLabel('The code that your device shows');
    while (!(await field.evaluate((element) => element === document.activeElement))) await page.keyboard.press('Tab');
    await page.keyboard.type('bcdf ghjk');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This code does not work').waitFor();
    assert.match(new URL(page.url()).pathname, /^\/device$/);
    await field.fill(codes.user_code.toLowerCase().replace('-', ' '));
    await field.press('Enter');
    await chooseWallet(page, wallet);
    await page.getByRole('heading', { name: 'Connect a device to Garage on your television?' }).waitFor();
    const words = await page.locator('main').innerText();
    assert.ok(words.includes(codes.user_code) && /only if you started this yourself/.test(words), words);
    await allow(page);
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    const { status, body } = await answer(codes);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(claimsOf(body.id_token).aud, 'tv');
    context.clean(EXPECTED_REPLY);
    await context.close();
  });

  test('a link with the code must be confirmed, works without script, and “no” sends the device away', async () => {
    const someone = await person(scene);
    // Signed in already: still nothing happens without a press.
    await someone.page.goto(`${scene.server.issuer}/account`);
    await chooseWallet(someone.page, someone.wallet);
    await someone.page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
    const plain = await scene.browser.newContext({ javaScriptEnabled: false, storageState: await someone.context.storageState() });
    const page = await plain.newPage();
    const codes = await ask();
    await page.goto(codes.verification_uri_complete);
    await page.getByRole('heading', { name: 'Does your device show this code?' }).waitFor();
    assert.ok((await page.locator('main').innerText()).includes(codes.user_code));
    assert.equal((await poll(codes)).body.error, 'authorization_pending');
    await page.getByRole('button', { name: 'Yes, it is the same' }).click();
    await deny(page);
    await page.getByRole('heading', { name: 'The device was sent away' }).waitFor();
    assert.equal((await answer(codes)).body.error, 'access_denied');
    await plain.close();
    someone.context.clean();
    await someone.context.close();
  });

  test('the playground acts as a device: picture, polls, tokens that the page verifies', async () => {
    const { page, wallet, context } = await person(scene);
    await page.goto(`${scene.server.issuer}/playground`);
    await page.getByRole('link', { name: 'Connect a device' }).click();
    await page.getByRole('heading', { name: 'A device waits for you' }).waitFor();
    assert.equal(await page.locator('.pg-picture svg path').count(), 1);
    // The page polls by itself.
    await page.locator('.pg-steps h3', { hasText: 'Polling' }).waitFor({ timeout: 10_000 });
    assert.match(await page.locator('.pg-steps > li').last().innerText(), /authorization_pending|Response 400/);
    const [phone] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: /The link of the picture/ }).click()]);
    await phone.getByRole('button', { name: 'Yes, it is the same' }).click();
    await chooseWallet(phone, wallet);
    await allow(phone);
    await phone.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    await page.locator('#run[data-outcome="signed-in"]').waitFor({ timeout: 30_000 });
    await page.locator('#verdict [data-token="id_token"] .pg-said[data-verified="true"]').waitFor();
    assert.ok((await page.locator('.pg-intro').innerText()).includes(wallet.keys[0].address));
    assert.match(await page.locator('.pg-steps').innerText(), /device_code/);
    context.clean(EXPECTED_REPLY);
    await context.close();
  });

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`its pages: ${device}, ${colorScheme}`, async (t) => {
        const { page, wallet, context } = await person(scene, { viewport, colorScheme });
        const pictures = process.env.LATCHKEY_TEST_PICTURES;
        const look = async (name) => {
          await page.getByRole('heading', { level: 1 }).waitFor();
          await t.test(name, async () => {
            assert.deepEqual(await violations(page), []);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(wide, 0, 'nothing runs past the edge');
          });
          if (pictures) await page.screenshot({ path: `${pictures}/device-${name}-${device}-${colorScheme}.png`, fullPage: true });
        };
        await page.goto(`${scene.server.issuer}/device`);
        await look('enter');
        await page.getByLabel('The code that your device shows').fill('BBBB-BBBB');
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('alert').waitFor();
        await look('wrong');
        const codes = await ask('openid email offline_access');
        await page.goto(codes.verification_uri_complete);
        await look('compare');
        await page.getByRole('button', { name: 'Yes, it is the same' }).click();
        await page.locator('#wallets button').first().waitFor();
        await look('sign-in');
        await chooseWallet(page, wallet);
        await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
        await look('consent');
        await allow(page);
        await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
        await look('connected');
        const denied = await ask();
        await page.goto(denied.verification_uri_complete);
        await page.getByRole('button', { name: 'Yes, it is the same' }).click();
        await deny(page);
        await page.getByRole('heading', { name: 'The device was sent away' }).waitFor();
        await look('denied');
        await page.goto(`${scene.server.issuer}/playground/device/start`);
        await page.getByRole('heading', { name: 'A device waits for you' }).waitFor();
        await look('playground');
        context.clean(EXPECTED_REPLY);
        await context.close();
      });
    }
  }
});
