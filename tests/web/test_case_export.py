"""Taking out what is held about a case, from its page: offered to whom it is given, and to nobody else."""

from __future__ import annotations

import zipfile
from io import BytesIO

from tests.support.service_kit import three_visits


def offered(page) -> list[str]:
    return [e.attributes["href"] for e in page.all("a") if "/export." in e.attributes.get("href", "")]


def test_a_manager_is_offered_the_files_of_a_case_and_gets_them(flow, enter):
    flow.take(*three_visits("k/1"))
    flow.settle()
    client = enter("kim", "manager")
    page = client.get("/cases/k%2F1")
    assert "Everything that is held about this case" in page.main
    assert offered(page) == ["/cases/k%2F1/export.zip", "/cases/k%2F1/export.json"]
    answer = client.flask.get(offered(page)[0])
    with zipfile.ZipFile(BytesIO(answer.data)) as packed:
        assert any(name.endswith("/event.json") for name in packed.namelist())
    assert client.flask.get("/cases/k%2F1/export.csv").status_code == 404


def test_who_is_limited_or_reviews_is_not_offered_it_and_does_not_get_it(flow, enter):
    flow.take(*three_visits("k1"))
    flow.settle()
    for client in (enter("lee", "manager", teams=["north"]), enter("pat", "reviewer")):
        assert offered(client.get("/cases/k1")) == []
        assert client.flask.get("/cases/k1/export.json").status_code == 403
