// What a card says of an order and its items, in words: an OrderView (oseo_lab.model.view) as short texts.

import { ago, clip, clock, day, duration, isFinal, kindOf, number, plural, size } from "./dom.js";

/** Most characters that are drawn of a name, which is whole in its title. */
export const NAME = 80;

export function named(ids, count) {
  const shown = ids.slice(0, 3).join(", ");
  return count > 3 ? `${shown} and ${number(count - 3)} more` : shown;
}

export function running(view) {
  const rows = (view.rows ?? []).filter((each) => each.status === "InProduction");
  return rows.reduce((sum, each) => sum + (each.fraction ?? 0), 0);
}

/** Most stages drawn that are over: the last of them. */
const STAGES = 5;

export function stagesPassed(stages) {
  const drawn = (stages ?? []).slice(-STAGES).map((each) => `${clip(each, NAME)} ✔ `);
  return ((stages?.length ?? 0) > STAGES ? "… " : "") + drawn.join("");
}

/** An item whose product is being restored says so: it is not tried again, it waits. */
const ARCHIVE = "waiting for the archive";

export function infoOf(row) {
  if (row.retry_at && row.info?.startsWith(ARCHIVE)) return `⏳ ${row.info}`;
  if (row.retry_at) return `tried again by itself at ${clock(row.retry_at, true)}${row.info ? `: ${row.info}` : ""}`;
  if (!isFinal(row.status) && row.provider) return waitsFor(row);
  if (row.status === "InProduction") return row.attempt > 1 ? `attempt ${row.attempt}` : "";
  if (kindOf(row.status) === "done") return row.info ?? (row.attempt > 1 ? `delivered at attempt ${row.attempt}` : "");
  return row.info ?? "";
}

/** What is made elsewhere: who was asked, since when it stands so, and what they say of it. */
function waitsFor(row) {
  const since = row.since ? ` since ${clock(row.since)}` : "";
  const text = row.status === "InProduction" ? `${row.provider} works on it${since}` : `waits for ${row.provider}${since}`;
  return row.info ? `${text}: ${row.info}` : text;
}

/** When it is likely to be ready: the typical moment, and from when to when it may be. */
export function readyText(view) {
  const rest = view.remaining;
  if (!rest || isFinal(view.summary.status)) return "";
  const from = new Date(view.as_of).getTime();
  const at = (seconds) => clock(from + 1000 * seconds);
  const [low, typical, high] = [at(rest.low), at(rest.typical), at(rest.high)];
  const spread = low === high ? "" : ` (${low}–${high})`;
  return rest.high < 90 ? `ready in about ${duration(rest.typical)}` : `ready ≈ ${typical}${spread}`;
}

export function factsOf(view) {
  const { summary } = view;
  const facts = [];
  if (summary.size) facts.push(size(summary.size));
  for (const price of view.cost ?? []) facts.push(`${number(price.value)} ${price.currency}`);
  if (view.limits?.max_price != null) facts.push(`at most ${number(view.limits.max_price)} in all`);
  if (view.limits?.max_bytes != null) facts.push(`at most ${size(view.limits.max_bytes)}`);
  const monthly = view.limits?.max_items_per_month;
  if (monthly != null && view.joined != null) {
    const full = view.joined >= monthly ? "; further ones wait for the next" : "";
    facts.push(`this month ${number(view.joined)} of ${number(monthly)}${full}`);
  }
  if (view.batches > 1) facts.push(plural(view.batches, "batch", "batches"));
  if (view.workers && !isFinal(summary.status)) facts.push(`${plural(view.workers, "item")} at a time`);
  if (summary.expires) facts.push(`kept until ${day(summary.expires)}`);
  if (summary.created) facts.push(`ordered ${ago(summary.created)}`);
  return facts;
}

export function unfinished(view) {
  const counts = view.summary.counts ?? {};
  return Object.entries(counts).reduce((sum, [each, count]) => sum + (isFinal(each) ? 0 : count), 0);
}

function retryable(view) {
  return (view.failures ?? []).reduce((sum, each) => sum + (each.can_retry ? each.count : 0), 0);
}

export function retryText(view) {
  const count = retryable(view);
  return count ? againText(count) : "Try again";
}

export function againText(count) {
  return count === 1 ? "Try it again" : `Try the ${number(count)} again`;
}
