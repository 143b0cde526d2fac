"""The log is short, bounded, and keeps secrets out."""

from firmware.log import LONGEST_LINE, Log, format_line


def test_a_line_is_words_and_values_in_order_of_name() -> None:
    log = Log()
    log.note("registered", lifetime_s=300, address="10.0.0.7")
    assert log.lines() == ["registered address=10.0.0.7 lifetime_s=300"]


def test_text_with_spaces_is_quoted_and_stays_on_its_line() -> None:
    assert format_line("why", {"reason": 'no "answer"\nat all', "empty": ""}) == (
        'why empty="" reason="no \'answer\' at all"'
    )


def test_secrets_and_bytes_are_never_written() -> None:
    line = format_line("identity", {"master_secret": "00ff", "wifi_password": "p", "sender": b"\x01\x02", "aes_key": 1})
    assert line == "identity aes_key=*** master_secret=*** sender=<2 bytes> wifi_password=***"


def test_a_repeated_line_is_counted_and_not_kept() -> None:
    log = Log()
    for _ in range(5):
        log.note("no answer")
    log.note("registered")
    log.note("no answer")
    assert log.lines() == ["no answer", "(the line above came 4 more times)", "registered", "no answer"]


def test_only_a_change_of_state_is_a_transition() -> None:
    log = Log()
    for state in ("up", "up", "down", "up", "up"):
        log.transition("network", state, rssi_dbm=-60)
    log.transition("server", "up")
    assert log.lines() == [
        "network up rssi_dbm=-60",
        "network down rssi_dbm=-60",
        "network up rssi_dbm=-60",
        "server up",
    ]


def test_the_oldest_lines_leave_when_the_memory_is_used_up() -> None:
    log = Log(capacity=100)
    for number in range(50):
        log.note(f"line {number}")
    assert sum(map(len, log.lines())) <= 100
    assert log.lines()[-1] == "line 49"


def test_a_long_line_is_cut() -> None:
    assert len(format_line("x" * 500, {})) == LONGEST_LINE


def test_lines_carry_the_time_and_are_echoed() -> None:
    echoed: list[str] = []
    log = Log(lambda: 1234, echoed.append)
    log.note("start")
    assert echoed == log.lines() == ["1234 start"]
