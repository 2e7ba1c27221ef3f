"""Subscriptions: what would have come, and a running one paused, tested, stopped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oseo_lab.client.subscription_preview import would_have_matched
from oseo_lab.widgets.subscription import SubscriptionForm, SubscriptionPanel

YEAR_END = datetime(2025, 1, 1, tzinfo=UTC)


def test_what_would_have_come_is_counted_by_week_and_priced(demo_lab) -> None:
    draft = demo_lab.subscription("demo-s2", area=(10.6, 45.6, 10.7, 45.7))
    found = would_have_matched(draft, days=366, now=YEAR_END)
    counts, labels = found.weeks()
    assert sum(counts) == len(found.matches) == 15 and len(counts) == len(labels) == 53
    assert str(found) == "would have matched in the last 366 days: 15 scenes · one costs 1.50 CREDIT"


@pytest.mark.parametrize(("given", "count"), [({"observations": 4}, 4), ({"area": (1, 1, 2, 2)}, 0)])
def test_what_would_have_come_is_chosen_as_the_service_chooses(demo_lab, given, count) -> None:
    draft = demo_lab.subscription("demo-s2", **given)
    assert len(would_have_matched(draft, days=366, now=YEAR_END).matches) == count


def test_form_asks_what_would_have_matched_and_forgets_it_with_the_next_edit(demo_lab, press) -> None:
    draft = demo_lab.subscription("demo-s2", name="weekly", every=7)
    form = SubscriptionForm(draft)
    press(form, "do/preview")
    spark = [each for each in form.panel.tree if each["kind"] == "spark"]
    assert len(spark) == 1 and "in the last 90 days" in spark[0]["label"]
    form.panel.edit("options/frequencyObservation/observationGap", "14")
    assert draft.options.frequencyObservation["observationGap"] == 14
    assert not [each for each in form.panel.tree if each["kind"] == "spark"]
    form.panel.edit("options/regionOfInterest", "10.6, 45.6, 10.7, 45.7")
    assert len(draft.options.regionOfInterest) == 5
    form.close()


def test_a_running_one_is_paused_goes_on_is_tested_and_stopped(demo_lab, press) -> None:
    order = demo_lab.subscribe(
        "demo-s2",
        name="to be stopped",
        start="2024-01-01",
        end="2030-01-01",
        observations=1,
        max_items_per_month=30,
    )
    panel = SubscriptionPanel(order)
    assert "at most 30 a month" in str(panel.panel.tree)
    order.view()
    panel.redraw()
    assert " of 30" in str(panel.panel.tree)
    press(panel, "pause")
    assert "paused" in str(panel.panel.tree) and panel.panel.find("resume")
    press(panel, "resume")
    assert panel.panel.find("pause")
    press(panel, "test")
    assert "would order now" in str(panel.panel.tree)
    press(panel, "stop")
    assert "stopped" in str(panel.panel.tree)


def test_how_many_may_come_in_a_month_is_a_field_of_subscriptions(demo_lab) -> None:
    draft = demo_lab.subscription("demo-s2", name="monthly", max_items_per_month=30)
    form = SubscriptionForm(draft)
    form.panel.edit("draft/max_items_per_month", "12")
    assert draft.limits.max_items_per_month == 12
    form.panel.edit("draft/max_price", "20")
    assert (draft.limits.max_items_per_month, draft.limits.max_price) == (12, 20.0)
    form.panel.edit("draft/max_items_per_month", "0")
    assert "whole numbers of products from 1 on" in str(form.panel.tree)
    assert draft.limits.max_items_per_month == 12
    form.close()
