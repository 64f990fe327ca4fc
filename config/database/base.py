"""The database backend; Django finds `DatabaseWrapper` here by name.

Django asks a connection that it keeps `SELECT 1` before each request: one of five round trips of a checkout.
"""

import select

from django.db.backends.postgresql import base
from psycopg import pq


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, whose connections are looked at instead of asked whether they live."""

    def is_usable(self) -> bool:
        """Whether the server still holds its end of the line.

        An idle server says nothing. When the socket has something to read, that is the end of the connection, or
        the word that it is about to end, which a server sends that shuts down.
        """
        connection = self.connection
        if connection is None or connection.pgconn.status != pq.ConnStatus.OK:
            return False
        if connection.info.transaction_status == pq.TransactionStatus.INERROR:
            return False
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        return not poll.poll(0)
