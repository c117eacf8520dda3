// A second click while the first answer is on its way must not send the form again.

const PATIENCE = 10_000; // milliseconds; after that a new try is allowed

export function submitOnce(root) {
  for (const form of root.querySelectorAll("form[data-once]")) {
    let sentAt = 0;
    form.addEventListener("submit", (event) => {
      if (Date.now() - sentAt < PATIENCE) {
        event.preventDefault();
        return;
      }
      sentAt = Date.now();
      event.submitter?.setAttribute("aria-busy", "true");
    });
    // Back from the next page, out of the browser's memory: the form may be sent anew.
    addEventListener("pageshow", () => {
      sentAt = 0;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    });
  }
}
