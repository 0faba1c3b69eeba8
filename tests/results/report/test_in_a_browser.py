"""The report in a real browser, from the disk: figures are drawn, clicks filter, nothing is asked of any network.

Debian's chromium and chromium-driver; skipped, with the reason, where there are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.results.report.outputs import write_report
from resnext_search.results.report.page import parts
from resnext_search.search.planning.confirmation import enqueue_confirmation
from resnext_search.search.planning.tuning_rounds import enqueue_tuning

pytest.importorskip("selenium", reason="the extra `test` brings it: pip install -e '.[test]'")
pytest.importorskip("axe_core_python", reason="the extra `test` brings it: pip install -e '.[test]'")

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import browser, needs_browser
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, facts_of, new_folder, point, started

pytestmark = [pytest.mark.slow, needs_browser]

AXE = """
const done = arguments[arguments.length - 1];
const run = axe.run(document, {preload: false, ...arguments[0]});
run.then((found) => done(found.violations), (error) => done([{id: String(error)}]));
"""


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[webdriver.Chrome]:
    with browser() as driver:
        driver.set_script_timeout(120)
        yield driver


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The report of a claim with every figure, and newer parts of it: one more trial has completed."""
    folder, journal = new_folder(tmp_path_factory.mktemp("study"), tiny_study(TINY_CLAIM, "search.trials=7"))
    with journal:
        for index, error in enumerate((12.5, 20.0, 9.0, 30.0, 14.0)):
            completed(journal, point(index, 0.1), error)
        journal.fail(started(journal, point(5)), "TrainingDiverged", "Traceback\nthe loss is nan")
        for enqueue in (enqueue_tuning, enqueue_confirmation):
            while enqueue(journal.study(), journal):
                for place, trial in enumerate(journal.trials(states=["queued"])):
                    journal.start(trial.trial_id, "checkpoints/x.pt")
                    _finish(journal, trial.trial_id, trial.phase, 6.0 + place % 5, middle=0.05 < _rate(trial) < 0.5)
        write_report(folder.report, facts_of(folder, journal))
        completed(journal, point(6, 0.2), 2.5)
        return folder.report, json.loads(json.dumps(parts(facts_of(folder, journal))))


def _rate(trial: Any) -> float:
    return float(dict(trial.configuration.knobs)["learning_rate"])


def _finish(journal: Journal, number: int, phase: str, error: float, *, middle: bool) -> None:
    from resnext_search.results import EpochRow

    confirm = phase == "confirm"
    known = None if confirm else error + 20 * (not middle)
    row = EpochRow(1, 0.1, 1.0, known, known, 0.25)
    journal.record_epoch(
        number, row, device="cpu", host="here", final=True, test_error=error if confirm else None, test_correct=None
    )


