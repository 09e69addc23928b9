// Mirrors optimizer/review/workbook/outcomes.py and optimizer/review/memo/what_if.py, function by
// function and under the same names; tests/review/memo hold both together on a grid of positions.
"use strict";
(() => {
const model = JSON.parse(document.getElementById("model").textContent);
const DAYS_IN_YEAR = 365, MONTHS_IN_YEAR = 12, HOURS_IN_DAY = 24;
const DAYS_IN_MONTH = DAYS_IN_YEAR / MONTHS_IN_YEAR;
const sum = (values) => values.reduce((all, value) => all + value, 0);

// -- what_if.py ------------------------------------------------------------------------------

function residualShare(curve, age) {
  if (!curve.length) return 0;
  let before = 0, high = 1;
  for (const [after, low] of curve) {
    if (age <= after) return high + (low - high) * (age - before) / (after - before);
    [before, high] = [after, low];
  }
  return high;
}

function moved(question, at) {
  const days = at.days ?? question.days;
  return {
    ...question, days, tariff: at.tariff ?? question.tariff, rate: at.rate ?? question.rate,
    lots: question.lots.map((lot) => {
      const sold = lot.sold >= question.days ? days : Math.min(lot.sold, days);
      const share = sold === lot.sold
        ? lot.residual : residualShare(lot.curve, (sold - lot.usable) / DAYS_IN_MONTH);
      return {
        ...lot, sold, rent: lot.rent * (at.rent ?? 1), use: lot.use * (at.use ?? 1),
        price: lot.price * (at.price ?? 1), residual: Math.min(1, share * (at.residual ?? 1)),
      };
    }),
  };
}

// -- outcomes.py -----------------------------------------------------------------------------

function months(question) {
  const found = [{ start: 0, end: 0, factor: 1 }];
  let start = 0;
  while (start < question.days) {
    const end = Math.min(question.days, found.length * DAYS_IN_YEAR / MONTHS_IN_YEAR);
    found.push({ start, end, factor: (1 + question.rate) ** (-end / DAYS_IN_YEAR) });
    start = end;
  }
  return found;
}

function ownedDays(question, month, lot) {
  const sold = Math.min(lot.sold, question.days);
  return Math.max(0, Math.min(month.end, sold) - Math.max(month.start, lot.usable));
}

function lotFlows(question, periods, lot) {
  const price = lot.nodes * lot.price, sold = Math.min(lot.sold, question.days);
  const power = question.pue * question.tariff * HOURS_IN_DAY * lot.nodes;
  return periods.map((month, number) => {
    const days = ownedDays(question, month, lot);
    const following = Math.min(question.days, (number + 1) * DAYS_IN_YEAR / MONTHS_IN_YEAR);
    const bought = month.start + month.end <= 2 * lot.paid && 2 * lot.paid < month.end + following;
    const sale = month.start < sold && sold <= month.end;
    const hours = lot.nodes * lot.gpus * HOURS_IN_DAY * days * lot.use;
    const worth = hours * (1 + question.rent_change) ** (month.start / DAYS_IN_YEAR);
    const maintenance = price * lot.maintenance * days / DAYS_IN_YEAR;
    return {
      purchase: bought ? price : 0,
      resale: sale ? -price * lot.residual * (1 - question.resale_cost) : 0,
      maintenance, hours, worth, rent: worth * lot.rent,
      other: lot.nodes * lot.hosting * days / DAYS_IN_MONTH + power * days * lot.idle_kw,
      busy: power * days * lot.use * (lot.busy_kw - lot.idle_kw),
      owned: lot.nodes * lot.gpus * HOURS_IN_DAY * days,
    };
  });
}

function allFlows(question, periods) {
  const lots = question.lots.map((lot) => lotFlows(question, periods, lot));
  return periods.map((month, number) => {
    const all = {};
    for (const name of Object.keys(lots[0][number])) all[name] = sum(lots.map((l) => l[number][name]));
    all.buying = all.purchase + all.maintenance + all.other + all.busy + all.resale;
    return all;
  });
}

function payback(flows, periods) {
  let reached = 0, spent = false;
  for (let number = 0; number < flows.length; number++) {
    const before = reached;
    reached += flows[number];
    if (spent && reached >= 0) {
      const whole = number - 1, part = -before / flows[number];
      const month = periods[Math.min(whole + 1, periods.length - 1)];
      return (month.start + part * (month.end - month.start)) / DAYS_IN_MONTH;
    }
    if (reached < 0) spent = true;
  }
  return spent ? "never" : "nothing_invested";
}

function answer(at, asked = model.question) {
  const question = moved(asked, at), periods = months(question);
  const flows = allFlows(question, periods);
  const worth = (name) => sum(flows.map((flow, number) => flow[name] * periods[number].factor));
  const buy = worth("buying"), rent = worth("rent"), busy = worth("busy");
  const hours = worth("hours"), level = worth("worth"), use = hours / worth("owned");
  const net = flows.map((flow) => flow.rent - flow.buying);
  let so_far = 0, least = 0;
  for (const flow of net) { so_far += flow; least = Math.min(least, so_far); }
  const even = evenUse({ buy, busy, rent, use });
  const priced = worth("purchase") + worth("maintenance") + worth("resale");
  return {
    question, periods, flows, buy, rent, busy, use,
    mean_rent: level ? rent / level : sum(question.lots.map((l) => l.rent)) / question.lots.length,
    residual: at.residual ?? 1,
    outcomes: {
      npv: rent - buy,
      break_even_use: !use ? "never_used" : even === null || even > 1 ? "never" : even,
      break_even_rent: hours ? buy / level : "never_used",
      break_even_price: priced <= 0 ? "always" : (rent - worth("other") - busy) / priced,
      payback: payback(net, periods),
      cash_at_risk: -least,
    },
  };
}

// -- what the charts show --------------------------------------------------------------------

function evenUse({ buy, busy, rent, use }, factor = 1) {
  const each = factor * rent - busy;
  return each > 0 && use ? (buy - busy) / each * use : null;
}

function evenFactors(found) {
  const { points, widest } = model.frame;
  if (!found.rent || !found.use) return [];
  const first = Math.max(0, ((found.buy - found.busy) * found.use + found.busy) / found.rent);
  if (first >= widest) return [];
  return Array.from({ length: points + 1 }, (_, n) => first + (widest - first) * n / points);
}

function crossover(found) {
  const { question, periods, flows } = found;
  const stock = periods.map(() => 0);
  for (const lot of question.lots) {
    const paid = lotFlows(question, periods, lot);
    const bought = paid.findIndex((flow) => flow.purchase);
    periods.forEach((month, number) => {
      if (bought >= 0 && number >= bought && month.end < Math.min(lot.sold, question.days)) {
        const age = Math.max(0, month.end - lot.usable) / DAYS_IN_MONTH;
        const share = Math.min(1, residualShare(lot.curve, age) * found.residual);
        stock[number] += lot.nodes * lot.price * share * (1 - question.resale_cost);
      }
    });
  }
  let rent = 0, buy = 0;
  return periods.map((month, number) => {
    rent += flows[number].rent;
    buy += flows[number].buying;
    return { days: month.end, rent, buy, sold: buy - stock[number] };
  });
}

// -- writing ---------------------------------------------------------------------------------

const words = model.words;

function number(value, places) {
  const text = Math.abs(value).toFixed(places);
  const [whole, part] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
  return value < 0 && Number(text) !== 0 ? words.minus + grouped : grouped;
}

function price(value) {
  const size = Math.abs(value);
  if (!size || size >= 10) return number(value, 2);
  return number(value, Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(size)))));
}

