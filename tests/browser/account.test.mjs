// The account page and signing out, as a person uses them, and what each does to the apps' tokens.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { userinfo } from '../lib/flow.mjs';
import { chooseWallet, openRequest, person, setScene, signInAtApp, tokensOf } from './scene.mjs';

describe('the account page', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  const openAccount = async (someone) => {
    await someone.page.goto(`${scene.server.issuer}/account`);
    await someone.page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
  };

  test('asks who is not signed in to sign in, then says who they are', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    await page.goto(`${scene.server.issuer}/account`);
    await chooseWallet(page, wallet);
    await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
    assert.match(await page.locator('main').innerText(), new RegExp(wallet.keys[0].address));
    context.clean();
    await context.close();
  });

  test('keeps the profile, and userinfo gives it to an app that was allowed it', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    const { access_token: token } = await tokensOf(scene, await signInAtApp(scene, someone, scene.client, { scope: 'openid profile' }));
    await openAccount(someone);
    await page.locator('#profile-name').fill('Ada <b>Lovelace</b>');
    await page.locator('#profile-locale').fill('en-GB');
    await page.locator('#profile-picture').fill('https://pictures.example/ada.png');
    await page.getByRole('button', { name: 'Save profile' }).click();
    await page.getByText('Your profile is saved.').waitFor();
    assert.equal(await page.locator('#profile-name').inputValue(), 'Ada <b>Lovelace</b>');
    const { body } = await userinfo(scene.server.issuer, token);
    assert.deepEqual([body.name, body.locale, body.picture], ['Ada <b>Lovelace</b>', 'en-GB', 'https://pictures.example/ada.png']);
    context.clean();
    await context.close();
  });

  test('withdraws an app: its token is refused at once, and consent is asked again', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    const { access_token: token } = await tokensOf(scene, await signInAtApp(scene, someone));
    assert.equal((await userinfo(scene.server.issuer, token)).status, 200);
    await openAccount(someone);
    await page.getByRole('button', { name: /Withdraw.*The Garage/ }).click();
    await page.getByText('No app knows you yet').waitFor();
    const { status, headers } = await userinfo(scene.server.issuer, token);
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate'), /invalid_token/);
    await openRequest(scene, page);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    context.clean();
    await context.close();
  });

  test('signs out everywhere: another browser of the same person has to sign in again', async () => {
    const [here, there] = [await person(scene), await person(scene)];
    there.wallet.keys = here.wallet.keys;
    await signInAtApp(scene, here);
    const back = scene.app.next();
    await openRequest(scene, there.page);
    await chooseWallet(there.page, there.wallet);
    await back;
    await openAccount(here);
    assert.equal(await here.page.locator('section[aria-labelledby="sessions-title"] li').count(), 2);
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await here.page.waitForLoadState();
    for (const { page, context } of [here, there]) {
      await page.goto(`${scene.server.issuer}/account`);
      await page.locator('#signin').waitFor();
      context.clean();
      await context.close();
    }
  });

  test('signs out here', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone);
    await openAccount(someone);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForLoadState();
    await page.goto(`${scene.server.issuer}/account`);
    await page.locator('#signin').waitFor();
    context.clean();
    await context.close();
  });

  test('a page of another site cannot post to it', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone);
    await page.goto(scene.app.origin);
    const target = `${scene.server.issuer}/account/sign-out-everywhere`;
    const reply = page.waitForResponse(target);
    await page.evaluate((action) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      document.body.append(form);
      form.submit();
    }, target);
    assert.ok([400, 403].includes((await reply).status()));
    await page.waitForURL(target);
    await openAccount(someone);
    await context.close();
  });
});

describe('logout by an app', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  test('asks the person, signs out, and leads back to the registered page with its state', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone);
    const query = new URLSearchParams({ client_id: 'garage', post_logout_redirect_uri: `${scene.app.origin}/`, state: 'over & out' });
    await page.goto(`${scene.server.issuer}/logout?${query}`);
    assert.match(await page.locator('main').innerText(), /The Garage/);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'The app' }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('state'), 'over & out');
    await page.goto(`${scene.server.issuer}/account`);
    await page.locator('#signin').waitFor();
    context.clean();
    await context.close();
  });

  test('with an ID token of this session it needs no question', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    const { id_token: hint } = await tokensOf(scene, await signInAtApp(scene, someone));
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: `${scene.app.origin}/`, state: 'over & out' });
    await page.goto(`${scene.server.issuer}/logout?${query}`);
    await page.getByRole('heading', { name: 'The app' }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('state'), 'over & out');
    await page.goto(`${scene.server.issuer}/account`);
    await page.locator('#signin').waitFor();
    context.clean();
    await context.close();
  });

  test('without a hint or a registered page ends on a page of ours', async () => {
    const someone = await person(scene);
    const { page, context } = someone;
    await signInAtApp(scene, someone);
    await page.goto(`${scene.server.issuer}/logout`);
    await page.getByRole('link', { name: 'Stay signed in' }).click();
    await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
    await page.goto(`${scene.server.issuer}/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    context.clean();
    await context.close();
  });
});
