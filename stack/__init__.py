"""What one machine without Docker needs around the shop: servers, the demo bank, the supervisor."""


class StackError(Exception):
    """The stack cannot go on; the message is one line that says what to do."""