function written(form, value, sign = false) {
  if (typeof value === "string") return words.codes[value];
  if (value === null) return "–";
  const plus = sign && value > 0 ? "+" : "";
  switch (form) {
    case "amount": return `${plus}${number(value, 0)} ${words.unit}`;
    case "rent": return `${price(value)} ${words.unit}/${words.gpu_hour}`;
    case "price": return `${price(value)} ${words.unit}/kWh`;
    case "share": return number(value * 100, 1) + words.percent;
    case "days": return `${number(value, 0)} ${words.days}`;
    case "months": return `${number(value, 1)} ${words.months}`;
  }
  return String(value);
}

// -- drawing ---------------------------------------------------------------------------------

const frame = model.frame;
const x = (share) => frame.left + share * (frame.width - frame.left - frame.right);
const y = (share) => frame.height - frame.bottom - share * (frame.height - frame.top - frame.bottom);
const path = (points) =>
  points.map(([a, b], n) => `${n ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");

function axis(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const spread = Math.max(high - low, Math.abs(high) / 1000, 1e-9);
  for (let power = 10 ** Math.floor(Math.log10(spread / frame.steps)); ; power *= 10) {
    for (const nice of [1, 2, 2.5, 3, 4, 5, 6, 8, 10]) {
      const step = nice * power, start = Math.floor(low / step) * step;
      if (start + frame.steps * step >= high) return { low: start, step, span: frame.steps * step };
    }
  }
}

function drawCrossover(reached, days) {
  const chart = document.getElementById("crossover-chart");
  const scale = axis([0, ...reached.flatMap((at) => [at.rent, at.buy, at.sold])]);
  for (const name of ["rent", "buy", "sold"]) {
    chart.querySelector(`[data-line=${name}]`).setAttribute("d", path(
      reached.map((at) => [x(at.days / days), y((at[name] - scale.low) / scale.span)])));
  }
  chart.querySelectorAll(".tick.y").forEach((tick, n) => {
    tick.textContent = number(scale.low + n * scale.step, 0);
  });
  drawMonths(chart, days);
}

function drawMonths(chart, days) {
  // The ticks drawn at first are moved to their day, and those past the horizon hidden.
  const first = model.question.days;
  chart.querySelectorAll(".tick.x[data-share]").forEach((tick) => {
    const share = Number(tick.dataset.share) * first / days;
    tick.setAttribute("x", x(share).toFixed(1));
    tick.setAttribute("visibility", share > 1.001 ? "hidden" : "visible");
  });
}

function drawEven(found) {
  const chart = document.getElementById("even-chart"), widest = frame.rent * frame.widest;
  const base = found.mean_rent;
  const points = evenFactors(found).map((factor) => {
    const use = evenUse(found, factor);
    return [x(Math.min(1, factor * base / widest)), y(Math.min(1, Math.max(0, use)))];
  });
  const edge = points.length ? [[points.at(-1)[0], y(1)], [points[0][0], y(1)]] : [];
  chart.querySelector("[data-line=even]").setAttribute("d", path(points));
  chart.querySelector(".area").setAttribute("d", path([...points, ...edge]));
  const plan = chart.querySelector(".plan");
  plan.setAttribute("cx", x(Math.min(1, base / widest)).toFixed(1));
  plan.setAttribute("cy", y(Math.min(1, found.use)).toFixed(1));
}

// -- the page --------------------------------------------------------------------------------

const form = document.getElementById("levers");
let shown = null;

function position() {
  const at = {};
  for (const lever of model.levers) {
    const k = Number(form.elements[lever.name].value);
    if (!k) continue;
    const value = lever.now + k * lever.step;
    if (lever.name === "tariff" || lever.name === "rate") at[lever.name] = value;
    else if (lever.name === "days") at.days = Math.trunc(value);
    else at[lever.name] = value / lever.now;
  }
  return at;
}

function refresh() {
  shown = answer(position());
  for (const lever of model.levers) {
    const input = form.elements[lever.name];
    const text = written(lever.form, lever.now + Number(input.value) * lever.step);
    input.setAttribute("aria-valuetext", text);
    form.querySelector(`output[for=lever-${lever.name}]`).textContent = text;
  }
  for (const [name, kind] of model.live) {
    const place = document.getElementById(`live-${name}`), value = shown.outcomes[name];
    place.textContent = written(kind, value, name === "npv");
    place.className = name === "npv" ? (value > 0 ? "good" : "bad") : "";
  }
  shown.crossover = crossover(shown);
  drawCrossover(shown.crossover, shown.question.days);
  drawEven(shown);
}

function readCrossover(share) {
  const reached = shown.crossover, days = shown.question.days;
  const at = reached.reduce((best, one) =>
    Math.abs(one.days - share * days) < Math.abs(best.days - share * days) ? one : best);
  const text = words.read_crossover
    .replace("{day}", number(at.days, 0)).replace("{rent}", written("amount", at.rent))
    .replace("{buy}", written("amount", at.buy)).replace("{sold}", written("amount", at.sold));
  return [at.days / days, text];
}

function readEven(share) {
  const rent = share * frame.rent * frame.widest, use = evenUse(shown, rent / shown.mean_rent);
  const said = use === null || use > 1 ? words.codes.never : written("share", use);
  return [share, words.read_even.replace("{rent}", written("rent", rent)).replace("{use}", said)];
}

function hover(name, read) {
  const chart = document.getElementById(`${name}-chart`);
  const cursor = chart.querySelector(".cursor");
  const place = document.getElementById(`${name}-read`), box = chart.parentElement;
  let share = 0.5;
  const show = () => {
    const [at, text] = read(share);
    cursor.setAttribute("x1", x(at)); cursor.setAttribute("x2", x(at));
    cursor.classList.add("on");
    place.textContent = text;
  };
  chart.addEventListener("pointermove", (event) => {
    const bounds = chart.getBoundingClientRect();
    const across = (event.clientX - bounds.left) / bounds.width * frame.width;
    share = Math.min(1, Math.max(0, (across - x(0)) / (x(1) - x(0))));
    show();
  });
  chart.addEventListener("pointerleave", () => cursor.classList.remove("on"));
  box.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (!by) return;
    event.preventDefault();
    share = Math.min(1, Math.max(0, share + by));
    show();
  });
}

form.addEventListener("input", refresh);
form.addEventListener("reset", () => setTimeout(refresh, 0));
form.addEventListener("submit", (event) => event.preventDefault());
refresh();
hover("crossover", readCrossover);
hover("even", readEven);

// What this script finds for the plan must be what rentopt found.
const same = model.live.every(([name]) => {
  const expected = model.expected[name], found = answer({}).outcomes[name];
  if (expected === null) return typeof found === "string";
  return Math.abs(found - expected) <= 1e-6 * Math.max(1, Math.abs(expected));
});
const told = document.getElementById("live-check");
told.textContent = same ? words.same : words.differs;
told.classList.add(same ? "good" : "bad");
told.hidden = false;

// For tests: the same functions the page uses.
window.rentoptMemo = { answer, crossover, evenFactors, evenUse, position };
})();
