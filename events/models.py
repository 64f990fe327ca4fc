"""The outbox table: events that are committed but not yet acknowledged by Kafka."""

from typing import ClassVar

import msgspec
from django.db import models
from django.db.models.functions import Now

from events.envelope import Headers

SHARDS = 16


class OutboxEvent(models.Model):
    """One record on its way to Kafka; deleted once the broker has acknowledged it.

    The columns carry what Debezium's outbox event router asks for
    (https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html).
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField()
    shard = models.SmallIntegerField()
    topic = models.CharField(max_length=249)
    key = models.BinaryField(null=True)
    type = models.CharField(max_length=200)
    headers = models.BinaryField(help_text="MessagePack: a list of [name, bytes].")
    payload = models.BinaryField(null=True)
    aggregate_type = models.CharField(max_length=60)
    aggregate_id = models.CharField(max_length=64)
    aggregate_version = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    blocked_at = models.DateTimeField(null=True)
    blocked_reason = models.TextField(db_default="")

    class Meta:
        verbose_name = "outbox event"
        default_permissions = ("view", "change")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="outbox_shard_in_range", condition=models.Q(shard__gte=0, shard__lt=SHARDS)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["shard", "id"], name="outbox_shard_id"),
            models.Index(
                fields=["topic", "key"],
                name="outbox_blocked_keys",
                condition=models.Q(blocked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    @property
    def decoded_headers(self) -> Headers:
        return msgspec.msgpack.decode(self.headers, type=Headers)
