"""The browser of the end-to-end tests: it starts, shows a page and runs its script, and a script error fails the test."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def test_the_browser_shows_a_page_and_runs_its_script(page):
    page.set_content("<h1>duecare</h1><script>document.querySelector('h1').textContent += ' works'</script>")
    assert page.get_by_role("heading", level=1).inner_text() == "duecare works"
