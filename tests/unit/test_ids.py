"""Ids that are made: the same for the same obligation for ever, or links and notices that people hold would lead nowhere."""

import json
import uuid

import pytest

from store.ids import finding_id

NAMESPACE = uuid.UUID("6b0e4f6c-2f43-5d0e-9d39-6d75656361b1")


@pytest.mark.parametrize("case", ["k1", "Zoë", 'a "quoted" one', "back\\slash", "日本", ""])
def test_a_finding_has_the_uuid_of_its_obligation(case):
    key = (case, "1", "cfss", "C08", "plan:1")
    assert finding_id(key) == str(uuid.uuid5(NAMESPACE, json.dumps(key)))


def test_an_id_stays_what_it_was():
    assert finding_id(("k1", "1", "cfss", "C08", "case")) == "448725a8-fc3f-5187-b65e-473172e6173c"
