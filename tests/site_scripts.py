"""What the tests run within a page: JavaScript functions that return lists of faults."""

FAULTS = r"""
(() => {
  const article = () =>  // the search page has none, but a <main>
    ["article", "main", "body"].map((tag) => document.querySelector(tag)).find(Boolean);
  const shorten = (text) => {
    const line = (text ?? "").trim().replace(/\s+/g, " ");
    return line.length > 70 ? line.slice(0, 69) + "…" : line;
  };
  const name = (e) => {
    const id = e.closest("[id]")?.id;
    const text = shorten(e.innerText || e.alt || e.textContent);
    return `<${e.tagName.toLowerCase()}> "${text}"` + (id ? ` near #${id}` : "");
  };
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });

  // Text nodes that a reader is to read as they stand: neither code nor formulas.
  const texts = function* (root) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const not = "pre, code, script, style, noscript, mjx-container, textarea, .math";
    for (let node = walk.nextNode(); node; node = walk.nextNode())
      if (node.data.trim() && !node.parentElement.closest(not)) yield node;
  };

  const mathematics = () => {
    const faults = [];
    for (const e of document.querySelectorAll(".math"))
      if (!e.querySelector("mjx-container")) faults.push(`is not typeset: ${name(e)}`);
    for (const e of document.querySelectorAll("mjx-merror, [data-mjx-error]"))
      faults.push(`MathJax does not understand ${name(e)}`);
    const raw = /\\[([]|\$\$|\\begin\{|\\(?:frac|mathbb|sum|le|ge)\b/;
    for (const node of texts(document.body))
      if (raw.test(node.data)) faults.push(`shows raw TeX: "${shorten(node.data)}"`);
    if (raw.test(document.title)) faults.push(`has TeX in its title: ${document.title}`);
    return faults;
  };

  // Open what a click opens, so that what it hides is looked at too.
  const openAll = () => {
    for (const e of document.querySelectorAll("details")) e.open = true;
    for (const e of document.querySelectorAll(".toggle-hidden"))
      e.classList.remove("toggle-hidden");
  };

  const emptyFormulasAndCode = () => {
    for (const e of document.querySelectorAll("pre")) e.textContent = e.textContent;
    for (const e of document.querySelectorAll("mjx-container")) e.replaceChildren("x");
  };

  const overflow = () => {
    openAll();
    const width = document.documentElement.clientWidth;
    const faults = [];
    const out = (box) => box.width && box.height && (box.right > width + 1 || box.left < -1);
    const look = (e) => {
      const style = getComputedStyle(e);
      if (style.display === "none" || style.visibility === "hidden") return;
      const box = e.getBoundingClientRect();
      if (out(box)) {
        const by = Math.round(Math.max(box.right - width, -box.left));
        return faults.push(`sticks out by ${by} px: ${name(e)}`);
      }
      if (["auto", "scroll"].includes(style.overflowX)) return;
      if (e.tagName === "MJX-CONTAINER" || e.tagName === "svg") return;
      for (const child of e.childNodes) {
        if (child.nodeType === Node.ELEMENT_NODE) look(child);
        if (child.nodeType !== Node.TEXT_NODE || !child.data.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(child);
        if ([...range.getClientRects()].some(out))
          faults.push(`text sticks out: "${shorten(child.data)}" in ${name(e)}`);
      }
    };
    look(article());
    if (width > screen.width) faults.unshift("has no <meta name=viewport> for phones");
    const wide = document.documentElement.scrollWidth;
    if (wide > width) faults.unshift(`is ${wide} px wide on a screen of ${width} px`);
    return faults;
  };

  const pictures = async () => {
    const faults = [];
    for (const e of article().querySelectorAll("img")) {
      e.loading = "eager";
      await e.decode().catch(() => null);
      if (!e.naturalWidth) faults.push(`a picture does not show: ${name(e)}`);
      // Figures of cells: at least 1.9 pixels for each of the page on a screen of twice as many.
      const width = e.getAttribute("width") ?? parseFloat(e.style.width);
      if (e.src.endsWith(".png") && !(e.naturalWidth >= 1.9 * width))
        faults.push(`a picture of ${e.naturalWidth} px is soft at ${width}: ${name(e)}`);
    }
    return faults;
  };

  // Lines break where a reader would break them, and nothing is cut off.
  const lineBreaks = () => {
    const faults = [];
    const place = (node, i) => {
      const range = document.createRange();
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      return [...range.getClientRects()].at(-1);
    };
    for (const e of article().querySelectorAll("span.math")) {
      const next = e.nextSibling;
      if (next?.nodeType !== Node.TEXT_NODE || !/^[,.;:!?)\]”’%]/.test(next.data)) continue;
      const [formula, mark] = [e.getBoundingClientRect(), place(next, 0)];
      if (mark && formula.width && mark.left < formula.right - 1)
        faults.push(`a line begins with "${next.data[0]}", after a formula: ${name(e.parentElement)}`);
    }
    const broken = (e, what, within) => {
      const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
      let [bottom, before] = [Infinity, ""];
      for (let node = walk.nextNode(); node; node = walk.nextNode())
        for (let i = 0; i < node.data.length; i++) {
          const box = place(node, i);
          if (/\s/.test(node.data[i])) before = "";  // between two words
          if (!box) continue;
          if (box.top >= bottom - 1 && within.test(before) && /\w/.test(node.data[i]))
            faults.push(`a ${what} breaks after "${before}": ${name(e)}`);
          [bottom, before] = [box.bottom, node.data[i]];
        }
    };
    for (const e of article().querySelectorAll("code:not(pre code)"))
      if (e.getClientRects().length > 1) broken(e, "name", /[A-Za-z0-9]/);
    for (const e of article().querySelectorAll(".cell_output :is(td, th)"))
      if (!e.querySelector("code, .math")) broken(e, "word in a table", /[A-Za-z0-9.,]/);
    for (const e of article().querySelectorAll(".cell_output .output pre"))
      if (e.scrollWidth > e.clientWidth + 1)
        faults.push(`what a cell prints is cut off: ${name(e)}`);
    return faults;
  };

  const outOfReach = () => {
    const wide = [...article().querySelectorAll(".pst-scrollable-table-container")]
      .filter((e) => seen(e) && e.scrollWidth > e.clientWidth);
    const unreached = wide
      .filter((e) => e.tabIndex < 0 || e.role !== "region" || !e.ariaLabel)
      .map((e) => `a table scrolls, and no keyboard reaches it: ${name(e)}`);
    const unseen = wide
      .filter((e) => e.scrollWidth - e.clientWidth - e.scrollLeft > 1)
      .filter((e) => getComputedStyle(e).maskImage === "none")
      .map((e) => `a table goes on, and nothing shows it: ${name(e)}`);
    return [...unreached, ...unseen];
  };

  // Colours as [red, green, blue, opacity], 0 to 1, whatever notation the style has.
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const pixel = () => [...context.getImageData(0, 0, 1, 1).data].map((c) => c / 255);
  const colour = (text) => {
    if (!known.has(text)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = text;
      context.fillRect(0, 0, 1, 1);
      known.set(text, pixel());
    }
    return known.get(text);
  };
  const luminance = (c) => {
    const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  };
  const whiteBoxes = () => {
    openAll();
    const faults = [];
    const looked = new Set([document.documentElement]);  // each box is told once
    for (const e of article().querySelectorAll("img, svg, .explorer, .cell_output *")) {
      if (!seen(e) || e.closest("button, input, mjx-container, .toggle-button")) continue;
      for (let at = e; at && !looked.has(at); at = at.parentElement) {
        looked.add(at);
        const paper = colour(getComputedStyle(at).backgroundColor);
        if (paper[3] > 0.05 && luminance(paper) > 0.2)
          faults.push(`a light box lies under ${name(e)}: the one of <${
            at.tagName.toLowerCase()} class="${at.className}">`);
      }
      if (e.tagName !== "IMG" || !e.naturalWidth) continue;
      context.clearRect(0, 0, 1, 1);
      context.drawImage(e, 0, 0, 1, 1, 0, 0, 1, 1);
      const corner = pixel();
      if (corner[3] > 0.5 && luminance(corner) > 0.6)
        faults.push(`a picture's own background is light, not transparent: ${name(e)}`);
    }
    return faults;
  };

  // What opens on a click; its button gets a number by which the tests find it.
  const openers = () => {
    const all = article().querySelectorAll(".solution, details, .admonition.dropdown");
    return [...all].map((e, i) => {
      const button = e.querySelector(  // its own: a solution may hold folded code
        ":scope > summary, :scope > button.toggle-button, :scope > * > button.toggle-button");
      button?.setAttribute("data-opener", i);
      e.setAttribute("data-opened", i);
      const kind = e.matches(".solution") ? "solution" : "other";
      return { name: name(button?.closest(".admonition-title") ?? e), kind, button: Boolean(button) };
    });
  };
  // Whether it shows anything but its heading.
  const isOpen = (i) => {
    const e = document.querySelector(`[data-opened="${i}"]`);
    const title = e.querySelector(":scope > summary, :scope > .admonition-title");
    const parts = [...e.childNodes].filter((part) => part !== title);
    return parts.some((part) => part.nodeType === Node.TEXT_NODE
      ? e.tagName !== "DETAILS" && seen(e) && part.data.trim() !== ""
      : seen(part) && part.innerText?.trim());
  };

  const showsFocus = () => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
  };

  // Whether something cuts off the ring around what has the focus.
  const ringIsCut = () => {
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
    const box = e.getBoundingClientRect();
    for (let at = e.parentElement; at !== document.body; at = at.parentElement) {
      if (getComputedStyle(at).overflowX === "visible") continue;
      const frame = at.getBoundingClientRect();
      if (box.left - ring < frame.left - 0.5 || box.right + ring > frame.right + 0.5 ||
          box.top - ring < frame.top - 0.5 || box.bottom + ring > frame.bottom + 0.5) return true;
    }
    return false;
  };

  // Entries of the contents that are marked, and the one whose section is a quarter down the screen.
  const contentsAt = async (share) => {
    const links = [...document.querySelectorAll("nav.page-toc a[href^='#']")];
    scrollTo({ top: share * (document.documentElement.scrollHeight - innerHeight), behavior: "instant" });
    await new Promise((done) => setTimeout(done, 100));
    const above = links.filter((a) =>
      document.getElementById(a.hash.slice(1)).getBoundingClientRect().top <= innerHeight / 4);
    const text = (list) => list.map((a) => a.innerText.trim());
    return { marked: text(links.filter((a) => a.matches(".active"))), here: text(above.slice(-1)) };
  };

  const shownFrames = (explorer) =>
    [...explorer.querySelectorAll(".explorer-frame")].filter(
      (e) => e.classList.contains("shown") || seen(e));
  const explorerState = (explorer) => {
    const slider = explorer.querySelector("input[type=range]");
    const frames = [...explorer.querySelectorAll(".explorer-frame")];
    const shown = shownFrames(explorer);
    return {
      frames: frames.length,
      frame: frames.indexOf(shown[0]),
      shown: shown.length,
      output: explorer.querySelector("output")?.innerText ?? "",
      spoken: slider.getAttribute("aria-valuetext") ?? "",
      value: slider.valueAsNumber,
      last: Number(slider.max),
      button: explorer.querySelector("button")?.innerText ?? "",
    };
  };

  // The frames' pictures: neighbours differ.
  const framesOf = (explorer) => {
    const pictures = [...explorer.querySelectorAll(".explorer-frame img")];
    const value = (e) => e.closest(".explorer-frame").dataset.value;
    const same = pictures.flatMap((e, i) => i && e.src === pictures[i - 1].src
      ? [`${value(pictures[i - 1])} and ${value(e)}`] : []);
    return same.length
      ? [`shows the same picture at its values ${same.join(", ")}: leave one out`] : [];
  };

  window.siteFaults = {
    mathematics, overflow, pictures, whiteBoxes, openAll, openers, isOpen, showsFocus,
    explorerState, framesOf, emptyFormulasAndCode, lineBreaks, outOfReach, ringIsCut, contentsAt,
  };
})()
"""
