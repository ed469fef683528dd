"""Who the fuzzer is: an administrator where the document asks for one, somebody new where it asks for a user,
the owner of a new organization where an operation is about organizations.

Ids of accounts in paths, of organizations and teams in questions are those of what there is, half of the time.
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


# What somebody owns, by the token and the name of the field that asks for it.
OWNED = {}


def _owner():
    """Somebody who owns an organization, which is the active one, with two teams."""
    token = _new_person()["token"]

    def make(kind, body):
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{URL}/api/auth/organization/{kind}"
        return requests.post(url, json=body, headers=headers, timeout=60).json()["id"]

    organization = make("create", {"name": "Something", "slug": str(uuid.uuid4())})
    OWNED[token] = {"organizationId": organization, "teamId": make("create-team", {"name": "Some"})}
    return token


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
        if "bearer" in schemes and "/organization/" in context.operation.path:
            return _owner()
        if "bearer" in schemes:
            return _new_person()["token"]
        # Of their own: who signs out or closes the account does so for nobody else.
        return _new_account()["access_token"] if "user" in schemes else None

    def set(self, case, data, context):
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
        # Taken out, as a token is asked for anew at each call and a run asks thousands of times.
        for name, owned in OWNED.pop(data, {}).items():
            for given in (case.query, case.body):
                value = given.get(name) if isinstance(given, dict) else None
                if isinstance(value, str) and len(value) % 2 == 0:
                    given[name] = owned


@schemathesis.hook
def before_call(context, case, kwargs):
    given = (case.path_parameters or {}).get("user_id")
    if given is not None and len(str(given)) % 2 == 0:
        case.path_parameters["user_id"] = _new_account()["user"]["id"]
