"""The outbox is written and emptied all day: without frequent vacuuming its index fills with dead rows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
                ALTER TABLE events_outboxevent SET (
                    autovacuum_vacuum_scale_factor = 0,
                    autovacuum_vacuum_threshold = 2000,
                    autovacuum_vacuum_insert_threshold = -1,
                    autovacuum_vacuum_cost_delay = 0
                )
            """,
            reverse_sql="""
                ALTER TABLE events_outboxevent RESET (
                    autovacuum_vacuum_scale_factor,
                    autovacuum_vacuum_threshold,
                    autovacuum_vacuum_insert_threshold,
                    autovacuum_vacuum_cost_delay
                )
            """,
        )
    ]
