"""What is wrong with an explorer that computes in the page, found by moving it as readers do."""

import re

# Of a figure that is wrong: numbers that are none.
NO_NUMBER = re.compile(r"NaN|Infinity|undefined")
# What an explorer shows when the next picture is drawn: its figure and its sentence.
LOOK = """async (e) => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const figure = e.querySelector(".explorer-figure svg").innerHTML;
  return [figure, e.querySelector(".explorer-sentence").innerText];
}"""
# The value of a slider as its label shows it and as a screen reader says it.
VALUE = """(slider) => {
  const labels = [...slider.closest(".explorer").querySelectorAll("label:has(output)")];
  const own = labels.find((label) => label.innerText.includes(slider.ariaLabel));
  return [own.querySelector("output").innerText, slider.getAttribute("aria-valuetext")];
}"""
NONSENSE = (
    "#explorer={model}&{name}=abc",
    "#explorer={model}&{name}=-5e999&seed=x",
    "#explorer={model}&{name}=%3Cscript%3Ealert(1)%3C/script%3E",
    "#explorer={model}&{name}=" + "9" * 10_000,
    "#{name}=&&==&{name}",
)


def faults(page, explorer):
    """Lines for a person, the first of each kind."""
    model = explorer.get_attribute("data-model")

    button = explorer.get_by_role("button", name="Reset")

    def look():
        return tuple(explorer.evaluate(LOOK))

    def reset():
        """By a click that no pointer makes: those wait until the page stands still."""
        button.evaluate("button => button.click()")
        return look()

    if not explorer.locator(".explorer-live").count():
        yield f"is not started: no model {model} in its script"
        return
    if explorer.locator(".explorer-start").is_visible():
        yield "shows the picture of its start beside the figure"
    start = look()
    if fault := wrong(start):
        yield f"{fault} at its start"
    # The page computes what the notebook computed; it may know more.
    said = " ".join(explorer.locator(".explorer-start").text_content().split())
    if not " ".join(start[1].split()).startswith(said):
        yield f"says at its start {start[1]!r}, where the notebook said {said!r}"
    yield from faults_of_sliders(page, explorer, look, reset)
    yield from faults_of_handles(page, explorer, look, reset)
    yield from faults_of_buttons(explorer, look, reset)
    button.click()
    if look() != start:
        yield "is not as at its start after Reset"
    yield from faults_of_address(page, explorer, model, look, reset)


def wrong(seen):
    """What is wrong with a figure and its sentence, or None."""
    figure, sentence = seen
    if found := NO_NUMBER.search(figure + sentence):
        return f"shows {found[0]}"
    return None if sentence.strip() else "says nothing"


def faults_of_page(page, explorer):
    """On paper its start stands; loaded again, it is as it was left."""
    page.emulate_media(media="print")
    if not explorer.locator(".explorer-start").is_visible():
        yield "does not print its start"
    if explorer.locator(".explorer-live").is_visible():
        yield "prints what only moves on a screen"
    page.emulate_media(media="screen")
    slider = explorer.locator("input[type=range]").first
    slider.press("End" if slider.input_value() == "0" else "Home")
    page.wait_for_timeout(400)

    before = explorer.evaluate(LOOK)
    page.reload(wait_until="load")
    page.wait_for_timeout(100)
    if explorer.evaluate(LOOK) != before:
        yield "is not as it was left when the page is loaded again"
    page.evaluate("history.replaceState(null, '', location.pathname)")


def faults_of_sliders(page, explorer, look, reset):
    """By the keyboard, to both ends and back, each from the start and all at once."""
    sliders = explorer.locator("input[type=range]").all()
    for slider in sliders:
        name = slider.get_attribute("aria-label")
        if not name:
            yield "has a slider without a name"
            continue
        seen = set()
        slider.focus()
        for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
            page.keyboard.press(key)
            seen.add(now := look())
            if fault := wrong(now):
                yield f"{fault} after the key {key} on {name}"
            shown, spoken = slider.evaluate(VALUE)
            if shown != spoken:
                yield f"says another value of {name} than it shows"
        if len(seen) < 2:
            yield f"does not change with {name}"
        if explorer.evaluate("() => siteFaults.ringIsCut()"):
            yield f"cuts off the ring around {name} when that has the focus"
        reset()
    for end in ("Home", "End"):
        for slider in sliders:
            slider.press(end)
        if fault := wrong(look()):
            yield f"{fault} with every slider at its {end}"
    reset()
    for choice in explorer.locator("select").all():
        for i in range(choice.locator("option").count()):
            choice.select_option(index=i)
            if fault := wrong(look()):
                yield f"{fault} at choice {i} of {choice.get_attribute('aria-label')}"
        reset()


