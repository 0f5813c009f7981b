// An explorer on a page: sliders, a figure with things to drag, a sentence, and a state that an
// address can hold. What it computes and draws is a model's: see `start`.
import { select } from "./vendor/d3.js";
import { make } from "./dom.js";
import { clamp, nearest } from "./numbers.js";
import { Plot } from "./plot.js";

const SPOKEN = 700; // ms of rest before a screen reader is told the sentence
const WRITTEN = 300; // ms of rest before the address is written
const LONGEST = 2000; // characters of an address that are looked at

// Words in which no line ends within "Q = 26" or "6.39 €".
const unbroken = (words) =>
  words.replace(/ ([=<>≤≥±×]) /g, "\u00a0$1\u00a0").replace(/(\d) (€|%)/g, "$1\u00a0$2");

// Start the explorer in `root`, which holds its data as JSON: the parameters, each with name,
// label, values, their texts and the place of its start; `play`, the parameter that a button moves,
// and how fast; and `given`, what the page was built with.
//
// A model is an object with
//   draw(plot, p, given, seed) -> sentence: draws for parameters p = {name: value};
//   customers: true where a button draws others at random (optional);
//   extra(given) -> parameters that only handles move, as the data has them (optional);
//   handled: names of the data's parameters that have handles and need no slider (optional);
//   mend(p, moved, given) -> the nearest parameters that make sense, after `moved` names
//     (optional).
export function start(root, model, isFirst) {
  const data = JSON.parse(root.querySelector(".explorer-data").textContent);
  const parameters = [...data.parameters, ...(model.extra?.(data.given) ?? [])];
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const first = () => ({
    places: new Map(parameters.map((parameter) => [parameter.name, parameter.start])),
    seed: 0,
  });
  let state = first();

  const svg = make("div", { class: "explorer-figure" });
  const plot = new Plot(select(svg).append("svg")
    .attr("role", "group").attr("aria-label", data.alt));
  const sentence = make("p", { class: "explorer-sentence" });
  const spoken = make("p", { class: "explorer-spoken", "aria-live": "polite" });
  const controls = make("div", { class: "explorer-controls" });
  const buttons = make("div", { class: "explorer-buttons" });
  const slid = data.parameters.filter(({ name }) => !model.handled?.includes(name));
  const shown = new Map(slid.map((parameter) => [parameter.name, control(parameter)]));
  for (const { row } of shown.values()) controls.append(row);
  if (model.customers) button("New customers", () => change(() => (state.seed = (state.seed + 1) % 1e6)));
  if (data.play) player(data.play);
  button("Reset", () => change(() => (state = first())));
  // The sentence comes last: whatever its length, nothing moves under the finger on a slider.
  const live = make("div", { class: "explorer-live" }, svg, controls, buttons, sentence, spoken);
  root.append(live);
  root.classList.add("moves");

  const value = (name) => byName.get(name).values[state.places.get(name)];
  const values = () => Object.fromEntries(parameters.map(({ name }) => [name, value(name)]));

  function control({ name, label, texts }) {
    const words = make("span", {}, label);
    const output = make("output");
    if (typeof byName.get(name).values[0] === "string") {
      const choice = make("select", { "aria-label": label });
      texts.forEach((text, i) => choice.append(make("option", { value: i }, text)));
      choice.addEventListener("change", () => move({ [name]: choice.selectedIndex }));
      return { row: make("label", {}, words, choice), show: (i) => (choice.selectedIndex = i) };
    }
    const slider = make("input", {
      type: "range", min: 0, max: texts.length - 1, step: 1, "aria-label": label, autocomplete: "off",
    });
    slider.addEventListener("input", () => move({ [name]: slider.valueAsNumber }));
    return {
      row: make("label", {}, make("span", {}, words, ": ", output), slider),
      show(i) {
        slider.value = i;
        output.value = texts[i].replace(/^-/, "−");
        slider.setAttribute("aria-valuetext", output.value);
      },
    };
  }

  function button(words, press) {
    const node = make("button", { type: "button" }, words);
    node.addEventListener("click", press);
    buttons.append(node);
    return node;
  }

  // A button that moves a parameter through its values, once; not for who asks for less motion.
  function player({ name, ms }) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const last = byName.get(name).values.length - 1;
    let timer = null;
    const pause = () => {
      clearInterval(timer);
      timer = null;
      node.textContent = "Play";
    };
    const node = button("Play", () => {
      if (timer !== null) return pause();
      if (state.places.get(name) === last) move({ [name]: 0 });
      timer = setInterval(() => {
        move({ [name]: state.places.get(name) + 1 });
        if (state.places.get(name) === last) pause();
      }, ms);
      node.textContent = "Pause";
    });
    root.addEventListener("input", pause);
    root.addEventListener("pointerdown", (event) => event.target !== node && timer !== null && pause());
  }

  // Move parameters to places among their values, and what does not fit them along.
  function move(places) {
    change(() => {
      for (const [name, i] of Object.entries(places))
        state.places.set(name, clamp(Math.round(i), 0, byName.get(name).values.length - 1));
      mend(Object.keys(places));
    });
  }

  function mend(moved) {
    if (!model.mend) return;
    for (const [name, x] of Object.entries(model.mend(values(), moved, data.given)))
      if (x !== value(name)) state.places.set(name, nearest(byName.get(name).values, x));
  }

  let waiting = null;
  function change(how) {
    how();
    waiting ??= requestAnimationFrame(() => {
      waiting = null;
      draw();
    });
    later("address", WRITTEN, writeAddress);
  }

  const timers = {};
  function later(what, ms, run) {
    clearTimeout(timers[what]);
    timers[what] = setTimeout(run, ms);
  }

  function draw() {
    const width = Math.max(280, Math.round(svg.clientWidth));
    for (const [name, { show }] of shown) show(state.places.get(name));
    plot.width = width;
    sentence.textContent = unbroken(model.draw(plot, values(), data.given, state.seed));
    plot.end({
      onMove: (to) => move(Object.fromEntries(
        Object.entries(to).map(([name, x]) => [name, nearest(byName.get(name).values, x)]))),
      onKey: key,
      valueOf: (name) => {
        const all = byName.get(name).values;
        return [all[0], all[all.length - 1], value(name)];
      },
      textOf: (name) => `${name} = ${byName.get(name).texts[state.places.get(name)]}`,
    });
    later("spoken", SPOKEN, () => (spoken.textContent = sentence.textContent));
  }

  // Handles follow the arrow keys; Page Up and Page Down go ten steps, Home and End to the ends.
  function key(event, { moves }) {
    const { x, y } = moves;
    const steps = {
      ArrowRight: [x ?? y, 1], ArrowLeft: [x ?? y, -1], ArrowUp: [y ?? x, 1], ArrowDown: [y ?? x, -1],
      PageUp: [y ?? x, 10], PageDown: [y ?? x, -10], End: [x ?? y, Infinity], Home: [x ?? y, -Infinity],
    };
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [name, step] = steps[event.key];
    const last = byName.get(name).values.length - 1;
    move({ [name]: clamp(state.places.get(name) + step, 0, last) });
  }

  // The address: #explorer=sawtooth&s=20&S=90. What is not a value of a parameter is left alone.
  function writeAddress() {
    const told = new URLSearchParams({ explorer: root.dataset.model });
    for (const { name, texts, start } of parameters)
      if (state.places.get(name) !== start) told.set(name, texts[state.places.get(name)].replaceAll(",", ""));
    if (state.seed) told.set("seed", state.seed);
    const asked = read();
    if (!asked && [...told].length === 1 && !location.hash) return;
    history.replaceState(null, "", `#${told}`);
  }

  // What the address asks of this explorer, or null.
  function read() {
    const hash = location.hash.slice(1);
    if (!hash.includes("=") || hash.length > LONGEST) return null;
    const told = new URLSearchParams(hash);
    const name = told.get("explorer");
    return (name === null ? isFirst : name === root.dataset.model) ? told : null;
  }

  function fromAddress() {
    const told = read();
    if (!told) return false;
    state = first();
    for (const { name, texts } of parameters) {
      const i = texts.findIndex((text) => text.replaceAll(",", "") === told.get(name));
      if (i >= 0) state.places.set(name, i);
    }
    if (model.customers && /^\d{1,6}$/.test(told.get("seed") ?? "")) state.seed = Number(told.get("seed"));
    mend(parameters.map(({ name }) => name).filter((name) => told.has(name)));
    return true;
  }

  const asked = fromAddress();
  draw();
  if (asked && new URLSearchParams(location.hash.slice(1)).has("explorer")) root.scrollIntoView();
  addEventListener("hashchange", () => fromAddress() && draw());
  new ResizeObserver(() => Math.round(svg.clientWidth) !== plot.width && svg.clientWidth && draw()).observe(svg);
}
