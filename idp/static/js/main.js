// Enhancements only: every page works without this file. One module per thing it makes nicer.

import { copyButtons } from "./copy.js";
import { followScan } from "./follow-scan.js";
import { focusSummary } from "./focus-summary.js";
import { passkeyButtons } from "./passkeys.js";
import { codeCountdown } from "./code-countdown.js";
import { regionPickers } from "./region-picker.js";
import { showPassword } from "./show-password.js";
import { submitOnce } from "./submit-once.js";
import { keepTabFocus } from "./tabs.js";

for (const enhance of [
  showPassword,
  codeCountdown,
  regionPickers,
  submitOnce,
  keepTabFocus,
  copyButtons,
  passkeyButtons,
  followScan,
  focusSummary,
]) {
  enhance(document);
}
