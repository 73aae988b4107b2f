"""The parts of Celery's that are replaced because of a broker that is away."""

import pytest
from celery import Celery
from celery.exceptions import Reject


def test_a_repeat_that_cannot_be_sent_puts_its_message_back() -> None:
    app = Celery(
        "repeats",
        broker="redis://127.0.0.1:1/0",
        task_cls="workers.messaging.celery_parts:PatientTask",
        set_as_current=False,
    )
    app.conf.update(
        task_publish_retry=False, broker_transport_options={"socket_connect_timeout": 1}
    )

    @app.task(bind=True, name="repeated")
    def repeated(task: object) -> None:
        """Nothing but a task that may be repeated."""

    repeated.push_request(id="1", called_directly=False, args=[], kwargs={}, retries=0)
    try:
        with pytest.raises(Reject) as rejected:
            repeated.retry(countdown=0)
    finally:
        repeated.pop_request()
    _, is_put_back = rejected.value.args
    assert is_put_back is True
