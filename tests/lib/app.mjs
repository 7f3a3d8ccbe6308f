// An app on an origin of its own, for a browser to be sent back to: it remembers what arrived at /callback.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Starts the app: `{ origin, redirectUri, next(), arrivals, stop() }`. */
export async function startApp() {
  const arrivals = [];
  const waiting = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://app');
    if (url.pathname === '/logo.png') {
      response.writeHead(200, { 'content-type': 'image/png' }).end(LOGO);
      return;
    }
    if (url.pathname !== '/callback') {
      response.writeHead(url.pathname === '/' ? 200 : 204, { 'content-type': 'text/html' }).end(page('The app'));
      return;
    }
    let body = '';
    for await (const part of request) body += part;
    const parameters = Object.fromEntries(new URLSearchParams(request.method === 'POST' ? body : url.search));
    arrivals.push({ method: request.method, parameters, headers: request.headers });
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page('Back at the app'));
    waiting.splice(0).forEach((look) => look());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = async (place) => {
    const end = Date.now() + 10_000;
    while (arrivals.length <= place) {
      const left = end - Date.now();
      if (left <= 0) throw new Error('the browser did not come back to the app');
      let timer;
      await Promise.race([new Promise((look) => waiting.push(look)), new Promise((late) => (timer = setTimeout(late, left)))]);
      clearTimeout(timer);
    }
    return arrivals[place];
  };
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    redirectUri: `${origin}/callback`,
    arrivals,
    /** The next arrival after this call, at most ten seconds from now: call it before what leads there. */
    next() {
      const place = arrivals.length;
      const arrival = arrived(place);
      arrival.catch(() => {}); // whoever awaits it is told; whoever failed before that has said enough
      return arrival;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

// One pixel.
const LOGO = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const page = (title) => `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1></html>`;
