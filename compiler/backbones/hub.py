"""Is the hub there? One look, so that nobody waits for many."""

import os
import socket
from functools import cache
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import getproxies

UNREACHABLE = "the hub cannot be reached and the model is not in the local cache"
_SECONDS = 3.0


@cache
def look_for_hub() -> bool:
    """Look once whether the hub answers; where it does not, libraries ask their cache alone.

    They would try to connect again and again, for half a minute.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    found: list[bool] = []
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT") or constants.ENDPOINT)
    proxy = getproxies().get(endpoint.scheme)
    asked = urlsplit(proxy) if proxy else endpoint
    # A name that no server knows takes its own time.
    looking = Thread(target=lambda: found.append(_answers(asked.hostname, asked.port)), daemon=True)
    looking.start()
    looking.join(_SECONDS)
    there = bool(found and found[0])
    constants.HF_HUB_OFFLINE = not there
    return there


def _answers(host: str | None, port: int | None) -> bool:
    try:
        with socket.create_connection((host or "", port or 443), timeout=_SECONDS):
            return True
    except OSError:
        return False
