// Tabs are links to pages. After such a link the keyboard stays on the tab, as it would with tabs inside one page.

const KEY = "jingban.tab";

export function keepTabFocus(root) {
  const tabs = root.querySelector("[data-tabs]");
  const came = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (!tabs) return;
  if (came === tabs.getAttribute("aria-label")) {
    tabs.querySelector("[aria-current]")?.focus({ preventScroll: true });
  }
  tabs.addEventListener("click", (event) => {
    // A click of the mouse has a detail; a key press on a link has none.
    if (event.detail === 0) sessionStorage.setItem(KEY, tabs.getAttribute("aria-label"));
  });
}
