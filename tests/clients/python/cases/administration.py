"""What an application's administrators do."""

from supabase_auth.types import CreateOAuthClientParams, UpdateOAuthClientParams

from support import PASSWORD, address, admin, device, mail_to, needing, refused, token_of


def administers_users():
    email = address("gus")
    attributes = {"email": email, "password": PASSWORD, "email_confirm": True, "user_metadata": {"a": 1}}
    user = admin.create_user(attributes).user
    assert user.user_metadata["a"] == 1
    refused(lambda: admin.create_user({"email": email}), 422, "email_exists")
    assert admin.get_user_by_id(user.id).user.email == email
    assert admin.update_user_by_id(user.id, {"user_metadata": {"b": 2}}).user.user_metadata["b"] == 2
    assert any(found.id == user.id for found in admin.list_users(page=1, per_page=1000))
    client = device()
    session = client.sign_in_with_password({"email": email, "password": PASSWORD}).session
    admin.sign_out(session.access_token)
    refused(client.get_user, 403, "session_not_found")
    admin.update_user_by_id(user.id, {"ban_duration": "24h"})
    refused(lambda: device().sign_in_with_password({"email": email, "password": PASSWORD}), 400, "user_banned")
    admin.delete_user(user.id)
    refused(lambda: admin.get_user_by_id(user.id), 404, "user_not_found")


@needing("POST /invite")
def invites_somebody():
    email = address("lea")
    user = admin.invite_user_by_email(email, {"data": {"team": "blue"}}).user
    session = device().verify_otp({"type": "invite", "token_hash": token_of(mail_to(email))}).session
    assert session.user.id == user.id


@needing("POST /admin/generate_link")
def makes_links():
    email = address("max")
    wanted = {"type": "signup", "email": email, "password": PASSWORD}
    up = admin.generate_link({**wanted, "options": {"data": {"status": "alpha"}}})
    assert up.user.user_metadata["status"] == "alpha"
    device().verify_otp({"type": "signup", "token_hash": up.properties.hashed_token})
    for kind in ("magiclink", "recovery"):
        proof = {"type": kind, "token_hash": admin.generate_link({"type": kind, "email": email}).properties.hashed_token}
        device().verify_otp(proof)
        refused(lambda: device().verify_otp(proof), 403, "otp_expired")


@needing("POST /admin/oauth/clients")
def administers_applications():
    back = "https://app.example.com/back"
    made = admin.oauth.create_client(CreateOAuthClientParams(client_name="C", redirect_uris=[back])).client
    assert made.client_secret
    assert admin.oauth.get_client(made.client_id).client.client_name == "C"
    assert any(found.client_id == made.client_id for found in admin.oauth.list_clients().clients)
    changed = admin.oauth.update_client(made.client_id, UpdateOAuthClientParams(client_name="D"))
    assert changed.client.client_name == "D"
    assert admin.oauth.regenerate_client_secret(made.client_id).client.client_secret != made.client_secret
    admin.oauth.delete_client(made.client_id)
    refused(lambda: admin.oauth.get_client(made.client_id), 404, "oauth_client_not_found")
