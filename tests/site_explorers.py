"""What is wrong with an explorer that computes in the page, found by moving it as readers do."""

import re

# Of a figure that is wrong: numbers that are none.
NO_NUMBER = re.compile(r"NaN|Infinity|undefined")
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

    def sentence():
        return explorer.locator(".explorer-sentence").inner_text()

    def figure():
        return explorer.locator(".explorer-figure svg").inner_html()

    def settle():
        """Wait until the next picture is drawn."""
        page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def wrong():
        if found := NO_NUMBER.search(figure() + sentence()):
            return f"shows {found[0]}"
        return None if sentence().strip() else "says nothing"

    button = explorer.get_by_role("button", name="Reset")

    def reset():
        """By a click that no pointer makes: those wait until the page stands still."""
        button.evaluate("button => button.click()")
        settle()

    if not explorer.locator(".explorer-live").count():
        yield f"is not started: no model {model} in its script"
        return
    if explorer.locator(".explorer-start").is_visible():
        yield "shows the picture of its start beside the figure"
    start = figure(), sentence()
    if fault := wrong():
        yield f"{fault} at its start"
    # The page computes what the notebook computed; it may know more.
    said = explorer.locator(".explorer-start").text_content()
    if not " ".join(sentence().split()).startswith(" ".join(said.split())):
        yield f"says at its start {sentence()!r}, where the notebook said {said!r}"
    yield from faults_of_sliders(page, explorer, figure, sentence, settle, wrong, reset)
    yield from faults_of_handles(page, explorer, figure, settle, wrong, reset)
    yield from faults_of_buttons(explorer, figure, settle, wrong, reset)
    button.click()
    settle()
    if (figure(), sentence()) != start:
        yield "is not as at its start after Reset"
    yield from faults_of_address(page, explorer, model, figure, settle, reset)


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

    def state():
        figure = explorer.locator(".explorer-figure svg").inner_html()
        return figure + explorer.locator(".explorer-sentence").inner_text()

    before = state()
    page.reload(wait_until="load")
    page.wait_for_timeout(100)
    if state() != before:
        yield "is not as it was left when the page is loaded again"
    page.evaluate("history.replaceState(null, '', location.pathname)")


def faults_of_sliders(page, explorer, figure, sentence, settle, wrong, reset):
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
            settle()
            seen.add(figure() + sentence())
            if fault := wrong():
                yield f"{fault} after the key {key} on {name}"
            output = explorer.locator("label", has=page.locator("output")).filter(
                has_text=name
            )
            shown = output.locator("output").first.inner_text()
            if shown != slider.get_attribute("aria-valuetext"):
                yield f"says another value of {name} than it shows"
        if len(seen) < 2:
            yield f"does not change with {name}"
        if explorer.evaluate("() => siteFaults.ringIsCut()"):
            yield f"cuts off the ring around {name} when that has the focus"
        reset()
    for end in ("Home", "End"):
        for slider in sliders:
            slider.press(end)
        settle()
        if fault := wrong():
            yield f"{fault} with every slider at its {end}"
    reset()
    for choice in explorer.locator("select").all():
        for i in range(choice.locator("option").count()):
            choice.select_option(index=i)
            settle()
            if fault := wrong():
                yield f"{fault} at choice {i} of {choice.get_attribute('aria-label')}"
        reset()


def faults_of_handles(page, explorer, figure, settle, wrong, reset):
    """What can be dragged moves by arrow keys, by mouse, and by a finger.

    One way is enough, and it may be long: what starts at an end of its range has no other, and
    the next of a few values may lie far away.
    """
    for i in range(explorer.locator(".handle").count()):
        handle = explorer.locator(".handle").nth(i)
        name = handle.get_attribute("aria-label")
        if not name:
            yield "has a handle without a name"
        before, told = figure(), handle.get_attribute("aria-valuetext")
        handle.focus()
        for keys in ("ArrowUp ArrowRight PageUp", "ArrowDown ArrowLeft PageDown"):
            for key in keys.split():
                page.keyboard.press(key)
            settle()
            moved = handle.get_attribute("aria-valuetext") != told
            if moved and figure() != before:
                break
        else:
            yield f"does not follow the arrow keys: {name}"
        if fault := wrong():
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
            settle()
            if fault := wrong():
                yield f"{fault} after {name} was dragged by ({dx}, {dy})"
            follows |= near and figure() != before
        if not follows:
            yield f"does not follow the mouse: {name}"
        reset()
        for way in (1, -1):
            fault = touch_fault(page, handle, figure, settle, before, way)
            reset()
            if fault is None:
                break
        else:
            yield f"{fault}: {name}"


def touch_fault(page, handle, figure, settle, before, way):
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
    settle()
    if page.evaluate("scrollY") != top:
        return "lets the page scroll under a finger"
    return "does not follow a finger" if figure() == before else None


def faults_of_buttons(explorer, figure, settle, wrong, reset):
    customers = explorer.get_by_role("button", name="New customers")
    if customers.count():
        before = figure()
        customers.click()
        settle()
        if figure() == before:
            yield "draws no new customers"
        if fault := wrong():
            yield f"{fault} with new customers"
        reset()


def faults_of_address(page, explorer, model, figure, settle, reset):
    """The address holds the state, gives it back, and nonsense in it changes nothing."""
    start, length = figure(), page.evaluate("history.length")
    slider = explorer.locator("input[type=range], select").first
    name = explorer.evaluate(
        "e => JSON.parse(e.querySelector('.explorer-data').textContent).parameters[0].name"
    )
    if slider.evaluate("e => e.type") == "range":
        slider.press("End" if slider.input_value() == "0" else "Home")
    else:
        last = slider.locator("option").count() - 1
        slider.select_option(index=0 if slider.input_value() != "0" else last)
    settle()
    page.wait_for_timeout(400)
    moved, address = figure(), page.evaluate("location.hash")
    if f"explorer={model}" not in address:
        yield f"does not write its state into the address: {address!r}"
        return
    if page.evaluate("history.length") != length:
        yield "fills the history"
    reset()
    page.wait_for_timeout(400)
    page.evaluate("hash => { location.hash = hash; }", address)
    settle()
    if figure() != moved:
        yield f"does not take its state from the address {address}"
    for nonsense in NONSENSE:
        page.evaluate(
            "hash => { location.hash = hash; }",
            nonsense.format(model=model, name=name),
        )
        settle()
        if figure() != start:
            yield f"does not stay at its start at the address {nonsense[:60]}"
    page.evaluate("history.replaceState(null, '', location.pathname)")
    reset()
