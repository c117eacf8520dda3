// The eye at the end of a password: shows it, and hides it again before the form is sent.

function toggle(button, input, visible) {
  input.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
}

export function showPassword(root) {
  for (const button of root.querySelectorAll("[data-show-password]")) {
    const input = root.getElementById(button.dataset.showPassword);
    if (!input) continue;
    button.hidden = false;
    button.addEventListener("click", () => toggle(button, input, input.type === "password"));
    // Browsers offer to remember what was typed into text fields; a password must not be among it.
    input.form?.addEventListener("submit", () => toggle(button, input, false));
  }
}
