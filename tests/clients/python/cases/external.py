"""Signing in through others: providers, ID tokens, single sign-on."""

from supabase_auth.errors import AuthApiError

from support import PASSWORD, URL, address, admin, device, needing, opened, parameter, phone_number, refused


@needing("GET /authorize", "GET /callback")
def is_sent_to_a_provider_and_back_with_its_refusal():
    client = device(flow_type="pkce")
    options = {"redirect_to": "http://localhost:3000/welcome", "scopes": "read:user"}
    provider = opened(client.sign_in_with_oauth({"provider": "github", "options": options}).url)
    assert provider.startswith("https://github.com/login/oauth/authorize?"), provider
    back = opened(f"{URL}/callback?state={parameter(provider, 'state')}&error=access_denied")
    assert back.startswith("http://localhost:3000/welcome") and "error=access_denied" in back, back


@needing("DELETE /user/identities/{identity_id}")
def shows_and_removes_ways_in():
    email, client = address("amy"), device()
    admin.create_user(
        {"email": email, "password": PASSWORD, "email_confirm": True, "phone": phone_number(), "phone_confirm": True}
    )
    client.sign_in_with_password({"email": email, "password": PASSWORD})
    identities = client.get_user_identities().identities
    assert len(identities) == 2
    client.unlink_identity(next(identity for identity in identities if identity.provider == "phone"))
    (last,) = client.get_user_identities().identities
    refused(lambda: client.unlink_identity(last), 422, "single_identity_not_deletable")


@needing("GET /user/identities/authorize")
def begins_to_link_another_way_in():
    client = device()
    client.sign_up({"email": address("ben"), "password": PASSWORD})
    url = client.link_identity({"provider": "github"}).url
    assert url.startswith("https://github.com/login/oauth/authorize?"), url


@needing("POST /token?grant_type=id_token")
def is_refused_with_an_id_token_of_nobody():
    try:
        device().sign_in_with_id_token({"provider": "google", "token": "not.a.token"})
    except AuthApiError as error:
        assert error.status == 400, error
        return
    raise AssertionError("the token is nobody's")


@needing("POST /sso")
def is_refused_single_sign_on():
    refused(lambda: device().sign_in_with_sso({"domain": "example.com"}), 404, "saml_provider_disabled")
