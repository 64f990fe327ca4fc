"""What holds after every run, whatever went wrong in it, asked of those who cannot be mistaken.

The witnesses are the shop's database, the topics as any Kafka client reads them, the bank's own ledger and the folder
of mails. `look` asks them once and `settle` until they agree; both return every breach there is, for tests and for the
drill alike. Each rule is a sentence with a query or a function that finds what breaks it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
from kafka import KafkaConsumer, TopicPartition

from events.declaration import topics
from workers.worker import all_workers

BEGINNING = datetime.fromtimestamp(0, UTC)
_SHOWN_OF_A_RULE = 10
_LOOK_SECONDS = 0.5
# In these topics one aggregate speaks about an order, so its versions tell the order of its events.
_ONE_VOICE = ("orders", "inventory", "payments", "shipments")
_NEEDED_MAILS = {
    "completed": {"placed", "confirmed", "dispatched", "delivered"},
    "rejected": {"placed", "rejected"},
    "cancelled": {"placed", "cancelled"},
}


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that breaks a rule: whom it is about (an order's number, a SKU, an event) and what is wrong."""

    rule: str
    about: str
    what: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many orders were accepted, and where each of them is now.

    `parked` orders are tried again by themselves, `dead` ones wait for staff, `waiting` ones for their buyer;
    `under_way` ones are none of it, and once a run is over there are none.
    """

    accepted: int = 0
    completed: int = 0
    rejected: int = 0
    cancelled: int = 0
    waiting: int = 0
    parked: int = 0
    dead: int = 0
    under_way: int = 0
    captured_at_bank: int = 0
    captured_orders: int = 0
    mails: int = 0
    mails_sent: int = 0

    @property
    def is_settled(self) -> bool:
        """Nothing moves any more by itself."""
        return not (self.parked or self.under_way)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What the witnesses said."""

    tally: Tally
    breaches: tuple[Breach, ...]

    def __str__(self) -> str:
        by_rule: dict[str, list[Breach]] = defaultdict(list)
        for breach in self.breaches:
            by_rule[breach.rule].append(breach)
        return "\n".join(line for rule, found in by_rule.items() for line in _section(rule=rule, found=found))


class Witnesses(msgspec.Struct, frozen=True, kw_only=True):
    """Where to ask: addresses of database, Kafka and bank, and the folder that mails are written to."""

    database_url: str
    kafka: str
    bank_url: str
    mail_folder: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Witnesses":
        """Return the witnesses of a stack whose addresses are these; see `StateFolder.read_env`."""
        return cls(
            database_url=environment["DATABASE_URL"],
            kafka=environment["KAFKA_BOOTSTRAP_SERVERS"],
            bank_url=environment["BANK_URL"],
            mail_folder=Path(environment["EMAIL_DIR"]),
        )


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One record of an event, as Kafka keeps it; `sequence` is the version of the aggregate that tells it."""

    topic: str
    key: str
    event_id: UUID
    type: str
    sequence: int


class OrderRow(msgspec.Struct, frozen=True):
    """What the shop says of an order."""

    id: str
    number: str
    token: str
    status: str
    sequence: int
    paid_amount: int
    refunded_amount: int


class Evidence(msgspec.Struct, kw_only=True):
    """All that was said, read once for all rules; records are in the order of each topic's partitions."""

    orders: Mapping[str, OrderRow]
    records: Sequence[Told]
    inbox: Mapping[tuple[str, UUID], datetime]
    charges: Mapping[str, Sequence[Mapping[str, Any]]]
    mails: Counter[tuple[str, str]]
    accepted: Collection[str]


def settle(
    *,
    witnesses: Witnesses,
    accepted: Collection[str] = (),
    since: datetime = BEGINNING,
    seconds: float = 120,
) -> Findings:
    """Look until nothing moves and no rule is broken; after `seconds`, return what is wrong still."""
    deadline = time.monotonic() + seconds
    while True:
        findings = look(witnesses=witnesses, accepted=accepted, since=since)
        is_over = findings.tally.is_settled and not findings.breaches
        if is_over or time.monotonic() > deadline:
            return findings
        time.sleep(_LOOK_SECONDS)


