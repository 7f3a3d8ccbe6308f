// Signing in at providers elsewhere, in Chromium: `oidc-provider` as Google, Apple and any other, and a stub of GitHub. With and without
// script, on a phone and on a desktop, light and dark.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { violations } from '../lib/look.mjs';
import { startProviders } from '../lib/providers.mjs';
import { allow, chooseWallet, openRequest, person, setScene, tokensOf } from './scene.mjs';

describe('providers elsewhere', () => {
  let scene;
  let providers;
  before(async () => {
    providers = await startProviders();
    scene = await setScene({ config: providers.config, env: { LATCHKEY_EGRESS_ALLOW_PRIVATE_NETWORKS: 'true' } });
    providers.mount(scene.server.issuer);
  });
  after(async () => {
    await scene?.end();
    await providers?.stop();
  });

  // What the providers' own pages say on the console is theirs; and a sign-in page that says what went wrong is no 200.
  const clean = (context) => context.clean(/^http:\/\/127\.0\.0\.1/, /the server responded with a status of 4\d\d/);
  const press = (page, id) => page.getByRole('button', { name: `Continue with ${providers.names[id]}` }).click();
  /** Signs in on the provider's own page, as whoever this is there. */
  const atProvider = async (page, id, login) => {
    await page.waitForURL((url) => url.origin === providers.origin(id));
    if (id === 'github') return page.getByRole('link', { name: 'Authorize' }).click();
    if (id === 'google') {
      await page.getByLabel('Email or phone').fill(login);
      return page.getByRole('button', { name: 'Next' }).click();
    }
    await page.locator('input[name="login"]').fill(login);
    await page.locator('input[name="password"]').fill('anything');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    const consent = page.getByRole('button', { name: 'Continue', exact: true });
    await consent.click();
  };
  // At a license: its ID tokens have `provider_id`.
  const signIn = async (page, id, login) => {
    const back = scene.app.next();
    const request = await openRequest(scene, page, scene.license);
    await press(page, id);
    await atProvider(page, id, login);
    await allow(page);
    const tokens = await tokensOf(scene, { request, arrival: await back }, scene.license);
    return claimsOf(tokens.id_token);
  };

  for (const id of ['google', 'apple', 'house', 'github']) {
    test(`${id}: there and back, and the same person again`, async () => {
      const someone = await person(scene, { wallet: false });
      const first = await signIn(someone.page, id, 'ada');
      assert.equal(first.provider_id, id);
      // The session at the provider goes on; ours is a new one.
      const back = scene.app.next();
      const request = await openRequest(scene, someone.page, scene.license, { prompt: 'select_account' });
      await press(someone.page, id);
      if (id === 'github') await atProvider(someone.page, id);
      const tokens = await tokensOf(scene, { request, arrival: await back }, scene.license);
      assert.equal(claimsOf(tokens.id_token).sub, first.sub);
      clean(someone.context);
      await someone.context.close();
    });
  }

  test('without script', async () => {
    const someone = await person(scene, { wallet: false, javaScriptEnabled: false });
    assert.equal((await signIn(someone.page, 'house', 'grace')).provider_id, 'house');
    clean(someone.context);
    await someone.context.close();
  });

  test('an app that asks for a new sign-in has one there too', async () => {
    const someone = await person(scene, { wallet: false });
    await signIn(someone.page, 'house', 'joan');
    const back = scene.app.next();
    await openRequest(scene, someone.page, scene.license, { prompt: 'login' });
    await press(someone.page, 'house');
    await someone.page.waitForURL((url) => url.origin === providers.origin('house'));
    await someone.page.locator('input[name="login"]').fill('joan');
    await someone.page.locator('input[name="password"]').fill('anything');
    await someone.page.getByRole('button', { name: 'Sign-in' }).click();
    assert.ok((await back).parameters.code);
    clean(someone.context);
    await someone.context.close();
  });

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`the pages, ${device}, ${colorScheme}`, async (t) => {
        const { page, context, wallet } = await person(scene, { viewport, colorScheme });
        const look = (name) =>
          t.test(name, async () => {
            assert.deepEqual(await violations(page), []);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(wide, 0, 'nothing runs past the edge');
            if (process.env.LATCHKEY_TEST_PICTURES) await page.screenshot({ path: `${process.env.LATCHKEY_TEST_PICTURES}/upstream-${name.replaceAll(' ', '-')}-${device}-${colorScheme}.png`, fullPage: true });
          });
        await openRequest(scene, page);
        await page.locator('#wallets button').first().waitFor();
        await look('sign in');
        // The page on the way, held still.
        const still = async (route) => {
          const reply = await route.fetch();
          await route.fulfill({ response: reply, body: (await reply.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '') });
        };
        await page.route('**/upstream/house', still);
        await press(page, 'house');
        await page.getByRole('heading', { name: 'On to The House' }).waitFor();
        await look('on the way');
        await page.unroute('**/upstream/house', still);
        await page.getByRole('link', { name: 'Continue' }).click();
        await page.getByRole('link', { name: '[ Cancel ]' }).click();
        await page.getByRole('alert').getByRole('heading', { name: 'You did not go on at The House' }).waitFor();
        await look('after a no');
        // Another way is right there.
        const back = scene.app.next();
        await chooseWallet(page, wallet);
        await allow(page);
        assert.ok((await back).parameters.code);
        clean(context);
        await context.close();
      });
    }
  }

  test('with the keyboard alone', async () => {
    const { page, context } = await person(scene, { wallet: false });
    await openRequest(scene, page);
    const button = page.getByRole('button', { name: 'Continue with GitHub' });
    for (let presses = 0; presses < 40 && !(await button.evaluate((element) => element === document.activeElement)); presses += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.origin === providers.origin('github'));
    clean(context);
    await context.close();
  });
});
