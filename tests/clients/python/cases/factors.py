"""Second factors."""

from support import PASSWORD, address, admin, code_of, device, needing, phone_number, refused, text_to, totp

FACTORS = ("POST /factors", "POST /factors/{factor_id}/verify", "GET /admin/users/{user_id}/factors")


def _person(name):
    client, email = device(), address(name)
    user = client.sign_up({"email": email, "password": PASSWORD}).user
    return client, email, user


@needing(*FACTORS)
def steps_up_by_totp():
    client, email, user = _person("uma")
    assert client.mfa.get_authenticator_assurance_level().next_level == "aal1"
    factor = client.mfa.enroll({"factor_type": "totp", "friendly_name": "telephone"})
    challenge = client.mfa.challenge({"factor_id": factor.id})
    proof = {"factor_id": factor.id, "challenge_id": challenge.id}
    refused(lambda: client.mfa.verify({**proof, "code": "000000"}), 422, "mfa_verification_failed", "Invalid TOTP code")
    proof["challenge_id"] = client.mfa.challenge({"factor_id": factor.id}).id
    client.mfa.verify({**proof, "code": totp(factor.totp.secret)})
    assert client.mfa.get_authenticator_assurance_level().current_level == "aal2"
    assert [found.id for found in client.mfa.list_factors().totp] == [factor.id]

    other = device()
    other.sign_in_with_password({"email": email, "password": PASSWORD})
    refused(lambda: other.update_user({"password": "another good one"}), 401, "insufficient_aal")
    other.mfa.challenge_and_verify({"factor_id": factor.id, "code": totp(factor.totp.secret, 1)})
    other.update_user({"password": "another good one"})
    assert len(admin.mfa.list_factors({"user_id": user.id})) == 1
    assert other.mfa.unenroll({"factor_id": factor.id}).id == factor.id


@needing(*FACTORS, "DELETE /admin/users/{user_id}/factors/{factor_id}")
def enrolls_without_a_name_and_an_administrator_removes_it():
    client, _, user = _person("val")
    factor = client.mfa.enroll({"factor_type": "totp"})
    assert admin.mfa.delete_factor({"user_id": user.id, "id": factor.id}).id == factor.id


@needing(*FACTORS)
def steps_up_by_a_code_on_the_phone():
    client, _, _ = _person("wes")
    phone = phone_number()
    factor = client.mfa.enroll({"factor_type": "phone", "phone": phone, "friendly_name": "phone"})
    challenge = client.mfa.challenge({"factor_id": factor.id, "channel": "sms"})
    client.mfa.verify({"factor_id": factor.id, "challenge_id": challenge.id, "code": code_of(text_to(phone))})
    assert client.mfa.get_authenticator_assurance_level().current_level == "aal2"
