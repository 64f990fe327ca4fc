"""The cache that counts attempts to sign in, for all web processes: unlogged, for it may be lost."""

from django.db import migrations

CREATE = """
    CREATE UNLOGGED TABLE accounts_cache (
        cache_key varchar(255) NOT NULL PRIMARY KEY,
        value text NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX accounts_cache_expires ON accounts_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP TABLE accounts_cache")]