def look(*, witnesses: Witnesses, accepted: Collection[str] = (), since: datetime = BEGINNING) -> Findings:
    """Ask every witness about the orders placed from `since` on.

    `accepted` holds the tokens of all orders that buyers were given since then, so that one is missed which is lost
    altogether, or is there twice.
    """
    with psycopg.connect(witnesses.database_url) as connection:
        breaches = list(_breaches_in_database(connection=connection, since=since))
        tally = _tally(connection=connection, since=since, accepted=accepted)
        if breaches or tally.under_way:  # the run is not over: no need to read all of Kafka yet
            return Findings(tally=tally, breaches=tuple(breaches))
        evidence = _gather(witnesses=witnesses, connection=connection, since=since, accepted=accepted)
    breaches += [breach for rule in _ACROSS for breach in rule(evidence)]
    return Findings(tally=_with_outsiders(tally=tally, evidence=evidence), breaches=tuple(breaches))


def require(findings: Findings) -> None:
    """Raise `AssertionError` with every breach, if there are any."""
    assert not findings.breaches, f"\n{findings}\n{findings.tally}"


def require_none(breaches: Sequence[Breach]) -> None:
    """Raise `AssertionError` with these breaches, if there are any."""
    require(Findings(tally=Tally(), breaches=tuple(breaches)))


def probe_breaches(*, told: Mapping[UUID, Sequence[str]], noted: Sequence[tuple[UUID, str]]) -> list[Breach]:
    """Compare what was told about each order with what one consumer has done, in the order of its doing."""
    done: dict[UUID, list[str]] = defaultdict(list)
    for order_id, step in noted:
        if order_id in told:
            done[order_id].append(step)
    rule = "Every committed event is handled once, in the order of its order, and nothing else is"
    return [
        Breach(rule=rule, about=str(order_id), what=f"told {list(steps)}, handled {done[order_id]}")
        for order_id, steps in told.items()
        if list(steps) != done[order_id]
    ]


# ── What the database alone can tell: each query lists what breaks its rule ──────────────────────────────────────

_SAGA = "('orders', 'inventory', 'payments', 'shipments')"
# The order waits in the line of a worker that carries it on.
_IS_PARKED = f"""
    EXISTS (SELECT FROM workers_parkedkey AS line
            WHERE line.consumer IN {_SAGA} AND line.key = convert_to(o.id::text, 'UTF8'))
"""
_WAITS_FOR_BUYER = "(o.status IN ('action_required', 'payment_declined') AND o.hold_expires_at > now())"
_HAS_ENDED = "o.status IN ('completed', 'rejected', 'cancelled')"

