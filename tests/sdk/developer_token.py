"""The Python data SDK, unmodified but for its base URL, asks for a developer token: prints the reply, or the error, as JSON.

Arguments: the server's URL, the license's client id, its redirect URI. The private key comes on standard input.
"""

import json
import sys

from dimo import DIMO
from dimo.errors import HTTPError

server, client_id, domain = sys.argv[1:4]
dimo = DIMO("Dev")
dimo.urls["Auth"] = server
try:
    print(json.dumps({"reply": dimo.auth.get_dev_jwt(client_id=client_id, domain=domain, private_key=sys.stdin.read().strip())}))
except HTTPError as error:
    print(json.dumps({"status": error.status, "body": error.body}))
