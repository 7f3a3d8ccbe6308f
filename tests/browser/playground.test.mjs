// What a newcomer does first: `latchkey dev`, the playground, a wallet, and decoded tokens that the page itself has verified.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { launch, openContext } from '../lib/browser.mjs';
import { run, startAlone } from '../lib/server.mjs';
import { installWallet } from '../lib/wallet.mjs';
import { allow, chooseWallet } from './scene.mjs';

describe('the playground of `latchkey dev`', () => {
  let server;
  let browser;
  before(async () => {
    server = await startAlone({ mode: 'dev' });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const walk = async (page, signIn) => {
    await page.goto(`${server.issuer}/playground`);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await signIn();
    await allow(page);
    await page.locator('#run[data-outcome="signed-in"]').waitFor();
    await page.locator('#verdict [data-token="id_token"] .pg-said[data-verified="true"]').waitFor();
  };

  test('ends with tokens whose signatures the page has verified, and with the claims that apps read', async () => {
    const context = await openContext(browser);
    const wallet = await installWallet(context);
    const page = await context.newPage();
    await walk(page, () => chooseWallet(page, wallet));
    const verdicts = await page.locator('#verdict .pg-said').evaluateAll((all) => all.map((one) => one.dataset.verified));
    assert.deepEqual(verdicts, ['true', 'true']);
    const checks = await page.locator('#checks tbody tr').count();
    assert.ok(checks > 0);
    assert.equal(await page.locator('#checks .pg-failed').count(), 0);

    // The page says so; here it is proved once more, apart from it.
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/keys`));
    const raw = (id) => page.locator(`#raw-${id}`).textContent().then((text) => text.trim());
    const [idToken, accessToken] = [await raw('id_token'), await raw('access_token')];
    const { payload: id, protectedHeader: idHeader } = await jwtVerify(idToken, keys, { issuer: server.issuer, audience: 'playground' });
    const { payload: access, protectedHeader: accessHeader } = await jwtVerify(accessToken, keys, { issuer: server.issuer, typ: 'at+jwt' });
    assert.equal(idHeader.alg, 'RS256');
    assert.equal(accessHeader.alg, 'RS256');
    for (const claims of [id, access]) {
      assert.equal(claims.aud, 'playground', 'one audience is a string');
      assert.equal(claims.provider_id, 'web3');
      assert.equal(claims.email_verified, false);
      assert.equal(claims.ethereum_address, wallet.keys[0].address);
      assert.ok(claims.exp > claims.iat);
    }
    assert.equal(id.sub, access.sub);
    assert.ok(id.nonce);
    const half = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
    assert.equal(id.at_hash, half);
    assert.ok(id.c_hash);
    assert.equal(access.client_id, 'playground');
    assert.ok(access.jti && access.scope);
    assert.equal(await page.locator('#claims-id_token tr[data-claim="ethereum_address"] td').first().innerText(), wallet.keys[0].address);
    context.clean();
    await context.close();
  });

  test('a newcomer without a wallet signs with the throw-away one, which is marked as such', async () => {
    const context = await openContext(browser);
    const page = await context.newPage();
    await walk(page, async () => {
      const button = page.locator('#wallets button[data-rdns="dev.latchkey.throwaway"]');
      assert.match(await button.innerText(), /development only/);
      await button.click();
      const dialog = page.locator('dialog.throwaway-wallet');
      assert.match(await dialog.innerText(), /Throw-away wallet/i);
      await dialog.getByRole('button', { name: 'Refuse' }).click();
      await page.locator('#problem').getByRole('button', { name: 'Try again' }).click();
      await dialog.getByRole('button', { name: 'Sign', exact: true }).click();
    });
    context.clean();
    await context.close();
  });

  test('form_post comes back to it too, and denying is shown as what it is', async () => {
    const context = await openContext(browser);
    const wallet = await installWallet(context);
    const page = await context.newPage();
    await page.goto(`${server.issuer}/playground`);
    await page.locator('#response-mode').selectOption('form_post');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await chooseWallet(page, wallet);
    await page.locator('form[action$="/consent"] button[value="deny"]').click();
    await page.locator('#run[data-outcome="failed"]').waitFor();
    assert.match(await page.locator('main').innerText(), /access_denied/);
    context.clean();
    await context.close();
  });

  test('the curl commands that it shows work as they stand', async () => {
    const context = await openContext(browser);
    const wallet = await installWallet(context);
    const page = await context.newPage();
    await walk(page, () => chooseWallet(page, wallet));
    const commands = (await page.locator('pre[id$="-curl"]').allTextContents()).filter((text) => /userinfo|openid-configuration/.test(text));
    assert.ok(commands.length >= 2, 'discovery and userinfo have a command each');
    for (const command of commands) {
      const { code, stdout, stderr } = await run('sh', ['-c', command]);
      assert.equal(code, 0, `${command}\n${stderr}`);
      assert.match(stdout, /"(issuer|sub)":/, command);
    }
    context.clean();
    await context.close();
  });
});
