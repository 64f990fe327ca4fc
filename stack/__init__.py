"""Everything outside the shop that one machine without Docker needs: servers, the demo bank, the supervisor."""


class StackError(Exception):
    """The stack cannot go on; the message is one line that says what to do."""
