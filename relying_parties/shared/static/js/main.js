// Enhancements only: every page works without this file.

function closeMenus(root) {
  const close = (except) => {
    for (const menu of root.querySelectorAll("[data-menu][open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  root.addEventListener("click", (event) => close(event.target));
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = root.activeElement?.closest("[data-menu][open]");
    close(null);
    menu?.querySelector("summary").focus();
  });
}

function selectAll(root) {
  for (const place of root.querySelectorAll("[data-select-all]")) {
    const all = place.querySelector("input");
    const boxes = [...place.closest("form").querySelectorAll('input[name="id"]')];
    place.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
    });
    for (const box of boxes) {
      box.addEventListener("change", () => {
        all.checked = boxes.every((each) => each.checked);
      });
    }
  }
}

function submitOnce(root) {
  for (const form of root.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // A page that the browser brings back from its memory may be sent again.
  addEventListener("pageshow", () => {
    for (const form of root.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
}

closeMenus(document);
selectAll(document);
submitOnce(document);
document.querySelector("[data-focus]")?.focus();
