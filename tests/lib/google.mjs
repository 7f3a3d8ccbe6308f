// The pages on which Google asks which account it is, for npm `oidc-provider`: one form, and a way back.
import { interactionPolicy } from 'oidc-provider';

/** How people prove who they are there, as its ID tokens say it. */
export const GOOGLE_AMR = ['pwd', 'otp'];

/** What a provider's configuration has in addition: its own pages, and the prompt that Google knows. */
export function googleConfiguration() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return {
    interactions: { policy, url: (_, { uid }) => `/account/${uid}` },
    features: { devInteractions: { enabled: false } },
  };
}

/** What answers in the place of the provider's own callback. */
export function googleCallback(provider) {
  const rest = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith('/account/')) return rest(request, response);
    if (request.method !== 'POST') return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    let body = '';
    for await (const part of request) body += part;
    const form = new URLSearchParams(body);
    const result = form.has('cancel') ? { error: 'access_denied' } : await chosen(provider, request, response, form.get('login'));
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  };
}

// Whoever is chosen has proved it and agrees: Google asks no more of an app that wants a name and an address.
async function chosen(provider, request, response, accountId) {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return { login: { accountId, amr: GOOGLE_AMR }, select_account: {}, consent: { grantId: await grant.save() } };
}

const PAGE = `<!doctype html><html lang="en"><title>Sign in</title><h1>Choose an account</h1>
<form method="post"><label>Email or phone <input name="login"></label><button>Next</button><button name="cancel" value="1">Cancel</button></form></html>`;
