"""One-time codes and links: signing in without a password, recovering, changing."""

from support import (
    PASSWORD,
    address,
    admin,
    code_of,
    device,
    link_of,
    mail_to,
    needing,
    opened,
    parameter,
    phone_number,
    refused,
    text_to,
    token_of,
)


def _account(name):
    email = address(name)
    admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True})
    return email


def _signed_in(email):
    client = device()
    client.sign_in_with_password({"email": email, "password": PASSWORD})
    return client


@needing("POST /otp")
def signs_in_by_a_link():
    email, client = _account("oda"), device()
    client.sign_in_with_otp({"email": email, "options": {"should_create_user": False}})
    proof = {"type": "email", "token_hash": token_of(mail_to(email))}
    assert client.verify_otp(proof).user.email == email
    refused(lambda: device().verify_otp(proof), 403, "otp_expired", "invalid or has expired")


@needing("POST /otp")
def signs_in_by_a_code_on_the_phone():
    phone, client = phone_number(), device()
    admin.create_user({"phone": phone, "phone_confirm": True})
    client.sign_in_with_otp({"phone": phone})
    proof = {"type": "sms", "phone": phone, "token": code_of(text_to(phone))}
    assert client.verify_otp(proof).user.phone == phone
    refused(lambda: device().verify_otp(proof), 403, "otp_expired")


@needing("POST /recover")
def recovers_an_account():
    email, client = _account("pia"), device()
    client.reset_password_for_email(email)
    client.verify_otp({"type": "recovery", "token_hash": token_of(mail_to(email))})
    client.update_user({"password": "a new and better one"})
    device().sign_in_with_password({"email": email, "password": "a new and better one"})
    client.reset_password_email(address("nobody"))


@needing("POST /recover", "POST /token?grant_type=pkce")
def exchanges_the_code_of_a_link():
    email, client = _account("quin"), device(flow_type="pkce")
    client.reset_password_for_email(email, {"redirect_to": "http://localhost:3000/reset"})
    code = parameter(opened(link_of(mail_to(email))), "code")
    answer = client.exchange_code_for_session({"auth_code": code})
    assert answer.session.user.email == email


def changes_an_address():
    email, other = _account("rob"), address("robert")
    client = _signed_in(email)
    assert client.update_user({"email": other}).user.new_email == other
    # With autoconfirm one of the two mails is enough.
    proof = {"type": "email_change", "token_hash": token_of(mail_to(other))}
    assert client.verify_otp(proof).user.email == other


@needing("POST /resend")
def sends_again():
    email, other = _account("sue"), address("susan")
    client = _signed_in(email)
    client.update_user({"email": other})
    mail_to(other)
    client.resend({"type": "email_change", "email": email})
    client.verify_otp({"type": "email_change", "token_hash": token_of(mail_to(other, 2))})
    client.resend({"type": "signup", "email": address("nobody")})


@needing("GET /reauthenticate")
def asks_for_a_nonce_before_a_new_password():
    email = _account("tom")
    client = _signed_in(email)
    client.reauthenticate()
    client.update_user({"password": "a new and better one", "nonce": code_of(mail_to(email))})
