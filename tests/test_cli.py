"""The command line, as a person and as a script use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hipwise.paths import HOME


def hipwise(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hipwise.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of what the assistant is made of, to break."""
    for name in ("config.yml", "domain.yml", "uv.lock"):
        shutil.copy(HOME / name, tmp_path / name)
    for name in ("data", "knowledge"):
        shutil.copytree(HOME / name, tmp_path / name)
    return tmp_path


def assert_one_sentence(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    sentences = [line for line in result.stderr.splitlines() if line.startswith("hipwise: ")]
    assert len(sentences) == 1, result.stderr
    for part in parts:
        assert part in sentences[0]


@pytest.mark.model
def test_a_batch_is_answered_in_order() -> None:
    messages = ["how long does it last?", "", "is it contagious?", 'a "quoted" line', "/restart", "x" * 1001]
    result = hipwise("ask", "--json", stdin="\n".join(messages) + "\n")
    assert result.returncode == 0, result.stderr
    assert result.stderr == "", "SQLAlchemy told whoever piped questions in about its next version"
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["message"] for answer in answers] == messages
    for answer in answers:
        assert answer["replies"]
        for reply in answer["replies"]:
            assert set(reply) == {"text", "kind", "facts", "references", "suggestions", "figure", "topic", "lang"}
    assert answers[0]["replies"][0]["facts"] == ["course.resolves", "sym.course"]
    assert {reference["id"] for reference in answers[0]["replies"][0]["references"]} == {
        "ref.article",
        "ref.aaos",
        "ref.jaaos",
    }
    assert answers[2]["replies"][0]["kind"] == "not_covered"


@pytest.mark.model
def test_bytes_that_are_no_text_do_not_end_a_batch() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "hipwise.cli", "ask", "--json"],
        input=b"\xff\xfe how long does it last\nwhat causes it\n",
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.model
def test_a_question_is_answered_for_a_person() -> None:
    result = hipwise("ask", "what", "causes", "it?")
    assert result.returncode == 0
    assert "Nobody knows" in result.stdout
    assert "JAAOS 2008" in result.stdout
    assert "\x1b[" not in result.stdout
    assert result.stderr == ""


def test_without_a_question_and_without_a_terminal() -> None:
    assert_one_sentence(hipwise("ask"), "--json")


def test_a_missing_model_is_said(home: Path) -> None:
    assert_one_sentence(hipwise("ask", "hello", HIPWISE_HOME=str(home)), "no trained model", "hipwise train")


def test_broken_yaml_is_said_with_its_place(home: Path) -> None:
    path = home / "data" / "rules.yml"
    path.write_text(path.read_text() + '\n- rule: "unclosed\n')
    assert_one_sentence(hipwise("train", HIPWISE_HOME=str(home)), "rules.yml", "line")


def test_a_fact_that_does_not_exist_is_said(home: Path) -> None:
    path = home / "domain.yml"
    text = path.read_text()
    assert "course.resolves" in text
    path.write_text(text.replace("course.resolves", "course.resolved", 1))
    assert_one_sentence(hipwise("train", HIPWISE_HOME=str(home)), "course.resolved")


def test_a_suggestion_that_leads_nowhere_is_said(home: Path) -> None:
    path = home / "domain.yml"
    path.write_text(path.read_text().replace("suggestions: [", "suggestions: [ask_nothing, ", 1))
    assert_one_sentence(hipwise("train", HIPWISE_HOME=str(home)), "ask_nothing")


def test_a_setting_that_is_no_number_is_said() -> None:
    assert_one_sentence(hipwise("serve", PORT="many"), "PORT", "many")


def test_wrong_usage() -> None:
    assert hipwise("no-such-command").returncode == 2
