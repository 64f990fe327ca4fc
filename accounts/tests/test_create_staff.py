"""`manage.py create_staff`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


def create_staff(*options: str) -> tuple[str, str]:
    out = StringIO()
    call_command("create_staff", *options, stdout=out)
    username, password = out.getvalue().split()
    return username, password


def test_the_printed_sign_in_opens_the_admin(client: Client) -> None:
    username, password = create_staff()

    assert client.login(username=username, password=password)
    assert client.get("/admin/").status_code == 200


def test_a_second_call_says_how_to_get_a_new_password() -> None:
    create_staff()

    with pytest.raises(CommandError, match="--reset"):
        create_staff()


def test_a_reset_replaces_the_password(client: Client) -> None:
    _, old = create_staff()

    username, new = create_staff("--reset")

    assert not client.login(username=username, password=old)
    assert client.login(username=username, password=new)


def test_two_accounts_cannot_share_an_address() -> None:
    User.objects.create_user(username="ada", email="ada@foxglove.example")

    with pytest.raises(IntegrityError, match="accounts_user_email_unique"):
        User.objects.create_user(username="countess", email="ADA@foxglove.example")


def test_accounts_without_an_address_do_not_collide() -> None:
    User.objects.create_user(username="ada")
    User.objects.create_user(username="grace")

    assert User.objects.filter(email="").count() == 2
