"""Time limits of Python code: they end it, and leave the alarms of others as they are."""

import signal
import threading
import time

import pytest

from invcore.base.process.alarm import time_limit


@pytest.fixture
def rung():
    """How often an alarm of somebody else has rung."""
    found = []
    before = signal.signal(signal.SIGALRM, lambda *_: found.append(True))
    yield found
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


def test_a_block_that_takes_too_long_is_ended():
    with pytest.raises(TimeoutError, match="mine"), time_limit(0.01, TimeoutError("mine")):
        while True:
            try:
                time.sleep(5)
            except Exception:  # which the alarm is none of
                continue
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_what_is_in_time_is_left_alone():
    with time_limit(60.0, TimeoutError()), time_limit(None, TimeoutError()):
        assert 0.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60.0
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_of_two_limits_the_shorter_holds():
    with pytest.raises(TimeoutError, match="inner"), time_limit(60.0, TimeoutError("outer")):
        with time_limit(0.01, TimeoutError("inner")):
            time.sleep(5)
    with pytest.raises(TimeoutError, match="outer"), time_limit(0.01, TimeoutError("outer")):
        with time_limit(60.0, TimeoutError("inner")):
            time.sleep(5)


def test_an_alarm_of_somebody_else_goes_on(rung):
    signal.setitimer(signal.ITIMER_REAL, 60.0)
    with pytest.raises(TimeoutError), time_limit(0.01, TimeoutError()):
        time.sleep(5)
    assert 0.0 < signal.getitimer(signal.ITIMER_REAL)[0] < 60.0 and not rung


def test_in_another_thread_nothing_is_limited():
    done = []

    def work():
        with time_limit(1e-9, TimeoutError()):
            done.append(signal.getitimer(signal.ITIMER_REAL)[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [0.0]
