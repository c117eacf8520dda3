// Three lists, in the order of LEVELS, that fill each other. The server knows which level comes next: 东莞 has no districts, 北京 no cities.

const LEVELS = ["province", "city", "district"];

function clear(box) {
  const select = box.querySelector("select");
  select.length = 0;
  box.hidden = true;
}

function fill(box, regions, prompt) {
  const select = box.querySelector("select");
  select.replaceChildren(new Option(prompt, ""), ...regions.map(({ code, name }) => new Option(name, code)));
  box.hidden = regions.length === 0;
}

function enhancePicker(picker) {
  const boxes = [...picker.querySelectorAll("[data-level]")];
  const prompts = boxes.map((box) => box.querySelector("option")?.textContent ?? "");
  let request = new AbortController();

  async function load(at) {
    // The answer to an older choice must not overwrite the lists of a newer one.
    request.abort();
    request = new AbortController();
    boxes.slice(at + 1).forEach(clear);
    const parent = boxes[at].querySelector("select").value;
    if (!parent) return;
    const address = new URL(picker.dataset.region, location.href);
    address.searchParams.set("parent", parent);
    const answer = await fetch(address, { signal: request.signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`regions: ${answer.status}`);
    const { level, regions } = await answer.json();
    const next = LEVELS.indexOf(level);
    if (next > at) fill(boxes[next], regions, prompts[next]);
  }

  const button = picker.querySelector("[data-region-load]");
  button.hidden = true;
  boxes.slice(0, -1).forEach((box, at) =>
    box.addEventListener("change", () =>
      load(at).catch((error) => {
        // Whatever went wrong with the fetch, the button still works.
        if (error.name !== "AbortError") button.hidden = false;
      }),
    ),
  );
}

export function regionPickers(root) {
  root.querySelectorAll("[data-region]").forEach(enhancePicker);
}
