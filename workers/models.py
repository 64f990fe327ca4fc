"""The tables of the runtime: what was handled, what waits, what failed for good."""

from typing import ClassVar

import msgspec
from django.conf import settings
from django.contrib.postgres.indexes import HashIndex
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
        EDITED = "edited", "Replaced by an edit"

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
    edit_of = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="edited_as",
        help_text="The dead letter whose payload staff replaced by this one's.",
    )

    class Meta:
        permissions: ClassVar = [
            ("retry_deadletter", "Can retry dead letters"),
            ("edit_deadletter", "Can retry dead letters with another payload"),
            ("discard_deadletter", "Can discard dead letters"),
        ]
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "event_id"], name="an_event_is_dead_once"),
            models.CheckConstraint(
                name="dead_letter_status_known",
                condition=models.Q(status__in=["open", "retrying", "resolved", "discarded", "edited"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "consumer", "-last_failed_at"], name="dead_letter_list"),
            models.Index(fields=["fingerprint", "status", "id"], name="dead_letter_fingerprint"),
            models.Index(fields=["-last_failed_at", "-id"], name="dead_letter_newest"),
            # By hash, since a record that cannot be read may have a key longer than a tree takes.
            HashIndex(fields=["key"], name="dead_letter_key"),
        ]


class ReplayRun(models.Model):
    """A retry of many dead letters, put in line so many a second; the counts are those of its `items`."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    selection = models.JSONField(help_text="What staff asked for; the items are what that was at the start.")
    rate = models.FloatField(null=True, help_text="Events a second; without one, as fast as the worker is.")
    stop_after = models.PositiveIntegerField(null=True, help_text="No more than so many may fail again.")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    total = models.PositiveIntegerField(default=0)
    released = models.PositiveIntegerField(default=0, help_text="Put back in line so far.")
    resolved = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0, help_text="No longer open when their turn came.")
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    stop_reason = models.TextField(blank=True, default="")
    next_due_at = models.DateTimeField(db_default=Now(), help_text="When the next one in line may be tried.")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                name="replay_state_known",
                condition=models.Q(state__in=["running", "stopped", "finished"]),
            ),
            models.CheckConstraint(name="replay_rate_positive", condition=models.Q(rate__gt=0)),
            models.CheckConstraint(name="replay_stop_after_positive", condition=models.Q(stop_after__gt=0)),
            models.CheckConstraint(
                name="replay_counts_add_up",
                condition=models.Q(total__gte=models.F("released") + models.F("skipped"))
                & models.Q(released__gte=models.F("resolved") + models.F("failed")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="replay_going_on", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"replay {self.pk}"

    @property
    def in_line(self) -> int:
        """How many have been put back in line and have neither succeeded nor failed yet."""
        return self.released - self.resolved - self.failed

    @property
    def waiting(self) -> int:
        """How many have not had their turn."""
        return self.total - self.released - self.skipped


class ReplayItem(models.Model):
    """One dead letter of a replay."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        IN_LINE = "in_line", "In line"
        RESOLVED = "resolved", "Resolved"
        FAILED = "failed", "Failed again"
        SKIPPED = "skipped", "No longer open"

    pk = models.CompositePrimaryKey("run", "dead_letter")
    run = models.ForeignKey(ReplayRun, on_delete=models.CASCADE, related_name="items")
    dead_letter = models.ForeignKey(DeadLetter, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                name="replay_item_state_known",
                condition=models.Q(state__in=["waiting", "in_line", "resolved", "failed", "skipped"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run", "state", "dead_letter"], name="replay_item_next"),
        ]

    def __str__(self) -> str:
        return f"dead letter {self.dead_letter_id} of replay {self.run_id}"


class DeadLetterAction(models.Model):
    """Who did what with a dead letter, and why."""

    class Action(models.TextChoices):
        RETRY = "retry", "Retry"
        EDIT = "edit", "Edit"
        DISCARD = "discard", "Discard"
        RESTORE = "restore", "Restore"

    dead_letter = models.ForeignKey(DeadLetter, on_delete=models.PROTECT, related_name="actions")
    action = models.CharField(max_length=10, choices=Action)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    run = models.ForeignKey(ReplayRun, on_delete=models.PROTECT, null=True, related_name="+")
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
