"""A connection that is kept is looked at before it is used."""

import psycopg
import pytest
from django.db import ProgrammingError, close_old_connections, connection, transaction


def hang_up(*, pid: int) -> None:
    parameters = connection.get_connection_params()
    known = {name: parameters[name] for name in ("dbname", "user", "host") if parameters.get(name)}
    with psycopg.connect(**known, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.django_db(transaction=True)
def test_a_request_does_not_notice_that_the_server_has_hung_up_since_the_last_one() -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    hang_up(pid=connection.connection.info.backend_pid)

    close_old_connections()  # as before every request

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_connection_in_a_failed_transaction_is_not_usable() -> None:
    with transaction.atomic():
        with pytest.raises(ProgrammingError), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        assert not connection.is_usable()
        transaction.set_rollback(True)
    assert connection.is_usable()
