"""Single sign-on that is set up by halves, or not safely, is refused at the start; and what is handed to browsers is closed."""

from __future__ import annotations

import pytest

from service.cipher import closed, opened
from service.errors import SettingsError
from service.oidc import Provider
from service.settings import Settings, load

GIVEN = {
    "OIDC_ISSUER": "https://id.example.org/realms/agency",
    "OIDC_CLIENT_ID": "duecare",
    "OIDC_CLIENT_SECRET": "hunter2",
    "OIDC_ROLE_MAP": '{"g": {"roles": ["viewer"]}}',
}
KEY = b"k" * 32


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Set these and no others; None: not even these."""

    def set_(**changes: str | None) -> Settings:
        monkeypatch.setenv("DUECARE_HOME", str(tmp_path))
        for name, value in {**GIVEN, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return load()

    return set_


def test_a_whole_set_is_taken_and_shows_no_secret(given):
    settings = given()
    made = Provider(settings, lambda: 0)
    assert (made.issuer, made.client) == (GIVEN["OIDC_ISSUER"], "duecare")
    assert settings.break_glass == {"admin"}
    assert "hunter2" not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize("missing", ["OIDC_CLIENT_ID", "OIDC_ROLE_MAP"])
def test_what_is_missing_is_named(given, missing):
    with pytest.raises(SettingsError, match=missing):
        Provider(given(**{missing: None}), lambda: 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"OIDC_ISSUER": "http://id.example.org"},
        {"OIDC_ISSUER": "https://user@id.example.org"},
        {"OIDC_ISSUER": "https://id.example.org/?x"},
        {"OIDC_ISSUER": "https://id.example.org/#x"},
        {"OIDC_ISSUER": "id.example.org"},
        {"OIDC_REDIRECT_URI": "http://duecare.example.org/sign-in/return"},
        {"OIDC_REDIRECT_URI": "https://duecare.example.org/"},
        {"OIDC_SCOPES": "profile email"},
        {"OIDC_ONLY": "perhaps"},
    ],
    ids=str,
)
def test_what_is_not_safe_is_refused_by_name(given, changes):
    with pytest.raises(SettingsError, match=next(iter(changes))):
        given(**changes)


def test_the_secret_may_stand_in_a_file(given, tmp_path):
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    assert Provider(given(OIDC_CLIENT_SECRET=None, OIDC_CLIENT_SECRET_FILE=str(file)), lambda: 0)._secret == "from a file"
    with pytest.raises(SettingsError, match="not both"):
        Provider(given(OIDC_CLIENT_SECRET_FILE=str(file)), lambda: 0)
    for text in ("", None):
        file.write_text(text) if text is not None else file.unlink()
        with pytest.raises(SettingsError, match="OIDC_CLIENT_SECRET_FILE"):
            Provider(given(OIDC_CLIENT_SECRET=None, OIDC_CLIENT_SECRET_FILE=str(file)), lambda: 0)


def test_what_is_closed_opens_with_the_same_secret_for_the_same_purpose_alone():
    text = closed(KEY, "a", {"state": "s3cret"})
    assert "s3cret" not in text
    assert opened(KEY, "a", text) == {"state": "s3cret"}
    assert opened(KEY, "b", text) is None
    assert opened(b"x" * 32, "a", text) is None
    head, rest = text[:-4], text[-4:]
    assert opened(KEY, "a", head + ("AAAA" if rest != "AAAA" else "BBBB")) is None
    for stray in ("", "x", "....", "é", text + "."):
        assert opened(KEY, "a", stray) is None