_IN_DATABASE = {
    "Every order has ended, waits for its buyer until a known time, or is visibly parked": f"""
        SELECT o.number, o.status || ', unchanged since ' || o.updated_at
        FROM orders_order AS o
        WHERE o.placed_at >= %(since)s AND NOT ({_HAS_ENDED} OR {_WAITS_FOR_BUYER} OR {_IS_PARKED})
    """,
    "The outbox is empty": """
        SELECT type, count(*) || ' rows, the first from ' || min(created_at) || ' ' || max(blocked_reason)
        FROM events_outboxevent GROUP BY type
    """,
    "A line that is not tried again by itself has a dead letter that says why": """
        SELECT line.consumer, convert_from(line.key, 'UTF8') FROM workers_parkedkey AS line
        WHERE line.due_at IS NULL AND NOT EXISTS (
            SELECT FROM workers_deadletter AS letter
            WHERE letter.consumer = line.consumer AND letter.status IN ('open', 'retrying')
            AND (letter.key = line.key OR letter.key IS NULL))
    """,
    "An order's timeline has no gap and no second entry of a number": """
        SELECT o.number, 'version ' || o.sequence || ', entries ' || string_agg(t.sequence::text, ' ' ORDER BY t.id)
        FROM orders_order AS o LEFT JOIN orders_timelineentry AS t ON t.order_id = o.id
        WHERE o.placed_at >= %(since)s
        GROUP BY o.id HAVING count(t.id) <> o.sequence OR max(t.sequence) IS DISTINCT FROM o.sequence
    """,
    "Pieces are neither lost nor made: what came in is for sale or held": """
        SELECT sku, coalesce(came.pieces, 0) || ' came in, ' || available || ' for sale, '
               || coalesce(held.pieces, 0) || ' held'
        FROM inventory_stockitem
        LEFT JOIN (SELECT sku, sum(quantity) AS pieces FROM inventory_stockadjustment GROUP BY sku) AS came USING (sku)
        LEFT JOIN (SELECT line.sku, sum(line.quantity) AS pieces
                   FROM inventory_reservationline AS line JOIN inventory_reservation USING (order_id)
                   WHERE status = 'held' GROUP BY line.sku) AS held USING (sku)
        WHERE coalesce(came.pieces, 0) <> available + coalesce(held.pieces, 0)
    """,
    "Pieces are held for whoever bought them, and for nobody else": f"""
        SELECT o.number, o.status || ', reservation ' || coalesce(r.status, 'missing')
        FROM orders_order AS o LEFT JOIN inventory_reservation AS r ON r.order_id = o.id
        WHERE o.placed_at >= %(since)s AND NOT {_IS_PARKED} AND o.status <> 'placed'
        AND (o.status IN ('rejected', 'cancelled')) = (r.status IS NOT DISTINCT FROM 'held')
    """,
    "What orders and payments say of an order's money is the same": f"""
        SELECT o.number, 'orders ' || o.paid_amount || ' paid, ' || o.refunded_amount || ' back; payments '
               || coalesce(p.captured_amount, 0) || ' and ' || coalesce(p.refunded_amount, 0)
        FROM orders_order AS o LEFT JOIN payments_payment AS p ON p.order_id = o.id
        WHERE o.placed_at >= %(since)s AND NOT {_IS_PARKED}
        AND (o.paid_amount, o.refunded_amount)
            <> (coalesce(p.captured_amount, 0), coalesce(p.refunded_amount, 0))
    """,
    "What is sent is paid, and what ended without a sale has its money back": f"""
        SELECT o.number, o.status || ', ' || o.paid_amount || ' of ' || o.total || ' paid, '
               || o.refunded_amount || ' back'
        FROM orders_order AS o
        WHERE o.placed_at >= %(since)s AND NOT {_IS_PARKED}
        AND (o.status IN ('confirmed', 'shipped', 'completed') AND o.paid_amount <> o.total
             OR o.status IN ('rejected', 'cancelled') AND o.paid_amount <> o.refunded_amount)
    """,
    "What is delivered had one parcel": """
        SELECT o.number, coalesce(p.status, 'no parcel')
        FROM orders_order AS o LEFT JOIN shipments_parcel AS p ON p.order_id = o.id
        WHERE o.placed_at >= %(since)s AND o.status = 'completed' AND p.status IS DISTINCT FROM 'delivered'
    """,
    "Mails that were begun are sent": """
        SELECT kind, count(*) || ' are ' || status FROM notifications_email
        WHERE status IN ('waiting', 'queued') AND created_at >= %(since)s GROUP BY kind, status
    """,
    "The figures count every event once": """
        WITH figures AS (SELECT figure, sum(value) AS counted FROM analytics_hourlyfigure GROUP BY figure),
        truth AS (
            SELECT 'placed' AS figure, count(*) AS happened FROM orders_order
            UNION ALL SELECT 'confirmed', count(*) FROM orders_timelineentry WHERE type = 'confirmed'
            UNION ALL SELECT 'completed', count(*) FROM orders_timelineentry WHERE type = 'completed'
            UNION ALL SELECT 'cancelled', count(*) FROM orders_timelineentry WHERE type = 'cancelled'
            UNION ALL SELECT 'shipped', count(*) FROM shipments_parcel WHERE dispatched_at IS NOT NULL
            UNION ALL SELECT 'captured', sum(captured_amount) FROM payments_payment
            UNION ALL SELECT 'refunded', sum(refunded_amount) FROM payments_payment
            UNION ALL SELECT 'mails', count(*) FROM notifications_email WHERE status = 'sent'
        )
        SELECT figure, coalesce(counted, 0) || ' counted, ' || coalesce(happened, 0) || ' happened'
        FROM truth LEFT JOIN figures USING (figure)
        WHERE coalesce(counted, 0) <> coalesce(happened, 0)
    """,
}


def _breaches_in_database(*, connection: Any, since: datetime) -> Iterator[Breach]:
    for rule, query in _IN_DATABASE.items():
        for about, what in connection.execute(query, {"since": since}):
            yield Breach(rule=rule, about=str(about), what=str(what))


# ── What only several witnesses together can tell ────────────────────────────────────────────────────────────────


def _orders_are_those_that_were_accepted(evidence: Evidence) -> Iterator[Breach]:
    rule = "The orders are those that were accepted, each once"
    if not evidence.accepted:
        return
    known = {order.token: order.number for order in evidence.orders.values()}
    for token in set(evidence.accepted) - set(known):
        yield Breach(rule=rule, about=token, what="accepted and not there")
    for token in set(known) - set(evidence.accepted):
        yield Breach(rule=rule, about=known[token], what="there, and nobody was told so")


def _nothing_is_told_that_was_not_committed(evidence: Evidence) -> Iterator[Breach]:
    for one in evidence.records:
        order = evidence.orders.get(one.key)
        if order and one.topic == "orders" and one.sequence > order.sequence:
            yield Breach(
                rule="Nothing is told that was rolled back",
                about=order.number,
                what=f"{one.type} of version {one.sequence}, but the order has {order.sequence}",
            )


