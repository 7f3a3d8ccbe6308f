// An app that registered itself: its picture, its pages and the warning, light and dark, on a phone and on a desktop.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { violations } from '../lib/look.mjs';
import { until } from '../lib/server.mjs';
import { allow, chooseWallet, openRequest, person, setScene } from './scene.mjs';

describe('an app that registered itself', () => {
  let scene;
  let client;
  before(async () => {
    scene = await setScene({ env: { LATCHKEY_REGISTRATION_ENABLED: 'true', LATCHKEY_EGRESS_ALLOW_PRIVATE_NETWORKS: 'true' } });
    const reply = await fetch(`${scene.server.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [scene.app.redirectUri],
        client_name: 'The Self-made Garage',
        token_endpoint_auth_method: 'none',
        logo_uri: `${scene.app.origin}/logo.png`,
        policy_uri: 'https://garage.example/privacy',
        tos_uri: 'https://garage.example/terms',
        client_uri: 'https://garage.example/',
        initiate_login_uri: 'https://garage.example/login',
      }),
    });
    assert.equal(reply.status, 201);
    client = { clientId: (await reply.json()).client_id, redirectUri: scene.app.redirectUri };
    await until('the picture', async () => (await fetch(`${scene.server.issuer}/clients/${client.clientId}/logo`)).ok);
  });
  after(() => scene?.end());

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${device}, ${colorScheme}`, async () => {
        const { page, wallet, context } = await person(scene, { viewport, colorScheme });
        const look = async (name) => {
          assert.deepEqual(await violations(page), [], name);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.equal(wide, 0, `${name}: nothing runs past the edge`);
          if (process.env.LATCHKEY_TEST_PICTURES) await page.screenshot({ path: `${process.env.LATCHKEY_TEST_PICTURES}/${name}-${device}-${colorScheme}.png`, fullPage: true });
        };
        const picture = async () => assert.equal(await page.locator('.app-logo').evaluate((image) => image.complete && image.naturalWidth), 1);
        await openRequest(scene, page, client);
        await page.locator('#wallets button').first().waitFor();
        await picture();
        await look('sign-in');
        await chooseWallet(page, wallet);
        await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
        await picture();
        assert.match(await page.locator('.notice').innerText(), /registered itself/);
        const links = page.locator('.app-pages a');
        assert.deepEqual(await links.evaluateAll((all) => all.map(({ href, rel }) => [href, rel])), [
          ['https://garage.example/privacy', 'noopener noreferrer'],
          ['https://garage.example/terms', 'noopener noreferrer'],
          ['https://garage.example/', 'noopener noreferrer'],
        ]);
        await look('consent');
        const back = scene.app.next();
        await allow(page);
        assert.ok((await back).parameters.code);
        await page.goto(`${scene.server.issuer}/account`);
        const start = await page.getByRole('link', { name: 'Open The Self-made Garage' }).getAttribute('href');
        assert.equal(start, `https://garage.example/login?iss=${encodeURIComponent(scene.server.issuer)}`);
        await look('account');
        context.clean();
        await context.close();
      });
    }
  }
});
