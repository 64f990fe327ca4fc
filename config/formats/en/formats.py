"""British English: 21 November 2026."""

DATE_FORMAT = "j F Y"
MONTH_DAY_FORMAT = "j F"
SHORT_DATETIME_FORMAT = "j M, H:i:s"
