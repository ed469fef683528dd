"""Accounts by password: up, in, refreshed, changed, out."""

import httpx
from supabase_auth.errors import AuthSessionMissingError

from support import PASSWORD, URL, address, device, phone_number, refused


def signs_up_and_reads_the_user():
    client, email, events = device(), address("Ada"), []
    subscription = client.on_auth_state_change(lambda event, session: events.append(event))
    answer = client.sign_up({"email": email, "password": PASSWORD, "options": {"data": {"full_name": "Ada"}}})
    assert answer.user.email == email.lower()
    assert answer.user.user_metadata["full_name"] == "Ada"
    assert answer.session.token_type == "bearer"
    assert client.get_user().user.id == answer.user.id
    assert client.get_session().access_token == answer.session.access_token
    assert "SIGNED_IN" in events
    subscription.unsubscribe()


def is_refused_what_it_may_not_have():
    email, client = address("bea"), device()
    client.sign_up({"email": email, "password": PASSWORD})
    other = device()
    refused(lambda: other.sign_up({"email": email, "password": PASSWORD}), 422, "user_already_exists")
    weak = refused(lambda: other.sign_up({"email": address("weak"), "password": "abc"}), 422, "weak_password")
    assert weak.reasons == ["length"]
    wrong = {"email": email, "password": "wrong password"}
    refused(lambda: other.sign_in_with_password(wrong), 400, "invalid_credentials", "Invalid login credentials")
    refused(lambda: other.get_user("not.a.token"), 403, "bad_jwt", "^invalid JWT")
    refused(lambda: other.refresh_session("aaaaaaaaaaaa"), 400, "refresh_token_not_found")
    refused(lambda: client.update_user({"password": PASSWORD}), 422, "same_password")


def signs_in_refreshes_and_keeps_its_session():
    email = address("cid")
    device().sign_up({"email": email, "password": PASSWORD})
    client = device()
    session = client.sign_in_with_password({"email": email, "password": PASSWORD}).session
    refreshed = client.refresh_session().session
    assert refreshed.refresh_token != session.refresh_token
    restored = device()
    restored.set_session(refreshed.access_token, refreshed.refresh_token)
    assert restored.get_user().user.email == email


def takes_a_session_from_an_address():
    session = device().sign_up({"email": address("flo"), "password": PASSWORD}).session
    fragment = (
        f"access_token={session.access_token}&refresh_token={session.refresh_token}"
        f"&expires_in={session.expires_in}&token_type=bearer"
    )
    client = device()
    client.initialize(url=f"http://localhost:3000/?{fragment}")
    assert client.get_user().user.id == session.user.id
    again = device()
    again.initialize_from_url(f"http://localhost:3000/?{fragment}")
    assert again.get_user().user.id == session.user.id
    empty = device()
    empty.initialize_from_storage()
    assert empty.get_session() is None


def signs_up_by_phone():
    phone = phone_number()
    answer = device().sign_up({"phone": phone, "password": PASSWORD})
    assert answer.user.phone == phone


def changes_data_and_password():
    email, client, elsewhere = address("dan"), device(), device()
    client.sign_up({"email": email, "password": PASSWORD, "options": {"data": {"a": 1}}})
    elsewhere.sign_in_with_password({"email": email, "password": PASSWORD})
    user = client.update_user({"data": {"a": None, "hello": "world"}}).user
    assert user.user_metadata["hello"] == "world" and "a" not in user.user_metadata
    client.update_user({"password": "another good one"})
    client.get_user()
    refused(elsewhere.get_user, 403, "session_not_found")
    elsewhere.sign_in_with_password({"email": email, "password": "another good one"})


def checks_the_claims():
    client = device()
    user = client.sign_up({"email": address("eva"), "password": PASSWORD}).user
    answer = client.get_claims()
    assert answer["claims"]["sub"] == user.id
    assert answer["claims"]["aal"] == "aal1"


def signs_out_here_elsewhere_and_everywhere():
    email = address("fay")
    devices = [device() for _ in range(3)]
    devices[0].sign_up({"email": email, "password": PASSWORD})
    for other in devices[1:]:
        other.sign_in_with_password({"email": email, "password": PASSWORD})
    tokens = [each.get_session().access_token for each in devices]

    def alive():
        statuses = [httpx.get(f"{URL}/user", headers={"Authorization": f"Bearer {token}"}) for token in tokens]
        return [answer.status_code == 200 for answer in statuses]

    devices[2].sign_out({"scope": "local"})
    assert alive() == [True, True, False]
    devices[0].sign_out({"scope": "others"})
    assert alive() == [True, False, False]
    devices[0].sign_out()
    assert alive() == [False, False, False]
    try:
        devices[0].reauthenticate()
    except AuthSessionMissingError:
        return
    raise AssertionError("there is no session any more")


def signs_in_without_a_name_where_that_is_on():
    client = device()
    wanted = {"options": {"data": {"guest": "yes"}}}
    if not httpx.get(f"{URL}/settings").json()["external"]["anonymous_users"]:
        refused(lambda: client.sign_in_anonymously(wanted), 422, "anonymous_provider_disabled")
        return
    user = client.sign_in_anonymously(wanted).user
    assert user.is_anonymous and user.user_metadata["guest"] == "yes"
