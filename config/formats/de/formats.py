"""German: 21. Nov, 14:05:09."""

SHORT_DATETIME_FORMAT = "j. M, H:i:s"