def _every_version_is_told_once(evidence: Evidence) -> Iterator[Breach]:
    told: dict[str, dict[int, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for one in evidence.records:
        if one.topic == "orders" and one.key in evidence.orders:
            told[one.key][one.sequence].add(one.event_id)
    for order in evidence.orders.values():
        versions = {number: len(told[order.id][number]) for number in range(1, order.sequence + 1)}
        wrong = {number: events for number, events in versions.items() if events != 1}
        if wrong:
            rule = "Each version of an order is told by one event"
            yield Breach(rule=rule, about=order.number, what=f"events for each version: {wrong}")


def _versions_only_grow(evidence: Evidence) -> Iterator[Breach]:
    for (topic, key), line in _lines(evidence=evidence).items():
        versions = [one.sequence for one in line]
        if topic in _ONE_VOICE and versions != sorted(set(versions)):
            rule = "In a topic the versions of an order only grow, second copies aside"
            yield Breach(rule=rule, about=evidence.orders[key].number, what=f"{topic}: {versions}")


def _every_event_is_handled(evidence: Evidence) -> Iterator[Breach]:
    for worker in all_workers():
        for one in {one.event_id: one for one in evidence.records}.values():
            heard = one.type in worker.handlers and one.key in evidence.orders
            if heard and (worker.name, one.event_id) not in evidence.inbox:
                rule = f"{worker.name} takes every event that it hears"
                yield Breach(rule=rule, about=evidence.orders[one.key].number, what=f"{one.type} was not")


def _events_are_handled_in_order(evidence: Evidence) -> Iterator[Breach]:
    for worker in all_workers():
        for (topic, key), line in _lines(evidence=evidence).items():
            heard = [one for one in line if one.type in worker.handlers]
            taken = [evidence.inbox.get((worker.name, one.event_id), BEGINNING) for one in heard]
            if taken != sorted(taken):
                rule = f"{worker.name} takes an order's events in their order"
                yield Breach(
                    rule=rule,
                    about=evidence.orders[key].number,
                    what=f"{topic}: {[one.type for one in heard]}",
                )


def _the_bank_agrees(evidence: Evidence) -> Iterator[Breach]:
    for order in evidence.orders.values():
        captured = [one for one in evidence.charges.get(order.number, ()) if one["status"] == "captured"]
        taken, back = (sum(one[name] for one in captured) for name in ("amount", "refunded"))
        if len(captured) > 1 or (taken, back) != (order.paid_amount, order.refunded_amount):
            yield Breach(
                rule="The bank took an order's money once, and as much as the shop says",
                about=order.number,
                what=f"{order.status}; bank: {len(captured)} charges, {taken} taken, {back} back; "
                f"shop: {order.paid_amount} and {order.refunded_amount}",
            )


def _each_mail_was_written_once(evidence: Evidence) -> Iterator[Breach]:
    rule = "There is one mail of each kind that an order needs"
    for (order_id, kind), copies in evidence.mails.items():
        if copies > 1 and order_id in evidence.orders:
            yield Breach(rule=rule, about=evidence.orders[order_id].number, what=f"{copies} of {kind}")
    for order in evidence.orders.values():
        missing = {
            kind for kind in _NEEDED_MAILS.get(order.status, ()) if (order.id, kind) not in evidence.mails
        }
        if missing:
            yield Breach(rule=rule, about=order.number, what=f"none of {', '.join(sorted(missing))}")


_ACROSS: Sequence[Callable[[Evidence], Iterator[Breach]]] = (
    _orders_are_those_that_were_accepted,
    _nothing_is_told_that_was_not_committed,
    _every_version_is_told_once,
    _versions_only_grow,
    _every_event_is_handled,
    _events_are_handled_in_order,
    _the_bank_agrees,
    _each_mail_was_written_once,
)


# ── Asking the witnesses ─────────────────────────────────────────────────────────────────────────────────────────


def _gather(*, witnesses: Witnesses, connection: Any, since: datetime, accepted: Collection[str]) -> Evidence:
    records = read_records(kafka=witnesses.kafka, since=since)
    ids = list({one.event_id for one in records})
    inbox = "SELECT consumer, event_id, received_at FROM workers_inboxentry WHERE event_id = ANY(%s)"
    orders = (
        "SELECT id::text, number, token, status, sequence, paid_amount, refunded_amount"
        " FROM orders_order WHERE placed_at >= %s"
    )
    return Evidence(
        orders={row[0]: OrderRow(*row) for row in connection.execute(orders, [since])},
        records=records,
        inbox={(consumer, event): at for consumer, event, at in connection.execute(inbox, [ids])},
        charges=_charges(bank_url=witnesses.bank_url),
        mails=_mails(folder=witnesses.mail_folder),
        accepted=accepted,
    )


def read_records(*, kafka: str, since: datetime = BEGINNING) -> list[Told]:
    """Return the events that Kafka keeps from `since` on, copies included, in the order of each partition."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.split(","), enable_auto_commit=False)
    partitions = [
        TopicPartition(topic, number)
        for topic in topics()
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    starts = consumer.offsets_for_times(dict.fromkeys(partitions, int(since.timestamp() * 1000)))
    for partition in partitions:
        found = starts.get(partition)
        consumer.seek(partition, found.offset if found else ends[partition])
    told: list[Told] = []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for batch in consumer.poll(timeout_ms=1000).values():
            told += [one for one in map(_told, batch) if one]
    consumer.close()
    return told


def _told(record: Any) -> Told | None:
    headers = dict(record.headers)
    if "ce_id" not in headers or record.key is None:
        return None  # nobody's event: it was put there by hand
    return Told(
        topic=record.topic,
        key=record.key.decode(),
        event_id=UUID(headers["ce_id"].decode()),
        type=headers["ce_type"].decode(),
        sequence=int(headers.get("sequence", b"0")),
    )


def _lines(*, evidence: Evidence) -> dict[tuple[str, str], list[Told]]:
    """Return each order's events in each topic, in the order of the topic; second copies are left out."""
    lines: dict[tuple[str, str], dict[UUID, Told]] = defaultdict(dict)
    for one in evidence.records:
        if one.key in evidence.orders:
            lines[one.topic, one.key].setdefault(one.event_id, one)
    return {name: list(line.values()) for name, line in lines.items()}


def _charges(*, bank_url: str) -> dict[str, list[Mapping[str, Any]]]:
    answer = httpx.get(f"{bank_url}/charges", timeout=30).raise_for_status()
    charges: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for charge in answer.json():
        charges[charge["reference"]].append(charge)
    return charges


def _mails(*, folder: Path) -> Counter[tuple[str, str]]:
    """Count the mails of each order and kind: both are in the Message-ID, and that is the file's name."""
    names = (file.name.partition("@")[0].split(".") for file in folder.glob("*.eml"))
    return Counter((parts[0], parts[1]) for parts in names if len(parts) == 2)


def _tally(*, connection: Any, since: datetime, accepted: Collection[str]) -> Tally:
    is_dead = _IS_PARKED.replace("WHERE", "WHERE line.due_at IS NULL AND")
    query = f"""
        SELECT CASE WHEN {_HAS_ENDED} THEN o.status WHEN {is_dead} THEN 'dead' WHEN {_IS_PARKED} THEN 'parked'
                    WHEN {_WAITS_FOR_BUYER} THEN 'waiting' ELSE 'under_way' END AS place,
               count(*), count(*) FILTER (WHERE paid_amount > 0)
        FROM orders_order AS o WHERE o.placed_at >= %(since)s GROUP BY place
    """
    rows = connection.execute(query, {"since": since}).fetchall()
    places = {place: count for place, count, _ in rows}
    sent = "SELECT count(*) FROM notifications_email WHERE status = 'sent' AND order_id IN ({})"
    ours = "SELECT id FROM orders_order WHERE placed_at >= %s"
    [mails_sent] = connection.execute(sent.format(ours), [since]).fetchone()
    return Tally(
        accepted=len(set(accepted)) or sum(places.values()),
        captured_orders=sum(captured for _, _, captured in rows),
        mails_sent=mails_sent,
        **places,
    )


def _with_outsiders(*, tally: Tally, evidence: Evidence) -> Tally:
    charged = [
        charge for order in evidence.orders.values() for charge in evidence.charges.get(order.number, ())
    ]
    return msgspec.structs.replace(
        tally,
        captured_at_bank=sum(charge["status"] == "captured" for charge in charged),
        mails=sum(copies for (order, _), copies in evidence.mails.items() if order in evidence.orders),
    )


def _section(*, rule: str, found: Sequence[Breach]) -> Iterator[str]:
    yield f"BROKEN: {rule} ({len(found)} times)"
    for breach in found[:_SHOWN_OF_A_RULE]:
        yield f"    {breach.about}: {breach.what}"
    if len(found) > _SHOWN_OF_A_RULE:
        yield f"    and {len(found) - _SHOWN_OF_A_RULE} more"