def opened(browser: webdriver.Chrome, path: Path, width: int = 1280, *, dark: bool = False) -> webdriver.Chrome:
    """The page, as wide and on such a ground."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}  # what is clicked on does not scroll away
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
    browser.get(path.as_uri())
    return browser


def shown_trials(browser: webdriver.Chrome) -> list[str]:
    rows = "[...document.querySelectorAll('#all-trials tbody tr')]"
    found: list[str] = browser.execute_script(f"return {rows}.filter((r) => !r.hidden).map((r) => r.dataset.trial)")
    return found


def mark(browser: webdriver.Chrome, figure: str, trial: int) -> WebElement:
    """The mark of a trial in a figure: the last that is drawn of it."""
    place = browser.execute_script(
        "const plot = document.getElementById(arguments[0]);"
        "const traces = [...plot.querySelectorAll('.scatterlayer .trace')];"
        "for (const [number, trace] of [...plot._fullData.entries()].reverse()) {"
        "  const at = (trace.customdata || []).indexOf(arguments[1]);"
        "  if (at >= 0) return traces[number].querySelectorAll('.point')[at]; }",
        f"plot-{figure}",
        trial,
    )
    assert isinstance(place, WebElement)
    return place


def test_figures_are_drawn_and_fit_at_every_width_and_on_both_grounds(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]
) -> None:
    grounds = set()
    for width, dark in ((1280, False), (400, True)):
        opened(browser, page[0], width, dark=dark)
        plots = browser.find_elements(By.CSS_SELECTOR, ".plot")
        assert len(plots) == len(page[1]["figures"]) == 12
        for plot in plots:
            drawn = plot.find_element(By.CSS_SELECTOR, "svg.main-svg").size
            assert 0 < drawn["width"] <= width
            assert drawn["height"] > 100
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        grounds.add(browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
    assert len(grounds) == 2


def test_figures_follow_a_window_that_gets_another_size_and_cover_nothing(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]
) -> None:
    opened(browser, page[0], 1280)
    metrics = {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    ends = "(one) => [one.getBoundingClientRect().right, one.getBoundingClientRect().bottom]"
    drawn = f"return [...document.querySelectorAll('.plot svg.main-svg:first-child')].map({ends})"
    WebDriverWait(browser, 20).until(lambda it: all(right <= 400 for right, _ in it.execute_script(drawn)))
    tops = "(one) => one.nextElementSibling.getBoundingClientRect().top"
    below = f"return [...document.querySelectorAll('.plot')].map({tops})"
    figures = zip(browser.execute_script(drawn), browser.execute_script(below), strict=True)
    assert [(bottom, top) for (_, bottom), top in figures if bottom > top] == []


def test_hovering_says_the_architecture_and_a_click_filters_the_trials(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]
) -> None:
    opened(browser, page[0])
    place = mark(browser, "front", 2)
    ActionChains(browser).scroll_to_element(place).move_to_element(place).pause(0.5).perform()
    said = browser.find_element(By.CSS_SELECTOR, "#plot-front .hoverlayer").text
    assert "trial 0002: 1x5d-11" in said
    assert "validation error 9.00 %" in said

    everything = shown_trials(browser)
    ActionChains(browser).click(place).pause(0.3).perform()
    assert "2" in shown_trials(browser)
    assert len(shown_trials(browser)) < 12 < len(everything)
    assert "with the configuration of trial 2" in browser.find_element(By.ID, "count").text

    browser.find_element(By.ID, "clear").send_keys(Keys.ENTER)  # with the keyboard
    assert shown_trials(browser) == everything


def test_words_and_phases_filter_too(browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]) -> None:
    opened(browser, page[0])
    find = browser.find_element(By.ID, "find")
    find.send_keys("FAILED search")
    assert shown_trials(browser) == ["5"]
    find.clear()
    find.send_keys("no such thing")
    assert shown_trials(browser) == []
    browser.find_element(By.ID, "clear").click()
    Select(browser.find_element(By.ID, "phase")).select_by_visible_text("tune")
    assert shown_trials(browser) == [str(number) for number in range(6, 58)]  # four arms at 3 + 2 x 5 rates


def test_newer_parts_are_shown_and_what_was_open_and_typed_stays(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]
) -> None:
    opened(browser, page[0])
    browser.find_element(By.CSS_SELECTOR, "#numbers-front summary").click()
    browser.find_element(By.ID, "find").send_keys("search")
    before = shown_trials(browser)
    browser.execute_script("window.showReport(arguments[0])", page[1])
    assert len(shown_trials(browser)) == len(before) + 1
    assert browser.find_element(By.ID, "numbers-front").get_attribute("open") is not None
    assert browser.find_element(By.ID, "find").get_attribute("value") == "search"
    marks = browser.find_elements(By.CSS_SELECTOR, "#plot-front .scatterlayer .trace:first-child .point")
    assert len(marks) == 6
    assert browser.get_log("browser") == []


def test_no_request_leaves_the_page_and_the_console_is_empty(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]]
) -> None:
    browser.get_log("performance")
    opened(browser, page[0])
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {url for url in asked if not url.startswith("data:")} == {page[0].as_uri()}
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.get_log("browser") == []
    # and if something in it asked, its policy would forbid it
    refused = "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('asked'), () => done('refused'))"
    assert browser.execute_async_script(refused) == "refused"
    assert "Content Security Policy" in browser.get_log("browser")[0]["message"]


# on dark ground only colours are others
@pytest.mark.parametrize(
    ("dark", "rules"), [(False, {}), (True, {"runOnly": ["color-contrast"]})], ids=["light", "dark"]
)
def test_axe_finds_nothing_to_object_to(
    browser: webdriver.Chrome, page: tuple[Path, dict[str, Any]], dark: bool, rules: dict[str, Any]
) -> None:
    opened(browser, page[0], dark=dark)
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    violations = browser.execute_async_script(AXE, rules)
    assert [(one["id"], one.get("impact"), [node["html"] for node in one["nodes"]]) for one in violations] == []
