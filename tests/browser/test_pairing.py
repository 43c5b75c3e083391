"""A device of the ward that nobody knows yet: by PIN, by QR code, and after it was revoked."""

from pathlib import Path

import pytest

from medserver.access.ledger import Ledger
from medserver.access.pairing import Pairing
from medserver.access.sessions import Sessions
from tests.browser.conftest import HOST, SIZES


@pytest.fixture(params=SIZES)
def stranger(request, browser, server):
    """A browser without a cookie, the address it knows, and the file of who may come in."""
    context = browser.new_context(viewport=SIZES[request.param])
    yield context.new_page(), f"http://{HOST}:{server.port}", Ledger(Path(server.state_dir))
    context.close()


def ready(page) -> None:
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()


def test_a_pin_is_asked_for_and_lets_the_device_in(stranger):
    page, address, ledger = stranger
    page.goto(f"{address}/")
    page.wait_for_url("**/pair")
    code = Pairing(ledger).new_code()
    page.get_by_label("PIN").fill("123 45")
    page.get_by_role("button", name="Pair").click()
    page.get_by_role("alert").get_by_text("The PIN has six digits.").wait_for()
    page.get_by_label("PIN").fill(f"{(int(code.pin) + 1) % 10**6:06}")
    page.get_by_role("button", name="Pair").click()
    page.get_by_role("alert").get_by_text("That is not the PIN. 4 tries left.").wait_for()
    page.get_by_label("PIN").fill(f"{code.pin[:3]} {code.pin[3:]}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    ready(page)
    page.goto(f"{address}/pair")
    page.wait_for_url(f"{address}/")


def test_a_qr_code_lets_the_device_in_and_leaves_no_secret_in_the_address(stranger):
    page, address, ledger = stranger
    page.goto(f"{address}/pair#{Pairing(ledger).new_code().secret}")
    page.wait_for_url(f"{address}/")
    ready(page)
    page.goto(f"{address}/pair#used-before")
    page.wait_for_url(f"{address}/")  # a device that is known needs no code


def test_a_used_qr_code_says_so(stranger):
    page, address, _ = stranger
    page.goto(f"{address}/pair#used-before")
    page.get_by_role("alert").get_by_text("Scan the one that is shown now").wait_for()
    assert page.url == f"{address}/pair"


def test_a_page_whose_device_was_revoked_is_led_to_the_form(stranger):
    page, address, ledger = stranger
    page.goto(f"{address}/pair#{Pairing(ledger).new_code().secret}")
    page.wait_for_url(f"{address}/")
    ready(page)
    Sessions(ledger).revoke_all()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the server is asked again at once
    page.wait_for_url("**/pair")


def test_a_device_can_be_forgotten_from_its_settings(stranger):
    page, address, ledger = stranger
    page.goto(f"{address}/pair#{Pairing(ledger).new_code().secret}")
    page.wait_for_url(f"{address}/")
    ready(page)
    page.get_by_role("button", name="I understand").click()
    page.click("#open-settings")
    page.get_by_role("button", name="Forget this device").click()
    page.get_by_role("dialog", name="Forget this device?").get_by_role("button", name="Stay known").click()
    assert page.url == f"{address}/"
    page.get_by_role("button", name="Forget this device").click()
    page.get_by_role("dialog", name="Forget this device?").get_by_role("button", name="Forget this device").click()
    page.wait_for_url("**/pair")
    page.goto(f"{address}/")
    page.wait_for_url("**/pair")
