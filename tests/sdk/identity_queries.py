"""What the Python data SDK asks of the identity API besides what is shared: prints the answers as JSON.

Arguments: the server's URL, the address of an owner.
"""

import json
import sys

from dimo import DIMO

server, owner = sys.argv[1:3]
dimo = DIMO("Production")
dimo.urls.update(Identity=server + "/query")
answers = {
    "count": dimo.identity.count_dimo_vehicles(),
    "definitions": dimo.identity.list_vehicle_definitions_per_address(address=owner, limit=3),
    "one": dimo.identity.mmy_by_token_id(token_id=11),
}
print(json.dumps(answers))
