"""The labels of SenML are those of RFC 8428, table 4, and of the registries."""

from contract import senml
from contract.paths import path


def test_labels_are_those_of_the_rfc():
    numbers = {"bn": -2, "bt": -3, "n": 0, "v": 2, "vs": 3, "vb": 4, "t": 6, "vd": 8, "vlo": "vlo"}
    assert {name: label for label, name in senml.JSON_LABELS.items()} == numbers
    assert (senml.BASE_NAME, senml.BASE_TIME, senml.NAME, senml.VALUE) == (-2, -3, 0, 2)
    assert (senml.STRING, senml.BOOLEAN, senml.TIME, senml.DATA, senml.OBJECT_LINK) == (3, 4, 6, 8, "vlo")


def test_content_formats_are_those_of_the_registry():
    assert (senml.TEXT, senml.LINK_FORMAT, senml.OPAQUE, senml.CBOR) == (0, 40, 42, 60)
    assert (senml.SENML_JSON, senml.SENML_CBOR, senml.TLV) == (110, 112, 11542)


def test_a_record_is_a_path_a_time_and_a_value():
    record = senml.Record(path(3, 0, 22), 1774746000, senml.ObjectLink(3410, 0))
    assert record == ((3, 0, 22, None), 1774746000, (3410, 0))
    assert senml.ABSOLUTE_TIME_S == 268435456
