"""``oseo-lab quotations`` and ``oseo-lab balances`` against a service in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from oseo_lab.client.connecting import connect
from tests.acceptance.serving import TOKEN, Server
from tests.cli.conftest import Run
from tests.client.scenes import COLLECTION, make_collections

BY_HAND = COLLECTION.replace('id = "scenes"', 'id = "by_hand"') + '[quotation]\nuse = "by_hand"\n'
PRICED = COLLECTION.replace('id = "scenes"', 'id = "priced"') + "[quotation]\nitem = 2.5\n"


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = make_collections(tmp_path_factory.mktemp("priced"))
    (folder / "by_hand.toml").write_text(BY_HAND)
    (folder / "priced.toml").write_text(PRICED)
    server = Server(tmp_path_factory.mktemp("data"), collections=folder, executor="inline").start()
    yield server
    server.stop()


@pytest.fixture
def at(priced: Server) -> list[str]:
    return ["--url", priced.url, "--token", TOKEN]


def test_operator_answers_and_the_user_sees_the_price(run: Run, priced: Server, at: list[str]) -> None:
    with connect(priced.url, TOKEN) as lab:
        quotation = lab.order(["SCENE_A", "SCENE_B"], collection="by_hand").quote()
        code, out, _ = run("quotations", "list", "--waiting", *at)
        assert (code, quotation.id in out) == (0, True)
        code, out, err = run("quotations", "show", quotation.id, *at)
        assert code == 0
        assert "waiting" in err
        assert "SCENE_A\tSCENE_A" in out
        words = ("--price", 9, "--item", "SCENE_A=4.5", "--currency", "QUOTA", "--contract", "by letter")
        assert run("quotations", "answer", quotation.id, *words, *at)[0] == 0
        assert quotation.wait(30).price.value == 9
    code, out, err = run("quotations", "show", quotation.id, *at)
    assert "4.50 QUOTA" in out
    assert "together 9.00 QUOTA" in err
    code, out, _ = run("quotations", "list", "--json", *at)
    assert [each["state"] for each in json.loads(out) if each["quotation_id"] == quotation.id] == ["ready"]
    assert run("quotations", "answer", quotation.id, "--price", 1, *at)[0] == 1


def test_what_is_no_price_is_wrong_usage(run: Run, at: list[str]) -> None:
    name = "00000000-0000-4000-8000-000000000000"
    code, _, err = run("quotations", "answer", name, "--item", "a=dear", *at)
    assert (code, "is no price" in err) == (2, True)
    assert run("quotations", "answer", name, "--price", 1, *at)[0] == 2
    assert run("quotations", "show", name, *at)[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nope"), "'nope' is no quotation's id"),
        (("answer", "nope", "--price", 1), "'nope' is no quotation's id"),
        (("answer", "nope"), "say --price for all items together"),
        (("answer", "nope", "--refuse", "no", "--price", 1), "a refused quotation has no price"),
    ],
)
def test_a_wrong_answer_says_what_to_say_instead(run: Run, words: tuple[object, ...], said: str) -> None:
    code, _, err = run("quotations", *words, "--url", "http://127.0.0.1:9/", "--token", "t")
    assert (code, said in " ".join(err.split())) == (2, True), err


def test_a_limit_belongs_to_somebody_and_is_not_negative(run: Run, tmp_path: Path) -> None:
    assert run("balances", "set", "", "EUR", "1")[0] == 2
    assert run("balances", "set", "--", "anna", "EUR", "-1")[0] == 2
    assert "anna is not limited" in run("balances", "list", "anna", "--data-dir", tmp_path)[2]


def test_balances_are_set_listed_and_lifted_in_the_services_own_store(
    run: Run, priced: Server, at: list[str]
) -> None:
    data: list[Path | str] = ["--data-dir", priced.data_dir]
    assert run("balances", "set", "local", "EUR", "3.5", *data)[0] == 0
    assert run("balances", "list", "local", *data)[1] == "EUR\t3.5\n"
    with connect(priced.url, TOKEN) as lab:
        assert lab.balances == {"EUR": 3.5}
        order = lab.order("SCENE_A", collection="priced").submit()
        assert lab.balances == {"EUR": 1.0}
        assert order.id
    assert json.loads(run("balances", "list", "local", "--json", *data)[1]) == {"EUR": 1.0}
    assert run("balances", "set", "local", "EUR", "none", *data)[0] == 0
    assert run("balances", "list", "local", *data)[1] == ""
    for value in ("much", "NaN", "Infinity"):
        assert run("balances", "set", "local", "EUR", value, *data)[0] == 2
    assert run("balances", "set", "local", "FARTOOLONGNAME", "1", *data)[0] == 2