def faults_of_handles(page, explorer, look, reset):
    """What can be dragged moves by arrow keys, by mouse, and by a finger.

    One way is enough, and it may be long: what starts at an end of its range has no other, and
    the next of a few values may lie far away.
    """
    for i in range(explorer.locator(".handle").count()):
        handle = explorer.locator(".handle").nth(i)
        name = handle.get_attribute("aria-label")
        if not name:
            yield "has a handle without a name"
        (before, _), told = look(), handle.get_attribute("aria-valuetext")
        handle.focus()
        for keys in ("ArrowUp ArrowRight PageUp", "ArrowDown ArrowLeft PageDown"):
            for key in keys.split():
                page.keyboard.press(key)
            now = look()
            moved = handle.get_attribute("aria-valuetext") != told
            if moved and now[0] != before:
                break
        else:
            yield f"does not follow the arrow keys: {name}"
        if fault := wrong(now):
            yield f"{fault} after arrow keys on {name}"
        reset()
        follows = False
        for dx, dy in ((-60, 40), (90, -50), (-200, 60), (2000, 2000), (-2000, -2000)):
            near = abs(dx) <= 200
            if near and follows:
                continue
            knob = handle.locator(".knob")
            knob.scroll_into_view_if_needed()
            box = knob.bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + dx, y + dy, steps=2)
            page.mouse.up()
            now = look()
            if fault := wrong(now):
                yield f"{fault} after {name} was dragged by ({dx}, {dy})"
            follows |= near and now[0] != before
        if not follows:
            yield f"does not follow the mouse: {name}"
        reset()
        for way in (1, -1):
            fault = touch_fault(page, handle, look, before, way)
            reset()
            if fault is None:
                break
        else:
            yield f"{fault}: {name}"


def touch_fault(page, handle, look, before, way):
    """A finger on the knob, through the browser's own protocol: it moves it, and not the page."""
    knob = handle.locator(".knob")
    knob.scroll_into_view_if_needed()
    box, top = knob.bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, dx, dy in (("Start", 0, 0), ("Move", -20, 15), ("Move", -200, 60)):
        at = [{"x": x + way * dx, "y": y + way * dy}]
        session.send(
            "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at}
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()
    page.wait_for_timeout(550)  # so long D3 takes a mouse for the finger's echo
    if page.evaluate("scrollY") != top:
        return "lets the page scroll under a finger"
    return "does not follow a finger" if look()[0] == before else None


def faults_of_buttons(explorer, look, reset):
    customers = explorer.get_by_role("button", name="New customers")
    if customers.count():
        before = look()
        customers.click()
        if (now := look())[0] == before[0]:
            yield "draws no new customers"
        if fault := wrong(now):
            yield f"{fault} with new customers"
        reset()


def faults_of_address(page, explorer, model, look, reset):
    """The address holds the state, gives it back, and nonsense in it changes nothing."""
    start, length = look(), page.evaluate("history.length")
    slider = explorer.locator("input[type=range], select").first
    name = explorer.evaluate(
        "e => JSON.parse(e.querySelector('.explorer-data').textContent).parameters[0].name"
    )
    if slider.evaluate("e => e.type") == "range":
        slider.press("End" if slider.input_value() == "0" else "Home")
    else:
        last = slider.locator("option").count() - 1
        slider.select_option(index=0 if slider.input_value() != "0" else last)
    page.wait_for_timeout(400)
    moved, address = look(), page.evaluate("location.hash")
    if f"explorer={model}" not in address:
        yield f"does not write its state into the address: {address!r}"
        return
    if page.evaluate("history.length") != length:
        yield "fills the history"
    reset()
    page.wait_for_timeout(400)
    to = "hash => { location.hash = hash; }"
    page.evaluate(to, address)
    if look()[0] != moved[0]:
        yield f"does not take its state from the address {address}"
    for nonsense in NONSENSE:
        page.evaluate(to, nonsense.format(model=model, name=name))
        if look()[0] != start[0]:
            yield f"does not stay at its start at the address {nonsense[:60]}"
    page.evaluate("history.replaceState(null, '', location.pathname)")
    reset()
