"""What the technician gets, and what the kiosk's page is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hipwise.errors import HipwiseError
from hipwise.kiosk import Screen, address, is_local, print_kiosk, unit
from hipwise.paths import HOME
from hipwise.settings import Settings
from tests.gateway import running, settings_at


@pytest.mark.parametrize(
    ("text", "px_per_mm"),
    [
        ("21.5in 1920x1080", 4.034),
        ("21.5in 1080x1920", 4.034),
        ('21.5" 1920x1080', 4.034),
        ("54.61 cm 1920 x 1080", 4.034),
        ("15,6 inches 1920×1080", 5.560),
        ("32in 3840x2160", 5.421),
    ],
)
def test_a_screen_is_read_as_people_write_it(text: str, px_per_mm: float) -> None:
    assert Screen.parse(text).px_per_mm == pytest.approx(px_per_mm, abs=0.001)


@pytest.mark.parametrize(
    "text", ["", "21.5in", "1920x1080", "21.5 1920x1080", "0in 1920x1080", "1in 1920x1080", "999in 1920x1080"]
)
def test_what_is_no_screen_is_refused(text: str) -> None:
    with pytest.raises(HipwiseError, match="screen"):
        Screen.parse(text)


def test_the_address_carries_what_this_kiosk_has_of_its_own() -> None:
    settings = Settings(public_url="https://answers.example/")
    assert address(settings) == "https://answers.example/kiosk"
    found = address(settings, Screen.parse("21.5in 1920x1080"), printer=True, headset=True)
    assert found == "https://answers.example/kiosk?mm=4.034&printer=1&headset=1"
    assert address(Settings(host="::", port=80)) == "http://localhost:80/kiosk"
    assert address(Settings(host="10.0.0.5")) == "http://10.0.0.5:5005/kiosk"
    assert address(Settings(host="fd00::5")) == "http://[fd00::5]:5005/kiosk"
    assert [is_local(url) for url in ("http://localhost/", "http://127.0.0.1:1/", "http://[::1]/", "https://a.example/")] == [
        True, True, True, False,
    ]


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(host="10.0.0.5", idle_seconds=45)
    assert print_kiosk(settings, "21.5in 1920x1080", printer=True) == 0
    said = capsys.readouterr().out
    assert "http://10.0.0.5:5005/kiosk?mm=4.034&printer=1" in said
    assert "81 pixels" in said
    assert "Without a touch for 45 s" in said
    assert "--kiosk-printing" in said
    assert "--unsafely-treat-insecure-origin-as-secure=http://10.0.0.5:5005" in said
    assert "HIPWISE_PUBLIC_URL" in said
    assert "HIPWISE_STAFF_WEBHOOK" in said
    print_kiosk(Settings(public_url="https://answers.example", staff_webhook="https://x.example"))
    said = capsys.readouterr().out
    assert "Note" not in said
    assert "insecure-origin" not in said
    assert "kiosk-printing" not in said


def test_the_unit_is_one_for_systemd() -> None:
    text = unit("https://a.example/kiosk?mm=4.034&x=%41", ("--kiosk", "--incognito"))
    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert sections == ["Unit", "Service", "Install"]
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert start.endswith('--kiosk --incognito "https://a.example/kiosk?mm=4.034&x=%%41"')
    assert all(re.match(r"(\w+=|\[|#|$)", line) for line in text.splitlines())


@pytest.mark.slow
def test_the_command() -> None:
    command = [sys.executable, "-m", "hipwise.cli", "kiosk", "--screen"]
    done = subprocess.run([*command, "32in 3840x2160"], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kiosk?mm=5.421" in done.stdout
    done = subprocess.run([*command, "big"], cwd=HOME, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a screen" in done.stderr
    assert "Traceback" not in done.stderr


async def test_what_the_page_is_told(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, idle_seconds=45, public_url="https://answers.example/", screen="32in 3840x2160")
    # Before the model is loaded too: the page can come up.
    async with running(settings, ready=False) as gateway:
        answer = await gateway.client.get("/api/v1/kiosk/config")
        assert answer.json() == {
            "idle_seconds": 45,
            "warning_seconds": 20,
            "px_per_mm": 5.421,
            "call_staff": False,
            "public_url": "https://answers.example",
        }
        again = await gateway.client.get("/api/v1/kiosk/config", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


async def test_the_webhook_stays_on_the_server(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path, staff_webhook="https://secret.example/key")) as gateway:
        answer = await gateway.client.get("/api/v1/kiosk/config")
        assert answer.json()["call_staff"] is True
        assert "secret" not in answer.text


async def test_a_screen_that_makes_no_sense_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(HipwiseError, match="is not a screen"):
        async with running(settings_at(tmp_path, screen="large")):
            pass


async def test_emergencies_and_questions_for_the_doctor_are_known_in_advance(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        body = (await gateway.client.get("/api/v1/topics")).json()
    assert (body["urgent"]["kind"], body["crisis"]["kind"]) == ("urgent", "crisis")
    questions = {one["id"]: one["title"] for one in body["for_doctor"]}
    assert questions["not_covered_surgery"] == "Do I need surgery?"
    assert all(title.endswith("?") for title in questions.values())


async def test_every_tile_is_on_offer_at_a_kiosk_and_nowhere_else(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        kiosk = await gateway.open("kiosk")
        assert [reply["topic"] for reply in (await kiosk.say("/ask_men")).json()["replies"]] == ["ask_men"]
        assert (await kiosk.read())[1]["text"] == "Do men get it?"
        for text in ('/ask_men{"group": "x"}', "/ask_nothing", "/service_forget_me", "/red_flag_general"):
            await kiosk.say(text, text)
        web = await gateway.open("web")
        await web.say("/ask_men")
        # What is no button is words.
        assert gateway.processor.heard == [
            "/ask_men", 'ask_men{"group": "x"}', "ask_nothing", "service_forget_me", "red_flag_general", "ask_men",
        ]


async def test_each_topic_is_in_one_group_and_each_question_for_the_doctor_exists(tmp_path: Path) -> None:
    source = (HOME / "web" / "src" / "kiosk" / "topics.ts").read_text(encoding="utf-8")
    part = source[source.index("GROUPS:") : source.index("const PREFIX")]
    lists = re.findall(r"topics: \[(.*?)\]", part, re.DOTALL)
    topics = [f"ask_{name}" for names in lists for name in re.findall(r'"(\w+)"', names)]
    doctor = re.findall(r'"((?:not_covered|refer)_\w+)"', part)
    async with running(settings_at(tmp_path)) as gateway:
        body = (await gateway.client.get("/api/v1/topics")).json()
    assert sorted(topics) == sorted(topic["id"] for topic in body["topics"])
    assert len(doctor) > 20
    assert set(doctor) <= {one["id"] for one in body["for_doctor"]}
