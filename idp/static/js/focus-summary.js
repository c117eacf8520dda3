// After a form came back with errors, the keyboard and the screen reader start at their summary.

export function focusSummary(root) {
  root.querySelector("[data-focus]")?.focus();
}
