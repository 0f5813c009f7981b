// Run the shop: sixty days, one order a day at most, on the landing page.
import { select } from "./vendor/d3.js";
import { make } from "./dom.js";
import { count, fixed, percent, sum } from "./numbers.js";
import { Plot } from "./plot.js";
import {
  DAYS, LEVELS, MOST, PRICES, arrivals, asText, customers, fromText, hindsight, oneDay, onShelf,
  opening, play, ruleOrders,
} from "./shop.js";

const HIGHEST = 70; // units that the figure shows; more if there are more
const RULES = [
  "Run the shop for sixty days. A sale earns 5 €, a delivery costs 20 €, a unit left over costs 0.25 € a night; who finds nothing goes away.",
  "A sale earns 5 €, a delivery costs 20 €, a unit left over 0.25 € a night, as in the first shop; but what is not sold on its third day is thrown away, at a loss of 3 € a unit.",
  "A sale earns 5 €, a delivery costs 20 €, a unit left over 0.25 € a night, as in the first shop; but what you order comes after two days. (The opening delivery comes at once.)",
];
const money = (euros) => `${fixed(euros)}\u00a0€`.replace("-", "−");
const exactly = (euros) => `${euros}\u00a0€`; // quarters, as they are

export function startGame(root) {
  let game = fresh(0);

  const levels = LEVELS.map(({ name }, i) => button(name, () => begin(i)));
  const facts = ["Day", "On the shelf", "Earned"].map((name) => {
    const value = make("strong");
    return { value, node: make("span", {}, `${name} `, value) };
  });
  const figure = make("div", { class: "explorer-figure" });
  const plot = new Plot(select(figure).append("svg").attr("role", "img"));
  const words = make("p", { class: "explorer-sentence", "aria-live": "polite" });
  const amount = make("input", {
    type: "range", min: 1, max: MOST, step: 1, value: 30, autocomplete: "off",
    "aria-label": "Units to order",
  });
  const wait = button("No order", () => move(0));
  const order = button("", () => move(amount.valueAsNumber));
  order.className = "first";
  const again = button("Play the same customers", () => begin(game.level, game.seed));
  const others = button("New customers", () => begin(game.level));
  const copy = button("Copy a link to this game", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      copy.textContent = "Copied";
    } catch { // not allowed: the address is the link
      copy.textContent = "The link is in the address bar";
    }
  });
  amount.addEventListener("input", () => show());
  const playing = [make("div", { class: "explorer-buttons shop-moves" }, wait, order), make("label", {}, amount)];
  const over = [make("div", { class: "explorer-buttons" }, again, others, copy)];
  root.append(make("div", { class: "shop-game" },
    make("div", { class: "explorer-buttons", role: "group", "aria-label": "Which shop" }, ...levels),
    make("p", { class: "shop-facts" }, ...facts.map(({ node }) => node)),
    figure, ...playing, words, ...over));
  root.classList.add("moves");

  function button(text, press) {
    const node = make("button", { type: "button" }, text);
    node.addEventListener("click", press);
    return node;
  }

  function fresh(level, seed = crypto.getRandomValues(new Uint32Array(1))[0] % 1e6) {
    return {
      level, seed, orders: [], states: [opening(LEVELS[level])], demands: customers(seed), who: "You",
    };
  }

  function begin(level, seed) {
    game = fresh(level, seed);
    remember();
    show();
  }

  function move(units) {
    if (game.orders.length === DAYS) return;
    const now = game.states[game.orders.length];
    game.states.push(oneDay(LEVELS[game.level], now, units, game.demands[now.day]));
    game.orders.push(units);
    remember();
    show();
    if (game.orders.length === DAYS) others.focus({ preventScroll: true });
  }

  function remember() {
    const { level, seed, orders } = game;
    history.replaceState(null, "", orders.length ? `#game=${asText(level, seed, orders)}` : location.pathname);
  }

  function fromAddress() {
    const found = fromText(location.hash.startsWith("#game=") ? location.hash.slice(6, 100) : "");
    if (!found) return false;
    const { level, seed, orders } = found;
    const demands = customers(seed);
    const who = orders.length === DAYS ? "This game" : "You"; // somebody's link, or a page loaded again
    game = { level, seed, orders, demands, states: play(LEVELS[level], demands, orders), who };
    return true;
  }

  function show() {
    const { level, orders, states } = game;
    const now = states[orders.length];
    const ended = orders.length === DAYS;
    levels.forEach((node, i) => node.setAttribute("aria-pressed", i === level));
    const told = [`${Math.min(now.day + 1, DAYS)} of ${DAYS}`, fixed(onShelf(now)), money(now.earned)];
    facts.forEach(({ value }, i) => (value.textContent = told[i]));
    order.textContent = `Order ${amount.value}`;
    amount.setAttribute("aria-valuetext", count(amount.valueAsNumber, "unit"));
    playing.forEach((node) => (node.hidden = ended));
    over.forEach((node) => (node.hidden = !ended));
    copy.textContent = "Copy a link to this game";
    words.textContent = ended ? result() : orders.length ? yesterday(now) : RULES[level];
    draw(ended);
  }

  // The day before, in customers and in money, and what today brings.
  function yesterday(state) {
    const { day, told, shelf } = state;
    const { order, demand, sold, lost, expired } = told;
    const served = lost === 0 ? "all served" : lost === demand ? "none served" : `${lost} sent away`;
    const thrown = expired ? `, ${count(expired, "unit")} thrown away` : "";
    const paid = [
      [PRICES.delivery * (order > 0), "the delivery"], [PRICES.night * sum(shelf), "the night"],
      [PRICES.expired * expired, "the waste"],
    ].flatMap(([euros, what]) => (euros ? `${what} −${exactly(euros)}` : []));
    const cash = [`sales +${exactly(PRICES.sale * sold)}`, ...paid].join(", ");
    const last = shelf.length > 1 && shelf[0] ? ` Last day for ${count(shelf[0], "unit")}.` : "";
    const due = arrivals(state).map(([at, units]) =>
      `${units} ${at === day ? "today" : `on day ${at + 1}`}`);
    const next = due.length ? ` To come: ${due.join(", ")}.` : "";
    return `Day ${day}: ${count(demand, "customer")}, ${served}${thrown}: ${cash}.${last}${next}`;
  }

  function result() {
    const { level, demands, states, who } = game;
    const { s, S } = LEVELS[level];
    const yours = states[DAYS].earned;
    const other = ruleOrders(LEVELS[level], demands);
    const rule = play(LEVELS[level], demands, other)[DAYS].earned;
    const most = hindsight(LEVELS[level], demands);
    const compared = yours > rule ? `, and ${who.toLowerCase()} beat it`
      : yours === rule ? ", just as much" : `; ${who.toLowerCase()} got ${percent(Math.min(Math.max(0, yours / rule), 0.99), 0)} of that`;
    const days = states.slice(1);
    const total = (one) => sum(days.map(one));
    const expired = total(({ told }) => told.expired);
    const deliveries = (orders) => count(orders.filter(Boolean).length, "delivery", "deliveries");
    const paid = [
      `${deliveries(game.orders)} −${money(PRICES.delivery * game.orders.filter(Boolean).length)}`,
      `nights on the shelf −${money(PRICES.night * total(onShelf))}`,
      ...(expired ? [`${count(expired, "unit")} thrown away −${money(PRICES.expired * expired)}`] : []),
    ];
    return `${who} earned ${money(yours)}. The rule “at ${s} or fewer, fill up to ${S}” (dashed) earns ` +
      `${money(rule)} from the same customers with ${deliveries(other)}${compared}. ` +
      `Knowing every customer beforehand, one could earn ${money(most)}. ` +
      `${who === "You" ? "Yours" : who}: sales ${money(PRICES.sale * total(({ told }) => told.sold))}, ` +
      `${paid.join(", ")}.`;
  }

  function draw(ended) {
    const { level, demands, states } = game;
    plot.width = Math.max(280, Math.round(figure.clientWidth));
    const [panel] = plot.begin({ ratio: 0.45 });
    const now = states[states.length - 1];
    const most = Math.max(HIGHEST, ...states.map(({ told }) => told?.morning ?? 0), ...now.coming);
    panel.axes({
      x: { domain: [0, DAYS], label: "Day" },
      y: { domain: [-18, most], label: "Units on the shelf" },
    });
    panel.rule({ y: 0 }, "neutral", { dash: null, width: 1 });
    if (ended) panel.line(steps(play(LEVELS[level], demands, ruleOrders(LEVELS[level], demands))),
      "neutral", { width: 1.2, dash: "4 3" });
    panel.line(steps(states), "inventory");
    if (now.day === 0)
      panel.text(DAYS / 2, 32, "Your shelf is empty. Order!", "total", { anchor: "middle", dx: 0 });
    for (const { day, told } of states.slice(1)) {
      if (told.lost) panel.bars([[day - 0.9, day - 0.1, -told.lost]], "backorder");
      if (told.expired) panel.dots([[day, onShelf(states[day]) + told.expired]], "production", { radius: 3 });
    }
    const away = states.reduce((total, { told }) => total + (told?.lost ?? 0), 0);
    if (away) panel.text(0, -16.5, `${count(away, "customer")} sent away`, "backorder", { dx: 8, dy: 0 });
    for (const [at, units] of arrivals(now)) {
      if (at < DAYS)
        panel.dots([[at, units]], "setup", { hollow: true }).text(at, units, `+${units}`, "setup");
    }
    plot.svg.attr("aria-label",
      `Your stock over ${states.length - 1} of ${DAYS} days; ${count(away, "customer")} sent away.`);
    plot.end({});
  }

  // Stock over a day: delivered in the morning, sold evenly until the evening.
  function steps(states) {
    return states.flatMap(({ told }, day) => !told ? []
      : [[day - 1, told.morning], [day, told.morning - told.sold], [day, onShelf(states[day])]]);
  }

  fromAddress();
  show();
  addEventListener("hashchange", () => fromAddress() && show());
  new ResizeObserver(() => Math.round(figure.clientWidth) !== plot.width && figure.clientWidth && show()).observe(figure);
}
