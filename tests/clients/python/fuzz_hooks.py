"""Who the fuzzer is: an administrator where the document asks for one, somebody new where it asks for a user.

Ids of accounts in paths are those of accounts that there are, half of the time.
"""

import os
import uuid

import requests
import schemathesis

URL = os.environ["EVIDENT_URL"]
KEY = os.environ["EVIDENT_SERVICE_ROLE_KEY"]


def _new_account():
    body = {"email": f"{uuid.uuid4()}@example.com", "password": "correct horse battery"}
    return requests.post(f"{URL}/signup", json=body, timeout=60).json()


def _new_person():
    body = {"email": f"{uuid.uuid4()}@example.com", "password": "correct horse battery", "name": "Somebody"}
    return requests.post(f"{URL}/api/auth/sign-up/email", json=body, timeout=60).json()


def _nobody():
    """Somebody of whom nothing is known."""
    answer = requests.post(f"{URL}/api/auth/sign-in/anonymous", json={}, timeout=60).json()
    return answer.get("token") or _new_person()["token"]


def _root():
    """Whoever administers users; a new session each time, as calls may end them."""
    body = {"email": "root@example.com", "password": "correct horse battery", "name": "Root"}
    for path in ("sign-in/email", "sign-up/email"):
        answer = requests.post(f"{URL}/api/auth/{path}", json=body, timeout=60).json()
        if answer.get("token"):
            return answer["token"]
    return _new_person()["token"]


def _schemes(operation):
    required = operation.definition.raw.get("security", [])
    return {name for requirement in required for name in requirement}


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case, context):
        schemes = _schemes(context.operation)
        if "administrator" in schemes:
            return KEY
        if "bearer" in schemes and "/admin/" in context.operation.path:
            return _root()
        if "bearer" in schemes and context.operation.path.endswith("/delete-anonymous-user"):
            return _nobody()
        if "bearer" in schemes:
            return _new_person()["token"]
        # Of their own: who signs out or closes the account does so for nobody else.
        return _new_account()["access_token"] if "user" in schemes else None

    def set(self, case, data, context):
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    given = (case.path_parameters or {}).get("user_id")
    if given is not None and len(str(given)) % 2 == 0:
        case.path_parameters["user_id"] = _new_account()["user"]["id"]
