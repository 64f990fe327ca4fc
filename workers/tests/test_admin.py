"""The runtime in the back office: what failed, in plain words, and the ways on that staff are allowed."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from events import Received
from events.models import OutboxEvent
from events.orders import OrderAdvanced
from events.outbox import RawRecord, publish_raw
from workers import PermanentError, Worker, replay_runs
from workers.models import DeadLetter, DeadLetterAction, ParkedEvent, ReplayRun
from workers.record import Record
from workers.testing import deliver, deliver_records, record_of
from workers.tests.conftest import NewWorker, step

pytestmark = pytest.mark.django_db

LETTERS = "/admin/workers/deadletter/"
GROUPS = f"{LETTERS}groups/"
RUNS = "/admin/workers/replayrun/"
PARKED = "/admin/workers/parkedevent/"
OUTBOX = "/admin/events/outboxevent/"
NASTY = b"<img src=x onerror=alert(1)>"
SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(client: Client) -> SignIn:
    """Sign a member of staff in who may see dead letters, and these things more."""

    def sign_in(*codenames: str) -> Client:
        staff = get_user_model().objects.create_user("robin", is_staff=True)
        wanted = ["view_deadletter", *codenames]
        staff.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        client.force_login(staff)
        return client

    return sign_in


@pytest.fixture
def broken(new_worker: NewWorker) -> Worker:
    """A worker that fails at every step, for good at the ones called `dead`."""
    worker = new_worker("broken")

    @worker.on(OrderAdvanced)
    def fail(events: Sequence[Received[OrderAdvanced]]) -> None:
        raise PermanentError("no way") if events[0].data.step == "dead" else LookupError("not yet")

    return worker


@pytest.fixture
def letter(broken: Worker) -> DeadLetter:
    deliver(broken, step(name="dead"))
    return DeadLetter.objects.get()


def text(client: Client, address: str, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def key_of(row: DeadLetter | ParkedEvent | OutboxEvent) -> str:
    return bytes(row.key or b"").decode()


def poison(*, value: bytes | None = NASTY) -> Record:
    made = record_of(step())
    headers = [*made.headers, ("note", b"<script>alert(2)</script>")]
    return Record(
        topic=made.topic,
        partition=0,
        offset=made.offset,
        recorded_at=made.recorded_at,
        key=made.key,
        value=value,
        headers=headers,
    )


def status_of(letter: DeadLetter) -> str:
    letter.refresh_from_db()
    return letter.status


@pytest.mark.parametrize("found_by", ["event_id", "fingerprint", "key", "error"])
def test_a_dead_letter_is_found(
    admin_client: Client, letter: DeadLetter, broken: Worker, found_by: str
) -> None:
    quoted = {
        "event_id": str(letter.event_id),
        "fingerprint": letter.fingerprint,
        "key": key_of(letter),
        "error": "no way",
    }

    assert f"{LETTERS}{letter.pk}/" in text(admin_client, LETTERS, q=quoted[found_by])
    assert f"{LETTERS}{letter.pk}/" not in text(admin_client, LETTERS, q="something else")


def test_a_dead_letter_says_in_words_what_happened(admin_client: Client, letter: DeadLetter) -> None:
    page = text(admin_client, f"{LETTERS}{letter.pk}/change/")

    assert "The broken worker gave up on this event after 1 try." in page
    assert "Later events of this order wait behind it." in page
    assert "no way" in page
    assert "Traceback" in page
    assert "orders, partition 0" in page


@pytest.mark.parametrize(
    "value", [NASTY, b"\xff\x00\xfe", None, b""], ids=["markup", "bytes", "none", "empty"]
)
def test_payload_headers_and_error_stay_inert_text(
    admin_client: Client, broken: Worker, value: bytes | None
) -> None:
    deliver_records(broken, [poison(value=value)])
    letter = DeadLetter.objects.get()
    DeadLetter.objects.update(exception_message="<b onclick=x>", stacktrace="<svg onload=alert(3)>")

    group = f"{GROUPS}retry/?fingerprint={letter.fingerprint}"
    own = [LETTERS, f"{LETTERS}{letter.pk}/change/", f"{LETTERS}{letter.pk}/edit/", GROUPS, group, RUNS]
    for address in (*own, PARKED, parked_page()):
        page = text(admin_client, address)
        assert not re.findall(r"<img src=x|<script>|<svg onload|<b onclick", page)
        assert not re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", page)


def test_a_retry_puts_the_event_back_in_line_and_is_kept(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("retry_deadletter")

    response = staff.post(f"{LETTERS}{letter.pk}/retry/", {"reason": "fixed in 1.2"}, follow=True)

    assert "It is in line again." in response.content.decode()
    assert status_of(letter) == "retrying"
    action = DeadLetterAction.objects.get()
    assert (action.action, str(action.by), action.reason) == ("retry", "robin", "fixed in 1.2")
    assert "fixed in 1.2" in response.content.decode()


def test_a_retry_needs_no_note(sign_in: SignIn, letter: DeadLetter) -> None:
    sign_in("retry_deadletter").post(f"{LETTERS}{letter.pk}/retry/")

    assert status_of(letter) == "retrying"


def test_a_second_retry_has_no_effect_and_says_so(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("retry_deadletter")
    staff.post(f"{LETTERS}{letter.pk}/retry/")

    response = staff.post(f"{LETTERS}{letter.pk}/retry/", follow=True)

    assert "being retried, not open" in response.content.decode()
    assert DeadLetterAction.objects.count() == 1


def test_a_discard_settles_the_dead_letter_with_its_reason(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("discard_deadletter")

    response = staff.post(f"{LETTERS}{letter.pk}/discard/", {"reason": "a test order"}, follow=True)

    assert status_of(letter) == "discarded"
    assert not ParkedEvent.objects.exists()
    assert "a test order" in response.content.decode()
    assert f"{letter.pk}/retry/" not in response.content.decode()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "a\x00b"])
def test_nothing_is_discarded_without_a_usable_reason(
    sign_in: SignIn, letter: DeadLetter, reason: str
) -> None:
    sign_in("discard_deadletter").post(f"{LETTERS}{letter.pk}/discard/", {"reason": reason})

    assert status_of(letter) == "open"


@pytest.mark.parametrize("deed", ["retry", "discard"])
def test_staff_who_may_only_look_are_offered_nothing_and_refused(
    sign_in: SignIn, letter: DeadLetter, deed: str
) -> None:
    staff = sign_in()

    assert f"/{deed}/" not in text(staff, f"{LETTERS}{letter.pk}/change/")
    assert "retry_selected" not in text(staff, LETTERS)
    assert staff.post(f"{LETTERS}{letter.pk}/{deed}/", {"reason": "x"}).status_code == 403
    assert status_of(letter) == "open"


def test_staff_who_may_only_look_cannot_retry_a_selection(sign_in: SignIn, letter: DeadLetter) -> None:
    sign_in().post(LETTERS, selection(letter, confirmed="yes"))

    assert status_of(letter) == "open"


@pytest.mark.parametrize("deed", ["retry", "discard"])
def test_staff_who_may_act_but_not_look_are_refused(client: Client, letter: DeadLetter, deed: str) -> None:
    staff = get_user_model().objects.create_user("robin", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename=f"{deed}_deadletter"))
    client.force_login(staff)

    assert client.post(f"{LETTERS}{letter.pk}/{deed}/", {"reason": "x"}).status_code == 403
    assert status_of(letter) == "open"


@pytest.mark.parametrize("wrong", ["nonsense", "0", "9" * 30, "1.5"])
@pytest.mark.parametrize("deed", ["retry", "discard"])
def test_a_deed_on_no_dead_letter_is_not_found(admin_client: Client, wrong: str, deed: str) -> None:
    assert admin_client.post(f"{LETTERS}{wrong}/{deed}/", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("deed", ["retry", "discard"])
def test_deeds_are_done_by_post_alone(admin_client: Client, letter: DeadLetter, deed: str) -> None:
    assert admin_client.get(f"{LETTERS}{letter.pk}/{deed}/").status_code == 405


@pytest.mark.parametrize("page", [LETTERS, PARKED, OUTBOX])
@pytest.mark.parametrize("wrong", ["nonsense", "9" * 30])
def test_the_page_of_no_row_leads_back(admin_client: Client, page: str, wrong: str) -> None:
    assert admin_client.get(f"{page}{wrong}/change/").status_code == 302


def test_a_selection_is_retried_after_its_numbers_were_shown(
    sign_in: SignIn, broken: Worker, letter: DeadLetter
) -> None:
    deliver(broken, step(name="dead"))
    deliver(broken, step(name="dead"))
    settled, *rest = DeadLetter.objects.order_by("id")
    staff = sign_in("retry_deadletter", "discard_deadletter")
    staff.post(f"{LETTERS}{settled.pk}/discard/", {"reason": "x"})

    question = staff.post(LETTERS, selection(settled, *rest)).content.decode()
    assert "2 dead letters go back in line" in question
    assert "1 is not open, and is left alone." in question
    assert [status_of(one) for one in rest] == ["open", "open"]

    answer = staff.post(
        LETTERS,
        selection(settled, *rest, confirmed="yes", reason="fixed", rate="5", stop_after="3"),
        follow=True,
    )
    assert "The retry has begun." in answer.content.decode()
    run = ReplayRun.objects.get()
    assert (str(run.by), run.reason, run.rate, run.stop_after) == ("robin", "fixed", 5, 3)
    replay_runs.advance()
    assert [status_of(one) for one in rest] == ["retrying", "retrying"]
    assert status_of(settled) == "discarded"
    assert DeadLetterAction.objects.filter(action="retry", reason="fixed").count() == 2


def test_a_refused_retry_keeps_what_staff_have_written(sign_in: SignIn, letter: DeadLetter) -> None:
    answer = sign_in("retry_deadletter").post(
        LETTERS, selection(letter, confirmed="yes", reason="mended", rate="0", stop_after="3")
    )
    page = answer.content.decode()
    assert "Rate: " in page
    assert 'value="mended"' in page
    assert 'value="3"' in page
    assert status_of(letter) == "open"


def test_more_ticked_letters_than_one_retry_takes_are_told(
    sign_in: SignIn, broken: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.admin.MOST_RETRIED_AT_ONCE", 1)
    deliver(broken, step(name="dead"), step(name="dead"), step(name="dead"))

    page = sign_in("retry_deadletter").post(LETTERS, selection(*DeadLetter.objects.all())).content.decode()
    assert "2 more are too many for one retry" in page


def test_a_selection_without_open_dead_letters_offers_no_retry(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("retry_deadletter")
    staff.post(f"{LETTERS}{letter.pk}/retry/")

    question = staff.post(LETTERS, selection(letter), follow=True).content.decode()

    assert "there is nothing to retry" in question
    assert ">Retry</button>" not in question


def test_the_causes_are_counted_and_all_of_one_is_retried(
    sign_in: SignIn, broken: Worker, letter: DeadLetter
) -> None:
    deliver(broken, step(name="dead"))
    deliver_records(broken, [poison()])
    staff = sign_in("retry_deadletter")

    causes = text(staff, GROUPS)
    [retry] = re.findall(rf'href="([^"]+/retry/[?]fingerprint={letter.fingerprint})"', causes)
    assert causes.count("Retry all") == 2
    assert f"{LETTERS}{letter.pk}/" in text(
        staff, LETTERS, status__exact="open", fingerprint=letter.fingerprint
    )
    assert "2 dead letters go back in line" in text(staff, retry)
    assert not ReplayRun.objects.exists()

    staff.post(retry, {"reason": "fixed"})
    replay_runs.advance()
    assert status_of(letter) == "retrying"
    assert DeadLetter.objects.filter(status="open").count() == 1


def test_a_preview_says_which_are_certain_to_fail(admin_client: Client, broken: Worker) -> None:
    deliver_records(broken, [poison()])
    page = text(admin_client, f"{GROUPS}retry/", fingerprint=DeadLetter.objects.get().fingerprint)
    assert "1 is certain to fail again" in page


@pytest.mark.parametrize("field", ["rate", "stop_after"])
@pytest.mark.parametrize("wrong", ["0", "-1", "nan", "inf", "x", "1e400"])
def test_a_retry_of_many_with_wrong_numbers_is_not_begun(
    admin_client: Client, letter: DeadLetter, field: str, wrong: str
) -> None:
    answer = admin_client.post(f"{GROUPS}retry/?fingerprint={letter.fingerprint}", {field: wrong})
    assert answer.status_code == 200
    assert not ReplayRun.objects.exists()


@pytest.mark.parametrize("query", ["", "?fingerprint=", "?fingerprint=%00"])
def test_everything_is_not_retried_at_once(admin_client: Client, letter: DeadLetter, query: str) -> None:
    assert admin_client.post(f"{GROUPS}retry/{query}").status_code in (200, 404)
    assert not ReplayRun.objects.exists()


def test_a_run_is_shown_and_stopped(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("retry_deadletter")
    staff.post(f"{GROUPS}retry/?fingerprint={letter.fingerprint}", {"reason": "fixed in 1.2"})
    run = ReplayRun.objects.get()
    assert "fixed in 1.2" in text(staff, RUNS)
    assert f"{run.pk}/stop/" in text(staff, f"{RUNS}{run.pk}/change/")

    page = staff.post(f"{RUNS}{run.pk}/stop/", {"reason": "a mistake"}, follow=True).content.decode()

    assert "a mistake" in page
    assert f"{run.pk}/stop/" not in page
    run.refresh_from_db()
    assert run.state == "stopped"


def test_an_edit_is_retried_and_leads_to_its_original(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("edit_deadletter")
    edit = f"{LETTERS}{letter.pk}/edit/"
    assert "&quot;step&quot;: &quot;dead&quot;" in text(staff, edit)
    payload = bytes(letter.value or b"").decode().replace('"dead"', '"mended"')

    answer = staff.post(edit, {"payload": payload, "reason": "a typo"}, follow=True).content.decode()

    assert "with the new payload" in answer
    assert f'{letter.pk}/change/">The original' in answer
    assert status_of(letter) == "edited"


@pytest.mark.parametrize("payload", ["", "{", '{"step": 1}', "a\x00b", "</textarea><script>"])
def test_a_wrong_edit_is_refused_and_kept_in_the_form(
    sign_in: SignIn, letter: DeadLetter, payload: str
) -> None:
    page = sign_in("edit_deadletter").post(
        f"{LETTERS}{letter.pk}/edit/", {"payload": payload, "reason": "a typo"}
    )
    assert 'role="alert"' in page.content.decode()
    assert "</textarea><script>" not in page.content.decode()
    assert "a typo" in page.content.decode()
    assert status_of(letter) == "open"


def test_a_discarded_letter_is_restored(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("discard_deadletter")
    staff.post(f"{LETTERS}{letter.pk}/discard/", {"reason": "x"})
    assert f"{letter.pk}/restore/" in text(staff, f"{LETTERS}{letter.pk}/change/")

    staff.post(f"{LETTERS}{letter.pk}/restore/", {"reason": "needed after all"})

    assert status_of(letter) == "open"


def test_each_deed_takes_a_permission_of_its_own(sign_in: SignIn, letter: DeadLetter) -> None:
    staff = sign_in("edit_deadletter")
    run = f"{GROUPS}retry/?fingerprint={letter.fingerprint}"
    assert "Retry all" not in text(staff, GROUPS)
    for address in (run, f"{LETTERS}{letter.pk}/restore/", f"{RUNS}1/stop/"):
        assert staff.post(address, {"reason": "x"}).status_code == 403
    get_user_model().objects.get().user_permissions.set(
        Permission.objects.filter(codename__in=["view_deadletter", "retry_deadletter"])
    )
    assert staff.get(f"{LETTERS}{letter.pk}/edit/").status_code == 403
    assert "/edit/" not in text(staff, f"{LETTERS}{letter.pk}/change/")


def test_who_may_not_see_dead_letters_sees_no_causes_and_no_runs(client: Client, letter: DeadLetter) -> None:
    staff = get_user_model().objects.create_user("robin", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["retry_deadletter"]))
    client.force_login(staff)
    for address in (GROUPS, RUNS, f"{GROUPS}retry/?fingerprint={letter.fingerprint}"):
        assert client.get(address).status_code == 403


def test_a_dead_letter_leads_to_what_waits_behind_it(admin_client: Client, broken: Worker) -> None:
    order = uuid7()
    deliver(broken, step(order_id=order, name="dead"))
    deliver(broken, step(order_id=order, name="later"))
    letter = DeadLetter.objects.get()

    page = text(admin_client, f"{LETTERS}{letter.pk}/change/")
    [behind] = re.findall(r'href="([^"]+)">Events that wait behind it', page)

    assert "2 parked events" in text(admin_client, behind.replace("&amp;", "&"))


def test_a_parked_event_says_what_it_waits_for(admin_client: Client, broken: Worker) -> None:
    deliver(broken, step(name="later"))

    page = text(admin_client, parked_page())

    assert "it waits for its next try" in page
    assert "LookupError: not yet" in page


def test_a_parked_event_is_found_by_its_order(admin_client: Client, broken: Worker) -> None:
    deliver(broken, step(name="later"))
    parked = ParkedEvent.objects.get()

    assert f"{PARKED}{parked.pk}/" in text(admin_client, PARKED, q=key_of(parked))
    assert f"{PARKED}{parked.pk}/" not in text(admin_client, PARKED, q=str(uuid7()))


def test_the_outbox_tells_what_waits_from_what_is_blocked(admin_client: Client) -> None:
    waiting, blocked = outbox_row(), outbox_row()
    OutboxEvent.objects.filter(pk=blocked.pk).update(blocked_at=timezone.now(), blocked_reason="too large")

    assert f"{OUTBOX}{waiting.pk}/" in text(admin_client, OUTBOX, state="pending")
    assert f"{OUTBOX}{blocked.pk}/" not in text(admin_client, OUTBOX, state="pending")
    page = text(admin_client, f"{OUTBOX}{blocked.pk}/change/")
    assert "too large" in page
    assert "Later events of the same order wait behind it." in page


def test_the_outbox_is_searched_by_order_and_shows_its_payload_as_text(admin_client: Client) -> None:
    row = outbox_row()

    assert f"{OUTBOX}{row.pk}/" in text(admin_client, OUTBOX, q=key_of(row))
    assert NASTY.decode() not in text(admin_client, f"{OUTBOX}{row.pk}/change/")


@pytest.mark.parametrize("page", [LETTERS, PARKED, OUTBOX])
def test_a_search_for_anything_is_answered(admin_client: Client, page: str) -> None:
    for words in ("'", '"', "%", "é", "\x00", "a b c"):
        assert admin_client.get(page, {"q": words}).status_code in (200, 302)


@pytest.mark.parametrize("page", [LETTERS, PARKED, OUTBOX])
def test_nobody_adds_rows_of_the_runtime_by_hand(admin_client: Client, page: str) -> None:
    assert admin_client.get(f"{page}add/").status_code == 403


def selection(*letters: DeadLetter, **fields: str) -> dict[str, Any]:
    return {"action": "retry_selected", "_selected_action": [one.pk for one in letters], **fields}


def parked_page() -> str:
    return f"{PARKED}{ParkedEvent.objects.get().pk}/change/"


@transaction.atomic
def outbox_row() -> OutboxEvent:
    event_id = uuid7()
    key = str(uuid7()).encode()
    publish_raw(
        [RawRecord(event_id=event_id, topic="orders", type="x", key=key, value=NASTY, headers=[("a", NASTY)])]
    )
    return OutboxEvent.objects.get(event_id=event_id)


def test_a_blocked_row_is_unblocked_by_staff_who_may_with_a_reason_that_is_kept(sign_in: SignIn) -> None:
    row = outbox_row()
    OutboxEvent.objects.filter(pk=row.pk).update(blocked_at=timezone.now(), blocked_reason="too large")
    staff = sign_in("view_outboxevent")
    assert staff.post(f"{OUTBOX}{row.pk}/unblock/", {"reason": "why not"}).status_code == 403

    get_user_model().objects.update(is_superuser=True)
    staff.post(f"{OUTBOX}{row.pk}/unblock/", {"reason": ""})
    assert OutboxEvent.objects.get(pk=row.pk).blocked_at
    assert "Unblock" in text(staff, f"{OUTBOX}{row.pk}/change/")
    staff.post(f"{OUTBOX}{row.pk}/unblock/", {"reason": "the limit is higher now"})

    assert OutboxEvent.objects.get(pk=row.pk).blocked_at is None
    assert "the limit is higher now" in LogEntry.objects.get(object_id=str(row.pk)).change_message
