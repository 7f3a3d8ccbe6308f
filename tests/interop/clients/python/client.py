"""PyPI `Authlib` as a relying party: what an app in Python does, from discovery to logout."""

import json
import os
import secrets
from importlib.metadata import version
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER = os.environ["LATCHKEY_ISSUER"]
CLIENT_ID = os.environ["LATCHKEY_CLIENT_ID"]
SCOPE = ["openid", "profile", "email"]


def say(message):
    print(json.dumps(message), flush=True)


def visit(url):
    say({"open": url})
    return input()


def parameter(url, name):
    return parse_qs(urlsplit(url).query)[name][0]


def must(holds, what):
    if not holds:
        raise AssertionError(what)


session = OAuth2Session(
    CLIENT_ID,
    os.environ["LATCHKEY_CLIENT_SECRET"],
    redirect_uri=os.environ["LATCHKEY_REDIRECT_URI"],
    token_endpoint_auth_method="client_secret_basic",
    code_challenge_method="S256",
)
session.verify = os.environ["LATCHKEY_CA"]
session.trust_env = False

metadata = session.get(f"{ISSUER}/.well-known/openid-configuration", withhold_token=True).json()
must(metadata["issuer"] == ISSUER, "discovery names another issuer")
session.metadata["token_endpoint"] = metadata["token_endpoint"]
keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], withhold_token=True).json())
done = ["discovery"]

offline = "offline_access" in metadata["scopes_supported"]
verifier, nonce = generate_token(48), secrets.token_urlsafe(24)
url, state = session.create_authorization_url(
    metadata["authorization_endpoint"],
    code_verifier=verifier,
    nonce=nonce,
    scope=" ".join(SCOPE + (["offline_access"] if offline else [])),
    **({"prompt": "consent"} if offline else {}),
)
back = visit(url)
must(parameter(back, "iss") == ISSUER, "another issuer answered")
token = session.fetch_token(metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
done += ["code+PKCE", "state"]

decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
options = {"iss": {"values": [ISSUER]}, "aud": {"value": CLIENT_ID}, "nonce": {"value": nonce}}
params = {"nonce": nonce, "client_id": CLIENT_ID, "access_token": token["access_token"]}
claims = CodeIDToken(decoded.claims, decoded.header, options=options, params=params)
claims.validate()
done += ["nonce", "id token"]

info = session.get(metadata["userinfo_endpoint"])
must(info.status_code == 200 and info.json()["sub"] == claims["sub"], f"userinfo answered {info.status_code} {info.text}")
done += ["userinfo"]

if token.get("refresh_token"):
    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    must(refreshed["access_token"] != token["access_token"], "a refresh gave the same access token")
    must(session.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"], "userinfo tells another sub")
    done += ["refresh"]
access = session.token["access_token"]
if "introspection_endpoint" in metadata:
    told = session.introspect_token(metadata["introspection_endpoint"], token=access, token_type_hint="access_token").json()
    must(told["active"] and told["client_id"] == CLIENT_ID, "introspection does not know the token")
    done += ["introspection"]
if "revocation_endpoint" in metadata:
    revoked = session.revoke_token(metadata["revocation_endpoint"], token=access, token_type_hint="access_token")
    must(revoked.status_code == 200, f"revocation answered {revoked.status_code}")
    must(session.get(metadata["userinfo_endpoint"]).status_code == 401, "a revoked token still works")
    done += ["revocation"]

goodbye = secrets.token_urlsafe(24)
query = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": os.environ["LATCHKEY_GOODBYE_URI"], "state": goodbye}
left = visit(f"{metadata['end_session_endpoint']}?{urlencode(query)}")
must(parameter(left, "state") == goodbye, "logout lost the state")
done += ["logout"]

say({"library": f"Authlib {version('authlib')}", "done": done})
