"""What never stands in a log, however it got into a message."""

# Regular expressions, with what is logged instead.
MASKS = {
    # E-mail addresses, as errors of mail servers and of unique constraints quote them.
    r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+": "[address]",
    # Numbers as long as a card's (ISO/IEC 7812-1), with or without gaps; not parts of ids or words.
    r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])": "[number]",
    # Whoever holds an order's token may pay and cancel the order, and Django logs paths of refused requests.
    r"(?<=/orders/)[\w-]{16,}": "[token]",
    # Payment methods: whoever holds one can charge the card.
    r"\bpm_\w+": "[payment method]",
}
