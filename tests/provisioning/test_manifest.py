"""The manifest is checked whole, and every error has its line."""

import time
from pathlib import Path

import pytest

from provisioning.errors import Failure, Refusals
from provisioning.manifest import Manifest, load, parse
from provisioning.plate import Plate, check, format_mac, parse_mac, read

HEAD = "asset_id,serial,mac,latitude,longitude,time_zone,street,nominal_power_w\n"
ROW = "Q1-0001,SN1,24:6F:28:00:00:01,10.7769,106.7009,Asia/Ho_Chi_Minh,Nguyễn Huệ,80\n"


def errors(data: bytes | str) -> list[tuple[int, str]]:
    with pytest.raises(Refusals) as refused:
        parse(data.encode() if isinstance(data, str) else data)
    assert refused.value.code == "manifest_invalid"
    return list(refused.value.lines)


def only(manifest: Manifest) -> Plate:
    (row,) = manifest.rows
    return row.plate


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_the_encodings_of_spreadsheets_give_the_same_lamp(encoding: str) -> None:
    marks = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}
    data = marks.get(encoding, b"") + (HEAD + ROW).encode(encoding.removesuffix("-bom"))
    plate = only(parse(data))
    assert plate == Plate(
        "Q1-0001",
        "SN1",
        "24:6f:28:00:00:01",
        {
            "latitude": 10.7769,
            "longitude": 106.7009,
            "time_zone": "Asia/Ho_Chi_Minh",
            "street": "Nguyễn Huệ",
            "nominal_power_w": 80.0,
        },
    )


def test_letters_typed_in_parts_are_the_same_lamp() -> None:
    parts = ROW.replace("Nguyễn Huệ", "Nguye\u0302\u0303n Hue\u0323\u0302")
    assert only(parse((HEAD + parts).encode())).facts["street"] == "Nguyễn Huệ"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_of_any_country_are_understood(separator: str) -> None:
    text = (HEAD + ROW).replace(",", separator)
    if separator == ";":
        text = text.replace("10.7769", "10,7769")
    assert only(parse(text.encode())).facts["latitude"] == 10.7769


def test_columns_come_in_any_order_quotes_hold_lines_and_empty_rows_are_passed_over() -> None:
    text = 'time_zone,longitude,latitude,asset_id,notes\r\n\r\nEurope/Berlin,13.4,52.5,B1,"first\tof two"\r\n,,,,\r\n'
    with pytest.raises(Refusals):
        parse(text.encode())  # a tab is a control character
    row = parse(text.replace("\t", " ").encode()).rows[0]
    assert (row.line, row.plate.facts["notes"]) == (3, "first of two")


def test_a_legacy_encoding_is_refused_at_its_line() -> None:
    data = (HEAD + ROW + "Q2,,,10,106,Asia/Ho_Chi_Minh,").encode() + b"L\xea Loi,\n"  # windows-1258
    (error,) = errors(data)
    assert error[0] == 3 and "CSV UTF-8" in error[1]


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("SN1", "SN 1"), 2, "serial: a serial is"),
        (("24:6F:28:00:00:01", "24:6F:28:00:00"), 2, "mac: a MAC is twelve"),
        (("24:6F", "25:6F"), 2, "no chip has it"),
        (("10.7769", "91"), 2, "latitude: must be -90 to 90"),
        (("10.7769", "north"), 2, "latitude: is no number"),
        (("10.7769", "nan"), 2, "latitude: must be"),
        (("Asia/Ho_Chi_Minh", "Asia/Saigon City"), 2, "time_zone: no such"),
        (("80", "-5"), 2, "nominal_power_w: must be"),
        (("Q1-0001", ""), 2, "asset_id: is empty"),
        (("Q1-0001", "Q" * 121), 2, "asset_id: has 121"),
        (("Nguyễn Huệ", "Nguy\ufffdn"), 2, "street: holds a character that was lost"),
        ((",Nguyễn", ",,Nguyễn"), 2, "has 9 cells and the first row 8"),
        (("street", "strasse"), 1, "there is no column 'strasse'"),
        (("serial,mac", "serial,serial"), 1, "the column serial is there twice"),
        (("latitude,", ""), 1, "the column latitude is missing"),
        (("Nguyễn", '"Nguyễn'), 2, "is not CSV"),
        (("Nguyễn", "Ngu\0yễn"), 2, "NUL"),
    ],
)
def test_each_error_is_told_with_its_line(change: tuple[str, str], line: int, reason: str) -> None:
    assert any(error[0] == line and reason in error[1] for error in errors((HEAD + ROW).replace(*change)))


def test_a_file_without_lamps_is_told() -> None:
    assert errors("") == [(1, "the file is empty")]
    assert "no lamp below" in errors(HEAD)[0][1]


def test_what_is_there_twice_is_told_at_the_second_line_with_the_first() -> None:
    second = ROW.replace("Q1-0001", "q1-0001").replace("24:6F:28:00:00:01", "246f.2800.0001")
    assert errors(HEAD + ROW + second) == [
        (3, "asset_id: is the same as in line 2"),
        (3, "mac: is the same as in line 2"),
        (3, "serial: is the same as in line 2"),
    ]
    assert len(parse((HEAD + "A,,,1,1,UTC,,\nB,,,1,1,UTC,,\n").encode()).rows) == 2, "empty ones are not the same"


def test_ten_thousand_rows_are_checked_within_a_second_or_two_and_all_errors_named() -> None:
    rows = [f"Q-{number},S{number},,{10 + number / 1e5},106.7,Asia/Ho_Chi_Minh,Lê Lợi,80\n" for number in range(10_000)]
    began = time.process_time()
    assert len(parse((HEAD + "".join(rows)).encode()).rows) == 10_000
    assert time.process_time() - began < 3
    for number in (0, 5000, 9999):
        rows[number] = rows[number].replace("106.7", "east")
    assert [line for line, _ in errors(HEAD + "".join(rows))] == [2, 5002, 10_001]


def test_a_file_that_is_not_there_or_too_big_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure) as failed:
        load(tmp_path / "none.csv")
    assert failed.value.code == "folder_denied"
    path = tmp_path / "m.csv"
    path.write_text(HEAD + ROW)
    assert len(load(path).rows) == 1
    monkeypatch.setattr("provisioning.manifest.BIGGEST_BYTES", 10)
    with pytest.raises(Refusals):
        load(path)


def test_a_plate_survives_json_and_refuses_what_it_does_not_know() -> None:
    plate = only(parse((HEAD + ROW).encode()))
    assert read(plate.document()) == plate
    assert check({"asset_id": "A", "colour": "red"})[1][0].startswith("colour: there is no such field")
    with pytest.raises(Failure) as failed:
        read({"asset_id": "A"})
    assert failed.value.code == "manifest_invalid" and "latitude: is not there" in failed.value.detail


def test_macs_are_read_in_every_form_and_written_in_one() -> None:
    for text in ("24:6F:28:00:00:01", "24-6f-28-00-00-01", "246f.2800.0001", "246F28000001"):
        assert format_mac(parse_mac(text)) == "24:6f:28:00:00:01"
