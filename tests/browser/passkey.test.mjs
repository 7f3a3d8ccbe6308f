// Passkeys on the real page, with Chromium's virtual authenticator: an account made with one, signed in to by the button and by the
// browser's list in the field, and the turns that a person or a device can take.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { look as lookAt } from '../lib/look.mjs';
import { until } from '../lib/server.mjs';
import { allow, atApp, openRequest, person, problemTitle, setScene, tokensOf, wayOn } from './scene.mjs';

/** A device that keeps passkeys. It answers what is asked while somebody touches it; anything else stays open. */
async function device(someone) {
  const session = await someone.context.newCDPSession(someone.page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: false },
  });
  const touch = (enabled) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  return {
    touch: () => touch(true),
    leave: () => touch(false),
    verified: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    clear: () => session.send('WebAuthn.clearCredentials', { authenticatorId }),
  };
}

const signIn = (page) => page.getByRole('button', { name: 'Sign in with a passkey' });
const makeNew = (page) => page.getByRole('button', { name: 'Make a new account with a passkey' });

/** Presses a button with a finger on the device. */
async function press(button, phone) {
  await phone.touch();
  await button.click();
}

/** Gives a function that waits until the browser was asked so many times, by the button or by the list, and the last question stays open. */
function counter(page) {
  let count = 0;
  page.on('response', (response) => response.url().endsWith('/passkey/options') && (count += 1));
  return async (times) => {
    await until(`${times} questions`, () => count >= times);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
  };
}

/** Signs out a person who is at the app. */
async function signOut(scene, page, phone) {
  await atApp(scene, page);
  await phone.leave();
  await page.goto(`${scene.server.issuer}/logout`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
}

/** A person who has made an account by passkey, at the app. */
async function newcomer(scene, how = {}) {
  const someone = await person(scene, { wallet: false, ...how });
  const phone = await device(someone);
  const back = scene.app.next();
  const request = await openRequest(scene, someone.page);
  await press(makeNew(someone.page), phone);
  await allow(someone.page);
  const tokens = await tokensOf(scene, { request, arrival: await back });
  return { ...someone, phone, claims: claimsOf(tokens.id_token) };
}

describe('signing in with a passkey', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  test('an account is made with nothing else, and signed in to by the button and by the list in the field', async () => {
    const { page, context, phone, claims } = await newcomer(scene);
    assert.deepEqual(claims.amr, ['hwk', 'pop', 'user']);
    const [credential] = await phone.credentials();
    assert.equal(credential.rpId, 'localhost');
    assert.ok(credential.isResidentCredential);

    await signOut(scene, page, phone);
    let back = scene.app.next();
    let request = await openRequest(scene, page);
    await page.locator('#passkey-field').waitFor();
    await press(signIn(page), phone);
    const byButton = claimsOf((await tokensOf(scene, { request, arrival: await back })).id_token);
    assert.deepEqual([byButton.sub, byButton.amr], [claims.sub, claims.amr]);

    // With one passkey and a finger on the device, the list is answered as soon as it is there.
    await signOut(scene, page, phone);
    await phone.touch();
    back = scene.app.next();
    request = await openRequest(scene, page);
    const byList = claimsOf((await tokensOf(scene, { request, arrival: await back })).id_token);
    assert.equal(byList.sub, claims.sub);
    context.clean();
    await context.close();
  });

  test('who is not verified, or says no, is told so and can try again', async () => {
    const { page, context, phone, claims } = await newcomer(scene);
    await signOut(scene, page, phone);
    await phone.verified(false);
    const back = scene.app.next();
    const asked = counter(page);
    const request = await openRequest(scene, page);
    await page.locator('#passkey-field').waitFor();
    await press(signIn(page), phone);
    assert.equal(await problemTitle(page), 'No passkey was used');
    await phone.leave();
    await asked(3);
    await phone.verified(true);
    await press(wayOn(page, 'Try again'), phone);
    assert.equal(claimsOf((await tokensOf(scene, { request, arrival: await back })).id_token).sub, claims.sub);
    context.clean();
    await context.close();
  });

  test('a passkey that the server does not know is told so', async () => {
    const { page, context, phone } = await newcomer(scene);
    await signOut(scene, page, phone);
    const [known] = await phone.credentials();
    // The same device, at a server that has lost its account.
    const other = await setScene();
    try {
      const asked = counter(page);
      await page.goto(`${other.server.issuer}/account`);
      await page.locator('#passkey-field').waitFor();
      await press(signIn(page), phone);
      assert.equal(await problemTitle(page), 'This passkey is not known here');
      await phone.leave();
      await asked(3);
      assert.equal((await phone.credentials())[0].credentialId, known.credentialId);
      await page.goto('about:blank');
    } finally {
      await other.end();
    }
    context.clean(/status of 400/);
    await context.close();
  });

  test('a browser without passkeys says so, and a device without one too', async () => {
    const someone = await person(scene, { wallet: false });
    await someone.context.addInitScript(() => delete window.PublicKeyCredential);
    await openRequest(scene, someone.page);
    await someone.page.locator('#no-passkey').waitFor();
    assert.match(await someone.page.locator('#no-passkey').innerText(), /no passkeys/);
    assert.ok(await someone.page.locator('#passkey').isHidden());
    someone.context.clean();
    await someone.context.close();

    const { page, context, phone } = await newcomer(scene);
    await signOut(scene, page, phone);
    await phone.clear();
    await openRequest(scene, page);
    await press(signIn(page), phone);
    assert.equal(await problemTitle(page), 'No passkey was used');
    context.clean();
    await context.close();
  });

  for (const [name, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`axe finds nothing: ${name}, ${colorScheme}`, async () => {
        const { page, context, phone } = await newcomer(scene, { viewport, colorScheme });
        const look = (what) => lookAt(page, `passkey-${what}-${name}-${colorScheme}`);
        await signOut(scene, page, phone);
        await openRequest(scene, page);
        await page.locator('#passkey-field').waitFor();
        await look('offered');
        await phone.verified(false);
        await press(signIn(page), phone);
        await problemTitle(page);
        await look('refused');
        context.clean();
        await context.close();
      });
    }
  }
});
