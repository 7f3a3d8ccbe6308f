// What the browser tests share: a server, an app at an origin of its own with its clients, Chromium, and the presses of a person.
import { checksummed, keyPair } from '../lib/keys.mjs';
import { launch, openContext } from '../lib/browser.mjs';
import { authorizationRequest, redeem } from '../lib/flow.mjs';
import { startApp } from '../lib/app.mjs';
import { startAlone } from '../lib/server.mjs';
import { installWallet } from '../lib/wallet.mjs';

const SECRET = 'a-secret-of-the-browser-tests-0123456789';

/** Everything that the tests of one file need; `options` go to the server. */
export async function setScene(options = {}) {
  const opened = [];
  const end = async () => {
    for (const close of opened.reverse()) await close();
  };
  try {
    const app = await startApp();
    opened.push(() => app.stop());
    const server = await startAlone(options);
    opened.push(() => server.stop());
    const browser = await launch();
    opened.push(() => browser.close());
    const redirect = ['--redirect-uri', app.redirectUri];
    await server.cli(['client', 'create', '--id', 'garage', '--name', 'The Garage', '--secret', SECRET, ...redirect, '--post-logout-redirect-uri', `${app.origin}/`]);
    const license = checksummed(keyPair().address);
    await server.cli(['license', 'create', '--alias', 'fleet', '--owner', keyPair().address, '--client-id', license, ...redirect]);
    const client = { clientId: 'garage', secret: SECRET, redirectUri: app.redirectUri };
    return { app, server, browser, client, license: { clientId: license, redirectUri: app.redirectUri }, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A person's browser with a wallet in it: `{ context, page, wallet }`. `wallet: false` is a browser without one. */
export async function person(scene, { wallet = {}, ...how } = {}) {
  const context = await openContext(scene.browser, how);
  return { context, wallet: wallet ? await installWallet(context, wallet) : undefined, page: await context.newPage() };
}

/** Opens an authorization request of a client in the page; gives the request. */
export async function openRequest(scene, page, client = scene.client, more = {}) {
  const request = authorizationRequest(scene.server.issuer, { ...client, ...more });
  await page.goto(request.url);
  return request;
}

/** Presses the wallet's button on the sign-in page. */
export async function chooseWallet(page, wallet) {
  await page.locator(`#wallets button[data-rdns="${wallet.info.rdns}"]`).click();
}

export const allow = (page) => page.getByRole('button', { name: 'Allow', exact: true }).click();
export const deny = (page) => page.locator('form[action$="/consent"] button[value="deny"]').click();

/** The title of the problem that the sign-in page shows, as soon as it shows one. */
export async function problemTitle(page, timeout = 10_000) {
  const title = page.locator('#problem h2');
  await title.waitFor({ timeout });
  return title.innerText();
}

/** A button inside the problem's words. */
export const wayOn = (page, name) => page.locator('#problem').getByRole('button', { name });

/** The whole way from the request to the app: signs in, agrees, and gives `{ request, arrival }`. */
export async function signInAtApp(scene, { page, wallet }, client = scene.client, more = {}) {
  const back = scene.app.next();
  const request = await openRequest(scene, page, client, more);
  await chooseWallet(page, wallet);
  await allow(page);
  const arrival = await back;
  await atApp(scene, page);
  return { request, arrival };
}

/** Waits until the browser shows the app: the app hears of an arrival before that, and what navigates in between is in the way. */
export const atApp = (scene, page) => page.waitForURL((url) => url.origin === scene.app.origin);

/** Redeems what came back to the app: the token reply's body. */
export async function tokensOf(scene, { request, arrival }, client = scene.client) {
  const { status, body } = await redeem(scene.server.issuer, { ...client, code: arrival.parameters.code, verifier: request.verifier });
  if (status !== 200) throw new Error(`/token answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
