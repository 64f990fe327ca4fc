"""The tables of the runtime: what was handled, what waits, what failed for good."""

from typing import ClassVar

import msgspec
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from events.envelope import Headers
from workers.record import Record


class InboxEntry(models.Model):
    """One event that one consumer has taken on; a second delivery finds it and is dropped."""

    pk = models.CompositePrimaryKey("consumer", "event_id")
    consumer = models.CharField(max_length=60)
    event_id = models.UUIDField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "inbox entries"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class ParkedKey(models.Model):
    """An order that waits for one consumer: its events stand in line in `ParkedEvent`.

    `due_at` is when the first in line is tried again; null means a dead letter holds the line.
    """

    consumer = models.CharField(max_length=60)
    key = models.BinaryField(max_length=200)
    due_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "key"], name="one_line_for_each_parked_key"),
        ]
        indexes: ClassVar = [models.Index(fields=["consumer", "due_at"], name="parked_key_due")]

    def __str__(self) -> str:
        return f"{self.consumer} {bytes(self.key).decode(errors='replace')}"


class StoredRecord(models.Model):
    """A Kafka record kept byte for byte, with its place in the log."""

    consumer = models.CharField(max_length=60)
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=200)
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    recorded_at = models.DateTimeField(help_text="The record's own timestamp.")
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    headers = models.BinaryField(help_text="MessagePack: a list of [name, bytes].")
    attempts = models.PositiveIntegerField(default=0)
    first_failed_at = models.DateTimeField(null=True)
    last_failed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"

    @property
    def decoded_headers(self) -> Headers:
        return msgspec.msgpack.decode(self.headers, type=Headers)

    @property
    def record(self) -> Record:
        return Record(
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            recorded_at=self.recorded_at,
            key=None if self.key is None else bytes(self.key),
            value=None if self.value is None else bytes(self.value),
            headers=self.decoded_headers,
        )


class ParkedEvent(StoredRecord):
    """One event in the line of a parked key; the lowest id is the first."""

    parked_key = models.ForeignKey(ParkedKey, on_delete=models.CASCADE, related_name="events")
    error = models.TextField(blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="an_event_is_parked_once"),
        ]


class DeadLetter(StoredRecord):
    """An event that one consumer has given up on, until staff retry or discard it."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RETRYING = "retrying", "Being retried"
        RESOLVED = "resolved", "Resolved"
        DISCARDED = "discarded", "Discarded"

    class Reason(models.TextChoices):
        POISON = "poison", "Cannot be read"
        PERMANENT = "permanent", "Can never succeed"
        EXHAUSTED = "exhausted", "All tries failed"

    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    reason = models.CharField(max_length=10, choices=Reason)
    exception_type = models.CharField(max_length=200)
    exception_message = models.TextField()
    stacktrace = models.TextField()
    fingerprint = models.CharField(max_length=16)
    replay_count = models.PositiveIntegerField(default=0)
    holds_key = models.BooleanField(help_text="Later events of this order wait until this one is settled.")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [
            ("retry_deadletter", "Can retry dead letters"),
            ("discard_deadletter", "Can discard dead letters"),
        ]
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="an_event_is_dead_once"),
            models.CheckConstraint(
                name="dead_letter_status_known",
                condition=models.Q(status__in=["open", "retrying", "resolved", "discarded"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "consumer", "-last_failed_at"], name="dead_letter_list"),
            models.Index(fields=["fingerprint"], name="dead_letter_fingerprint"),
        ]


class DeadLetterAction(models.Model):
    """Who did what with a dead letter, and why."""

    dead_letter = models.ForeignKey(DeadLetter, on_delete=models.PROTECT, related_name="actions")
    action = models.CharField(max_length=10, choices=[("retry", "Retry"), ("discard", "Discard")])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class PeriodicRun(models.Model):
    """When a piece of periodic work may run next; its row is the lock that keeps it to one process."""

    pk = models.CompositePrimaryKey("consumer", "name")
    consumer = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    due_at = models.DateTimeField(db_default=Now())
    last_started_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.consumer}.{self.name}"
