// Every page, light and dark, on a phone and on a desktop: axe finds nothing, the console stays empty, nothing runs past the edge.
// With UPDATE_SCREENSHOTS=1 the pictures of the README are taken as well.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { violations } from '../lib/look.mjs';
import { REFUSED } from '../lib/wallet.mjs';
import { allow, chooseWallet, openRequest, person, problemTitle, setScene, signInAtApp } from './scene.mjs';

const IMAGES = resolve(import.meta.dirname, '../../docs/images');
const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;

for (const mode of ['serve', 'dev']) {
  describe(`the pages of \`latchkey ${mode}\``, () => {
    let scene;
    before(async () => (scene = await setScene({ mode })));
    after(() => scene?.end());

    for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      for (const colorScheme of ['light', 'dark']) {
        test(`${device}, ${colorScheme}`, async (t) => {
          const someone = await person(scene, { viewport, colorScheme });
          const { page, wallet, context } = someone;
          const look = async (name, picture) => {
            await page.getByRole('heading', { level: 1 }).waitFor();
            await t.test(name, async () => {
              assert.deepEqual(await violations(page), []);
              const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
              assert.equal(wide, 0, 'nothing runs past the edge');
            });
            if (picture && process.env.UPDATE_SCREENSHOTS === '1' && device === 'desktop' && colorScheme === 'light' && mode === 'dev') {
              await mkdir(IMAGES, { recursive: true });
              const { y, height } = await page.locator('main').boundingBox();
              const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(viewport.height, Math.ceil(y + height + 48)) };
              await page.screenshot({ path: `${IMAGES}/${picture}.png`, clip });
            }
          };
          const at = (path) => page.goto(`${scene.server.issuer}${path}`);

          await at('/');
          await look('home');
          await openRequest(scene, page);
          await page.locator('#wallets button').first().waitFor();
          await look('sign-in', 'sign-in');
          wallet.answer = (method) => (method === 'personal_sign' ? REFUSED : undefined);
          await chooseWallet(page, wallet);
          await problemTitle(page);
          await look('sign-in, refused');
          wallet.answer = () => undefined;
          await page.locator('#problem button').first().click();
          await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
          await page.locator('details summary').first().click();
          await look('consent, with details');
          await page.locator('details summary').first().click();
          await look('consent', 'consent');
          const back = scene.app.next();
          await allow(page);
          await back;
          await at('/account');
          await look('account');
          await at('/logout');
          await look('logout');
          await page.getByRole('button', { name: 'Sign out' }).click();
          await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
          await look('logged out');
          await at('/auth?client_id=nobody&redirect_uri=https://nowhere.example/cb&response_type=code&scope=openid');
          await look('error: unknown client');
          await at('/nowhere');
          await look('error: no such page');
          await at('/interaction/0190a5c8-0000-7000-8000-000000000000');
          await look('error: no such sign-in');
          if (mode === 'dev') {
            await at('/playground');
            await look('playground');
            await page.getByRole('button', { name: 'Sign in', exact: true }).click();
            await chooseWallet(page, wallet);
            await allow(page);
            await page.locator('#verdict .pg-said[data-verified="true"]').first().waitFor();
            await look('playground, signed in', 'playground');
          }
          context.clean(EXPECTED_REPLY);
          await context.close();
        });
      }
    }

    test('without a wallet, and without script', async (t) => {
      const someone = await person(scene, { wallet: false, viewport: PHONE });
      await openRequest(scene, someone.page);
      await someone.page.locator(mode === 'dev' ? '#wallets button' : '#no-wallet').first().waitFor();
      await t.test('no wallet', async () => assert.deepEqual(await violations(someone.page), []));
      someone.context.clean();
      await someone.context.close();

      const plain = await person(scene, { wallet: false, javaScriptEnabled: false });
      await openRequest(scene, plain.page);
      await t.test('no script', async () => assert.match(await plain.page.locator('main').innerText(), /needs JavaScript/));
      await plain.context.close();
    });

    test('form_post’s page stands still when it is come back to', async (t) => {
      const someone = await person(scene);
      const { page, context } = someone;
      await signInAtApp(scene, someone, scene.client, { response_mode: 'form_post' });
      await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
      await page.goBack();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await t.test('axe', async () => assert.deepEqual(await violations(page), []));
      context.clean(EXPECTED_REPLY);
      await context.close();
    });
  });
}
