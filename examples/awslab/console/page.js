// Shows the state of the lab and asks for it again every second. What comes from the lab becomes
// text, never markup.
"use strict";

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGE = document.documentElement.lang;
const EVERY = 1000; // milliseconds between two questions
const QUIET = 5000; // milliseconds between two pieces of news for those who listen
const GOOD = ["InService", "Completed", "available", "Active", "ACTIVE", "running", "OK", "logging"];
const BAD = ["Failed", "ALARM", "failed"];

const at = (id) => document.getElementById(id);
const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" });
const hour = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "medium", hourCycle: "h23" });

let etag = "";
let clock = { now: null, speed: 0, met: 0 };
let said = "";
let saidAt = 0;

// `{name}` in a text stands for a value.
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function element(name, attributes, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

// On a phone the cells are no table cells for the browser: their roles say what they are.
const row = (...cells) => element("tr", { role: "row" }, ...cells);
const cell = (className, ...children) => element("td", { role: "cell", className }, ...children);

// A long name may break after a sign, and before a capital.
function breakable(text) {
  const parts = text.split(/(?<=[_/:.-])|(?<=[a-z])(?=[A-Z])/);
  return parts.flatMap((part, place) => (place ? [element("wbr"), part] : [part]));
}

function stateClass(state) {
  if (GOOD.includes(state)) return "good";
  if (BAD.includes(state)) return "bad";
  return /(ing|InProgress)$/.test(state) && state !== "not logging" ? "warn" : "";
}

// --- clock ---

function showClock(shown) {
  clock = { now: Date.parse(shown.now), speed: shown.speed ?? 1, met: Date.now() };
  at("gait").textContent = fill(TEXTS.gaits[shown.gait], { speed: shown.speed });
  at("steps").hidden = shown.gait === "running";
}

function showTime() {
  if (clock.now === null) return;
  const now = new Date(clock.now + (Date.now() - clock.met) * clock.speed);
  at("now").dateTime = now.toISOString();
  at("now").textContent = day.format(now);
}

async function advance(event) {
  const seconds = Number(event.currentTarget.dataset.seconds);
  await fetch("clock", { method: "POST", body: JSON.stringify({ advance: seconds }) });
  await look();
}

// --- deployments ---

function deployment(shown) {
  const share = Math.round(100 * shown.share_of_new);
  const label = fill(TEXTS.parts.traffic, { percent: share });
  const bar = element("progress", { max: 100, value: share, ariaLabel: label });
  const left =
    shown.seconds_left === null
      ? ""
      : fill(TEXTS.parts.left, { minutes: Math.ceil(shown.seconds_left / 60) });
  return element(
    "li",
    {},
    element(
      "div",
      { className: "way" },
      element("strong", {}, shown.endpoint),
      element("span", {}, [shown.stage, left].filter(Boolean).join(" · ")),
    ),
    bar,
    element(
      "div",
      { className: "way quiet" },
      element("span", { className: "mark" }, `${shown.old} ${100 - share} %`),
      element("span", { className: "mark new" }, `${shown.new} ${share} %`),
    ),
  );
}

// --- resources ---

function bill(charge) {
  const what = fill(TEXTS.billed[charge.text], charge.values);
  return element("div", {}, what, element("small", {}, TEXTS.per[charge.per]));
}

function resource(shown, ownAccount) {
  const account = shown.account === ownAccount ? "" : shown.account;
  const detail = TEXTS.details[shown.type] ? fill(TEXTS.details[shown.type], shown.detail) : "";
  const small = [shown.region, account, detail].filter(Boolean).join(" · ");
  const bills = shown.billed.map(bill);
  return row(
    cell("kind", TEXTS.types[shown.type]),
    cell("name", ...breakable(shown.name), element("small", {}, small)),
    cell(`state ${stateClass(shown.status)}`, ...breakable(shown.status)),
    bills.length ? cell("bill", ...bills) : cell("bill none", TEXTS.parts.free),
  );
}

function service(name, resources, ownAccount) {
  const heading = element("th", { role: "rowheader", scope: "rowgroup", colSpan: 4 }, name);
  const rows = resources.map((each) => resource(each, ownAccount));
  return element("tbody", { role: "rowgroup" }, row(heading), ...rows);
}

function showResources(shown) {
  const services = new Map();
  for (const each of shown.resources) {
    services.set(each.service_name, [...(services.get(each.service_name) ?? []), each]);
  }
  for (const body of [...at("resources").tBodies]) body.remove();
  at("resources").append(
    ...[...services].map(([name, all]) => service(name, all, shown.account)),
  );
  at("resources").hidden = shown.resources.length === 0;
  at("no-resources").hidden = shown.resources.length > 0;
  at("figures").textContent = fill(TEXTS.parts.figures, {
    resources: shown.resources.length,
    billed: shown.billed_now.length,
    programs: shown.programs.length,
  });
}

// --- calls ---

function call(shown) {
  const status = [shown.status, shown.error].filter(Boolean).join(" ");
  return row(
    cell("at", hour.format(new Date(shown.at))),
    cell("operation", ...breakable(shown.operation), element("small", {}, shown.service)),
    cell(shown.status < 400 ? "result" : "result bad", ...breakable(status)),
    cell("number", String(Math.round(shown.milliseconds))),
  );
}

function showCalls(calls) {
  at("calls").hidden = calls.length === 0;
  at("no-calls").hidden = calls.length > 0;
  at("calls").tBodies[0].replaceChildren(...calls.map(call));
}

// --- all of it, again and again ---

function show(shown) {
  at("moto").textContent = `moto ${shown.moto}`;
  showClock(shown.clock);
  showTime();
  at("deployments").hidden = shown.deployments.length === 0;
  at("deployment-list").replaceChildren(...shown.deployments.map(deployment));
  showResources(shown);
  showCalls(shown.calls);
}

// Those who listen hear how many things there are, when that changes, and not too often.
function tell(news) {
  if (news === said || Date.now() - saidAt < QUIET) return;
  if (said) at("news").textContent = news;
  said = news;
  saidAt = Date.now();
}

async function look() {
  try {
    const answer = await fetch("state", { headers: etag ? { "If-None-Match": etag } : {} });
    if (answer.status === 200) {
      etag = answer.headers.get("ETag") ?? "";
      show(await answer.json());
    }
    tell(at("figures").textContent); // also without a change: the news may have had to wait
    at("lost").hidden = answer.ok || answer.status === 304;
  } catch {
    at("lost").hidden = false;
  }
}

async function watch() {
  if (!document.hidden) await look();
  setTimeout(watch, EVERY);
}

for (const button of at("steps").children) button.addEventListener("click", advance);
setInterval(showTime, EVERY);
watch();
