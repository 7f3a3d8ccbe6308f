// A browser without a screen: cookies, redirects followed by hand, forms read from HTML. It sends what a browser sends.

/** Why a step did not go as it must, with what the server said. */
export class UnexpectedReply extends Error {
  constructor(what, reply) {
    super(`${what}: ${reply.status} ${reply.headers.get('location') ?? ''}\n${reply.text.slice(0, 2_000)}`);
    this.reply = reply;
  }
}

/** One person's browser at one issuer. */
export class Visitor {
  /** @param {() => string} [door] where each request really goes, as behind a proxy that shares them among several servers */
  constructor(issuer, door = () => issuer) {
    this.issuer = issuer;
    this.door = door;
    this.cookies = new Map();
  }

  /** Sends a request without following redirects: the `Response` with its body read as `text`. Paths are the issuer's. */
  async send(method, target, { headers = {}, body } = {}) {
    const url = new URL(target, this.issuer);
    const ours = url.origin === this.issuer;
    const reply = await fetch(ours ? new URL(url.pathname + url.search, this.door()) : url, {
      method,
      redirect: 'manual',
      body,
      headers: {
        accept: 'text/html,*/*',
        ...(ours && this.cookies.size > 0 ? { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } : {}),
        ...(method === 'GET' ? {} : { origin: this.issuer, 'sec-fetch-site': 'same-origin' }),
        ...headers,
      },
    });
    if (ours) reply.headers.getSetCookie().forEach((line) => this.#keep(line));
    return Object.assign(reply, { text: await reply.text() });
  }

  get(target, options) {
    return this.send('GET', target, options);
  }

  /** Posts a form's fields as a browser does. */
  post(target, fields, { headers } = {}) {
    return this.send('POST', target, { body: new URLSearchParams(fields), headers });
  }

  /** Posts JSON with the page's CSRF token. */
  postJson(target, value, csrf) {
    return this.send('POST', target, {
      body: JSON.stringify(value),
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-csrf-token': csrf },
    });
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute)) || value === '';
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** The forms of a page: `[{ id, action, method, fields }]`, fields being what a browser would send of the inputs and selections that belong to it. */
export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([whole, head, inside]) => {
    const own = attributesOf(head);
    const outside = own.id ? html.replace(whole, '') : '';
    const inputs = (text) => [...text.matchAll(/<input\b([^>]*)>/g)].map(([, found]) => attributesOf(found));
    const selections = [...outside.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)].map(([, found, options]) => {
      const chosen = [...options.matchAll(/<option\b([^>]*)>/g)].map(([, option]) => attributesOf(option)).find((option) => 'selected' in option);
      return { ...attributesOf(found), value: chosen?.value };
    });
    const elsewhere = [...inputs(outside), ...selections].filter((input) => input.form === own.id);
    const sent = [...inputs(inside), ...elsewhere].filter((input) => input.name && (input.type !== 'checkbox' || 'checked' in input));
    return {
      id: own.id,
      action: own.action ?? '',
      method: (own.method ?? 'get').toLowerCase(),
      fields: Object.fromEntries(sent.map((input) => [input.name, input.value ?? ''])),
    };
  });
}

/** The attributes of the first element with this id, or undefined. */
export function elementOf(html, id) {
  const found = html.match(new RegExp(`<\\w+\\b([^>]*\\bid="${id}"[^>]*)>`));
  return found ? attributesOf(found[1]) : undefined;
}

function attributesOf(text) {
  const pairs = [...text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)];
  return Object.fromEntries(pairs.map(([, name, double, single, bare]) => [name, decoded(double ?? single ?? bare ?? '')]));
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return NAMED[name] ?? whole;
    return String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal));
  });
}
