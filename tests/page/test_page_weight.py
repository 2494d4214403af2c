"""What the page weighs, and that it asks nobody else."""

import re
from pathlib import Path

from playwright.sync_api import expect
from visitor import Visitor

PAGE = Path(__file__).parents[2] / "frontend/page"
MOST_BYTES = 150 * 1024


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in PAGE.iterdir()) <= MOST_BYTES


def test_what_a_visit_takes_over_the_network_is_small(visitor: Visitor) -> None:
    sizes = []
    visitor.page.on("response", lambda response: sizes.append(len(response.body())))
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="Sample 10: 9")).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) <= MOST_BYTES


def test_every_module_is_loaded_beside_the_first_and_none_is_left_over() -> None:
    named = re.findall(r'"/page/(\S+?\.js)"', (PAGE / "index.html").read_text())
    assert sorted(named) == sorted(path.name for path in PAGE.glob("*.js"))


def test_the_page_names_no_other_address() -> None:
    for path in PAGE.iterdir():
        assert set(re.findall(r"https?://[^/\s\"'`]+", path.read_text())) <= {"http://www.w3.org"}, path


def test_scripts_make_no_elements_out_of_text() -> None:
    for path in PAGE.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()), path


def test_no_module_is_over_300_lines() -> None:
    assert max(len(path.read_text().splitlines()) for path in PAGE.glob("*.js")) <= 300
