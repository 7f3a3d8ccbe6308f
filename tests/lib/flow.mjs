// The code flow as a person with a wallet walks it, over HTTP alone: sign in, consent, and back to the app.
import { createHash, randomBytes } from 'node:crypto';
import { keyPair } from './keys.mjs';
import { UnexpectedReply, Visitor, elementOf, formsOf } from './visitor.mjs';

const MOST_STEPS = 12;

/** A person: a browser of their own and a wallet. */
export class Person extends Visitor {
  constructor(issuer, wallet = keyPair(), door = undefined) {
    super(issuer, door);
    this.wallet = wallet;
  }

  /**
   * Opens an authorization URL and goes on, as the pages ask, until the server sends the browser to `redirectUri`.
   *
   * @returns the parameters of the authorization response, from the URL or (`form_post`) from the form.
   */
  async authorize(url, { redirectUri = new URL(url).searchParams.get('redirect_uri'), decision = 'allow', chain } = {}) {
    let reply = await this.get(url);
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const next = reply.headers.get('location');
      if (next?.startsWith(redirectUri)) return Object.fromEntries(new URL(next).searchParams);
      if (next) {
        reply = await this.get(next);
        continue;
      }
      const forms = formsOf(reply.text);
      const answer = forms.find((form) => form.action === redirectUri);
      if (answer) return answer.fields;
      reply = await this.#answerPage(reply, forms, { decision, chain });
    }
    throw new UnexpectedReply('the flow did not end', reply);
  }

  /** Signs in at a sign-in page's interaction: the reply's JSON, `{ next }` or the error's members. */
  async signIn({ interaction, csrf, chain = 137, wallet = this.wallet }) {
    const challenge = await this.challenge({ interaction, csrf, chain, address: wallet.address });
    const { text } = await this.postJson(
      `/interaction/${interaction}/wallet/signature`,
      { challenge: challenge.challenge, signature: wallet.sign(challenge.message) },
      csrf,
    );
    return JSON.parse(text);
  }

  /** Asks for a message to sign: the reply's JSON. */
  async challenge({ interaction, csrf, chain = 137, address = this.wallet.address }) {
    const { text } = await this.postJson(`/interaction/${interaction}/wallet/challenge`, { address, chain_id: chain }, csrf);
    return JSON.parse(text);
  }

  async #answerPage(reply, forms, { decision, chain }) {
    const page = elementOf(reply.text, 'signin');
    if (page) {
      const chains = JSON.parse(page['data-chains']);
      const facts = { interaction: page['data-interaction'], csrf: page['data-csrf'], chain: chain ?? chains[0].id };
      const { next, ...problem } = await this.signIn(facts);
      if (!next) throw new UnexpectedReply(`the signature was refused (${JSON.stringify(problem)})`, reply);
      return this.get(next);
    }
    const consent = forms.find((form) => form.action.endsWith('/consent'));
    if (!consent) throw new UnexpectedReply('a page that is neither for signing in nor for consent', reply);
    return this.post(consent.action, { ...consent.fields, decision });
  }
}

/** An authorization request of the code flow with PKCE: `{ url, verifier, state, nonce }`. Members of `more` win; undefined leaves out; a client's `secret` is not sent here. */
export function authorizationRequest(issuer, { clientId, redirectUri, secret, scope = 'openid email', pkce = true, ...more }) {
  const [verifier, state, nonce] = Array.from({ length: 3 }, () => randomBytes(32).toString('base64url'));
  const parameters = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    nonce,
    ...(pkce ? { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' } : {}),
    ...more,
  };
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return { url: `${issuer}/auth?${new URLSearchParams(given)}`, verifier: pkce ? verifier : undefined, state, nonce };
}

/** Redeems a code at `/token`: `{ status, headers, body }`. A `secret` goes by HTTP Basic. */
export async function redeem(issuer, { clientId, secret, code, redirectUri, verifier }) {
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: secret ? { authorization: basic(clientId, secret) } : {},
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      ...(secret ? {} : { client_id: clientId }),
      ...(verifier ? { code_verifier: verifier } : {}),
    }),
  });
  return { status: reply.status, headers: reply.headers, body: await reply.json() };
}

/** Asks `/userinfo` with a bearer: `{ status, headers, body }`; a body that is no JSON is text. */
export async function userinfo(issuer, token) {
  const reply = await fetch(`${issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
}

/** Signs in by the two endpoints of the API: `{ status, body }` of the last reply, and the `challenge` that was signed. */
export async function signInByApi(issuer, { clientId, redirectUri, secret, address, sign, submitAt = issuer }) {
  const ask = { client_id: clientId, domain: redirectUri, scope: 'openid email', response_type: 'code', address };
  const first = await fetch(`${issuer}/auth/web3/generate_challenge`, { method: 'POST', body: new URLSearchParams(ask) });
  const challenge = await first.json();
  if (first.status !== 200) return { status: first.status, body: challenge };
  const form = {
    client_id: clientId,
    domain: redirectUri,
    grant_type: 'authorization_code',
    state: challenge.state,
    signature: sign(challenge.challenge),
    ...(secret ? { client_secret: secret } : {}),
  };
  const reply = await fetch(`${submitAt}/auth/web3/submit_challenge`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: reply.status, headers: reply.headers, body: await reply.json(), challenge };
}

/** The claims of a token, not verified. */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

/** The whole of it: a person signs in at an app, and the app redeems. Gives the token reply's body. */
export async function login(person, client, more = {}) {
  const request = authorizationRequest(person.issuer, { ...client, ...more });
  const { code } = await person.authorize(request.url);
  const { status, body } = await redeem(person.issuer, { ...client, code, verifier: request.verifier });
  if (status !== 200) throw new Error(`/token answered ${status}: ${JSON.stringify(body)}`);
  return { ...body, code };
}

function basic(id, secret) {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}
