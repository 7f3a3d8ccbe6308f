"""The Python data SDK, unmodified but for its base URLs, gets a token for a vehicle: prints it, or what was refused, as JSON.

Arguments: the environment, the server's URL, the license's client id, its redirect URI, the token id, and the ids of the permissions to ask
for with commas between them; without those the SDK looks up what is shared. The private key comes on standard input.
"""

import json
import sys

from dimo import DIMO
from dimo.errors import HTTPError

environment, server, client_id, domain, token_id = sys.argv[1:6]
privileges = [int(number) for number in sys.argv[6].split(",")] if len(sys.argv) > 6 else None
dimo = DIMO(environment)
dimo.urls.update(Auth=server, Identity=server + "/query", TokenExchange=server)
try:
    developer = dimo.auth.get_dev_jwt(client_id=client_id, domain=domain, private_key=sys.stdin.read().strip())["access_token"]
    asked = {"developer_jwt": developer, "token_id": int(token_id), "client_id": client_id, "env": environment, "privileges": privileges}
    print(json.dumps({"token": dimo.token_exchange.exchange(**asked)["token"]}))
except HTTPError as error:
    print(json.dumps({"status": error.status, "body": error.body}))
except ValueError as error:
    print(json.dumps({"message": str(error)}))
