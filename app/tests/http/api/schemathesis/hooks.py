"""Keeps a client signed in, and makes values that follow the rules that a schema cannot express."""

import os
import time
import uuid

import requests
import schemathesis
from hypothesis import strategies as st

BASE = os.environ["API"]
EMAIL, SIGNED_IN = os.environ.get("EMAIL"), os.environ.get("EMAIL") is not None
password = os.environ.get("PASSWORD")

# No schema says that a password is common or has nothing but one character.
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=9), min_size=3, max_size=8)
schemathesis.openapi.format(
    "password", WORDS.map(lambda words: "zebra-quartz-" + "-".join(words))
)
# A registered address is refused, so each is new.
schemathesis.openapi.format(
    "email", st.builds(lambda: f"{uuid.uuid4()}@example.org")
)


if SIGNED_IN:

    @schemathesis.auth(refresh_interval=None)
    class Session:
        headers, since = None, 0.0

        def get(self, case, context):
            old = time.monotonic() - Session.since > 240
            if Session.headers is None or old or not self.lives():
                body = {"email": EMAIL, "password": password}
                answer = requests.post(f"{BASE}/signin", json=body)
                answer.raise_for_status()
                cookies = "; ".join(f"{it.name}={it.value}" for it in answer.cookies)
                answer = requests.get(f"{BASE}/csrf_token", headers={"Cookie": cookies})
                token = answer.json()["csrf_token"]
                Session.headers = {"Cookie": cookies, "X-CSRF-Token": token}
                Session.since = time.monotonic()
            return Session.headers

        def lives(self):
            return requests.get(f"{BASE}/me", headers=Session.headers).ok

        def set(self, case, data, context):
            case.headers["Cookie"] = data["Cookie"]
            case.headers.setdefault("X-CSRF-Token", data["X-CSRF-Token"])


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes a valid change of the password one from the current to another; no schema knows either."""
    if changes_password(case) and is_positive(case):
        case.body["current"] = password
        if case.body["new"] == password:
            case.body["new"] += f"-{uuid.uuid4()}"


@schemathesis.hook
def after_call(context, case, response):
    global password
    if changes_password(case) and response.status_code == 204:
        password = case.body["new"]


def changes_password(case):
    return case.operation.path == "/password" and case.method == "PUT"


def is_positive(case):
    mode = case.meta and case.meta.generation.mode
    return bool(mode and mode.is_positive) and isinstance(case.body, dict)
