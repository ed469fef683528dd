"""What the cases share: the server, devices with a session of their own, an administrator, messages.

EVIDENT_URL is the server, EVIDENT_DATA its data folder, EVIDENT_SERVICE_ROLE_KEY an administrator's token.
"""

import base64
import hashlib
import hmac
import os
import quopri
import random
import re
import struct
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from supabase_auth import SyncGoTrueAdminAPI, SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

URL = os.environ["EVIDENT_URL"]
KEY = os.environ["EVIDENT_SERVICE_ROLE_KEY"]
DATA = Path(os.environ["EVIDENT_DATA"])
PASSWORD = "correct horse battery"

# Which methods of the client were called, by name.
called = set()

# What lies inside the client: `client.mfa.enroll`, `client.admin.oauth.create_client`.
INNER = ("auth", "auth.mfa", "auth.admin", "auth.admin.mfa", "auth.admin.oauth")


class Recorded:
    """An object whose methods are noted when they are asked for."""

    def __init__(self, name, target):
        self._name, self._target = name, target

    def __getattr__(self, attribute):
        value, name = getattr(self._target, attribute), f"{self._name}.{attribute}"
        if name in INNER:
            return Recorded(name, value)
        if callable(value):
            called.add(name)
        return value


def device(**options):
    """A client of its own: its session lies in its own memory."""
    return Recorded("auth", SyncGoTrueClient(url=URL, auto_refresh_token=False, **options))


# As supabase-py does it: below /auth/v1, with the key on every call.
admin = Recorded(
    "auth.admin",
    SyncGoTrueAdminAPI(
        url=f"{URL}/auth/v1", headers={"apikey": KEY, "Authorization": f"Bearer {KEY}"}, http_client=httpx.Client()
    ),
)


def surface():
    """Every public method, as the cases should call them."""
    client = SyncGoTrueClient(url=URL, auto_refresh_token=False)
    for name in INNER:
        target = client
        for part in name.split(".")[1:]:
            target = getattr(target, part)
        for attribute in dir(target):
            inner = f"{name}.{attribute}"
            # `close` ends the connections, and is the HTTP library's.
            if not attribute.startswith("_") and inner not in INNER and attribute != "close":
                if callable(getattr(target, attribute)):
                    yield inner


def refused(call, status, code, message=""):
    """The call is refused with this status and code."""
    try:
        answer = call()
    except (AuthApiError, AuthWeakPasswordError) as error:
        assert (error.status, error.code) == (status, code), f"{error.status} {error.code}: {error.message}"
        assert re.search(message, error.message), error.message
        return error
    raise AssertionError(f"{status} {code} was expected, not {answer}")


def address(name):
    return f"{name}.{uuid.uuid4()}@example.com"


def phone_number():
    return f"1555{random.randrange(10**7):07}"


def needing(*endpoints):
    """Marks a case that runs once the server has these endpoints."""

    def mark(case):
        case.needs = endpoints
        return case

    return mark


_document = None


def serves(endpoint):
    global _document
    _document = _document or httpx.get(f"{URL}/openapi.json").json()
    method, path = endpoint.split(" ")
    if "?" not in path:
        return method.lower() in _document["paths"].get(path, {})
    # A grant is there when it is not refused as unknown.
    return httpx.request(method, URL + path, content="{}").json().get("msg") != "unsupported_grant_type"


def _newest(folder, suffix, to, count):
    for _ in range(500):
        found = []
        for path in (DATA / folder).glob(f"[!.]*{suffix}"):
            text = path.read_text().replace("\r\n", "\n")
            if any(line.startswith("To: ") and to in line for line in text.split("\n")):
                found.append((path.stat().st_mtime, path.name, text))
        if len(found) >= count:
            text = max(found)[2]
            return quopri.decodestring(text).decode() if "quoted-printable" in text else text
        time.sleep(0.02)
    raise AssertionError(f"no message number {count} to {to}")


def mail_to(email, count=1):
    """The newest mail to somebody, once there are so many."""
    return _newest("mail", ".eml", email.lower(), count)


def text_to(phone, count=1):
    """The newest text to a number, once there are so many."""
    return _newest("sms", ".txt", phone, count)


def link_of(mail):
    """The link of a mail, for this server whatever its port."""
    found = re.search(r'http://localhost:9999(/verify[^"<>\s]*)', mail)
    assert found, mail
    return URL + found[1].replace("&amp;", "&")


def token_of(mail):
    """The token in the link of a mail."""
    return parameter(link_of(mail), "token")


def code_of(message):
    """The six digits of a message."""
    body = message[message.index("\n\n") :]
    found = re.search(r"(?<![A-Za-z0-9#=-])[0-9]{6}(?![A-Za-z0-9])", body)
    assert found, message
    return found[0]


def parameter(url, name):
    """A parameter of the query."""
    return parse_qs(urlsplit(url).query)[name][0]


def opened(link):
    """Opens a link and answers where it leads."""
    answer = httpx.get(link, follow_redirects=False)
    assert answer.status_code in (302, 303), f"{answer.status_code} {answer.text}"
    return answer.headers["location"]


def totp(secret, later=0):
    """The code of a TOTP secret (RFC 6238) now, or so many steps later."""
    counter = struct.pack(">Q", int(time.time() // 30) + later)
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    number = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"
