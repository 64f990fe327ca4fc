"""Replays of many dead letters, edited payloads, and indexes that find one dead letter among many."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workers", "0002_inbox_by_days"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplayRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "selection",
                    models.JSONField(
                        help_text="What staff asked for; the items are what that was at the start."
                    ),
                ),
                (
                    "rate",
                    models.FloatField(
                        help_text="Events a second; without one, as fast as the worker is.", null=True
                    ),
                ),
                (
                    "stop_after",
                    models.PositiveIntegerField(help_text="No more than so many may fail again.", null=True),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("stopped", "Stopped"), ("finished", "Finished")],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("released", models.PositiveIntegerField(default=0, help_text="Put back in line so far.")),
                ("resolved", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                (
                    "skipped",
                    models.PositiveIntegerField(default=0, help_text="No longer open when their turn came."),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("stop_reason", models.TextField(blank=True, default="")),
                (
                    "next_due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When the next one in line may be tried.",
                    ),
                ),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ReplayItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run", "dead_letter", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="workers.replayrun",
                    ),
                ),
                (
                    "dead_letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workers.deadletter",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("in_line", "In line"),
                            ("resolved", "Resolved"),
                            ("failed", "Failed again"),
                            ("skipped", "No longer open"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="deadletter",
            options={
                "default_permissions": ("view",),
                "permissions": [
                    ("retry_deadletter", "Can retry dead letters"),
                    ("edit_deadletter", "Can retry dead letters with another payload"),
                    ("discard_deadletter", "Can discard dead letters"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="deadletter",
            name="dead_letter_status_known",
        ),
        migrations.RemoveIndex(
            model_name="deadletter",
            name="dead_letter_fingerprint",
        ),
        migrations.AddField(
            model_name="deadletter",
            name="edit_of",
            field=models.OneToOneField(
                help_text="The dead letter whose payload staff replaced by this one's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="edited_as",
                to="workers.deadletter",
            ),
        ),
        migrations.AlterField(
            model_name="deadletter",
            name="status",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("retrying", "Being retried"),
                    ("resolved", "Resolved"),
                    ("discarded", "Discarded"),
                    ("edited", "Replaced by an edit"),
                ],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="deadletteraction",
            name="action",
            field=models.CharField(
                choices=[
                    ("retry", "Retry"),
                    ("edit", "Edit"),
                    ("discard", "Discard"),
                    ("restore", "Restore"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="deadletter",
            index=models.Index(fields=["fingerprint", "status", "id"], name="dead_letter_fingerprint"),
        ),
        migrations.AddIndex(
            model_name="deadletter",
            index=models.Index(fields=["-last_failed_at", "-id"], name="dead_letter_newest"),
        ),
        migrations.AddIndex(
            model_name="deadletter",
            index=django.contrib.postgres.indexes.HashIndex(fields=["key"], name="dead_letter_key"),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "retrying", "resolved", "discarded", "edited"])),
                name="dead_letter_status_known",
            ),
        ),
        migrations.AddField(
            model_name="deadletteraction",
            name="run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="workers.replayrun",
            ),
        ),
        migrations.AddIndex(
            model_name="replayrun",
            index=models.Index(condition=models.Q(("ended_at", None)), fields=["id"], name="replay_going_on"),
        ),
        migrations.AddConstraint(
            model_name="replayrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "stopped", "finished"])),
                name="replay_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="replayrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)), name="replay_rate_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="replayrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("stop_after__gt", 0)), name="replay_stop_after_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="replayrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("released"), "+", models.F("skipped")
                        ),
                    ),
                    (
                        "released__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("resolved"), "+", models.F("failed")
                        ),
                    ),
                ),
                name="replay_counts_add_up",
            ),
        ),
        migrations.AddIndex(
            model_name="replayitem",
            index=models.Index(fields=["run", "state", "dead_letter"], name="replay_item_next"),
        ),
        migrations.AddConstraint(
            model_name="replayitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "in_line", "resolved", "failed", "skipped"])),
                name="replay_item_state_known",
            ),
        ),
    ]
