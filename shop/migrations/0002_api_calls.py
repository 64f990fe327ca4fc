from django.db import migrations


class Migration(migrations.Migration):
    """The counters of the API's throttle (shop/apis/throttles.py): a scratch pad that a crash may empty."""

    dependencies = [("shop", "0001_catalogue")]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE UNLOGGED TABLE shop_api_calls (
                    scope text NOT NULL,
                    client text NOT NULL,
                    began_at timestamptz NOT NULL,
                    calls bigint NOT NULL CHECK (calls >= 0),
                    PRIMARY KEY (scope, client)
                )
            """,
            reverse_sql="DROP TABLE shop_api_calls",
        )
    ]
