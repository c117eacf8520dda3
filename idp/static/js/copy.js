// Buttons that copy the text of another element.

const SHOWN = 2000; // milliseconds that "copied" stays

export function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) {
    const label = button.querySelector("span");
    const words = label.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(root.getElementById(button.dataset.copy).textContent.trim());
      label.textContent = button.dataset.copied;
      setTimeout(() => {
        label.textContent = words;
      }, SHOWN);
    });
  }
}
