"""Cut the inbox into days (`workers.retention`); what it holds so far stays in the table of others."""

from django.db import migrations

CUT = """
    ALTER TABLE workers_inboxentry RENAME TO workers_inbox_old;
    CREATE TABLE workers_inboxentry (
        consumer varchar(60) NOT NULL,
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT statement_timestamp(),
        PRIMARY KEY (consumer, event_id)
    ) PARTITION BY RANGE (event_id);
    CREATE TABLE workers_inbox_other PARTITION OF workers_inboxentry DEFAULT;
    CREATE INDEX workers_inbox_other_received ON workers_inbox_other (received_at);
    INSERT INTO workers_inboxentry SELECT consumer, event_id, received_at FROM workers_inbox_old;
    DROP TABLE workers_inbox_old;
"""
UNCUT = """
    ALTER TABLE workers_inboxentry RENAME TO workers_inbox_old;
    CREATE TABLE workers_inboxentry (
        consumer varchar(60) NOT NULL,
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT statement_timestamp(),
        PRIMARY KEY (consumer, event_id)
    );
    INSERT INTO workers_inboxentry SELECT consumer, event_id, received_at FROM workers_inbox_old;
    DROP TABLE workers_inbox_old;
"""


class Migration(migrations.Migration):
    dependencies = [("workers", "0001_initial")]
    operations = [migrations.RunSQL(CUT, reverse_sql=UNCUT)]
